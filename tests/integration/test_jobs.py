"""Durable jobs in this process: a draft is made by the queue, against a real server, on both databases."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.domain.jobs import Configuration
from service.domain.round import Round
from service.ingest import read_round
from service.jobs.queue import DurableJobs
from service.settings import Settings
from service.store import Store, drafts, rounds
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
    with model_server() as running:
        yield running


@pytest.fixture
def jobs(store: Store, server: ModelServer, tmp_path: Path) -> Iterator[DurableJobs]:
    settings = Settings(
        llm="openai:m",
        llm_base_url=server.url,
        llm_api_key="key",  # type: ignore[arg-type]
        cache_dir=tmp_path / "cache",
        worker_lost_after=3,
    )
    with ExitStack() as stack:
        made = jobs_for(settings, store, works=True, stack=stack)
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


def ended(store: Store, draft_id: str, seconds: float = 60) -> drafts.StoredDraft:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with store.read() as connection:
            draft = drafts.get(connection, draft_id)
        assert draft is not None
        if draft.state not in ("queued", "running"):
            return draft
        time.sleep(0.05)
    raise AssertionError(f"still {draft.state} after {seconds} s")


def test_a_draft_is_made(store: Store, jobs: DurableJobs, server: ModelServer, small: Round) -> None:
    draft_id = asked(store, small)
    jobs.submit(draft_id)
    jobs.submit(draft_id)
    draft = ended(store, draft_id)
    assert draft.state == "done", draft.error
    with store.read() as connection:
        made = json.loads(drafts.result(connection, draft_id) or b"")
    assert made["provenance"]["calls"] == len(server.answered) > 0
    assert not server.repeated()
