"""Who looks after the jobs: tells that this worker is alive, takes over from those that are not, and begins anew what ended
without a result.

Every live worker does the same, and each act is a compare-and-set in the database, so it does not matter how many do it at once.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import structlog

from service.jobs.measure import measure
from service.operation import metrics
from service.store import Store, calls, drafts, evals, jobs, workers

LOG = structlog.get_logger(__name__)

BEATS_MISSED = 6
"""A worker that misses so many beats is given up."""

SWEEP_EVERY = 60.0
"""Seconds between two sweeps of what is over."""


class Queue(Protocol):
    """What the keeper needs of the queue (`service.jobs.queue`)."""

    def busy(self) -> set[str]:
        """Ids of the workers that have work in hand, alive or not."""
        ...

    def requeue(self, worker_id: str) -> None:
        """Queue again what that worker had in hand; what somebody else has taken since stays with them."""
        ...

    def ended(self, tickets: Iterable[str]) -> dict[str, bool]:
        """Of each ticket that the queue knows, whether its work is over."""
        ...

    def enqueue_draft(self, draft_id: str, ticket: str) -> None: ...

    def enqueue_eval(self, eval_id: str, ticket: str) -> None: ...

    def pace(self, *, idle: bool) -> None:
        """Look for calls often, or seldom because no draft is under way."""
        ...

    def sweep(self) -> None:
        """Forget what ended long ago."""
        ...


class Keeper:
    def __init__(
        self,
        *,
        store: Store,
        queue: Queue,
        worker_id: str,
        lost_after: float,
        on_given_up: Callable[[], None],
        on_sweep: Callable[[], None] = lambda: None,
    ) -> None:
        """lost_after: seconds without a beat after which a worker is given up. on_given_up: the others gave this one up."""
        self._store = store
        self._queue = queue
        self._id = worker_id
        self._lost_after = lost_after
        self._on_given_up = on_given_up
        self._on_sweep = on_sweep
        self._seen: dict[str, tuple[int, float]] = {}
        self._sweep_at = 0.0
        self._over = threading.Event()
        self._only_beats = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def register(self, *, alone: bool) -> None:
        """Before this worker takes any work. alone: no other process uses this database, whoever is listed is dead."""
        with self._store.write() as connection:
            if alone:
                workers.remove_others(connection, self._id)
            workers.add(connection, self._id)

    def start(self) -> None:
        self._thread.start()

    def wind_down(self) -> None:
        """The queue is closing: only tell that this worker is alive until it has laid down what it holds."""
        self._only_beats.set()

    def stop(self) -> None:
        """This worker has nothing in hand any more."""
        self._over.set()
        self._thread.join(timeout=self._lost_after)
        with self._store.write() as connection:
            workers.remove(connection, self._id)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self.tend()
            except (
                Exception
            ) as error:  # the database is away for a moment, say: looked after at the next beat
                LOG.warning("keeper.failed", exc_info=error)
            self._over.wait(self._lost_after / BEATS_MISSED)

    def tend(self) -> None:
        """One round of everything."""
        with self._store.write() as connection:
            alive = workers.beat(connection, self._id)
        if not alive:
            self._over.set()
            LOG.error("worker.given_up", worker=self._id)
            self._on_given_up()
            return
        if self._only_beats.is_set():
            return
        self._give_up_the_lost()
        self._take_over()
        self._begin_anew()
        measure(self._store)
        if time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + SWEEP_EVERY
            self._drop_orphans()
            self._queue.sweep()
            self._on_sweep()

    def _give_up_the_lost(self) -> None:
        with self._store.read() as connection:
            beats = workers.beats(connection)
        now = time.monotonic()
        self._seen = {w: self._seen.get(w, (-1, now)) for w in beats if w != self._id}
        for worker_id, (count, since) in self._seen.items():
            if beats[worker_id] != count:
                self._seen[worker_id] = (beats[worker_id], now)
            elif now - since >= self._lost_after:
                with self._store.write() as connection:
                    dead = workers.give_up(connection, worker_id, count)
                if dead:
                    LOG.warning("worker.lost", worker=worker_id)

    def _take_over(self) -> None:
        """What is in the hands of a worker that is not listed as alive is queued again. Busy ones are read first: a worker is
        listed before it takes work, so a new one is never mistaken for a dead one."""
        busy = self._queue.busy()
        with self._store.read() as connection:
            alive = workers.beats(connection).keys()
        for worker_id in sorted(busy - alive - {self._id}):
            LOG.warning("worker.taken_over", worker=worker_id)
            metrics.TAKEN_OVER.inc()
            self._queue.requeue(worker_id)

    def _begin_anew(self) -> None:
        """Each draft and eval that has not ended has a ticket in the queue."""
        with self._store.read() as connection:
            drafts_under_way = drafts.in_state(connection, "queued", "running")
            evals_under_way = evals.under_way(connection)
        self._queue.pace(idle=not drafts_under_way)
        self._see_to(drafts_under_way, self._queue.enqueue_draft)
        self._see_to(evals_under_way, self._queue.enqueue_eval)

    def _see_to(self, under_way: Sequence[str], enqueue: Callable[[str, str], None]) -> None:
        """A ticket that is not in the queue is put there; one that ended without a result gets a successor."""
        if not under_way:
            return
        with self._store.write() as connection:
            tickets = {job_id: jobs.add(connection, job_id).ticket for job_id in under_way}
        ended = self._queue.ended(tickets.values())
        for job_id, ticket in tickets.items():
            over = ended.get(ticket)
            if over is None:
                enqueue(job_id, ticket)
            elif over:
                with self._store.write() as connection:
                    successor = jobs.renew(connection, job_id, ticket)
                if successor is not None:
                    enqueue(job_id, successor)

    def _drop_orphans(self) -> None:
        """Open calls that no draft waits for and no job makes."""
        with self._store.read() as connection:
            tickets = calls.unwanted(connection)
        ended = self._queue.ended(tickets)
        gone = [ticket for ticket in tickets if ended.get(ticket, True)]
        if gone:
            with self._store.write() as connection:
                calls.forget(connection, gone)
