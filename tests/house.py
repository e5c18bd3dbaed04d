"""The processes that make drafts, as an operator starts them, on a database and a model server of their own: for trials and measurements."""

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, func, select, text

import tests.warm
from service.store import Store, drafts
from service.store.tables import CALLS, JOBS
from tests.loopback import ModelServer, model_server
from tests.postgres import new_database, postgres

ROOT = Path(__file__).parents[1]
WARM = multiprocessing.get_context("forkserver")
WARM.set_forkserver_preload(["tests.warm"])

PLACES = 4
"""Model calls that a worker has under way at once."""

LONGEST = 180.0
"""Seconds that a draft may take before it counts as stuck."""


@dataclass(kw_only=True)
class House:
    store: Store
    server: ModelServer
    environment: dict[str, str]
    log: Path
    commands: Sequence[Sequence[str]]
    """Words after `polyphonie`, of the process at each place."""
    warm: bool = False
    """Processes are forked from one that has read the code, and have a cheap encoder: a start takes half a second."""
    processes: list["subprocess.Popen[bytes] | BaseProcess"] = field(default_factory=list)

    def start(self, place: int) -> None:
        """Start the process of a place, where the one before, if any, is dead."""
        self.processes[place : place + 1] = [self._started(self.commands[place])]

    def _started(self, words: Sequence[str]) -> "subprocess.Popen[bytes] | BaseProcess":
        if self.warm:
            process = WARM.Process(target=tests.warm.polyphonie, args=(words, self.environment, self.log))
            process.start()
            return process
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "service", *words],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def kill(self, place: int) -> float:
        """SIGKILL; the moment when it was dead."""
        end(self.processes[place])
        return time.monotonic()

    def state(self, draft_id: str) -> str:
        with self.store.read() as connection:
            draft = drafts.get(connection, draft_id)
        assert draft is not None
        return draft.state

    def wait(self, draft_id: str, seconds: float = LONGEST) -> str:
        """The state in which a draft ended, or the one in which it is stuck."""
        until = time.monotonic() + seconds
        while (state := self.state(draft_id)) in ("queued", "running") and time.monotonic() < until:
            time.sleep(0.05)
        return state

    def made(self, draft_id: str) -> dict[str, Any]:
        """The draft without what time alone decides."""
        with self.store.read() as connection:
            found = json.loads(drafts.result(connection, draft_id) or b"null")
        assert isinstance(found, dict), self.state(draft_id)
        found["created_at"] = found["provenance"]["seconds"] = None
        return found

    def left_open(self) -> dict[str, int]:
        """What is not over: tickets, calls, work of the queue, locks."""
        with self.store.read() as connection:
            found = {
                "tickets": connection.execute(select(func.count()).select_from(JOBS)).scalar_one(),
                "calls": connection.execute(
                    select(func.count()).where(CALLS.c.text.is_(None), CALLS.c.error.is_(None))
                ).scalar_one(),
            }
        return {**found, **(_sqlite_open if self.store.is_sqlite else _postgres_open)(self.store)}

    def begun_again(self) -> int:
        """How often a call was begun again because its worker had died before its reply was kept."""
        with self.store.read() as connection:
            return int(connection.execute(select(func.sum(CALLS.c.tries - 1))).scalar_one() or 0)

    def settled(self, seconds: float = 120.0) -> dict[str, int]:
        """What is left open once the processes had some time to close it."""
        until = time.monotonic() + seconds
        while any((left := self.left_open()).values()) and time.monotonic() < until:
            time.sleep(0.1)
        return left


def _sqlite_open(store: Store) -> dict[str, int]:
    path = Path(str(store.engine.url.database)).with_suffix(".jobs.sqlite")
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 5})
    with engine.begin() as connection:
        connection.execute(text("BEGIN IMMEDIATE"))  # raises where somebody holds the file
        query = "SELECT count(*) FROM workflow_status WHERE status IN ('PENDING', 'ENQUEUED')"
        queued = connection.execute(text(query)).scalar_one()
    engine.dispose()
    return {"queued": queued}


def _postgres_open(store: Store) -> dict[str, int]:
    """Locks: those that are waited for, and transactions that wrote and did not end. The worker that looks after DBOS's
    own chores holds an advisory lock as long as it lives, which nobody waits for."""
    queued = "SELECT count(*) FROM dbos.workflow_status WHERE status IN ('PENDING', 'ENQUEUED')"
    locks = "SELECT count(*) FROM pg_locks WHERE NOT granted OR locktype = 'transactionid'"
    with store.read() as connection:
        return {
            "queued": connection.execute(text(queued)).scalar_one(),
            "locks": connection.execute(text(locks)).scalar_one(),
        }


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The address of a new one, `sqlite` or `postgresql`."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/polyphonie.sqlite"
    else:
        with postgres() as server:
            yield new_database(server, "house")


@contextmanager
def house(
    url: str,
    folder: Path,
    *,
    commands: Sequence[Sequence[str]],
    delay: float,
    lost_after: float,
    warm: bool = False,
) -> Iterator[House]:
    """Its processes run until the end of the context. delay: seconds of each model call; lost_after: as the setting."""
    with ExitStack() as stack:
        server = stack.enter_context(model_server(delay))
        store = Store(url)
        store.migrate()
        stack.callback(store.close)
        made = House(
            store=store,
            server=server,
            log=folder / "processes.log",
            commands=commands,
            warm=warm,
            environment={
                **os.environ,
                "POLYPHONIE_DATABASE_URL": url,
                "POLYPHONIE_LLM": "openai:m",
                "POLYPHONIE_LLM_BASE_URL": server.url,
                "POLYPHONIE_LLM_API_KEY": "loopback",
                "POLYPHONIE_LLM_WORKERS": str(PLACES),
                "POLYPHONIE_CACHE_DIR": str(folder / "cache"),
                "POLYPHONIE_WORKER_LOST_AFTER": str(lost_after),
            },
        )
        try:
            for place in range(len(commands)):
                made.start(place)
            yield made
        finally:
            for process in made.processes:
                end(process)


def end(process: "subprocess.Popen[bytes] | BaseProcess") -> None:
    """With SIGKILL; it is dead on return."""
    process.kill()
    if isinstance(process, subprocess.Popen):
        process.wait()
    else:
        process.join()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
