"""From a table and its sidecar to a round: long form, wide form, survey exports; closed questions, joined ones, panel."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.domain.language import detect_language
from service.domain.round import Answer, PanelRow, Question, Round
from service.domain.wordform import fold
from service.ingest import exports
from service.ingest.problems import Log
from service.ingest.sidecar import QuestionNote, Sidecar
from service.ingest.tables import Table

CLOSED_OPTIONS = 8
"""Most distinct answers of a column that is taken for a closed question where nobody says so."""

CLOSED_CHARS = 40
CLOSED_RESPONDENTS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    question_id: str
    text: str
    respondent_id: str | None
    category: str | None
    answer_id: str | None
    row: int


def build_round(table: Table, sidecar: Sidecar, name: str, log: Log) -> Round | None:
    """The round, or None where there is an error in the log."""
    repeated = [h for h, n in Counter(table.header).items() if n > 1 and h]
    for column in repeated:
        log.add("error", "the column name stands twice", "name each column once", row=1, column=column)
    if repeated:
        return None
    columns = {fold(h): h for h in table.header}
    is_long = _first(columns, exports.QUESTION_ID) and _first(columns, exports.ANSWER)
    found = _long(table, sidecar, columns, log) if is_long else _wide(table, sidecar, columns, log)
    if found is None or log.has_errors:
        return None
    questions, cells = found
    questions = _kinds(questions, sidecar, cells)
    questions = _linked(questions, sidecar, log)
    answers = _answers(cells, questions, log)
    if log.has_errors:
        return None
    questions = tuple(_counted(q, answers) if q.kind == "closed" else q for q in questions)
    said = [a for a in answers if a.text.strip()]
    open_ids = {q.id for q in questions if q.kind == "open"}
    return Round(
        id=sidecar.id or name,
        title=sidecar.title or name,
        language=sidecar.language or detect_language(a.text for a in said if a.question_id in open_ids),
        unit=sidecar.unit,
        note=sidecar.note,
        questions=questions,
        answers=answers,
        panel=_panel(sidecar, said, log),
        n_respondents=len({a.voice for a in said}),
    )


def _first(columns: dict[str, str], names: frozenset[str]) -> str | None:
    return next((columns[n] for n in columns if n in names), None)


def _long(
    table: Table, sidecar: Sidecar, columns: dict[str, str], log: Log
) -> tuple[tuple[Question, ...], list[Cell]]:
    at = {h: i for i, h in enumerate(table.header)}
    question, answer = _first(columns, exports.QUESTION_ID), _first(columns, exports.ANSWER)
    respondent = sidecar.columns.respondent_id or _first(columns, exports.RESPONDENT)
    category = sidecar.columns.category or _first(columns, exports.CATEGORY)
    answer_id, title = _first(columns, exports.ANSWER_ID), _first(columns, exports.QUESTION_TEXT)
    for named in (respondent, category):
        if named and named not in at:
            log.add(
                "error",
                f"no column {named}, which the sidecar names",
                "correct the sidecar",
                row=1,
                column=named,
            )
            return (), []

    def value(cells: Sequence[str], column: str | None) -> str | None:
        return cells[at[column]].strip() or None if column else None

    cells = [
        Cell(
            question_id=value(row, question) or "",
            text=row[at[answer or ""]],
            respondent_id=value(row, respondent),
            category=value(row, category),
            answer_id=value(row, answer_id),
            row=number,
        )
        for number, row in table.rows
    ]
    notes = {n.id: n for n in sidecar.questions}
    titles: dict[str, str] = {}
    for (number, row), cell in zip(table.rows, cells, strict=True):
        if not cell.question_id:
            log.add(
                "error", "no question id", "name the question that this answers", row=number, column=question
            )
        elif notes and cell.question_id not in notes:
            log.add(
                "error",
                f"unknown question {cell.question_id}",
                f"the sidecar knows {', '.join(notes)}",
                row=number,
                column=question,
                kind="unknown question",
            )
        else:
            titles.setdefault(cell.question_id, value(row, title) or cell.question_id)
    ids = list(notes) or sorted(titles, key=_natural)
    questions = tuple(
        Question(id=q, title=(notes[q].title if q in notes else "") or titles.get(q, q)) for q in ids
    )
    return questions, cells


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Sorts Q2 before Q10."""
    import re

    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.split(r"(\d+)", text) if p]


def _wide(
    table: Table, sidecar: Sidecar, columns: dict[str, str], log: Log
) -> tuple[tuple[Question, ...], list[Cell]] | None:
    tool = exports.tool_of(table.header)
    titles, rows = _qualtrics(table)
    respondent = sidecar.columns.respondent_id or _first(columns, exports.RESPONDENT)
    category = sidecar.columns.category or _first(columns, exports.CATEGORY)
    for named in filter(None, (respondent, category, *sidecar.columns.ignore)):
        if named not in table.header:
            log.add(
                "error",
                f"no column {named}, which the sidecar names",
                "correct the sidecar",
                row=1,
                column=named,
            )
            return None
    no_question = {respondent, category, *sidecar.columns.ignore}
    if tool:
        no_question |= {h for h in table.header if fold(h) in exports.METADATA[tool]}
        left = [h for h in table.header if h in no_question and h not in (respondent, category)]
        log.add(
            "warning",
            f"an export of {tool}: {', '.join(left)} are no questions",
            "name questions in a sidecar if that is wrong",
        )
    headings = _headings(table.header, titles, no_question, sidecar.questions, log)
    if log.has_errors:
        return None
    if not headings:
        log.add(
            "error",
            "no column of answers",
            "long form has question_id and answer; wide form a column a question",
        )
        return None
    at = {h: i for i, h in enumerate(table.header)}
    cells, seen = [], Counter[str]()
    ids: dict[str, int] = {}
    for number, row in rows:
        who = row[at[respondent]].strip() if respondent else ""
        if not who:
            digest = hashlib.sha256("\x1f".join(row).encode("utf-8", "surrogatepass")).hexdigest()[:10]
            seen[digest] += 1
            who = f"r{digest}" + (f"-{seen[digest]}" if seen[digest] > 1 else "")
        if who in ids:
            log.add(
                "error",
                f"respondent {who} stands twice (also in row {ids[who]})",
                "one row a respondent: merge the rows or correct the id",
                row=number,
                column=respondent,
                kind="repeated respondent id",
            )
        ids[who] = number
        group = row[at[category]].strip() or None if category else None
        cells += [
            Cell(
                question_id=h.id,
                text=row[at[h.column]],
                respondent_id=who,
                category=group,
                answer_id=None,
                row=number,
            )
            for h in headings
        ]
    return tuple(Question(id=h.id, title=h.title) for h in headings), cells


def _qualtrics(table: Table) -> tuple[dict[str, str], tuple[tuple[int, tuple[str, ...]], ...]]:
    """Qualtrics puts question texts in a second and ImportIds in a third header row."""
    if len(table.rows) >= 2 and any('"ImportId"' in cell for cell in table.rows[1][1]):
        return dict(zip(table.header, table.rows[0][1], strict=True)), table.rows[2:]
    return {}, table.rows


def _headings(
    header: tuple[str, ...],
    titles: dict[str, str],
    no_question: set[str | None],
    notes: Sequence[QuestionNote],
    log: Log,
) -> list[exports.Heading]:
    if not notes:
        free = [h for h in header if h and h not in no_question]
        made = [exports.heading(h, k) for k, h in enumerate(free, start=1)]
        return [
            replace(h, title=" ".join(titles[h.column].split()) or h.title) if h.column in titles else h
            for h in made
        ]
    named = []
    for note in notes:
        column = note.column or next((h for h in header if h in (note.id, note.title)), None)
        column = column or next((h for h in header if exports.heading(h, 0).id == note.id), None)
        if column is None or column not in header:
            if note.counts:  # a closed question of which only the counts are known
                continue
            log.add(
                "error",
                f"no column for question {note.id}",
                'name it in the sidecar with "column"',
                row=1,
                column=note.id,
            )
            continue
        named.append(
            exports.Heading(column=column, id=note.id, title=note.title or exports.heading(column, 0).title)
        )
    used = {h.column for h in named} | no_question
    unused = [h for h in header if h and h not in used]
    if unused:
        log.add(
            "warning",
            f"columns that the sidecar does not name are left out: {', '.join(unused)}",
            "name them, or list them under columns.ignore",
        )
    return named


def _kinds(questions: tuple[Question, ...], sidecar: Sidecar, cells: Sequence[Cell]) -> tuple[Question, ...]:
    notes = {n.id: n for n in sidecar.questions}
    texts: dict[str, list[str]] = defaultdict(list)
    for cell in cells:
        if cell.text.strip():
            texts[cell.question_id].append(cell.text.strip())
    made = []
    for q in questions:
        note = notes.get(q.id)
        kind = (
            note.kind
            if note and note.kind
            else "closed"
            if _looks_closed(texts[q.id]) and not note
            else "open"
        )
        options = tuple(note.options) if note else ()
        made.append(replace(q, kind=kind, options=options, counts=dict(note.counts) if note else {}))
    known = {q.id for q in questions}
    made += [
        Question(
            id=n.id, title=n.title or n.id, kind="closed", options=tuple(n.options), counts=dict(n.counts)
        )
        for n in sidecar.questions
        if n.id not in known and n.counts
    ]
    return tuple(made)


def _looks_closed(texts: Sequence[str]) -> bool:
    distinct = {fold(t) for t in texts}
    return (
        len(texts) >= CLOSED_RESPONDENTS
        and len(distinct) <= min(CLOSED_OPTIONS, len(texts) // 4)
        and max(map(len, texts)) <= CLOSED_CHARS
    )


def _linked(questions: tuple[Question, ...], sidecar: Sidecar, log: Log) -> tuple[Question, ...]:
    """Joined questions, symmetric, and closed parts; each must exist."""
    by_id = {q.id: q for q in questions}
    joined: dict[str, set[str]] = {q.id: {q.id} for q in questions}
    parts: dict[str, str] = {}
    for note in sidecar.questions:
        for other in note.joined_with:
            if (
                other not in by_id
                or note.id not in by_id
                or "closed" in (by_id[other].kind, by_id[note.id].kind)
            ):
                log.add(
                    "error",
                    f"{note.id} is joined with {other}, which is no open question",
                    "correct the sidecar",
                    column=note.id,
                )
                continue
            family = joined[note.id] | joined[other]
            for member in family:
                joined[member] = family
        if note.closed_part_of:
            if note.closed_part_of not in by_id:
                log.add(
                    "error",
                    f"{note.id} is the closed part of {note.closed_part_of}, which is unknown",
                    "correct the sidecar",
                    column=note.id,
                )
            parts[note.id] = note.closed_part_of
    titles: dict[str, str] = {}
    for q in questions:
        same = titles.setdefault(fold(q.title), q.id)
        if same != q.id:
            log.add(
                "warning",
                f"questions {same} and {q.id} have the same text",
                "check that it is no copy by mistake",
                column=q.id,
            )
    order = [q.id for q in questions]
    return tuple(
        replace(
            q,
            joined_with=tuple(o for o in order if o in joined[q.id] and o != q.id),
            closed_part_of=parts.get(q.id) if q.kind == "closed" else None,
        )
        for q in questions
    )


def _answers(cells: Sequence[Cell], questions: tuple[Question, ...], log: Log) -> tuple[Answer, ...]:
    place = {q.id: k for k, q in enumerate(questions)}
    seen: dict[str, int] = {}
    repeats = Counter[str]()
    made = []
    for cell in cells:
        if cell.answer_id:
            id_ = cell.answer_id
        elif cell.respondent_id:
            id_ = f"{cell.question_id}:{cell.respondent_id}"
        else:
            base = f"{cell.question_id}:{hashlib.sha256(cell.text.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"
            repeats[base] += 1
            id_ = base if repeats[base] == 1 else f"{base}-{repeats[base]}"
        if id_ in seen:
            log.add(
                "error",
                f"answer {id_} stands twice (also in row {seen[id_]})",
                "one answer a respondent and question: merge them, or give each an answer_id",
                row=cell.row,
                kind="repeated answer",
            )
        seen[id_] = cell.row
        if cell.text.startswith("=") and len(cell.text) > 1:
            log.add(
                "warning",
                "the answer looks like a formula",
                "it is kept as text",
                row=cell.row,
                kind="looks like a formula",
            )
        made.append(
            Answer(
                id=id_,
                question_id=cell.question_id,
                text=cell.text,
                respondent_id=cell.respondent_id,
                category=cell.category,
                row=cell.row,
            )
        )
    return tuple(sorted(made, key=lambda a: (place[a.question_id], a.id)))


def _counted(question: Question, answers: Sequence[Answer]) -> Question:
    """Counts from the answers where the sidecar gives none; several choices are separated by ; and counted one by one."""
    if question.counts:
        return question
    spelt: dict[str, str] = {fold(o): o for o in question.options}
    counts: Counter[str] = Counter(dict.fromkeys(question.options, 0))
    for a in answers:
        if a.question_id == question.id:
            whole = fold(a.text)
            for choice in [a.text] if whole in spelt else a.text.split(";"):
                if choice.strip():
                    counts[spelt.setdefault(fold(choice), choice.strip())] += 1
    shown = list(question.options) or sorted(counts, key=lambda o: (-counts[o], o))
    shown += [o for o in sorted(counts) if o not in shown]
    return replace(question, options=tuple(shown), counts={o: counts[o] for o in shown})


def _panel(sidecar: Sidecar, said: Sequence[Answer], log: Log) -> tuple[PanelRow, ...]:
    voices: dict[str, set[str]] = defaultdict(set)
    for a in said:
        if a.category:
            voices[a.category].add(a.voice)
    known = {p.category for p in sidecar.panel}
    for category in sorted(voices.keys() - known) if known else ():
        row = min(a.row or 0 for a in said if a.category == category)
        log.add(
            "warning",
            f"category « {category} » is not in the panel",
            "correct its spelling, or add it to the panel",
            row=row or None,
        )
    rows = [
        PanelRow(category=p.category, consulted=p.consulted, responded=len(voices[p.category]))
        for p in sidecar.panel
    ]
    rows += [PanelRow(category=c, responded=len(voices[c])) for c in sorted(voices) if c not in known]
    return tuple(rows)
