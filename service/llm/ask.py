"""Asking: render, call, parse, check, ask once more with the reason, or give up with it. Right whatever the model says."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel, ValidationError

import prompts
from prompts import Prompt
from service.domain.draft import PromptRef
from service.errors import SkipItem
from service.llm.chat import ChatModel, ChatReply, ChatRequest, stop

T = TypeVar("T")
WORKERS = 64
"""Requests in hand at once; how many reach the model together is decided behind the seam (`wrap.Patient`)."""


class BadReply(ValueError):
    """A reply that can't be used; the text is a reason that the model can act on."""


@dataclass(frozen=True, kw_only=True)
class Ask(Generic[T]):
    id: str
    """What the question is about: a group, an answer, a question."""
    prompt: Prompt
    values: Mapping[str, str]
    """A value for each of the prompt's variables; what people wrote comes through `prompts.fence`."""
    reply: type[BaseModel]
    check: Callable[[Any], T]
    """Turns the parsed reply into what the stage needs, or raises BadReply."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    id: str
    reason: str


def ask(chat: ChatModel, asks: Sequence[Ask[T]]) -> tuple[T | Refused, ...]:
    """One result per question, in order. StopAll and Stopped pass through once the calls under way have ended."""
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        try:
            return tuple(pool.map(lambda one: _answer(chat, one), asks))
        except BaseException:  # an interrupt as well: those who wait behind the seam must not go on calling
            stop(chat)
            raise


def _answer(chat: ChatModel, one: Ask[T]) -> T | Refused:
    request = render(one)
    try:
        reply = chat.reply(request)
        try:
            return one.check(parse(reply.text, one.reply))
        except BadReply as bad:
            again = chat.reply(repair(request, reply, str(bad), one.prompt.language))
            return one.check(parse(again.text, one.reply))
    except (BadReply, SkipItem) as error:
        return Refused(id=one.id, reason=str(error) or type(error).__name__)


def render(one: Ask[Any]) -> ChatRequest:
    """The request of a question. Pure. Raises KeyError for a variable without a value."""
    system, user = _filled(one.prompt, one.values)
    return ChatRequest(
        prompt=_ref(one.prompt),
        system=system,
        user=user,
        schema=one.reply.model_json_schema(),
        max_tokens=one.prompt.max_tokens,
    )


def repair(request: ChatRequest, reply: ChatReply, reason: str, language: str) -> ChatRequest:
    """The same request once more, with what was wrong. The bad reply is shown as data."""
    prompt = prompts.load("repair", language)
    system, user = _filled(
        prompt,
        {
            "request": request.user,
            "reply": prompts.fence([reply.text], "r"),
            "reason": prompts.fence([reason], "r"),
        },
    )
    return ChatRequest(
        prompt=_ref(prompt),
        system=f"{request.system}\n\n{system}",
        user=user,
        schema=request.schema,
        max_tokens=request.max_tokens,
    )


def _filled(prompt: Prompt, values: Mapping[str, str]) -> tuple[str, str]:
    template = ChatPromptTemplate.from_messages(
        [("system", prompt.system), ("human", prompt.user)], template_format="f-string"
    )
    system, user = template.format_messages(**{name: values[name] for name in prompt.variables})
    return str(system.content), str(user.content)


def _ref(prompt: Prompt) -> PromptRef:
    return PromptRef(
        name=prompt.name,
        version=prompt.version,
        language="en" if prompt.language == "en" else "fr",
        sha256=prompt.sha256,
    )


def parse(text: str, shape: type[BaseModel]) -> BaseModel:
    """The first JSON object of a reply, as a record. Tolerates prose and code fences around it. Raises BadReply."""
    start = text.find("{")
    if start < 0:
        raise BadReply("the reply holds no JSON object")
    plain = re.sub(r",(\s*[}\]])", r"\1", text[start:])
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(plain)
    except json.JSONDecodeError as error:
        if error.pos >= len(plain.rstrip()) or error.msg.startswith("Unterminated"):
            raise BadReply("the JSON object is cut off: answer shorter") from error
        near = " ".join(plain[max(0, error.pos - 20) : error.pos + 20].split())
        raise BadReply(f"not JSON: {error.msg} at « {near} »") from error
    try:
        return shape.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the object"
        raise BadReply(f"{where}: {first['msg']}") from error
