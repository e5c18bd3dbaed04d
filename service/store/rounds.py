"""Rounds: what a round says of itself; its answers are in `answers`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, delete, insert, select

from service.domain.round import Round
from service.store import answers, idempotency
from service.store.database import lock, new_id, now
from service.store.pages import Listing, Page
from service.store.prepared import Prepared
from service.store.tables import DRAFTS, ROUNDS

ABOUT = TypeAdapter(Round)

_ITS = (ROUNDS.c.id == bindparam("id"), ROUNDS.c.team == bindparam("team"))
ONE = Prepared(select(ROUNDS).where(*_ITS))
IS_THERE = Prepared(select(ROUNDS.c.id).where(*_ITS))


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRound:
    id: str
    """Of the store; the id that the input gave is `about.id`."""
    team: str
    created_at: str
    created_by: str
    """Name of the key that uploaded it."""
    about: Round
    """Without its answers."""
    n_answers: int
    """Open and closed, blank ones included."""
    sha256: str
    """Of the bytes that were uploaded."""
    warnings: tuple[Mapping[str, Any], ...]
    """What the reader found strange but could live with."""


def add(
    connection: Connection,
    round_: Round,
    *,
    team: str,
    created_by: str,
    sha256: str,
    warnings: Sequence[Mapping[str, Any]] = (),
) -> StoredRound:
    """Keep a round with all its answers."""
    about = replace(round_, answers=())
    row = {
        "id": new_id("r"),
        "team": team,
        "created_at": now(),
        "created_by": created_by,
        "about": ABOUT.dump_python(about, mode="json"),
        "n_answers": len(round_.answers),
        "sha256": sha256,
        "warnings": [dict(w) for w in warnings],
    }
    connection.execute(insert(ROUNDS).values(row))
    answers.add(connection, row["id"], round_.answers)
    return StoredRound(**{**row, "about": about, "warnings": tuple(row["warnings"])})


def get(connection: Connection, round_id: str, *, team: str) -> StoredRound | None:
    """A round of that team, without its answers; None where there is none."""
    row = ONE.row(connection, {"id": round_id, "team": team})
    return None if row is None else _stored(row)


def is_there(connection: Connection, round_id: str, *, team: str) -> bool:
    """Whether that team has the round, where nothing of it is asked."""
    return IS_THERE.row(connection, {"id": round_id, "team": team}) is not None


def page(connection: Connection, *, team: str, cursor: str | None, limit: int) -> Page[StoredRound]:
    """Rounds of a team, the newest first. Raises BadInput for a cursor that is none."""
    return OF_TEAM.page(connection, team=team, cursor=cursor, limit=limit)


def load(connection: Connection, round_id: str) -> Round | None:
    """The whole round with its answers, as it was uploaded: what a job drafts; None once it is deleted."""
    about = connection.execute(select(ROUNDS.c.about).where(ROUNDS.c.id == round_id)).scalar()
    if about is None:
        return None
    return replace(ABOUT.validate_python(about), answers=tuple(answers.of_round(connection, round_id)))


def hold(connection: Connection, round_id: str) -> None:
    """Keep a round as it is until the transaction ends: nobody deletes it, or asks for a draft of it, in between."""
    lock(connection, "rounds", round_id)


def exists(connection: Connection, round_id: str) -> bool:
    return connection.execute(select(ROUNDS.c.id).where(ROUNDS.c.id == round_id)).first() is not None


def remove(connection: Connection, round_id: str, *, team: str) -> bool:
    """Delete a round with its answers, drafts, results, events and revisions; False where there is none."""
    derived = select(DRAFTS.c.id).where(DRAFTS.c.round_id == round_id, DRAFTS.c.team == team)
    idempotency.forget(connection, [round_id, *connection.execute(derived).scalars()])
    gone = connection.execute(delete(ROUNDS).where(ROUNDS.c.id == round_id, ROUNDS.c.team == team))
    return gone.rowcount == 1


def _stored(row: Mapping[str, Any]) -> StoredRound:
    return StoredRound(
        **{**row, "about": ABOUT.validate_python(row["about"]), "warnings": tuple(row["warnings"])}
    )


OF_TEAM = Listing(ROUNDS, ROUNDS.c.team == bindparam("team"), read=_stored)
