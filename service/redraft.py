"""One question's synthesis drafted again from its groups and labels as people corrected them."""

from service.domain.draft import Draft, DraftQuestion
from service.domain.review import with_peoples
from service.domain.review.regroup import people_of
from service.domain.revision import Redraft
from service.domain.round import Question
from service.domain.steps import Topic
from service.errors import NotInDraft
from service.llm.chat import ChatModel
from service.stages.check import Encode
from service.stages.synthesise import synthesise


def redraft_question(draft: Draft, question_id: str, *, encode: Encode, chat: ChatModel | None) -> Redraft:
    """The edit that puts a fresh synthesis in place; sentences that people wrote stay in it, as theirs.

    draft: as it is now; joined questions are drafted together. chat None: assembled. Raises NotInDraft, and Stopped when the
    chat model can't go on.
    """
    found = next((q for q in draft.questions if q.id == question_id), None)
    if found is None or found.kind == "closed":
        raise NotInDraft(
            f"there is no open question {question_id} to draft again",
            why="no_open_question",
            question=question_id,
        )
    leader = found.synthesis.shared_with or found.id
    joined = [q for q in draft.questions if leader in (q.id, q.synthesis.shared_with)]
    joined.sort(key=lambda q: q.id != leader)
    old = joined[0].synthesis
    made = synthesise(tuple(_topic(draft, q) for q in joined), encode=encode, chat=chat)
    return Redraft(
        question_id=leader,
        synthesis=with_peoples(old, made.synthesis),
        llm=chat.name if chat else "extractive",
    )


def _topic(draft: Draft, q: DraftQuestion) -> Topic:
    people = people_of([q])
    aside = {v for s in draft.ledger.suspects for v in s.verbatim_ids}
    closed = None
    if q.closed_counts:
        closed = Question(
            id=f"{q.id} (closed part)", title=q.closed_title or q.title, kind="closed", counts=q.closed_counts
        )
    return Topic(
        question=Question(id=q.id, title=q.title, joined_with=q.joined_with),
        language=draft.round.language,
        unit=draft.round.unit,
        verbatims=q.verbatims,
        groups=q.groups,
        isolated=tuple(i for i in q.isolation if i.verbatim_id not in aside),
        voices={v: tuple(sorted(who)) for v, who in people.voices.items()},
        categories=people.categories,
        n_respondents=q.n_respondents,
        closed=closed,
    )
