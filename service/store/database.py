"""One database, SQLite or PostgreSQL. Every difference between the two is in this file.

SQLite runs in WAL mode: readers never wait for the writer, and a writer takes its lock at the beginning of its transaction
(BEGIN IMMEDIATE) instead of failing halfway when it wants to write.
"""

import secrets
import threading
from asyncio import to_thread
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.errors import BadSetting, StoreUnavailable

T = TypeVar("T")

MIGRATIONS = Path(__file__).parent / "migrations"

BUSY_SECONDS = 60
"""How long a writer of SQLite waits for another one."""

CONNECT_SECONDS = 10
"""How long PostgreSQL may take to let us in."""

MIGRATING = 0x706F6C79
"""Name of the PostgreSQL lock that lets one process at a time migrate."""


class Store:
    """The database: `read()` and `write()` each give one transaction; the functions beside this file take its connection."""

    def __init__(self, url: str, *, connections: int = 16) -> None:
        """url: sqlite:///FILE or postgresql://…; connections: most at once. Raises BadSetting."""
        self.engine = _engine(url, connections)
        self._writer = self.engine.execution_options(polyphonie_writes=True)
        self._looker = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._quick: Connection | None = None
        self._quick_lock = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self.engine.begin() as connection:
            yield connection

    async def look(self, work: Callable[[Connection], T]) -> T:
        """What a short read gives, for callers on the event loop: a page of a list, a row; never a whole large result.

        Each statement sees what is true when it runs: what must fit together is asked for in one. SQLite in WAL mode answers at
        once, whoever writes: one connection is kept open for it, for to change the thread, or to begin and end a transaction, costs
        more than the read. PostgreSQL is asked from a thread.
        """
        return self._look(work) if self.is_sqlite else await to_thread(self._look, work)

    def _look(self, work: Callable[[Connection], T]) -> T:
        if not self.is_sqlite:
            with self._looker.connect() as connection:
                return work(connection)
        with self._quick_lock:
            if self._quick is None:
                self._quick = self._looker.connect()
            return work(self._quick)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write: all of it is kept, or nothing when the block raises."""
        with self._writer.begin() as connection:
            yield connection

    def scrub(self) -> bool:
        """Leave nothing of what was deleted in SQLite's files; False where somebody still reads what was there before.

        `secure_delete` has overwritten it in the newest pages, the write-ahead log has the older ones too: it is brought into the
        database and emptied. What PostgreSQL keeps, and for how long, is in docs/operate.md.
        """
        if not self.is_sqlite:
            return True
        with self.engine.connect() as connection:
            busy, *_ = connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def migrate(self) -> None:
        """Bring the tables to this version's shape; safe to call from several processes at once.

        Raises StoreUnavailable.
        """
        try:
            with self.write() as connection:
                if not self.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:name)"), {"name": MIGRATING})
                config = Config()
                config.set_main_option("script_location", str(MIGRATIONS))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except DatabaseError as error:  # OperationalError is one; so is a file that is no database
            raise StoreUnavailable(f"the database can't be used: {error.orig}") from error

    @contextmanager
    def reachable(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises StoreUnavailable where the database or its tables are not there."""
        try:
            with self.read() as connection:
                yield connection
        except (OperationalError, ProgrammingError, PoolTimeout) as error:
            raise StoreUnavailable("the database does not answer.") from error

    def revision(self) -> str | None:
        """Of the tables; None where there are none. Raises StoreUnavailable."""
        with self.reachable() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def close(self) -> None:
        with self._quick_lock:
            if self._quick is not None:
                self._quick.close()
                self._quick = None
        self.engine.dispose()


@cache
def newest_revision() -> str | None:
    """Of the tables that this version makes."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def lock(connection: Connection, table: str, id_: str) -> None:
    """Hold a row until the transaction ends, so that two writers count on from each other.

    SQLite has one writer at a time: `Store.write` holds the lock already.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"SELECT id FROM {table} WHERE id = :id FOR UPDATE"), {"id": id_})


def now() -> str:
    """UTC, ISO 8601 to the microsecond: sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def new_id(kind: str) -> str:
    """An id that can't be guessed: `d_` and 20 hexadecimal digits for a draft."""
    return f"{kind}_{secrets.token_hex(10)}"


def _engine(url: str, connections: int) -> Engine:
    try:
        made = make_url(url.replace("postgres://", "postgresql://", 1))
    except ArgumentError as error:
        raise BadSetting(
            "database_url is no address. Give sqlite:///FILE or postgresql://USER@HOST/NAME."
        ) from error
    if made.get_backend_name() == "postgresql":
        made = made.set(drivername="postgresql+psycopg")
        return create_engine(
            made,
            pool_size=connections,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
        )
    if made.get_backend_name() != "sqlite" or not made.database or made.database == ":memory:":
        raise BadSetting("database_url: only sqlite:///FILE and postgresql://… are known.")
    Path(made.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        made,
        pool_size=connections,
        max_overflow=0,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # what is deleted is overwritten, see Store.scrub
        f"busy_timeout={BUSY_SECONDS * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    writes = options.get("polyphonie_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
