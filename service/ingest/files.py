"""From a path to a table: what kind of file it is, by what it holds and not by its name."""

import gzip
import io
import re
import zlib
from pathlib import Path

from service.ingest.decoding import decode
from service.ingest.delimited import read_delimited
from service.ingest.jsonfile import read_json
from service.ingest.problems import RATIO_FROM, Limits, Log
from service.ingest.tables import Table
from service.ingest.workbook import read_workbook

FORMATS = "give a CSV, XLSX, JSON or JSON Lines file"
FOREIGN = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"MZ",
    b"\x7fELF",
    b"Rar!",
    b"7z\xbc\xaf",
    b"SQLite format 3",
)
MARKUP = re.compile(r"<(?:!doctype|html|head|body|meta|table|\?xml)\b", re.IGNORECASE)
"""How a page begins that a survey tool calls a spreadsheet."""


def read_table(path: Path, limits: Limits, log: Log) -> Table:
    """The table of answers that a file holds. Raises Unreadable."""
    data = _bytes(path, limits, log)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return read_workbook(path, data, limits, log)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise log.stop(
            "an old Excel file (.xls) or a locked one", "save it as .xlsx or CSV, without a password"
        )
    if data.startswith(FOREIGN):
        raise log.stop("this is no table (a PDF, a picture, an archive or a program)", FORMATS)
    json_like = data[:100].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
    _check_lines(data, limits.json_bytes if json_like else limits.line_bytes, log)
    text = decode(data, log)
    del data
    begin = text[:1000].lstrip()[:1]
    if not begin and not text.strip():
        raise log.stop("the file is empty", "export the answers again")
    if MARKUP.match(text[:1000].lstrip()):
        raise log.stop(
            "an HTML or XML page, whatever its name says",
            "open it in a spreadsheet program and save it as .xlsx or CSV",
        )
    if begin in ("{", "["):
        found = read_json(text, path, limits, log)
        if found is not None:
            return found
    return read_delimited(text, limits, log)


def _bytes(path: Path, limits: Limits, log: Log) -> bytes:
    if path.is_dir():
        raise log.stop("this is a folder", "give a file")
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise log.stop("this is no regular file (a device or a pipe)", "write it to a file first")
        if size > limits.file_bytes:
            raise log.stop(
                f"{size:,} bytes, more than {limits.file_bytes:,}", "split the round into several files"
            )
        data = path.read_bytes()
    except OSError as error:
        raise log.stop(f"can't be read: {error.strerror}", "check the path and the permissions") from error
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(data, limits, log)
    if not data:
        raise log.stop("the file is empty", "export the answers again")
    return data


def _unpacked(data: bytes, limits: Limits, log: Log) -> bytes:
    most = min(limits.unpacked_bytes, max(RATIO_FROM, limits.unpacked_ratio * len(data)))
    try:
        with gzip.open(io.BytesIO(data)) as packed:
            found = packed.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise log.stop(f"a damaged gzip file: {error}", "pack it again") from error
    if len(found) > most:
        raise log.stop(f"unpacked it is more than {most:,} bytes", "give the unpacked file, in several parts")
    return found


def _check_lines(data: bytes, most: int, log: Log) -> None:
    """A file of one endless line is refused before it is decoded."""
    start = 0
    while len(data) - start > most:
        last = max(data.rfind(b"\n", start, start + most), data.rfind(b"\r", start, start + most))
        if last < 0:
            row = data.count(b"\n", 0, start) + 1
            raise log.stop(
                f"a line of more than {most:,} bytes", "check that the export has line breaks", row=row
            )
        start = last + 1
