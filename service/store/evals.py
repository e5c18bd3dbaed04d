"""Evals: runs of the regression evals that were asked for, and the record of what they measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, and_, insert, select, update

from service.domain.jobs import DraftState, EvalConfiguration
from service.store.database import new_id, now
from service.store.drafts import UNDER_WAY
from service.store.tables import EVALS

CONFIGURATION = TypeAdapter(EvalConfiguration)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredEval:
    id: str
    team: str
    state: DraftState
    configuration: EvalConfiguration
    created_at: str
    created_by: str
    started_at: str | None
    finished_at: str | None
    report: Mapping[str, Any] | None
    """The run's record without its cases; of a run that was stopped, what was finished."""
    error: Mapping[str, Any] | None
    """{code, detail} where it failed or was stopped."""


def add(
    connection: Connection, *, team: str, created_by: str, configuration: EvalConfiguration
) -> StoredEval:
    """An eval that is asked for: `queued`."""
    row: dict[str, Any] = {
        "id": new_id("e"),
        "team": team,
        "state": "queued",
        "configuration": CONFIGURATION.dump_python(configuration, mode="json"),
        "created_at": now(),
        "created_by": created_by,
    }
    connection.execute(insert(EVALS).values(row))
    made = get(connection, row["id"], team=team)
    assert made is not None
    return made


def get(connection: Connection, eval_id: str, *, team: str | None = None) -> StoredEval | None:
    """An eval, of that team where one is given; None where there is none."""
    query = select(EVALS).where(EVALS.c.id == eval_id)
    if team is not None:
        query = query.where(EVALS.c.team == team)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    return StoredEval(**{**row, "configuration": CONFIGURATION.validate_python(row["configuration"])})


def under_way(connection: Connection) -> tuple[str, ...]:
    """Ids of the evals that have not ended, the oldest first: what jobs look after."""
    query = select(EVALS.c.id).where(EVALS.c.state.in_(UNDER_WAY)).order_by(EVALS.c.created_at, EVALS.c.id)
    return tuple(connection.execute(query).scalars())


def start(connection: Connection, eval_id: str) -> bool:
    """`queued`, or `running` again after a restart → `running`; False where it has ended."""
    return _move(connection, eval_id, "running", started_at=now())


def end(
    connection: Connection,
    eval_id: str,
    state: DraftState,
    *,
    report: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
) -> bool:
    """→ `done` with a report; `failed` or `stopped` with an error; False where it has ended already."""
    return _move(connection, eval_id, state, finished_at=now(), report=report, error=error)


def _move(connection: Connection, eval_id: str, state: DraftState, **values: Any) -> bool:
    this = and_(EVALS.c.id == eval_id, EVALS.c.state.in_(UNDER_WAY))
    return connection.execute(update(EVALS).where(this).values(state=state, **values)).rowcount > 0
