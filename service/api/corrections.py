"""Corrections: people change a draft, each change a revision; `If-Match` keeps them from overwriting each other."""

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Body, Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from sqlalchemy import Connection

from service.api.callers import Caller, Reader, Reviewer, noted_read
from service.api.context import Context, Service
from service.api.drafts import DraftId, etag, found_draft
from service.api.openapi import problems
from service.api.reading import ReadRoute
from service.api.reviews import Author
from service.api.shapes import Text, written
from service.domain.draft import SentenceRef
from service.domain.revision import (
    MOST_CHARACTERS,
    Approve,
    Confirm,
    Edit,
    GroupRef,
    MergeGroups,
    MoveGroups,
    MoveVerbatims,
    NewGroup,
    RemoveSentence,
    SetLabel,
    SetSentence,
    SplitGroup,
    ThemeRef,
    Unapprove,
    Undo,
)
from service.errors import Conflict, Outdated, PreconditionMissing
from service.store import revisions
from service.store.drafts import StoredDraft
from service.store.revisions import Revision

router = APIRouter(prefix="/v1/drafts/{draft_id}", tags=["review"], route_class=ReadRoute)

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=MOST_CHARACTERS, pattern=r"^[^\x00]*$")]
GroupIds = Annotated[list[Text], Field(min_length=1, max_length=1000)]
VerbatimIds = Annotated[list[Text], Field(min_length=1, max_length=100_000)]

IfMatch = Annotated[
    str | None,
    Header(max_length=400, description='ETag of what was read, as "v0"; * for whatever it is now. Needed.'),
]

CHANGED = problems(400, 404, 409, 412, 413, 415, 428)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LabelIn(Strict):
    label: Sentence = Field(examples=["Les délais découragent de se soigner."])


class SentenceIn(Strict):
    """A sentence of a synthesis: a new text, or gone with `remove`."""

    sentence: int = Field(ge=0, le=100_000, description="Its place in `sentences`, from 0.", examples=[0])
    text: Sentence | None = Field(None, examples=["Les délais sont cités par 12 organisations."])
    group_ids: list[Text] | None = Field(None, max_length=1000, description="New citations; none: they stay.")
    verbatim_ids: list[Text] | None = Field(
        None, max_length=1000, description="Isolated voices cited; none: they stay."
    )
    remove: bool = False


class MergeIn(Strict):
    group_ids: GroupIds = Field(examples=[["Q1.g2", "Q1.g5"]])
    into: Text = Field(examples=["Q1.g2"])
    label: Sentence | None = Field(None, description="None: the label of `into` stays.")


class SplitIn(Strict):
    group_id: Text = Field(examples=["Q1.g1"])
    verbatim_ids: VerbatimIds = Field(examples=[["Q1:org-07.2"]])
    label: Sentence = Field(examples=["Les bus du soir ont disparu."])


class MoveIn(Strict):
    """Verbatims to a level-1 group, or level-1 groups to a level-2 group."""

    verbatim_ids: VerbatimIds | None = Field(None, examples=[["Q1:org-07.2"]])
    group_ids: GroupIds | None = Field(
        None, description="Level-1 groups, in place of `verbatim_ids`.", examples=[None]
    )
    to: Text | None = Field(
        description="For verbatims a level-1 group, null: isolated voices. For groups a level-2 group, null: a new one.",
        examples=["Q1.g3"],
    )
    label: Sentence | None = Field(
        None, description="Of the new level-2 group, where `to` is null.", examples=[None]
    )

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.verbatim_ids is None) == (self.group_ids is None):
            raise ValueError("give verbatim_ids or group_ids, one of the two")
        if (self.label is not None) != (self.group_ids is not None and self.to is None):
            raise ValueError("a label goes with group_ids and to: null, which make a new level-2 group")
        return self

    def edit(self) -> Edit:
        if self.group_ids is not None:
            return MoveGroups(group_ids=tuple(self.group_ids), to=self.to, label=self.label)
        return MoveVerbatims(verbatim_ids=tuple(self.verbatim_ids or ()), to=self.to)


class GroupPlace(Strict):
    group_id: Text


class SentencePlace(Strict):
    question_id: Text
    sentence: int = Field(ge=0)


class ThemePlace(Strict):
    theme: int = Field(ge=0)
    section: int = Field(ge=0)
    sentence: int = Field(ge=0)


class ConfirmIn(Strict):
    """A person looked at a marked text and says that it holds."""

    kind: Literal["confirm"]
    at: GroupPlace | SentencePlace | ThemePlace


class SetThemeIn(Strict):
    """A sentence of the general synthesis."""

    kind: Literal["set_theme_sentence"]
    at: ThemePlace
    text: Sentence


class NewGroupIn(Strict):
    kind: Literal["new_group"]
    question_id: Text
    verbatim_ids: VerbatimIds
    label: Sentence
    parent: Text | None = Field(None, description="A level-2 group; none: one of its own, of the same label.")


class ApproveIn(Strict):
    """Of one question, or of the whole draft."""

    kind: Literal["approve", "unapprove"]
    question_id: Text | None = None


class UndoIn(Strict):
    kind: Literal["undo"]
    revision: int | None = Field(None, ge=1, le=2**31 - 1, description="None: the last one that counts.")


OtherEdit = Annotated[
    ConfirmIn | SetThemeIn | NewGroupIn | ApproveIn | UndoIn,
    Body(discriminator="kind", examples=[{"kind": "undo"}, {"kind": "approve", "question_id": "Q1"}]),
]


class WasOut(BaseModel):
    id: str = Field(
        description="Of a group, a verbatim, or a sentence; `Q1.g1 under` the level-2 group of a group.",
        examples=["Q1.g1"],
    )
    value: str = Field(description="A text; of a verbatim its group.", examples=["Les délais."])


class RevisionOut(BaseModel):
    """A change: who, when, what was asked for, what was before and what it became."""

    version: int = Field(description="The version of the draft after it.", examples=[1])
    who: str = Field(description="Name of the key.", examples=["analyste"])
    at: str
    action: str = Field(examples=["set_label"])
    target: str = Field(examples=["Q1.g1"])
    edit: dict[str, Any] = Field(
        examples=[{"kind": "set_label", "group_id": "Q1.g1", "text": "Les délais découragent."}]
    )
    before: list[WasOut]
    after: list[WasOut]

    @classmethod
    def of(cls, made: Revision) -> "RevisionOut":
        return cls.model_validate({f: getattr(made, f) for f in cls.model_fields})


class RevisionPage(BaseModel):
    items: list[RevisionOut]
    next: int | None = Field(description="What `after` of the next page is; none on the last.")


@router.get("/revisions", responses=problems(404), response_model=RevisionPage, tags=["review"])
async def list_revisions(
    draft_id: DraftId,
    service: Service,
    caller: Reader,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Only revisions behind this number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """Who changed what, when, and what was before; the oldest first."""

    def look(connection: Connection) -> tuple[Revision, ...]:
        found_draft(connection, caller, draft_id)
        return revisions.of_draft(connection, draft_id, after=after, limit=limit + 1)

    found = await service.store.look(look)
    noted_read(service, caller, "revisions.read", draft_id)
    more = found[limit - 1].version if len(found) > limit else None
    return written(RevisionPage(items=[RevisionOut.of(r) for r in found[:limit]], next=more))


@router.patch("/groups/{group_id:path}", responses=CHANGED)
def set_label(
    draft_id: DraftId,
    group_id: Annotated[Text, Path(examples=["Q1.g1"])],
    body: LabelIn,
    response: Response,
    service: Service,
    caller: Reviewer,
    if_match: IfMatch = None,
) -> RevisionOut:
    """Give a group another label."""
    return _made(response, service, caller, draft_id, SetLabel(group_id=group_id, text=body.label), if_match)


@router.patch("/questions/{question_id:path}/synthesis", responses=CHANGED)
def set_sentence(
    draft_id: DraftId,
    question_id: Annotated[Text, Path(examples=["Q1"])],
    body: SentenceIn,
    response: Response,
    service: Service,
    caller: Reviewer,
    if_match: IfMatch = None,
) -> RevisionOut:
    """Write a sentence of a question's synthesis anew, change what it cites, or take it out."""
    at = SentenceRef(question_id=question_id, sentence=body.sentence)
    edit: Edit
    if body.remove:
        edit = RemoveSentence(at=at)
    else:
        edit = SetSentence(
            at=at,
            text=body.text or "",
            group_ids=_tuple(body.group_ids),
            verbatim_ids=_tuple(body.verbatim_ids),
        )
    return _made(response, service, caller, draft_id, edit, if_match)


@router.post("/groups/merge", responses=CHANGED)
def merge_groups(
    draft_id: DraftId,
    body: MergeIn,
    response: Response,
    service: Service,
    caller: Reviewer,
    if_match: IfMatch = None,
) -> RevisionOut:
    """Put groups of one level together; what cited the others cites `into`."""
    edit = MergeGroups(group_ids=tuple(body.group_ids), into=body.into, label=body.label)
    return _made(response, service, caller, draft_id, edit, if_match)


@router.post("/groups/split", responses=CHANGED)
def split_group(
    draft_id: DraftId,
    body: SplitIn,
    response: Response,
    service: Service,
    caller: Reviewer,
    if_match: IfMatch = None,
) -> RevisionOut:
    """Make a group of its own out of some verbatims of another."""
    edit = SplitGroup(group_id=body.group_id, verbatim_ids=tuple(body.verbatim_ids), label=body.label)
    return _made(response, service, caller, draft_id, edit, if_match)


@router.post("/groups/move", responses=CHANGED)
def move(
    draft_id: DraftId,
    body: MoveIn,
    response: Response,
    service: Service,
    caller: Reviewer,
    if_match: IfMatch = None,
) -> RevisionOut:
    """Move verbatims to another group, or make isolated voices of them; or move groups to another level-2 group."""
    return _made(response, service, caller, draft_id, body.edit(), if_match)


@router.post("/revisions", responses=CHANGED)
def make_revision(
    draft_id: DraftId,
    body: OtherEdit,
    response: Response,
    service: Service,
    caller: Reviewer,
    if_match: IfMatch = None,
) -> RevisionOut:
    """The other changes: approve, undo, confirm, a new group, a sentence of the general synthesis."""
    return _made(response, service, caller, draft_id, _edit(body), if_match)


def _edit(body: ConfirmIn | SetThemeIn | NewGroupIn | ApproveIn | UndoIn) -> Edit:  # noqa: PLR0911 - one case an edit
    match body:
        case ConfirmIn(at=GroupPlace() as at):
            return Confirm(at=GroupRef(group_id=at.group_id))
        case ConfirmIn(at=SentencePlace() as at):
            return Confirm(at=SentenceRef(question_id=at.question_id, sentence=at.sentence))
        case ConfirmIn(at=ThemePlace() as at):
            return Confirm(at=_theme(at))
        case SetThemeIn():
            return SetSentence(at=_theme(body.at), text=body.text)
        case NewGroupIn():
            return NewGroup(
                question_id=body.question_id,
                verbatim_ids=tuple(body.verbatim_ids),
                label=body.label,
                parent=body.parent,
            )
        case ApproveIn(kind="approve"):
            return Approve(question_id=body.question_id)
        case ApproveIn():
            return Unapprove(question_id=body.question_id)
        case UndoIn():
            return Undo(revision=body.revision)
    raise AssertionError(body)


def _theme(at: ThemePlace) -> ThemeRef:
    return ThemeRef(theme=at.theme, section=at.section, sentence=at.sentence)


def _tuple(ids: list[str] | None) -> tuple[str, ...] | None:
    return None if ids is None else tuple(ids)


def _made(
    response: Response, service: Context, caller: Caller, draft_id: str, edit: Edit, if_match: str | None
) -> RevisionOut:
    with service.store.read() as connection:
        kept = found_draft(connection, caller, draft_id)
    seen = _seen(if_match, kept)
    _, made = service.reviews.change(
        draft_id, edit, seen=seen, author=Author(team=caller.team, who=caller.name), strict=True
    )
    response.headers["ETag"] = f'"v{made.version}"'
    return RevisionOut.of(made)


def _seen(if_match: str | None, kept: StoredDraft) -> int | None:
    """The version that the caller saw; for `*` None. Raises PreconditionMissing, Conflict and Outdated."""
    if if_match is None:
        raise PreconditionMissing('send If-Match with the ETag of what you read, as "v0".')
    if kept.state != "done":
        raise Conflict(f"this draft is {kept.state}: there is nothing to change yet.")
    if if_match.strip() == "*":
        return None
    if etag(kept) not in [tag.strip() for tag in if_match.split(",")]:
        raise Outdated(
            f"this draft is at {etag(kept)}, If-Match says {if_match}: read it again, then change it anew."
        )
    return kept.version
