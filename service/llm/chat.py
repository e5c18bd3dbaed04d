"""The chat seam: one method. Whatever stands behind it, a reply is text that has still to be parsed and checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from service.domain.draft import PromptRef
from service.errors import TryAgain


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRequest:
    prompt: PromptRef
    """Which prompt, version and language was rendered; its hash is part of the cache key."""
    system: str
    user: str
    schema: Mapping[str, Any] = field(default_factory=dict)
    """JSON schema of the object that the reply must be."""
    max_tokens: int = 512
    """Upper bound on the tokens of the reply."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatReply:
    text: str
    """The JSON text of the reply as it came, not yet parsed."""
    input_tokens: int = 0
    output_tokens: int = 0
    cached: bool = False
    """True if the reply was paid for in an earlier run."""


class Limited(TryAgain):
    """The server asks every caller to wait (rate limit, overload): ask again after the pause it names."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        """wait: seconds that the server asks for, None where it does not say."""
        super().__init__(message)
        self.wait = wait


class ChatModel(Protocol):
    @property
    def name(self) -> str:
        """The spec it was made from, as it stands in the provenance."""
        ...

    def reply(self, request: ChatRequest) -> ChatReply:
        """Answer one request. Raises TryAgain, SkipItem or StopAll (`service.errors`), nothing else."""
        ...


def stop(chat: ChatModel) -> None:
    """No further call of it, where it can be told so: whoever waits is refused."""
    tell = getattr(chat, "stop", None)
    if tell is not None:
        tell()


class ScriptedChat:
    """The shipped fake: replies come from a function of the request."""

    def __init__(self, script: Callable[[ChatRequest], str], name: str = "scripted") -> None:
        self.name = name
        self._script = script
        self.requests: list[ChatRequest] = []

    def reply(self, request: ChatRequest) -> ChatReply:
        self.requests.append(request)
        text = self._script(request)
        return ChatReply(text=text, input_tokens=len(request.user) // 4, output_tokens=len(text) // 4)
