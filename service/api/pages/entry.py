"""Pages before a draft: signing in, rounds, uploading, a round with its ledger, asking for a draft."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from service.api import uploads
from service.api.browsers import begin, end, set_cookie
from service.api.callers import AnyKey, Drafter, Reader, noted_read
from service.api.context import Service
from service.api.drafts import queue_draft
from service.api.offers import models
from service.api.pages.forms import field
from service.api.pages.page import YEAR, PageRoute, check_form, inside, render, static_file
from service.api.problems import Refused, Trouble
from service.api.rounds import delete_round, found_round, keep_round
from service.api.shapes import Cursor, Text
from service.domain.jobs import Configuration
from service.errors import NotFound
from service.store import answers, drafts, keys, rounds

router = APIRouter(route_class=PageRoute, include_in_schema=False)
rest = APIRouter(route_class=PageRoute, include_in_schema=False)
"""Whatever else is asked for under the addresses of pages; comes last."""

STATIC = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "map.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
EXAMPLE = Path(__file__).parents[3] / "examples" / "round" / "answers.csv"
"""Of the source; an installed package has none."""

ROUNDS_SHOWN = 30
ANSWERS_SHOWN = 50


@router.get("/static/{name}")
def static(name: str) -> Response:
    """A file that pages load; its address changes with it, so browsers keep it."""
    if name not in STATIC:
        raise NotFound()
    data, _ = static_file(name)
    return Response(
        data, media_type=STATIC[name], headers={"Cache-Control": f"public, max-age={YEAR}, immutable"}
    )


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "/") -> HTMLResponse:  # noqa: A002 - the word in the address
    """The form for a key."""
    return render(request, "sign_in.html", onward=inside(next), wrong=False)


@router.post("/sign-in")
async def sign_in(request: Request, service: Service) -> Response:
    """A session in place of the key."""
    form = await request.form()
    check_form(request, form.get("csrf"))
    onward = inside(form.get("next"))

    def found() -> str | None:
        with service.store.read() as connection:
            key = keys.find(connection, field(form, "key").strip())
        return None if key is None else begin(service, key)

    secret = await run_in_threadpool(found)
    if secret is None:
        return render(request, "sign_in.html", status=401, onward=onward, wrong=True)
    response = RedirectResponse(onward, 303)
    set_cookie(request, response, secret)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, service: Service, caller: AnyKey) -> Response:
    """End the session."""
    form = await request.form()
    check_form(request, form.get("csrf"))

    response = RedirectResponse("/sign-in", 303)
    await run_in_threadpool(end, request, response, service, caller)
    return response


@router.get("/")
def list_rounds(
    request: Request, service: Service, caller: Reader, cursor: Cursor = None, deleted: int = 0
) -> HTMLResponse:
    """Rounds of the key's team, the newest first."""
    with service.store.read() as connection:
        page = rounds.page(connection, team=caller.team, cursor=cursor, limit=ROUNDS_SHOWN)
    noted_read(service, caller, "round.list", "")
    return render(
        request, "rounds.html", caller=caller, page=page, example=EXAMPLE.exists(), deleted=bool(deleted)
    )


@router.post("/example")
async def example(request: Request, service: Service, caller: Drafter) -> Response:
    """Keep the invented round that comes with the source."""
    form = await request.form()
    check_form(request, form.get("csrf"))
    if not EXAMPLE.exists():
        raise NotFound("the invented example comes with the source only")
    kept, _ = await run_in_threadpool(lambda: keep_round(service, caller, uploads.read(EXAMPLE)))
    return RedirectResponse(f"/rounds/{kept.id}?sent=1", 303)


@router.get("/upload")
def upload_page(request: Request, caller: Drafter) -> HTMLResponse:
    """The form for a file of answers."""
    return render(request, "upload.html", caller=caller, problems=())


@router.post("/upload")
async def upload(request: Request, service: Service, caller: Drafter) -> Response:
    """Keep the round, or tell every problem with row, column and remedy."""
    try:
        with uploads.folder() as folder:
            sent = await uploads.receive(request, folder)
            check_form(request, sent.fields.get("csrf"))
            kept, _ = await run_in_threadpool(
                lambda: keep_round(service, caller, uploads.read(sent.files[0]))
            )
    except Refused as refused:
        if not refused.problems:
            raise
        return render(
            request,
            "upload.html",
            status=refused.error.status,
            caller=caller,
            problems=refused.problems,
        )
    return RedirectResponse(f"/rounds/{kept.id}?sent=1", 303)


@router.get("/rounds/{round_id}")
def round_page(
    request: Request, service: Service, caller: Reader, round_id: Text, sent: int = 0
) -> HTMLResponse:
    """What a round holds, what its reader found strange, and its drafts."""
    with service.store.read() as connection:
        kept = found_round(rounds.get(connection, round_id, team=caller.team))
        counts = answers.counts(connection, round_id)
        made = drafts.page(connection, team=caller.team, round_id=round_id, cursor=None, limit=ROUNDS_SHOWN)
    noted_read(service, caller, "round.read", round_id)
    return render(
        request,
        "round.html",
        caller=caller,
        kept=kept,
        about=kept.about,
        counts=counts,
        open_answers=sum(counts.get(q.id, (0, 0))[0] for q in kept.about.questions if q.kind == "open"),
        warnings=[Trouble.model_validate(w) for w in kept.warnings],
        made=made.items,
        models=models(service.settings),
        set_model=service.settings.llm,
        sent=bool(sent),
    )


@router.post("/rounds/{round_id}/delete")
async def delete(request: Request, service: Service, caller: Drafter, round_id: Text) -> Response:
    """Delete a round with everything that was made of it."""
    form = await request.form()
    check_form(request, form.get("csrf"))
    await run_in_threadpool(delete_round, round_id, service, caller)
    return RedirectResponse("/?deleted=1", 303)


@router.get("/rounds/{round_id}/answers")
def answers_page(
    request: Request,
    service: Service,
    caller: Reader,
    round_id: Text,
    question: Text | None = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """Answers as they were written."""
    with service.store.read() as connection:
        kept = found_round(rounds.get(connection, round_id, team=caller.team))
        page = answers.page(connection, round_id, question_id=question, cursor=cursor, limit=ANSWERS_SHOWN)
    noted_read(service, caller, "answers.read", round_id)
    titles = {q.id: q.title for q in kept.about.questions}
    return render(
        request, "answers.html", caller=caller, kept=kept, page=page, titles=titles, question=question
    )


@router.post("/rounds/{round_id}/drafts")
async def ask(request: Request, service: Service, caller: Drafter, round_id: Text) -> Response:
    """Ask for a draft, and go where it can be followed."""
    form = await request.form()
    check_form(request, form.get("csrf"))
    llm = field(form, "llm", "") or None
    made, _ = await run_in_threadpool(queue_draft, service, caller, round_id, Configuration(llm=llm))
    return RedirectResponse(f"/drafts/{made.id}", 303)


@rest.get("/rounds/{address:path}")
@rest.get("/drafts/{address:path}")
def no_page(address: str) -> Response:
    """An address that was mistyped, or that only forms are sent to. Raises NotFound."""
    raise NotFound(f"there is no page {address[:80]}")
