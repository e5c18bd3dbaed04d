"""From a table and its sidecar to cells of answers: long form, wide form, survey exports."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from service.domain.round import Question
from service.domain.wordform import fold
from service.ingest import exports
from service.ingest.problems import Log
from service.ingest.sidecar import QuestionNote, Sidecar, stem
from service.ingest.tables import Table


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One answer as it stands in the table."""

    question_id: str
    text: str
    respondent_id: str | None
    category: str | None
    answer_id: str | None
    row: int
    column: str
    """The column that the text stands in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """The columns of a table that are not questions; None where there is none."""

    question_id: str | None
    question: str | None
    answer: str | None
    answer_id: str | None
    respondent_id: str | None
    category: str | None

    @property
    def long(self) -> bool:
        """One row an answer, not one row a respondent."""
        return self.answer is not None and bool(self.question_id or self.question)


def read_cells(
    table: Table, sidecar: Sidecar, named: Named, log: Log
) -> tuple[tuple[Question, ...], list[Cell]] | None:
    """Questions in the order of sidecar or table, and every answer; None where the log has an error."""
    for column, n in Counter(table.header).items():
        if n > 1 and column:
            log.add("error", "column_twice", row=1, column=column)
    for column in filter(
        None, (sidecar.columns.respondent_id, sidecar.columns.category, *sidecar.columns.ignore)
    ):
        if column not in table.header:
            log.add("error", "column_of_sidecar", row=1, column=column, name=column)
    if named.question_id and not named.answer:
        log.add("error", "no_answer_column", row=1, column="answer")
    if log.has_errors:
        return None
    if named.long:
        return _long(table, sidecar, named, log)
    return _wide(table, sidecar, named, log)


def named_columns(header: tuple[str, ...], sidecar: Sidecar) -> Named:
    """Which columns are what: as the sidecar says, else by their usual names."""

    def first(names: frozenset[str]) -> str | None:
        return next((h for h in header if exports.usual_name(h) in names), None)

    ignored = set(sidecar.columns.ignore)
    respondent = sidecar.columns.respondent_id or first(exports.RESPONDENT)
    category = sidecar.columns.category or first(exports.CATEGORY)
    answer_id = first(exports.ANSWER_ID)
    return Named(
        question_id=first(exports.QUESTION_ID),
        question=first(exports.QUESTION_TEXT),
        answer=first(exports.ANSWER),
        answer_id=None if answer_id in (respondent, *ignored) else answer_id,
        respondent_id=None if respondent in ignored else respondent,
        category=None if category in ignored else category,
    )


def _long(table: Table, sidecar: Sidecar, named: Named, log: Log) -> tuple[tuple[Question, ...], list[Cell]]:
    at = {h: i for i, h in enumerate(table.header)}
    answer, question = named.answer or "", named.question_id or named.question or ""

    def value(cells: Sequence[str], column: str | None) -> str | None:
        return cells[at[column]].strip() or None if column else None

    cells = [
        Cell(
            question_id=value(row, question) or "",
            text=row[at[answer]],
            respondent_id=value(row, named.respondent_id),
            category=value(row, named.category),
            answer_id=value(row, named.answer_id),
            row=number,
            column=answer,
        )
        for number, row in table.rows
    ]
    titles: dict[str, str] = {}
    for (number, row), cell in zip(table.rows, cells, strict=True):
        if cell.question_id:
            titles.setdefault(cell.question_id, value(row, named.question) or cell.question_id)
        else:
            log.add("error", "no_question_id", row=number, column=question)
    if not named.question_id:
        cells, titles = _with_ids(cells, sidecar)
    if sidecar.questions:
        _check_known(cells, sidecar, question, log)
        return tuple(
            Question(id=n.id, title=n.title or titles.get(n.id, n.id)) for n in sidecar.questions
        ), cells
    return tuple(Question(id=q, title=titles[q]) for q in sorted(titles, key=_natural)), cells


def _with_ids(cells: list[Cell], sidecar: Sidecar) -> tuple[list[Cell], dict[str, str]]:
    """Ids for questions that have only a text: the sidecar's, its code, or Q1, Q2… by order of texts."""
    texts = sorted({c.question_id for c in cells}, key=_natural)
    ids = {h.column: h for h in exports.headings(texts)}
    if len({h.id for h in ids.values()}) < len(ids):
        ids = {
            text: exports.Heading(column=text, id=f"Q{k}", title=text)
            for k, text in enumerate(texts, start=1)
        }
    known = {fold(n.title): n.id for n in sidecar.questions} | {n.id: n.id for n in sidecar.questions}
    id_of = {text: known.get(text) or known.get(fold(text)) or ids[text].id for text in texts}
    titles = {id_of[text]: ids[text].title for text in texts}
    return [replace(c, question_id=id_of[c.question_id]) for c in cells], titles


def _check_known(cells: Sequence[Cell], sidecar: Sidecar, column: str, log: Log) -> None:
    known = {n.id for n in sidecar.questions}
    for cell in cells:
        if cell.question_id and cell.question_id not in known:
            log.add(
                "error",
                "unknown_question",
                row=cell.row,
                column=column,
                question=cell.question_id,
                known=", ".join(sorted(known, key=_natural)),
            )


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Sorts Q2 before Q10."""
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in re.split(r"(\d+)", text) if p]


def _wide(
    table: Table, sidecar: Sidecar, named: Named, log: Log
) -> tuple[tuple[Question, ...], list[Cell]] | None:
    titles, metadata, table = _qualtrics(table)
    tool = "Qualtrics" if titles else exports.tool_of(table.header)
    who_column = named.respondent_id or named.answer_id
    no_question = {who_column, named.category, named.answer_id, *sidecar.columns.ignore}
    if tool:
        found = metadata | {h for h in table.header if exports.is_metadata(tool, h)}
        left = [h for h in table.header if h in found and h not in no_question]
        no_question |= found
        log.add("warning", "export_of", tool=tool, columns=", ".join(left))
    identity = [h for h in table.header if exports.is_identity(h) and h not in no_question]
    if identity and not sidecar.questions:
        no_question |= set(identity)
        log.add(
            "warning",
            "identity_columns",
            columns=", ".join(identity),
            sidecar=f"{stem(Path(log.file))}.round.json",
            line=_settled(table, identity, who_column),
        )
    headings = _headings(table.header, titles, no_question, sidecar.questions, log)
    if log.has_errors:
        return None
    if not headings:
        log.add("error", "no_answers_column", row=1)
        return None
    at = {h: i for i, h in enumerate(table.header)}
    cells = []
    for who, (number, row) in zip(_respondents(table, who_column, log), table.rows, strict=True):
        category = row[at[named.category]].strip() or None if named.category else None
        cells += [
            Cell(
                question_id=h.id,
                text=row[at[h.column]],
                respondent_id=who,
                category=category,
                answer_id=None,
                row=number,
                column=h.column,
            )
            for h in headings
        ]
    return tuple(Question(id=h.id, title=h.title) for h in headings), cells


def _settled(table: Table, identity: Sequence[str], who_column: str | None) -> str:
    """The line of the sidecar that says what the columns are that say who answers."""
    organisations = [h for h in identity if exports.is_identity(h, exports.ORGANISATION)]
    who = None if who_column else next((h for h in organisations if _names_each_row(table, h)), None)
    ignore = [h for h in identity if h != who]
    columns = ({"respondent_id": who} if who else {}) | ({"ignore": ignore} if ignore else {})
    return json.dumps(({"unit": "organisation"} if who else {}) | {"columns": columns}, ensure_ascii=False)


def _names_each_row(table: Table, column: str) -> bool:
    at = table.header.index(column)
    names = [row[at].strip() for _, row in table.rows]
    return all(names) and len(set(names)) == len(names)


def _respondents(table: Table, column: str | None, log: Log) -> list[str]:
    """One id a row: the column's, or a hash of the row, so that ids don't depend on the order of rows."""
    at = table.header.index(column) if column else None
    seen = Counter[str]()
    rows: dict[str, int] = {}
    for number, row in table.rows:
        who = row[at].strip() if at is not None else ""
        if not who:
            if column:
                log.add("warning", "no_respondent", row=number, column=column)
            digest = hashlib.sha256("\x1f".join(row).encode()).hexdigest()[:10]
            seen[digest] += 1
            who = f"r{digest}" + (f"-{seen[digest]}" if seen[digest] > 1 else "")
        if who in rows:
            log.add(
                "error",
                "respondent_twice",
                row=number,
                column=column,
                respondent=who,
                other_row=str(rows[who]),
            )
            who += f" ({number})"
        rows[who] = number
    return list(rows)


def _qualtrics(table: Table) -> tuple[dict[str, str], set[str], Table]:
    """Question texts and metadata columns, from the second and third header rows of Qualtrics; the rest.

    Its legacy format has the texts alone.
    """
    texts = {h: " ".join(t.split()) for h, t in zip(table.header, table.rows[0][1], strict=True)}
    if len(table.rows) < 2 or not any('"ImportId"' in cell for cell in table.rows[1][1]):
        date = texts.get("StartDate", "")
        legacy = date and not re.search(r"\d", date) and exports.tool_of(table.header) == "Qualtrics"
        return (texts, set(), replace(table, rows=table.rows[1:])) if legacy else ({}, set(), table)
    metadata = set()
    for column, cell in zip(table.header, table.rows[1][1], strict=True):
        try:
            import_id = str(json.loads(cell)["ImportId"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if not re.match(r"(?:\d+_)?QID\d", import_id):  # 1_QID3_TEXT: the first round of a loop
            metadata.add(column)
    return texts, metadata, replace(table, rows=table.rows[2:])


def _headings(
    header: tuple[str, ...],
    titles: dict[str, str],
    no_question: set[str | None],
    notes: Sequence[QuestionNote],
    log: Log,
) -> list[exports.Heading]:
    made = [
        replace(h, title=titles.get(h.column) or h.title)
        for h in exports.headings(h for h in header if h and h not in no_question)
    ]
    if notes:
        return _by_notes(header, made, no_question, notes, log)
    for id_ in [i for i, n in Counter(h.id for h in made).items() if n > 1]:
        columns = " / ".join(h.column for h in made if h.id == id_)
        log.add("error", "two_columns", row=1, column=id_, question=id_, columns=columns)
    return made


def _by_notes(
    header: tuple[str, ...],
    made: Sequence[exports.Heading],
    no_question: set[str | None],
    notes: Sequence[QuestionNote],
    log: Log,
) -> list[exports.Heading]:
    by_title = {fold(h.title): h for h in made} | {fold(h.column): h for h in made}
    by_id = {h.id: h for h in made if exports.coded(h.column)} | {h.column: h for h in made}
    named = []
    for note in notes:
        if note.column:
            there = note.column in header
            found = exports.Heading(column=note.column, id=note.id, title=note.column) if there else None
        else:
            found = by_id.get(note.id) or (by_title.get(fold(note.title)) if note.title else None)
        if found:
            named.append(replace(found, id=note.id, title=note.title or found.title))
        elif not note.counts:  # a closed question may be known by its counts alone
            log.add("error", "no_column", row=1, column=note.column or note.id, question=note.id)
    used = {h.column for h in named} | no_question
    unused = [h for h in header if h and h not in used]
    if unused:
        log.add("warning", "columns_left_out", columns=", ".join(unused))
    return named
