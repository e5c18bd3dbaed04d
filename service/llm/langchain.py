"""Any chat model that LangChain knows, behind the seam. One call is one try: patience, cache and budget are in `wrap`."""

import json
import threading
from collections.abc import Mapping
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from service.errors import BadSetting, ModelError, SkipItem, StopAll, TryAgain
from service.llm.chat import ChatReply, ChatRequest, Limited
from service.llm.tokens import estimate_tokens

STOP = ("invalid_api_key", "insufficient_quota", "model_not_found", "unauthorized", "billing")
"""In the text of an error: no further call can succeed."""

SKIP = (
    "context_length",
    "context length",
    "maximum context",
    "content_filter",
    "content filter",
    "content policy",
)
"""In the text of an error: this request will not be answered, others may be."""

SHAPING = (
    "response_format",
    "json_schema",
    "json_object",
    "json mode",
    "structured output",
    "grammar",
    "schema",
)
"""In the text of a 400: the server can't impose a shape on its replies in the way that was asked."""

WAYS = ("json_schema", "json_mode", "plain")
"""How the shape of a reply is asked for, strictest first; each prompt also says it in words. A server that refuses one gets
the next, once for the whole run."""


class LangChainChat:
    def __init__(
        self,
        spec: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 120.0,
        name: str | None = None,
    ) -> None:
        """spec: `provider:model` as `init_chat_model` takes it. name: how the provenance calls it, the spec by default.

        Raises BadSetting where LangChain knows no such provider or its package is missing.
        """
        self.name = name or spec
        self._spec = spec
        self._more: dict[str, Any] = {"temperature": 0, "timeout": timeout, "max_retries": 0}
        if base_url is not None:
            self._more["base_url"] = base_url
        if api_key is not None:
            self._more["api_key"] = api_key
        self._way = 0
        self._models: dict[int, BaseChatModel] = {}
        self._lock = threading.Lock()
        try:
            self._model(1)
        except Exception as error:  # ImportError, ValueError, the providers' own kinds
            if api_key is None and "api_key" in str(error):
                raise BadSetting(
                    f"--llm {spec} needs a key: set POLYPHONIE_LLM_API_KEY. A server of your own that asks for none "
                    "takes any word; its address is POLYPHONIE_LLM_BASE_URL."
                ) from error
            raise BadSetting(
                f"--llm {spec}: {str(error).splitlines()[0]} "
                "Accepted: extractive, local, provider:model, or openai:MODEL with POLYPHONIE_LLM_BASE_URL."
            ) from error

    def reply(self, request: ChatRequest) -> ChatReply:
        while True:
            way = self._way
            try:
                message = self._call(request, WAYS[way])
            except Exception as error:
                cut = _cut_off(error)
                if cut is not None:
                    return cut
                if way + 1 < len(WAYS) and _cannot_shape(error):
                    self._way = max(self._way, way + 1)
                    continue
                raise kind_of(error) from error
            return _reply(message, request)

    def _call(self, request: ChatRequest, way: str) -> AIMessage:
        messages = [SystemMessage(request.system), HumanMessage(request.user)]
        model = self._model(request.max_tokens)
        if way == "plain":
            return model.invoke(messages)
        schema = {"title": request.prompt.name.capitalize() + "Reply", **request.schema}
        shaped = model.with_structured_output(schema, method=way, include_raw=True)
        got = shaped.invoke(messages)
        assert isinstance(got, dict)
        message = got["raw"]
        assert isinstance(message, AIMessage)
        return message

    def _model(self, max_tokens: int) -> BaseChatModel:
        """One client per reply length: `max_tokens` is a standard parameter of a model, not of its structured calls."""
        with self._lock:
            if max_tokens not in self._models:
                self._models[max_tokens] = init_chat_model(self._spec, max_tokens=max_tokens, **self._more)
            return self._models[max_tokens]


def _reply(message: AIMessage, request: ChatRequest) -> ChatReply:
    """Raises SkipItem where the model says that it refuses, or a filter cut it."""
    refusal = message.additional_kwargs.get("refusal")
    finish = str(message.response_metadata.get("finish_reason") or "")
    if refusal or finish == "content_filter":
        raise SkipItem(f"the model refuses this request: {str(refusal or finish)[:200]}")
    text = _text(message)
    usage = message.usage_metadata
    return ChatReply(
        text=text,
        input_tokens=usage["input_tokens"] if usage else estimate_tokens(request.system + request.user),
        output_tokens=usage["output_tokens"] if usage else estimate_tokens(text),
    )


def _text(message: AIMessage) -> str:
    """The JSON text of a reply, whether it came as content or as a tool call."""
    content = message.content if isinstance(message.content, str) else message.text
    if not content and message.tool_calls:
        return json.dumps(message.tool_calls[0]["args"], ensure_ascii=False)
    return str(content)


def _cut_off(error: Exception) -> ChatReply | None:
    """The beginning of a reply that reached its greatest length: the client makes an error of it, but it was paid for,
    and asking the same again would end the same. None for other errors."""
    done = getattr(error, "completion", None)
    if type(error).__name__ != "LengthFinishReasonError" or done is None or not done.choices:
        return None
    return ChatReply(
        text=done.choices[0].message.content or "",
        input_tokens=done.usage.prompt_tokens if done.usage else 0,
        output_tokens=done.usage.completion_tokens if done.usage else 0,
    )


def _cannot_shape(error: Exception) -> bool:
    if isinstance(error, NotImplementedError):
        return True
    low = str(error).casefold()
    return getattr(error, "status_code", None) in (400, 404, 422, 501) and any(
        mark in low for mark in SHAPING
    )


def kind_of(error: Exception) -> ModelError:
    """Which of the three kinds an exception of a provider is, by its HTTP status first, then by its text."""
    if isinstance(error, ModelError):
        return error
    status = getattr(error, "status_code", None)
    said = f"{type(error).__name__}: {error}"[:300]
    low = said.casefold()
    if status in (401, 402, 403, 404) or any(mark in low for mark in STOP):
        return StopAll(f"the model can't be used: {said}")
    if any(mark in low for mark in SKIP) or "contentfilter" in low or status in (400, 413, 422):
        return SkipItem(f"the model will not answer this request: {said}")
    wait = _retry_after(error)
    if status == 429 or wait is not None:
        return Limited(said, wait)
    return TryAgain(said)


def _retry_after(error: Exception) -> float | None:
    """Seconds that the answer's Retry-After header asks for."""
    headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", {})
    try:
        return float(headers.get("retry-after", ""))
    except ValueError:
        return None
