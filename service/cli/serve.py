"""`polyphonie serve`: the service on this machine, a worker inside."""

import os
import signal
import socket
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.terminal import say
from service.errors import BadSetting

if TYPE_CHECKING:
    from service.settings import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8000,
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Make drafts in this process too.")
    ] = True,
) -> None:
    """Serve the API and the pages until told to end, and make the drafts that are asked for.

    On the loopback address nobody needs a key until the first one is made; on any other one must exist.
    """
    from service.settings import load_settings

    code = _serve(load_settings(), host, port, works=worker)
    sys.stderr.flush()
    # a call that outlasted the shutdown must not keep the process: its draft goes on with the next start
    os._exit(code)


def _serve(settings: "Settings", host: str, port: int, *, works: bool) -> int:
    """Serve until a signal; the exit code. Raises BadSetting and StoreUnavailable."""
    import structlog
    import uvicorn

    from service.api import create_app
    from service.operation import logs, traces
    from service.store import keys
    from service.wiring import store_for
    from service.wiring.jobs import jobs_for

    logs.configure(level=settings.log_level)
    untraced = traces.configure("polyphonie")
    if untraced:
        structlog.get_logger(__name__).warning("traces.off", reason=untraced)
    given_up = False
    with ExitStack() as stack:
        store = store_for(settings)
        stack.callback(store.close)
        with store.read() as connection:
            has_keys = keys.any_made(connection)
        if host not in LOOPBACK and not has_keys:
            raise BadSetting(
                f"--host {host} can be reached from elsewhere, and there is no key: anybody could read and delete. "
                "Make one with `polyphonie keys create NAME`, or serve on 127.0.0.1."
            )
        listening = _listen(host, port)
        stack.callback(listening.close)

        def give_up() -> None:
            nonlocal given_up
            given_up = True
            server.should_exit = True

        jobs = jobs_for(settings, store, works=works, stack=stack, on_given_up=give_up)
        app = create_app(settings, store=store, jobs=jobs, open_=host in LOOPBACK)
        server = uvicorn.Server(
            uvicorn.Config(
                app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=10
            )
        )
        app.state.leaving = lambda: server.should_exit
        shown = f"[{host}]" if ":" in host else host
        say(f"Polyphonie on http://{shown}:{listening.getsockname()[1]}  (Ctrl-C ends it)")
        if not has_keys:
            say(
                "No key was made yet: whoever is at this machine may use it. `polyphonie keys create NAME` ends that."
            )
        jobs.start()  # logs: after the address, which a person waits for
        # the server raises the signal that ended it once more when it is done: without these the process would end
        # there, before the jobs have put down what they hold
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: None)
        try:
            server.run(sockets=[listening])
        finally:
            jobs.stop()
            traces.close()
    return 1 if given_up else 0


def _listen(host: str, port: int) -> socket.socket:
    """Raises BadSetting."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # with its protocol named: asyncio turns Nagle's algorithm off only then, and without that each answer waits for 40 ms
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise BadSetting(
            f"--host {host} --port {port}: {error}. Take another one; 0 takes a free port."
        ) from error
    listening.listen(512)
    return listening
