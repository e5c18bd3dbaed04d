"""`python -m tests.workers`: what a second worker gains, how soon the work of a dead one goes on, and what DBOS costs. On PostgreSQL.

The first drafts the example round against a model server with a fixed delay, once with one worker and once with
two, and prints the ratio of the times. The second kills the worker that makes a draft, never starts it again, and prints the
seconds until another one has the draft in hand, with the setting's default. The third makes the same calls of a model that answers at
once with tickets of DBOS and without, on both databases, and prints the ratio of processor time and what a call costs more.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import text

from service.domain.jobs import Configuration
from service.domain.round import Round
from service.errors import Stopped
from service.ingest import read_round
from service.jobs.chat import REQUEST
from service.jobs.evaluating import Command
from service.jobs.making import Order, make_call
from service.jobs.queue import DurableJobs, Works
from service.llm.chat import ChatReply, ChatRequest
from service.operation import logs
from service.settings import Settings
from service.store import Store, calls, drafts, rounds
from tests.house import PLACES, ROOT, House, database, house
from tests.loopback import NO_PROMPT

EXAMPLE = ROOT / "examples" / "round" / "answers.csv"
SMALL = ROOT / "examples" / "small" / "answers.csv"

MOST_RATIO = 0.6
"""Of the time with two workers to that with one."""


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


def overhead(kind: str, n: int = 300) -> str:
    """A row of the table: the same calls made by four threads, called directly and through DBOS. Processor time of this process."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        store = Store(stack.enter_context(database(kind, Path(name))))
        stack.callback(store.close)
        store.migrate()
        round_ = read_round(SMALL).round
        assert round_ is not None
        with store.write() as connection:
            kept = rounds.add(connection, round_, team="t", created_by="bench", sha256="0" * 64)
            draft = drafts.add(
                connection, round_id=kept.id, team="t", created_by="bench", configuration=Configuration()
            )
            drafts.start(connection, draft.id)
        over = threading.Event()

        def make(_: Order) -> bytes:
            over.wait()
            raise Stopped("measured")

        def no_evals(*_: object) -> Command:
            raise NotImplementedError

        works = Works(make=make, call_model=answer_at_once, evaluate=no_evals, calls_at_once=PLACES)
        tickets = asked(store, draft.id, n, "direct")
        began, used = time.monotonic(), time.process_time()
        with ThreadPoolExecutor(PLACES) as pool:
            list(pool.map(lambda ticket: make_call(store, answer_at_once, ticket, {}), tickets))
        direct, direct_used = time.monotonic() - began, time.process_time() - used
        jobs = DurableJobs(store, worker_id="bench", works=works)
        jobs.start()
        stack.callback(jobs.stop)
        stack.callback(over.set)
        jobs.submit(draft.id)
        time.sleep(3)  # the queue of calls is looked into often once a draft is under way
        tickets = asked(store, draft.id, n, "queued")
        began, used = time.monotonic(), time.process_time()
        for ticket in tickets:
            jobs.enqueue_call(ticket, "bench:m", {})
        while still_open(store):
            time.sleep(0.02)
        queued, queued_used = time.monotonic() - began, time.process_time() - used
        return (
            f"| {kind} | {n} | {1000 * direct_used / n:.1f} | {1000 * queued_used / n:.1f} | "
            f"{queued_used / direct_used:.1f} | {1000 * direct / n:.1f} | {1000 * queued / n:.1f} |"
        )


def answer_at_once(_llm: str, _request: ChatRequest) -> ChatReply:
    return ChatReply(text="{}", input_tokens=1, output_tokens=1)


def asked(store: Store, draft_id: str, n: int, name: str) -> list[str]:
    """Tickets of new open calls."""
    request = REQUEST.dump_python(ChatRequest(prompt=NO_PROMPT, system="s", user="u", schema={}), mode="json")
    tickets = []
    with store.write() as connection:
        for k in range(n):
            call = calls.ask(connection, key=f"{name}{k}", draft_id=draft_id, llm="bench:m", request=request)
            assert call is not None
            tickets.append(call.ticket)
    return tickets


def still_open(store: Store) -> int:
    with store.read() as connection:
        return calls.count_open(connection)


def owner(at: House) -> str:
    """The worker that has the draft in hand; empty where it waits."""
    query = "SELECT executor_id FROM dbos.workflow_status WHERE name = 'draft' AND status = 'PENDING'"
    with at.store.read() as connection:
        return str(connection.execute(text(query)).scalar() or "")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--delay", type=float, default=2.0, help="seconds of each model call")
    options.add_argument("--only", choices=["ratio", "takeover", "overhead"])
    given = options.parse_args()
    round_ = read_round(EXAMPLE).round
    assert round_ is not None
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    holds = True
    if given.only in (None, "ratio"):
        one, calls = seconds_with(1, round_, given.delay)
        print(f"one worker: {one:.1f} s for {calls} calls of {given.delay} s", flush=True)
        two, calls = seconds_with(2, round_, given.delay)
        holds = two / one <= MOST_RATIO
        print(
            f"two workers: {two:.1f} s for {calls} calls; ratio {two / one:.2f} "
            f"({'holds' if holds else 'DOES NOT HOLD'}: at most {MOST_RATIO})",
            flush=True,
        )
    if given.only in (None, "takeover"):
        taken, done = takeover(round_)
        print(
            f"a worker killed for good: its draft in other hands after {taken:.1f} s, done after {done:.1f} s "
            f"({'holds' if taken <= 60 else 'DOES NOT HOLD'}: within a minute)"
        )
        holds = holds and taken <= 60
    if given.only in (None, "overhead"):
        logs.configure(level="ERROR")
        print(
            "\n| database | calls | CPU ms a call, called | through DBOS | ratio | ms a call, called | through DBOS |"
        )
        print("|---|---|---|---|---|---|---|")
        for kind in ("sqlite", "postgresql"):
            print(overhead(kind), flush=True)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
