"""`python -m tests.workers`: what a second worker gains, and how soon the work of a dead one goes on. On PostgreSQL.

The first drafts the example round against a model server with a fixed delay, once with one worker and once with
two, and prints the ratio of the times. The second kills the worker that makes a draft, never starts it again, and prints the
seconds until another one has the draft in hand, with the setting's default.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import text

from service.domain.jobs import Configuration
from service.domain.round import Round
from service.ingest import read_round
from service.settings import Settings
from service.store import drafts, rounds
from tests.house import ROOT, House, database, house

EXAMPLE = ROOT / "examples" / "round" / "answers.csv"


def ask(at: House, round_: Round) -> str:
    with at.store.write() as connection:
        kept = rounds.add(connection, round_, team="t", created_by="bench", sha256="0" * 64)
        draft = drafts.add(
            connection, round_id=kept.id, team="t", created_by="bench", configuration=Configuration()
        )
    return draft.id


def alive(at: House) -> int:
    with at.store.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM workers")).scalar_one())


def until_alive(at: House) -> None:
    while alive(at) < len(at.commands):
        time.sleep(0.1)


def seconds_with(workers: int, round_: Round, delay: float) -> tuple[float, int]:
    """From the draft's begin to its end, and its calls."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        url = stack.enter_context(database("postgresql", folder))
        at = stack.enter_context(
            house(url, folder, commands=[["worker"]] * workers, delay=delay, lost_after=30.0, warm=True)
        )
        until_alive(at)
        draft_id = ask(at, round_)
        while at.state(draft_id) == "queued":
            time.sleep(0.02)
        began = time.monotonic()
        assert at.wait(draft_id, 1800.0) == "done"
        assert not at.server.repeated()
        return time.monotonic() - began, len(at.server.answered)


def takeover(round_: Round) -> tuple[float, float]:
    """Seconds from the death of a draft's worker until another worker has the draft, and until the draft is done."""
    lost_after = float(Settings.model_fields["worker_lost_after"].default)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        url = stack.enter_context(database("postgresql", folder))
        at = stack.enter_context(
            house(url, folder, commands=[["worker"]] * 2, delay=0.5, lost_after=lost_after, warm=True)
        )
        until_alive(at)
        draft_id = ask(at, round_)
        while len(at.server.answered) < 3:
            time.sleep(0.05)
        first = owner(at)
        place = next(k for k, process in enumerate(at.processes) if f"-{process.pid}-" in first)
        dead = at.kill(place)
        while owner(at) in (first, ""):
            time.sleep(0.1)
        taken = time.monotonic() - dead
        assert at.wait(draft_id, 1800.0) == "done"
        return taken, time.monotonic() - dead


def owner(at: House) -> str:
    """The worker that has the draft in hand; empty where it waits."""
    query = "SELECT executor_id FROM dbos.workflow_status WHERE name = 'draft' AND status = 'PENDING'"
    with at.store.read() as connection:
        return str(connection.execute(text(query)).scalar() or "")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--delay", type=float, default=2.0, help="seconds of each model call")
    options.add_argument("--only", choices=["ratio", "takeover"])
    given = options.parse_args()
    round_ = read_round(EXAMPLE).round
    assert round_ is not None
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    if given.only != "takeover":
        one, calls = seconds_with(1, round_, given.delay)
        print(f"one worker: {one:.1f} s for {calls} calls of {given.delay} s", flush=True)
        two, calls = seconds_with(2, round_, given.delay)
        print(f"two workers: {two:.1f} s for {calls} calls; ratio {two / one:.2f}", flush=True)
    if given.only != "ratio":
        taken, done = takeover(round_)
        print(
            f"a worker killed for good: its draft in other hands after {taken:.1f} s, done after {done:.1f} s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
