"""The last step of every run: does the whole draft hold? Citations, spans, places, counts, ledger."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from service.domain.draft import Draft, DraftQuestion


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def check_draft(draft: Draft) -> tuple[Finding, ...]:
    """Everything that does not hold; empty for a sound draft."""
    found = [f for q in draft.questions for f in _question(draft, q)]
    return (*found, *_ledger(draft), *_themes(draft))


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
    if a.total != sum(len(q.answers) for q in draft.questions):
        yield Finding(where="ledger", what="not every answer is in the draft")


def _themes(draft: Draft) -> Iterator[Finding]:
    sentences = {q.id: len(q.synthesis.sentences) for q in draft.questions}
    for theme in draft.themes:
        for s in (s for section in theme.sections for s in section.sentences):
            if not s.refs:
                yield Finding(where=f"theme {theme.title}", what=f"a sentence cites nothing: {s.text[:60]}")
            for ref in s.refs:
                if not 0 <= ref.sentence < sentences.get(ref.question_id, 0):
                    yield Finding(where=f"theme {theme.title}", what=f"cites {ref}, which does not exist")
