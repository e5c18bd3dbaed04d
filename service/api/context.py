"""What every request works with: settings, store, jobs, and the log of who read what."""

import logging
import threading
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError

from service.api.readiness import Readiness
from service.api.reviews import Reviews
from service.domain.jobs import Jobs
from service.settings import Settings
from service.store import Store, audit
from service.store.audit import Entry

LOG = logging.getLogger("polyphonie.api")


class ReadLog:
    """Who read what, gathered for a second and written together: reading must not wait for writing.

    Changes are written to the audit log in the transaction that makes them; only reads of the last second before a crash may
    be missing. The same read within that second is one entry that says how many times.
    """

    SECONDS = 1.0

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str, str, str], tuple[Entry, int]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read-log", daemon=True)

    def note(self, *, team: str, who: str, action: str, target: str) -> None:
        """A read of this moment."""
        key = (team, who, action, target)
        with self._lock:
            before = self._seen.get(key)
            first = before[0] if before else audit.entry(team=team, who=who, action=action, target=target)
            self._seen[key] = (first, before[1] + 1 if before else 1)

    def flush(self) -> None:
        """Write what was gathered; what can't be written is kept for the next time."""
        with self._lock:
            seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            with self._store.write() as connection:
                audit.append(connection, [_counted(entry, times) for entry, times in seen.values()])
        except SQLAlchemyError as error:
            LOG.error("the audit log can't be written: %s", type(error).__name__)
            with self._lock:
                self._seen = seen | self._seen

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        self.flush()

    def _run(self) -> None:
        while not self._stopped.wait(self.SECONDS):
            self.flush()


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    settings: Settings
    store: Store
    jobs: Jobs
    reads: ReadLog
    reviews: Reviews
    readiness: Readiness


def context_of(request: Request) -> Context:
    """The context of the app that serves a request."""
    found: Context = request.app.state.context
    return found


async def _context(request: Request) -> Context:
    return context_of(request)


Service = Annotated[Context, Depends(_context)]


def _counted(entry: Entry, times: int) -> Entry:
    return entry if times == 1 else replace(entry, detail={"times": times})
