"""What differs between two drafts: of two rounds, or of one round drafted twice. Records only."""

from dataclasses import dataclass
from typing import Literal

from service.domain.round import Language, Unit

Change = Literal["new", "grown", "steady", "shrunk", "gone"]

CHANGES: tuple[Change, ...] = ("new", "grown", "shrunk", "gone", "steady")
"""In the order in which they are told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """A group or a theme in one of the two drafts."""

    id: str
    text: str
    """Its label or title."""
    n: int
    """Respondents behind it."""
    of: int
    """Respondents whose answer to the question (for a theme: to any question) has content."""

    @property
    def share(self) -> float:
        """0 to 1; 0 where nobody answered."""
        return self.n / self.of if self.of else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Nearest:
    """What an unmatched group or theme is nearest to on the other side: part of it may have gone there."""

    id: str
    text: str
    likeness: float
    taken: bool
    """Whether that one is matched with another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One group or theme, or a matched pair of them. At least one of before and after is there."""

    change: Change
    before: Side | None = None
    after: Side | None = None
    likeness: float | None = None
    """Of the pair, in meaning: cosine, at most 1."""
    shared: int | None = None
    """Verbatims of the same answers that both hold; None for drafts of different rounds."""
    doubtful: bool = False
    """Whether another match would have been nearly as good."""
    nearest: Nearest | None = None
    low: float
    """Change of the share, lower end of its 95 % interval; for drafts of one round the change itself."""
    high: float

    @property
    def difference(self) -> float:
        """Change of the share, -1 to 1."""
        return (self.after.share if self.after else 0.0) - (self.before.share if self.before else 0.0)

    @property
    def clear(self) -> bool:
        """Whether the change is larger than chance alone makes it."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionComparison:
    before_id: str
    after_id: str
    title: str
    """As the newer draft asks it."""
    reworded: str | None = None
    """As the older draft asked it, where that differs."""
    n_before: int
    """Respondents whose answer has content."""
    n_after: int
    moves: tuple[Move, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One of the two drafts."""

    id: str
    title: str
    created_at: str
    n_respondents: int
    llm: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    schema: str = "polyphonie.comparison/1"
    language: Language
    unit: Unit
    before: Compared
    after: Compared
    same_round: bool
    """Whether both drafts rest on the same answers; then no difference comes from what people said."""
    encoder: str
    themes: tuple[Move, ...]
    questions: tuple[QuestionComparison, ...]
    only_before: tuple[str, ...] = ()
    """Titles of open questions that only one draft has."""
    only_after: tuple[str, ...] = ()
