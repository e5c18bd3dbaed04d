"""Pages of a draft: its progress, the general synthesis, each question, a group, search, history."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy import Connection

from service.api.callers import Caller, Reader, noted_read
from service.api.context import Service
from service.api.drafts import found_draft
from service.api.pages import places
from service.api.pages.desk import Desk
from service.api.pages.page import PageRoute, language_of, render
from service.api.pages.views import TRACED, VERBATIMS_SHOWN, VOICES_SHOWN, View, cut
from service.api.shapes import Text
from service.domain.draft import Sentence, SentenceRef
from service.domain.review import void
from service.domain.revision import GroupRef
from service.errors import NotFound
from service.exports import FORMATS
from service.exports.facts import DraftFacts, QuestionFacts, clip
from service.exports.palette import chart, legend
from service.exports.terms import TERMS
from service.store import rounds, workers
from service.store.drafts import StoredDraft

router = APIRouter(route_class=PageRoute, include_in_schema=False, prefix="/drafts/{draft_id}")

PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
REVISIONS_SHOWN = 40
WORDS_ON_MAP = 160
"""Characters of a verbatim that pointing at it shows; a click shows its answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Open:
    """A draft as the store has it now."""

    kept: StoredDraft
    title: str
    """Of its round."""
    view: View | None
    """None as long as there is no result."""


def _desk(request: Request) -> Desk:
    found: Desk = request.app.state.desk
    return found


TheDesk = Annotated[Desk, Depends(_desk)]


def opened(service: Service, caller: Caller, connection: Connection, draft_id: str) -> Open:
    """The draft, with what people changed in it. Raises NotFound."""
    kept = found_draft(connection, caller, draft_id)
    reviewed = service.reviews.load(connection, draft_id, kept.version) if kept.state == "done" else None
    if reviewed is not None:
        return Open(kept=kept, title=reviewed.draft.round.title, view=View(reviewed))
    about = rounds.get(connection, kept.round_id, team=caller.team)
    return Open(kept=kept, title=about.about.title if about else "", view=None)


def _open(service: Service, caller: Reader, draft_id: Text) -> Open:
    with service.store.read() as connection:
        found = opened(service, caller, connection, draft_id)
    noted_read(service, caller, "draft.read", draft_id)
    return found


Opened = Annotated[Open, Depends(_open)]


def _done(found: Opened) -> View:
    if found.view is None:
        raise NotFound("this draft is not done: there is nothing to read yet")
    return found.view


TheView = Annotated[View, Depends(_done)]


@router.get("")
def draft_page(
    request: Request,
    service: Service,
    caller: Reader,
    found: Opened,
    at: Text | None = None,
    part: Text | None = None,
) -> HTMLResponse:
    """The general synthesis, the questions and where the draft stands; before it is done, its progress."""
    if found.view is None:
        with service.store.read() as connection:
            works = found.kept.state != "queued" or bool(workers.beats(connection))
        return render(
            request, "progress.html", caller=caller, kept=found.kept, title=found.title, works=works
        )
    view = found.view
    values = _common(request, caller, found) | {"trace": _trace(view, at)}
    if part == "trace":
        return render(request, "_trace.html", **values)
    return render(
        request,
        "draft.html",
        **values,
        formats=[f for f in ("docx", "xlsx", "html", "md", "json") if f in FORMATS],
        standings=view.standings,
        open_ones=[one for one in view.standings if one.q.kind == "open"],
        next_up=view.next_to_review(0),
        facts=DraftFacts(view.draft),
        places=places,
    )


@router.get("/questions/{number}")
def question_page(
    request: Request,
    caller: Reader,
    found: Opened,
    view: TheView,
    desk: TheDesk,
    number: int,
    at: Text | None = None,
    part: Text | None = None,
    first: Literal["flagged", "reading"] | None = None,
    page: PageNumber = 1,
    voices: PageNumber = 1,
) -> HTMLResponse:
    """One question: its synthesis, the labels it rests on, isolated voices."""
    q = view.question(number)
    values = _common(request, caller, found) | {"trace": _trace(view, at), "q": q, "number": number}
    if part == "trace":
        return render(request, "_trace.html", **values)
    alone = cut(q.isolated, voices, VOICES_SHOWN)
    families, shown = view.families(q, page)
    lines = view.lines(q)
    return render(
        request,
        "question.html",
        **values,
        lines=lines,
        any_flagged=any(line.flagged for line in lines),
        flagged_first=first != "reading" and any(line.flagged for line in lines),
        flagged_labels=view.flagged_labels(q),
        next_up=view.next_to_review(number),
        next_flagged=view.next_flagged(number),
        families=families,
        heads=view.choices(q, level=2),
        shown=shown,
        alone=alone,
        voices=view.told(q, alone.items),
        left_out=[view.labelled(g) for g in q.synthesis.left_out[:VERBATIMS_SHOWN]],
        choices=view.choices(q, level=1),
        n_questions=len(view.draft.questions),
        writing=desk.writing(found.kept.id, q.id),
    )


@router.get("/questions/{number}/map")
def map_page(
    request: Request,
    caller: Reader,
    found: Opened,
    view: TheView,
    number: int,
    verbatim: Text | None = None,
) -> HTMLResponse:
    """The ideas of a question on a plane, to point at; with a verbatim, what the panel tells of it."""
    q = view.question(number)
    values = _common(request, caller, found) | {"q": q, "number": number, "trace": None}
    if verbatim is not None:
        told = view.told(q, [verbatim])
        if not told:
            raise NotFound(f"question {q.id} has no verbatim {verbatim[:80]}")
        home = next((g.id for g in q.groups if g.level == 1 and verbatim in g.verbatim_ids), None)
        group = None if home is None else view.labelled(home)
        return render(request, "_idea.html", **values, told=told[0], group=group)
    facts = QuestionFacts(q)
    terms = TERMS[language_of(request)]
    keys = legend(facts, terms["isolated"], terms["other_families"])
    return render(request, "map.html", **values, legend=keys)


@router.get("/questions/{number}/points")
def points(view: TheView, number: int) -> JSONResponse:
    """What the map draws: each verbatim with its place, its look and its first words."""
    q = view.question(number)
    drawn = chart(QuestionFacts(q), lambda verbatim_id: verbatim_id)
    words = {v.id: clip(v.text, WORDS_ON_MAP) for v in q.verbatims}
    return JSONResponse(drawn | {"words": words}, headers={"Cache-Control": "private, no-store"})


@router.get("/groups")
def group_page(
    request: Request,
    caller: Reader,
    found: Opened,
    view: TheView,
    id_: Annotated[Text, Query(alias="id")],
    page: PageNumber = 1,
) -> HTMLResponse:
    """One group: its label, every verbatim, and what can be done with them."""
    group = view.labelled(id_)
    ids = cut(view.exemplars_first(group.g), page, VERBATIMS_SHOWN)
    return render(
        request,
        "group.html",
        **_common(request, caller, found),
        q=group.q,
        number=view.number_of(group.q.id),
        group=group,
        shown=ids,
        told=view.told(group.q, ids.items),
        citing=view.citing(group),
        leader=view.number_of(group.q.synthesis.shared_with or group.q.id),
        choices=view.choices(group.q, level=group.g.level, but=group.g.id),
        parent=None if group.g.parent is None else view.labelled(group.g.parent).g,
        children=view.children(group),
        heads=view.choices(group.q, level=2, but=group.g.parent or group.g.id),
        trace=None,
    )


@router.get("/search")
def search_page(
    request: Request,
    caller: Reader,
    found: Opened,
    view: TheView,
    desk: TheDesk,
    q: Annotated[str, Query(max_length=4000)] = "",
    how: Literal["words", "meaning"] = "words",
    question: Text | None = None,
    for_: Annotated[Text | None, Query(alias="for")] = None,
) -> HTMLResponse:
    """Verbatims by words or by meaning; with a sentence, what could support it."""
    place = places.read(for_) if for_ else None
    line = view.line(place) if isinstance(place, SentenceRef) else None
    among: list[str] = []
    if question:
        number = view.number_of(question) if any(x.id == question for x in view.draft.questions) else 0
        among = [x.id for x in view.state.joined(view.question(number))] if line else [question]
    results = desk.search(found.kept.id, found.kept.round_id, view.draft, q, how=how, question_ids=among)
    home = {v: g.id for x in view.draft.questions for g in x.groups if g.level == 1 for v in g.verbatim_ids}
    read = {
        told.v.id: told
        for x in view.draft.questions
        for told in view.told(x, [one.v.id for one in results.found if one.question_id == x.id])
    }
    told = [
        (one, read[one.v.id], view.labelled(home[one.v.id]) if one.v.id in home else None)
        for one in results.found
    ]
    return render(
        request,
        "search.html",
        **_common(request, caller, found),
        words=q,
        how=how,
        question=question,
        line=line,
        results=results,
        told=told,
        trace=None,
    )


@router.get("/history")
def history_page(
    request: Request, caller: Reader, found: Opened, view: TheView, page: PageNumber = 1
) -> HTMLResponse:
    """Who changed what, when, before and after; the newest first."""
    revisions = view.reviewed.revisions[::-1]
    return render(
        request,
        "history.html",
        **_common(request, caller, found),
        shown=cut(revisions, page, REVISIONS_SHOWN),
        void=void(view.reviewed.revisions),
        trace=None,
    )


def _common(request: Request, caller: Caller, found: Open) -> dict[str, Any]:
    """What every page of a draft that is done shows."""
    view = found.view
    assert view is not None
    done = request.query_params.get("done", "")
    return {
        "caller": caller,
        "may_review": "review" in caller.scopes,
        "kept": found.kept,
        "title": found.title,
        "view": view,
        "draft": view.draft,
        "version": view.reviewed.version,
        "unit": view.draft.round.unit,
        "done": int(done) if done.isascii() and done.isdigit() and len(done) < 7 else None,
        "undone": void(view.reviewed.revisions),
        "suspects": {v for one in view.draft.ledger.suspects for v in one.verbatim_ids},
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Cited:
    """A label beside a sentence, with some of its verbatims."""

    group: object
    told: object


def _trace(view: View, at: str | None) -> dict[str, Any] | None:
    """What a sentence rests on: labels with verbatims and answers, isolated voices, or the sentences of questions."""
    if at is None:
        return None
    place = places.read(at)
    if isinstance(place, GroupRef):
        return None
    line = view.line(place)
    if not isinstance(place, SentenceRef):
        refs = [(r, view.number_of(r.question_id), view.line(r)) for r in line.s.refs]  # type: ignore[union-attr]
        return {"line": line, "refs": refs, "cited": [], "alone": [], "n_alone": 0, "question": None}
    assert isinstance(line.s, Sentence)
    joined = view.state.joined(view.question(view.number_of(place.question_id)))
    cited = []
    for id_ in line.s.group_ids:
        group = view.labelled(id_)
        cited.append(Cited(group=group, told=view.told(group.q, view.exemplars_first(group.g)[:TRACED])))
    alone = [told for p in joined for told in view.told(p, line.s.verbatim_ids[:VOICES_SHOWN])]
    return {
        "line": line,
        "refs": [],
        "cited": cited,
        "alone": alone,
        "n_alone": len(line.s.verbatim_ids),
        "question": place.question_id,
    }
