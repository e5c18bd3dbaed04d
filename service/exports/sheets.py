"""What the workbook says, sheet by sheet: columns and rows, without any spreadsheet library."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from service.domain.draft import Draft
from service.domain.wording import NBSP
from service.exports.facts import DraftFacts, QuestionFacts
from service.exports.package import printable
from service.exports.review import Review
from service.exports.review_terms import CHANGES
from service.exports.sheet_terms import CODES, COLUMNS, README
from service.exports.terms import TERMS

Value = str | int | float | None

MOST_CHARACTERS = 32_767
"""Of a cell, in UTF-16 units: Excel's own limit."""

MOST_CATEGORIES = 60
"""Categories that have a column of their own in the sheet of groups."""

CUT = "[…]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    name: str
    """Key of COLUMNS, or a category."""
    width: int
    """Characters."""
    edit: bool = False
    """People correct it, and it is read back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    name: str
    """Key of SHEETS."""
    columns: tuple[Column, ...]
    rows: Iterable[tuple[Value, ...]]
    plain: bool = False
    """Without a header, a filter and a frozen row."""


CONTROL = re.compile("[\x00-\x08\x0b-\x1f]")
LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def stored(text: str) -> str:
    """The text as a workbook stores it: control characters, and what looks like one stored, in Excel's own escapes."""
    text = LOOKS_ESCAPED.sub("_x005F_", text)
    return printable(CONTROL.sub(lambda m: f"_x{ord(m[0]):04X}_", text))


def read_back(text: str) -> str:
    """The inverse of `stored`, but for characters that no workbook holds."""
    return ESCAPED.sub(lambda m: chr(int(m[1], 16)), text)


def units(text: str) -> int:
    """Length in UTF-16 units, as spreadsheets count."""
    return len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def fitted(text: str) -> str:
    """The text, or as much of it as a cell holds with a mark that it goes on."""
    return text if units(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS // 2] + CUT


def chunks(text: str) -> list[str]:
    """The text in pieces that each fit in a cell; one empty piece for an empty text."""
    if units(stored(text)) <= MOST_CHARACTERS:
        return [text]
    # a character may be two units, and one that is escaped takes seven
    step = MOST_CHARACTERS // (2 if stored(text) == text else 7)
    return [text[k : k + step] for k in range(0, len(text), step)]


def workbook_sheets(draft: Draft, review: Review) -> Iterator[Sheet]:
    """All sheets in reading order; rows are made when they are asked for."""
    facts = DraftFacts(draft, review)
    makers: tuple[Callable[[DraftFacts], Sheet], ...] = (
        _readme,
        _themes,
        _sentences,
        _questions,
        _closed,
        _groups,
        _verbatims,
        _isolated,
        _answers,
        _respondents,
        _panel,
        _ledger,
        _failures,
        _suspects,
        _provenance,
        _revisions,
    )
    return (make(facts) for make in makers)


def _columns(*columns: str | tuple[str, int], edit: Sequence[str] = ()) -> tuple[Column, ...]:
    """Names, or names with a width; 14 characters unless told."""
    made = [c if isinstance(c, tuple) else (c, 14) for c in columns]
    return tuple(Column(name=name, width=width, edit=name in edit) for name, width in made)


def _words(facts: DraftFacts) -> Mapping[str, str]:
    return TERMS[facts.draft.round.language]


def _readme(facts: DraftFacts) -> Sheet:
    draft, t = facts.draft, _words(facts)
    touch = facts.review.whole
    state = t["approved"].format(who=touch.who, date=touch.at[:10]) if touch else t["mark"]
    rows: list[tuple[Value, ...]] = [
        (draft.round.title,),
        (state,),
        (facts.origin(t),),
        (draft.round.note,),
        ("polyphonie.draft", draft.id),
        ("polyphonie.version", facts.review.version),
        (None,),
        *((line,) for line in README[draft.round.language]),
    ]
    return Sheet(name="readme", columns=_columns(("title", 120), ("value", 24)), rows=rows, plain=True)


def _themes(facts: DraftFacts) -> Sheet:
    rows = (
        (
            theme.title,
            section.heading,
            s.text,
            ", ".join(f"{r.question_id}#{r.sentence + 1}" for r in s.refs),
            _yes(facts, s.supported),
            _note(facts, s.note, facts.theme_again(i, j, k)),
            _said(facts, s.origin),
        )
        for i, theme in enumerate(facts.draft.themes)
        for j, section in enumerate(theme.sections)
        for k, s in enumerate(section.sentences)
    )
    columns = _columns(
        ("theme", 32), ("heading", 32), ("theme_text", 90), ("cited", 30), "supported", ("note", 40), "origin"
    )
    return Sheet(name="themes", columns=columns, rows=rows)


def _sentences(facts: DraftFacts) -> Sheet:
    def rows() -> Iterator[tuple[Value, ...]]:
        for q in facts.draft.questions:
            place = {i: k for k, some in enumerate(q.synthesis.paragraphs, start=1) for i in some}
            for i, s in enumerate(q.synthesis.sentences):
                cited = ", ".join((*s.group_ids, *s.verbatim_ids, *s.closed_ids))
                yield (
                    q.id,
                    i + 1,
                    place.get(i),
                    s.text,
                    cited,
                    s.n_respondents,
                    _yes(facts, s.supported),
                    _note(facts, s.note, facts.sentence_again(q.id, i)),
                    _said(facts, s.origin),
                )

    columns = _columns(
        "question",
        "sentence",
        "paragraph",
        ("sentence_text", 90),
        ("cited", 30),
        "respondents",
        "supported",
        ("note", 40),
        "origin",
        edit=("sentence_text",),
    )
    return Sheet(name="sentences", columns=columns, rows=rows())


def _questions(facts: DraftFacts) -> Sheet:
    rows = (
        (
            f.q.id,
            f.q.title,
            _said(facts, f.q.kind),
            ", ".join(f.q.joined_with),
            f.q.synthesis.shared_with,
            f.total,
            f.states["with_content"],
            f.states["no_content"],
            f.states["duplicate"],
            f.states["failed"],
            f.q.n_respondents,
            len(f.firsts),
            len(f.q.groups) - len(f.firsts),
            len(f.q.verbatims),
            len(f.q.isolated),
        )
        for f in facts.questions
    )
    columns = _columns(
        "id",
        ("title", 70),
        "kind",
        "joined",
        "shared",
        "total",
        "with_content",
        "no_content",
        "duplicate",
        "failed",
        "respondents",
        "groups_1",
        "groups_2",
        "verbatims",
        "isolated",
    )
    return Sheet(name="questions", columns=columns, rows=rows)


def _closed(facts: DraftFacts) -> Sheet:
    rows = (
        (q.id, q.closed_title or q.title, option, n)
        for q in facts.draft.questions
        for option, n in (q.closed_counts or {}).items()
    )
    return Sheet(
        name="closed", columns=_columns("question", ("title", 70), ("option", 40), "count"), rows=rows
    )


def _groups(facts: DraftFacts) -> Sheet:
    categories = facts.categories[:MOST_CATEGORIES]

    def rows() -> Iterator[tuple[Value, ...]]:
        for f in facts.questions:
            for g in f.q.groups:
                support = g.label_support
                rest = g.n_respondents - sum(g.by_category.get(c, 0) for c in categories)
                yield (
                    g.id,
                    f.q.id,
                    g.level,
                    g.parent,
                    g.label,
                    g.n_respondents,
                    len(g.verbatim_ids),
                    _said(facts, g.stance),
                    _yes(facts, support is None or support.supported),
                    _note(facts, support.note if support else None, facts.label_again(g)),
                    _said(facts, support.origin if support else None),
                    *(g.by_category.get(c, 0) for c in categories),
                    rest,
                )

    columns = _columns(
        "id",
        "question",
        "level",
        ("under", 16),
        ("label", 80),
        "respondents",
        "verbatims",
        "stance",
        "supported",
        ("note", 30),
        "origin",
        edit=("label", "under"),
    )
    columns += tuple(Column(name=c, width=16) for c in categories)
    return Sheet(name="groups", columns=(*columns, *_columns("no_category")), rows=rows())


def _verbatims(facts: DraftFacts) -> Sheet:
    def of(f: QuestionFacts) -> Iterator[tuple[Value, ...]]:
        texts = {a.id: fitted(a.text) for a in f.q.answers}
        for v in f.q.verbatims:
            g = f.group_of.get(v.id)
            yield (
                v.id,
                f.q.id,
                g.id if g else None,
                g.label if g else None,
                g.parent if g else None,
                _words(facts)[f.state_of(v)],
                fitted(v.text),
                fitted(v.quote),
                v.start,
                v.end,
                v.respondent_id,
                v.category,
                fitted(", ".join(f.also(v))) or None,
                v.answer_id,
                texts.get(v.answer_id),
            )

    columns = _columns(
        ("id", 16),
        "question",
        ("group", 16),
        ("group_label", 50),
        "parent",
        "state",
        ("text", 60),
        ("quote", 60),
        "start",
        "end",
        "respondent",
        ("category", 24),
        ("also", 20),
        ("answer", 16),
        ("answer_text", 90),
        edit=("group",),
    )
    return Sheet(name="verbatims", columns=columns, rows=(row for f in facts.questions for row in of(f)))


def _isolated(facts: DraftFacts) -> Sheet:
    rows = (
        (
            id_,
            f.q.id,
            fitted(f.verbatims[id_].text),
            fitted(f.verbatims[id_].quote),
            f.verbatims[id_].respondent_id,
            f.verbatims[id_].category,
            fitted(", ".join(f.also(f.verbatims[id_]))) or None,
            f.isolation[id_].score if id_ in f.isolation else None,
            ", ".join(f.isolation[id_].near) if id_ in f.isolation else None,
        )
        for f in facts.questions
        for id_ in f.q.isolated
    )
    columns = _columns(
        ("id", 16),
        "question",
        ("text", 70),
        ("quote", 60),
        "respondent",
        ("category", 24),
        ("also", 20),
        "score",
        ("near", 24),
    )
    return Sheet(name="isolated", columns=columns, rows=rows)


def _answers(facts: DraftFacts) -> Sheet:
    pieces = max((len(chunks(a.text)) for q in facts.draft.questions for a in q.answers), default=1)
    more = COLUMNS[facts.draft.round.language]["more"]
    t = _words(facts)
    rows = (
        (
            a.id,
            q.id,
            a.respondent_id,
            a.category,
            t[a.state],
            t.get("near_kind" if a.reason == "near" else a.reason or "", a.reason),
            a.of,
            *chunks(a.text),
        )
        for q in facts.draft.questions
        for a in q.answers
    )
    columns = _columns(
        ("id", 16),
        "question",
        "respondent",
        ("category", 24),
        "state",
        ("reason", 18),
        ("of", 16),
        ("answer_text", 100),
    )
    columns += tuple(Column(name=f"{more} {k}", width=60) for k in range(2, pieces + 1))
    return Sheet(name="answers", columns=columns, rows=rows)


def _respondents(facts: DraftFacts) -> Sheet:
    states: dict[str, Counter[str]] = {}
    categories: dict[str, str | None] = {}
    for q in facts.draft.questions:
        voice = {a.id: a.respondent_id or a.id for a in q.answers}
        for a in q.answers:
            states.setdefault(voice[a.id], Counter())[a.state] += 1
            categories[voice[a.id]] = a.category or categories.get(voice[a.id])
        for v in q.verbatims:
            states[voice[v.answer_id]]["verbatims"] += 1
    names = ("with_content", "no_content", "duplicate", "failed", "verbatims")
    rows = (
        (voice, categories[voice], sum(n for k, n in c.items() if k != "verbatims"), *(c[k] for k in names))
        for voice, c in sorted(states.items())
    )
    columns = _columns(("respondent", 20), ("category", 36), "total", *names)
    return Sheet(name="respondents", columns=columns, rows=rows)


def _panel(facts: DraftFacts) -> Sheet:
    rows: list[tuple[Value, ...]] = [(line.category, line.consulted, line.responded) for line in facts.panel]
    rows.append((_words(facts)["total"], facts.consulted, facts.draft.round.n_respondents))
    return Sheet(name="panel", columns=_columns(("category", 44), "consulted", "responded"), rows=rows)


def _ledger(facts: DraftFacts) -> Sheet:
    t = _words(facts)
    rows = (
        (name, n)
        for line in facts.ledger
        for name, n in ((t[line.name], line.total), *((f"   {t[part]}", n) for part, n in line.parts))
    )
    return Sheet(name="ledger", columns=_columns(("name", 60), "count"), rows=rows)


def _failures(facts: DraftFacts) -> Sheet:
    rows = ((f.id, f.stage, f.reason) for f in facts.draft.ledger.failures)
    return Sheet(name="failures", columns=_columns(("id", 20), "stage", ("reason", 110)), rows=rows)


def _suspects(facts: DraftFacts) -> Sheet:
    t = _words(facts)
    rows = (
        (s.answer.id, s.question_id, ", ".join(t[way] for way in s.ways), fitted(s.answer.text))
        for s in facts.suspects
    )
    columns = _columns(("id", 20), "question", ("looks_like", 40), ("answer_text", 100))
    return Sheet(name="suspects", columns=columns, rows=rows)


def _provenance(facts: DraftFacts) -> Sheet:
    rows = facts.provenance(_words(facts))
    return Sheet(name="provenance", columns=_columns(("name", 36), ("value", 90)), rows=rows)


def _revisions(facts: DraftFacts) -> Sheet:
    rows = (
        (
            c.number,
            c.who,
            c.at,
            CHANGES[facts.draft.round.language][c.kind].replace("{n}", c.target),
            c.target,
            c.before,
            c.after,
            _yes(facts, c.undone),
        )
        for c in facts.review.changes
    )
    columns = _columns(
        "number",
        ("who", 20),
        ("at", 22),
        ("kind", 28),
        ("target", 18),
        ("before", 60),
        ("after", 60),
        "undone",
    )
    return Sheet(name="revisions", columns=columns, rows=rows)


def _note(facts: DraftFacts, note: str | None, again: str) -> str | None:
    """again: why the text is to be looked at again; empty: it is not."""
    colon = f"{NBSP}:" if facts.draft.round.language == "fr" else ":"
    look = f"{_words(facts)['look_again']}{colon} {again}" if again else None
    return ". ".join(part for part in (note and note.rstrip("."), look) if part) or None


def _said(facts: DraftFacts, code: str | None) -> str | None:
    """A word of draft.json in the round's language."""
    return None if code is None else CODES[facts.draft.round.language].get(code, code)


def _yes(facts: DraftFacts, value: bool) -> str:
    french = facts.draft.round.language == "fr"
    return ("oui" if french else "yes") if value else ("non" if french else "no")
