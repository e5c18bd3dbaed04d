"""OpenTelemetry spans: drafts, stages and model calls. They cost nothing as long as no exporter is set up."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace

TRACER = trace.get_tracer("polyphonie")
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@contextmanager
def span(
    name: str, carrier: Mapping[str, str] | None = None, **attributes: str | int
) -> Iterator[trace.Span]:
    """A span under the one in force, or under the one in another process that `carrier` came from.

    An error is told by its class alone: its text may quote what people wrote.
    """
    context = propagate.extract(dict(carrier)) if carrier else None
    with TRACER.start_as_current_span(
        name, context=context, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as made:
        try:
            yield made
        except BaseException as error:
            made.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
            raise


def carrier() -> dict[str, str]:
    """What another process needs to go on with this trace."""
    found: dict[str, str] = {}
    propagate.inject(found)
    return found


def configure(service: str) -> str | None:
    """Send spans to where OTEL_EXPORTER_OTLP_ENDPOINT says; the reason where that is asked for and can't be done."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    try:  # the SDK is nobody's dependency: the programming interface alone is installed with Polyphonie
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        return f"{error}: pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return None
