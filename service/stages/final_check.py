"""The last step of every run: does the whole draft hold? Citations, spans, places; and every count once more, from the answers."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from service.domain.draft import Draft, DraftQuestion, Sentence
from service.domain.round import Round
from service.domain.wording import LARGEST, count, people, typeset


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


Voices = Mapping[str, frozenset[str]]
"""Verbatim → the respondents behind it, those of duplicates of its answer included."""


def check_draft(draft: Draft, round_: Round) -> tuple[Finding, ...]:
    """Everything that does not hold of a draft of that round; empty for a sound draft."""
    return (*check_places(draft), *_answers(draft, round_), *_counts(draft), *_ledger(draft))


def check_places(draft: Draft) -> tuple[Finding, ...]:
    """What can be seen without the round: citations, spans, places of verbatims and sentences."""
    return (*(f for q in draft.questions for f in _question(draft, q)), *_themes(draft))


def _answers(draft: Draft, round_: Round) -> Iterator[Finding]:
    """Every open answer of the round is in the draft, as it was written, and nothing else is."""
    asked = {q.id for q in round_.open_questions}
    given = {
        a.id: (a.question_id, a.text, a.respondent_id, a.category)
        for a in round_.answers
        if a.question_id in asked
    }
    told = {a.id: (q.id, a.text, a.respondent_id, a.category) for q in draft.questions for a in q.answers}
    for id_ in sorted(given.keys() | told.keys()):
        if given.get(id_) != told.get(id_):
            yield Finding(where=id_, what="not the answer that the round has")
    if draft.round.n_respondents != round_.n_respondents:
        yield Finding(
            where="round",
            what=f"{draft.round.n_respondents} respondents, {round_.n_respondents} in the round",
        )


def _counts(draft: Draft) -> Iterator[Finding]:
    """Respondents and categories of questions, groups and sentences, recounted from the answers' states."""
    voices: dict[str, frozenset[str]] = {}
    categories: dict[str, str] = {}
    for q in draft.questions:
        voice = {a.id: a.respondent_id or a.id for a in q.answers}
        categories |= {voice[a.id]: a.category for a in q.answers if a.category is not None}
        stands_for: dict[str, set[str]] = {}
        for a in q.answers:
            if a.state in ("with_content", "duplicate"):
                kept = a.of if a.state == "duplicate" and a.of is not None else a.id
                stands_for.setdefault(kept, set()).add(voice[a.id])
        voices |= {v.id: frozenset(stands_for.get(v.answer_id, ())) for v in q.verbatims}
        n = len(frozenset().union(*stands_for.values()))
        if q.kind == "open" and q.n_respondents != n:
            yield Finding(where=q.id, what=f"{q.n_respondents} respondents, {n} counted")
        for g in q.groups:
            yield from _told(g.id, g.n_respondents, g.by_category, g.verbatim_ids, voices, categories)
    for q in draft.questions:
        shared = [q, *(p for p in draft.questions if p.synthesis.shared_with == q.id)]
        members = {g.id: g.verbatim_ids for p in shared for g in p.groups}
        for k, s in enumerate(q.synthesis.sentences):
            ids = [*(v for g in s.group_ids for v in members.get(g, ())), *s.verbatim_ids]
            if ids and not s.closed_ids:
                where = f"{q.id}, sentence {k + 1}"
                yield from _told(where, s.n_respondents, s.by_category, ids, voices, categories)
            yield from _said(draft, shared, f"{q.id}, sentence {k + 1}", s)


def _told(
    where: str,
    n: int | None,
    by: Mapping[str, int],
    ids: Iterable[str],
    voices: Voices,
    categories: Mapping[str, str],
) -> Iterator[Finding]:
    behind = frozenset().union(*(voices.get(v, frozenset()) for v in ids))
    counted = Counter(categories[p] for p in behind if p in categories)
    if n != len(behind):
        yield Finding(where=where, what=f"{n} respondents, {len(behind)} counted")
    if dict(by) != dict(counted):
        yield Finding(where=where, what=f"categories {dict(by)}, counted {dict(counted)}")


def _said(draft: Draft, shared: Iterable[DraftQuestion], where: str, s: Sentence) -> Iterator[Finding]:
    """The numbers and the superlative in the words of an assembled sentence."""
    if s.origin != "extractive" or not s.group_ids:
        return
    language, unit = draft.round.language, draft.round.unit
    known = {g.id: (g, q.n_respondents) for q in shared for g in q.groups}
    for id_ in s.group_ids:
        if id_ in known:
            group, total = known[id_]
            n = group.n_respondents
            told = (count(n, total, unit, language), people(n, unit, language))
            if not any(re.search(rf"(?<!\d){re.escape(typeset(t, language))}", s.text) for t in told):
                yield Finding(where=where, what=f"does not say « {told[0]} » of {id_}")
    if s.text.startswith(LARGEST):
        heads = [g for g, _ in known.values() if g.level == 2]
        most = max((g.n_respondents for g in heads), default=0)
        largest = [set(g.verbatim_ids) for g in heads if g.n_respondents == most]
        cited = {v for id_ in s.group_ids if id_ in known for v in known[id_][0].verbatim_ids}
        if largest != [cited]:
            yield Finding(where=where, what="the group is not the largest")


def _question(draft: Draft, q: DraftQuestion) -> Iterator[Finding]:
    answers = {a.id: a for a in q.answers}
    verbatims = {v.id for v in q.verbatims}
    for v in q.verbatims:
        answer = answers.get(v.answer_id)
        if answer is None:
            yield Finding(where=v.id, what=f"its answer {v.answer_id} does not exist")
        elif answer.text[v.start : v.end] != v.quote or not v.quote:
            yield Finding(where=v.id, what="quote is not answer[start:end]")
    places = Counter(v for g in q.groups if g.level == 1 for v in g.verbatim_ids) + Counter(q.isolated)
    failed = {f.id for f in draft.ledger.failures if f.stage == "group"}
    for id_ in sorted(verbatims | places.keys()):
        wanted = 0 if id_ in failed else 1
        if places[id_] != wanted or id_ not in verbatims:
            yield Finding(where=id_, what=f"in {places[id_]} places, {wanted} expected")
    cut = {v.answer_id for v in q.verbatims}
    for a in q.answers:
        if (a.state == "with_content") != (a.id in cut):
            yield Finding(where=a.id, what=f"state {a.state} does not agree with its verbatims")
        if a.state == "duplicate" and a.of not in answers:
            yield Finding(where=a.id, what=f"duplicate of {a.of}, which does not exist")
    parents = {g.id for g in q.groups if g.level == 2}
    for g in q.groups:
        if not g.label.strip():
            yield Finding(where=g.id, what="no label")
        if g.level == 1 and g.parent not in parents:
            yield Finding(where=g.id, what=f"its parent {g.parent} does not exist")
        if not set(g.exemplar_ids) <= set(g.verbatim_ids):
            yield Finding(where=g.id, what="an exemplar is not a member")
    yield from _synthesis(draft, q)


def _synthesis(draft: Draft, q: DraftQuestion) -> Iterator[Finding]:
    shared = [q, *(p for p in draft.questions if p.synthesis.shared_with == q.id)]
    groups = {g.id: g for p in shared for g in p.groups}
    alone = {i for p in shared for i in p.isolated}
    closed = {p.id for p in shared if p.closed_counts is not None}
    if q.synthesis.shared_with is not None:
        if q.synthesis.sentences or q.synthesis.shared_with not in q.joined_with:
            yield Finding(
                where=q.id, what=f"shares the synthesis of {q.synthesis.shared_with} without being joined"
            )
        return
    cited = set(q.synthesis.left_out)
    for k, s in enumerate(q.synthesis.sentences):
        where = f"{q.id}, sentence {k + 1}"
        if not (s.group_ids or s.verbatim_ids or s.closed_ids):
            yield Finding(where=where, what="cites nothing")
        unknown = (
            (set(s.group_ids) - groups.keys()) | (set(s.verbatim_ids) - alone) | (set(s.closed_ids) - closed)
        )
        if unknown:
            yield Finding(where=where, what=f"cites {sorted(unknown)[0]}, which does not exist")
        cited |= set(s.group_ids)
    covered = cited | {g.id for g in groups.values() if g.parent in cited}
    for g in groups.values():
        if g.level == 1 and g.id not in covered:
            yield Finding(where=g.id, what="neither cited by the synthesis nor listed as left out")
    told = [i for paragraph in q.synthesis.paragraphs for i in paragraph]
    if sorted(told) != list(range(len(q.synthesis.sentences))):
        yield Finding(where=q.id, what="paragraphs do not hold each sentence once")


def _ledger(draft: Draft) -> Iterator[Finding]:
    a, v = draft.ledger.answers, draft.ledger.verbatims
    if a.total != a.with_content + a.no_content + a.duplicate + a.failed:
        yield Finding(where="ledger", what=f"answers do not add up: {a}")
    if v.total != v.grouped + v.isolated + v.failed:
        yield Finding(where="ledger", what=f"verbatims do not add up: {v}")
    states = Counter[str](x.state for q in draft.questions for x in q.answers)
    for name, told in (
        ("with_content", a.with_content),
        ("no_content", a.no_content),
        ("duplicate", a.duplicate),
        ("failed", a.failed),
    ):
        if states[name] != told:
            yield Finding(where="ledger", what=f"{told} answers {name}, {states[name]} counted")
    grouped = sum(len(g.verbatim_ids) for q in draft.questions for g in q.groups if g.level == 1)
    isolated = sum(len(q.isolated) for q in draft.questions)
    total = sum(len(q.verbatims) for q in draft.questions)
    if (v.total, v.grouped, v.isolated) != (total, grouped, isolated):
        yield Finding(
            where="ledger", what=f"verbatims {v}: {total} = {grouped} + {isolated} + failed counted"
        )


def _themes(draft: Draft) -> Iterator[Finding]:
    sentences = {q.id: len(q.synthesis.sentences) for q in draft.questions}
    for theme in draft.themes:
        for s in (s for section in theme.sections for s in section.sentences):
            if not s.refs:
                yield Finding(where=f"theme {theme.title}", what=f"a sentence cites nothing: {s.text[:60]}")
            for ref in s.refs:
                if not 0 <= ref.sentence < sentences.get(ref.question_id, 0):
                    yield Finding(where=f"theme {theme.title}", what=f"cites {ref}, which does not exist")
