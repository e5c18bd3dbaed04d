"""What a round says of itself beside its answers: title, questions, panel, names of columns."""

import json
import re
from collections import Counter
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from service.ingest.problems import Log
from service.ingest.tables import Table, find_damaged


class Columns(BaseModel):
    model_config = ConfigDict(extra="forbid")
    respondent_id: str | None = None
    category: str | None = None
    ignore: list[str] = []


class QuestionNote(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    title: str = ""
    column: str | None = None
    kind: Literal["open", "closed"] | None = None
    joined_with: list[str] = []
    closed_part_of: str | None = None
    options: list[str] = []
    counts: dict[str, Annotated[int, Field(ge=0)]] = {}


class PanelNote(BaseModel):
    model_config = ConfigDict(extra="forbid")
    category: str
    consulted: int | None = Field(None, ge=0)


class Sidecar(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str | None = None
    title: str | None = None
    language: Literal["fr", "en"] | None = None
    unit: Literal["respondent", "organisation"] = "respondent"
    note: str | None = None
    columns: Columns = Columns()
    questions: list[QuestionNote] = []
    panel: list[PanelNote] = []


INNER: dict[str, type[BaseModel]] = {"columns": Columns, "questions": QuestionNote, "panel": PanelNote}
"""Which record stands under a key."""

SHAPES = {
    "missing": "sidecar_missing",
    "string_type": "sidecar_no_text",
    "int_type": "sidecar_no_number",
    "int_parsing": "sidecar_no_number",
    "int_from_float": "sidecar_no_number",
    "greater_than_equal": "sidecar_too_small",
    "list_type": "sidecar_no_list",
    "dict_type": "sidecar_no_record",
    "model_type": "sidecar_no_record",
    "literal_error": "sidecar_choice",
}
"""Pydantic's name of what is wrong with a value → the code of the problem."""


def stem(path: Path) -> str:
    """A file's name without endings: `answers` for `answers.csv`, `answers.csv.gz`, `answers.round.json`."""
    name = path.name.removesuffix(".gz")
    return Path(name).stem.removesuffix(".round") or "round"


def sidecar_of(path: Path) -> Path | None:
    """The file that says more of a round: `answers.round.json` or `round.json` beside `answers.csv`."""
    beside = (path.with_name(f"{stem(path)}.round.json"), path.with_name("round.json"))
    return next((f for f in beside if f.is_file() and f.resolve() != path.resolve()), None)


def read_sidecar(path: Path, table: Table, log: Log) -> Sidecar:
    """What is said beside the answers: a file, keys of a JSON round, sheets; the file goes first."""
    given: dict[str, Any] = dict(table.extra)
    source = path.name
    file = sidecar_of(path)
    if file is not None:
        source = file.name
        given |= _load(file, log)
    for name in ("questions", "panel"):
        if name in table.sheets and name not in given:
            given[name] = [_record(table.sheets[name].header, cells) for _, cells in table.sheets[name].rows]
    damaged = [found for key, value in given.items() if (found := find_damaged(key, value))]
    for code, place in damaged:
        log.add("error", code, column=place, file=source)
    if damaged:
        return Sidecar()
    for key in sorted(set(given) - set(Sidecar.model_fields)):
        code, said = _nearest("unknown_key", key, Sidecar.model_fields)
        log.add("warning", code, file=source, **said)
    try:
        sidecar = Sidecar.model_validate(given)
    except ValidationError as error:
        for one in error.errors()[:10]:
            code, said = _misshapen(one)
            log.add("error", code, column=".".join(map(str, one["loc"])), file=source, **said)
        return Sidecar()
    _check_once([q.id for q in sidecar.questions], "question_twice", source, log)
    _check_once([p.category for p in sidecar.panel], "category_twice", source, log)
    return sidecar


def _nearest(code: str, key: str, known: Collection[str]) -> tuple[str, dict[str, Any]]:
    """The problem of a key that nobody knows, with the known one that looks like it where there is one."""
    near = get_close_matches(key.lower(), known, n=1)
    return (f"{code}_near", {"key": key, "near": near[0]}) if near else (code, {"key": key})


def _misshapen(error: ErrorDetails) -> tuple[str, dict[str, Any]]:
    """The problem of a value that is not what belongs there."""
    if error["type"] == "extra_forbidden":
        known = INNER[str(error["loc"][0])].model_fields
        return _nearest("key_not_permitted", str(error["loc"][-1]), known)
    ctx = error.get("ctx", {})
    said = {"why": error["msg"], "known": str(ctx.get("expected", "")), "least": str(ctx.get("ge", ""))}
    return SHAPES.get(error["type"], "sidecar_other"), said


def _load(path: Path, log: Log) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        log.add("error", "sidecar_unreadable", file=path.name, why=str(error))
        return {}
    if not isinstance(loaded, dict):
        log.add("error", "sidecar_no_object", file=path.name)
        return {}
    return loaded


def _check_once(names: list[str], code: str, source: str, log: Log) -> None:
    for name in [n for n, count in Counter(names).items() if count > 1]:
        log.add("error", code, column=name, file=source, name=name)


def _record(header: tuple[str, ...], cells: tuple[str, ...]) -> dict[str, Any]:
    """A row of a sheet, empty cells left out; lists have ; between their members, questions also +."""
    record: dict[str, Any] = {k: v.strip() for k, v in zip(header, cells, strict=True) if k and v.strip()}
    for key, between in (("joined_with", "[;+]"), ("options", ";")):
        if key in record:
            record[key] = [part.strip() for part in re.split(between, record[key]) if part.strip()]
    return record
