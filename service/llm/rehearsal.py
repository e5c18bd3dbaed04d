"""A model that costs nothing: it answers every request in the right shape, at the length that real replies have.

Behind `polyphonie estimate` it walks through the whole draft, so that the requests counted are the requests that a run makes;
what it writes is copied from the request and is thrown away.
"""

import json
import re
import threading
from collections.abc import Iterator
from itertools import cycle

from service.llm.chat import ChatReply, ChatRequest
from service.llm.tokens import EXPECTED_BYTES, estimate_tokens
from service.llm.wrap import Cached

LABEL_WORDS = 16
"""Words of a label, of a sentence: means over the written replies of the example round."""

SENTENCE_WORDS = 22

MOVES_EVERY = 12
"""One verbatim in so many is moved when groups are revised, so that the labels made again are counted."""

LINE = re.compile(r"^([a-z]\d+|–)\| (?:\([^)]*\) )?(?:\[[^\]]*\] )?(.*)$", re.MULTILINE)


class Rehearsal:
    """Replies of the length to be expected; one that is already paid for is given as it was."""

    def __init__(self, name: str, kept: Cached | None = None) -> None:
        """kept: the cache of the run to come."""
        self.name = name
        self._kept = kept
        self._lock = threading.Lock()
        self._used: dict[str, tuple[int, int]] = {}

    def by_prompt(self) -> dict[str, tuple[int, int]]:
        """Prompt → (calls, tokens in and out), in the order of their first use; cached replies are no calls."""
        return dict(self._used)

    def reply(self, request: ChatRequest) -> ChatReply:
        kept = self._kept.kept(request) if self._kept else None
        if kept is not None:
            return kept
        text = json.dumps(answer(request), ensure_ascii=False)
        said = estimate_tokens(request.system + request.user, EXPECTED_BYTES)
        wrote = min(estimate_tokens(text, EXPECTED_BYTES), request.max_tokens)
        with self._lock:
            calls, tokens = self._used.get(request.prompt.name, (0, 0))
            self._used[request.prompt.name] = (calls + 1, tokens + said + wrote)
        return ChatReply(text=text, input_tokens=said, output_tokens=wrote)


def answer(request: ChatRequest) -> object:  # noqa: PLR0911 - one case per reply
    """A reply that passes the checks wherever copying can: the reply's shape is known by the schema's title."""
    lines: dict[str, list[tuple[str, str]]] = {}
    for name, text in LINE.findall(request.user):
        lines.setdefault(name[0], []).append((name, text))
    match request.schema.get("title"):
        case "LabelReply":
            return {
                "label": _joined(lines["v"][:2]),
                "stance": "neither",
                "exemplars": ["v1"],
                "opposed": False,
            }
        case "SynthesisReply":
            return {"paragraphs": [{"sentences": list(_sentences(request, lines.get("g", [])))}]}
        case "ThemeReply":
            sentences = list(_sentences(request, lines.get("s", [])))
            return {"sections": [{"heading": "", "sentences": sentences}]}
        case "OutlineReply":
            return {"themes": _outline(lines)}
        case "RegroupReply":
            groups = lines.get("g", [])
            return {
                "families": [
                    {"label": _joined(some), "members": [name for name, _ in some]}
                    for some in (groups[i : i + 3] for i in range(0, len(groups), 3))
                ]
            }
        case "ReviseReply":
            return {"moves": _moves(request), "new": [], "merges": [], "isolate": []}
        case "DistinguishReply":
            return {"same": [], "labels": [{"id": n, "label": t} for n, t in lines.get("g", [])]}
        case "SupportReply":
            names = [name for name, _ in lines.get("p", [])]
            return {"opinions": [{"id": n, "verdict": "yes", "idle": [], "text": ""} for n in names]}
        case _:
            pieces = lines.get("p", [])
            return {"ideas": [{"first": k, "last": k, "text": t} for k, (_, t) in enumerate(pieces, start=1)]}


def _joined(some: list[tuple[str, str]]) -> str:
    """A label that says something of each line, at a label's length."""
    return ", ".join(_cut(text, LABEL_WORDS // len(some)) for _, text in some)


def _cut(text: str, most: int) -> str:
    return " ".join(re.split(r"(?<=[.!?;])\s", text)[0].split()[:most]).rstrip(",;: ")


def _sentences(request: ChatRequest, lines: list[tuple[str, str]]) -> Iterator[dict[str, object]]:
    """Sentences over two lines each, together as long as was asked for."""
    asked = re.search(r"(\d+) (?:mots|words)\b[^|]*$", request.user)
    pairs = [lines[i : i + 2] for i in range(0, len(lines), 2)]
    each = max(6, min(SENTENCE_WORDS, int(asked[1]) // max(1, len(pairs)))) if asked else SENTENCE_WORDS
    for some in pairs:
        words = " ".join(_cut(text, each) for _, text in some).replace(".", "").split()
        yield {"text": " ".join(words[:each]), "cites": [name for name, _ in some]}


def _outline(lines: dict[str, list[tuple[str, str]]]) -> list[dict[str, object]]:
    asked = [text for _, text in lines.get("t", [])] or [
        "Thème un",
        "Thème deux",
        "Thème trois",
        "Thème quatre",
    ]
    sentences: dict[str, list[str]] = {title.split(". ")[0]: [] for title in asked}
    for title, (name, _) in zip(cycle(list(sentences)), lines.get("s", []), strict=False):
        sentences[title].append(name)
    return [{"title": title, "sentences": names} for title, names in sentences.items()]


def _moves(request: ChatRequest) -> list[dict[str, object]]:
    """One shown verbatim in so many goes to the group after its own."""
    home, groups = "", []
    verbatims: list[tuple[str, str]] = []
    for name, _ in LINE.findall(request.user):
        if name[0] in "g–":
            home = name
            groups += [name] if name[0] == "g" else []
        elif name[0] == "v":
            verbatims.append((name, home))
    moves: list[dict[str, object]] = []
    for name, home in verbatims[MOVES_EVERY // 2 :: MOVES_EVERY]:
        others = [g for g in groups if g != home]
        if others:
            to = others[(groups.index(home) if home in groups else 0) % len(others)]
            moves.append({"to": to, "verbatims": [name]})
    return moves
