"""A bench is a suite over one reference set: cases, who drafts them, and how a draft is scored. No effects but reading the set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evals.scoring.texts import Compared
from evals.suites.desk import Desk
from service.domain.round import Language

__all__ = ["Bench", "Case", "Desk", "Draft", "Made", "Score", "limited"]

Made = Mapping[str, Any]
"""What a drafter made of one case, as JSON: kept in the log, scored again without being made again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One question or unit: what figures are averaged and intervals drawn over."""

    id: str
    title: str
    language: Language
    data: Any
    """Typed input of the bench's drafters."""
    gold: Any
    """What people made of it."""


Draft = Callable[[Case, Desk], Made]
Score = Callable[[Case, Made, Desk], Compared]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    suite: str
    set: str
    """Name of the reference set, with its form or draw."""
    language: Language
    sha256: str
    """Of the reference set's files."""
    cases: tuple[Case, ...]
    drafters: Mapping[str, Draft]
    """By name: `draft` is ours (with the run's model or without), `human` a ceiling, the others are floors."""
    score: Score
    stated: Mapping[str, str] = field(default_factory=dict)
    """What a reader must know of the set's figures: ceiling missing, development figure, drawn."""
    uses_model: bool = True
    """Whether `draft` may ask the chat model."""

    @property
    def name(self) -> str:
        return f"{self.suite}/{self.set}"


def limited(cases: Sequence[Case], most: int | None) -> tuple[Case, ...]:
    """The first cases, evenly spread over the set, so that a short run still sees all of it."""
    if most is None or len(cases) <= most:
        return tuple(cases)
    return tuple(cases[k * len(cases) // most] for k in range(most))
