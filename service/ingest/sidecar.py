"""What a round says of itself beside the answers: title, questions, panel. A JSON file, keys of a JSON round, or sheets."""

import json
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


def read_sidecar(path: Path, table: Table, log: Log) -> Sidecar:
    """The sidecar of an input: `<stem>.round.json` or `round.json` beside it, the JSON round's own keys, or sheets."""
    given: dict[str, Any] = dict(table.extra)
    source = path.name
    for candidate in (path.with_name(f"{path.name.split('.')[0]}.round.json"), path.with_name("round.json")):
        if candidate.is_file() and candidate.resolve() != path.resolve():
            source = candidate.name
            try:
                loaded = json.loads(candidate.read_text(encoding="utf-8-sig"))
                given = {**given, **loaded} if isinstance(loaded, dict) else given
                if not isinstance(loaded, dict):
                    log.add("error", f"{source} is not an object", 'it begins with {"id": …')
            except (OSError, ValueError) as error:
                log.add("error", f"{source} can't be read: {error}", "check that it is JSON in UTF-8")
            break
    for name in ("questions", "panel"):
        if name in table.sheets and name not in given:
            given[name] = [_record(table.sheets[name].header, cells) for _, cells in table.sheets[name].rows]
    try:
        return Sidecar.model_validate(given)
    except ValidationError as error:
        for one in error.errors()[:10]:
            log.add("error", f"{source}, {'.'.join(map(str, one['loc']))}: {one['msg']}", "see docs/input.md")
        return Sidecar()


def _record(header: tuple[str, ...], cells: tuple[str, ...]) -> dict[str, Any]:
    """A row of a sheet, empty cells left out; lists are written with + or ; between their members."""
    record: dict[str, Any] = {k: v.strip() for k, v in zip(header, cells, strict=True) if k and v.strip()}
    for key in ("joined_with", "options"):
        if key in record:
            record[key] = [part.strip() for part in record[key].replace(";", "+").split("+") if part.strip()]
    return record
