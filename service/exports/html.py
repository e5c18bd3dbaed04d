"""One self-contained page: general synthesis, then each question, every sentence traced to the characters it rests on.

No outside resource; a Content-Security-Policy allows only the page's own style and script. Without JavaScript the same trace
works through links: sentence → labels → verbatims → answers with the span marked.
"""

import base64
import hashlib
from collections import Counter
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.domain.draft import Draft, DraftAnswer, DraftQuestion, Group, Verbatim
from service.domain.wording import categories, people, typeset
from service.exports.terms import TERMS

TEMPLATES = Path(__file__).parent / "templates"


def to_html(draft: Draft) -> str:
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

    def who(n: int | None, by_category: dict[str, int]) -> str:
        if n is None:
            return ""
        more = categories(by_category, language)
        return people(n, unit, language) + (f", {more}" if more else "")

    return environment.get_template("draft.html").render(
        draft=draft,
        t=terms,
        views=[_View(q) for q in draft.questions],
        titles={q.id: q.title for q in draft.questions},
        who=who,
        anchor=anchor,
        width=_width,
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


class _View:
    """A question with what the template looks up in it."""

    def __init__(self, question: DraftQuestion) -> None:
        self.q = question
        self.verbatims = {v.id: v for v in question.verbatims}
        self.groups = {g.id: g for g in question.groups}
        self.states = Counter(a.state for a in question.answers)
        self._by_answer: dict[str, list[Verbatim]] = {}
        for v in question.verbatims:
            self._by_answer.setdefault(v.answer_id, []).append(v)
        self.copies = Counter(a.of for a in question.answers if a.state == "duplicate")

    @property
    def families(self) -> list[tuple[Group, list[Group]]]:
        """Level-2 groups with their children."""
        firsts = [g for g in self.q.groups if g.level == 1]
        return [(r, [g for g in firsts if g.parent == r.id]) for r in self.q.groups if r.level == 2]

    def marked(self, answer: DraftAnswer) -> list[tuple[str, Verbatim | None]]:
        """The answer's text in pieces, each with the verbatim it belongs to."""
        pieces: list[tuple[str, Verbatim | None]] = []
        at = 0
        for v in sorted(self._by_answer.get(answer.id, []), key=lambda v: v.start):
            if v.start > at:
                pieces.append((answer.text[at : v.start], None))
            pieces.append((answer.text[v.start : v.end], v))
            at = v.end
        if at < len(answer.text):
            pieces.append((answer.text[at:], None))
        return pieces
