"""Spans of requests, drafts, stages and calls: in one trace where they belong together, and without anything that people wrote."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from embeddings.encoder import HashEncoder
from service.api import create_app
from service.client import Client
from service.ingest import read_round
from service.operation import traces
from service.settings import Settings
from service.store import Store
from service.wiring.jobs import jobs_for
from tests.loopback import model_server

EXAMPLE = Path(__file__).parents[2] / "examples" / "small" / "answers.csv"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(traces, "TRACER", traces.TRACER)  # as it was, after the test
    traces.keep(provider)
    yield kept
    provider.shutdown()


def told(spans: Sequence[ReadableSpan]) -> str:
    """Everything that leaves with the spans."""
    return "\n".join(span.to_json() for span in spans)


def test_requests_drafts_stages_and_calls_are_spans_without_texts(
    exporter: InMemorySpanExporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.wiring.jobs.load_encoder_for", lambda *_: HashEncoder())
    store = Store(f"sqlite:///{tmp_path}/polyphonie.sqlite")
    store.migrate()
    with ExitStack() as stack:
        stack.callback(store.close)
        server = stack.enter_context(model_server())
        settings = Settings(
            llm="openai:m",
            llm_base_url=server.url,
            llm_api_key="key",  # type: ignore[arg-type]
            cache_dir=tmp_path / "cache",
        )
        jobs = jobs_for(settings, store, works=True, stack=stack)
        jobs.start()
        stack.callback(jobs.stop)
        http = stack.enter_context(TestClient(create_app(settings, store=store, jobs=jobs, open_=True)))
        service = Client("", http=http)
        draft = service.wait(service.ask(service.upload(EXAMPLE).id).id)
        assert draft.state == "done", draft.error
        parent = f"00-{'a' * 32}-{'b' * 16}-01"
        http.get("/v1/drafts?round=trop+loin", headers={"traceparent": parent})
        http.request("BREW", "/v1/drafts/trop-loin")
        calls = len(server.answered)
    spans = exporter.get_finished_spans()
    named = {name: [s for s in spans if s.name == name] for name in {s.name for s in spans}}
    assert set(named) == {"request", "draft", "stage", "call"}, "and nothing of other libraries"
    (whole,) = named["draft"]
    assert whole.attributes == {"draft_id": draft.id}
    assert len(named["call"]) == calls > 0
    for part in named["call"] + named["stage"]:
        assert (part.context.trace_id, part.parent and part.parent.span_id) == (
            whole.context.trace_id,
            whole.context.span_id,
        )
    assert {"label", "synthesise"} <= {(s.attributes or {})["stage"] for s in named["stage"]}
    last, odd = named["request"][-2:]
    assert f"{last.context.trace_id:x}" == "a" * 32
    assert last.attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/v1/drafts",
    }
    assert (odd.attributes or {})["http.request.method"] == "_OTHER"
    round_ = read_round(EXAMPLE).round
    assert round_ is not None
    left = told(spans)
    assert [a.text for a in round_.answers if len(a.text) > 8 and a.text in left] == []
    assert "trop" not in left


def test_an_error_is_told_by_its_class_alone(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="somebody"), traces.span("call", llm="m"):
        raise ValueError("what somebody wrote")
    (span,) = exporter.get_finished_spans()
    assert span.status.description == "ValueError"
    assert "somebody" not in told([span])


def test_the_last_spans_are_sent_when_a_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = InMemorySpanExporter()
    monkeypatch.setattr(traces, "TRACER", traces.TRACER)
    monkeypatch.setenv(traces.ENDPOINTS[0], "http://127.0.0.1:9")
    monkeypatch.setattr(
        "opentelemetry.exporter.otlp.proto.http.trace_exporter.OTLPSpanExporter", lambda: kept
    )
    assert traces.configure("polyphonie") is None
    assert traces.are_kept()
    with traces.span("draft", draft_id="d"):
        pass
    traces.close()
    (span,) = kept.get_finished_spans()
    assert span.resource.attributes["service.name"] == "polyphonie"


def test_where_no_exporter_is_set_up_nothing_is_kept_and_what_lacks_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in traces.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert traces.configure("polyphonie") is None
    assert not traces.are_kept()
    monkeypatch.setenv(traces.ENDPOINTS[0], "http://127.0.0.1:9")
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    assert "polyphonie[traces]" in (traces.configure("polyphonie") or "")
    assert not traces.are_kept()
