"""DBOS behind the jobs: queues that survive every process, each piece of work taken by one worker at a time.

A workflow's id is its ticket. Its body may be run again from the start, because what it did is in the store; so no workflow has
steps of DBOS's own, its arguments are ids, and nothing that people wrote reaches DBOS's tables. ADR 0041 has the reasons.
"""

import fcntl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowStatus
from sqlalchemy import Engine, create_engine, event, make_url

from service.errors import BadSetting
from service.jobs.evaluating import Evaluate, make_eval
from service.jobs.keeper import Keeper
from service.jobs.making import CallModel, Make, Tickets, make_call, make_draft
from service.operation import logs
from service.store import Store, calls, drafts, jobs

LOG = structlog.get_logger(__name__)

PROTOCOL = 1
"""DBOS gives work only to workers of the version that queued it. So this numbers the agreement between workflows (their names and
arguments), not the code: an upgraded worker goes on with the drafts of the one before. Raise it when that agreement changes:
workers of the new one begin what the old ones had queued under new tickets."""

DRAFTS, CALLS, EVALS = "drafts", "calls", "evals"
POLL_DRAFTS, POLL_CALLS, POLL_IDLE = 0.5, 0.1, 1.0
"""Seconds between two looks into a queue; idle: into those of calls while no draft is under way."""

OVER = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
KEPT = timedelta(hours=1)
"""How long DBOS's record of work that is over is kept."""

SWEPT_AT_ONCE = 1_000
DRAIN_SECONDS = 25
"""Longest wait for the calls under way at a shutdown; what takes longer is left to another worker."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Works:
    """What a worker can do; a process without it only hands work out."""

    make: Make
    call_model: CallModel
    evaluate: Evaluate
    drafts_at_once: int = 2
    calls_at_once: int = 4
    calls_per_minute: int | None = None
    """Of all workers together, to one provider of models."""
    lost_after: float = 30.0
    """Seconds without a sign of life after which another worker takes over."""


class DurableJobs:
    """`service.domain.jobs.Jobs` over DBOS. One per process: DBOS is a singleton."""

    def __init__(
        self,
        store: Store,
        *,
        worker_id: str,
        works: Works | None,
        on_given_up: Callable[[], None] = lambda: None,
        on_sweep: Callable[[], None] = lambda: None,
    ) -> None:
        """on_given_up: the other workers took this one for dead, it must end. on_sweep: once a minute."""
        self._store = store
        self._id = worker_id
        self._works = works
        self._shutting_down = threading.Event()
        self._lock_file: IO[str] | None = None
        self._queues: set[str] = set()
        self._tickets = Tickets(
            enqueue_call=self.enqueue_call, has_ended=self.has_ended, shutting_down=self._shutting_down
        )
        self._keeper = (
            Keeper(
                store=store,
                queue=self,
                worker_id=worker_id,
                lost_after=works.lost_after,
                on_given_up=on_given_up,
                on_sweep=on_sweep,
            )
            if works
            else None
        )

    def start(self) -> None:
        """Raises BadSetting where another process works on the same SQLite file."""
        config: DBOSConfig = {
            "name": "polyphonie",
            "application_version": f"jobs-{PROTOCOL}",
            "executor_id": self._id,
            "log_level": "WARNING",
            "system_database_url": self._store.engine.url.render_as_string(hide_password=False),
        }
        if self._store.is_sqlite:
            path = Path(str(self._store.engine.url.database)).with_suffix(".jobs.sqlite")
            self._lock_file = _alone(path.with_suffix(".lock"))
            config["system_database_url"] = f"sqlite:///{path}"
            config["system_database_engine"] = _sqlite(f"sqlite:///{path}")
        DBOS(config=config)
        logs.adopt("dbos")
        self._draft, self._call = self._workflows()
        self._eval = self._eval_workflow()
        if self._works is None:
            DBOS.listen_queues([])
        if self._keeper is not None:
            self._keeper.register(alone=self._store.is_sqlite)
        DBOS.launch()
        if self._works is not None:
            self._register(self._works)
        if self._keeper is not None:
            self._keeper.start()
        LOG.info("jobs.started", worker=self._id, works=self._works is not None)

    def stop(self) -> None:
        """Take no more work, let the calls under way end, leave the drafts to be gone on with."""
        LOG.info("jobs.stopping", worker=self._id)
        self._shutting_down.set()
        if self._keeper is not None:
            self._keeper.wind_down()
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=DRAIN_SECONDS)
        if self._keeper is not None:
            self._keeper.stop()
        if self._lock_file is not None:
            self._lock_file.close()
        LOG.info("jobs.stopped", worker=self._id)

    def submit(self, draft_id: str) -> None:
        with self._store.write() as connection:
            job = jobs.add(connection, draft_id)
        self.enqueue_draft(draft_id, job.ticket)

    def cancel(self, draft_id: str) -> None:
        # its ticket stays in the queue: whoever takes it finds nothing to do, and who makes the draft now looks often
        with self._store.write() as connection:
            drafts.end(connection, draft_id, "cancelled")
            calls.drop(connection, draft_id)
            jobs.remove(connection, draft_id)

    def submit_eval(self, eval_id: str) -> None:
        with self._store.write() as connection:
            job = jobs.add(connection, eval_id)
        self.enqueue_eval(eval_id, job.ticket)

    def enqueue_eval(self, eval_id: str, ticket: str) -> None:
        with SetWorkflowID(ticket):
            DBOS.enqueue_workflow(EVALS, self._eval, eval_id)

    def enqueue_draft(self, draft_id: str, ticket: str) -> None:
        with SetWorkflowID(ticket):
            DBOS.enqueue_workflow(DRAFTS, self._draft, draft_id)

    def enqueue_call(self, ticket: str, llm: str, trace: dict[str, str]) -> None:
        queue = f"{CALLS}:{llm.split(':', maxsplit=1)[0]}"
        if queue not in self._queues:
            assert self._works is not None
            self._register_calls(queue, self._works)
        with SetWorkflowID(ticket):
            DBOS.enqueue_workflow(queue, self._call, trace)

    def busy(self) -> set[str]:
        return {str(one.executor_id) for one in self._pending() if _protocol(one) <= PROTOCOL}

    def requeue(self, worker_id: str) -> None:
        # in one statement per workflow, DBOS checks that it is still PENDING and still that worker's
        DBOS._recover_pending_workflows([worker_id])
        # it leaves alone what an older protocol began: that ends here, and gets new tickets
        older = [
            one.workflow_id
            for one in self._pending()
            if one.executor_id == worker_id and _protocol(one) < PROTOCOL
        ]
        if older:
            DBOS.cancel_workflows(older)

    def pace(self, *, idle: bool) -> None:
        """Look into the queues of calls often, or seldom as long as there is nothing to find. All workers share the pace."""
        wanted = POLL_IDLE if idle else POLL_CALLS
        for queue in DBOS.list_queues():
            if queue.name.startswith(CALLS) and queue.polling_interval_sec != wanted:
                queue.set_polling_interval_sec(wanted)

    def ended(self, tickets: Iterable[str]) -> dict[str, bool]:
        wanted = list(tickets)
        if not wanted:
            return {}
        found = DBOS.list_workflows(workflow_ids=wanted, load_input=False, load_output=False)
        return {
            one.workflow_id: one.status in OVER or (one.status == "ENQUEUED" and _protocol(one) < PROTOCOL)
            for one in found
        }

    def has_ended(self, ticket: str) -> bool:
        return self.ended([ticket]).get(ticket, True)

    def sweep(self) -> None:
        before = (datetime.now(UTC) - KEPT).isoformat()
        over = DBOS.list_workflows(
            status=list(OVER),
            completed_before=before,
            limit=SWEPT_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if over:
            DBOS.delete_workflows([one.workflow_id for one in over])

    def _pending(self) -> list[WorkflowStatus]:
        return DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)

    def _register(self, works: Works) -> None:
        DBOS.register_queue(DRAFTS, worker_concurrency=works.drafts_at_once, polling_interval_sec=POLL_DRAFTS)
        # one at a time: an eval takes a core for minutes, and drafts go first
        DBOS.register_queue(EVALS, worker_concurrency=1, polling_interval_sec=POLL_IDLE)
        for queue in DBOS.list_queues():
            if queue.name.startswith(CALLS):
                self._register_calls(queue.name, works)

    def _register_calls(self, queue: str, works: Works) -> None:
        """Every provider of models has its own queue: a slow one, or one at its limit, keeps nobody else waiting."""
        DBOS.register_queue(
            queue,
            worker_concurrency=works.calls_at_once,
            limiter={"limit": works.calls_per_minute, "period": 60.0} if works.calls_per_minute else None,
            polling_interval_sec=POLL_CALLS,
        )
        self._queues.add(queue)

    def _workflows(self) -> tuple[Callable[[str], None], Callable[[dict[str, str]], None]]:
        """Both kinds of work of a draft. Also known where they are only asked for; tries are counted in the store, not by DBOS."""
        store, works, tickets = self._store, self._works, self._tickets

        @DBOS.workflow(name="draft", max_recovery_attempts=None)
        def draft(draft_id: str) -> None:
            assert works is not None
            assert DBOS.workflow_id is not None
            self.pace(idle=False)
            make_draft(store, tickets, works.make, draft_id, DBOS.workflow_id)

        @DBOS.workflow(name="call", max_recovery_attempts=None)
        def call(carrier: dict[str, str]) -> None:
            assert works is not None
            assert DBOS.workflow_id is not None
            make_call(store, works.call_model, DBOS.workflow_id, carrier)

        return draft, call

    def _eval_workflow(self) -> Callable[[str], None]:
        store, works, tickets = self._store, self._works, self._tickets

        @DBOS.workflow(name="eval", max_recovery_attempts=None)
        def eval_(eval_id: str) -> None:
            assert works is not None
            assert DBOS.workflow_id is not None
            make_eval(store, tickets, works.evaluate, eval_id, DBOS.workflow_id)

        return eval_


def _protocol(one: WorkflowStatus) -> int:
    """0 for a version that is not ours."""
    kind, _, number = (one.app_version or "").partition("-")
    return int(number) if kind == "jobs" and number.isdecimal() else 0


def _alone(path: Path) -> IO[str]:
    """A lock that the system takes back when the process ends, however it ends. Raises BadSetting."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise BadSetting(
            f"another process works on the database beside {path}: SQLite serves one. "
            "Stop it, or set POLYPHONIE_DATABASE_URL to a PostgreSQL to share the work."
        ) from None
    return file


def _sqlite(url: str) -> Engine:
    """DBOS's own engine with a write-ahead log: 4 ms of processor a job instead of 27."""
    engine = create_engine(make_url(url), pool_size=20, max_overflow=20)

    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("busy_timeout=60000", "foreign_keys=ON", "journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}").close()

    event.listen(engine, "connect", prepare)
    return engine
