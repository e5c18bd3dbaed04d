"""A workbook that was corrected in a spreadsheet program comes back to its draft: all its corrections, or none."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from service.api import uploads
from service.api.callers import Caller, Reviewer
from service.api.context import Context, Service
from service.api.pages.page import PageRoute, check_form, render
from service.api.pages.review import opened
from service.api.reviews import Author
from service.api.shapes import Text
from service.errors import NotFound, Outdated
from service.exports.corrections import Corrections, read_corrections, seen_version

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/drafts/{draft_id}")


@router.post("/workbook")
async def take_back(request: Request, service: Service, caller: Reviewer, draft_id: Text) -> Response:
    """A revision of each correction, and a page that says what was changed and what was left."""
    with uploads.folder() as folder:
        sent = await uploads.receive(request, folder)
        check_form(request, sent.fields.get("csrf"))
        found, title = await run_in_threadpool(_taken, service, caller, draft_id, sent.files[0])
    return render(
        request,
        "workbook.html",
        caller=caller,
        draft_id=draft_id,
        title=title,
        n=len(found.edits),
        found=found,
    )


def _taken(service: Context, caller: Caller, draft_id: str, file: Path) -> tuple[Corrections, str]:
    """What the workbook corrects, stored, and the title of the round.

    It is read against the draft as it was when the workbook was exported. Raises NotFound, BadInput, BadEdit, and Outdated
    where somebody changed the same things since.
    """
    data = file.read_bytes()
    with service.store.read() as connection:
        found = opened(service, caller, connection, draft_id)
        if found.view is None:
            raise NotFound("this draft is not done: there is nothing to correct yet")
        version = seen_version(data)
        seen = found.kept.version if version is None else version
        then = service.reviews.load(connection, draft_id, seen) if seen <= found.kept.version else None
    if then is None:
        raise Outdated(f"the workbook was exported at version {seen}, this draft is at {found.kept.version}")
    corrections = read_corrections(data, then.draft)
    if corrections.edits:
        author = Author(team=caller.team, who=caller.name)
        service.reviews.change_all(draft_id, corrections.edits, seen=seen, author=author)
    return corrections, found.title
