"""The state of a review, and what every edit does to it alike: ledger, marks, approvals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from service.domain.draft import (
    Draft,
    DraftQuestion,
    Group,
    Section,
    Sentence,
    SentenceRef,
    Synthesis,
    Theme,
    ThemeSentence,
)
from service.domain.review.regroup import People
from service.domain.revision import MOST_CHARACTERS, GroupRef, Place, ThemeRef, Was
from service.domain.wording import ONE_SYNTHESIS
from service.errors import BadEdit, NotInDraft

Reason = Literal[
    "label_changed",
    "members_changed",
    "group_gone",
    "largest_changed",
    "sentence_changed",
    "support_changed",
    "support_gone",
    "opposed",
    "quantity",
]
"""label_changed: a label that it cites has new words; members_changed: verbatims came or went; group_gone: a group that it
cited is no more, another stands for it; largest_changed: it says that a group is the largest; sentence_changed and
support_changed: of the general synthesis, a sentence that it cites has new words, or was itself marked; support_gone: the
sentence that it cited is no more; opposed: groups of opposed sides were put under one label; quantity: it says "most" or the
like of too few."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """Why a text must be looked at again."""

    reason: Reason
    revision: int
    """Number of the revision that caused it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Touch:
    who: str
    at: str
    revision: int


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """The draft as it is now, and what people did to it."""

    draft: Draft
    marks: Mapping[Place, tuple[Mark, ...]] = field(default_factory=dict)
    touched: Mapping[Place, Touch] = field(default_factory=dict)
    """Texts that a person wrote or confirmed."""
    approved: Mapping[str, Touch] = field(default_factory=dict)
    """Question id → who approved it; joined questions are approved together."""
    whole: Touch | None = None
    """Who approved the draft as a whole."""

    def question(self, question_id: str) -> DraftQuestion:
        """Raises NotInDraft."""
        for q in self.draft.questions:
            if q.id == question_id:
                return q
        raise NotInDraft(
            f"question {question_id} does not exist in this draft",
            why="no_such_question",
            question=question_id,
        )

    def group(self, group_id: str) -> tuple[DraftQuestion, Group]:
        """Raises NotInDraft."""
        for q in self.draft.questions:
            for g in q.groups:
                if g.id == group_id:
                    return q, g
        raise NotInDraft(
            f"group {group_id} does not exist (any more) in this draft", why="no_such_group", group=group_id
        )

    def leader(self, question: DraftQuestion) -> DraftQuestion:
        """The question that carries the synthesis."""
        return self.question(question.synthesis.shared_with or question.id)

    def joined(self, question: DraftQuestion) -> tuple[DraftQuestion, ...]:
        """The questions of one synthesis, the one that carries it first."""
        first = self.leader(question)
        return (first, *(q for q in self.draft.questions if q.synthesis.shared_with == first.id))


Changed = tuple[State, tuple[Was, ...]]


def clean(text: str, what: str) -> str:
    """A person's text on one line without control characters. Raises BadEdit."""
    kept = "".join(c if c.isprintable() or c in "\u00a0\u202f" else " " for c in text)
    one_line = " ".join(part for part in kept.split(" ") if part).strip()
    if not one_line:
        raise BadEdit(
            f"{what} is empty: write at least one word, or undo the change that you want to take back",
            why="empty",
        )
    if len(one_line) > MOST_CHARACTERS:
        raise BadEdit(
            f"{what} has {len(one_line)} characters: {MOST_CHARACTERS} at most",
            why="too_long",
            characters=len(one_line),
            most=MOST_CHARACTERS,
        )
    return one_line


def with_questions(state: State, *questions: DraftQuestion) -> State:
    """The state with these questions in place of those of the same id, and the ledger counted again."""
    new = {q.id: q for q in questions}
    all_ = tuple(new.get(q.id, q) for q in state.draft.questions)
    return replace(state, draft=counted(replace(state.draft, questions=all_)))


def counted(draft: Draft) -> Draft:
    """The draft with the parts of the ledger that edits can change counted again."""
    placed = {v for q in draft.questions for g in q.groups if g.level == 1 for v in g.verbatim_ids}
    alone = {v for q in draft.questions for v in q.isolated}
    old = draft.ledger
    failures = tuple(
        f for f in old.failures if f.stage != "group" or (f.id not in placed and f.id not in alone)
    )
    labels = [g.label_support for q in draft.questions for g in q.groups]
    sentences = [s.supported for q in draft.questions for s in q.synthesis.sentences]
    sentences += [s.supported for t in draft.themes for part in t.sections for s in part.sentences]
    return replace(
        draft,
        ledger=replace(
            old,
            verbatims=replace(
                old.verbatims,
                grouped=len(placed),
                isolated=len(alone),
                failed=old.verbatims.total - len(placed) - len(alone),
            ),
            unsupported=sum(s is not None and not s.supported for s in labels) + sentences.count(False),
            failures=failures,
        ),
    )


def mark(state: State, places: Iterable[Place], reason: Reason, by: Touch) -> State:
    """The places marked, and the sentences of the general synthesis that cite those that are sentences."""
    marks = dict(state.marks)
    todo = list(dict.fromkeys(places))
    cited = {p for p in todo if isinstance(p, SentenceRef)}
    above: Reason = "sentence_changed" if reason == "sentence_changed" else "support_changed"
    added: list[tuple[Place, Reason]] = [(p, reason) for p in todo]
    added += [
        (at, above)
        for at, s in theme_sentences(state.draft)
        # one that only says that a synthesis stands for the general one holds whatever that synthesis says
        if cited & set(s.refs) and not any(s.text in said for said in ONE_SYNTHESIS.values())
    ]
    for place, why in added:
        if why not in {m.reason for m in marks.get(place, ())}:
            marks[place] = (*marks.get(place, ()), Mark(reason=why, revision=by.revision))
    return replace(state, marks=marks)


def theme_sentences(draft: Draft) -> list[tuple[ThemeRef, ThemeSentence]]:
    """Every sentence of the general synthesis with its place."""
    return [
        (ThemeRef(theme=t, section=p, sentence=k), s)
        for t, theme in enumerate(draft.themes)
        for p, part in enumerate(theme.sections)
        for k, s in enumerate(part.sentences)
    ]


def with_theme_sentences(draft: Draft, new: Mapping[ThemeRef, ThemeSentence]) -> Draft:
    def part(t: int, p: int, old: Section) -> Section:
        return replace(
            old,
            sentences=tuple(
                new.get(ThemeRef(theme=t, section=p, sentence=k), s) for k, s in enumerate(old.sentences)
            ),
        )

    def theme(t: int, old: Theme) -> Theme:
        return replace(old, sections=tuple(part(t, p, x) for p, x in enumerate(old.sections)))

    return replace(draft, themes=tuple(theme(t, x) for t, x in enumerate(draft.themes)))


def settled(state: State, place: Place, by: Touch) -> State:
    """A person wrote or confirmed the text of that place: its marks are off."""
    marks = {p: m for p, m in state.marks.items() if p != place}
    return replace(state, marks=marks, touched={**state.touched, place: by})


def reopened(state: State, question: DraftQuestion | None) -> State:
    """An edit takes the approval back: of the question and those joined with it, and of the draft as a whole."""
    inside = {q.id for q in state.joined(question)} if question else set()
    approved = {id_: touch for id_, touch in state.approved.items() if id_ not in inside}
    return replace(state, approved=approved, whole=None)


def citing(leader: DraftQuestion, group_ids: Iterable[str]) -> list[SentenceRef]:
    wanted = set(group_ids)
    return [
        SentenceRef(question_id=leader.id, sentence=k)
        for k, s in enumerate(leader.synthesis.sentences)
        if wanted & set(s.group_ids)
    ]


def sentence_at(state: State, at: SentenceRef) -> tuple[DraftQuestion, Sentence]:
    """Raises BadEdit, NotInDraft where there is no such question or sentence."""
    q = state.question(at.question_id)
    if q.synthesis.shared_with is not None:
        raise BadEdit(
            f"question {q.id} has no synthesis of its own: change that of {q.synthesis.shared_with}",
            why="shared_synthesis",
            question=q.id,
            leader=q.synthesis.shared_with,
        )
    if not 0 <= at.sentence < len(q.synthesis.sentences):
        raise NotInDraft(
            f"the synthesis of question {q.id} has no sentence {at.sentence + 1}", why="no_such_sentence"
        )
    return q, q.synthesis.sentences[at.sentence]


def cited_exists(joined: Sequence[DraftQuestion], s: Sentence) -> None:
    """Raises BadEdit."""
    groups = {g.id for q in joined for g in q.groups}
    alone = {v for q in joined for v in q.isolated}
    for id_ in s.group_ids:
        if id_ not in groups:
            raise BadEdit(
                f"the sentence cites group {id_}, which its question does not have",
                why="group_not_here",
                group=id_,
            )
    for id_ in s.verbatim_ids:
        if id_ not in alone:
            raise BadEdit(
                f"the sentence cites verbatim {id_}, which is no isolated voice of its question",
                why="voice_not_here",
                verbatim=id_,
            )
    if not (s.group_ids or s.verbatim_ids or s.closed_ids):
        raise BadEdit(
            "the sentence cites nothing: give at least one group or isolated voice that it rests on",
            why="cites_nothing",
        )


def recounted(s: Sentence, groups: Mapping[str, Group], people: People) -> Sentence:
    """The sentence with the respondents behind what it cites counted again; closed counts stay as they are."""
    if s.closed_ids:
        return s
    ids = [*(v for g in s.group_ids for v in groups[g].verbatim_ids), *s.verbatim_ids]
    n, by_category = people.count(ids)
    return replace(s, n_respondents=n, by_category=by_category)


def with_left_out(synthesis: Synthesis, joined: Sequence[DraftQuestion]) -> Synthesis:
    """The synthesis with the level-1 groups that none of its sentences cites, known ones first."""
    cited = {g for s in synthesis.sentences for g in s.group_ids}
    out = {
        g.id: None
        for q in joined
        for g in q.groups
        if g.level == 1 and g.id not in cited and g.parent not in cited
    }
    known = [g for g in synthesis.left_out if g in out]
    return replace(synthesis, left_out=tuple(dict.fromkeys([*known, *sorted(out)])))


def name(at: Place) -> str:
    match at:
        case GroupRef():
            return at.group_id
        case SentenceRef():
            return f"{at.question_id}#{at.sentence}"
        case ThemeRef():
            return f"theme#{at.theme}.{at.section}.{at.sentence}"


CITES = " cites"
"""After the name of a sentence: what it cites, ids with spaces between."""


UNDER = " under"
"""After the id of a level-1 group: the level-2 group that it is in."""


def values(state: State, ids: Iterable[str]) -> tuple[Was, ...]:
    """Texts of labels and sentences, citations, and groups of verbatims, by the ids that `Was` has."""
    wanted = list(ids)
    found: dict[str, str] = {name(at): s.text for at, s in theme_sentences(state.draft)}
    for q in state.draft.questions:
        for k, s in enumerate(q.synthesis.sentences):
            at = name(SentenceRef(question_id=q.id, sentence=k))
            found[at] = s.text
            found[at + CITES] = " ".join((*s.group_ids, *s.verbatim_ids))
        for g in q.groups:
            found[g.id] = g.label
            if g.level == 1:
                found[g.id + UNDER] = g.parent or ""
                found |= dict.fromkeys(set(wanted) & set(g.verbatim_ids), g.id)
    return tuple(Was(id=id_, value=found.get(id_, "")) for id_ in wanted)
