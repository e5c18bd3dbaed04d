"""Evals over the API: asked for, run in a process of their own, read; a stopped or killed worker leaves none running for ever."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text

from service.api import create_app
from service.client import Client, ServiceError
from service.domain.jobs import EvalConfiguration, HeldJobs
from service.jobs.evaluating import Command
from service.jobs.making import MOST_TRIES
from service.jobs.queue import DurableJobs, Works
from service.settings import Settings
from service.store import Store, audit, evals, keys
from service.store import jobs as store_jobs
from service.wiring.jobs import eval_command, jobs_for

RECORD = {
    "schema": "polyphonie.evals/1",
    "created_at": "2026-11-25T10:00:00+00:00",
    "command": "polyphonie evals run --out /a/path",
    "commit": "c1deafd7080a",
    "code": "0.1.0",
    "packages": {"numpy": "2"},
    "llm": "extractive",
    "encoder": "fr use@0.2.1",
    "yardstick": "fr use@0.2.1",
    "prompts": [],
    "parameters": {"recipe.few": 80},
    "seed": 1,
    "tokens": {"input": 0},
    "calls": 0,
    "cost": None,
    "seconds": 1.5,
    "skipped": {},
    "selected": {"suites": ["round"], "sets": [], "cases": None},
    "benches": [
        {
            "suite": "round",
            "set": "example",
            "drafters": {
                "draft": [
                    {"id": "Q1", "failed": None, "ours": ["Un texte"]},
                    {"id": "Q2", "failed": "refused", "ours": []},
                ]
            },
        }
    ],
    "judge": None,
    "people": None,
    "figures": {"round/example": {"draft": {"traced": {"value": 1.0, "low": None, "high": 1.0, "n": 1}}}},
}

WRITES = f"import pathlib, sys; pathlib.Path(sys.argv[1], 'run.json').write_text({json.dumps(RECORD)!r})"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/polyphonie.sqlite")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def held() -> HeldJobs:
    return HeldJobs()


@pytest.fixture
def client(store: Store, held: HeldJobs) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), store=store, jobs=held)) as client:
        yield client


def key(store: Store, name: str, *scopes: keys.Scope, team: str = "a") -> dict[str, str]:
    with store.write() as connection:
        _, secret = keys.create(connection, name, team=team, scopes=scopes)
    return {"Authorization": f"Bearer {secret}"}


def asked(store: Store, **configuration: object) -> str:
    made = EvalConfiguration(**configuration)  # type: ignore[arg-type]
    with store.write() as connection:
        return evals.add(connection, team="a", created_by="k", configuration=made).id


def kept(store: Store, eval_id: str) -> evals.StoredEval:
    with store.read() as connection:
        found = evals.get(connection, eval_id)
    assert found is not None
    return found


def ended(store: Store, eval_id: str) -> evals.StoredEval:
    late = time.monotonic() + 300
    while (found := kept(store, eval_id)).state in ("queued", "running"):
        assert time.monotonic() < late, found
        time.sleep(0.05)
    return found


@contextmanager
def running(store: Store, folder: Path, script: str, *, works: bool = True) -> Iterator[DurableJobs]:
    """The jobs of a process whose evals are this script; its first argument is the folder."""

    def evaluate(configuration: EvalConfiguration, name: str) -> Command:
        words = [sys.executable, "-I", "-S", "-c", script, str(folder / name)]
        return Command(words=words, environment={}, folder=folder / name)

    def nobody(*_: object) -> None:
        raise AssertionError("nobody asks")

    can = Works(make=nobody, call_model=nobody, evaluate=evaluate, lost_after=0.6)  # type: ignore[arg-type]
    jobs = DurableJobs(store, worker_id="w", works=can if works else None)
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.stop()


def test_an_eval_is_asked_for_once_and_read_by_its_team_alone(
    client: TestClient, store: Store, held: HeldJobs
) -> None:
    own = key(store, "k", "evaluate")
    body = {"suites": ["round"], "sets": ["example"], "cases": 2}
    first = client.post("/v1/evals", json=body, headers=own | {"Idempotency-Key": "1"})
    again = client.post("/v1/evals", json=body, headers=own | {"Idempotency-Key": "1"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json() == again.json()
    where = first.headers["Location"]
    assert where == f"/v1/evals/{first.json()['id']}"
    assert set(held.submitted_evals) == {first.json()["id"]}
    assert first.json()["configuration"] == body | {"llm": None, "encoder": None, "budget": None}

    read = client.get(where, headers=own)
    assert (read.status_code, read.json()["state"]) == (200, "queued")
    assert client.get(where, headers=own | {"If-None-Match": read.headers["ETag"]}).status_code == 304
    assert client.get(where, headers=key(store, "other", "evaluate", team="b")).status_code == 404
    for method in ("GET", "POST"):
        address = where if method == "GET" else "/v1/evals"
        refused = client.request(method, address, headers=key(store, method, "read", "draft", "review"))
        assert (refused.status_code, refused.json()["code"]) == (403, "MissingScope")
    with store.read() as connection:
        noted = audit.page(connection, team="a", cursor=None, limit=10).items
    assert ("eval.create", first.json()["id"]) in {(e.action, e.target) for e in noted}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"llm": "openai:gpt"}, "body.llm"),
        ({"encoder": "/etc/passwd"}, "body.encoder"),
        ({"sets": ["../data"]}, "body.sets.0"),
        ({"suites": ["--reference=/"]}, "body.suites.0"),
        ({"cases": 0}, "body.cases"),
        ({"reference": "/srv"}, "body.reference"),
    ],
)
def test_what_is_not_offered_is_refused(client: TestClient, store: Store, body: dict, field: str) -> None:
    refused = client.post("/v1/evals", json=body, headers=key(store, "k", "evaluate"))
    assert refused.status_code == 422
    assert [p["field"] for p in refused.json()["problems"]] == [field]


def test_without_the_evals_installed_the_answer_says_what_to_do(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("service.wiring.ready.find_spec", lambda name: None)
    refused = client.post("/v1/evals", json={}, headers=key(store, "k", "evaluate"))
    assert (refused.status_code, refused.json()["code"]) == (501, "MissingPackage")
    assert "make install" in refused.json()["detail"]
    # a worker of an image without them, behind a service that has them
    eval_id = asked(store)
    with ExitStack() as stack:
        settings = Settings(data_dir=tmp_path, worker_lost_after=3)
        jobs = jobs_for(settings, store, works=True, stack=stack)
        jobs.start()
        stack.callback(jobs.stop)
        jobs.submit_eval(eval_id)
        found = ended(store, eval_id)
    assert (found.state, (found.error or {})["code"]) == ("failed", "MissingPackage")


def test_an_eval_is_run_and_its_figures_are_read(client: TestClient, store: Store, tmp_path: Path) -> None:
    eval_id = asked(store)
    with running(store, tmp_path, WRITES) as jobs:
        jobs.submit_eval(eval_id)
        jobs.submit_eval(eval_id)
        ended(store, eval_id)
    header = key(store, "k", "evaluate")
    with Client("", http=TestClient(client.app, headers=header)) as service:
        made = service.eval(eval_id)
        assert service.evaluate(suites=["round"]).state == "queued"
        with pytest.raises(ServiceError, match="no eval with this id"):
            service.eval("e_0")
    assert (made.state, made.error) == ("done", None)
    assert made.report is not None
    assert made.report["figures"] == RECORD["figures"]
    assert made.report["failures"] == [
        {"bench": "round/example", "drafter": "draft", "case": "Q2", "reason": "refused"}
    ]
    assert not {"benches", "command"} & set(kept(store, eval_id).report or {})
    with store.read() as connection:
        assert store_jobs.get(connection, eval_id) is None


@pytest.mark.parametrize(
    ("ends", "state", "detail"),
    [
        ("print('polyphonie: no suite x', file=sys.stderr); sys.exit(1)", "failed", "no suite x"),
        ("print('polyphonie: the budget', file=sys.stderr); sys.exit(3)", "stopped", "the budget"),
        ("raise ValueError('what people wrote')", "failed", "exit code 1"),
        ("import os; os.unlink(sys.argv[1] + '/run.json')", "failed", "exit code 0"),
    ],
)
def test_an_eval_that_does_not_end_well_says_why(
    store: Store, tmp_path: Path, ends: str, state: str, detail: str
) -> None:
    eval_id = asked(store)
    with running(store, tmp_path, f"{WRITES}\n{ends}") as jobs:
        jobs.submit_eval(eval_id)
        found = ended(store, eval_id)
    assert found.state == state
    assert found.error is not None
    assert detail in found.error["detail"]
    assert "what people wrote" not in found.error["detail"]
    assert (found.report is None) == ("unlink" in ends), "what was finished is kept"


def test_a_worker_that_is_told_to_end_ends_its_eval_and_the_next_begins_it_anew(
    store: Store, tmp_path: Path
) -> None:
    eval_id = asked(store)
    here = tmp_path / f"{eval_id}-1" / "here"
    waits = "import pathlib, sys, time; pathlib.Path(sys.argv[1], 'here').touch(); time.sleep(600)"
    with running(store, tmp_path, waits) as jobs:
        jobs.submit_eval(eval_id)
        late = time.monotonic() + 300
        while not here.exists():
            assert time.monotonic() < late
            time.sleep(0.05)
    with store.read() as connection:
        job = store_jobs.get(connection, eval_id)
    assert kept(store, eval_id).state == "running"
    assert job is not None
    assert job.tries == 0, "ending in order is no failed try"
    with running(store, tmp_path, WRITES):
        assert ended(store, eval_id).state == "done"
    assert not here.exists(), "nothing of the first try is left in the folder"


@pytest.mark.parametrize(("tries", "state"), [(1, "done"), (MOST_TRIES, "failed")])
def test_the_eval_of_a_killed_worker_is_begun_anew_but_not_for_ever(
    store: Store, tmp_path: Path, tries: int, state: str
) -> None:
    eval_id = asked(store)
    with running(store, tmp_path, WRITES, works=False) as jobs:
        jobs.submit_eval(eval_id)
    queue = create_engine(f"sqlite:///{tmp_path}/polyphonie.jobs.sqlite")
    with queue.begin() as connection:
        dead = "UPDATE workflow_status SET status = 'PENDING', executor_id = 'dead'"
        assert connection.execute(text(dead)).rowcount == 1
    queue.dispose()
    with store.write() as connection:
        job = store_jobs.get(connection, eval_id)
        assert job is not None
        for _ in range(tries):
            store_jobs.begin(connection, eval_id, job.ticket, finished=0)
        evals.start(connection, eval_id)
    with running(store, tmp_path, WRITES):
        found = ended(store, eval_id)
    assert found.state == state
    assert (found.error or {}).get("code") == (None if state == "done" else "Poisoned")


def test_the_command_is_the_one_of_the_evals(store: Store, tmp_path: Path) -> None:
    """The real command line, with a suite that it does not have: it says so in a second and drafts nothing."""
    settings = Settings(data_dir=tmp_path, cache_dir=tmp_path / "cache", budget=7, worker_lost_after=3)
    words = eval_command(
        settings, EvalConfiguration(suites=("round",), sets=("a", "b"), cases=2), "e-1"
    ).words
    assert words[2:] == [
        "evals", "run", "--suite=round", "--set=a,b", "--cases=2", "--llm=extractive", "--encoder=local",
        "--budget=7", f"--out={tmp_path / 'evals' / 'e-1'}",
    ]  # fmt: skip
    eval_id = asked(store, suites=("no-such",), sets=("example",))
    with ExitStack() as stack:
        jobs = jobs_for(settings, store, works=True, stack=stack)
        jobs.start()
        stack.callback(jobs.stop)
        jobs.submit_eval(eval_id)
        found = ended(store, eval_id)
    assert found.state == "failed"
    assert (found.error or {})["detail"].startswith("no suite no-such: there are ")
