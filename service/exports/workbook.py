"""XLSX: the workbook that proves the draft, and in which people correct it. Written row by row, so that large rounds fit."""

import io
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.properties import PageSetupProperties

from service.domain.draft import Draft
from service.domain.round import Language
from service.exports.package import printable, repacked
from service.exports.review import NO_REVIEW, Review
from service.exports.sheet_terms import COLUMNS, SHEETS
from service.exports.sheets import Column, Sheet, Value, fitted, stored, workbook_sheets

HEAD = PatternFill("solid", fgColor="0B4F5C")
Page = Any  # a WriteOnlyWorksheet: its stub leaves out what it copies from Worksheet
EDIT = PatternFill("solid", fgColor="FFF8DC")
A4 = 9
"""Number that the format gives to this size of paper."""
WIDE = 30
"""Characters from which a column wraps its text."""
LINE = 15
"""Points; height of a line of the default font."""
HIGHEST = 27
"""Lines of a row: the format allows 409 points. The cell holds the whole text all the same."""

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
    _paper(page, titled=not sheet.plain)
    count = 0
    if not sheet.plain:
        page.freeze_panes = "B2"
        head = [COLUMNS[language].get(c.name, c.name) for c in sheet.columns]
        lines = max(_lines(text, c.width) for text, c in zip(head, sheet.columns, strict=True))
        count = _append(
            page, count, [_head(page, text, c) for text, c in zip(head, sheet.columns, strict=True)], lines
        )
    styles = [_style(page, c) for c in sheet.columns]
    wrapping = [(k, c.width) for k, c in enumerate(sheet.columns) if c.width >= WIDE]
    for row in sheet.rows:
        extra = max(0, len(row) - len(styles))
        cells = [_cell(page, v, style) for v, style in zip(row, styles + styles[-1:] * extra, strict=False)]
        lines = max((_lines(row[k], width) for k, width in wrapping if k < len(row)), default=1)
        count = _append(page, count, cells, lines)
    if not sheet.plain:
        page.auto_filter.ref = f"A1:{get_column_letter(len(sheet.columns))}{count}"


def _paper(page: Page, *, titled: bool) -> None:
    """How the sheet is printed: all its columns on the width of a page, the header on every page."""
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    if titled:
        page.print_title_rows = "1:1"


def _head(page: WriteOnlyWorksheet, text: str, column: Column) -> Cell:
    cell = _cell(page, text, None)
    cell.font = Font(bold=True, color="1C2430" if column.edit else "FFFFFF")
    cell.fill = PatternFill("solid", fgColor="F2C94C") if column.edit else HEAD
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    return cell


def _append(page: Page, count: int, cells: list[Cell], lines: int) -> int:
    """Write a row below `count` others and return how many there are.

    Its height is told: without it, LibreOffice prints a row's lines over those of the next.
    """
    place = count + 1
    page.row_dimensions[place].height = LINE * min(lines, HIGHEST)
    page.append(cells)
    del page.row_dimensions[place]  # it is written; a large round would keep one object a row
    return place


def _lines(value: Value, width: int) -> int:
    """About how many lines a text takes in a column of that many characters; a word that no longer fits leaves a gap."""
    if not isinstance(value, str):
        return 1
    return sum(len(line) * 11 // (width * 10) + 1 for line in value.split("\n"))


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
