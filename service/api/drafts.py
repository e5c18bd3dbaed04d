"""Drafts: asked for, followed, read, cancelled, exported."""

import sys
from enum import Enum
from typing import Annotated

from fastapi import APIRouter, Body, Header, Path, Query, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from service.api.callers import Caller, Drafter, Exporter, Reader, did, noted_read
from service.api.context import Context, Service
from service.api.offers import check_offer
from service.api.once import Key, once
from service.api.openapi import problems
from service.api.problems import Refused, Trouble
from service.api.reading import ReadRoute
from service.api.rounds import RoundId, found_round
from service.api.shapes import (
    ConfigurationIn,
    Cursor,
    DraftOut,
    DraftPage,
    DraftSummary,
    Limit,
    Text,
    written,
)
from service.domain.jobs import ENDED, Configuration
from service.domain.round import Round
from service.domain.selection import misfits
from service.errors import Conflict, InvalidRequest, NotFound
from service.exports import FORMATS, export, review_of
from service.store import audit, drafts, rounds
from service.store.drafts import ShownDraft, StoredDraft

router = APIRouter(prefix="/v1", tags=["drafts"], route_class=ReadRoute)

DraftId = Annotated[Text, Path(description="Id of a draft.", examples=["d_0f6c2b9e7a5d4c3b2a19"])]
Format = Enum("Format", {f: f for f in FORMATS}, type=str)  # type: ignore[misc]

NO_DRAFT = "no draft with this id that this key may see. GET /v1/drafts lists them."

QUICK_BYTES = 256 * 1024
"""A result up to this size is read on the event loop: sooner done than a change of threads."""

MEDIA_TYPES = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@router.post(
    "/rounds/{round_id}/drafts",
    status_code=202,
    responses=problems(400, 404, 413, 415),
    response_model=DraftSummary,
)
def ask_for_draft(
    round_id: RoundId,
    response: Response,
    service: Service,
    caller: Drafter,
    configuration: Annotated[ConfigurationIn | None, Body()] = None,
    key: Key = None,
) -> object:
    """Ask for a draft of a round. It is made in the background: follow it where `Location` says."""
    kept, new = queue_draft(service, caller, round_id, (configuration or ConfigurationIn()).record(), key)
    response.headers["Location"] = f"/v1/drafts/{kept.id}"
    if not new:
        response.headers["Idempotent-Replayed"] = "true"
    return DraftSummary.of(kept)


def queue_draft(
    service: Context, caller: Caller, round_id: str, configuration: Configuration, key: str | None = None
) -> tuple[StoredDraft, bool]:
    """Add a queued draft and give it to the jobs; with a key, once. Raises NotFound and Refused."""
    check_offer(service.settings, llm=configuration.llm, encoder=configuration.encoder)

    def make(connection: Connection) -> tuple[str, StoredDraft]:
        rounds.hold(connection, round_id)
        _check_questions(found_round(rounds.get(connection, round_id, team=caller.team)).about, configuration)
        made = drafts.add(
            connection,
            round_id=round_id,
            team=caller.team,
            created_by=caller.name,
            configuration=configuration,
        )
        audit.append(connection, [did(caller, "draft.create", made.id, round=round_id)])
        return made.id, made

    kept, new = once(
        service.store,
        caller,
        key,
        f"POST /v1/rounds/{round_id}/drafts {configuration!r}",
        make=make,
        find=lambda connection, id_: drafts.get(connection, id_, team=caller.team),
    )
    if kept.state == "queued":  # a repeated request submits again what a crash kept from the jobs
        service.jobs.submit(kept.id)
    return kept, new


@router.get("/drafts", responses=problems(), response_model=DraftPage)
async def list_drafts(
    service: Service,
    caller: Reader,
    round_: Annotated[Text | None, Query(alias="round", description="Only drafts of this round.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """Drafts of the key's team, the newest first, without their results."""
    page = await service.store.look(
        lambda connection: drafts.page(
            connection, team=caller.team, round_id=round_, cursor=cursor, limit=limit
        )
    )
    noted_read(service, caller, "draft.list", round_ or "")
    return written(DraftPage(items=[DraftSummary.of(d) for d in page.items], next=page.cursor))


@router.get(
    "/drafts/{draft_id}",
    responses=problems(404) | {304: {"description": "As it was."}},
    response_model=DraftOut,
)
async def read_draft(
    draft_id: DraftId,
    service: Service,
    caller: Reader,
    if_none_match: Annotated[str | None, Header(max_length=400)] = None,
) -> Response:
    """State and progress, then the draft with all revisions applied. `ETag` is what `If-Match` of a change takes."""

    def look(connection: Connection, most_bytes: int = QUICK_BYTES) -> ShownDraft:
        shown = drafts.shown(connection, draft_id, team=caller.team, most_bytes=most_bytes)
        if shown is None:
            raise NotFound(NO_DRAFT)
        return shown

    def look_at_all() -> ShownDraft:
        with service.store.read() as connection:
            return look(connection, sys.maxsize)

    shown = await service.store.look(look)
    noted_read(service, caller, "draft.read", draft_id)
    tag = etag(shown.draft)
    if if_none_match is not None and tag in matches(if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    if shown.json is None and shown.n_bytes:
        shown = await run_in_threadpool(look_at_all)
        tag = etag(shown.draft)
    summary = DraftSummary.of(shown.draft).model_dump_json().encode()
    # the result is passed on as it lies in the store: parsing 100 MB to write the same again helps nobody
    whole = b'%s,"draft":%s}' % (summary[:-1], shown.json or b"null")
    return Response(whole, media_type="application/json", headers={"ETag": tag})


@router.post("/drafts/{draft_id}/cancel", status_code=202, responses=problems(404, 409))
def cancel_draft(draft_id: DraftId, service: Service, caller: Drafter) -> DraftSummary:
    """Stop making a draft. One that is queued is cancelled at once, one that runs after the call under way."""
    with service.store.write() as connection:
        kept = found_draft(connection, caller, draft_id)
        if kept.state in ENDED and kept.state != "cancelled":
            raise Conflict(f"this draft is {kept.state}: there is nothing to cancel.")
        if kept.state == "queued":
            drafts.end(connection, draft_id, "cancelled")
        if kept.state != "cancelled":
            audit.append(connection, [did(caller, "draft.cancel", draft_id)])
    service.jobs.cancel(draft_id)
    with service.store.read() as connection:
        return DraftSummary.of(found_draft(connection, caller, draft_id))


@router.get(
    "/drafts/{draft_id}/export",
    responses=problems(404, 409)
    | {
        200: {
            "description": "The deliverable.",
            "content": {m: {} for f, m in MEDIA_TYPES.items() if f in FORMATS},
        }
    },
    response_class=Response,
)
def export_draft(
    draft_id: DraftId,
    service: Service,
    caller: Exporter,
    format_: Annotated[Format, Query(alias="format", description="Of the deliverable.")],
) -> Response:
    """A deliverable, made from the draft with all revisions applied; it carries the drafting mark until it is approved."""
    with service.store.read() as connection:
        kept = found_draft(connection, caller, draft_id)
        reviewed = service.reviews.load(connection, draft_id, kept.version) if kept.state == "done" else None
    if reviewed is None:
        raise Conflict(f"this draft is {kept.state}: there is nothing to export yet.")
    with service.store.write() as connection:
        audit.append(connection, [did(caller, "draft.export", draft_id, format=format_.value)])
    return Response(
        export(reviewed.draft, format_.value, review_of(reviewed)),
        media_type=MEDIA_TYPES[format_.value],
        headers={"Content-Disposition": f'attachment; filename="draft.{format_.value}"'},
    )


def found_draft(connection: Connection, caller: Caller, draft_id: str) -> StoredDraft:
    """The draft. Raises NotFound, in the same words whether it is not there or of another team."""
    kept = drafts.get(connection, draft_id, team=caller.team)
    if kept is None:
        raise NotFound(NO_DRAFT)
    return kept


def etag(kept: StoredDraft) -> str:
    """Of a draft that is done: its version. Before: its newest event."""
    return f'"v{kept.version}"' if kept.state == "done" else f'"e{kept.last_event}"'


def matches(header: str) -> list[str]:
    """The tags of an If-Match or If-None-Match, weak marks taken off."""
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]


def _check_questions(about: Round, configuration: Configuration) -> None:
    """Raises Refused where the configuration names what the round does not have."""
    found = [
        Trouble(field="body.questions", message=m.message, remedy=m.remedy)
        for m in misfits(about, configuration.questions)
    ]
    known = {q.id for q in about.questions}
    found += [
        Trouble(
            field=f"body.themes.{n}",
            message=f"no question {id_}",
            remedy=f"the round has {', '.join(sorted(known))}",
        )
        for n, theme in enumerate(configuration.themes)
        for id_ in theme.question_ids
        if id_ not in known
    ]
    titles = [t.title for t in configuration.themes]
    found += [
        Trouble(field="body.themes", message=f"theme « {t} » stands twice", remedy="name each theme once")
        for t in sorted({t for t in titles if titles.count(t) > 1})
    ]
    if found:
        raise Refused(InvalidRequest("; ".join(f"{t.message} → {t.remedy}" for t in found)), problems=found)
