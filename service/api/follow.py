"""Events of a draft as they happen: server-sent events, resumed where the connection broke."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from service.api.callers import Reader, noted_read
from service.api.context import Context, Service
from service.api.drafts import DraftId, found_draft
from service.api.openapi import problems
from service.api.reading import ReadRoute
from service.domain.jobs import ENDED
from service.store import drafts, events
from service.store.events import Event

router = APIRouter(prefix="/v1", tags=["drafts"], route_class=ReadRoute)

LOOK_SECONDS = 0.5
"""Between two looks at the store."""

HEARTBEAT_SECONDS = 15.0
"""Silence after which a comment is sent, so that nobody on the way takes the connection for dead."""

EXAMPLE = 'id: 3\nevent: progress\ndata: {"stage": "group", "done": 1, "total": 20}\n\n'


@router.get(
    "/drafts/{draft_id}/events",
    response_class=StreamingResponse,
    responses=problems(404)
    | {
        200: {
            "description": "`state`, `progress` and `revision` events; the stream ends with the draft.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
        },
        204: {"description": "The draft has ended and every event was seen: don't connect again."},
    },
)
async def follow_draft(
    draft_id: DraftId,
    request: Request,
    service: Service,
    caller: Reader,
    last_event_id: Annotated[int, Header(alias="Last-Event-ID", ge=0, le=2**31 - 1)] = 0,
) -> Response:
    """Follow a draft. `Last-Event-ID` goes on behind that event; without it the events are told from the first."""

    def look() -> tuple[bool, int]:
        with service.store.read() as connection:
            kept = found_draft(connection, caller, draft_id)
        noted_read(service, caller, "events.read", draft_id)
        return kept.state in ENDED, kept.last_event

    ended, last = await run_in_threadpool(look)
    if ended and last_event_id >= last:
        return Response(status_code=204)
    told = _told(request, service, draft_id, last_event_id)
    return StreamingResponse(told, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _told(request: Request, service: Context, draft_id: str, seen: int) -> AsyncIterator[str]:
    silent = 0.0
    yield "retry: 2000\n\n"
    leaving: Callable[[], bool] = request.app.state.leaving
    while not (leaving() or await request.is_disconnected()):
        new, ended = await run_in_threadpool(_look, service, draft_id, seen)
        for event in new:
            seen = event.number
            yield f"id: {event.number}\nevent: {event.kind}\ndata: {json.dumps({'at': event.at, **event.data})}\n\n"
        if ended and not new:
            return
        if new:
            silent = 0.0
            continue
        await asyncio.sleep(LOOK_SECONDS)
        silent += LOOK_SECONDS
        if silent >= HEARTBEAT_SECONDS:
            silent = 0.0
            yield ": still here\n\n"


def _look(service: Context, draft_id: str, seen: int) -> tuple[tuple[Event, ...], bool]:
    """Events behind that number, and whether no more will come: the draft has ended, or was deleted with its round."""
    with service.store.read() as connection:
        kept = drafts.get(connection, draft_id)
        return events.after(connection, draft_id, seen), kept is None or kept.state in ENDED
