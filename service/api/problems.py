"""Every error as application/problem+json (RFC 9457): `code` is the class name of the error, stable between versions."""

import logging
from collections.abc import Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from service import errors
from service.domain.round import Language
from service.errors import Defect, InvalidRequest, PolyphonieError, StoreUnavailable
from service.ingest.messages import CATALOGUES, told

LOG = logging.getLogger("polyphonie.api")

MEDIA_TYPE = "application/problem+json"


class Trouble(BaseModel):
    """One thing that is wrong: of a file with row and column, of a request with the field."""

    severity: str = Field("error", examples=["error"])
    file: str | None = Field(None, examples=["answers.csv"])
    row: int | None = Field(None, description="From 1, header included.", examples=[12])
    column: str | None = Field(None, examples=["answer"])
    field: str | None = Field(None, description="Place in the request.", examples=["body.questions.0"])
    message: str = Field(examples=["a NUL character: this text is damaged"])
    remedy: str | None = Field(None, examples=["export it again as UTF-8"])
    code: str | None = Field(None, description="Of a problem of a file; stable.", examples=["nul_in_cell"])
    said: dict[str, str | int] | None = Field(None, description="What the message tells beside its words.")

    def told(self, language: Language) -> tuple[str, str]:
        """Message and remedy; in English where no other words are known."""
        if self.code in CATALOGUES[language]:
            return told(self.code, self.said or {}, language)
        return self.message, self.remedy or ""


class ProblemOut(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field("about:blank", examples=["urn:polyphonie:error:BadInput"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["answers.csv can't be used as it stands: see problems."])
    code: str = Field(description="Class name of the error; stable.", examples=["BadInput"])
    problems: list[Trouble] | None = None


class Refused(PolyphonieError):
    """An error with more than a text: a list of problems, headers for the response."""

    def __init__(
        self,
        error: PolyphonieError,
        *,
        problems: Sequence[Trouble] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.problems = list(problems)
        self.headers = headers or {}


def problem_of(error: PolyphonieError, problems: Sequence[Trouble] = ()) -> ProblemOut:
    """An error as RFC 9457 has it."""
    return ProblemOut(
        type=f"urn:polyphonie:error:{error.code}",
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        detail=str(error) or first_words(error),
        code=error.code,
        problems=list(problems) or None,
    )


def problem(
    error: PolyphonieError, *, problems: Sequence[Trouble] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    """The response for an error."""
    body = problem_of(error, problems).model_dump(exclude_none=True)
    return JSONResponse(body, error.status, headers, MEDIA_TYPE)


def first_words(error: PolyphonieError) -> str:
    """Message and remedy of an error raised without a text of its own: its docstring."""
    return " ".join((type(error).__doc__ or "").split())


def handle_problems(app: FastAPI) -> None:
    """Let every error of the app leave as a problem."""

    @app.exception_handler(Refused)
    def refused(_: Request, error: Refused) -> JSONResponse:
        return problem(error.error, problems=error.problems, headers=error.headers)

    @app.exception_handler(PolyphonieError)
    def on_purpose(_: Request, error: PolyphonieError) -> JSONResponse:
        return problem(error)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # never `input`: what was sent may be personal, and an error is copied into tickets
        found = [Trouble(field=".".join(map(str, e["loc"])), message=e["msg"]) for e in error.errors()[:20]]
        return problem(InvalidRequest("; ".join(f"{t.field}: {t.message}" for t in found)), problems=found)

    @app.exception_handler(HTTPException)
    def plain(_: Request, error: HTTPException) -> JSONResponse:
        known = BY_STATUS.get(error.status_code, InvalidRequest if error.status_code < 500 else Defect)
        made = known(first_words(known()) if known is not InvalidRequest else str(error.detail))
        return problem(made, headers=dict(error.headers or {}))

    @app.exception_handler(OperationalError)
    @app.exception_handler(PoolTimeout)
    def unavailable(_: Request, error: OperationalError | PoolTimeout) -> JSONResponse:
        LOG.error("database: %s", error.orig if isinstance(error, OperationalError) else "no connection free")
        return problem(StoreUnavailable("the database does not answer."), headers={"Retry-After": "5"})


BY_STATUS: dict[int, type[PolyphonieError]] = {
    401: errors.NoKey,
    403: errors.MissingScope,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.TooLarge,
    415: errors.UnsupportedMedia,
}
