"""A survey report's own text as a reference: last year's hand-made report becomes what this year's drafts are measured against.

The text is what comes out of the report's PDF: wrapped lines, blank lines between any two of them, page breaks. Expected of each
question, in the manner of French survey reports: "Question 3 : title", the synthesis, "(Pour mémoire : libellé des regroupements
de verbatim)", the labels, one a paragraph, under headings that end in a colon. See docs/references.md.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from evals.references import Reference, ReferenceGroup, ReferenceQuestion
from service.domain.round import Language, PanelRow
from service.errors import BadInput

QUESTION = re.compile(
    r"^\W*(?:Questions?\s+|Q\.?\s*)(?P<ids>\d+(?:\s*(?:et|&|/|,)\s*(?:Q\.?\s*)?\d+)*)\s*[:.]\s*(?P<title>\S.*)$"
)
LABELS = re.compile(r"^\W*Pour mémoire\s*:\s*(?P<what>.*?)\W*$")
PART = re.compile(r"^Q\.?\s*(\d+)\s*[.:]?\s+(?=\S)")
"""A label list of joined questions says whose labels follow: "Q. 4 : …"."""

COUNT = re.compile(r"^[-–•]\s*(?P<option>.+?)\s*\((?P<n>\d+)\)\s*$")
PANEL_HEAD = re.compile(r"Effectif|consult", re.IGNORECASE)
PANEL_ROW = re.compile(
    r"(?:^|\s)\d+\.\s+(?P<category>\D.*?)\s+(?P<consulted>\d+)\s+(?P<responded>\d+)(?=\s+\d+\.\s|\s*$)"
)
RUN_ON = re.compile(
    r"(?<=[a-zà-ÿ]{4})\s(?=(?:Les?|La|Une?|Des?|Il|Elles?|On|[A-ZÀ-Ý][a-zà-ÿ]{2,}(?:er|ir|oir))[\s,])"
)
"""Where a label begins behind one without a full stop: "… du numérique Acculturer, former …"."""

HEADING_WORDS = 6
FULL = 0.88
"""Part of the longest line of a block from which a line was wrapped rather than ended."""
SHORT = 0.5
"""Part of it below which a line ended although no full stop says so: the next word had room."""

LABELS_RUN_TOGETHER = 1.8
"""Sentences a paragraph from which the labels of a question stand behind each other in paragraphs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    text: str
    gap: int
    """Blank lines before it."""


def import_report(text: str, *, name: str, title: str, language: Language = "fr") -> Reference:
    """The reference in a report's text. Raises BadInput where it holds no question."""
    lines = _lines(text)
    starts = _starts(lines)
    if not starts:
        raise BadInput(
            'the text has no line like "Question 3 : …": see docs/references.md for the form expected.'
        )
    parts = [lines[a:b] for a, b in pairwise([*starts, len(lines)])]
    width = max(len(line.text) for line in lines)
    return Reference(
        id=name,
        title=title,
        language=language,
        annotation="the report's own labels and syntheses, imported from its text",
        panel=_panel(lines[: starts[0]]),
        questions=tuple(_question(part, width) for part in parts),
    )


def _starts(lines: Sequence[Line]) -> list[int]:
    """Where questions begin; "Q. 4 : …" among the labels of question 4 and 12 begins none."""
    starts: list[int] = []
    last: set[str] = set()
    for i, line in enumerate(lines):
        head = QUESTION.match(line.text)
        numbers = set(re.findall(r"\d+", head["ids"])) if head else set()
        if numbers and not numbers <= last:
            starts.append(i)
            last = numbers
    return starts


def _lines(text: str) -> list[Line]:
    found: list[Line] = []
    gap = 0
    for raw in text.splitlines():
        line = " ".join(re.sub(r"[\ue000-\uf8ff]", " ", raw).split())  # bullets of symbol fonts
        if line:
            found.append(Line(text=line, gap=gap))
            gap = 0
        else:
            gap += 1
    return found


def _panel(lines: Sequence[Line]) -> tuple[PanelRow, ...]:
    """Rows like "3. Consultants, experts 12 5", wrapped or not, under a line that names the columns."""
    head = next((i for i, line in enumerate(lines) if PANEL_HEAD.search(line.text)), None)
    if head is None:
        return ()
    rows: list[str] = []
    for line in lines[head + 1 :]:
        if re.match(r"^\d+\.\d", line.text):
            break
        rows.append(line.text)
    return tuple(
        PanelRow(category=m["category"], consulted=int(m["consulted"]), responded=int(m["responded"]))
        for m in PANEL_ROW.finditer(" ".join(rows))
    )


def _question(lines: Sequence[Line], width: int) -> ReferenceQuestion:
    head = QUESTION.match(lines[0].text)
    assert head is not None
    end = next(
        (i for i in range(1, len(lines)) if lines[i].gap > 1 or LABELS.match(lines[i].text)), len(lines)
    )
    at = next((i for i in range(end, len(lines)) if LABELS.match(lines[i].text)), len(lines))
    id_ = "+".join(f"Q{n}" for n in re.findall(r"\d+", head["ids"]))
    closed, said = _counts(lines[end:at])
    synthesis = tuple(_paragraphs(said))
    what = LABELS.match(lines[at].text) if at < len(lines) else None
    labels = list(_labels(lines[at + 1 :], width)) if what and "libellé" in what["what"] else []
    return ReferenceQuestion(
        id=id_,
        title=" ".join([head["title"], *(line.text for line in lines[1:end])]),
        groups=tuple(
            ReferenceGroup(id=f"{id_}-{k}", label=label, heading=heading)
            for k, (heading, label) in enumerate(labels, start=1)
        ),
        syntheses=(synthesis,) if synthesis else (),
        closed=closed,
    )


def _counts(lines: Sequence[Line]) -> tuple[dict[str, int], list[Line]]:
    """Counts of a closed part ("- Oui (15)") and the lines behind it; the lines as they are where there is none."""
    found = [i for i, line in enumerate(lines) if COUNT.match(line.text)]
    if not found:
        return {}, list(lines)
    matches = [m for i in found if (m := COUNT.match(lines[i].text))]
    rest = list(lines[found[-1] + 1 :])
    if rest and rest[0].text.endswith(":"):  # the second part's own title
        rest = rest[1:]
    return {m["option"]: int(m["n"]) for m in matches}, rest


def _paragraphs(lines: Sequence[Line]) -> Iterator[str]:
    """A line goes on before lower case, and where it is as long as wrapped lines are; without a full stop, half as long."""
    width = max((len(line.text) for line in lines), default=0)

    def goes_on(one: str, two: str) -> bool:
        if two[:1].islower():
            return True
        if not re.search(r"[.!?:]$", one):
            return len(one) >= SHORT * width
        return one[-1] != ":" and len(one) >= FULL * width

    return _joined(lines, goes_on)


def _joined(lines: Sequence[Line], goes_on: Callable[[str, str], bool]) -> Iterator[str]:
    """Paragraphs. goes_on: whether a line's sentence goes on in the next line."""
    kept: list[str] = []
    for line in lines:
        if kept and not goes_on(kept[-1], line.text):
            yield _one_line(kept)
            kept = []
        kept.append(line.text)
    if kept:
        yield _one_line(kept)


def _one_line(lines: Sequence[str]) -> str:
    return re.sub(r"(?<=\w-) (?=[a-zà-ÿ])", "", " ".join(lines))


def _labels(lines: Sequence[Line], width: int) -> Iterator[tuple[str | None, str]]:
    """(heading, label) in their order; width: of the report's longest line."""

    def goes_on(one: str, two: str) -> bool:
        if _is_heading(one) or PART.match(two):
            return False
        if two[:1].islower() or re.match(r"\d+\.\s", two):
            return True
        return not re.search(r"[.!?…]$", one) and len(one) + 1 + len(two.split(maxsplit=1)[0]) > width

    paragraphs = list(_joined(lines, goes_on))
    bodies = [p for p in paragraphs if not _is_heading(p)]
    several = len(bodies) > 1 and sum(len(_sentences(p)) for p in bodies) >= LABELS_RUN_TOGETHER * len(bodies)
    heading: str | None = None
    for paragraph in paragraphs:
        if _is_heading(paragraph):
            heading = paragraph.rstrip(" :")
            continue
        part = PART.match(paragraph)
        if part:
            heading, paragraph = f"Q{part[1]}", paragraph[part.end() :]  # noqa: PLW2901
        for sentence in _sentences(paragraph) if several else [paragraph]:
            for label in RUN_ON.split(sentence):
                cleaned = label.strip(" …,;(")
                if re.search(r"\w", cleaned):
                    yield heading, cleaned


def _is_heading(paragraph: str) -> bool:
    return paragraph.endswith(":") and len(paragraph.split()) <= HEADING_WORDS


def _sentences(paragraph: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+(?=[A-ZÀ-Ý])", paragraph)


def differences(ours: Reference, theirs: Reference) -> list[str]:
    """What an imported reference and one made by hand don't have in common, a line each; empty: the same."""
    told: list[str] = []
    if ours.panel != theirs.panel:
        told.append(f"panel: {len(ours.panel)} rows, {len(theirs.panel)} by hand")
    by_id = {q.id: q for q in ours.questions}
    hand = {q.id: q for q in theirs.questions}
    told += [f"{i}: only in the text" for i in by_id if i not in hand]
    for i, q in hand.items():
        told += _of_question(by_id[i], q) if i in by_id else [f"{i}: only by hand"]
    if theirs.themes and not ours.themes:
        told.append(f"themes: {len(theirs.themes)} by hand, none in the text")
    return told


def _of_question(ours: ReferenceQuestion, theirs: ReferenceQuestion) -> Iterator[str]:
    if ours.title != theirs.title:
        yield f"{ours.id} title: {ours.title} | by hand: {theirs.title}"
    if ours.closed != theirs.closed:
        yield f"{ours.id} closed part: {dict(ours.closed)} | by hand: {dict(theirs.closed)}"
    one, two = ({(g.heading, g.label) for g in q.groups} for q in (ours, theirs))
    for name, some in (("only in the text", one - two), ("only by hand", two - one)):
        for heading, label in sorted(some, key=lambda x: (x[0] or "", x[1])):
            yield f"{ours.id} label, {name}: {f'[{heading}] ' if heading else ''}{label}"
    said, written = (" ".join(p for s in q.syntheses[:1] for p in s) for q in (ours, theirs))
    if said != written:
        yield f"{ours.id} synthesis: {_apart(said, written)}"
    elif ours.syntheses != theirs.syntheses:
        yield f"{ours.id} synthesis: the same words in other paragraphs"


def _apart(one: str, two: str) -> str:
    """The stretches of words in which two texts differ."""
    a, b = one.split(), two.split()
    parts = [
        f"{' '.join(a[i:j]) or 'nothing'} | by hand: {' '.join(b[k:m]) or 'nothing'}"
        for tag, i, j, k, m in SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes()
        if tag != "equal"
    ]
    return "; ".join(parts)
