"""Deliverables made from a draft, each a pure function from the draft to bytes."""

from service.domain.draft import Draft
from service.errors import BadSetting
from service.exports.draft_json import from_json, to_json
from service.exports.review import NO_REVIEW, Review, review_of

__all__ = ["FORMATS", "NO_REVIEW", "Review", "export", "from_json", "review_of"]

FORMATS = ("json", "html", "docx", "xlsx", "md")


def export(draft: Draft, to: str, review: Review = NO_REVIEW) -> bytes:
    """The deliverable of that format, one of FORMATS. Until the review says approved, it carries the drafting mark.

    Raises BadSetting.
    """
    match to:  # each format pulls a library that the others do without
        case "json":
            return to_json(draft).encode()
        case "html":
            from service.exports.html import to_html

            return to_html(draft, review).encode()
        case "docx":
            from service.exports.word import to_docx

            return to_docx(draft, review)
        case "xlsx":
            from service.exports.workbook import to_xlsx

            return to_xlsx(draft, review)
        case "md":
            from service.exports.markdown import to_markdown

            return to_markdown(draft, review).encode()
        case other:
            raise BadSetting(f"{other} is not a format. Accepted: {', '.join(FORMATS)}.")
