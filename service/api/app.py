"""The application: routers, errors, headers, and what lives as long as it does."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.telemetry import TelemetryConfig
from sqlalchemy.exc import SQLAlchemyError

from service import __version__
from service.api import batches, browsers, corrections, drafts, evals, follow, health, library, rounds
from service.api.callers import Gate
from service.api.context import Context, ReadLog
from service.api.guard import Guard, Traced
from service.api.openapi import document
from service.api.pages import add_pages
from service.api.pages.desk import ToolsFor
from service.api.pages.page import compile_templates
from service.api.problems import handle_problems
from service.api.readiness import Pulse, Readiness, Remembered
from service.api.reviews import Reviews
from service.domain.jobs import Jobs
from service.errors import PolyphonieError
from service.operation import traces
from service.settings import Settings
from service.store import Store
from service.store.drafts import last_done
from service.wiring import tools_for
from service.wiring.ready import encoder_missing, model_missing

LOG = logging.getLogger("polyphonie.api")

ROUTERS = (
    batches.router,
    rounds.router,
    drafts.router,
    follow.router,
    corrections.router,
    evals.router,
    library.router,
    browsers.router,
    health.router,
)
"""In the order in which addresses are looked up."""

SILENT: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI's own spans hold the query, its logs the texts of errors: what people wrote may be in both. Ours are in `guard`."""


def create_app(
    settings: Settings, *, store: Store, jobs: Jobs, open_: bool = False, tools: ToolsFor = tools_for
) -> FastAPI:
    """The service over a store whose tables are there, and jobs that make the drafts.

    open_: no key is needed as long as none was ever made. Only for a loopback address, where whoever sits at the machine is
    the only one to reach it; the caller sees to that. tools: the encoder and the model that the pages work with.
    """
    reads = ReadLog(store)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        reads.start()
        warming = threading.Thread(target=_warm, args=(app.state.context,), name="warm", daemon=True)
        warming.start()
        yield
        warming.join()
        reads.close()

    app = FastAPI(
        title="Polyphonie",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry=SILENT,
    )
    app.state.context = Context(
        settings=settings,
        store=store,
        jobs=jobs,
        reads=reads,
        reviews=Reviews(store),
        readiness=Readiness(
            store=store,
            pulse=Pulse(store, lost_after=settings.worker_lost_after),
            encoder=lambda: encoder_missing(settings),
            model=Remembered(lambda: model_missing(settings)),
        ),
    )
    # whether the server is about to end: who follows a draft must not hold it up
    app.state.leaving = lambda: False
    app.state.gate = Gate.of(settings, store, open_=open_)
    for router in ROUTERS:
        # not `include_router`: each included router is searched twice for every request, which costs as much as a read
        app.router.routes.extend(router.routes)
    add_pages(app, settings, tools)
    handle_problems(app)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-Match", "Idempotency-Key", "Last-Event-ID"],
            expose_headers=["ETag", "Location", "Retry-After"],
        )
    app.add_middleware(Guard, most_bytes=settings.upload_limit)
    if traces.are_kept():
        app.add_middleware(Traced)
    app.openapi = document(app)  # type: ignore[method-assign]
    return app


def _warm(context: Context) -> None:
    """What the first reader would wait for: the pages compiled, the draft that was finished last read."""
    compile_templates()
    try:
        with context.store.read() as connection:
            found = last_done(connection)
            if found is not None:
                context.reviews.load(connection, found.id, found.version)
    except (PolyphonieError, SQLAlchemyError) as error:  # whoever asks for that draft is told
        LOG.warning("nothing was read ahead: %s", type(error).__name__)
