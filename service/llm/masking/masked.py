"""A chat model that never sees personal data: masked before, restored after, and no stage knows."""

import ipaddress
import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol
from urllib.parse import urlsplit

from service.domain.round import Language
from service.errors import SkipItem
from service.llm.chat import ChatModel, ChatReply, ChatRequest, stop
from service.llm.masking.coded import Found, Kind

NAMES: dict[Language, dict[Kind, str]] = {
    "fr": {
        "person": "PERSONNE",
        "email": "COURRIEL",
        "phone": "TELEPHONE",
        "nir": "NIR",
        "rpps": "RPPS",
        "finess": "FINESS",
        "iban": "IBAN",
        "address": "ADRESSE",
    },
    "en": {
        "person": "PERSON",
        "email": "EMAIL",
        "phone": "PHONE",
        "nir": "NIR",
        "rpps": "RPPS",
        "finess": "FINESS",
        "iban": "IBAN",
        "address": "ADDRESS",
    },
}
"""What stands in a placeholder: `<PERSONNE_1>`. A fence lets no "<" of an answer through, so no answer can write one."""

WORD = "|".join(sorted({w for names in NAMES.values() for w in names.values()}, key=len, reverse=True))
NAMED = rf"(?P<word>{WORD})_(?P<number>\d{{1,9}})"
LOOKS = re.compile(rf"\b{NAMED}\b")
WRITTEN = re.compile(rf"(?:<|&lt;|\\u003[cC]|\b){NAMED}(?:>|&gt;|\\u003[eE]|\b)")
"""A placeholder in a reply, also where the model escaped or dropped its brackets."""

FENCED = re.compile(r"^[a-z]\d+\| ")

KEPT = 50_000
"""Lines whose findings are kept: the same verbatims come back in several requests."""


class Finder(Protocol):
    def find(self, texts: Sequence[str]) -> list[tuple[Found, ...]]:
        """What is found in each text, none inside another."""
        ...


class Masked:
    """Outermost layer, so that keys of the cache, meters and servers see masked requests only."""

    def __init__(self, chat: ChatModel, finder: Finder) -> None:
        self.name = chat.name
        self._chat = chat
        self._finder = finder
        self._lines: dict[str, tuple[tuple[Kind, str], ...]] = {}
        self._seen: dict[Kind, set[str]] = defaultdict(set)
        self._lock = threading.Lock()

    def reply(self, request: ChatRequest) -> ChatReply:
        """The reply with everything restored. Raises SkipItem for a placeholder that the request did not have."""
        values = self._values(request.user)
        masked, mapping = mask(request.user, values, request.prompt.language)
        with self._lock:
            for kind, value in values:
                self._seen[kind].add(value)
        reply = self._chat.reply(replace(request, user=masked))
        return replace(reply, text=restore(reply.text, mapping, request.user))

    def counts(self) -> dict[str, int]:
        """Distinct values masked so far, by kind."""
        with self._lock:
            return {kind: len(values) for kind, values in sorted(self._seen.items())}

    def stop(self) -> None:
        stop(self._chat)

    def _values(self, text: str) -> set[tuple[Kind, str]]:
        """Kind and wording of what is found in any line. A line counts by itself, whatever stands around it."""
        lines = dict.fromkeys(FENCED.sub("", line) for line in text.split("\n"))
        with self._lock:
            known = {line: self._lines[line] for line in lines if line in self._lines}
        new = [line for line in lines if line and line not in known]
        found = self._finder.find(new) if new else []
        made = {
            line: tuple((f.kind, line[f.start : f.end]) for f in some)
            for line, some in zip(new, found, strict=True)
        }
        with self._lock:
            if len(self._lines) + len(made) > KEPT:
                self._lines.clear()
            self._lines |= made
        return {value for some in (known | made).values() for value in some}


def mask(text: str, values: Iterable[tuple[Kind, str]], language: Language) -> tuple[str, dict[str, str]]:
    """The text with a placeholder for each value wherever it stands, and what each placeholder stands for.

    Numbered within a kind by the sorted values: the same texts give the same placeholders, in whatever order they come.
    What looks like a placeholder in the text itself keeps its number to itself.
    """
    taken = max((int(m["number"]) for m in LOOKS.finditer(text)), default=0)
    by_kind: dict[Kind, list[str]] = defaultdict(list)
    for kind, value in sorted(set(values)):
        by_kind[kind].append(value)
    placeholders: dict[str, str] = {}
    for kind, some in by_kind.items():
        for number, value in enumerate(some, start=taken + 1):
            placeholders.setdefault(value, f"{NAMES[language][kind]}_{number}")
    if not placeholders:
        return text, {}
    longest_first = sorted(placeholders, key=lambda v: (-len(v), v))
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    masked = pattern.sub(lambda m: f"<{placeholders[m[0]]}>", text)
    return masked, {placeholder: value for value, placeholder in placeholders.items()}


def restore(reply: str, mapping: Mapping[str, str], request: str) -> str:
    """A reply, which is JSON text, with the values for the placeholders. Raises SkipItem for one that nobody gave."""
    literal = {m[0] for m in LOOKS.finditer(request)}

    def value(match: re.Match[str]) -> str:
        name = f"{match['word']}_{match['number']}"
        if name in mapping:
            return json.dumps(mapping[name], ensure_ascii=False)[1:-1]
        if name in literal:
            return match[0]
        raise SkipItem(f"the reply names {name}, which the request did not have")

    return WRITTEN.sub(value, reply)


def masked_counts(chat: ChatModel | None) -> dict[str, int]:
    """For the ledger: what was masked by a model of this kind, nothing for others."""
    return chat.counts() if isinstance(chat, Masked) else {}


def is_loopback(url: str | None) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(url or "").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
