"""The shape of each reply: what a prompt asks for and a model must return. Meaning is checked by the stage that asked."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Reply(BaseModel):
    """Every field required, nothing else allowed: so the schema is a strict JSON schema for servers that enforce one."""

    model_config = ConfigDict(extra="forbid")


class IdeaReply(Reply):
    first: int
    last: int
    text: str


class IdeasReply(Reply):
    ideas: list[IdeaReply]


class LabelReply(Reply):
    label: str
    stance: Literal["for", "against", "mixed", "neither"]
    exemplars: list[str]
    opposed: bool


class SentenceReply(Reply):
    text: str
    cites: list[str]


class ParagraphReply(Reply):
    sentences: list[SentenceReply]


class SynthesisReply(Reply):
    paragraphs: list[ParagraphReply]


class SectionReply(Reply):
    heading: str
    sentences: list[SentenceReply]


class ThemeReply(Reply):
    sections: list[SectionReply]


class NamedLabelReply(Reply):
    id: str
    label: str


class DistinguishReply(Reply):
    same: list[list[str]]
    labels: list[NamedLabelReply]


class FamilyReply(Reply):
    label: str
    members: list[str]


class RegroupReply(Reply):
    families: list[FamilyReply]


class MoveReply(Reply):
    to: str
    verbatims: list[str]


class NewGroupReply(Reply):
    label: str
    verbatims: list[str]


class ReviseReply(Reply):
    moves: list[MoveReply]
    new: list[NewGroupReply]
    merges: list[list[str]]
    isolate: list[str]


class OutlinedReply(Reply):
    title: str
    sentences: list[str]


class OutlineReply(Reply):
    themes: list[OutlinedReply]


class OpinionReply(Reply):
    id: str
    verdict: Literal["yes", "partly", "no"]
    idle: list[str]
    text: str


class SupportReply(Reply):
    opinions: list[OpinionReply]
