"""What an operator looks at: readiness, metrics, and logs that hold nothing of what people wrote."""

import io
import json
import logging
from pathlib import Path

import pytest
import structlog
from fastapi.testclient import TestClient
from sqlalchemy import text

from service.api import create_app
from service.domain.jobs import Configuration, HeldJobs
from service.operation import logs, metrics
from service.settings import Settings
from service.store import Store, calls, drafts, keys, rounds, workers
from tests.drafts import small_draft
from tests.loopback import model_server


def app_of(store: Store, *, local: bool = False, **settings) -> TestClient:
    return TestClient(create_app(Settings(**settings), store=store, jobs=HeldJobs(), open_=local))


def missing(answer) -> dict[str, str]:
    assert answer.status_code == 503, answer.text
    body = answer.json()
    assert body["code"] == "NotReady"
    assert all(p["remedy"] for p in body["problems"])
    return {p["field"]: p["message"] for p in body["problems"]}


def test_ready_says_that_no_worker_is_alive_until_one_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_of(store, worker_lost_after=30)
    assert set(missing(app.get("/readyz"))) == {"worker"}
    assert app.get("/readyz", params={"exclude": "worker"}).json()["checks"] == [
        "database",
        "migrations",
        "encoder",
        "model",
    ]
    at = 1000.0
    monkeypatch.setattr("service.api.readiness.time.monotonic", lambda: at)
    with store.write() as connection:
        workers.add(connection, "w")
    assert app.get("/readyz").status_code == 200
    at += 29
    assert app.get("/readyz").status_code == 200
    at += 2
    assert set(missing(app.get("/readyz"))) == {"worker"}, "it has not counted on for 31 seconds"
    with store.write() as connection:
        workers.beat(connection, "w")
    assert app.get("/readyz").status_code == 200


def test_ready_says_that_the_tables_are_of_another_version(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    told = missing(app_of(store).get("/readyz"))
    assert "0001" in told["migrations"]


def test_ready_says_that_the_database_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    store = Store(f"sqlite:///{tmp_path}/data/polyphonie.sqlite")
    (tmp_path / "data").rename(tmp_path / "gone")
    app = app_of(store)
    assert set(missing(app.get("/readyz"))) == {"database"}
    assert app.get("/livez").status_code == 200


def test_ready_says_that_the_model_server_does_not_answer(store: Store) -> None:
    with store.write() as connection:
        workers.add(connection, "w")
    secret = "sk-very-secret"
    with model_server() as server:
        app = app_of(store, llm="openai:m", llm_base_url=server.url, llm_api_key=secret)
        assert app.get("/readyz").status_code == 200
    app = app_of(store, llm="openai:m", llm_base_url=server.url, llm_api_key=secret)
    answer = app.get("/readyz")
    assert set(missing(answer)) == {"model"}
    assert secret not in answer.text
    assert server.url not in answer.text


def test_ready_says_that_the_encoder_is_not_installed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("embeddings.encoder").encoder.PACKAGES, "e5", "no-such-package")
    assert "no-such-package" in missing(app_of(store, encoder="e5").get("/readyz"))["encoder"]


def test_metrics_tell_the_queue_and_need_a_key_where_others_can_reach_them(store: Store) -> None:
    with store.write() as connection:
        kept = rounds.add(connection, small_draft()[1], team="a", created_by="k", sha256="0" * 64)
        queued = drafts.add(
            connection, round_id=kept.id, team="a", created_by="k", configuration=Configuration()
        )
        calls.ask(connection, key="0" * 64, draft_id=queued.id, llm="openai:m", request={})
        _, admin = keys.create(connection, "admin", team="a", scopes=("admin",))
        _, reader = keys.create(connection, "reader", team="a", scopes=("read",))
    metrics.COST.inc(0.25)
    answer = app_of(store, local=True).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert 'polyphonie_queue_depth{queue="drafts"} 1.0' in lines
    assert 'polyphonie_queue_depth{queue="calls"} 1.0' in lines
    names = ("calls_total", "tokens_total", "cost_total", "failures_total", "stage_seconds", "workers")
    for name in names:
        assert (
            f"# TYPE polyphonie_{name.removesuffix('_total')}" in answer.text
            or f"polyphonie_{name}" in answer.text
        )
    assert kept.id not in answer.text
    elsewhere = app_of(store)
    assert elsewhere.get("/metrics").status_code == 401
    for secret, status in ((reader, 403), (admin, 200)):
        assert elsewhere.get("/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == status


def test_logs_are_lines_of_json_without_texts_and_secrets() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        logs.configure(level="DEBUG", stream=stream)
        log = structlog.get_logger("test")
        try:
            raise ValueError("what somebody wrote")
        except ValueError as error:
            log.error("draft.broken", exc_info=error, draft_id="d_1")
            logging.getLogger("of.a.library").exception("it broke")
        log.info("call.begun", api_key="pk_secret", Authorization="Bearer pk_secret")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        structlog.reset_defaults()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["draft.broken", "it broke", "call.begun"]
    assert lines[0]["error"] == ["ValueError"]
    assert lines[0]["draft_id"] == "d_1"
    assert "somebody" not in stream.getvalue()
    assert "pk_secret" not in stream.getvalue()
