"""JSON: a whole round, a list of objects, or JSON Lines."""

import json
from pathlib import Path
from typing import Any

from service.ingest.problems import Limits, Log
from service.ingest.tables import Table, check_cells, find_damaged

LINES = (".jsonl", ".ndjson", ".json")


def read_json(text: str, path: Path, limits: Limits, log: Log) -> Table | None:
    """The table of a JSON text; None if it is a CSV that begins with a bracket. Raises Unreadable."""
    extra: dict[str, Any] = {}
    try:
        whole = loads(text)
    except RecursionError as error:
        raise log.stop("nested") from error
    except ValueError as failed:
        if path.suffix == ".json" and "\n{" not in text:
            raise log.stop("broken_json", why=str(failed)) from failed
        lines = _lines(text, path, log)
        if lines is None:
            return None
        records = lines
    else:
        if isinstance(whole, dict) and isinstance(whole.get("answers"), list):
            extra = {k: v for k, v in whole.items() if k != "answers"}
            whole = whole["answers"]
        if not isinstance(whole, list):
            whole = [whole]
        if len(whole) > limits.rows:
            raise log.stop("too_many_answers", most=limits.rows)
        records = list(enumerate(whole, start=1))
    try:
        return _table(records, extra, limits, log)
    except RecursionError as error:
        raise log.stop("nested") from error


def _table(records: list[tuple[int, Any]], extra: dict[str, Any], limits: Limits, log: Log) -> Table:
    if not records:
        raise log.stop("no_answers")
    if len(records) > limits.rows:
        raise log.stop("too_many_answers", most=limits.rows)
    header: dict[str, None] = {}
    for number, record in records:
        if not isinstance(record, dict):
            raise log.stop("no_object", row=number)
        header |= dict.fromkeys(record)
        if len(header) > limits.columns:
            raise log.stop("too_many_columns", row=number, columns=len(header), most=limits.columns)
    columns = tuple(header)
    for name in columns:
        if found := find_damaged(name, None):
            code, column = found
            raise log.stop(code, column=column)
    rows = tuple((n, tuple(_text(r.get(k), n, k, log) for k in columns)) for n, r in records)
    check_cells(columns, rows, limits, log)
    return Table(header=columns, rows=rows, extra=extra)


def _lines(text: str, path: Path, log: Log) -> list[tuple[int, Any]] | None:
    records: list[tuple[int, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            records.append((number, loads(line)))
        except (ValueError, RecursionError) as error:
            if not records and path.suffix not in LINES:
                return None
            raise log.stop("broken_json_line", row=number, why=str(error)) from error
    return records


def loads(text: str | bytes) -> Any:
    """JSON whose numbers are texts: 3.10 and 1e2 stay as they are written. Raises ValueError, also for a key that stands twice."""
    return json.loads(text, object_pairs_hook=_once, parse_float=str, parse_int=str)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand once; JSON itself would keep the last and drop the others."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [k for k, _ in pairs]
        twice = next(k for k in names if names.count(k) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def _text(value: object, row: int, column: str, log: Log) -> str:
    """A text or number as it is, nothing for null, choices as "a; b", true and false as JSON writes them."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(_text(one, row, column, log) for one in value)
    if isinstance(value, dict):
        log.add("error", "object_as_text", row=row, column=column)
        return ""
    return json.dumps(value)
