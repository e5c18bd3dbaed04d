"""Any chat model that LangChain knows, behind the seam. One call is one try: patience, cache and budget are in `wrap`."""

import json
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from service.errors import BadSetting, SkipItem, StopAll, TryAgain
from service.llm.chat import ChatReply, ChatRequest
from service.llm.tokens import estimate_tokens

STOP = ("invalid_api_key", "insufficient_quota", "model_not_found", "unauthorized", "permission")
"""In the text of an error: no further call can succeed."""

SKIP = ("context_length", "maximum context", "content_filter", "content policy", "refus")
"""In the text of an error: this request will not be answered, others may be."""


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
        more: dict[str, Any] = {"temperature": 0, "timeout": timeout, "max_retries": 0}
        if base_url is not None:
            more["base_url"] = base_url
        if api_key is not None:
            more["api_key"] = api_key
        try:
            self._model = init_chat_model(spec, **more)
        except Exception as error:  # ImportError, ValueError, the providers' own kinds
            raise BadSetting(
                f"--llm {spec}: {str(error).splitlines()[0]} "
                "Accepted: extractive, local, provider:model, or openai:MODEL with POLYPHONIE_LLM_BASE_URL."
            ) from error

    def reply(self, request: ChatRequest) -> ChatReply:
        schema = {"title": request.prompt.name.capitalize() + "Reply", **request.schema}
        structured = self._model.with_structured_output(
            schema, method="json_schema", include_raw=True, max_tokens=request.max_tokens
        )
        try:
            got = structured.invoke([SystemMessage(request.system), HumanMessage(request.user)])
        except Exception as error:
            raise kind_of(error) from error
        message: AIMessage = got["raw"]
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


def kind_of(error: Exception) -> TryAgain | SkipItem | StopAll:
    """Which of the three kinds an exception of a provider is, by its HTTP status first, then by its text."""
    status = getattr(error, "status_code", None)
    said = f"{type(error).__name__}: {error}"[:300]
    low = said.casefold()
    if status in (401, 403, 404) or any(mark in low for mark in STOP):
        return StopAll(f"the model can't be used: {said}")
    if any(mark in low for mark in SKIP) or status in (400, 413, 422):
        return SkipItem(f"the model will not answer this request: {said}")
    return TryAgain(said)
