"""Evals: asked for, and read once they have ended. They run where a worker has the evals installed."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Path, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection

from service.api.callers import EvalReader, Evaluator, did, noted_read
from service.api.context import Service
from service.api.drafts import matches
from service.api.offers import check_offer
from service.api.once import Key, once
from service.api.openapi import problems
from service.api.reading import ReadRoute
from service.api.shapes import ErrorOut, Text
from service.domain.jobs import DraftState, EvalConfiguration
from service.errors import MissingPackage, NotFound
from service.store import audit, evals
from service.store.evals import StoredEval
from service.wiring.ready import evals_missing

router = APIRouter(prefix="/v1", tags=["evals"], route_class=ReadRoute)

EvalId = Annotated[Text, Path(description="Id of an eval.", examples=["e_0f6c2b9e7a5d4c3b2a19"])]
Name = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z0-9][a-z0-9-]*$")]
"""Of a suite or a set; one that the worker does not have ends the eval with `failed` and the names that there are."""


class EvalConfigurationIn(BaseModel):
    """What an eval shall measure; everything may be left out."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"suites": ["round"], "sets": ["example"]}]}
    )
    suites: list[Name] = Field([], max_length=50, description="Only these. None: all.", examples=[["round"]])
    sets: list[Name] = Field(
        [],
        max_length=50,
        description="Only these reference sets. None: all that the worker has.",
        examples=[["example"]],
    )
    cases: int | None = Field(None, ge=1, le=2**53, description="At most so many of each set.")
    llm: Text | None = Field(
        None, description="One that is offered; none: the service's own.", examples=["extractive"]
    )
    encoder: Text | None = Field(
        None, description="One that is offered; none: the service's own.", examples=["local"]
    )
    budget: int | None = Field(None, ge=0, le=2**53, description="Most tokens that the eval may use.")

    def record(self) -> EvalConfiguration:
        return EvalConfiguration(
            **self.model_dump() | {"suites": tuple(self.suites), "sets": tuple(self.sets)}
        )


class FigureOut(BaseModel):
    value: float | None = Field(examples=[0.81])
    low: float | None = Field(description="Of the 95 % interval over cases.", examples=[0.74])
    high: float | None = Field(examples=[0.85])
    n: int = Field(description="Cases.", examples=[8])


class FailureOut(BaseModel):
    """A case that has no figures."""

    bench: str = Field(examples=["labels/example"])
    drafter: str = Field(examples=["draft"])
    case: str = Field(examples=["Q1"])
    reason: str


class ReportOut(BaseModel):
    """The record of the run, without its cases."""

    created_at: str
    commit: str = Field(description="Of the code.", examples=["c1deafd7080a"])
    code: str = Field(description="Its version.", examples=["0.1.0"])
    packages: dict[str, str]
    llm: str = Field(examples=["extractive"])
    encoder: str = Field(description="Of the drafts, by language.", examples=["fr use@0.2.1"])
    yardstick: str = Field(description="Encoder of the scorers.", examples=["fr use@0.2.1"])
    prompts: list[dict[str, Any]]
    parameters: dict[str, Any]
    seed: int
    tokens: dict[str, int]
    calls: int
    cost: float | None
    seconds: float
    skipped: dict[str, str] = Field(description="Sets that were not measured, and why.")
    selected: dict[str, Any] = Field(description="Suites, sets and number of cases that were asked for.")
    figures: dict[str, dict[str, dict[str, FigureOut]]] = Field(
        description="By suite/set, drafter and measure.",
        examples=[{"round/example": {"draft": {"traced": {"value": 1, "low": 1, "high": 1, "n": 8}}}}],
    )
    failures: list[FailureOut] = Field(description="Cases without figures; they are in no mean.")


class EvalOut(BaseModel):
    """An eval, where it stands."""

    id: str = Field(examples=["e_0f6c2b9e7a5d4c3b2a19"])
    state: DraftState = Field(examples=["running"])
    configuration: EvalConfigurationIn
    created_at: str
    created_by: str = Field(description="Name of the key.", examples=["analyste"])
    started_at: str | None = None
    finished_at: str | None = None
    report: ReportOut | None = Field(
        None, description="What was measured; of an eval that failed or was stopped, what was finished."
    )
    error: ErrorOut | None = Field(None, description="Why it failed or was stopped.")

    @classmethod
    def of(cls, kept: StoredEval) -> "EvalOut":
        own = ("configuration", "report", "error")
        fields = {f: getattr(kept, f) for f in cls.model_fields if f not in own}
        c = kept.configuration
        return cls(
            configuration=EvalConfigurationIn(
                suites=list(c.suites),
                sets=list(c.sets),
                cases=c.cases,
                llm=c.llm,
                encoder=c.encoder,
                budget=c.budget,
            ),
            report=None if kept.report is None else ReportOut.model_validate(kept.report),
            error=None if kept.error is None else ErrorOut.model_validate(kept.error),
            **fields,
        )


@router.post("/evals", status_code=202, responses=problems(400, 413, 415, 501), response_model=EvalOut)
def ask_for_eval(
    response: Response,
    service: Service,
    caller: Evaluator,
    configuration: Annotated[EvalConfigurationIn | None, Body()] = None,
    key: Key = None,
) -> object:
    """Run the regression evals in the background: see where `Location` says. 501 where they are not installed."""
    asked = (configuration or EvalConfigurationIn()).record()
    check_offer(service.settings, llm=asked.llm, encoder=asked.encoder)
    missing = evals_missing()
    if missing is not None:
        raise MissingPackage(f"{missing.what}: {missing.remedy}.")

    def make(connection: Connection) -> tuple[str, StoredEval]:
        made = evals.add(connection, team=caller.team, created_by=caller.name, configuration=asked)
        audit.append(connection, [did(caller, "eval.create", made.id)])
        return made.id, made

    kept, new = once(
        service.store,
        caller,
        key,
        f"POST /v1/evals {asked!r}",
        make=make,
        find=lambda connection, id_: evals.get(connection, id_, team=caller.team),
    )
    if kept.state == "queued":  # a repeated request submits again what a crash kept from the jobs
        service.jobs.submit_eval(kept.id)
    response.headers["Location"] = f"/v1/evals/{kept.id}"
    if not new:
        response.headers["Idempotent-Replayed"] = "true"
    return EvalOut.of(kept)


@router.get(
    "/evals/{eval_id}",
    responses=problems(404) | {304: {"description": "As it was."}},
    response_model=EvalOut,
)
async def read_eval(
    eval_id: EvalId,
    service: Service,
    caller: EvalReader,
    if_none_match: Annotated[str | None, Header(max_length=400)] = None,
) -> Response:
    """Where an eval stands, then its figures with their intervals."""
    kept = await service.store.look(lambda connection: evals.get(connection, eval_id, team=caller.team))
    if kept is None:
        raise NotFound("no eval with this id that this key may see. The answer to POST /v1/evals names it.")
    noted_read(service, caller, "eval.read", eval_id)
    tag = f'"{kept.state}"'
    if if_none_match is not None and tag in matches(if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    body = EvalOut.of(kept).model_dump_json()
    return Response(body, media_type="application/json", headers={"ETag": tag})
