"""Evidence: how well the texts that a label or sentence cites carry it, against the background of what everybody wrote.

A word that everybody uses and a direction that every vector has tell nothing: words count by their rarity in the question, vectors
after the question's mean is taken off. `python -m evals.support` measures it against people's matches.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.domain.steps import Topic
from service.domain.wordform import words
from service.stages.check import SMALL, STEM, Encode, turned

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
class Found:
    """What the evidence says of a text and what it cites."""

    score: float
    """Of all that is cited together."""
    each: tuple[float, ...]
    """Of each citation alone; empty where there is one."""
    turned: str | None
    """A negation that does not match, as a reason."""

    @property
    def sure(self) -> bool:
        return self.score >= SURE and min(self.each, default=1.0) >= SAID and self.turned is None

    @property
    def hopeless(self) -> bool:
        return min(self.score, *self.each) < HARDLY if self.each else self.score < HARDLY

    @property
    def likely(self) -> bool:
        return self.score >= SUPPORTED and min(self.each, default=1.0) >= IDLE and self.turned is None


class Evidence:
    def __init__(self, background: Sequence[str], encode: Encode) -> None:
        """background: what is written about the same matter; empty = every word counts the same, no mean is taken off."""
        texts = sorted(set(background))[:: max(1, len(set(background)) // MOST_BACKGROUND)]
        self._encode = encode
        self._n = len(texts)
        self._seen = Counter(stem for t in texts for stem in set(_stems(t)))
        self._mean = (
            encode(texts).mean(axis=0) * len(texts) / (len(texts) + SMOOTH)
            if texts
            else np.zeros(1, dtype=np.float32)
        )

    def score(self, text: str, sources: Sequence[str]) -> float:
        """How well sources carry a text, 0 to 1: half the weighted share of its words that they have, half its greatest centred
        cosine to one of them or to all."""
        if not sources:
            return 0.0
        known = {stem for s in sources for stem in _stems(s)}
        said = _stems(text)
        total = sum(map(self._weight, said))
        lexical = sum(self._weight(stem) for stem in said if stem in known) / total if total else 0.0
        rows = self._encode([text, *sources]) - self._mean
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        whole = rows[1:].sum(axis=0)
        together = float(rows[0] @ whole) / max(float(np.linalg.norm(whole)), 1e-9)
        return round(0.5 * lexical + 0.5 * max(0.0, float((rows[1:] @ rows[0]).max()), together), 4)

    def found(self, text: str, citations: Sequence[Sequence[str]]) -> Found:
        """citations: the texts of each thing cited."""
        sources = [s for one in citations for s in one]
        return Found(
            score=self.score(text, sources),
            each=tuple(self.each(text, citations)) if len(citations) > 1 else (),
            turned=turned(text, sources),
        )

    def each(self, text: str, citations: Sequence[Sequence[str]]) -> list[float]:
        """The same for each citation alone, by the clause of the text that fits it best: a sentence that cites one thing it does
        not say beside one that it says has a low score among them."""
        clauses = [text, *(c for c in CLAUSE.split(text) if len(_stems(c)) >= 2)]
        return [max(self.score(clause, sources) for clause in clauses) for sources in citations]

    def _weight(self, stem: str) -> float:
        return float(np.log((self._n + SMOOTH) / (self._seen[stem] + 2)))


def evidence_of(topics: Sequence[Topic], encode: Encode) -> Evidence:
    """With the verbatims of one question, or of joined ones, as background."""
    return Evidence([v.text for t in topics for v in t.verbatims], encode)


def _stems(text: str) -> list[str]:
    return [w[:STEM] for w in words(text) if w not in SMALL]
