"""The prompt library and the audit log."""

from functools import cache

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from prompts import is_live, listing
from service.api.callers import Admin, Reader
from service.api.context import Service
from service.api.openapi import problems
from service.api.reading import ReadRoute
from service.api.shapes import Cursor, EntryOut, EntryPage, Limit
from service.store import audit

router = APIRouter(prefix="/v1", route_class=ReadRoute)


class PromptOut(BaseModel):
    """A prompt as it was released; its text is frozen."""

    name: str = Field(examples=["label"])
    language: str = Field(examples=["fr"])
    version: int = Field(examples=[1])
    live: bool = Field(description="Whether this version is in use.")
    purpose: str
    sha256: str
    system: str
    user: str


class PromptList(BaseModel):
    items: list[PromptOut]


@router.get("/prompts", responses=problems(), response_model=PromptList, tags=["prompts"])
async def list_prompts(_: Reader) -> Response:
    """Every prompt and version, with its text."""
    return Response(_prompts(), media_type="application/json")


@cache
def _prompts() -> bytes:
    """Made once: a prompt is frozen, and which one is live changes with the code."""
    made = PromptList(
        items=[
            PromptOut(
                name=p.name,
                language=p.language,
                version=p.version,
                live=is_live(p),
                purpose=p.purpose,
                sha256=p.sha256,
                system=p.system,
                user=p.user,
            )
            for p in listing()
        ]
    )
    return made.model_dump_json().encode()


@router.get("/audit", responses=problems(), tags=["audit"])
def list_audit(service: Service, caller: Admin, cursor: Cursor = None, limit: Limit = 200) -> EntryPage:
    """Who of the key's team read, drafted, changed, exported, deleted; the newest first."""
    service.reads.flush()
    with service.store.read() as connection:
        page = audit.page(connection, team=caller.team, cursor=cursor, limit=limit)
    return EntryPage(items=[EntryOut.of(e) for e in page.items], next=page.cursor)
