"""Model calls: asked for by a draft, made once by any worker, kept with the draft that paid for them.

A row is open until it is answered or refused. `ticket` names the job that makes the call; a row that is opened anew gets a new
one, so a job that comes late finds that the call is no longer its own. What is asked is forgotten once it is answered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.store.database import new_id, now
from service.store.tables import CALLS, DRAFTS

OPEN = and_(CALLS.c.text.is_(None), CALLS.c.error.is_(None))
ENDED_DRAFTS = select(DRAFTS.c.id).where(DRAFTS.c.state.not_in(("queued", "running")))
CHUNK = 500
"""Keys in one statement."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    key: str
    """sha256 of everything that decides the reply."""
    ticket: str
    draft_id: str
    """The draft that pays, or paid, for it."""
    llm: str
    """Spec of the model."""
    request: Mapping[str, Any]
    """Empty once it is answered."""
    tries: int
    """How often a worker began it."""
    text: str | None
    input_tokens: int
    output_tokens: int
    error: Mapping[str, str] | None
    """{kind, detail} of a call that was refused."""

    @property
    def is_open(self) -> bool:
        return self.text is None and self.error is None


COLUMNS = [CALLS.c[name] for name in Call.__dataclass_fields__]


def ask(
    connection: Connection, *, key: str, draft_id: str, llm: str, request: Mapping[str, Any]
) -> Call | None:
    """The call with that key: a kept one, one under way, or a new one; what was refused to another draft is asked again.

    None where another process asked the same in this moment: look again.
    """
    found = look(connection, [key]).get(key)
    fresh = {"ticket": new_id("c"), "draft_id": draft_id, "llm": llm, "request": dict(request), "tries": 0}
    if found is None:
        row = {"key": key, "input_tokens": 0, "output_tokens": 0, "asked_at": now(), **fresh}
        try:
            with connection.begin_nested():
                connection.execute(insert(CALLS).values(row))
        except IntegrityError:
            return None
    elif found.error is not None and found.draft_id != draft_id:
        same = and_(CALLS.c.key == key, CALLS.c.ticket == found.ticket)
        connection.execute(update(CALLS).where(same).values(error=None, asked_at=now(), **fresh))
    else:
        return found
    return look(connection, [key]).get(key)


def look(connection: Connection, keys: Iterable[str]) -> dict[str, Call]:
    """The calls with these keys, by key."""
    wanted = list(keys)
    found: dict[str, Call] = {}
    for first in range(0, len(wanted), CHUNK):
        query = select(*COLUMNS).where(CALLS.c.key.in_(wanted[first : first + CHUNK]))
        found |= {row.key: _call(row) for row in connection.execute(query)}
    return found


def take(connection: Connection, ticket: str) -> Call | None:
    """Begin an open call; None where it is answered, another ticket's, or its draft has ended: then it is forgotten."""
    mine = and_(CALLS.c.ticket == ticket, OPEN)
    connection.execute(delete(CALLS).where(mine, CALLS.c.draft_id.in_(ENDED_DRAFTS)))
    taken = update(CALLS).where(mine).values(tries=CALLS.c.tries + 1).returning(*COLUMNS)
    row = connection.execute(taken).first()
    return None if row is None else _call(row)


def answer(connection: Connection, ticket: str, *, text: str, input_tokens: int, output_tokens: int) -> bool:
    """Keep the reply; False where the call is no longer open."""
    return _close(
        connection, ticket, text=text, input_tokens=input_tokens, output_tokens=output_tokens, request={}
    )


def refuse(connection: Connection, ticket: str, *, kind: str, detail: str) -> bool:
    """Keep why there is no reply; False where the call is no longer open."""
    return _close(connection, ticket, error={"kind": kind, "detail": detail}, request={})


def renew(connection: Connection, key: str, ticket: str) -> str | None:
    """Give an open call to a new job, because the one of that ticket ended without an answer; the new ticket."""
    new = new_id("c")
    lost = and_(CALLS.c.key == key, CALLS.c.ticket == ticket, OPEN)
    moved = connection.execute(update(CALLS).where(lost).values(ticket=new))
    return new if moved.rowcount else None


def drop(connection: Connection, draft_id: str) -> None:
    """Forget the calls of a draft that has ended which nobody has begun; one under way is still paid for, and kept."""
    connection.execute(delete(CALLS).where(CALLS.c.draft_id == draft_id, OPEN, CALLS.c.tries == 0))


def unwanted(connection: Connection) -> tuple[str, ...]:
    """Tickets of the open calls of drafts that have ended."""
    query = select(CALLS.c.ticket).where(OPEN, CALLS.c.draft_id.in_(ENDED_DRAFTS))
    return tuple(connection.execute(query).scalars())


def forget(connection: Connection, tickets: Sequence[str]) -> None:
    """Forget open calls by their tickets."""
    for ticket in tickets:
        connection.execute(delete(CALLS).where(CALLS.c.ticket == ticket, OPEN))


def count_open(connection: Connection) -> int:
    """Calls that wait or are under way."""
    return connection.execute(select(func.count()).select_from(CALLS).where(OPEN)).scalar_one()


def count_closed(connection: Connection, draft_id: str) -> int:
    """Calls of a draft that were answered or refused."""
    closed = select(func.count()).select_from(CALLS).where(CALLS.c.draft_id == draft_id, ~OPEN)
    return connection.execute(closed).scalar_one()


def _close(connection: Connection, ticket: str, **values: Any) -> bool:
    mine = and_(CALLS.c.ticket == ticket, OPEN)
    return connection.execute(update(CALLS).where(mine).values(answered_at=now(), **values)).rowcount == 1


def _call(row: Row[Any]) -> Call:
    return Call(**row._mapping)
