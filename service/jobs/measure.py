"""Figures that are the same in every process, because they are read from the store."""

from service.operation import metrics
from service.store import Store, calls, drafts, evals, workers


def measure(store: Store) -> None:
    """Put what waits, and who is alive, into this process's metrics."""
    with store.read() as connection:
        under_way = drafts.in_state(connection, "queued", "running")
        metrics.QUEUE_DEPTH.labels(queue="drafts").set(len(under_way))
        metrics.QUEUE_DEPTH.labels(queue="evals").set(len(evals.under_way(connection)))
        metrics.QUEUE_DEPTH.labels(queue="calls").set(calls.count_open(connection))
        metrics.WORKERS.set(len(workers.beats(connection)))
