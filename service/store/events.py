"""Events of a draft, numbered from 1: what a follower reads, and where it goes on after a broken connection."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from service.store.database import now
from service.store.tables import DRAFTS, EVENTS


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    number: int
    at: str
    kind: str
    """`state` {state, error?}, `progress` {stage, done, total}, `revision` {version}, or a note of the jobs."""
    data: Mapping[str, Any]


def append(connection: Connection, draft_id: str, kind: str, data: Mapping[str, Any]) -> int:
    """Add the next event and return its number. The caller's transaction holds the draft's row."""
    count = update(DRAFTS).where(DRAFTS.c.id == draft_id).values(last_event=DRAFTS.c.last_event + 1)
    number = connection.execute(count.returning(DRAFTS.c.last_event)).scalar_one()
    row = {"draft_id": draft_id, "number": number, "at": now(), "kind": kind, "data": dict(data)}
    connection.execute(insert(EVENTS).values(row))
    return int(number)


def after(connection: Connection, draft_id: str, number: int, *, limit: int = 500) -> tuple[Event, ...]:
    """Events that follow that number, in order."""
    query = (
        select(EVENTS.c.number, EVENTS.c.at, EVENTS.c.kind, EVENTS.c.data)
        .where(EVENTS.c.draft_id == draft_id, EVENTS.c.number > number)
        .order_by(EVENTS.c.number)
        .limit(limit)
    )
    return tuple(Event(**row) for row in connection.execute(query).mappings())
