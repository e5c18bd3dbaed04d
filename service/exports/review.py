"""What people did with a draft, as deliverables tell it: approved or not, and the list of changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from service.domain.review import Reviewed, Touch, void
from service.domain.revision import Approve, Revision, Unapprove, Undo


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One thing that one revision changed, as a line of a list."""

    number: int
    who: str
    at: str
    """UTC, ISO 8601."""
    kind: str
    """Of the edit: `set_label`, `move_verbatims`, …"""
    target: str = ""
    """Id of what was changed, as in `Was`."""
    before: str = ""
    after: str = ""
    undone: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    version: int = 0
    """Number of the last revision; 0 as drafted."""
    whole: Touch | None = None
    """Who approved the draft as a whole; None: deliverables carry the drafting mark."""
    questions: Mapping[str, Touch] = field(default_factory=dict)
    """Question id → who approved it."""
    changes: tuple[Change, ...] = ()


NO_REVIEW = Review()
"""Nobody has looked at the draft yet."""


def review_of(reviewed: Reviewed) -> Review:
    """What `export(reviewed.draft, to, review_of(reviewed))` tells of the revisions."""
    out = void(reviewed.revisions)
    changes = tuple(c for r in reviewed.revisions for c in _changes(r, undone=r.number in out))
    return Review(
        version=reviewed.version,
        whole=reviewed.state.whole,
        questions=reviewed.state.approved,
        changes=changes,
    )


def _changes(revision: Revision, *, undone: bool) -> Iterator[Change]:
    edit = revision.edit
    after = {was.id: was.value for was in revision.after}
    targets = [(was.id, was.value, after.get(was.id, "")) for was in revision.before]
    if not targets:
        target = ""
        if isinstance(edit, Undo):
            target = str(edit.revision)
        elif isinstance(edit, Approve | Unapprove):
            target = edit.question_id or ""
        targets = [(target, "", "")]
    for target, before, now in targets:
        yield Change(
            number=revision.number,
            who=revision.who,
            at=revision.at,
            kind=edit.kind,
            target=target,
            before=before,
            after=now,
            undone=undone,
        )
