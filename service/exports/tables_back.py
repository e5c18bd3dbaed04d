"""A workbook that people worked in, read back as tables: whatever was sorted, filtered, added, or saved by another program."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import openpyxl
from openpyxl.utils import get_column_letter

from service.errors import BadInput
from service.exports.sheet_terms import COLUMNS, SHEETS
from service.exports.sheets import read_back

HEADER_WITHIN = 10
"""Rows within which the header is looked for: people put a title above it."""

MOST_UNPACKED = 2_000_000_000
"""Bytes; beyond, the file is refused unread."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    sheet: str
    """As it is called in the workbook."""
    row: int
    """1-based, as the spreadsheet shows it."""
    values: Mapping[str, str]
    """By key of COLUMNS; an empty cell is an empty string."""
    letters: Mapping[str, str]
    """The same keys → letter of the column."""

    def where(self, key: str) -> str:
        return f"sheet {self.sheet}, row {self.row}, column {self.letters.get(key, '?')}"


class TablesBack:
    """The sheets of a workbook by their key in SHEETS. Raises BadInput for what is no workbook."""

    def __init__(self, data: bytes) -> None:
        self._check(data)
        try:
            self._book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        except Exception as error:  # a damaged file makes openpyxl, zipfile and expat raise anything
            raise BadInput(
                f"the workbook is damaged: {error!r}. Open it in a spreadsheet program and save it as .xlsx again."
            ) from error
        known = {
            name.casefold(): key for language in SHEETS for key, name in SHEETS[language].items()
        }  # a name that both languages share means the same in both
        self._titles = {
            known[title.strip().casefold()]: title
            for title in self._book.sheetnames
            if title.strip().casefold() in known
        }

    def __contains__(self, sheet: str) -> bool:
        return sheet in self._titles

    def note(self, name: str) -> str | None:
        """The value beside a name in the first sheet, such as the draft's id."""
        if "readme" not in self._titles:
            return None
        for row in self._book[self._titles["readme"]].iter_rows(max_row=40, values_only=True):
            cells = [_text(v) for v in row]
            for left, right in pairwise(cells):
                if left == name:
                    return right
        return None

    def lines(self, sheet: str, needed: tuple[str, ...]) -> Iterator[Line]:
        """Lines of a sheet that hold anything. Raises BadInput where a needed column is missing."""
        title = self._titles[sheet]
        letters: dict[str, str] = {}
        places: dict[str, int] = {}
        for number, row in enumerate(self._book[title].iter_rows(values_only=True), start=1):
            cells = [_text(v) for v in row]
            if not places:
                found = _places(cells)
                if all(key in found for key in needed):
                    places = found
                    letters = {key: get_column_letter(k + 1) for key, k in found.items()}
                elif number >= HEADER_WITHIN:
                    break
                continue
            values = {key: cells[k] if k < len(cells) else "" for key, k in places.items()}
            if any(values[key] for key in needed):
                yield Line(sheet=title, row=number, values=values, letters=letters)
        if not places:
            names = " or ".join(
                ", ".join(f"« {COLUMNS[language][key]} »" for key in needed) for language in COLUMNS
            )
            raise BadInput(
                f"sheet {title}, row 1: its header lacks one of the columns {names}. "
                "Give the header back its names, or copy the sheet from a fresh export."
            )

    @staticmethod
    def _check(data: bytes) -> None:
        try:
            unpacked = sum(e.file_size for e in zipfile.ZipFile(io.BytesIO(data)).infolist())
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise BadInput(
                f"this is no .xlsx workbook: {error}. Save the corrected sheet as .xlsx, not as .ods or .csv."
            ) from error
        if unpacked > MOST_UNPACKED:
            raise BadInput(f"unpacked, the workbook would be {unpacked:,} bytes: refused.")


def _places(cells: list[str]) -> dict[str, int]:
    """Key of COLUMNS → index of its column; the first of two alike."""
    names = [" ".join(c.split()).casefold() for c in cells]
    found: dict[str, int] = {}
    for language in COLUMNS:
        for key, name in COLUMNS[language].items():
            if key not in found and name.casefold() in names:
                found[key] = names.index(name.casefold())
    return found


def _text(value: object) -> str:
    """A cell as text, stripped; a whole number without decimals, as ids are written."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return read_back(str(value)).strip()
