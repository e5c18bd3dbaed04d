"""OpenTelemetry spans: requests, drafts, their stages and model calls. They cost nothing as long as no exporter is set up.

They go to a provider of our own and not to the one of the whole process: FastAPI, DBOS and others would tell theirs there too, with
queries and texts of errors in them, which may quote what people wrote.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import context, propagate, trace
from opentelemetry.trace import NoOpTracerProvider, TracerProvider

TRACER = NoOpTracerProvider().get_tracer("polyphonie")
CLOSE: list[Callable[[], None]] = []
"""What sends the last spans."""

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@contextmanager
def span(
    name: str, carrier: Mapping[str, str] | None = None, **attributes: str | int
) -> Iterator[trace.Span]:
    """A span under the one in force, or under the one in another process that `carrier` came from.

    An error is told by its class alone: its text may quote what people wrote.
    """
    under = propagate.extract(dict(carrier)) if carrier else None
    with TRACER.start_as_current_span(
        name, context=under, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield made
        except BaseException as error:
            made.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
            raise


class Stages:
    """A span for each stage of the draft in force when this is made; `at` may be told from any thread."""

    def __init__(self) -> None:
        self._draft = context.get_current()
        self._stage = ""
        self._span: trace.Span = trace.INVALID_SPAN

    def at(self, stage: str, done: int, total: int) -> None:
        """So much of that stage is done."""
        if stage != self._stage or (self._span is trace.INVALID_SPAN and done < total):
            self.end()
            self._stage = stage
            attributes: dict[str, str | int] = {"stage": stage, "items": total}
            self._span = TRACER.start_span("stage", context=self._draft, attributes=attributes)
        if done == total:
            self.end()

    def end(self) -> None:
        """The stage is over, or the draft in the middle of it."""
        self._span.end()
        self._span = trace.INVALID_SPAN


def are_kept() -> bool:
    """Whether spans go anywhere."""
    return not isinstance(TRACER, trace.NoOpTracer)


def keep(provider: TracerProvider) -> None:
    """Give all spans from now on to this provider."""
    global TRACER  # noqa: PLW0603 - one for the process, as the logs
    TRACER = provider.get_tracer("polyphonie")


def close() -> None:
    """Send what was not sent yet: this process ends."""
    while CLOSE:
        CLOSE.pop()()


def carrier() -> dict[str, str]:
    """What another process needs to go on with this trace."""
    found: dict[str, str] = {}
    propagate.inject(found)
    return found


def configure(service: str) -> str | None:
    """Send spans to where OTEL_EXPORTER_OTLP_ENDPOINT says; the reason where that is asked for and can't be done."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    try:  # the extra `traces`: the programming interface alone is installed with Polyphonie
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        return f"{error}: pip install 'polyphonie[traces]'"
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    keep(provider)
    CLOSE.append(provider.shutdown)
    return None
