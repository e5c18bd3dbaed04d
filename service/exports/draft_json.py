"""draft.json: the draft's records as they are."""

import json

from pydantic import TypeAdapter, ValidationError

from service.domain.draft import SCHEMA, Draft
from service.errors import BadInput

DRAFT = TypeAdapter(Draft)


def to_json(draft: Draft) -> str:
    """The draft as JSON: keys in the order of the records, two-space indent, UTF-8 text, a final line break."""
    return DRAFT.dump_json(draft, indent=2).decode() + "\n"


def from_json(text: str) -> Draft:
    """Read a draft back. Raises BadInput that names the first field that does not fit."""
    try:
        draft = DRAFT.validate_json(text)
    except ValidationError as error:
        _refuse_other_schema(text)
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(
            f"this is no draft: {where}: {first['msg']}. Give a draft.json written by `polyphonie draft`."
        ) from error
    _check_schema(draft.schema)
    return draft


def _refuse_other_schema(text: str) -> None:
    """Say so where the fields don't fit because the file is of another schema."""
    try:
        found = json.loads(text)
    except ValueError:
        return
    if isinstance(found, dict) and isinstance(found.get("schema"), str):
        _check_schema(found["schema"])


def _check_schema(schema: str) -> None:
    if schema != SCHEMA:
        raise BadInput(f"schema {schema} is not {SCHEMA}: draft the round again with this version.")
