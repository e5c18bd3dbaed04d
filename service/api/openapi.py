"""The OpenAPI document: what FastAPI can't see by itself (uploads read from the stream, errors, keys)."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from service import __version__
from service.api.problems import MEDIA_TYPE, ProblemOut

EVERYWHERE = (401, 403, 422, 429, 500, 503)
"""Statuses that any address with a key may answer with."""

DESCRIPTION = """From the open answers of a survey to a draft synthesis that an analyst can check line by line.

Upload a round, ask for a draft, follow its events, read it, correct it, export it. Errors are `application/problem+json` with a
stable `code`. A key sees the rounds of its team and nothing of others: what it may not see does not exist for it (404)."""

EXAMPLE_ROUND = {
    "id": "vague-2",
    "title": "Une deuxième vague inventée",
    "language": "fr",
    "questions": [{"id": "Q1", "title": "Qu'est-ce qui freine l'accès aux soins ?"}],
    "answers": [
        {"question_id": "Q1", "respondent_id": "1", "answer": "Les délais sont trop longs."},
        {"question_id": "Q1", "respondent_id": "2", "answer": "La distance. Il n'y a plus de bus le soir."},
    ],
}

FILE = {"type": "string", "format": "binary", "description": "CSV, XLSX, JSON or JSON Lines: docs/input.md."}
SIDECAR = {
    "type": "string",
    "format": "binary",
    "description": "answers.round.json: title, questions, panel of the round.",
}


def problems(*statuses: int, keyless: bool = False) -> dict[int | str, dict[str, Any]]:
    """Responses of an address: those that any has, and these beside."""
    found = sorted({*(() if keyless else EVERYWHERE), *statuses})
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
        }
        for status in found
    }


def body(json_schema: dict[str, Any], form: dict[str, Any], *, example: object) -> dict[str, Any]:
    """`openapi_extra` of an address that takes JSON or a form, read from the stream."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": json_schema, "example": example},
                "multipart/form-data": {"schema": form},
            },
        }
    }


ROUND_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "The keys of the sidecar, and the answers: docs/input.md.",
    "required": ["answers"],
    "properties": {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "language": {"enum": ["fr", "en"]},
        "questions": {"type": "array", "items": {"type": "object"}},
        "panel": {"type": "array", "items": {"type": "object"}},
        "answers": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    },
}

BODY_OF_ROUND = body(
    ROUND_SCHEMA,
    {"type": "object", "required": ["file"], "properties": {"file": FILE, "sidecar": SIDECAR}},
    example=EXAMPLE_ROUND,
)

BODY_OF_BATCH = body(
    {
        "type": "object",
        "required": ["rounds"],
        "properties": {
            "rounds": {"type": "array", "minItems": 1, "maxItems": 1000, "items": ROUND_SCHEMA},
            "draft": {"$ref": "#/components/schemas/ConfigurationIn"},
        },
    },
    {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {
                "type": "array",
                "items": FILE,
                "description": "Sidecars too: NAME.round.json beside NAME.csv.",
            },
            "draft": {
                "type": "string",
                "description": "A configuration in JSON, as {}: a draft of each round is asked for at once.",
            },
        },
    },
    example={"rounds": [EXAMPLE_ROUND], "draft": {"llm": "extractive"}},
)


def document(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What `app.openapi` is: made once."""

    def made() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _made(app)
        return app.openapi_schema

    return made


def _made(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(title="Polyphonie", version=__version__, description=DESCRIPTION, routes=app.routes)
    parts = found.setdefault("components", {})
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "`polyphonie keys create NAME` makes one."}
    }
    parts.setdefault("schemas", {})["ProblemOut"] = ProblemOut.model_json_schema(
        ref_template="#/components/schemas/{model}"
    )
    parts["schemas"] |= parts["schemas"]["ProblemOut"].pop("$defs", {})
    for route in app.routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        scopes = [s for d in route.dependant.dependencies if (s := getattr(d.call, "scope", None))]
        for method in route.methods or ():
            operation = found["paths"][route.path_format][method.lower()]
            if scopes:
                operation["security"] = [{"key": []}]
                operation["description"] = (
                    operation.get("description", "") + f"\n\nScope: `{scopes[0]}`."
                ).strip()
    return found
