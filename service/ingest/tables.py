"""A file as a table of text: encodings, separators, spreadsheets, JSON. Nothing here knows what a question is."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
from charset_normalizer import from_bytes

from service.ingest.problems import Limits, Log

SEPARATORS = ",;\t|"
MOJIBAKE = ("Ã©", "Ã¨", "Ã ", "â€™", "Ãª", "Ã§")


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    """(1-based row in the file, cells); every row has as many cells as the header."""
    sheets: dict[str, "Table"] = field(default_factory=dict)
    """Other sheets of a workbook, by name in lower case."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What a JSON round says beside its answers."""


def read_table(path: Path, limits: Limits, log: Log) -> Table:
    """Read a file by what it holds, not by its name. Raises Unreadable."""
    data = _bytes(path, limits, log)
    if data.startswith(b"PK\x03\x04"):
        return _workbook(data, limits, log)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise log.stop(
            "an old Excel file (.xls) or a locked one", "save it as .xlsx or CSV, without a password"
        )
    if data.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"MZ", b"\x7fELF")):
        raise log.stop(
            "this is no table (a PDF, a picture or a program)", "give a CSV, XLSX, JSON or JSON Lines file"
        )
    _check_lines(data, limits, log)
    text = _decode(data, log)
    stripped = text.lstrip("\ufeff \t\r\n")
    if not stripped:
        raise log.stop("the file is empty", "export the answers again")
    if stripped[0] in "{[":
        found = _json(stripped, path, log)
        if found is not None:
            return found
    return _csv(text, limits, log)


def _bytes(path: Path, limits: Limits, log: Log) -> bytes:
    if path.is_dir():
        raise log.stop("this is a folder", "give a file")
    try:
        size = path.stat().st_size
        if size > limits.file_bytes:
            raise log.stop(
                f"{size:,} bytes, more than {limits.file_bytes:,}", "split the round into several files"
            )
        data = path.read_bytes()
    except OSError as error:
        raise log.stop(f"can't be read: {error.strerror}", "check the path and the permissions") from error
    if data.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(limits.unpacked_bytes + 1)
        except (OSError, EOFError) as error:
            raise log.stop(f"a damaged gzip file: {error}", "pack it again") from error
        if len(data) > limits.unpacked_bytes or len(data) > 10e6 and len(data) > limits.unpacked_ratio * size:
            raise log.stop("unpacked it is too large", "give the unpacked file, in several parts")
    if not data:
        raise log.stop("the file is empty", "export the answers again")
    return data


def _check_lines(data: bytes, limits: Limits, log: Log) -> None:
    """A file of one endless line is refused before it is decoded."""
    if len(data) <= limits.line_bytes:
        return
    start = 0
    while start < len(data):
        window = data[start : start + limits.line_bytes]
        last = max(window.rfind(b"\n"), window.rfind(b"\r"))
        if last < 0:
            if len(window) < limits.line_bytes:
                return
            row = data.count(b"\n", 0, start) + 1
            raise log.stop(
                f"a line of more than {limits.line_bytes:,} bytes",
                "check that the export has line breaks",
                row=row,
            )
        start += last + 1


def _decode(data: bytes, log: Log) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif data[:2000].count(0) > len(data[:2000]) / 4:
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    else:
        encoding = "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            raise log.stop(f"not {encoding}: {error.reason}", "save it as UTF-8") from error
        text = _legacy(data, error, log)
    nul = text.find("\0")
    if nul >= 0:
        row = text.count("\n", 0, nul) + 1
        raise log.stop(
            "a NUL character: this is no text, or a damaged one", "export it again as UTF-8", row=row
        )
    for mark in MOJIBAKE:
        at = text.find(mark)
        if at >= 0:
            log.add(
                "warning",
                f"{text.count(mark)} times « {mark} »: accents were lost in an earlier conversion",
                "export again as UTF-8; the text is kept as it is",
                row=text.count("\n", 0, at) + 1,
            )
            break
    at = text.find("\ufffd")
    if at >= 0:
        log.add(
            "warning",
            f"{text.count(chr(0xFFFD))} replacement characters (U+FFFD): letters were lost before this file was written",
            "export again from the source; the text is kept as it is",
            row=text.count("\n", 0, at) + 1,
        )
    return text


def _legacy(data: bytes, error: UnicodeDecodeError, log: Log) -> str:
    row = data.count(b"\n", 0, error.start) + 1
    try:
        text = data.decode("cp1252")
        name = "cp1252 (Western Excel)"
    except UnicodeDecodeError:
        best = from_bytes(data[:200_000]).best()
        name = best.encoding if best else ""
        try:
            text = data.decode(name)
        except (UnicodeDecodeError, LookupError) as failed:
            raise log.stop("the encoding can't be told", "save it as UTF-8", row=row) from failed
    controls = sum(1 for c in text[:100_000] if c < " " and c not in "\t\r\n\f\v")
    if controls > len(text[:100_000]) / 100:
        raise log.stop("this is no text", "give a CSV, XLSX, JSON or JSON Lines file", row=row)
    log.add("warning", f"not UTF-8: read as {name}", "check the accents, or save it as UTF-8", row=row)
    return text


def _csv(text: str, limits: Limits, log: Log) -> Table:
    csv.field_size_limit(limits.line_bytes)
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=False)
    rows = _numbered(reader, text, log)
    return _table(rows, limits, log)


def _separator(text: str) -> str:
    """The separator that cuts the header in most columns and the next rows in as many."""
    sample = text[:200_000]

    def rank(separator: str) -> tuple[bool, int]:
        try:
            rows = []
            for row in csv.reader(io.StringIO(sample, newline=""), delimiter=separator):
                rows.append(len(row))
                if len(rows) > 20:
                    break
        except csv.Error:
            return False, 0
        width = rows[0] if rows else 0
        same = sum(n == width for n in rows) >= 0.8 * len(rows)
        return same and width > 1, width

    return max(SEPARATORS, key=rank)


def _numbered(reader: Any, text: str, log: Log) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line on which each begins; a quote that never closes is an error, not half a file in one cell."""
    begins = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise log.stop(
                f"not a well-formed CSV: {error}", "check the quotes in this row", row=begins
            ) from error
        yield begins, row
        begins = reader.line_num + 1


def _table(rows: Iterable[tuple[int, list[str]]], limits: Limits, log: Log) -> Table:
    header: tuple[str, ...] | None = None
    kept: list[tuple[int, tuple[str, ...]]] = []
    for number, row in rows:
        if header is None:
            if not any(cell.strip() for cell in row):
                continue
            while row and not row[-1].strip():
                row.pop()
            header = tuple(cell.strip().strip("\ufeff") for cell in row)
            if len(header) > limits.columns:
                raise log.stop(
                    f"{len(header):,} columns, more than {limits.columns:,}",
                    "keep the columns of the questions",
                    row=number,
                )
            continue
        if not any(cell.strip() for cell in row):
            continue
        beyond = [c for c in row[len(header) :] if c.strip()]
        if beyond:
            log.add(
                "error",
                f"{len(row)} cells under {len(header)} column names",
                "quote cells that hold the separator, or name the column",
                row=number,
                kind="more cells than column names",
            )
        if len(row) < len(header):
            log.add(
                "warning",
                f"{len(row)} cells under {len(header)} column names: the missing ones are read as empty",
                "check the row",
                row=number,
                kind="fewer cells than column names",
            )
        kept.append((number, tuple((row + [""] * len(header))[: len(header)])))
        if len(kept) > limits.rows:
            raise log.stop(f"more than {limits.rows:,} rows", "split the round into several files")
    if header is None:
        raise log.stop("the file is empty", "export the answers again")
    if not kept:
        raise log.stop("column names but no answers", "export the answers again", row=1)
    _check_cells(header, kept, limits, log)
    return Table(header=header, rows=tuple(kept))


def _check_cells(
    header: tuple[str, ...], rows: list[tuple[int, tuple[str, ...]]], limits: Limits, log: Log
) -> None:
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


def _workbook(data: bytes, limits: Limits, log: Log) -> Table:
    try:
        box = zipfile.ZipFile(io.BytesIO(data))
        entries = box.infolist()
    except zipfile.BadZipFile as error:
        raise log.stop(f"a damaged ZIP or XLSX file: {error}", "save it again") from error
    unpacked = sum(e.file_size for e in entries)
    if unpacked > limits.unpacked_bytes or (unpacked > 10e6 and unpacked > limits.unpacked_ratio * len(data)):
        raise log.stop(f"unpacked it would be {unpacked:,} bytes: refused", "give the sheet as CSV")
    names = {e.filename for e in entries}
    if "xl/workbook.xml" not in names:
        raise log.stop("a ZIP archive, not a spreadsheet", "unpack it and give the file inside")
    if any(name.endswith("vbaProject.bin") for name in names):
        raise log.stop("a workbook with macros", "save it as .xlsx without macros")
    try:
        values = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False)
        tables: dict[str, Table] = {}
        for sheet in values.worksheets:
            rows = list(_cells(sheet, formulas[sheet.title], limits, log))
            if any(any(c.strip() for c in row) for _, row in rows):
                tables[sheet.title.casefold()] = _table(rows, limits, log)
    except (KeyError, ValueError, TypeError, OSError, zipfile.BadZipFile, SyntaxError) as error:
        raise log.stop(
            f"a damaged workbook: {error}", "open it in a spreadsheet program and save it again"
        ) from error
    aside = {name: t for name, t in tables.items() if name in ("questions", "panel")}
    answers = [t for name, t in tables.items() if name not in aside]
    if not answers:
        raise log.stop("no sheet with answers", "put the answers on the first sheet")
    if len(answers) > 1:
        log.add(
            "warning",
            f"{len(answers)} sheets with data: the first is read",
            "give one sheet of answers per file",
        )
    return Table(header=answers[0].header, rows=answers[0].rows, sheets=aside)


def _cells(values: Any, formulas: Any, limits: Limits, log: Log) -> Iterator[tuple[int, list[str]]]:
    both = zip(values.iter_rows(values_only=True), formulas.iter_rows(values_only=True), strict=True)
    for number, (row, raw) in enumerate(both, start=1):
        if len(row) > limits.columns * 8:
            raise log.stop(f"{len(row):,} columns", "keep the columns of the questions", row=number)
        for at, (cell, source) in enumerate(zip(row, raw, strict=True), start=1):
            if isinstance(source, str) and source.startswith("=") and cell != source:
                log.add(
                    "error" if cell is None else "warning",
                    "a formula"
                    + (" without a stored result" if cell is None else ": its stored result is read"),
                    "replace formulas by their values (copy, paste special, values)",
                    row=number,
                    column=openpyxl.utils.get_column_letter(at),
                    kind="a formula",
                )
        yield number, [_text(cell) for cell in row]


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _json(text: str, path: Path, log: Log) -> Table | None:
    """A JSON round, a list of objects, or JSON Lines; None if it is CSV that begins with a bracket."""
    extra: dict[str, Any] = {}
    records: list[tuple[int, Any]] = []
    try:
        whole = json.loads(text)
        if isinstance(whole, dict) and isinstance(whole.get("answers"), list):
            extra = {k: v for k, v in whole.items() if k != "answers"}
            records = list(enumerate(whole["answers"], start=1))
        else:
            records = list(enumerate(whole if isinstance(whole, list) else [whole], start=1))
    except ValueError as failed:
        if path.suffix in (".json",) and "\n{" not in text:
            raise log.stop(f"not well-formed JSON: {failed}", "export it again") from failed
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            try:
                records.append((number, json.loads(line)))
            except ValueError as error:
                if not records and path.suffix not in (".jsonl", ".ndjson", ".json"):
                    return None
                raise log.stop(f"not a JSON line: {error}", "one object a line", row=number) from error
    header: dict[str, None] = {}
    for number, record in records:
        if not isinstance(record, dict):
            raise log.stop("not an object", "a list of objects, or one object a line", row=number)
        header |= dict.fromkeys(record)
    if not records:
        raise log.stop("no answers in it", "export the answers again")
    rows = tuple((n, tuple(_json_text(r.get(k)) for k in header)) for n, r in records)
    return Table(header=tuple(header), rows=rows, extra=extra)


def _json_text(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(_json_text, value))
    return "" if value is None else str(value)
