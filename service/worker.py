"""`polyphonie worker`: a process that makes drafts until it is told to end, on any host that reaches the database."""

import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType

import structlog
from prometheus_client import start_http_server

from service.errors import BadSetting
from service.operation import logs, traces
from service.settings import Settings
from service.wiring import store_for
from service.wiring.jobs import jobs_for

LOG = structlog.get_logger(__name__)


def work(settings: Settings, *, metrics_at: tuple[str, int] | None = None) -> int:
    """Make drafts until SIGTERM or Ctrl-C; the exit code, 1 where the other workers gave this one up.

    metrics_at: host and port where the metrics of this worker are shown. Raises BadSetting and StoreUnavailable.
    """
    logs.configure(level=settings.log_level)
    missing = traces.configure("polyphonie-worker")
    if missing:
        LOG.warning("traces.off", reason=missing)
    over, given_up = threading.Event(), threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        over.set()

    def give_up() -> None:
        given_up.set()
        over.set()

    with ExitStack() as stack:
        store = store_for(settings)
        stack.callback(store.close)
        jobs = jobs_for(settings, store, works=True, stack=stack, on_given_up=give_up)
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, end)
        if metrics_at is not None:
            stack.callback(_show_metrics(*metrics_at))
        jobs.start()
        over.wait()
        jobs.stop()
    traces.close()
    return 1 if given_up.is_set() else 0


def _show_metrics(host: str, port: int) -> Callable[[], None]:
    """Serve them; returns what ends that. Raises BadSetting."""
    try:
        server, _thread = start_http_server(port, host)
    except OSError as error:
        raise BadSetting(
            f"--metrics-host {host} --metrics-port {port}: {error}. Take another one."
        ) from error
    return server.shutdown
