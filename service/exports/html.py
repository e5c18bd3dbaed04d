"""One self-contained page: general synthesis, then each question, every sentence traced to the characters it rests on.

No outside resource; a Content-Security-Policy allows only the page's own style and script. Without JavaScript the same trace
works through links: sentence → labels → verbatims → answers with the span marked.
"""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.domain.draft import Draft
from service.domain.wording import categories, ideas, number, people, typeset
from service.exports.facts import DraftFacts, clip, listed, short
from service.exports.palette import chart, legend, shade
from service.exports.review import NO_REVIEW, Review
from service.exports.terms import TERMS, long_date

TEMPLATES = Path(__file__).parent / "templates"


def to_html(draft: Draft, review: Review = NO_REVIEW) -> str:
    """The draft as a page in the round's language."""
    language, unit = draft.round.language, draft.round.unit
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (TEMPLATES / "draft.css").read_text(encoding="utf-8")
    script = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in ("map.js", "draft.js"))
    terms = {key: typeset(text, language) for key, text in TERMS[language].items()}
    facts = DraftFacts(draft, review)

    def who(n: int | None, by_category: dict[str, int]) -> str:
        if n is None:
            return ""
        more = categories(by_category, language)
        return people(n, unit, language) + (f", {more}" if more else "")

    return environment.get_template("draft.html").render(
        draft=draft,
        facts=facts,
        review=review,
        t=terms,
        views=facts.questions,
        suspects={s.answer_id: s for s in draft.ledger.suspects},
        titles=facts.titles,
        who=who,
        n=lambda value: number(value, language),
        ideas=lambda value: ideas(value, language),
        date=lambda at: long_date(at, language),
        anchor=anchor,
        width=_width,
        listed=lambda names: listed(names, terms),
        short=short,
        clip=clip,
        shade=shade,
        most=lambda rows: max((max(row, default=0) for row in rows), default=0),
        chart=lambda view: chart(view, lambda verbatim_id: anchor("v", verbatim_id)),
        keys=legend,
        style=style,
        script=script,
        style_hash=_csp(style),
        script_hash=_csp(script),
    )


def anchor(kind: str, id_: str) -> str:
    """An element id for a record: safe in a link whatever the id holds, and the same every time."""
    plain = "".join(c if c.isalnum() and c.isascii() else "-" for c in id_)
    return f"{kind}-{plain}-{hashlib.sha256(id_.encode()).hexdigest()[:6]}"


def _csp(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _width(part: int, whole: int) -> float:
    """Per cent, for a bar."""
    return round(100 * part / whole, 1) if whole else 0.0
