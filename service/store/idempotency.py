"""Idempotency keys: a request that is sent again with the same key makes nothing again and gets what the first one made."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from service.store.database import now
from service.store.tables import IDEMPOTENCY


@dataclass(frozen=True, kw_only=True, slots=True)
class Earlier:
    request_sha256: str
    """Hash of the request that came first with this key."""
    target: str
    """What it made."""


def find(connection: Connection, *, team: str, key: str) -> Earlier | None:
    """What the first request with this key made; None where this is the first."""
    query = select(IDEMPOTENCY.c.request_sha256, IDEMPOTENCY.c.target).where(
        IDEMPOTENCY.c.team == team, IDEMPOTENCY.c.key == key
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else Earlier(**row)


def keep(connection: Connection, *, team: str, key: str, request_sha256: str, target: str) -> bool:
    """Remember what a request made; False where another one with this key came first: roll back, and look it up."""
    row = {"team": team, "key": key, "request_sha256": request_sha256, "target": target, "created_at": now()}
    try:
        connection.execute(insert(IDEMPOTENCY).values(row))
    except IntegrityError:
        return False
    return True


def forget(connection: Connection, targets: Sequence[str]) -> None:
    """Forget keys of what is deleted."""
    for target in targets:
        connection.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.target == target))
