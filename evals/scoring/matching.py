"""Which human sentence does which of ours cover? One-to-one by meaning and words, never across a contradiction."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from evals.scoring.contradiction import contradicts
from service.domain.round import Language
from service.domain.wordform import stems
from service.stages.check import Encode

THRESHOLDS: dict[Language, float] = {"fr": 0.55, "en": 0.45}
"""Likeness from which two sentences say the same, read off pairs that people matched (`python -m evals.calibrate`): the best F1
in French; in English, where the pairs are long arguments and their key points, what takes under 4 % of the other pairs for one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    human: int
    ours: int
    likeness: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Matching:
    matches: tuple[Match, ...]
    """One-to-one, best first."""
    contradictions: tuple[tuple[int, int], ...]
    """(human, ours) alike enough to be a match, and of contrary sense."""


def likeness(
    one: Sequence[str], other: Sequence[str], encode: Encode, about: str = ""
) -> NDArray[np.float64]:
    """Shape (len(one), len(other)), 0 to 1: half cosine of the encoder, half Dice coefficient of the sets of content-word stems.

    about: the question that both answer. Its words are no sign that two answers to it say the same, so they don't count.
    Both together separate label pairs that two careful readers gave to the same answers better than either, and without the
    question's words better than with them (`python -m evals.calibrate`).
    """
    if not one or not other:
        return np.zeros((len(one), len(other)))
    cosine = np.clip(encode(list(one)) @ encode(list(other)).T, 0, 1).astype(np.float64)
    asked = frozenset(stems(about))
    sets_ = [_own(t, asked) for t in one], [_own(t, asked) for t in other]
    dice = np.array([[2 * len(a & b) / max(1, len(a) + len(b)) for b in sets_[1]] for a in sets_[0]])
    both: NDArray[np.float64] = (cosine + dice) / 2
    return both


def _own(text: str, asked: frozenset[str]) -> frozenset[str]:
    """Stems of a text that its question does not have; all of them where it has no others."""
    own = frozenset(stems(text))
    return own - asked or own


def match(
    human: Sequence[str], ours: Sequence[str], encode: Encode, language: Language, *, about: str
) -> Matching:
    """Best one-to-one assignment (Kuhn 1955, as scipy solves it) of pairs at or above the threshold.

    A pair that contradicts is no match whatever its likeness, so a negated sentence covers nothing.
    """
    alike = likeness(human, ours, encode, about)
    threshold = THRESHOLDS[language]
    contrary: list[tuple[int, int]] = []
    for i, j in zip(*np.nonzero(alike >= threshold), strict=True):
        if contradicts(human[i], ours[j]):
            contrary.append((int(i), int(j)))
            alike[i, j] = 0.0
    worth = np.where(alike >= threshold, alike, 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    matches = [
        Match(human=int(i), ours=int(j), likeness=round(float(worth[i, j]), 4))
        for i, j in zip(rows, columns, strict=True)
        if worth[i, j] > 0
    ]
    return Matching(
        matches=tuple(sorted(matches, key=lambda m: (-m.likeness, m.human))), contradictions=tuple(contrary)
    )
