"""CSV and its kin: any usual separator, quoted line breaks; a quote that does not close is an error."""

import csv
import io
import re
from collections.abc import Iterator

from service.ingest.problems import Limits, Log
from service.ingest.tables import NumberedRow, Table, make_table

SEPARATORS = ",;\t|"
SAMPLE_CHARS = 200_000
SAMPLE_ROWS = 21
AGREE = 0.8
"""Share of the first rows that have as many cells as the header, from which a separator is taken for sure."""

SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n')
"""Excel's own first line, which names the separator."""


def read_delimited(text: str, limits: Limits, log: Log) -> Table:
    """The table of a CSV text. Raises Unreadable."""
    csv.field_size_limit(limits.line_bytes)  # before the separator is looked for: a quote may never close
    named = SEP_LINE.match(text)
    separator = named[1] if named else _separator(text)
    return make_table(
        _numbered(text[named.end() :] if named else text, separator, 2 if named else 1, log), limits, log
    )


def _separator(text: str) -> str:
    """The separator that cuts the header in most columns and most of the next rows in as many."""

    def rank(separator: str) -> tuple[bool, bool, int, float]:
        widths: list[int] = []
        sentence = False
        try:
            for row in csv.reader(io.StringIO(text[:SAMPLE_CHARS], newline=""), delimiter=separator):
                if row:
                    # "Que faut-il, en bref, changer ?": punctuation of a one-column file, unless most rows agree
                    sentence = sentence or (not widths and any(cell.startswith(" ") for cell in row[1:]))
                    widths.append(len(row))
                if len(widths) >= SAMPLE_ROWS:
                    break
        except csv.Error:
            return False, False, 0, 0.0
        same = sum(n == widths[0] for n in widths) / len(widths) if widths else 0.0
        table = bool(widths) and widths[0] > 1 and (same >= AGREE or not sentence)
        return table, same >= AGREE, widths[0] if table else 0, same

    return max(SEPARATORS, key=rank)


def _numbered(text: str, separator: str, first: int, log: Log) -> Iterator[NumberedRow]:
    """Rows with the line on which each begins. Strict: a misplaced quote moves text between cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = first
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _broken(error, begins, log) from error
        yield begins, row
        begins = reader.line_num + first


def _broken(error: csv.Error, row: int, log: Log) -> Exception:
    message = str(error)
    if "unexpected end" in message or "field larger" in message:
        return log.stop("open_quote", row=row)
    if "expected after" in message:
        return log.stop("inner_quote", row=row)
    return log.stop("broken_csv", row=row, why=message)
