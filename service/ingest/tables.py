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

DAMAGED = re.compile("[\0\ud800-\udfff]")
"""Characters that no database keeps, and no answer of the service can carry."""

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
            raise log.stop("too_many_rows", most=limits.rows)
    if header is None:
        raise log.stop("empty")
    if not kept:
        raise log.stop("only_header", row=1)
    for at, name in enumerate(header):
        if not name and any(row[at].strip() for _, row in kept):
            log.add("warning", "nameless_column", row=1, place=at + 1)
    check_cells(header, kept, limits, log)
    return Table(header=header, rows=tuple(kept))


def _header(row: list[str], number: int, limits: Limits, log: Log) -> tuple[str, ...]:
    while not row[-1].strip():
        row.pop()
    if len(row) > limits.columns:
        raise log.stop("too_many_columns", row=number, columns=len(row), most=limits.columns)
    header = tuple(cell.strip() for cell in row)
    check_cells(header, [(number, header)], limits, log)
    return header


def _say_blank(blank: list[int], log: Log) -> None:
    """Blank rows between others; those after the last row say nothing."""
    for number in blank:
        log.add("warning", "blank_row", row=number)
    blank.clear()


def _squared(row: list[str], number: int, width: int, log: Log) -> tuple[str, ...]:
    if any(cell.strip() for cell in row[width:]):
        log.add("error", "more_cells", row=number, cells=len(row), columns=width)
    if len(row) < width:
        log.add("warning", "fewer_cells", row=number, cells=len(row), columns=width)
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
                    "cell_too_long",
                    row=number,
                    column=name,
                    characters=len(cell),
                    most=limits.cell_chars,
                )
            if not cell.isascii() or "\0" in cell:
                found = SUSPECT.search(cell)
                if found:
                    _spoilt(found[0], number, name, log)
            elif cell.startswith("#") and cell.strip() in SHEET_ERRORS:
                log.add("warning", "sheet_error", row=number, column=name, value=cell.strip())


def find_damaged(place: str, value: object) -> tuple[str, str] | None:
    """The code of a damaged text in a value of JSON, keys included, and its place, fit to be printed; None: all are whole."""
    todo = [(place, value)]
    while todo:
        place, value = todo.pop()
        texts = [place]
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, dict):
            todo += [(f"{place}.{k}", v) for k, v in value.items()]
        elif isinstance(value, list):
            todo += [(f"{place}.{n}", v) for n, v in enumerate(value)]
        for text in texts:
            if found := DAMAGED.search(text):
                return damage(found[0]), DAMAGED.sub("\ufffd", place)
    return None


def damage(found: str) -> str:
    """The code of the problem of a DAMAGED character."""
    return "nul_in_cell" if found == "\0" else "half_character"


def _spoilt(found: str, number: int, name: str, log: Log) -> None:
    if DAMAGED.match(found):
        log.add("error", damage(found), row=number, column=name)
    elif found == "\ufffd":
        log.add("warning", "lost_letters", row=number, column=name)
    else:
        log.add("warning", "spoilt_accents", row=number, column=name, found=found)
