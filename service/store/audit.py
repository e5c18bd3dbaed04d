"""The audit log: who read, drafted, changed, exported, deleted. Append-only; holds ids, never what people wrote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from service.errors import BadInput
from service.store.database import now
from service.store.pages import NO_CURSOR, Page, decode, encode
from service.store.tables import AUDIT


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    at: str
    team: str
    who: str
    """Name of the key."""
    action: str
    """`round.read`, `draft.create`, `revision.create`, `draft.export`, `round.delete`, …"""
    target: str
    """Id of the round, draft or evaluation."""
    detail: Mapping[str, Any] | None = None


def entry(*, team: str, who: str, action: str, target: str, detail: Mapping[str, Any] | None = None) -> Entry:
    """An entry of this moment."""
    return Entry(at=now(), team=team, who=who, action=action, target=target, detail=detail)


def append(connection: Connection, entries: Sequence[Entry]) -> None:
    """Add entries."""
    if entries:
        connection.execute(insert(AUDIT), [{f: getattr(e, f) for f in Entry.__slots__} for e in entries])


def page(connection: Connection, *, team: str, cursor: str | None, limit: int) -> Page[Entry]:
    """Entries of a team, the newest first. Raises BadInput for a cursor that is none."""
    query = select(AUDIT).where(AUDIT.c.team == team)
    if cursor is not None:
        (before,) = decode(cursor, 1)
        if not (before.isascii() and before.isdigit() and len(before) < 10):
            raise BadInput(NO_CURSOR)
        query = query.where(AUDIT.c.number < int(before))
    rows = connection.execute(query.order_by(AUDIT.c.number.desc()).limit(limit + 1)).mappings().all()
    return Page(
        items=tuple(Entry(**{f: row[f] for f in Entry.__slots__}) for row in rows[:limit]),
        cursor=encode(str(rows[limit - 1]["number"])) if len(rows) > limit else None,
    )
