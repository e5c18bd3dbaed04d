"""What must be there for drafts to be made: looked at when asked, told in words that hold no address and no secret."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from service.errors import StoreUnavailable
from service.store import Store, workers
from service.store.database import newest_revision
from service.wiring.ready import Missing

LOOK_SECONDS = 10.0
"""How long what was found of a model server is trusted: probes come often, and it has other work."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Readiness:
    """The checks of one service."""

    store: Store
    pulse: "Pulse"
    encoder: Callable[[], Missing | None]
    model: Callable[[], Missing | None]

    def look(self, exclude: Collection[str] = ()) -> dict[str, Missing | None]:
        """By check: what is missing. Without a database nothing that is read from it is looked at."""
        checks = {
            "database": self._database,
            "migrations": self._migrations,
            "worker": self.pulse.look,
            "encoder": self.encoder,
            "model": self.model,
        }
        found: dict[str, Missing | None] = {}
        for name, check in checks.items():
            if name in exclude or (name in ("migrations", "worker") and found.get("database")):
                continue
            try:
                found[name] = check()
            except StoreUnavailable:
                found["database"] = NO_DATABASE
        return found

    def _database(self) -> Missing | None:
        self.store.revision()
        return None

    def _migrations(self) -> Missing | None:
        there, wanted = self.store.revision(), newest_revision()
        if there == wanted:
            return None
        return Missing(
            what=f"the tables are at revision {there or 'none'}, this version needs {wanted}",
            remedy="start a service or worker of this version: it migrates",
        )


class Pulse:
    """Whether any worker is alive: one that went on counting since it was last looked at.

    A worker that is seen for the first time is taken for alive: a dead one is found out within its time.
    """

    def __init__(self, store: Store, *, lost_after: float) -> None:
        self._store = store
        self._lost_after = lost_after
        self._seen: dict[str, tuple[int, float]] = {}

    def look(self) -> Missing | None:
        """Raises StoreUnavailable."""
        with self._store.reachable() as connection:
            beats = workers.beats(connection)
        at, before = time.monotonic(), self._seen
        self._seen = {
            id_: before[id_] if id_ in before and before[id_][0] == count else (count, at)
            for id_, count in beats.items()
        }
        if any(at - since < self._lost_after for _, since in self._seen.values()):
            return None
        return Missing(
            what="no worker is alive: drafts wait in the queue",
            remedy="start `polyphonie worker`, or `polyphonie serve` without --no-worker",
        )


class Remembered:
    """A check whose finding is trusted for some seconds."""

    def __init__(self, check: Callable[[], Missing | None], *, seconds: float = LOOK_SECONDS) -> None:
        self._check = check
        self._seconds = seconds
        self._found: tuple[float, Missing | None] | None = None

    def __call__(self) -> Missing | None:
        at = time.monotonic()
        if self._found is None or at - self._found[0] >= self._seconds:
            self._found = (at, self._check())
        return self._found[1]


NO_DATABASE = Missing(
    what="it does not answer", remedy="see that it runs, and that POLYPHONIE_DATABASE_URL is its address"
)
