"""Durable jobs in this process: a draft is made by the queue, against a real server, on both databases."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from embeddings.encoder import HashEncoder
from service.domain.jobs import Configuration, EvalConfiguration
from service.domain.round import Round
from service.ingest import read_round
from service.jobs.evaluating import Command
from service.jobs.making import MOST_TRIES, Order
from service.jobs.queue import PROTOCOL, DurableJobs, Works
from service.llm.chat import ChatReply, ChatRequest
from service.settings import Settings
from service.store import Store, calls, drafts, rounds
from service.store import jobs as store_jobs
from service.wiring.jobs import jobs_for
from tests.loopback import ModelServer, model_server

EXAMPLE = Path(__file__).parents[2] / "examples" / "small" / "answers.csv"


@pytest.fixture(scope="module")
def small() -> Round:
    found = read_round(EXAMPLE).round
    assert found is not None
    return found


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as started:
        yield started


@pytest.fixture
def settings(server: ModelServer, tmp_path: Path) -> Settings:
    return Settings(
        llm="openai:m",
        llm_base_url=server.url,
        llm_api_key="key",  # type: ignore[arg-type]
        cache_dir=tmp_path / "cache",
        worker_lost_after=3,
    )


@pytest.fixture(autouse=True)
def cheap_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.wiring.jobs.load_encoder_for", lambda *_: HashEncoder())


@contextmanager
def running(settings: Settings, store: Store, *, works: bool = True) -> Iterator[DurableJobs]:
    """The jobs of a process, until it ends in order."""
    with ExitStack() as stack:
        made = jobs_for(settings, store, works=works, stack=stack)
        made.start()
        stack.callback(made.stop)
        yield made


def asked(store: Store, round_: Round, **configuration: object) -> str:
    with store.write() as connection:
        kept = rounds.add(connection, round_, team="a", created_by="k", sha256="0" * 64)
        draft = drafts.add(
            connection,
            round_id=kept.id,
            team="a",
            created_by="k",
            configuration=Configuration(**configuration),  # type: ignore[arg-type]
        )
    return draft.id


def ended(store: Store, draft_id: str, seconds: float = 300) -> drafts.StoredDraft:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with store.read() as connection:
            draft = drafts.get(connection, draft_id)
        assert draft is not None
        if draft.state not in ("queued", "running"):
            return draft
        time.sleep(0.05)
    raise AssertionError(f"still {draft.state} after {seconds} s")


def until(said: Callable[[], bool], seconds: float = 300) -> None:
    late = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < late
        time.sleep(0.02)


def open_calls(store: Store) -> int:
    with store.read() as connection:
        return calls.count_open(connection)


def in_queue(store: Store, statement: str) -> int:
    """Rows that a statement found or changed in the queue's own table."""
    table = "workflow_status" if store.is_sqlite else "dbos.workflow_status"
    engine = store.engine
    if store.is_sqlite:
        path = Path(str(store.engine.url.database)).with_suffix(".jobs.sqlite")
        engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        changed = connection.execute(text(statement.format(queue=table))).rowcount
    if engine is not store.engine:
        engine.dispose()
    return changed


def queue_holds(store: Store) -> str:
    """Everything in the tables of DBOS."""
    schema, engine = "dbos", store.engine
    if store.is_sqlite:
        path = Path(str(store.engine.url.database)).with_suffix(".jobs.sqlite")
        schema, engine = None, create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        tables = [f"{schema}.{t}" if schema else t for t in inspect(engine).get_table_names(schema=schema)]
        held = "\n".join(
            repr(tuple(row)) for t in tables for row in connection.execute(text(f"SELECT * FROM {t}"))
        )
    if engine is not store.engine:
        engine.dispose()
    return held


def test_a_draft_is_made_once_however_often_it_is_submitted(
    store: Store, settings: Settings, server: ModelServer, small: Round
) -> None:
    draft_id = asked(store, small)
    with running(settings, store) as jobs:
        jobs.submit(draft_id)
        jobs.submit(draft_id)
        draft = ended(store, draft_id)
    assert draft.state == "done", draft.error
    with store.read() as connection:
        made = json.loads(drafts.result(connection, draft_id) or b"")
    assert made["provenance"]["calls"] == len(server.answered) > 0
    assert not server.repeated()
    held = queue_holds(store)
    assert "jobs-" in held
    assert [a.text for a in small.answers if len(a.text) > 8 and a.text in held] == []


def test_a_worker_that_is_told_to_end_lays_its_draft_down_and_the_next_goes_on(
    store: Store, settings: Settings, server: ModelServer, small: Round
) -> None:
    draft_id = asked(store, small)
    server.delay = 0.2
    with running(settings, store) as jobs:
        jobs.submit(draft_id)
        until(lambda: len(server.answered) > 0)
    with store.read() as connection:
        draft = drafts.get(connection, draft_id)
        job = store_jobs.get(connection, draft_id)
    assert draft is not None
    assert draft.state == "running"
    assert job is not None
    assert job.tries == 0, "ending in order is no failed try"
    before = len(server.answered)
    with running(settings, store):
        assert ended(store, draft_id).state == "done"
    assert len(server.answered) > before
    assert not server.repeated()


def test_a_cancelled_draft_makes_no_further_call(
    store: Store, settings: Settings, server: ModelServer, small: Round
) -> None:
    draft_id = asked(store, small)
    server.delay = 0.3
    with running(settings, store) as jobs:
        jobs.submit(draft_id)
        until(lambda: server.most_at_once > 0)
        jobs.cancel(draft_id)
        assert ended(store, draft_id).state == "cancelled"
        until(lambda: open_calls(store) == 0)
        made = len(server.answered)
        time.sleep(1.0)
        assert len(server.answered) == made
    with store.read() as connection:
        assert store_jobs.get(connection, draft_id) is None


def test_a_poisoned_job_is_set_aside_with_its_reason(
    store: Store, small: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft_id = asked(store, small)
    tries: list[str] = []

    def make(order: Order) -> bytes:
        tries.append(order.round_id)
        raise ZeroDivisionError("a defect")

    def call_model(llm: str, request: ChatRequest) -> ChatReply:
        raise AssertionError("nobody asks")

    def evaluate(configuration: EvalConfiguration, name: str) -> Command:
        raise AssertionError("nobody asks")

    works = Works(make=make, call_model=call_model, evaluate=evaluate, lost_after=0.6)
    jobs = DurableJobs(store, worker_id="w", works=works)
    jobs.start()
    try:
        jobs.submit(draft_id)
        draft = ended(store, draft_id)
    finally:
        jobs.stop()
    assert (draft.state, len(tries)) == ("failed", MOST_TRIES)
    assert draft.error is not None
    assert draft.error["code"] == "Poisoned"
    assert "ZeroDivisionError" in draft.error["detail"]


@pytest.mark.parametrize("status", ["ENQUEUED", "PENDING"])
def test_workers_of_a_newer_protocol_go_on_with_what_the_older_ones_left(
    store: Store,
    settings: Settings,
    server: ModelServer,
    small: Round,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
) -> None:
    draft_id = asked(store, small)
    with running(settings, store, works=False) as jobs:
        jobs.submit(draft_id)
    held = f"UPDATE {{queue}} SET status = '{status}', executor_id = 'dead' WHERE status = 'ENQUEUED'"
    assert in_queue(store, held) == 1
    monkeypatch.setattr("service.jobs.queue.PROTOCOL", PROTOCOL + 1)
    with running(settings, store):
        assert ended(store, draft_id).state == "done"
    assert not server.repeated()


def test_all_workers_together_begin_no_more_calls_in_a_minute_than_is_set(
    store: Store, settings: Settings, server: ModelServer, small: Round
) -> None:
    draft_id = asked(store, small)
    with running(settings.model_copy(update={"llm_calls_per_minute": 2}), store) as jobs:
        jobs.submit(draft_id)
        until(lambda: len(server.answered) == 2)
        time.sleep(1.5)
        assert len(server.answered) == 2
        jobs.cancel(draft_id)
