"""The figures of a deliverable, read off the draft in one place, so that every format says the same."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from service.domain.draft import Draft, DraftAnswer, DraftQuestion, Group, Isolated, SentenceRef, Verbatim
from service.domain.revision import GroupRef, Place, ThemeRef
from service.domain.wording import typeset
from service.exports.review import NO_REVIEW, Review
from service.exports.review_terms import REASONS

EXTRACTIVE = "extractive"
"""Provenance of a draft that no model wrote."""

MOST_NAMED = 12
"""Respondents named beside a verbatim that they repeat; the workbook names all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelLine:
    category: str
    consulted: int | None
    responded: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerLine:
    """A total and the parts that add up to it; names are keys of TERMS."""

    name: str
    total: int
    parts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SuspectLine:
    """An answer that looks like an order to a machine, for an analyst to judge."""

    question_id: str
    answer: DraftAnswer
    ways: tuple[str, ...]
    """Keys of TERMS."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """A verbatim on the map of its question."""

    verbatim: Verbatim
    group: Group | None
    """Its level-1 group; None for an isolated voice."""
    x: float
    y: float


class QuestionFacts:
    """A question with what deliverables look up in it and count of it."""

    def __init__(self, question: DraftQuestion) -> None:
        self.q = question
        self.verbatims = {v.id: v for v in question.verbatims}
        self.groups = {g.id: g for g in question.groups}
        self.firsts = [g for g in question.groups if g.level == 1]
        self.states = Counter[str](a.state for a in question.answers)
        self.copies = Counter(a.of for a in question.answers if a.state == "duplicate")
        self.total = len(question.answers)
        self.usable = self.states["with_content"] + self.states["duplicate"]
        """Answers with content, duplicates included."""

    @cached_property
    def families(self) -> list[tuple[Group, list[Group]]]:
        """Level-2 groups with their children, in the order of the draft."""
        children: dict[str | None, list[Group]] = {}
        for g in self.firsts:
            children.setdefault(g.parent, []).append(g)
        return [(r, children.get(r.id, [])) for r in self.q.groups if r.level == 2]

    @property
    def heading(self) -> str:
        """Id and text of the question; the id alone where the round gave no text."""
        return self.q.id if self.q.title == self.q.id else f"{self.q.id}. {self.q.title}"

    @cached_property
    def left_out(self) -> list[str]:
        """Groups that the synthesis does not cite, g9 before g10."""
        parts = {g: re.split(r"(\d+)", g) for g in self.q.synthesis.left_out}
        return sorted(parts, key=lambda g: [int(p) if k % 2 else p for k, p in enumerate(parts[g])])

    @cached_property
    def group_of(self) -> dict[str, Group]:
        """Verbatim → its level-1 group."""
        return {v: g for g in self.firsts for v in g.verbatim_ids}

    @cached_property
    def isolation(self) -> dict[str, Isolated]:
        return {one.verbatim_id: one for one in self.q.isolation}

    @cached_property
    def spots(self) -> list[Spot]:
        """The map, in the order of the verbatims; empty for a draft without one."""
        return [
            Spot(verbatim=v, group=self.group_of.get(v.id), x=place[0], y=place[1])
            for v in self.q.verbatims
            if (place := self.q.map.get(v.id)) is not None
        ]

    def also(self, *verbatims: Verbatim) -> tuple[str, ...]:
        """Respondents, or else answers, whose duplicates of these verbatims' answers are counted with them; each once."""
        return tuple(dict.fromkeys(name for v in verbatims for name in self._repeats.get(v.answer_id, ())))

    @cached_property
    def _repeats(self) -> dict[str, list[str]]:
        """Answer → who gave one that repeats it, in the order of the answers."""
        found: dict[str, list[str]] = {}
        for a in self.q.answers:
            if a.state == "duplicate" and a.of is not None:
                found.setdefault(a.of, []).append(a.respondent_id or a.id)
        return found

    def counts(self, categories: Sequence[str]) -> list[list[int]]:
        """Respondents by level-1 group and category."""
        return [[g.by_category.get(c, 0) for c in categories] for g in self.firsts]

    def state_of(self, verbatim: Verbatim) -> str:
        """The one state that a verbatim ended in: a key of TERMS."""
        if verbatim.id in self.group_of:
            return "grouped"
        return "isolated_count" if verbatim.id in self._alone else "failed"

    @cached_property
    def _alone(self) -> frozenset[str]:
        return frozenset(self.q.isolated)

    @cached_property
    def _by_answer(self) -> dict[str, list[Verbatim]]:
        found: dict[str, list[Verbatim]] = {}
        for v in sorted(self.q.verbatims, key=lambda v: v.start):
            found.setdefault(v.answer_id, []).append(v)
        return found

    def marked(self, answer: DraftAnswer) -> list[tuple[str, Verbatim | None]]:
        """The answer's text in pieces, each with the verbatim it belongs to."""
        pieces: list[tuple[str, Verbatim | None]] = []
        at = 0
        for v in self._by_answer.get(answer.id, []):
            if v.start > at:
                pieces.append((answer.text[at : v.start], None))
            pieces.append((answer.text[v.start : v.end], v))
            at = v.end
        if at < len(answer.text):
            pieces.append((answer.text[at:], None))
        return pieces


class DraftFacts:
    """The figures of a whole draft."""

    def __init__(self, draft: Draft, review: Review = NO_REVIEW) -> None:
        self.draft = draft
        self.review = review
        self.questions = [QuestionFacts(q) for q in draft.questions]
        self.titles = {q.id: q.title for q in draft.questions}
        self.panel = [
            PanelLine(category=row.category, consulted=row.consulted, responded=row.responded)
            for row in draft.round.panel
        ]
        asked = [row.consulted for row in draft.round.panel if row.consulted is not None]
        self.consulted = sum(asked) if asked else None
        """All that were asked, as far as the round says; None where it says nothing."""

    @cached_property
    def categories(self) -> list[str]:
        """Those of the panel that said something, in its order, then any other that groups name."""
        named = {c for q in self.draft.questions for g in q.groups for c in g.by_category}
        panel = [row.category for row in self.panel if row.category in named]
        return panel + sorted(named.difference(panel))

    @property
    def ledger(self) -> list[LedgerLine]:
        a, v = self.draft.ledger.answers, self.draft.ledger.verbatims
        answers = tuple((s, getattr(a, s)) for s in ("with_content", "no_content", "duplicate", "failed"))
        verbatims = (("grouped", v.grouped), ("isolated_count", v.isolated), ("failed", v.failed))
        masked = self.draft.ledger.masked
        lines = (
            [LedgerLine(name="masked", total=sum(masked.values()), parts=_masked(masked))] if masked else []
        )
        return [
            LedgerLine(name="answers_row", total=a.total, parts=answers),
            LedgerLine(name="verbatims_row", total=v.total, parts=verbatims),
            LedgerLine(name="closed_answers", total=self.draft.ledger.closed_answers),
            LedgerLine(name="fallbacks", total=self.draft.ledger.fallbacks),
            LedgerLine(name="unsupported_count", total=self.draft.ledger.unsupported),
            LedgerLine(name="suspects", total=len(self.draft.ledger.suspects)),
            *lines,
        ]

    def origin(self, terms: Mapping[str, str]) -> str:
        """How the text came about. It stays when the draft is approved: approving does not make it written."""
        llm = self.draft.provenance.llm
        parts = [
            terms["assembled"] if llm == EXTRACTIVE else terms["written"].replace("{model}", llm),
            terms["yours"] if llm == EXTRACTIVE and self.review.whole is None else "",
        ]
        labels = Counter(
            g.label_support.origin
            for q in self.draft.questions
            for g in q.groups
            if g.level == 1 and g.label_support
        )
        if llm != EXTRACTIVE and labels["extractive"]:
            said = terms["member_labels" if labels["extractive"] > 1 else "member_labels_one"]
            parts.append(said.format(n=labels["extractive"], total=labels.total()))
        by_people = self._origins["person"]
        if by_people:
            said = terms["rewritten" if by_people > 1 else "rewritten_one"]
            parts.append(said.format(n=by_people, total=self._origins.total()))
        return " ".join(part for part in parts if part)

    def label_again(self, *groups: Group) -> str:
        """Why the labels of these groups are to be looked at again, in the round's language; empty where they are not."""
        return self._why(GroupRef(group_id=g.id) for g in groups)

    def sentence_again(self, question_id: str, sentence: int) -> str:
        return self._why([SentenceRef(question_id=question_id, sentence=sentence)])

    def theme_again(self, theme: int, section: int, sentence: int) -> str:
        """All from 0."""
        return self._why([ThemeRef(theme=theme, section=section, sentence=sentence)])

    def _why(self, places: Iterable[Place]) -> str:
        language = self.draft.round.language
        reasons = dict.fromkeys(reason for at in places for reason in self.review.marks.get(at, ()))
        return typeset(", ".join(REASONS[language][reason] for reason in reasons), language)

    @property
    def method(self) -> tuple[str, ...]:
        """Keys of TERMS, one a paragraph of the note on method."""
        labels = "method_2_assembled" if self.draft.provenance.llm == EXTRACTIVE else "method_2"
        return ("method_1", labels, "method_3", "method_4")

    @cached_property
    def _origins(self) -> Counter[str]:
        """Texts by who wrote them: labels, sentences of questions, sentences of the general synthesis."""
        found = Counter[str](
            s.origin for t in self.draft.themes for part in t.sections for s in part.sentences
        )
        for q in self.draft.questions:
            found.update(s.origin for s in q.synthesis.sentences)
            found.update(g.label_support.origin for g in q.groups if g.label_support)
        return found

    @cached_property
    def suspects(self) -> list[SuspectLine]:
        suspected = {s.answer_id: s for s in self.draft.ledger.suspects}
        return [
            SuspectLine(question_id=q.id, answer=a, ways=tuple(f"way_{way}" for way in suspected[a.id].ways))
            for q in self.draft.questions
            for a in q.answers
            if a.id in suspected
        ]

    def provenance(self, terms: Mapping[str, str]) -> list[tuple[str, str]]:
        """What made the draft, as lines of a name and a value."""
        p = self.draft.provenance
        lines = [
            (terms["created"], self.draft.created_at),
            (terms["draft_id"], self.draft.id),
            (terms["code"], p.code),
            (terms["encoder"], p.encoder),
            (terms["llm"], terms["extractive"] if p.llm == EXTRACTIVE else p.llm),
            (terms["calls"], str(p.calls)),
            (terms["tokens"], f"{p.tokens.input}, {p.tokens.output}, {p.tokens.cached}"),
            (terms["seconds"], f"{p.seconds:g}"),
        ]
        if p.cost is not None:
            lines.append((terms["cost"], f"{p.cost:g}"))
        lines += [
            (terms["prompts"], f"{x.name} v{x.version} ({x.language}) {x.sha256[:12]}") for x in p.prompts
        ]
        lines += [(terms["parameters"], f"{name} = {value}") for name, value in p.parameters.items()]
        return [(name, value) for name, value in lines if value]

    def themes_by_question(self) -> list[tuple[str, list[int]]]:
        """For each question with a synthesis of its own: how many of its sentences each theme cites."""
        cited = [
            {(r.question_id, r.sentence) for section in t.sections for s in section.sentences for r in s.refs}
            for t in self.draft.themes
        ]
        return [
            (q.id, [sum(1 for question_id, _ in one if question_id == q.id) for one in cited])
            for q in self.draft.questions
            if q.synthesis.sentences
        ]


def _masked(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((f"masked_{kind}", n) for kind, n in counts.items())


def listed(names: Sequence[str], terms: Mapping[str, str]) -> str:
    """ "R29, R30", or the first of many and how many more there are."""
    if len(names) <= MOST_NAMED + 1:
        return ", ".join(names)
    more = str(len(names) - MOST_NAMED)
    return terms["and_more"].replace("{n}", more).replace("{names}", ", ".join(names[:MOST_NAMED]))


def short(group_id: str) -> str:
    """`Q1.g3` → `g3`: the name of a group within its question."""
    return group_id.rsplit(".", 1)[-1]


def clip(text: str, most: int) -> str:
    """The text, or its first words with an ellipsis: at most that many characters."""
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
