"""What the author of an edit looked at: if it is not the same any more, the author is told and nothing is overwritten."""

from service.domain.draft import DraftQuestion, Sentence
from service.domain.review.state import State, theme_sentences
from service.domain.revision import (
    Approve,
    Confirm,
    Edit,
    GroupRef,
    MergeGroups,
    MoveGroups,
    MoveVerbatims,
    NewGroup,
    Redraft,
    RemoveSentence,
    SetLabel,
    SetSentence,
    SplitGroup,
    ThemeRef,
)


def subject(state: State, edit: Edit) -> object:  # noqa: PLR0911 - one case an edit
    """The part of the state that the edit is about, to be compared between two versions."""
    groups = {g.id: g for q in state.draft.questions for g in q.groups}
    match edit:
        case SetLabel(group_id=id_) | Confirm(at=GroupRef(group_id=id_)) | SplitGroup(group_id=id_):
            return groups.get(id_), state.marks.get(GroupRef(group_id=id_))
        case MergeGroups():
            return [groups.get(id_) for id_ in (edit.into, *edit.group_ids)]
        case MoveGroups():
            return [
                (id_, groups[id_].parent if id_ in groups else "") for id_ in edit.group_ids
            ], edit.to in groups
        case MoveVerbatims() | NewGroup():
            wanted = set(edit.verbatim_ids)
            target = edit.to if isinstance(edit, MoveVerbatims) else None
            firsts = [g for g in groups.values() if g.level == 1]
            return {v: g.id for g in firsts for v in wanted & set(g.verbatim_ids)}, target in groups
        case SetSentence(at=at) | Confirm(at=at) | RemoveSentence(at=at):
            if isinstance(at, ThemeRef):
                return dict(theme_sentences(state.draft)).get(at), state.marks.get(at)
            if isinstance(at, GroupRef):  # matched above; said for the type checker
                return None
            return _sentences(state, at.question_id)[at.sentence : at.sentence + 1], state.marks.get(at)
        case Redraft(question_id=id_):
            labels = {g.id: (g.label, g.verbatim_ids) for q in _joined(state, id_) for g in q.groups}
            return labels, _sentences(state, id_)
        case Approve(question_id=None):
            return state.draft.questions, state.draft.themes
        case Approve(question_id=str(id_)):
            return _joined(state, id_)
    return None


def _joined(state: State, question_id: str) -> tuple[DraftQuestion, ...]:
    """The questions of one synthesis; empty where the id is unknown: applying the edit will say so."""
    found = next((q for q in state.draft.questions if q.id == question_id), None)
    return state.joined(found) if found else ()


def _sentences(state: State, question_id: str) -> tuple[Sentence, ...]:
    joined = _joined(state, question_id)
    return joined[0].synthesis.sentences if joined else ()
