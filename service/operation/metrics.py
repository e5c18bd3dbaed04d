"""Prometheus metrics of this process; `/metrics` of the service and of each worker shows them."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)

QUEUE_DEPTH = Gauge("polyphonie_queue_depth", "What waits or is under way, in all processes", ["queue"])
WORKERS = Gauge("polyphonie_workers", "Workers that are alive, in all processes")
DRAFTS = Counter("polyphonie_drafts", "Drafts that ended here", ["state"])
STAGE_SECONDS = Histogram(
    "polyphonie_stage_seconds", "Seconds of a draft's stage", ["stage"], buckets=SECONDS
)
CALLS = Counter("polyphonie_calls", "Model calls that ended here", ["outcome"])
CALL_SECONDS = Histogram(
    "polyphonie_call_seconds", "Seconds of a model call, with its retries", buckets=SECONDS
)
TOKENS = Counter("polyphonie_tokens", "Tokens of model calls made here", ["direction"])
COST = Counter(
    "polyphonie_cost", "Cost of model calls made here, in the currency of the prices in the settings"
)
FAILURES = Counter("polyphonie_failures", "Failures by the code of the error", ["code"])
TAKEN_OVER = Counter("polyphonie_taken_over", "Workers given up whose work was queued again from here")


def exposition(registry: CollectorRegistry = REGISTRY) -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(registry)
