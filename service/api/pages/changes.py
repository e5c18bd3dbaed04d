"""What people do to a draft on its pages: one form, one revision; whoever is second on the same thing is told and shown both."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from service.api.callers import Caller, Drafter, Reviewer
from service.api.context import Context, Service
from service.api.drafts import cancel_draft
from service.api.pages.forms import edit_of, field, fields_again, number, place_of, texts_of
from service.api.pages.page import PageRoute, check_form, inside, language_of, render, with_values
from service.api.pages.review import TheDesk, opened
from service.api.pages.terms import TERMS
from service.api.reviews import Author
from service.api.shapes import Text
from service.domain.review import name
from service.domain.review.state import values
from service.domain.revision import Approve, Edit, Redraft
from service.errors import NotFound, Outdated

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/drafts/{draft_id}")


@router.post("/changes")
async def change(request: Request, service: Service, caller: Reviewer, draft_id: Text) -> Response:
    """Make one revision and go back to where it was asked for."""
    form = await request.form()
    check_form(request, form.get("csrf"))
    edit, seen = edit_of(form), number(form, "seen")
    back = inside(form.get("back"), f"/drafts/{draft_id}")
    author = Author(team=caller.team, who=caller.name)
    # the whole draft is approved as it was read: what the page said of questions still to be approved must hold
    whole = edit == Approve()
    try:
        made, _ = await run_in_threadpool(
            lambda: service.reviews.change(draft_id, edit, seen=seen, author=author, strict=whole)
        )
    except Outdated as error:
        if whole:
            raise Outdated(TERMS[language_of(request)]["changed_since"]) from error
        return await run_in_threadpool(_told_second, request, service, caller, draft_id, form, edit, back)
    return RedirectResponse(with_values(back, done=made.version), 303)


@router.post("/questions/{question_number}/redraft")
async def redraft(
    request: Request, service: Service, caller: Reviewer, desk: TheDesk, draft_id: Text, question_number: int
) -> Response:
    """Draft one question's synthesis again from the corrected labels."""
    form = await request.form()
    check_form(request, form.get("csrf"))
    back = f"/drafts/{draft_id}/questions/{question_number}"
    author = Author(team=caller.team, who=caller.name)

    def start() -> int | None:
        with service.store.read() as connection:
            found = opened(service, caller, connection, draft_id)
        if found.view is None:
            raise NotFound("this draft is not done: there is nothing to draft again")
        reviewed = found.view.reviewed
        made: list[int] = []

        def done(edit: Redraft) -> None:
            after, _ = service.reviews.change(draft_id, edit, seen=reviewed.version, author=author)
            made.append(after.version)

        question_id = found.view.question(question_number).id
        desk.redraft(
            draft_id,
            found.kept.round_id,
            reviewed.draft,
            question_id,
            llm=found.kept.configuration.llm,
            done=done,
        )
        return made[0] if made else None

    version = await run_in_threadpool(start)
    return RedirectResponse(with_values(back, done=version), 303)


@router.post("/cancel")
async def cancel(request: Request, service: Service, caller: Drafter, draft_id: Text) -> Response:
    """Stop making the draft."""
    form = await request.form()
    check_form(request, form.get("csrf"))
    await run_in_threadpool(cancel_draft, draft_id, service, caller)
    return RedirectResponse(f"/drafts/{draft_id}", 303)


def _told_second(
    request: Request,
    service: Context,
    caller: Caller,
    draft_id: str,
    form: FormData,
    edit: Edit,
    back: str,
) -> Response:
    """Both versions side by side; nothing was overwritten."""
    with service.store.read() as connection:
        found = opened(service, caller, connection, draft_id)
    assert found.view is not None
    reviewed = found.view.reviewed
    place = place_of(edit)
    theirs = values(reviewed.state, [name(place)])[0].value if place else None
    return render(
        request,
        "conflict.html",
        status=Outdated.status,
        caller=caller,
        draft_id=draft_id,
        title=found.title,
        theirs=theirs,
        yours=texts_of(edit),
        last=reviewed.revisions[-1] if reviewed.revisions else None,
        version=reviewed.version,
        seen=field(form, "seen"),
        again=fields_again(form, but=("csrf", "seen")),
        back=back,
    )
