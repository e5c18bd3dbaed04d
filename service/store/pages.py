"""Pages of a list, newest first: a cursor says after which row the next page begins, and stays right when rows are added."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, bindparam, select, tuple_

from service.errors import BadInput
from service.store.prepared import Prepared

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[Item]):
    items: tuple[Item, ...]
    cursor: str | None
    """What to ask for the next page with; None on the last one."""


class Listing(Generic[Item]):
    """Rows by `created_at` then `id`, the newest first."""

    def __init__(
        self, table: Table, which: ColumnElement[bool], *, read: Callable[[Mapping[str, Any]], Item]
    ) -> None:
        """which: with `bindparam`s, that `page` gets the values of."""
        query = select(table).where(which).order_by(table.c.created_at.desc(), table.c.id.desc())
        behind = tuple_(bindparam("behind_at"), bindparam("behind_id"))
        self._first = Prepared(query.limit(bindparam("most")))
        self._next = Prepared(
            query.where(tuple_(table.c.created_at, table.c.id) < behind).limit(bindparam("most"))
        )
        self._read = read

    def page(self, connection: Connection, *, cursor: str | None, limit: int, **values: str) -> Page[Item]:
        """Raises BadInput for a cursor that is none."""
        asked: dict[str, Any] = {**values, "most": limit + 1}
        query = self._first
        if cursor is not None:
            query = self._next
            asked["behind_at"], asked["behind_id"] = decode(cursor, 2)
        rows = query.rows(connection, asked)
        more = encode(rows[limit - 1]["created_at"], rows[limit - 1]["id"]) if len(rows) > limit else None
        return Page(items=tuple(self._read(row) for row in rows[:limit]), cursor=more)


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
