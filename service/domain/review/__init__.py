"""Review: a draft with the revisions of people replayed over it. Pure; the draft and the revisions are never changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from service.domain.draft import Draft, SentenceRef
from service.domain.review import groups, syntheses, texts
from service.domain.review.state import Changed, Mark, Reason, State, Touch, name, theme_sentences, values
from service.domain.review.subject import subject
from service.domain.review.syntheses import with_peoples
from service.domain.revision import (
    Approve,
    Confirm,
    Edit,
    GroupRef,
    MergeGroups,
    MoveGroups,
    MoveVerbatims,
    NewGroup,
    Place,
    Redraft,
    RemoveSentence,
    Revision,
    SetLabel,
    SetSentence,
    SplitGroup,
    Unapprove,
    Undo,
)
from service.errors import BadEdit, NotInDraft, Outdated

__all__ = [
    "Mark",
    "Reason",
    "Reviewed",
    "State",
    "Touch",
    "apply",
    "check_seen",
    "extend",
    "name",
    "revise",
    "void",
    "with_peoples",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewed:
    made: Draft
    """As it was drafted."""
    revisions: tuple[Revision, ...]
    """All of them, those that were undone included."""
    state: State

    @property
    def version(self) -> int:
        """Number of the last revision; 0 as drafted. What `If-Match` and the forms of the pages carry."""
        return len(self.revisions)

    @property
    def draft(self) -> Draft:
        """As it is now."""
        return self.state.draft

    @property
    def to_look_at(self) -> tuple[Place, ...]:
        """Texts that are marked, or whose support is in doubt: what an analyst looks at first."""
        places: list[Place] = []
        for q in self.draft.questions:
            labels = ((GroupRef(group_id=g.id), g.label_support) for g in q.groups)
            places += [
                at for at, s in labels if (s is not None and not s.supported) or at in self.state.marks
            ]
            sentences = (
                (SentenceRef(question_id=q.id, sentence=k), s) for k, s in enumerate(q.synthesis.sentences)
            )
            places += [at for at, s in sentences if not s.supported or at in self.state.marks]
        places += [at for at, s in theme_sentences(self.draft) if not s.supported or at in self.state.marks]
        return tuple(places)


def apply(draft: Draft, revisions: Iterable[Revision]) -> Reviewed:
    """The draft as it is after these revisions, in the order of their numbers. Raises BadEdit."""
    all_ = tuple(revisions)
    return Reviewed(made=draft, revisions=all_, state=_replayed(draft, all_))


def revise(reviewed: Reviewed, edit: Edit, *, who: str, at: str) -> Reviewed:
    """One more revision, the last of `.revisions`; what was before is in it. at: UTC, ISO 8601. Raises BadEdit."""
    number = reviewed.version + 1
    if isinstance(edit, Undo):
        return _undone(reviewed, edit, Revision(number=number, who=who, at=at, edit=edit))
    by = Touch(who=who, at=at, revision=number)
    state, before = _change(reviewed.state, edit, by)
    after = values(state, (was.id for was in before))
    revision = Revision(number=number, who=who, at=at, edit=edit, before=before, after=after)
    return replace(reviewed, revisions=(*reviewed.revisions, revision), state=state)


def extend(reviewed: Reviewed, more: Sequence[Revision]) -> Reviewed:
    """The review after further revisions, which were made elsewhere. Raises BadEdit."""
    all_ = (*reviewed.revisions, *more)
    if any(isinstance(r.edit, Undo) for r in more):
        return replace(reviewed, revisions=all_, state=_replayed(reviewed.made, all_))
    state = reviewed.state
    for r in more:
        state, _ = _change(state, r.edit, Touch(who=r.who, at=r.at, revision=r.number))
    return replace(reviewed, revisions=all_, state=state)


def void(revisions: Sequence[Revision]) -> frozenset[int]:
    """Numbers of the revisions that were undone. The last word counts: an undo that was undone undoes nothing."""
    out: set[int] = set()
    for r in reversed(revisions):
        if r.number not in out and isinstance(r.edit, Undo) and r.edit.revision is not None:
            out.add(r.edit.revision)
    return frozenset(out)


def check_seen(seen: Reviewed, now: Reviewed, edit: Edit) -> None:
    """Raises Outdated if what the edit is about is no longer what its author saw.

    seen: the review at the version that the author's page showed. Other people's edits elsewhere do not matter.
    """
    if seen.version == now.version:
        return
    if subject(seen.state, edit) != subject(now.state, edit):
        last = now.revisions[-1]
        raise Outdated(
            f"changed since you read it (version {seen.version}, now {now.version}; last by {last.who})"
        )


def _change(state: State, edit: Edit, by: Touch) -> Changed:  # noqa: PLR0911 - one case an edit
    match edit:
        case SetLabel():
            return texts.set_label(state, edit, by)
        case SetSentence():
            return texts.set_sentence(state, edit, by)
        case RemoveSentence():
            return syntheses.remove_sentence(state, edit, by)
        case MoveVerbatims():
            return groups.move(state, edit, by)
        case MoveGroups():
            return groups.move_groups(state, edit, by)
        case MergeGroups():
            return groups.merge(state, edit, by)
        case SplitGroup():
            return groups.split(state, edit, by)
        case NewGroup():
            return groups.new_group(state, edit, by)
        case Redraft():
            return syntheses.redraft(state, edit, by)
        case Confirm():
            return texts.confirm(state, edit, by)
        case Approve() | Unapprove():
            return texts.approve(state, edit, by)
        case Undo():
            raise AssertionError("an undo takes no step of its own: the others are replayed without it")


def _replayed(draft: Draft, revisions: Sequence[Revision]) -> State:
    out = void(revisions)
    state = State(draft=draft)
    for r in revisions:
        if r.number in out or isinstance(r.edit, Undo):
            continue
        try:
            state, _ = _change(state, r.edit, Touch(who=r.who, at=r.at, revision=r.number))
        except BadEdit as error:
            raise BadEdit(
                f"revision {r.number} by {r.who} does not fit any more: {error}",
                why="fits_no_more",
                number=r.number,
                who=r.who,
            ) from error
    return state


def _undone(reviewed: Reviewed, edit: Undo, revision: Revision) -> Reviewed:
    out = void(reviewed.revisions)
    counts = [r.number for r in reviewed.revisions if r.number not in out]
    changes = [n for n in counts if not isinstance(reviewed.revisions[n - 1].edit, Undo)]
    number = edit.revision if edit.revision is not None else max(changes, default=0)
    if number not in counts:
        if number in out:
            raise BadEdit(f"revision {number} was undone already", why="undone_already")
        unknown = BadEdit if edit.revision is None else NotInDraft
        raise unknown("there is no such change to undo", why="no_change")
    all_ = (*reviewed.revisions, replace(revision, edit=Undo(revision=number)))
    try:
        return replace(reviewed, revisions=all_, state=_replayed(reviewed.made, all_))
    except BadEdit as error:
        raise BadEdit(
            f"revision {number} can't be undone, a later one rests on it: {error}. Undo that one first.",
            why="rested_on",
        ) from error
