"""`polyphonie worker`: a process that makes drafts until it is told to end, on any host that reaches the database."""

import signal
import threading
from contextlib import ExitStack
from types import FrameType

import structlog

from service.operation import logs, traces
from service.settings import Settings
from service.wiring import store_for
from service.wiring.jobs import jobs_for

LOG = structlog.get_logger(__name__)


def work(settings: Settings) -> int:
    """Make drafts until SIGTERM or Ctrl-C; the exit code, 1 where the other workers gave this one up.

    Raises BadSetting and StoreUnavailable.
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
        jobs.start()
        over.wait()
        jobs.stop()
    return 1 if given_up.is_set() else 0
