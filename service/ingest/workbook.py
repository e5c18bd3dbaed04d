"""XLSX: the first sheet with data, `questions` and `panel` beside it. Macros and bombs are refused."""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from service.ingest.problems import RATIO_FROM, Limits, Log, Unreadable
from service.ingest.tables import SHEET_ERRORS, NumberedRow, Table, make_table

ASIDE = ("questions", "panel")
LAST_ROW = 1_048_576
"""Excel's own limit."""

MOST_COLUMNS = 16_000
"""Cells of a row from which it is taken for a slip of the hand: Excel's own limit is 16,384."""

ESCAPED = re.compile(r"_x(00[01][0-9A-Fa-f]|005[Ff])_")
"""How Excel writes control characters, and an underscore before what looks so; openpyxl leaves it."""

HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*\bhidden="(?:1|true)"[^>]*>')
MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]+)(\d+):([A-Z]+\d+)"')
CHUNK = 1 << 20
"""Bytes of a sheet that are searched at once; no tag is nearly as long as TAG."""

TAG = 1 << 10

OTHERS = {
    "xl/workbook.bin": "binary_workbook",
    "word/document.xml": "word_document",
    "content.xml": "open_document",
}
"""What a ZIP file is that holds a part of that name: the code of the problem."""


def read_workbook(path: Path, data: bytes, limits: Limits, log: Log) -> Table:
    """The sheet of answers with those beside it. Raises Unreadable."""
    _check_box(path, data, limits, log)
    try:
        with warnings.catch_warnings():  # openpyxl warns of styles and validations, which are no answers
            warnings.simplefilter("ignore")
            return _sheets(data, limits, log)
    except Unreadable:
        raise
    except Exception as error:  # a hostile or damaged file makes openpyxl, zipfile and expat raise anything
        raise log.stop("workbook_damaged", why=repr(error)) from error


def _check_box(path: Path, data: bytes, limits: Limits, log: Log) -> None:
    try:
        entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise log.stop("zip_damaged", why=str(error)) from error
    unpacked = sum(e.file_size for e in entries)
    if unpacked > limits.unpacked_bytes or (
        unpacked > RATIO_FROM and unpacked > limits.unpacked_ratio * len(data)
    ):
        raise log.stop("bomb", bytes=unpacked)
    names = {e.filename for e in entries}
    if any(n.casefold().endswith("vbaproject.bin") for n in names) or path.suffix.casefold() in (
        ".xlsm",
        ".xltm",
    ):
        raise log.stop("macros")
    if "xl/workbook.xml" not in names:
        raise log.stop(next((code for name, code in OTHERS.items() if name in names), "archive"))


def _sheets(data: bytes, limits: Limits, log: Log) -> Table:
    values = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    formulas = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False)
    answers: Table | None = None
    aside: dict[str, Table] = {}
    unread: list[str] = []
    shown_first = sorted(values.worksheets, key=lambda sheet: sheet.sheet_state != "visible")
    for sheet in shown_first:
        name = sheet.title.casefold()
        # A sheet's own <dimension> may be wrong, and openpyxl would believe it and leave cells out.
        sheet.reset_dimensions()
        formulas[sheet.title].reset_dimensions()
        if not _holds_data(sheet):
            continue
        rows = _rows(sheet, formulas[sheet.title], log)
        if name in ASIDE:
            aside[name] = make_table(rows, limits, log, short_rows="usual")
        elif answers is None:
            _say_layout(data, sheet, log)
            answers, read = make_table(rows, limits, log, short_rows="usual"), sheet.title
        else:
            unread.append(sheet.title)
    if answers is None:
        raise log.stop("no_sheet")
    if unread:
        log.add("warning", "sheets_left_out", read=read, unread=", ".join(unread))
    return Table(header=answers.header, rows=answers.rows, sheets=aside)


def _say_layout(data: bytes, sheet: Any, log: Log) -> None:
    """Merged cells, of which only the first holds anything, and hidden rows, which are read like others."""
    hidden = 0
    with zipfile.ZipFile(io.BytesIO(data)).open(sheet._worksheet_path) as part:
        kept = b""
        while chunk := part.read(CHUNK):
            text = kept + chunk
            cut = text.rfind(b"<", -TAG)  # a tag that may go on in the next chunk
            whole, kept = (text[:cut], text[cut:]) if cut > 0 else (text, b"")
            hidden += len(HIDDEN_ROW.findall(whole))
            for found in MERGED.finditer(whole):
                column, row, end = (one.decode() for one in found.groups())
                log.add("warning", "merged_cells", row=int(row), column=column, cells=f"{column}{row}:{end}")
    if hidden:
        log.add("warning", "hidden_rows", count=hidden)


def _holds_data(sheet: Any) -> bool:
    rows = enumerate(sheet.iter_rows(max_row=LAST_ROW + 1, values_only=True), start=1)
    return any(number > LAST_ROW or any(cell is not None for cell in row) for number, row in rows)


def _rows(values: Any, formulas: Any, log: Log) -> Iterator[NumberedRow]:
    # Gaps between rows are filled by openpyxl: without a last row a file of 5 kB fills them for ever.
    found = (s.iter_rows(max_row=LAST_ROW + 1, values_only=True) for s in (values, formulas))
    both = zip(*found, strict=True)
    for number, (row, raw) in enumerate(both, start=1):
        if number > LAST_ROW:
            raise log.stop("rows_beyond", row=number, most=LAST_ROW)
        if len(row) > MOST_COLUMNS:
            raise log.stop("too_many_columns", row=number, columns=len(row), most=MOST_COLUMNS)
        for at, (cell, source) in enumerate(zip(row, raw, strict=True), start=1):
            if _is_formula(source, cell):
                _say_formula(cell, number, get_column_letter(at), log)
        yield number, [_text(cell) for cell in row]


def _is_formula(source: object, value: object) -> bool:
    if isinstance(source, ArrayFormula | DataTableFormula):
        return True
    return isinstance(source, str) and source.startswith("=") and value != source


def _say_formula(value: object, row: int, column: str, log: Log) -> None:
    if value is None:
        log.add("error", "formula_empty", row=row, column=column)
    elif isinstance(value, str) and value in SHEET_ERRORS:
        log.add("error", "formula_failed", row=row, column=column, value=value)
    else:
        log.add("warning", "formula_read", row=row, column=column)


def _text(cell: object) -> str:
    """Text as it was typed; whole numbers without a point, days without an hour."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return ESCAPED.sub(lambda m: chr(int(m[1], 16)), cell) if "_x" in cell else cell
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
