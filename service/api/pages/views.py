"""What a page shows of a draft under review: records looked up and cut into pages. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from service.api.pages.places import written
from service.domain.draft import (
    Draft,
    DraftAnswer,
    DraftQuestion,
    Group,
    Sentence,
    SentenceRef,
    ThemeSentence,
    Verbatim,
)
from service.domain.review import Mark, Reviewed, Touch
from service.domain.revision import GroupRef, Place, ThemeRef
from service.errors import NotFound

Item = TypeVar("Item")

GROUPS_SHOWN = 40
VERBATIMS_SHOWN = 40
VOICES_SHOWN = 20
TRACED = 6
"""Verbatims of each label shown beside a sentence; the group's own page shows all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut(Generic[Item]):
    """One page of a list."""

    items: Sequence[Item]
    number: int
    pages: int
    total: int


def cut(items: Sequence[Item], page: int, size: int) -> Cut[Item]:
    """The page of that number, from 1; the last one where the number is beyond it."""
    pages = max(1, -(-len(items) // size))
    number = min(max(1, page), pages)
    return Cut(items=items[(number - 1) * size : number * size], number=number, pages=pages, total=len(items))


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A sentence with what is known of it."""

    at: str
    s: Sentence | ThemeSentence
    marks: tuple[Mark, ...]
    touch: Touch | None

    @property
    def flagged(self) -> bool:
        return bool(self.marks) or not self.s.supported


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """A group with what is known of its label."""

    g: Group
    q: DraftQuestion
    at: str
    marks: tuple[Mark, ...]
    touch: Touch | None

    @property
    def flagged(self) -> bool:
        support = self.g.label_support
        return bool(self.marks) or (support is not None and not support.supported)


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A verbatim with its answer in pieces, each marked or not."""

    v: Verbatim
    pieces: tuple[tuple[str, bool], ...]
    copies: int
    """Answers that repeat this one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A question in the list of a draft."""

    number: int
    q: DraftQuestion
    n_groups: int
    to_look_at: int
    approved: Touch | None


class View:
    """A draft under review, looked up."""

    def __init__(self, reviewed: Reviewed) -> None:
        self.reviewed = reviewed
        self.draft: Draft = reviewed.draft
        self.state = reviewed.state

    def number_of(self, question_id: str) -> int:
        """Position of a question in the draft, from 1: its address."""
        return next(n for n, q in enumerate(self.draft.questions, start=1) if q.id == question_id)

    def question(self, number: int) -> DraftQuestion:
        """Raises NotFound."""
        if not 1 <= number <= len(self.draft.questions):
            raise NotFound(f"this draft has no question number {number}")
        return self.draft.questions[number - 1]

    @cached_property
    def places_to_look_at(self) -> dict[str, list[Place]]:
        """By question, those of the general synthesis under the empty name; labels count for their question."""
        question_of = {g.id: q.id for q in self.draft.questions for g in q.groups}
        found: dict[str, list[Place]] = {}
        for place in self.reviewed.to_look_at:
            match place:
                case GroupRef():
                    found.setdefault(question_of[place.group_id], []).append(place)
                case SentenceRef():
                    found.setdefault(place.question_id, []).append(place)
                case ThemeRef():
                    found.setdefault("", []).append(place)
        return found

    @cached_property
    def standings(self) -> list[Standing]:
        return [
            Standing(
                number=n,
                q=q,
                n_groups=sum(g.level == 1 for g in q.groups),
                to_look_at=len(self.places_to_look_at.get(q.id, ())),
                approved=self.state.approved.get(q.id),
            )
            for n, q in enumerate(self.draft.questions, start=1)
        ]

    def next_to_review(self, after: int) -> Standing | None:
        """The next open question that nobody approved, those before `after` last; None where all are.

        after: number of a question that is being approved, with those that share its synthesis; 0 for none.
        """
        these = {q.id for q in self.state.joined(self.question(after))} if after else set()
        waiting = [
            one
            for one in self.standings
            if one.q.kind == "open" and one.approved is None and one.q.id not in these
        ]
        return min(waiting, key=lambda one: (one.number <= after, one.number), default=None)

    def next_flagged(self, after: int) -> Standing | None:
        """The next question with something to look at, other than that one; None where there is none."""
        flagged = [one for one in self.standings if one.to_look_at and one.number != after]
        return min(flagged, key=lambda one: (one.number <= after, one.number), default=None)

    def flagged_labels(self, q: DraftQuestion) -> list[Labelled]:
        """Labels of a question to look at, as many as a page shows."""
        places = [p for p in self.places_to_look_at.get(q.id, ()) if isinstance(p, GroupRef)]
        groups = {g.id: g for g in q.groups}
        return [self._labelled(q, groups[p.group_id]) for p in places[:GROUPS_SHOWN]]

    def line(self, place: SentenceRef | ThemeRef) -> Line:
        """Raises NotFound."""
        s: Sentence | ThemeSentence
        try:
            if isinstance(place, ThemeRef):
                s = self.draft.themes[place.theme].sections[place.section].sentences[place.sentence]
            else:
                s = self.question(self.number_of(place.question_id)).synthesis.sentences[place.sentence]
        except (IndexError, StopIteration) as error:
            raise NotFound("there is no such sentence in this draft (any more)") from error
        return Line(
            at=written(place), s=s, marks=self.state.marks.get(place, ()), touch=self.state.touched.get(place)
        )

    def lines(self, q: DraftQuestion) -> list[Line]:
        """The sentences of a question's own synthesis."""
        return [
            self.line(SentenceRef(question_id=q.id, sentence=k)) for k in range(len(q.synthesis.sentences))
        ]

    def labelled(self, group_id: str) -> Labelled:
        """Raises NotFound."""
        for q in self.draft.questions:
            for g in q.groups:
                if g.id == group_id:
                    return self._labelled(q, g)
        raise NotFound(f"there is no group {group_id[:80]} in this draft (any more)")

    def _labelled(self, q: DraftQuestion, g: Group) -> Labelled:
        place = GroupRef(group_id=g.id)
        return Labelled(
            g=g,
            q=q,
            at=written(place),
            marks=self.state.marks.get(place, ()),
            touch=self.state.touched.get(place),
        )

    def families(
        self, q: DraftQuestion, page: int
    ) -> tuple[list[tuple[Labelled | None, list[Labelled]]], Cut[Group]]:
        """One page of the level-1 groups by their level-2 group, the largest first; None stands for one without a parent."""
        heads = {g.id: g for g in q.groups if g.level == 2}
        rank = {id_: k for k, id_ in enumerate(heads)}
        firsts = sorted(
            (g for g in q.groups if g.level == 1), key=lambda g: rank.get(g.parent or "", len(rank))
        )
        shown = cut(firsts, page, GROUPS_SHOWN)
        found: list[tuple[Labelled | None, list[Labelled]]] = []
        for g in shown.items:
            head = heads.get(g.parent or "")
            if not found or (found[-1][0].g if found[-1][0] else None) is not head:
                found.append((self._labelled(q, head) if head else None, []))
            found[-1][1].append(self._labelled(q, g))
        return found, shown

    def children(self, group: Labelled) -> list[Labelled]:
        """The level-1 groups of a level-2 group."""
        return [self._labelled(group.q, g) for g in group.q.groups if g.parent == group.g.id]

    def citing(self, group: Labelled) -> list[Line]:
        """Sentences that cite a group."""
        leader = self.question(self.number_of(group.q.synthesis.shared_with or group.q.id))
        return [line for line in self.lines(leader) if group.g.id in getattr(line.s, "group_ids", ())]

    def choices(self, q: DraftQuestion, *, level: int, but: str = "") -> list[Group]:
        """Groups that something may be moved to or merged into."""
        return [g for g in q.groups if g.level == level and g.id != but]

    def told(self, q: DraftQuestion, ids: Iterable[str]) -> list[Told]:
        """Verbatims with their answers, in the order of the ids."""
        wanted = dict.fromkeys(ids)
        verbatims = {v.id: v for v in q.verbatims if v.id in wanted}
        needed = {v.answer_id for v in verbatims.values()}
        answers = {a.id: a for a in q.answers if a.id in needed}
        copies: dict[str, int] = {}
        for a in q.answers:
            if a.state == "duplicate" and a.of in needed:
                copies[a.of] = copies.get(a.of, 0) + 1
        return [
            Told(v=v, pieces=pieces(answers[v.answer_id], v), copies=copies.get(v.answer_id, 0))
            for id_ in wanted
            if (v := verbatims.get(id_)) is not None
        ]

    def exemplars_first(self, g: Group) -> list[str]:
        """The members of a group, those that show it best first."""
        return list(dict.fromkeys([*g.exemplar_ids, *g.verbatim_ids]))


def pieces(answer: DraftAnswer, v: Verbatim) -> tuple[tuple[str, bool], ...]:
    """The answer before, in and behind the verbatim."""
    text = answer.text
    cut_up = ((text[: v.start], False), (text[v.start : v.end], True), (text[v.end :], False))
    return tuple((piece, marked) for piece, marked in cut_up if piece)
