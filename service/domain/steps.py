"""What each stage returns: what it did, and what it skipped with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from service.domain.draft import Failure, Group, Isolated, Synthesis, Theme, Verbatim
from service.domain.round import Answer, Language, Question, Unit

NoContentReason = Literal["empty", "nothing_said", "not_concerned", "no_opinion", "refers", "same_as_above"]
"""empty: blank cell; nothing_said: RAS, "-"; not_concerned: sans objet, N/A; no_opinion: NSP, je ne sais pas;
refers: cf. question 3; same_as_above: idem."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoContent:
    answer_id: str
    reason: NoContentReason
    see: str | None = None
    """Id of the question that the answer refers to, where it names one that exists."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Duplicate:
    answer_id: str
    of: str
    """Id of the answer that is kept for both: the first by id."""
    kind: Literal["exact", "near", "campaign"]
    """exact: same text but for case, accents, spaces and punctuation; near: a few letters or words differ;
    campaign: exact or near, long, and sent by at least three respondents."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """Every answer of one question in exactly one of the four."""

    kept: tuple[Answer, ...]
    no_content: tuple[NoContent, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Segmented:
    """Every kept answer has at least one verbatim or one failure."""

    verbatims: tuple[Verbatim, ...]
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Grouped:
    """Every verbatim of one question in exactly one level-1 group, isolated, or failed."""

    groups: tuple[Group, ...]
    """Level 1 and level 2, each largest first; every level-1 group has a parent."""
    isolated: tuple[Isolated, ...]
    """Most isolated first."""
    map: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Place of each verbatim that did not fail, as in DraftQuestion."""
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """What the label and synthesis stages know of one question (or of one of a joined pair)."""

    question: Question
    language: Language
    unit: Unit
    verbatims: tuple[Verbatim, ...]
    groups: tuple[Group, ...]
    isolated: tuple[Isolated, ...] = ()
    voices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Verbatim id → the respondents behind it: its answer's, then those of the answer's duplicates."""
    categories: Mapping[str, str] = field(default_factory=dict)
    """Respondent → category."""
    n_respondents: int = 0
    """Distinct respondents whose answer to this question has content, those of duplicates included."""
    closed: Question | None = None
    """The question's closed part, with its counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenTheme:
    """A theme of the general synthesis that people asked for, instead of one that is found."""

    title: str
    description: str = ""
    """What belongs to it, in words; compared by meaning with the synthesis sentences."""
    question_ids: tuple[str, ...] = ()
    """Questions that belong to it whatever their sentences say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    groups: tuple[Group, ...]
    """The same groups in the same order, each with its label."""
    fallbacks: int = 0
    failures: tuple[Failure, ...] = ()
    """Model replies that were refused, each with the reason; the extractive label stands in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Revised:
    """One round of revision by a chat model."""

    topic: Topic
    """Groups whose members changed have no label."""
    moved: int = 0
    """Verbatims that are no longer with those they were with."""
    settled: bool = True
    """Whether so little moved that another round is not worth its calls."""
    upset: frozenset[str] = frozenset()
    """Groups that changed so much that another round should look at them."""
    dropped: int = 0
    """Changes left out because they would have put opposed positions together."""
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """The groups of a question as they will stand in the draft: labelled, and with a chat model revised and told apart."""

    topic: Topic
    moved: int = 0
    """Verbatims that a chat model moved, all rounds together."""
    unrevised: tuple[tuple[str, ...], ...] = ()
    """Level-1 groups before the revision, where there was one."""
    fallbacks: int = 0
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Synthesised:
    synthesis: Synthesis
    fallbacks: int = 0
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Themed:
    themes: tuple[Theme, ...]
    fallbacks: int = 0
    failures: tuple[Failure, ...] = ()
