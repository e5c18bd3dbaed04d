"""Revisions: what people change in a draft, as records that are only ever appended.

The draft itself is never changed. `service.domain.review` replays the revisions over it.
"""

from dataclasses import dataclass
from typing import Literal

from service.domain.draft import SentenceRef, Synthesis

MOST_CHARACTERS = 4_000
"""Characters of a label or of a sentence that a person writes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRef:
    """The label of a group."""

    group_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ThemeRef:
    """A sentence of the general synthesis, by positions from 0."""

    theme: int
    section: int
    sentence: int


Place = GroupRef | SentenceRef | ThemeRef
"""Where a text stands: a label, a sentence of a question's synthesis, or one of the general synthesis."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetLabel:
    group_id: str
    text: str
    kind: Literal["set_label"] = "set_label"


@dataclass(frozen=True, kw_only=True, slots=True)
class SetSentence:
    """A new text and, for a sentence of a question, where given, new citations."""

    at: SentenceRef | ThemeRef
    text: str
    group_ids: tuple[str, ...] | None = None
    """None: the sentence keeps the groups that it cites."""
    verbatim_ids: tuple[str, ...] | None = None
    """Isolated voices; None: the sentence keeps those that it cites."""
    kind: Literal["set_sentence"] = "set_sentence"


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoveSentence:
    """Groups that nothing else cites are listed as left out."""

    at: SentenceRef
    kind: Literal["remove_sentence"] = "remove_sentence"


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveVerbatims:
    verbatim_ids: tuple[str, ...]
    """Of one question; grouped, isolated or failed until now."""
    to: str | None
    """A level-1 group of that question; None: each becomes an isolated voice."""
    kind: Literal["move_verbatims"] = "move_verbatims"


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveGroups:
    """Level-1 groups go, with their verbatims, under another level-2 group; one that is left empty disappears."""

    group_ids: tuple[str, ...]
    """Level-1 groups of one question."""
    to: str | None
    """A level-2 group of that question; None: a new one, `<question id>.p<revision>`."""
    label: str | None = None
    """Of the new level-2 group; else the label of `to` stays."""
    kind: Literal["move_groups"] = "move_groups"


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeGroups:
    """All verbatims (at level 2: all groups) go to `into`; the others disappear and what cited them cites `into`."""

    group_ids: tuple[str, ...]
    into: str
    label: str | None = None
    """None: the label of `into` stays."""
    kind: Literal["merge_groups"] = "merge_groups"


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitGroup:
    """Some verbatims of a level-1 group become a group of their own, `<question id>.n<revision>`."""

    group_id: str
    verbatim_ids: tuple[str, ...]
    label: str
    kind: Literal["split_group"] = "split_group"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewGroup:
    """Verbatims of any places of one question become a group, `<question id>.n<revision>`."""

    question_id: str
    verbatim_ids: tuple[str, ...]
    label: str
    parent: str | None = None
    """A level-2 group of that question; None: one of its own, `<question id>.p<revision>`, of the same label."""
    kind: Literal["new_group"] = "new_group"


@dataclass(frozen=True, kw_only=True, slots=True)
class Redraft:
    """A synthesis written again from the corrected labels; people's sentences that were kept are in it."""

    question_id: str
    synthesis: Synthesis
    llm: str
    """What wrote it: `extractive`, or the model's spec."""
    kind: Literal["redraft"] = "redraft"


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirm:
    """A person looked at a marked or doubtful text and says that it holds."""

    at: Place
    kind: Literal["confirm"] = "confirm"


@dataclass(frozen=True, kw_only=True, slots=True)
class Approve:
    question_id: str | None = None
    """None: the whole draft, every question included."""
    kind: Literal["approve"] = "approve"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unapprove:
    question_id: str | None = None
    """None: the draft as a whole; the questions keep their approval."""
    kind: Literal["unapprove"] = "unapprove"


@dataclass(frozen=True, kw_only=True, slots=True)
class Undo:
    revision: int | None = None
    """Number of the revision that no longer counts; None: the last one that does. An undo can itself be undone."""
    kind: Literal["undo"] = "undo"


Edit = (
    SetLabel
    | SetSentence
    | RemoveSentence
    | MoveVerbatims
    | MoveGroups
    | MergeGroups
    | SplitGroup
    | NewGroup
    | Redraft
    | Confirm
    | Approve
    | Unapprove
    | Undo
)
"""Told apart by `kind` in JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Was:
    """One thing as it was before a revision, or after it."""

    id: str
    """Of a group, a verbatim or a question; `<question id>#<sentence>` or `theme#<theme>.<section>.<sentence>`; with
    ` cites` behind it what a sentence cites, with ` under` the level-2 group of a group."""
    value: str
    """A text; for a verbatim or a group that was moved the id of where it is, empty where it is nowhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    number: int
    """From 1 without gaps; the version of the draft after it."""
    who: str
    """Name of the API key that signed in."""
    at: str
    """UTC, ISO 8601."""
    edit: Edit
    before: tuple[Was, ...] = ()
    after: tuple[Was, ...] = ()
    """The same things after it; what is no more has an empty value."""
