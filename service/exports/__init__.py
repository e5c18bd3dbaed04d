"""Deliverables made from a draft, each a pure function from the draft to bytes."""

from service.domain.draft import Draft
from service.errors import BadSetting
from service.exports.draft_json import from_json, to_json

__all__ = ["FORMATS", "export", "from_json"]

FORMATS = ("json", "html")


def export(draft: Draft, to: str) -> bytes:
    """The deliverable of that format, one of FORMATS. Raises BadSetting."""
    match to:
        case "json":
            return to_json(draft).encode()
        case "html":
            from service.exports.html import to_html

            return to_html(draft).encode()
        case other:
            raise BadSetting(f"{other} is not a format. Accepted: {', '.join(FORMATS)}.")
