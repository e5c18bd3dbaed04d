"""XLSX: the workbook that proves the draft, and in which people correct it. Written row by row, so that large rounds fit."""

import io
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from service.domain.draft import Draft
from service.domain.round import Language
from service.exports.package import printable, repacked
from service.exports.review import NO_REVIEW, Review
from service.exports.sheet_terms import COLUMNS, SHEETS
from service.exports.sheets import Column, Sheet, Value, fitted, stored, workbook_sheets

HEAD = PatternFill("solid", fgColor="0B4F5C")
EDIT = PatternFill("solid", fgColor="FFF8DC")
WIDE = 40
"""Characters from which a column wraps its text."""

FORMULA = tuple("=+-@\t\r")
"""Beginnings that a spreadsheet program would take for a formula when the cell is entered again."""


def to_xlsx(draft: Draft, review: Review = NO_REVIEW) -> bytes:
    """The workbook of a draft in the round's language; the same draft and review give the same bytes."""
    book = Workbook(write_only=True)
    book.properties.creator = "Polyphonie"
    book.properties.title = printable(draft.round.title)
    for sheet in workbook_sheets(draft, review):
        _write(book, sheet, draft.round.language)
    out = io.BytesIO()
    book.save(out)
    return repacked(out.getvalue(), draft.created_at)


def _write(book: Workbook, sheet: Sheet, language: Language) -> None:
    page = book.create_sheet(SHEETS[language][sheet.name])
    for k, column in enumerate(sheet.columns, start=1):
        page.column_dimensions[get_column_letter(k)].width = column.width
    count = 0
    if not sheet.plain:
        page.freeze_panes = "B2"
        names = COLUMNS[language]
        page.append([_head(page, names.get(c.name, c.name), c) for c in sheet.columns])
    styles = [_style(page, c) for c in sheet.columns]
    for row in sheet.rows:
        count += 1
        extra = max(0, len(row) - len(styles))
        page.append(
            [_cell(page, v, style) for v, style in zip(row, styles + styles[-1:] * extra, strict=False)]
        )
    if not sheet.plain:
        page.auto_filter.ref = f"A1:{get_column_letter(len(sheet.columns))}{count + 1}"


def _head(page: WriteOnlyWorksheet, text: str, column: Column) -> Cell:
    cell = _cell(page, text, None)
    cell.font = Font(bold=True, color="1C2430" if column.edit else "FFFFFF")
    cell.fill = PatternFill("solid", fgColor="F2C94C") if column.edit else HEAD
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    return cell


def _style(page: WriteOnlyWorksheet, column: Column) -> Cell:
    """A cell whose style the cells of a column share."""
    model = WriteOnlyCell(page)
    model.alignment = Alignment(wrap_text=column.width >= WIDE, vertical="top")
    if column.edit:
        model.fill = EDIT
    return model


def _cell(page: WriteOnlyWorksheet, value: Value, model: Cell | None) -> Cell:
    if not isinstance(value, str):
        cell = WriteOnlyCell(page, value=value)
    else:
        cell = WriteOnlyCell(page, value=fitted(stored(value)))  # openpyxl would cut without a word
        cell.data_type = "s"  # nor may it guess a formula or an error
    if model is not None:
        shared: Any = model
        cell._style = shared._style  # type: ignore[attr-defined]  # copying Alignment and Fill cell by cell is slow
    if isinstance(value, str) and value.startswith(FORMULA):
        cell.quotePrefix = True
    return cell
