"""Many rounds in one request, each kept or refused on its own; with drafts asked for at once, if wanted."""

import hashlib
import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from service.api import uploads
from service.api.callers import Caller, Drafter
from service.api.context import Context, Service
from service.api.drafts import queue_draft
from service.api.once import Key
from service.api.openapi import BODY_OF_BATCH, problems
from service.api.problems import Refused, Trouble, problem_of
from service.api.rounds import keep_round
from service.api.shapes import BatchItem, BatchOut, ConfigurationIn, DraftSummary, RoundOut
from service.errors import InvalidRequest, PolyphonieError
from service.ingest.jsonfile import loads

router = APIRouter(prefix="/v1/rounds", tags=["rounds"])


@router.post(
    "/batch", responses=problems(400, 413, 415), openapi_extra=BODY_OF_BATCH, response_model=BatchOut
)
async def upload_many(request: Request, service: Service, caller: Drafter, key: Key = None) -> object:
    """Upload up to 1,000 rounds. One that can't be read does not stop the others: `items` says what became of each."""
    with uploads.folder() as folder:
        upload = await uploads.receive(request, folder, most_files=uploads.MOST_FILES)
        return await run_in_threadpool(_keep_all, service, caller, upload, key)


def _keep_all(service: Context, caller: Caller, upload: uploads.Upload, key: str | None) -> BatchOut:
    files, wanted = upload.files, upload.fields.get("draft")
    configuration = None if wanted is None else _configuration(wanted)
    if len(files) == 1 and files[0].name == uploads.JSON_NAME:
        files, configuration = _split(files[0])
    items = [
        _keep_one(service, caller, file, configuration, _part(key, number))
        for number, file in enumerate(files)
    ]
    kept = sum(1 for i in items if i.round is not None)
    return BatchOut(kept=kept, refused=len(items) - kept, items=items)


def _keep_one(
    service: Context, caller: Caller, file: Path, configuration: ConfigurationIn | None, key: str | None
) -> BatchItem:
    item = BatchItem(file=file.name)
    try:
        kept, _ = keep_round(service, caller, uploads.read(file), key)
        item.round = RoundOut.of(kept)
        if configuration is not None:
            draft, _ = queue_draft(service, caller, kept.id, configuration.record(), _part(key, "draft"))
            item.draft = DraftSummary.of(draft)
    except Refused as error:
        item.problem = problem_of(error.error, error.problems)
    except PolyphonieError as error:
        item.problem = problem_of(error)
    return item


def _part(key: str | None, part: object) -> str | None:
    """The key of one thing that a request with a key makes: a batch that broke off is sent again and goes on where it broke."""
    return None if key is None else hashlib.sha256(f"{key} {part}".encode()).hexdigest()


def _split(file: Path) -> tuple[tuple[Path, ...], ConfigurationIn | None]:
    """The rounds of a JSON body, each in a file of its own. Raises Refused."""
    try:
        loaded = loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"the body is no JSON: {error}") from error
    rounds = loaded.get("rounds") if isinstance(loaded, dict) else None
    if not isinstance(rounds, list) or not 1 <= len(rounds) <= uploads.MOST_FILES:
        message = f"a list of 1 to {uploads.MOST_FILES:,} rounds is needed"
        raise Refused(InvalidRequest(message), problems=[Trouble(field="body.rounds", message=message)])
    unknown = sorted(set(loaded) - {"rounds", "draft"})
    if unknown:
        message = f"no such key: {unknown[0]}. Known: rounds, draft"
        raise Refused(
            InvalidRequest(message), problems=[Trouble(field=f"body.{unknown[0]}", message=message)]
        )
    files = []
    for number, one in enumerate(rounds, start=1):
        path = file.with_name(f"round-{number}.json")
        try:
            path.write_text(json.dumps(one), encoding="utf-8")
        except RecursionError as error:
            raise InvalidRequest(f"round {number}: brackets within brackets, too deep to be read") from error
        files.append(path)
    wanted = loaded.get("draft")
    return tuple(files), None if wanted is None else _configuration(wanted)


def _configuration(wanted: Any) -> ConfigurationIn:
    try:
        if isinstance(wanted, str):
            return ConfigurationIn.model_validate_json(wanted)
        return ConfigurationIn.model_validate(wanted)
    except ValidationError as error:
        found = [
            Trouble(field=".".join(map(str, ("body", "draft", *e["loc"]))), message=e["msg"])
            for e in error.errors()
        ]
        raise Refused(
            InvalidRequest("; ".join(f"{t.field}: {t.message}" for t in found)), problems=found
        ) from error
