"""What a worker does with an eval's ticket: run the evals in a process of their own, keep their record. May be begun again."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog

from service.domain.jobs import DraftState, EvalConfiguration
from service.errors import PolyphonieError, Stopped
from service.jobs.ends import LaidDown
from service.jobs.making import MOST_TRIES, Tickets, storable
from service.operation import metrics, traces
from service.store import Store, evals, jobs
from service.store.evals import StoredEval
from service.store.jobs import Job

LOG = structlog.get_logger(__name__)

RECORD = "run.json"
TOLD = "output.txt"
NOT_KEPT = ("benches", "command", "judge", "people")
"""Of a record: every case with its texts, and paths of this machine."""

LOOK_EVERY = 0.2
"""Seconds between two looks at whether this worker shuts down."""

GRACE = 5.0
"""Seconds for the process to end when it is told to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    """Where it writes run.json; emptied before it begins."""


class Evaluate(Protocol):
    def __call__(self, configuration: EvalConfiguration, name: str) -> Command:
        """What runs the evals. name: of its folder."""
        ...


def make_eval(store: Store, tickets: Tickets, evaluate: Evaluate, eval_id: str, ticket: str) -> None:
    """Run an eval and keep its record, or end it with its reason. Whatever else happens is left to the keeper."""
    with structlog.contextvars.bound_contextvars(eval_id=eval_id), traces.span("eval", eval_id=eval_id):
        begun = _begin(store, eval_id, ticket)
        if begun is None:
            return
        kept, job = begun
        try:
            # each try has a folder of its own: what a killed worker left behind may still write into the last one
            command = evaluate(kept.configuration, f"{eval_id}-{job.tries}")
            exit_code = run(command, tickets)
            report = summary(command.folder / RECORD)
            _end(store, eval_id, exit_code, report, reason(command.folder / TOLD, exit_code))
        except LaidDown:
            LOG.info("eval.laid_down")
            _note(store, eval_id, ticket, None, counts=False)
        except PolyphonieError as error:
            _close(store, eval_id, "failed", error={"code": error.code, "detail": str(error)})
        except (
            Exception
        ) as error:  # a defect, or the database is away: begun again, a bounded number of times
            LOG.error("eval.broken", exc_info=error)
            metrics.FAILURES.labels(code=type(error).__name__).inc()
            _note(store, eval_id, ticket, type(error).__name__)


def _begin(store: Store, eval_id: str, ticket: str) -> tuple[StoredEval, Job] | None:
    """The eval, running; None where it has ended, belongs to another ticket, or was begun too often: then it fails."""
    with store.write() as connection:
        job = jobs.begin(connection, eval_id, ticket, finished=0)
        if job is None:
            return None
        if job.tries > MOST_TRIES:
            why = (
                f"begun {MOST_TRIES} times without an end; the last time: {job.reason or 'its worker ended'}"
            )
            evals.end(connection, eval_id, "failed", error={"code": "Poisoned", "detail": why})
        kept = evals.get(connection, eval_id) if evals.start(connection, eval_id) else None
        if kept is None:
            jobs.remove(connection, eval_id)
            return None
    LOG.info("eval.begun", tries=job.tries)
    return kept, job


def run(command: Command, tickets: Tickets) -> int:
    """Run the command to its end; its exit code. Raises LaidDown when this worker shuts down, and OSError."""
    shutil.rmtree(command.folder, ignore_errors=True)
    command.folder.mkdir(parents=True)
    with (
        (command.folder / TOLD).open("wb") as told,
        subprocess.Popen(
            command.words,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=told,
            start_new_session=True,  # a Ctrl-C of the service is not one of the evals
        ) as child,
    ):
        try:
            while True:
                try:
                    return child.wait(timeout=LOOK_EVERY)
                except subprocess.TimeoutExpired:
                    if tickets.shutting_down.is_set():
                        raise LaidDown("this worker is shutting down") from None
        finally:
            _finish(child)


def _finish(child: "subprocess.Popen[bytes]") -> None:
    """End the process, and those that it started, if it has not ended."""
    if child.poll() is not None:
        return
    os.killpg(child.pid, signal.SIGTERM)
    try:
        child.wait(timeout=GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)


def _end(store: Store, eval_id: str, exit_code: int, report: dict[str, Any] | None, said: str) -> None:
    if exit_code == 0 and report is not None:
        _close(store, eval_id, "done", report=report)
    elif exit_code == Stopped.exit_code:
        _close(store, eval_id, "stopped", report=report, error={"code": "Stopped", "detail": said})
    else:
        _close(store, eval_id, "failed", report=report, error={"code": "EvalFailed", "detail": said})


def _close(store: Store, eval_id: str, state: DraftState, **result: Mapping[str, Any] | None) -> None:
    with store.write() as connection:
        evals.end(connection, eval_id, state, **result)
        jobs.remove(connection, eval_id)
    LOG.info("eval.ended", state=state)


def summary(path: Path) -> dict[str, Any] | None:
    """A run's record without its cases; `failures` names those that have no figures. None where there is no record."""
    if not path.is_file():
        return None
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    failures = [
        {"bench": f"{b['suite']}/{b['set']}", "drafter": drafter, "case": c["id"], "reason": c["failed"]}
        for b in raw["benches"]
        for drafter, cases in b["drafters"].items()
        for c in cases
        if c["failed"] is not None
    ]
    return {k: v for k, v in raw.items() if k not in NOT_KEPT} | {"failures": failures}


def reason(told: Path, exit_code: int) -> str:
    """Why the evals ended: what the command line says to a person; of a defect nothing but its exit code."""
    lines = told.read_text(encoding="utf-8", errors="replace").splitlines()
    said = next((line for line in reversed(lines) if line.startswith("polyphonie: ")), None)
    if said is None:
        return f"the evals ended with exit code {exit_code}; what they said is in {TOLD} of the run's folder."
    return storable(said.removeprefix("polyphonie: "))


def _note(store: Store, eval_id: str, ticket: str, reason: str | None, *, counts: bool = True) -> None:
    with store.write() as connection:
        jobs.note(connection, eval_id, ticket, reason=reason, counts=counts)
