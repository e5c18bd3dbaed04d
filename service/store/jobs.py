"""Jobs: which ticket makes a draft or an evaluation, and how often it was begun in vain."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.store.database import new_id
from service.store.tables import JOBS


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    id: str
    """Of the draft or evaluation."""
    ticket: str
    """Of the queued work that makes it; only the newest ticket may."""
    tries: int
    """Begun in a row without anything to show for it."""
    finished: int
    """Model calls that were finished when it was last begun."""
    reason: str | None
    """Why the last try ended, where that is known."""


COLUMNS = [JOBS.c[name] for name in Job.__dataclass_fields__]


def add(connection: Connection, job_id: str) -> Job:
    """The job of that id; a new one where there is none."""
    found = get(connection, job_id)
    if found is None:
        row = {"id": job_id, "ticket": new_id("t"), "tries": 0, "finished": 0}
        try:
            with connection.begin_nested():
                connection.execute(insert(JOBS).values(row))
        except IntegrityError:  # another process submitted it in this moment
            pass
        found = get(connection, job_id)
        assert found is not None
    return found


def get(connection: Connection, job_id: str) -> Job | None:
    row = connection.execute(select(*COLUMNS).where(JOBS.c.id == job_id)).first()
    return None if row is None else _job(row)


def begin(connection: Connection, job_id: str, ticket: str, *, finished: int) -> Job | None:
    """Count a try; it is the first again where calls were finished since the last. None where the ticket is an old one."""
    found = get(connection, job_id)
    if found is None or found.ticket != ticket:
        return None
    tries = 1 if finished > found.finished else found.tries + 1
    mine = and_(JOBS.c.id == job_id, JOBS.c.ticket == ticket)
    begun = update(JOBS).where(mine).values(tries=tries, finished=finished).returning(*COLUMNS)
    row = connection.execute(begun).first()
    return None if row is None else _job(row)


def note(
    connection: Connection, job_id: str, ticket: str, *, reason: str | None, counts: bool = True
) -> None:
    """Why a try ended. counts False: it was laid down on purpose, and is no failed try."""
    values: dict[str, Any] = {"reason": reason} if counts else {"reason": reason, "tries": 0}
    connection.execute(update(JOBS).where(JOBS.c.id == job_id, JOBS.c.ticket == ticket).values(values))


def renew(connection: Connection, job_id: str, ticket: str) -> str | None:
    """Give the job to a new ticket, because the old one ended without a result; None where somebody else did."""
    new = new_id("t")
    lost = and_(JOBS.c.id == job_id, JOBS.c.ticket == ticket)
    return new if connection.execute(update(JOBS).where(lost).values(ticket=new)).rowcount else None


def remove(connection: Connection, job_id: str) -> None:
    """Forget a job that has ended."""
    connection.execute(delete(JOBS).where(JOBS.c.id == job_id))


def _job(row: Row[Any]) -> Job:
    return Job(**row._mapping)
