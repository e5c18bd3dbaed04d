"""A table of text: a header and rows of as many cells. Knows neither file formats nor questions."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from service.ingest.problems import Limits, Log

NumberedRow = tuple[int, list[str]]
"""1-based row in the file, and its cells."""

SUSPECT = re.compile("[\0\ud800-\udfff\ufffd]|Ã[\u0080-\u00bf €‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€|Â[\u00a0«»°]")
"""Characters that no text can hold, that were lost, or that UTF-8 read as cp1252 leaves behind."""

SHEET_ERRORS = frozenset(
    {"#NAME?", "#NOM?", "#REF!", "#VALUE!", "#VALEUR!", "#N/A", "#DIV/0!", "#NULL!", "#NUM!"}
)
"""What a spreadsheet shows instead of the text of a cell that it took for a formula."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    """(1-based row in the file, cells); every row has as many cells as the header."""
    sheets: dict[str, "Table"] = field(default_factory=dict)
    """Other sheets of a workbook, by name in lower case."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What a JSON round says beside its answers."""


def make_table(
    rows: Iterable[NumberedRow], limits: Limits, log: Log, *, short_rows: Literal["told", "usual"] = "told"
) -> Table:
    """The first row with text is the header. Blank rows are left out, ragged ones told. Raises Unreadable.

    short_rows: "usual" in a workbook, which does not store the empty cells at the end of a row.
    """
    header: tuple[str, ...] | None = None
    kept: list[tuple[int, tuple[str, ...]]] = []
    blank: list[int] = []
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            blank.append(number)
            continue
        if header is None:
            header = _header(row, number, limits, log)
            blank.clear()
            continue
        _say_blank(blank, log)
        if len(row) < len(header) and short_rows == "usual":
            row += [""] * (len(header) - len(row))  # noqa: PLW2901
        kept.append((number, _squared(row, number, len(header), log)))
        if len(kept) > limits.rows:
            raise log.stop(f"more than {limits.rows:,} rows", "split the round into several files")
    if header is None:
        raise log.stop("the file is empty", "export the answers again")
    if not kept:
        raise log.stop("column names but no answers", "export the answers again", row=1)
    for at, name in enumerate(header):
        if not name and any(row[at].strip() for _, row in kept):
            log.add("warning", f"column {at + 1} has no name: left out", "name it if it holds answers", row=1)
    check_cells(header, kept, limits, log)
    return Table(header=header, rows=tuple(kept))


def _header(row: list[str], number: int, limits: Limits, log: Log) -> tuple[str, ...]:
    while not row[-1].strip():
        row.pop()
    if len(row) > limits.columns:
        raise log.stop(
            f"{len(row):,} columns, more than {limits.columns:,}",
            "keep the columns of the questions",
            row=number,
        )
    header = tuple(cell.strip() for cell in row)
    check_cells(header, [(number, header)], limits, log)
    return header


def _say_blank(blank: list[int], log: Log) -> None:
    """Blank rows between others; those after the last row say nothing."""
    for number in blank:
        log.add(
            "warning",
            "a blank row is left out",
            "nothing to do if it is meant",
            row=number,
            kind="blank rows",
        )
    blank.clear()


def _squared(row: list[str], number: int, width: int, log: Log) -> tuple[str, ...]:
    if any(cell.strip() for cell in row[width:]):
        log.add(
            "error",
            f"{len(row)} cells under {width} column names",
            "quote cells that hold the separator, name the column, or remove a title that stands above the names",
            row=number,
            kind="more cells than column names",
        )
    if len(row) < width:
        log.add(
            "warning",
            f"{len(row)} cells under {width} column names: the missing ones are read as empty",
            "check the row",
            row=number,
            kind="fewer cells than column names",
        )
    return tuple((row + [""] * width)[:width])


def check_cells(
    header: tuple[str, ...], rows: Iterable[tuple[int, tuple[str, ...]]], limits: Limits, log: Log
) -> None:
    """Report over-long cells, spoilt characters and lost texts, each with its row and column."""
    for number, row in rows:
        for name, cell in zip(header, row, strict=True):
            if len(cell) > limits.cell_chars:
                log.add(
                    "error",
                    f"a cell of {len(cell):,} characters, more than {limits.cell_chars:,}",
                    "check for a quote that is not closed; split the answer if it is one",
                    row=number,
                    column=name,
                    kind="a cell over the length limit",
                )
            if not cell.isascii() or "\0" in cell:
                found = SUSPECT.search(cell)
                if found:
                    _spoilt(found[0], number, name, log)
            elif cell.startswith("#") and cell.strip() in SHEET_ERRORS:
                log.add(
                    "warning",
                    f"{cell.strip()} stands where a spreadsheet took a text for a formula: it is lost",
                    "take it from the source; format the column as text before pasting",
                    row=number,
                    column=name,
                    kind="an error value of a spreadsheet",
                )


def _spoilt(found: str, number: int, name: str, log: Log) -> None:
    if found == "\0" or "\ud800" <= found <= "\udfff":
        what = "a NUL character" if found == "\0" else "half a character (a lone surrogate)"
        log.add(
            "error",
            f"{what}: this text is damaged",
            "export it again as UTF-8",
            row=number,
            column=name,
            kind=what,
        )
    elif found == "\ufffd":
        log.add(
            "warning",
            "a replacement character (U+FFFD): letters were lost before this file was written",
            "export again from the source; the text is kept as it is",
            row=number,
            column=name,
        )
    else:
        log.add(
            "warning",
            f"« {found} »: accents were spoilt in an earlier conversion (wrong encoding)",
            "export again as UTF-8; the text is kept as it is",
            row=number,
            column=name,
            kind="spoilt accents",
        )
