"""Drafts: their state, and the result that never changes. What moves when is agreed in `service.domain.jobs`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, and_, insert, select, update

from service.domain.jobs import Configuration, DraftState
from service.store import events
from service.store.database import lock, new_id, now
from service.store.pages import Page, page_of
from service.store.tables import DRAFTS, RESULTS, REVISED

CONFIGURATION = TypeAdapter(Configuration)
UNDER_WAY = ("queued", "running")


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredDraft:
    id: str
    """Of the store; the draft's own id, the hash of what made it, is in its JSON."""
    round_id: str
    team: str
    state: DraftState
    configuration: Configuration
    created_at: str
    created_by: str
    started_at: str | None
    finished_at: str | None
    progress: Mapping[str, Any] | None
    """{stage, done, total} of the stage under way."""
    error: Mapping[str, Any] | None
    """{code, detail} where it failed or was stopped."""
    last_event: int
    version: int
    """Revisions made so far."""


def add(
    connection: Connection, *, round_id: str, team: str, created_by: str, configuration: Configuration
) -> StoredDraft:
    """A draft that is asked for: `queued`."""
    row: dict[str, Any] = {
        "id": new_id("d"),
        "round_id": round_id,
        "team": team,
        "state": "queued",
        "configuration": CONFIGURATION.dump_python(configuration, mode="json"),
        "created_at": now(),
        "created_by": created_by,
        "last_event": 0,
        "version": 0,
    }
    connection.execute(insert(DRAFTS).values(row))
    events.append(connection, row["id"], "state", {"state": "queued"})
    made = get(connection, row["id"], team=team)
    assert made is not None
    return made


def get(connection: Connection, draft_id: str, *, team: str | None = None) -> StoredDraft | None:
    """A draft, of that team where one is given; None where there is none."""
    query = select(DRAFTS).where(DRAFTS.c.id == draft_id)
    if team is not None:
        query = query.where(DRAFTS.c.team == team)
    row = connection.execute(query).mappings().first()
    return None if row is None else _stored(row)


def page(
    connection: Connection, *, team: str, round_id: str | None = None, cursor: str | None, limit: int
) -> Page[StoredDraft]:
    """Drafts of a team, or of one round, the newest first. Raises BadInput for a cursor that is none."""
    which = DRAFTS.c.team == team
    if round_id is not None:
        which = and_(which, DRAFTS.c.round_id == round_id)
    return page_of(connection, DRAFTS, which, cursor=cursor, limit=limit, read=_stored)


def in_state(connection: Connection, *states: DraftState) -> tuple[str, ...]:
    """Ids of the drafts in one of these states, the oldest first: what jobs look after."""
    query = select(DRAFTS.c.id).where(DRAFTS.c.state.in_(states)).order_by(DRAFTS.c.created_at, DRAFTS.c.id)
    return tuple(connection.execute(query).scalars())


def of_round(connection: Connection, round_id: str, *states: DraftState) -> tuple[str, ...]:
    """Ids of a round's drafts in one of these states."""
    which = and_(DRAFTS.c.round_id == round_id, DRAFTS.c.state.in_(states))
    return tuple(connection.execute(select(DRAFTS.c.id).where(which)).scalars())


def start(connection: Connection, draft_id: str) -> bool:
    """`queued` or `running` again after a restart → `running`; False where it has ended or is gone."""
    return _move(connection, draft_id, "running", started_at=now(), finished_at=None)


def tell(connection: Connection, draft_id: str, kind: str, data: Mapping[str, Any]) -> bool:
    """Append an event of a running draft. kind `progress`, data {stage, done, total}: it is also the draft's progress.

    False where the draft has ended (it was cancelled, say) or is gone: then the job stops.
    """
    lock(connection, "drafts", draft_id)
    values: dict[str, Any] = {"progress": dict(data)} if kind == "progress" else {"state": "running"}
    running = and_(DRAFTS.c.id == draft_id, DRAFTS.c.state == "running")
    if connection.execute(update(DRAFTS).where(running).values(values)).rowcount == 0:
        return False
    events.append(connection, draft_id, kind, data)
    return True


def finish(connection: Connection, draft_id: str, draft_json: bytes) -> bool:
    """Keep the result, once and for all: → `done`; False where the draft has ended or is gone."""
    if not _move(connection, draft_id, "done", finished_at=now(), progress=None):
        return False
    connection.execute(insert(RESULTS).values(draft_id=draft_id, json=draft_json))
    return True


def end(
    connection: Connection, draft_id: str, state: DraftState, *, code: str | None = None, detail: str = ""
) -> bool:
    """End without a result: `failed`, `cancelled` or `stopped`; False where it has ended already or is gone.

    code: class name of the error; detail: its text, made for a person.
    """
    error = None if code is None else {"code": code, "detail": detail}
    return _move(connection, draft_id, state, finished_at=now(), error=error)


def result(connection: Connection, draft_id: str) -> bytes | None:
    """draft.json as it was made; None where there is none."""
    return connection.execute(select(RESULTS.c.json).where(RESULTS.c.draft_id == draft_id)).scalar()


def current(connection: Connection, draft_id: str) -> bytes | None:
    """draft.json with all revisions applied: the result itself as long as nobody corrected it."""
    revised = connection.execute(select(REVISED.c.json).where(REVISED.c.draft_id == draft_id)).scalar()
    return result(connection, draft_id) if revised is None else revised


def _move(connection: Connection, draft_id: str, state: DraftState, **values: Any) -> bool:
    """Change the state of a draft that has not ended, and tell it in an event."""
    lock(connection, "drafts", draft_id)
    under_way = and_(DRAFTS.c.id == draft_id, DRAFTS.c.state.in_(UNDER_WAY))
    moved = connection.execute(update(DRAFTS).where(under_way).values(state=state, **values))
    if moved.rowcount == 0:
        return False
    told = {"state": state} | ({"error": values["error"]} if values.get("error") else {})
    events.append(connection, draft_id, "state", told)
    return True


def _stored(row: RowMapping) -> StoredDraft:
    return StoredDraft(**{**row, "configuration": CONFIGURATION.validate_python(row["configuration"])})
