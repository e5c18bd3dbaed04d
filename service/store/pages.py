"""Pages of a list, newest first: a cursor says after which row the next page begins, and stays right when rows are added."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, select, tuple_

from service.errors import BadInput

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[Item]):
    items: tuple[Item, ...]
    cursor: str | None
    """What to ask for the next page with; None on the last one."""


def page_of(
    connection: Connection,
    table: Table,
    which: ColumnElement[bool],
    *,
    cursor: str | None,
    limit: int,
    read: Callable[[RowMapping], Item],
) -> Page[Item]:
    """Rows by `created_at` then `id`, the newest first. Raises BadInput for a cursor that is none."""
    query = select(table).where(which).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(tuple_(table.c.created_at, table.c.id) < tuple_(*decode(cursor, 2)))
    rows = connection.execute(query).mappings().all()
    more = encode(rows[limit - 1]["created_at"], rows[limit - 1]["id"]) if len(rows) > limit else None
    return Page(items=tuple(read(row) for row in rows[:limit]), cursor=more)


def encode(*parts: str) -> str:
    """A cursor out of what the last row of a page is sorted by."""
    return base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")


def decode(cursor: str, parts: int) -> tuple[str, ...]:
    """What a cursor was made of. Raises BadInput."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = tuple(base64.b64decode(padded, altchars=b"-_", validate=True).decode().split("\n"))
    except (binascii.Error, UnicodeError) as error:
        raise BadInput(NO_CURSOR) from error
    if len(found) != parts or "\0" in cursor or any("\0" in part for part in found):
        raise BadInput(NO_CURSOR)
    return found


NO_CURSOR = "cursor is none of ours. Take the `next` of the page before, or leave it out for the first page."
