"""From cells of answers to a round: ids that don't depend on the order of rows, joined questions, panel."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from service.domain.language import detect_language
from service.domain.round import Answer, PanelRow, Question, Round
from service.domain.wordform import fold
from service.ingest.closed import counted, with_kinds
from service.ingest.forms import Cell, named_columns, read_cells
from service.ingest.problems import Log
from service.ingest.sidecar import Sidecar
from service.ingest.tables import Table

LANGUAGE_SAMPLE = 5_000
"""Answers, spread over all, that tell the language of a round."""


def build_round(table: Table, sidecar: Sidecar, name: str, log: Log) -> Round | None:
    """The round, or None where the log has an error. name: its id and title where nobody gives them."""
    if log.has_errors:
        return None
    named = named_columns(table.header, sidecar)
    found = read_cells(table, sidecar, named, log)
    if found is None or log.has_errors:
        return None
    questions, cells = found
    questions = _linked(with_kinds(questions, sidecar, cells, guess=not named.long), sidecar, log)
    for q in questions:
        if q.kind == "closed" and q.id not in {n.id for n in sidecar.questions}:
            log.add("warning", "guessed_closed", row=1, column=q.id)
    answers = _answers(cells, questions, named.category, log)
    said = [a for a in answers if a.text.strip()]
    panel = _panel(sidecar, said, named.category, log)
    log.complete = True
    if log.has_errors:
        return None
    questions = tuple(counted(q, answers) if q.kind == "closed" else q for q in questions)
    open_ids = {q.id for q in questions if q.kind == "open"}
    spoken = [a.text for a in said if a.question_id in open_ids]
    return Round(
        id=sidecar.id or name,
        title=sidecar.title or name,
        language=sidecar.language or detect_language(spoken[:: 1 + len(spoken) // LANGUAGE_SAMPLE]),
        unit=sidecar.unit,
        note=sidecar.note,
        questions=questions,
        answers=answers,
        panel=panel,
        n_respondents=len({a.voice for a in said}),
    )


def _linked(questions: tuple[Question, ...], sidecar: Sidecar, log: Log) -> tuple[Question, ...]:
    """Joined questions, symmetric, and closed parts; each must exist."""
    open_ids = {q.id for q in questions if q.kind == "open"}
    joined: dict[str, set[str]] = {q.id: {q.id} for q in questions}
    parts: dict[str, str] = {}

    for note in sidecar.questions:
        for other in note.joined_with:
            if not {other, note.id} <= open_ids:
                log.add("error", "joined_wrongly", column=note.id, question=note.id, other=other)
                continue
            family = joined[note.id] | joined[other]
            for member in family:
                joined[member] = family
        if note.closed_part_of:
            if note.closed_part_of not in open_ids:
                log.add("error", "part_wrongly", column=note.id, question=note.id, other=note.closed_part_of)
            parts[note.id] = note.closed_part_of
    _say_same(questions, log)
    order = [q.id for q in questions]
    return tuple(
        replace(
            q,
            joined_with=tuple(o for o in order if o in joined[q.id] and o != q.id),
            closed_part_of=parts.get(q.id) if q.kind == "closed" else None,
        )
        for q in questions
    )


def _say_same(questions: tuple[Question, ...], log: Log) -> None:
    titles: dict[str, str] = {}
    for q in questions:
        same = titles.setdefault(fold(q.title), q.id)
        if same != q.id:
            log.add("warning", "same_text", row=1, column=q.id, question=same, other=q.id)


def _answers(
    cells: Sequence[Cell], questions: tuple[Question, ...], category: str | None, log: Log
) -> tuple[Answer, ...]:
    place = {q.id: k for k, q in enumerate(questions)}
    category_of = _categories(cells, category, log)
    _say_formulas(cells, log)
    seen: dict[str, int] = {}
    repeats = Counter[str]()
    made = []
    # Equal texts without a name are numbered in an order that is not that of the rows.
    for cell in sorted(cells, key=lambda c: (place[c.question_id], c.text, c.category or "", c.row)):
        id_ = cell.answer_id
        if not id_ and cell.respondent_id:
            id_ = f"{cell.question_id}:{cell.respondent_id}"
        elif not id_:
            base = f"{cell.question_id}:{hashlib.sha256(cell.text.encode()).hexdigest()[:10]}"
            repeats[base] += 1
            id_ = base if repeats[base] == 1 else f"{base}-{repeats[base]}"
        if id_ in seen:
            first, second = sorted((seen[id_], cell.row))
            log.add(
                "error",
                "answer_twice",
                row=second,
                column=cell.column,
                answer=id_,
                other_row=str(first),
            )
        seen[id_] = cell.row
        made.append(
            Answer(
                id=id_,
                question_id=cell.question_id,
                text=cell.text,
                respondent_id=cell.respondent_id,
                category=category_of.get(cell.respondent_id, cell.category)
                if cell.respondent_id
                else cell.category,
                row=cell.row,
            )
        )
    return tuple(sorted(made, key=lambda a: (place[a.question_id], a.id)))


def _categories(cells: Sequence[Cell], column: str | None, log: Log) -> dict[str, str]:
    """The category of each respondent, from any of its rows; two of them are an error."""
    category_of: dict[str, str] = {}
    for cell in cells:
        if cell.respondent_id and cell.category:
            first = category_of.setdefault(cell.respondent_id, cell.category)
            if first != cell.category:
                log.add(
                    "error",
                    "two_categories",
                    row=cell.row,
                    column=column,
                    respondent=cell.respondent_id,
                    category=first,
                    other=cell.category,
                )
    return category_of


def _say_formulas(cells: Sequence[Cell], log: Log) -> None:
    for cell in cells:
        if cell.text.startswith("=") and len(cell.text) > 1:
            log.add("warning", "like_formula", row=cell.row, column=cell.column)


def _panel(sidecar: Sidecar, said: Sequence[Answer], column: str | None, log: Log) -> tuple[PanelRow, ...]:
    voices: dict[str, set[str]] = defaultdict(set)
    row_of: dict[str, int] = {}
    for a in said:
        if a.category:
            voices[a.category].add(a.voice)
            row_of[a.category] = min(a.row or 0, row_of.get(a.category, a.row or 0))
    known = {p.category for p in sidecar.panel}
    for category in sorted(voices.keys() - known) if known else ():
        log.add(
            "warning",
            "not_in_panel",
            row=row_of[category],
            column=column,
            category=category,
            known=", ".join(sorted(known)),
        )
    rows = [
        PanelRow(category=p.category, consulted=p.consulted, responded=len(voices[p.category]))
        for p in sidecar.panel
    ]
    rows += [PanelRow(category=c, responded=len(voices[c])) for c in sorted(voices) if c not in known]
    return tuple(rows)
