"""A round as it was read: questions, panel, answers. Nothing here is ever changed after reading."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["fr", "en"]
Unit = Literal["respondent", "organisation"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    id: str
    """Identifier in the input: a column name or the `question_id` of the long form."""
    title: str
    """Full text of the question; the id where the input gives no text."""
    kind: Literal["open", "closed"] = "open"
    joined_with: tuple[str, ...] = ()
    """Ids of the open questions that share one synthesis with this one; symmetric, without this id."""
    closed_part_of: str | None = None
    """For a closed question: id of the open question whose synthesis tells its counts."""
    options: tuple[str, ...] = ()
    """For a closed question: its options in the order in which they are shown."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """For a closed question: respondents by option, given by the sidecar or counted from the answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    id: str
    """Stable whatever the row order: `question:respondent`, or a hash of the text where nobody is named."""
    question_id: str
    text: str
    """What was written, code point for code point."""
    respondent_id: str | None = None
    """None where the input names no respondents: then each answer counts as one respondent."""
    category: str | None = None
    """Category of the respondent in the panel."""
    row: int | None = None
    """1-based row in the input, header included, for messages."""

    @property
    def voice(self) -> str:
        """Who counts as one respondent."""
        return self.respondent_id or self.id


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelRow:
    category: str
    responded: int
    """Distinct respondents of this category with at least one answer that is not blank."""
    consulted: int | None = None
    """Respondents asked, where the sidecar says so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    id: str
    title: str
    language: Language
    unit: Unit = "respondent"
    """What a respondent is called in deliverables."""
    note: str | None = None
    """A remark of the round's owner that every deliverable repeats, such as "invented data"."""
    questions: tuple[Question, ...]
    answers: tuple[Answer, ...]
    """Answers to open and closed questions, sorted by question order then id; blank cells included."""
    panel: tuple[PanelRow, ...] = ()
    n_respondents: int
    """Distinct respondents with at least one answer that is not blank."""

    def question(self, question_id: str) -> Question:
        """The question of that id. Raises KeyError."""
        for question in self.questions:
            if question.id == question_id:
                return question
        raise KeyError(question_id)

    @property
    def open_questions(self) -> tuple[Question, ...]:
        return tuple(q for q in self.questions if q.kind == "open")

    def answers_to(self, question_id: str) -> tuple[Answer, ...]:
        return tuple(a for a in self.answers if a.question_id == question_id)


def by_category(answers: tuple[Answer, ...]) -> dict[str, int]:
    """Distinct respondents by category, most first, then by name; respondents without one are left out."""
    voices = {a.voice: a.category for a in answers if a.category is not None}
    return dict(sorted(Counter(voices.values()).items(), key=lambda item: (-item[1], item[0])))
