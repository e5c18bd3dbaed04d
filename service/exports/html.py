"""One self-contained page: general synthesis, then each question, every sentence traced to the characters it rests on.

No outside resource; a Content-Security-Policy allows only the page's own style and script. Without JavaScript the same trace
works through links: sentence → labels → verbatims → answers with the span marked.
"""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.domain.draft import Draft
from service.domain.wording import categories, number, people, typeset
from service.exports.facts import DraftFacts, QuestionFacts, clip, short
from service.exports.palette import COLOURS, CROSS, REST, SHAPES, looks, shade
from service.exports.review import NO_REVIEW, Review
from service.exports.terms import TERMS, long_date

TEMPLATES = Path(__file__).parent / "templates"

ALONE, OTHERS = -2, -1
"""On the map: an isolated voice; a family that has no colour of its own."""


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
    script = (TEMPLATES / "draft.js").read_text(encoding="utf-8")
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
        date=lambda at: long_date(at, language),
        anchor=anchor,
        width=_width,
        short=short,
        clip=clip,
        shade=shade,
        most=lambda rows: max((max(row, default=0) for row in rows), default=0),
        chart=_chart,
        keys=_keys,
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


def _keys(facts: QuestionFacts, alone: str, others: str) -> list[dict[str, str | int]]:
    """The legend of a map: look, colour, path, name and number of verbatims; grouped before isolated."""
    look = looks(facts)
    made: list[dict[str, str | int]] = [
        {
            "look": look[parent.id],
            "colour": COLOURS[look[parent.id]],
            "path": SHAPES[look[parent.id]],
            "name": f"{short(parent.id)} {parent.label}",
            "size": len(parent.verbatim_ids),
        }
        for parent, _ in facts.families
        if look[parent.id] >= 0
    ]
    made.sort(key=lambda key: int(key["look"]))
    rest = sum(len(parent.verbatim_ids) for parent, _ in facts.families if look[parent.id] < 0)
    if rest:
        made.append({"look": OTHERS, "colour": REST, "path": SHAPES[0], "name": others, "size": rest})
    if facts.q.isolated:
        made.append(
            {"look": ALONE, "colour": "", "path": CROSS, "name": alone, "size": len(facts.q.isolated)}
        )
    return made


def _chart(facts: QuestionFacts) -> dict[str, object]:
    """What the page's script draws: points as [anchor of the verbatim, x, y, look]."""
    look = looks(facts)
    points = [
        [
            anchor("v", s.verbatim.id),
            s.x,
            s.y,
            ALONE if s.group is None else look.get(s.group.parent or "", OTHERS),
        ]
        for s in facts.spots
    ]
    return {"points": points, "colours": COLOURS, "rest": REST, "shapes": SHAPES, "cross": CROSS}
