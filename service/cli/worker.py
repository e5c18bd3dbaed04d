"""`polyphonie worker`: hands for the service, on any host."""

import os
import sys
from typing import Annotated

import typer


def worker(
    metrics_port: Annotated[
        int | None, typer.Option(help="Port of this worker's /metrics; none: not shown.", min=1, max=65535)
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address of that port.")] = "127.0.0.1",
) -> None:
    """Make the drafts that the service is asked for, until told to end; settings as for `serve`."""
    from service.settings import load_settings
    from service.worker import work

    code = work(load_settings(), metrics_at=None if metrics_port is None else (metrics_host, metrics_port))
    sys.stderr.flush()
    # a call that outlasted the shutdown must not keep the process: it is another worker's by now
    os._exit(code)
