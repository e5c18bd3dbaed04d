"""Drafts: their state, and the result that never changes. What moves when is agreed in `service.domain.jobs`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, and_, bindparam, case, func, insert, select, update

from service.domain.jobs import Configuration, DraftState
from service.store import events
from service.store.database import lock, new_id, now
from service.store.pages import Listing, Page
from service.store.prepared import Prepared
from service.store.tables import DRAFTS, RESULTS, REVISED

CONFIGURATION = TypeAdapter(Configuration)
UNDER_WAY = ("queued", "running")

ANY = Prepared(select(DRAFTS).where(DRAFTS.c.id == bindparam("id")))
ONE = Prepared(select(DRAFTS).where(DRAFTS.c.id == bindparam("id"), DRAFTS.c.team == bindparam("team")))
_BYTES = func.coalesce(func.length(REVISED.c.json), func.length(RESULTS.c.json), 0)
SHOWN = Prepared(
    select(
        DRAFTS,
        _BYTES.label("n_bytes"),
        case((bindparam("most_bytes") >= _BYTES, func.coalesce(REVISED.c.json, RESULTS.c.json))).label(
            "json"
        ),
    )
    .outerjoin(RESULTS, RESULTS.c.draft_id == DRAFTS.c.id)
    .outerjoin(REVISED, REVISED.c.draft_id == DRAFTS.c.id)
    .where(DRAFTS.c.id == bindparam("id"), DRAFTS.c.team == bindparam("team"))
)


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


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownDraft:
    draft: StoredDraft
    n_bytes: int
    """Of draft.json with all revisions applied; 0 as long as there is none."""
    json: bytes | None
    """That file; None where there is none, or it is longer than was asked for."""


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
    query, asked = (ANY, {"id": draft_id}) if team is None else (ONE, {"id": draft_id, "team": team})
    row = query.row(connection, asked)
    return None if row is None else _stored(row)


def shown(connection: Connection, draft_id: str, *, team: str, most_bytes: int) -> ShownDraft | None:
    """A draft of that team with its result, of one moment; None where there is none. most_bytes: of a result that is wanted."""
    asked = {"id": draft_id, "team": team, "most_bytes": most_bytes}
    row = SHOWN.row(connection, asked)
    if row is None:
        return None
    return ShownDraft(draft=_stored(row), n_bytes=row["n_bytes"], json=row["json"])


def page(
    connection: Connection, *, team: str, round_id: str | None = None, cursor: str | None, limit: int
) -> Page[StoredDraft]:
    """Drafts of a team, or of one round, the newest first. Raises BadInput for a cursor that is none."""
    if round_id is None:
        return OF_TEAM.page(connection, team=team, cursor=cursor, limit=limit)
    return OF_ROUND.page(connection, team=team, round_id=round_id, cursor=cursor, limit=limit)


def in_state(connection: Connection, *states: DraftState) -> tuple[str, ...]:
    """Ids of the drafts in one of these states, the oldest first: what jobs look after."""
    query = select(DRAFTS.c.id).where(DRAFTS.c.state.in_(states)).order_by(DRAFTS.c.created_at, DRAFTS.c.id)
    return tuple(connection.execute(query).scalars())


def last_done(connection: Connection) -> StoredDraft | None:
    """The draft of any team that was finished last: the one most likely to be read next."""
    done = select(DRAFTS).where(DRAFTS.c.state == "done")
    row = connection.execute(done.order_by(DRAFTS.c.finished_at.desc()).limit(1)).mappings().first()
    return None if row is None else _stored(dict(row))


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


def _stored(row: Mapping[str, Any]) -> StoredDraft:
    fields = {name: row[name] for name in StoredDraft.__slots__}
    return StoredDraft(**fields | {"configuration": CONFIGURATION.validate_python(row["configuration"])})


OF_TEAM = Listing(DRAFTS, DRAFTS.c.team == bindparam("team"), read=_stored)
OF_ROUND = Listing(
    DRAFTS,
    and_(DRAFTS.c.team == bindparam("team"), DRAFTS.c.round_id == bindparam("round_id")),
    read=_stored,
)
