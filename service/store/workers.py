"""Workers: who is alive. A worker counts its beats; no clock is compared with another machine's."""

from sqlalchemy import Connection, delete, insert, select, update

from service.store.database import now
from service.store.tables import WORKERS


def add(connection: Connection, worker_id: str) -> None:
    connection.execute(insert(WORKERS).values(id=worker_id, beats=0, started_at=now()))


def beat(connection: Connection, worker_id: str) -> bool:
    """I am alive; False where the others have given this worker up."""
    mine = update(WORKERS).where(WORKERS.c.id == worker_id).values(beats=WORKERS.c.beats + 1)
    return connection.execute(mine).rowcount == 1


def beats(connection: Connection) -> dict[str, int]:
    """Beats of each worker, by id."""
    return {row.id: row.beats for row in connection.execute(select(WORKERS.c.id, WORKERS.c.beats))}


def give_up(connection: Connection, worker_id: str, beats_seen: int) -> bool:
    """Declare a worker dead; False where it has beaten since, or somebody else was first."""
    still = delete(WORKERS).where(WORKERS.c.id == worker_id, WORKERS.c.beats == beats_seen)
    return connection.execute(still).rowcount == 1


def remove(connection: Connection, worker_id: str) -> None:
    """A worker that ends in order."""
    connection.execute(delete(WORKERS).where(WORKERS.c.id == worker_id))


def remove_others(connection: Connection, worker_id: str) -> None:
    """Only for the one process that may use this database."""
    connection.execute(delete(WORKERS).where(WORKERS.c.id != worker_id))
