"""Evidence: how well the texts that a label or sentence cites carry it, against the background of what everybody wrote.

A word that everybody uses and a direction that every vector has tell nothing: words count by their rarity in the question, vectors
after the question's mean is taken off. `python -m evals.support` measures it against people's matches.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.domain.steps import Topic
from service.domain.wordform import stems
from service.stages.check import Encode, turned

HARDLY = 0.10
"""Score below which nothing makes a text or a citation pass: 1 in 100 of people's matches are there."""

SUPPORTED = 0.28
"""Score from which a text counts as carried where no second opinion is to be had: the best mean of both kinds of error."""

SURE = 0.48
"""Score from which no second opinion is asked for: 5 in 100 of people's non-matches are above."""

IDLE, SAID = 0.35, 0.52
"""The same two for each citation of a sentence that has several: it is by the clause that fits it best, so higher."""

MOST_BACKGROUND = 2000
"""Texts that the background is made of at most."""

SMOOTH = 20
"""Texts that a background must have before it weighs as much as what it is compared with."""

CLAUSE = re.compile(r"\s*[,;:]\s+|\s+(?:et|mais|tandis que|alors que|d['’]autres|and|but|while|others)\s+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cited:
    """One thing that a text cites."""

    head: str = ""
    """Its label or sentence; empty where the text is its label."""
    verbatims: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.head, *self.verbatims) if self.head else self.verbatims


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What the evidence says of a text and what it cites."""

    score: float
    """Of all that is cited together."""
    each: tuple[float, ...]
    """Of each citation alone; empty where there is one."""
    shared: float
    """Of the citation of which one voice alone says most of the text, without that voice; 1 where all say the same."""
    turned: str | None
    """A negation that does not match, as a reason."""

    @property
    def sure(self) -> bool:
        return (
            self.score >= SURE
            and min(self.each, default=1.0) >= SAID
            and not self.lone
            and self.turned is None
        )

    @property
    def hopeless(self) -> bool:
        return min((self.score, *self.each)) < HARDLY or self.lone

    @property
    def likely(self) -> bool:
        return (
            self.score >= SUPPORTED
            and min(self.each, default=1.0) >= IDLE
            and not self.lone
            and self.turned is None
        )

    @property
    def lone(self) -> bool:
        """One voice says it and the rest of its group does not: no text of that group, whatever the voice demands."""
        return self.shared < HARDLY


class Evidence:
    def __init__(self, background: Sequence[str], encode: Encode) -> None:
        """background: what is written about the same matter; empty = every word counts the same, no mean is taken off."""
        texts = sorted(set(background))[:: max(1, len(set(background)) // MOST_BACKGROUND)]
        self._encode = encode
        self._n = len(texts)
        self._seen = Counter(stem for t in texts for stem in set(stems(t)))
        self._mean = (
            encode(texts).mean(axis=0) * len(texts) / (len(texts) + SMOOTH)
            if texts
            else np.zeros(1, dtype=np.float32)
        )

    def score(self, text: str, sources: Sequence[str]) -> float:
        """How well sources carry a text, 0 to 1: half the weighted share of its words that they have, half its greatest centred
        cosine to one of them or to all."""
        return self._score(*self._seen_as([text, *sources])) if sources else 0.0

    def shared(self, text: str, voices: Sequence[str], head: str = "") -> float:
        """How well a text, or the clause of it that fits best, is carried without the voice that carries the text most, all its
        copies included: low where one alone says it. Where all say the same, 1.

        voices: verbatims of a group; head: its label, which stays.
        """
        clauses = _clauses(text)
        said, rows = self._seen_as([*clauses, *voices, *([head] if head else [])])
        n = len(clauses)
        at = range(n, n + len(voices))
        best = max(at, key=lambda i: self._score([said[0], said[i]], rows[[0, i]]), default=0)
        others = [i for i in at if said[i] != said[best]]
        if not others:
            return 1.0
        kept = [*others, *range(n + len(voices), len(said))]
        return max(self._score([said[i] for i in (c, *kept)], rows[[c, *kept]]) for c in range(n))

    def _seen_as(self, texts: Sequence[str]) -> tuple[list[list[str]], NDArray[np.float32]]:
        """Stems and centred vectors of texts."""
        rows = self._encode(texts) - self._mean
        return list(map(stems, texts)), rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    def _score(self, said: Sequence[Sequence[str]], rows: NDArray[np.float32]) -> float:
        """Of the first by the others."""
        known = {stem for one in said[1:] for stem in one}
        total = sum(map(self._weight, said[0]))
        lexical = sum(self._weight(stem) for stem in said[0] if stem in known) / total if total else 0.0
        whole = rows[1:].sum(axis=0)
        together = float(rows[0] @ whole) / max(float(np.linalg.norm(whole)), 1e-9)
        return round(0.5 * lexical + 0.5 * max(0.0, float((rows[1:] @ rows[0]).max()), together), 4)

    def found(self, text: str, cited: Sequence[Cited]) -> Found:
        return Found(
            score=self.score(text, [s for one in cited for s in one.texts]),
            each=tuple(self.each(text, [one.texts for one in cited])) if len(cited) > 1 else (),
            shared=min((self.shared(text, one.verbatims, one.head) for one in cited), default=1.0),
            turned=turned(text, [s for one in cited for s in one.texts]),
        )

    def each(self, text: str, citations: Sequence[Sequence[str]]) -> list[float]:
        """The same for each citation alone, by the clause of the text that fits it best: a sentence that cites one thing it does
        not say beside one that it says has a low score among them."""
        return [max(self.score(clause, sources) for clause in _clauses(text)) for sources in citations]

    def _weight(self, stem: str) -> float:
        return float(np.log((self._n + SMOOTH) / (self._seen[stem] + 2)))


def evidence_of(topics: Sequence[Topic], encode: Encode) -> Evidence:
    """With the verbatims of one question, or of joined ones, as background."""
    return Evidence([v.text for t in topics for v in t.verbatims], encode)


def _clauses(text: str) -> list[str]:
    return [text, *(c for c in CLAUSE.split(text) if len(stems(c)) >= 2)]
