"""Cutting a long sentence, or a text without stops, where an independent clause begins."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.domain.round import Language
from service.stages.cutting.rules import (
    BLOCKERS,
    CONNECTIVES,
    DETERMINERS,
    OPENERS,
    STARTS,
    SUBJECTS,
    SUBORDINATORS,
)

LEFT = 5
"""Words that a clause keeps on its left, at least."""

RIGHT = 4
"""Words that a clause keeps on its right, at least."""

PENDING = 9
"""Words after "si" or "quand" within which a clause start is the main clause and no new idea."""

OPENING, CLOSING = "(«[", ")»]"
TOKEN = re.compile(r"\w+|[^\w\s]")
INFINITIVE = re.compile(r"\w{2,}(?:er|ir|oir|dre|tre|ire)$", re.IGNORECASE)
AND = {"fr": "et", "en": "and"}
COORDINATORS = frozenset(("et", "mais", "donc", "and", "but", "so"))
BUT = {"fr": ("mais", "donc", "alors"), "en": ("but", "so")}


@dataclass(frozen=True, slots=True)
class Token:
    start: int
    word: str
    """In lower case."""
    number: int
    """Words before it."""


def clause_starts(sentence: str, language: Language) -> Iterator[int]:
    """Where the second and later clauses of a sentence begin, in code points."""
    tokens: list[Token] = []
    count = 0
    for match in TOKEN.finditer(sentence):
        tokens.append(Token(match.start(), match[0].lower(), count))
        count += match[0][0].isalnum()
    starts = {m.start() for m in STARTS[language].finditer(sentence)}
    connectives = {m.start() for m in CONNECTIVES[language].finditer(sentence)}
    listed = bool(tokens) and language == "fr" and bool(INFINITIVE.match(tokens[0].word))
    depth = first = nuclei = 0
    needed = _nuclei_needed(tokens, 0)
    awaited = -PENDING  # words before the last "si", "quand" whose main clause has not come yet
    for i, token in enumerate(tokens):
        depth = max(0, depth + (token.word in OPENING) - (token.word in CLOSING))
        room = token.number - tokens[first].number >= LEFT and count - token.number >= RIGHT
        if depth == 0 and i and room:
            bare = _begins(tokens, i, starts, language) and token.number - awaited >= PENDING
            item = listed and tokens[i - 1].word == "," and bool(INFINITIVE.match(token.word))
            if (token.start in connectives or bare or item) and nuclei >= needed:
                yield token.start
                first, nuclei, needed = i, 0, _nuclei_needed(tokens, i)
        nuclei += token.start in starts
        if token.word in SUBORDINATORS:
            awaited = token.number


def _begins(tokens: Sequence[Token], i: int, starts: set[int], language: Language) -> bool:
    """True if an independent clause begins with this token."""
    word = tokens[i].word
    following = tokens[i + 1].word if i + 1 < len(tokens) else ""
    before = tokens[i - 1].word
    if word == AND[language]:
        return following in SUBJECTS[language]
    if word in BUT[language]:
        return following in SUBJECTS[language] | DETERMINERS[language]
    if tokens[i].start in starts:
        return before not in BLOCKERS[language] and not (before in "'’" and len(before) == 1)
    return False


def _nuclei_needed(tokens: Sequence[Token], first: int) -> int:
    """Clauses that a piece must hold: "pour renouer le lien" alone waits for one, "si on veut" for two."""
    opener = next(
        (t.word for t in tokens[first : first + 3] if t.word not in COORDINATORS and t.word[0].isalnum()), ""
    )
    return 2 if opener in SUBORDINATORS else 1 if opener in OPENERS else 0
