"""revisions.json: the changes of people to a draft, as records."""

from pydantic import TypeAdapter, ValidationError

from service.domain.draft import Draft
from service.domain.review import Reviewed, apply
from service.domain.revision import Revision
from service.errors import BadEdit, BadInput

REVISIONS = TypeAdapter(tuple[Revision, ...])


def revisions_to_json(reviewed: Reviewed) -> str:
    return REVISIONS.dump_json(reviewed.revisions, indent=2).decode() + "\n"


def revisions_from_json(text: str, draft: Draft) -> Reviewed:
    """The draft with its revisions applied. Raises BadInput."""
    try:
        return apply(draft, REVISIONS.validate_json(text))
    except (ValidationError, BadEdit) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise BadInput(
            f"no revisions of draft {draft.id}: {first}. Give the revisions.json of this draft, and the draft as it was made."
        ) from error
