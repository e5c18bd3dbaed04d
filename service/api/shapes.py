"""What the API takes and gives, with examples: the OpenAPI document is made of these."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.api.problems import ProblemOut, Trouble
from service.domain.draft import Draft
from service.domain.jobs import Configuration, DraftState
from service.domain.round import Language, PanelRow, Unit
from service.domain.steps import GivenTheme
from service.store.audit import Entry
from service.store.drafts import StoredDraft
from service.store.rounds import StoredRound

Cursor = Annotated[
    str | None, Query(max_length=400, description="`next` of the page before; none: the first page.")
]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items of a page.")]

Text = Annotated[str, StringConstraints(max_length=400, pattern=r"^[^\x00]*$")]
"""A short text of a request; a NUL character is none that a database keeps."""


class QuestionOut(BaseModel):
    id: str = Field(examples=["Q1"])
    title: str = Field(examples=["Qu'est-ce qui freine l'accès aux soins ?"])
    kind: Literal["open", "closed"] = "open"
    joined_with: tuple[str, ...] = ()
    closed_part_of: str | None = None
    options: tuple[str, ...] = ()
    counts: Mapping[str, int] = Field({}, description="Of a closed question: respondents by option.")


class RoundOut(BaseModel):
    """A round that is kept, without its answers."""

    id: str = Field(description="What addresses are made of.", examples=["r_4b1d0c8f6a2e9d7c5b3a"])
    name: str = Field(
        description="The id that the upload gave: of its sidecar, or its file name.", examples=["vague-2"]
    )
    title: str = Field(examples=["Accès aux soins, deuxième vague"])
    language: Language = Field(examples=["fr"])
    unit: Unit
    note: str | None = None
    created_at: str = Field(examples=["2026-11-25T04:40:00.000000+00:00"])
    created_by: str = Field(description="Name of the key.", examples=["analyste"])
    sha256: str = Field(description="Of what was uploaded.")
    n_answers: int = Field(description="Open and closed, blank ones included.", examples=[500])
    n_respondents: int = Field(examples=[25])
    questions: list[QuestionOut]
    panel: list[PanelRow]
    warnings: list[Trouble] = Field(description="What the reader found strange but could live with.")

    @classmethod
    def of(cls, kept: StoredRound) -> "RoundOut":
        about = kept.about
        return cls(
            id=kept.id,
            name=about.id,
            title=about.title,
            language=about.language,
            unit=about.unit,
            note=about.note,
            created_at=kept.created_at,
            created_by=kept.created_by,
            sha256=kept.sha256,
            n_answers=kept.n_answers,
            n_respondents=about.n_respondents,
            questions=[
                QuestionOut.model_validate({f: getattr(q, f) for f in QuestionOut.model_fields})
                for q in about.questions
            ],
            panel=list(about.panel),
            warnings=[Trouble.model_validate(w) for w in kept.warnings],
        )


class RoundPage(BaseModel):
    items: list[RoundOut]
    next: str | None = Field(description="Cursor of the next page; none on the last.")


class AnswerOut(BaseModel):
    id: str = Field(examples=["Q1:org-07"])
    question_id: str = Field(examples=["Q1"])
    text: str = Field(description="As it was written.", examples=["Les délais sont trop longs."])
    respondent_id: str | None = Field(None, examples=["org-07"])
    category: str | None = Field(None, examples=["Associations de patients"])
    row: int | None = Field(None, description="In the upload, from 1, header included.")


class AnswerPage(BaseModel):
    items: list[AnswerOut]
    next: str | None


class ThemeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: Text = Field(min_length=1, examples=["Accès"])
    description: Text = ""
    question_ids: list[Text] = Field([], max_length=500)


class ConfigurationIn(BaseModel):
    """How a draft shall be made; everything may be left out."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"questions": ["Q1", "Q4+Q12"], "llm": "extractive"}]}
    )
    questions: list[Text] = Field(
        [], max_length=500, description='Only these; "Q4+Q12" joins two. None: all.'
    )
    themes: list[ThemeIn] = Field([], max_length=100, description="None: they are found.")
    llm: Text | None = Field(
        None, description="One that is offered; none: the service's own.", examples=["extractive"]
    )
    encoder: Text | None = Field(
        None, description="One that is offered; none: the service's own.", examples=["local"]
    )
    budget: int | None = Field(None, ge=0, le=2**53, description="Most tokens that the draft may use.")

    def record(self) -> Configuration:
        return Configuration(
            questions=tuple(self.questions),
            themes=tuple(
                GivenTheme(title=t.title, description=t.description, question_ids=tuple(t.question_ids))
                for t in self.themes
            ),
            llm=self.llm,
            encoder=self.encoder,
            budget=self.budget,
        )


class Progress(BaseModel):
    stage: str = Field(examples=["label"])
    done: int = Field(examples=[3])
    total: int = Field(examples=[20])


class ErrorOut(BaseModel):
    code: str = Field(examples=["StopAll"])
    detail: str


class DraftSummary(BaseModel):
    """A draft, where it stands."""

    id: str = Field(examples=["d_0f6c2b9e7a5d4c3b2a19"])
    round_id: str = Field(examples=["r_4b1d0c8f6a2e9d7c5b3a"])
    state: DraftState = Field(examples=["running"])
    progress: Progress | None = Field(None, description="Of the stage under way.")
    version: int = Field(description="Revisions made so far.", examples=[0])
    configuration: ConfigurationIn
    created_at: str
    created_by: str = Field(description="Name of the key.", examples=["analyste"])
    started_at: str | None = None
    finished_at: str | None = None
    error: ErrorOut | None = Field(None, description="Why it failed or was stopped.")
    last_event: int = Field(description="Number of the newest event.", examples=[12])

    @classmethod
    def of(cls, kept: StoredDraft) -> "DraftSummary":
        fields = {f: getattr(kept, f) for f in cls.model_fields if f != "configuration"}
        c = kept.configuration
        configuration = ConfigurationIn(
            questions=list(c.questions),
            themes=[
                ThemeIn(title=t.title, description=t.description, question_ids=list(t.question_ids))
                for t in c.themes
            ],
            llm=c.llm,
            encoder=c.encoder,
            budget=c.budget,
        )
        return cls.model_validate({**fields, "configuration": configuration})


class DraftOut(DraftSummary):
    draft: Draft | None = Field(
        None, description="draft.json with all revisions applied, once the state is `done`."
    )


class DraftPage(BaseModel):
    items: list[DraftSummary]
    next: str | None


class EntryOut(BaseModel):
    at: str
    who: str = Field(description="Name of the key.", examples=["analyste"])
    action: str = Field(examples=["draft.export"])
    target: str = Field(examples=["d_0f6c2b9e7a5d4c3b2a19"])
    detail: dict[str, Any] | None = Field(None, examples=[{"format": "docx"}])

    @classmethod
    def of(cls, entry: Entry) -> "EntryOut":
        detail = None if entry.detail is None else dict(entry.detail)
        return cls(at=entry.at, who=entry.who, action=entry.action, target=entry.target, detail=detail)


class EntryPage(BaseModel):
    items: list[EntryOut]
    next: str | None


class BatchItem(BaseModel):
    """What became of one file of a batch."""

    file: str = Field(examples=["vague-2.csv"])
    round: RoundOut | None = None
    draft: DraftSummary | None = Field(None, description="Where drafts were asked for.")
    problem: ProblemOut | None = Field(None, description="Why this one was not kept.")


class BatchOut(BaseModel):
    kept: int = Field(examples=[2])
    refused: int = Field(examples=[0])
    items: list[BatchItem]


def written(body: BaseModel) -> Response:
    """The response of a read: written once. FastAPI would check what we made ourselves, and write it in another thread."""
    return Response(body.model_dump_json(), media_type="application/json")
