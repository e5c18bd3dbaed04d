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
        raise log.stop("old_excel")
    if data.startswith(FOREIGN):
        raise log.stop("no_table")
    json_like = data[:100].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
    _check_lines(data, limits.json_bytes if json_like else limits.line_bytes, log)
    text = decode(data, log)
    del data
    begin = text[:1000].lstrip()[:1]
    if not begin and not text.strip():
        raise log.stop("empty")
    if MARKUP.match(text[:1000].lstrip()):
        raise log.stop("markup")
    if begin in ("{", "["):
        found = read_json(text, path, limits, log)
        if found is not None:
            return found
    return read_delimited(text, limits, log)


def _bytes(path: Path, limits: Limits, log: Log) -> bytes:
    if path.is_dir():
        raise log.stop("folder")
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise log.stop("no_file")
        if size > limits.file_bytes:
            raise log.stop("too_many_bytes", bytes=size, most=limits.file_bytes)
        data = path.read_bytes()
    except OSError as error:
        raise log.stop("unreadable", why=error.strerror or str(error)) from error
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(data, limits, log)
    if not data:
        raise log.stop("empty")
    return data


def _unpacked(data: bytes, limits: Limits, log: Log) -> bytes:
    most = min(limits.unpacked_bytes, max(RATIO_FROM, limits.unpacked_ratio * len(data)))
    try:
        with gzip.open(io.BytesIO(data)) as packed:
            found = packed.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise log.stop("gzip_damaged", why=str(error)) from error
    if len(found) > most:
        raise log.stop("unpacked_too_large", most=most)
    return found


def _check_lines(data: bytes, most: int, log: Log) -> None:
    """A file of one endless line is refused before it is decoded."""
    start = 0
    while len(data) - start > most:
        last = max(data.rfind(b"\n", start, start + most), data.rfind(b"\r", start, start + most))
        if last < 0:
            row = data.count(b"\n", 0, start) + 1
            raise log.stop("line_too_long", row=row, most=most)
        start = last + 1
