"""What a round says of itself beside its answers: title, questions, panel, names of columns."""

import json
import re
from collections import Counter
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.ingest.problems import Log
from service.ingest.tables import Table


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
    counts: dict[str, int] = {}


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
    unknown = sorted(set(given) - set(Sidecar.model_fields))
    if unknown:
        log.add(
            "warning",
            f"unknown keys: {', '.join(unknown)}",
            _nearest(unknown, Sidecar.model_fields),
            file=source,
        )
    try:
        sidecar = Sidecar.model_validate(given)
    except ValidationError as error:
        for one in error.errors()[:10]:
            where = ".".join(map(str, one["loc"]))
            remedy = "see docs/input.md"
            if one["type"] == "extra_forbidden":
                remedy = _nearest([str(one["loc"][-1])], INNER[str(one["loc"][0])].model_fields)
            log.add("error", one["msg"], remedy, column=where, file=source)
        return Sidecar()
    _check_once([q.id for q in sidecar.questions], "question", source, log)
    _check_once([p.category for p in sidecar.panel], "category", source, log)
    return sidecar


def _nearest(unknown: Sequence[str], known: Collection[str]) -> str:
    """The remedy for keys that nobody knows: the known ones that look like them."""
    near = {key: get_close_matches(key.lower(), known, n=1) for key in unknown}
    meant = [f"{found[0]} in place of {key}" for key, found in near.items() if found]
    return (f"write {', '.join(meant)}; " if meant else "") + "docs/input.md has the names"


def _load(path: Path, log: Log) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        log.add("error", f"can't be read: {error}", "check that it is JSON in UTF-8", file=path.name)
        return {}
    if not isinstance(loaded, dict):
        log.add("error", "not an object", 'it begins with {"id": …', file=path.name)
        return {}
    return loaded


def _check_once(names: list[str], what: str, source: str, log: Log) -> None:
    for name in [n for n, count in Counter(names).items() if count > 1]:
        log.add("error", f"{what} {name} stands twice", "name it once", column=name, file=source)


def _record(header: tuple[str, ...], cells: tuple[str, ...]) -> dict[str, Any]:
    """A row of a sheet, empty cells left out; lists have ; between their members, questions also +."""
    record: dict[str, Any] = {k: v.strip() for k, v in zip(header, cells, strict=True) if k and v.strip()}
    for key, between in (("joined_with", "[;+]"), ("options", ";")):
        if key in record:
            record[key] = [part.strip() for part in re.split(between, record[key]) if part.strip()]
    return record
