"""What people did with a draft, as deliverables tell it: approved or not, and the list of changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from service.domain.draft import Sentence, SentenceRef, Support, ThemeSentence
from service.domain.review import Reason, Reviewed, Touch, void
from service.domain.revision import Approve, GroupRef, Place, Revision, ThemeRef, Unapprove, Undo
from service.domain.round import Language
from service.exports.review_terms import REASONS, told_target


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
    """What was changed: the id of a group or verbatim, a sentence in words."""
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
    marks: Mapping[Place, tuple[Reason, ...]] = field(default_factory=dict)
    """Texts to be looked at again, with what changed under them."""


NO_REVIEW = Review()
"""Nobody has looked at the draft yet."""


def review_of(reviewed: Reviewed) -> Review:
    """What `export(reviewed.draft, to, review_of(reviewed))` tells of the revisions."""
    out = void(reviewed.revisions)
    language = reviewed.draft.round.language
    changes = tuple(c for r in reviewed.revisions for c in _changes(r, language, undone=r.number in out))
    return Review(
        version=reviewed.version,
        whole=reviewed.state.whole,
        questions=reviewed.state.approved,
        changes=changes,
        marks={at: tuple(dict.fromkeys(m.reason for m in some)) for at, some in reviewed.state.marks.items()},
    )


def told_to_look_at(reviewed: Reviewed) -> tuple[str, ...]:
    """A line in English for each text to be looked at: where it stands and why."""
    review = review_of(reviewed)
    labels = {GroupRef(group_id=g.id): g.label_support for q in reviewed.draft.questions for g in q.groups}
    lines = []
    where: str
    support: Support | Sentence | ThemeSentence | None
    for at in reviewed.to_look_at:
        why = [REASONS["en"][reason] for reason in review.marks.get(at, ())]
        match at:
            case GroupRef(group_id=id_):
                where, support = f"label of {id_}", labels[at]
            case SentenceRef(question_id=id_, sentence=k):
                where, support = (
                    f"{id_}, sentence {k + 1}",
                    reviewed.state.question(id_).synthesis.sentences[k],
                )
            case ThemeRef():
                where = f"general synthesis, theme {at.theme + 1}, part {at.section + 1}, sentence {at.sentence + 1}"
                support = reviewed.draft.themes[at.theme].sections[at.section].sentences[at.sentence]
        if support is not None and not support.supported:
            why.append("not carried by what it cites" + (f" ({support.note})" if support.note else ""))
        lines.append(f"{where}: {'; '.join(why)}")
    return tuple(lines)


def _changes(revision: Revision, language: Language, *, undone: bool) -> Iterator[Change]:
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
            target=told_target(target, language),
            before=before,
            after=now,
            undone=undone,
        )
