"""Rounds: uploaded, listed, read, and deleted with everything that was made from them."""

import logging
import shutil
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from service.api import uploads
from service.api.callers import Caller, Drafter, Reader, did, noted_read
from service.api.context import Context, Service
from service.api.once import Key, once
from service.api.openapi import BODY_OF_ROUND, problems
from service.api.reading import ReadRoute
from service.api.shapes import AnswerPage, Cursor, Limit, RoundOut, RoundPage, Text, written
from service.domain.round import Answer
from service.errors import NotFound
from service.store import answers, audit, drafts, rounds
from service.store.pages import Page
from service.store.rounds import StoredRound
from service.wiring import folder_of

LOG = logging.getLogger("polyphonie.api")

router = APIRouter(prefix="/v1/rounds", tags=["rounds"], route_class=ReadRoute)

ANSWERS = TypeAdapter(tuple[Answer, ...])
"""Written as they come from the store: a record of the API for each of 1,000 answers costs more than to read them."""

NO_ROUND = "no round with this id that this key may see. GET /v1/rounds lists them."

RoundId = Annotated[Text, Path(description="Id of a round.", examples=["r_4b1d0c8f6a2e9d7c5b3a"])]


@router.post(
    "",
    status_code=201,
    responses=problems(400, 413, 415),
    openapi_extra=BODY_OF_ROUND,
    response_model=RoundOut,
)
async def upload_round(
    request: Request, response: Response, service: Service, caller: Drafter, key: Key = None
) -> object:
    """Upload a round, as JSON or as a file with an optional sidecar.

    Nothing is kept while there is an error in it: `problems` then says file, row, column and what to do.
    """
    with uploads.folder() as folder:
        upload = await uploads.receive(request, folder)
        kept, new = await run_in_threadpool(_keep, service, caller, upload, key)
    response.headers["Location"] = f"/v1/rounds/{kept.id}"
    if not new:
        response.headers["Idempotent-Replayed"] = "true"
    return RoundOut.of(kept)


def _keep(
    service: Context, caller: Caller, upload: uploads.Upload, key: str | None
) -> tuple[StoredRound, bool]:
    read = uploads.read(upload.files[0])
    return keep_round(service, caller, read, key)


def keep_round(
    service: Context, caller: Caller, read: uploads.Read, key: str | None = None
) -> tuple[StoredRound, bool]:
    """Keep a round that was read; with a key, once."""
    return once(
        service.store,
        caller,
        key,
        f"POST /v1/rounds {read.round.id} {read.sha256}",
        make=lambda connection: _added(connection, caller, read),
        find=lambda connection, id_: rounds.get(connection, id_, team=caller.team),
    )


def _added(connection: Connection, caller: Caller, read: uploads.Read) -> tuple[str, StoredRound]:
    kept = rounds.add(
        connection,
        read.round,
        team=caller.team,
        created_by=caller.name,
        sha256=read.sha256,
        warnings=[w.model_dump() for w in read.warnings],
    )
    audit.append(connection, [did(caller, "round.create", kept.id, answers=kept.n_answers)])
    return kept.id, kept


@router.get("", responses=problems(), response_model=RoundPage)
async def list_rounds(service: Service, caller: Reader, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Rounds of the key's team, the newest first."""
    page = await service.store.look(
        lambda connection: rounds.page(connection, team=caller.team, cursor=cursor, limit=limit)
    )
    noted_read(service, caller, "round.list", "")
    return written(RoundPage(items=[RoundOut.of(r) for r in page.items], next=page.cursor))


@router.get("/{round_id}", responses=problems(404), response_model=RoundOut)
async def read_round(round_id: RoundId, service: Service, caller: Reader) -> Response:
    """What a round says of itself; its answers are at `/answers`."""
    kept = found_round(
        await service.store.look(lambda connection: rounds.get(connection, round_id, team=caller.team))
    )
    noted_read(service, caller, "round.read", kept.id)
    return written(RoundOut.of(kept))


@router.get("/{round_id}/answers", responses=problems(404), response_model=AnswerPage)
async def list_answers(
    round_id: RoundId,
    service: Service,
    caller: Reader,
    question: Annotated[
        Text | None, Query(description="Only answers to this question.", examples=["Q1"])
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> Response:
    """Answers in the order of the questions, blank ones included."""

    def look(connection: Connection) -> Page[Answer]:
        if not rounds.is_there(connection, round_id, team=caller.team):
            raise NotFound(NO_ROUND)
        return answers.page(connection, round_id, question_id=question, cursor=cursor, limit=limit)

    page = await service.store.look(look)
    noted_read(service, caller, "answers.read", round_id)
    body = b'{"items":%s,"next":%s}' % (ANSWERS.dump_json(page.items), to_json(page.cursor))
    return Response(body, media_type="application/json")


@router.delete("/{round_id}", status_code=204, responses=problems(404))
def delete_round(round_id: RoundId, service: Service, caller: Drafter) -> None:
    """Delete a round with its answers, drafts, results, model replies, events and revisions. Drafts under way are cancelled.

    On SQLite no file holds anything of it any more; what PostgreSQL keeps until when: docs/operate.md. Workers on other machines
    delete its vectors within minutes. What stays is the audit log: ids and names of keys.
    """
    with service.store.write() as connection:
        rounds.hold(connection, round_id)
        kept = found_round(rounds.get(connection, round_id, team=caller.team))
        under_way = drafts.of_round(connection, round_id, "queued", "running")
        done = drafts.of_round(connection, round_id, "done")
        rounds.remove(connection, round_id, team=caller.team)
        audit.append(connection, [did(caller, "round.delete", round_id, answers=kept.n_answers)])
    for draft_id in under_way:
        service.jobs.cancel(draft_id)
    for draft_id in done:
        service.reviews.forget(draft_id)
    shutil.rmtree(folder_of(service.settings, round_id), ignore_errors=True)
    if not service.store.scrub():
        LOG.warning(
            "%s is deleted; the write-ahead log could not be emptied yet and will be within a minute",
            round_id,
        )


def found_round(kept: StoredRound | None) -> StoredRound:
    """The round. Raises NotFound, in the same words whether it is not there or of another team."""
    if kept is None:
        raise NotFound(NO_ROUND)
    return kept
