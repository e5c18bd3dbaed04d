"""Whether the process lives, whether drafts can be made, and figures for Prometheus. None of them ever holds what people wrote."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from service.api.callers import Gate
from service.api.context import Service
from service.api.openapi import problems
from service.api.problems import Refused, Trouble
from service.errors import NotReady
from service.jobs.measure import measure
from service.operation import metrics

router = APIRouter(tags=["operation"])

CheckName = Literal["database", "migrations", "worker", "encoder", "model"]


class Alive(BaseModel):
    status: str = "alive"


class Ready(BaseModel):
    status: str = "ready"
    checks: list[CheckName] = Field(
        description="What was looked at and found well.", examples=[["database", "worker"]]
    )


@router.get("/livez")
async def live() -> Alive:
    """The process answers. Says nothing of the database or of workers."""
    return Alive()


@router.get("/readyz", responses=problems(422, 503, keyless=True))
def ready(
    service: Service,
    exclude: Annotated[
        list[CheckName],
        Query(description="What not to look at: a host that only serves reads can do without `worker`."),
    ] = [],  # noqa: B006 - FastAPI copies it
) -> Ready:
    """Drafts can be asked for and will be made. Else 503, and `problems` says what is missing and what to do."""
    found = service.readiness.look(exclude)
    troubles = [
        Trouble(field=name, message=missing.what, remedy=missing.remedy)
        for name, missing in found.items()
        if missing is not None
    ]
    if troubles:
        told = "; ".join(f"{t.field}: {t.message}" for t in troubles)
        raise Refused(NotReady(f"not ready. {told}"), problems=troubles, headers={"Retry-After": "5"})
    return Ready(checks=list(found))


async def _may_measure(request: Request) -> None:
    """Served on the loopback address, figures need no key; anywhere else a key with scope `admin`, for they are of all teams."""
    gate: Gate = request.app.state.gate
    if not gate.local:
        await gate.admit(request, "admin")


@router.get(
    "/metrics",
    response_class=Response,
    dependencies=[Depends(_may_measure)],
    responses=problems(401, 403, 500, 503, keyless=True)
    | {200: {"description": "Prometheus' text format.", "content": {"text/plain": {}}}},
)
def show_metrics(service: Service) -> Response:
    """Queue depth, calls, tokens, cost, failures and seconds of stages, for Prometheus; sums, never a name or a text.

    Needs a key with scope `admin`, except where the service listens on the loopback address alone.
    """
    measure(service.store)
    return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
