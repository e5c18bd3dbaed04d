"""From a form of a page to an edit."""

from collections.abc import Sequence

from starlette.datastructures import FormData

from service.api.pages.places import read
from service.domain.draft import SentenceRef
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
    RemoveSentence,
    SetLabel,
    SetSentence,
    SplitGroup,
    Unapprove,
    Undo,
)
from service.errors import InvalidRequest


def edit_of(form: FormData) -> Edit:  # noqa: PLR0911, PLR0912 - one case an edit
    """The edit that a form asks for. Raises InvalidRequest; whether it fits the draft is seen when it is applied."""
    match field(form, "kind"):
        case "set_label":
            return SetLabel(group_id=field(form, "group"), text=field(form, "text"))
        case "set_sentence":
            return _set_sentence(form)
        case "remove_sentence":
            return RemoveSentence(at=_sentence(form))
        case "move_verbatims":
            return MoveVerbatims(verbatim_ids=several(form, "verbatim"), to=field(form, "to"))
        case "isolate":
            return MoveVerbatims(verbatim_ids=several(form, "verbatim"), to=None)
        case "move_groups":
            return MoveGroups(group_ids=several(form, "moved"), to=field(form, "under"))
        case "new_level_2":
            return MoveGroups(group_ids=several(form, "moved"), to=None, label=field(form, "text"))
        case "merge_groups":
            label = field(form, "text", "").strip() or None
            return MergeGroups(group_ids=(field(form, "group"),), into=field(form, "into"), label=label)
        case "split_group":
            return SplitGroup(
                group_id=field(form, "group"),
                verbatim_ids=several(form, "verbatim"),
                label=field(form, "text"),
            )
        case "new_group":
            return NewGroup(
                question_id=field(form, "question"),
                verbatim_ids=several(form, "verbatim"),
                label=field(form, "text"),
            )
        case "confirm":
            return Confirm(at=_place(form))
        case "approve":
            return Approve(question_id=field(form, "question", "") or None)
        case "unapprove":
            return Unapprove(question_id=field(form, "question", "") or None)
        case "undo":
            return Undo(revision=number(form, "revision"))
        case other:
            raise InvalidRequest(f"no such change: {other[:40]!r}")


def field(form: FormData, name: str, otherwise: str | None = None) -> str:
    """One text field. Raises InvalidRequest where it is missing and nothing stands for it."""
    value = form.get(name, otherwise)
    if not isinstance(value, str):
        raise InvalidRequest(f"the form has no field {name}")
    return value


def several(form: FormData, name: str) -> tuple[str, ...]:
    """All values of a field, such as checked boxes."""
    return tuple(v for v in form.getlist(name) if isinstance(v, str))


def number(form: FormData, name: str) -> int:
    """A whole number. Raises InvalidRequest."""
    digits = field(form, name)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise InvalidRequest(f"field {name} is no number")
    return int(digits)


def texts_of(edit: Edit) -> str | None:
    """The words that a person wrote in an edit, to be shown again where it could not be made."""
    match edit:
        case SetLabel(text=text) | SetSentence(text=text):
            return text
        case SplitGroup(label=label) | NewGroup(label=label):
            return label
        case MergeGroups(label=label) | MoveGroups(label=label):
            return label
    return None


def place_of(edit: Edit) -> Place | None:
    """The label or sentence that an edit writes."""
    match edit:
        case SetLabel(group_id=id_):
            return GroupRef(group_id=id_)
        case SetSentence(at=at) | RemoveSentence(at=at) | Confirm(at=at):
            return at
    return None


def fields_again(form: FormData, but: Sequence[str]) -> list[tuple[str, str]]:
    """The form's own fields, to be sent once more."""
    return [(k, v) for k, v in form.multi_items() if isinstance(v, str) and k not in but]


def _place(form: FormData) -> Place:
    return read(field(form, "at"))


def _sentence(form: FormData) -> SentenceRef:
    place = _place(form)
    if not isinstance(place, SentenceRef):
        raise InvalidRequest("only a sentence of a question can be removed or cite anew")
    return place


def _set_sentence(form: FormData) -> SetSentence:
    place = _place(form)
    if isinstance(place, GroupRef):
        raise InvalidRequest("a label is no sentence")
    cited = "cites" in form
    return SetSentence(
        at=place,
        text=field(form, "text"),
        group_ids=several(form, "cites_group") if cited else None,
        verbatim_ids=several(form, "cites_verbatim") if cited else None,
    )
