"""`polyphonie worker`: hands for the service, on any host."""

import os
import sys


def worker() -> None:
    """Make the drafts that the service is asked for, until told to end; settings as for `serve`."""
    from service.settings import load_settings
    from service.worker import work

    code = work(load_settings())
    sys.stderr.flush()
    # a call that outlasted the shutdown must not keep the process: it is another worker's by now
    os._exit(code)
