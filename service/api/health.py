"""Whether the process lives."""

from fastapi import APIRouter
from pydantic import BaseModel

router = APIRouter(tags=["operation"])


class Alive(BaseModel):
    status: str = "alive"


@router.get("/livez")
async def live() -> Alive:
    """The process answers. Says nothing of the database or of workers."""
    return Alive()
