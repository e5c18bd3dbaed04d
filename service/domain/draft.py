"""The draft: the immutable result of one run over one round with one configuration.

The records are the shape of `draft.json` (schema `polyphonie.draft/1`); stages build them step by step.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from service.domain.round import Language, PanelRow, Unit

SCHEMA = "polyphonie.draft/1"

Stance = Literal["for", "against", "mixed", "neither"]
Origin = Literal["extractive", "model", "person"]
AnswerState = Literal["with_content", "no_content", "duplicate", "failed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verbatim:
    id: str
    """`<answer id>.<k>`, k from 1 in reading order."""
    answer_id: str
    respondent_id: str | None = None
    category: str | None = None
    start: int
    """First code point of the idea in the stored answer."""
    end: int
    """One past its last code point: `quote == answer[start:end]`."""
    quote: str
    text: str
    """The idea with its wording simplified and its examples removed; what is embedded and labelled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Support:
    """How well a label or sentence is carried by what it cites."""

    supported: bool
    score: float
    """0 to 1; what is measured is named in docs/checks.md."""
    origin: Origin
    note: str | None = None
    """Why a text was replaced or is shown as unsupported, in the round's language."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    id: str
    """`<question id>.g<k>` at level 1, `<question id>.r<k>` at level 2, largest first."""
    level: Literal[1, 2]
    parent: str | None = None
    """At level 1: id of the level-2 group that holds it."""
    verbatim_ids: tuple[str, ...]
    label: str = ""
    """One sentence that states the position; empty until the label stage."""
    stance: Stance | None = None
    n_respondents: int
    """Distinct respondents, those of duplicates of its verbatims' answers included."""
    by_category: Mapping[str, int] = field(default_factory=dict)
    exemplar_ids: tuple[str, ...] = ()
    """Verbatims that show the group best, most central first."""
    label_support: Support | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Isolated:
    """A verbatim that belongs to no group."""

    verbatim_id: str
    score: float
    """0 (could have been grouped) to 1 (far from everything): what an analyst sorts by."""
    near: tuple[str, ...] = ()
    """Ids of the level-1 groups it is nearest to, nearest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    text: str
    group_ids: tuple[str, ...] = ()
    """Groups of either level that the sentence rests on; an isolated voice is cited in verbatim_ids."""
    verbatim_ids: tuple[str, ...] = ()
    """Isolated voices that the sentence rests on."""
    closed_ids: tuple[str, ...] = ()
    """Closed questions whose counts the sentence tells."""
    supported: bool = True
    note: str | None = None
    origin: Origin = "extractive"
    n_respondents: int | None = None
    """Distinct respondents behind what is cited; computed, never written by a model."""
    by_category: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Synthesis:
    sentences: tuple[Sentence, ...] = ()
    paragraphs: tuple[tuple[int, ...], ...] = ()
    """Indexes into `sentences`: every sentence in exactly one paragraph, in reading order."""
    shared_with: str | None = None
    """Id of the question that carries the synthesis of a joined pair; then there are no sentences here."""
    left_out: tuple[str, ...] = ()
    """Level-1 groups that no sentence cites, listed so that nothing is silent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SentenceRef:
    question_id: str
    sentence: int
    """Index into that question's synthesis sentences."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ThemeSentence:
    text: str
    refs: tuple[SentenceRef, ...]
    supported: bool = True
    note: str | None = None
    origin: Origin = "extractive"


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    heading: str | None
    sentences: tuple[ThemeSentence, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Theme:
    title: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftAnswer:
    """An open answer and the one state it ended in."""

    id: str
    respondent_id: str | None = None
    category: str | None = None
    text: str
    state: AnswerState
    reason: str | None = None
    """Why there is no content ("empty", "nothing_said", "refers", …), kind of duplicate, or the failure."""
    of: str | None = None
    """For a duplicate: the answer that stands for it. For "see question N": that question's id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftQuestion:
    id: str
    title: str
    kind: Literal["open", "closed"] = "open"
    joined_with: tuple[str, ...] = ()
    closed_counts: Mapping[str, int] | None = None
    """Respondents by option: of the question itself if closed, of its closed part if open."""
    closed_title: str | None = None
    """Text of the closed part, where an open question has one."""
    answers: tuple[DraftAnswer, ...] = ()
    verbatims: tuple[Verbatim, ...] = ()
    groups: tuple[Group, ...] = ()
    isolated: tuple[str, ...] = ()
    """Ids of the isolated voices, the most isolated first."""
    isolation: tuple[Isolated, ...] = ()
    """The same with score and nearest groups, in the same order."""
    unrevised: tuple[tuple[str, ...], ...] = ()
    """Verbatims of the level-1 groups as vectors made them, before a chat model revised them; empty where none did."""
    map: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Verbatim → its place (x, y) in a flat view of the question, each from -1 to 1; near is alike, as far as two axes can tell."""
    n_respondents: int = 0
    """Distinct respondents whose answer has content, those of duplicates included."""
    synthesis: Synthesis = field(default_factory=Synthesis)


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    id: str
    """Of an answer, a verbatim, a group, or a question for its synthesis."""
    stage: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspect:
    """An answer that looks like an order to a machine, or carries what could deceive one. Kept and listed, never dropped."""

    answer_id: str
    ways: tuple[str, ...]
    """In which ways, from `service.domain.orders.Way`."""
    verbatim_ids: tuple[str, ...] = ()
    """Its ideas that no label and no synthesis may rest on; they are isolated voices."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerCounts:
    total: int
    with_content: int
    no_content: int
    duplicate: int
    failed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class VerbatimCounts:
    total: int
    grouped: int
    isolated: int
    failed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """Where every open answer and every verbatim ended; both rows add up to their total."""

    answers: AnswerCounts
    verbatims: VerbatimCounts
    closed_answers: int = 0
    """Answers to closed questions, counted apart."""
    moved: int = 0
    """Verbatims that a chat model moved to another group, or in or out of one, when it revised the groups."""
    fallbacks: int = 0
    """Labels and sentences for which a model's text was refused and the extractive one is shown."""
    unsupported: int = 0
    """Labels and sentences shown as unsupported."""
    failures: tuple[Failure, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    """Answers that look like orders, in the order of the answers."""
    masked: Mapping[str, int] = field(default_factory=dict)
    """Kind of personal data → how many different ones were replaced by placeholders in what the model was sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptRef:
    name: str
    version: int
    language: Language
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    input: int = 0
    output: int = 0
    cached: int = 0
    """Tokens of replies taken from the cache: paid in an earlier run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    code: str
    """Version of Polyphonie."""
    encoder: str
    """`name@revision`."""
    llm: str
    """`extractive`, or the model's spec."""
    prompts: tuple[PromptRef, ...] = ()
    parameters: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    tokens: Tokens = field(default_factory=Tokens)
    calls: int = 0
    """Model calls made in this run, cached replies not counted."""
    cost: float | None = None
    """In the currency of the price setting; None where no price is set."""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftRound:
    id: str
    title: str
    language: Language
    unit: Unit
    note: str | None = None
    n_respondents: int
    panel: tuple[PanelRow, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    schema: str = SCHEMA
    id: str
    """Hash of the round and the configuration: the same in, the same id."""
    created_at: str
    """UTC, ISO 8601."""
    round: DraftRound
    provenance: Provenance
    ledger: Ledger
    questions: tuple[DraftQuestion, ...]
    themes: tuple[Theme, ...] = ()
