"""Cutting a text into ideas by rule: lists, sentences, clauses. Spans only; the wording is in `simplify`.

French and English. Measured on hand-cut sets with `python -m evals.segmentation` (docs/segment.md).
"""

import re
import unicodedata
from collections.abc import Iterator

from service.domain.language import detect_language
from service.domain.round import Language
from service.domain.wordform import fold
from service.stages.cutting.clauses import clause_starts
from service.stages.cutting.rules import (
    ABBREVIATIONS,
    ACRONYM,
    BULLET,
    CONTINUES,
    END,
    EXAMPLE,
    GLUED,
    GREETING,
    INLINE,
    LINE,
    MINUS,
    STANCES,
    TITLES,
)

Span = tuple[int, int]

LONG = 40
"""Words from which a sentence that its writer ended with a stop is cut into clauses."""

LONG_WITHOUT_STOP = 20
"""The same where no stop ends it: many people write without."""

SHORT = 4
"""Words below which a piece in lower case has no idea of its own and stays with the one before."""

REASON = 25
"""Words up to which a reason ("Ce qui…", "This…") stays with the sentence before; a longer one is an idea."""

LEAD_IN = 12
"""Words up to which a piece that ends with a colon only leads in the next one."""

WRAPPED = 45
"""Characters from which a line may have been wrapped by a mail program; shorter lines are a list."""

FEW = 3
"""Words on the left of a lost stop ("… trop long Pas de suivi"), at least."""


def cut(text: str) -> tuple[Span, ...]:
    """Spans of the ideas of a text, in order, not overlapping, without outer blanks.

    Every letter, digit and emoji outside list markers lies in exactly one span. Empty for a text without one.
    """
    blocks = list(_blocks(text))
    pieces = [sentence for block in blocks for sentence in _sentences(text, block)]
    if any(_is_long(text, piece) for piece in pieces):
        language = detect_language([text])
        pieces = [piece for sentence in pieces for piece in _short_enough(text, sentence, language)]
    return tuple(_joined(text, pieces, {start for start, _ in blocks}))


def _is_long(text: str, sentence: Span) -> bool:
    stopped = text[sentence[1] - 1] in ".!?…;"
    return word_count(text[slice(*sentence)]) >= (LONG if stopped else LONG_WITHOUT_STOP)


def stops(text: str) -> tuple[int, ...]:
    """Where one sentence ends and another begins inside a text; not after an abbreviation, an initial or a semicolon."""
    ends = _ends(text, (0, len(text)))
    return tuple(e for e in ends if not text[:e].rstrip().endswith(";") and text[e:].lstrip()[:1].isupper())


def word_count(text: str) -> int:
    return len(re.findall(r"\w+", text))


def _trim(text: str, span: Span) -> Span:
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _has_content(text: str, span: Span) -> bool:
    return any(c.isalnum() or (c > "\u2190" and unicodedata.category(c) == "So") for c in text[slice(*span)])


def _blocks(text: str) -> Iterator[Span]:
    """Lines and items of lists, without their markers; a wrapped line is joined to the one before."""
    lines: list[Span] = []
    markers: list[str] = []
    fewer = "+" in text or len(re.findall(r"(?:^|[\n\r])[ \t]*-", text)) == 1
    start = 0
    for mark in [*LINE.finditer(text), None]:
        end = mark.start() if mark else len(text)
        bullet = None if fewer and MINUS.match(text, start, end) else BULLET.match(text, start, end)
        line = _trim(text, (bullet.end() if bullet else start, end))
        if not _has_content(text, line):  # "3)" alone on a line: its number is content
            line, bullet = _trim(text, (start, end)), None
        if _has_content(text, line):
            if not bullet and lines and _wraps(text, lines[-1], line):
                lines[-1] = (lines[-1][0], line[1])
            else:
                lines.append(line)
                markers.append(bullet[0] if bullet else "")
        start = mark.end() if mark else end
    for line, marker in zip(lines, markers, strict=True):
        yield from _items(text, line, marker.strip(" \t\u00a0\u202f().°/-]"), marked=bool(marker))


def _wraps(text: str, before: Span, line: Span) -> bool:
    last = text.rfind("\n", before[0], before[1]) + 1 or before[0]
    return before[1] - last >= WRAPPED and text[before[1] - 1] not in ".!?…:;" and text[line[0]].islower()


def _items(text: str, line: Span, number: str, *, marked: bool) -> Iterator[Span]:
    """A line that holds two or more list markers, the one at its beginning included, is cut at them."""
    marks = list(_counting(INLINE.finditer(text, *line), _value(number)))
    if len(marks) + marked < 2:
        yield line
        return
    start = line[0]
    for mark in [*marks, None]:
        piece = _trim(text, (start, mark.start() if mark else line[1]))
        if _has_content(text, piece):
            yield piece
        start = mark.end() if mark else line[1]


def _value(number: str) -> int:
    """Place in a list: 3 of "3" and of "c"; 0 of a bullet."""
    if number.isdecimal():
        return int(number)
    return (
        ord(number.lower()) - ord("a") + 1
        if len(number) == 1 and number.isascii() and number.isalpha()
        else 0
    )


def _counting(marks: Iterator[re.Match[str]], last: int) -> Iterator[re.Match[str]]:
    """The marks without numbers that don't count up: "19°" and "(59)" are content."""
    for mark in marks:
        number = mark["number"] or mark["bracketed"]
        if number is None:
            yield mark
            continue
        if _value(number) == last + 1:
            last += 1
            yield mark


def _sentences(text: str, block: Span) -> Iterator[Span]:
    ends = sorted({*_ends(text, block), *(m.start() for m in GLUED.finditer(text, *block))})
    start = block[0]
    for end in [*ends, block[1]]:
        piece = _trim(text, (start, end))
        glued = end < block[1] and text[end] == " " and text[end - 1] not in ".!?…;\"'»”’)]"
        if _has_content(text, piece) and not (glued and word_count(text[slice(*piece)]) < FEW):
            yield piece
            start = end


def _ends(text: str, block: Span) -> Iterator[int]:
    for mark in END.finditer(text, *block):
        at, end = mark.start(), mark.end()
        if mark[0][0] == ";":
            yield end
            continue
        before = re.search(r"[\w.]+$", text[max(block[0], at - 20) : at])
        word = fold(before[0]) if before else ""
        after = text[end : min(block[1], end + 8)].lstrip(" \t\u00a0\u202f\"'«“(")[:1]
        if mark[0][0] == "." and before is not None:
            initial = len(word) == 1 and before[0].isupper()
            short = not after.isupper() and (word in ABBREVIATIONS or ACRONYM.match(word))
            if word in TITLES or initial or short:
                continue
        if after.islower() and (mark[0].startswith(("…", "...")) or mark[0].endswith(("»", "”", '"'))):
            continue
        yield end


def _short_enough(text: str, sentence: Span, language: Language) -> Iterator[Span]:
    """A long sentence cut into its clauses."""
    start, end = sentence
    for at in clause_starts(text[start:end], language) if _is_long(text, sentence) else ():
        yield _trim(text, (start, sentence[0] + at))
        start = sentence[0] + at
    yield _trim(text, (start, end))


def _joined(text: str, pieces: list[Span], blocks: set[int]) -> Iterator[Span]:
    """Pieces without an idea of their own join a neighbour: lead-ins the next, examples the one before.

    blocks: where the lines and items of lists begin.
    """
    waiting: int | None = None
    made: list[Span] = []
    for (start, end), following in zip(pieces, [*pieces[1:], None], strict=False):
        piece = text[start:end]
        begins = start if waiting is None else waiting
        waiting = None
        if following and _leads_in(piece, first=not made, same_block=following[0] not in blocks):
            waiting = begins
        elif made and begins == start and _follows(piece, same_block=start not in blocks):
            made[-1] = (made[-1][0], end)
        else:
            made.append((begins, end))
    yield from made


def _leads_in(piece: str, *, first: bool, same_block: bool) -> bool:
    """A piece that says nothing without the next one: "Mes propositions :", "Bonjour,", "Non."."""
    count = word_count(piece)
    if count > LEAD_IN:
        return False
    greeting = first and GREETING.fullmatch(piece)
    stance = same_block and count == 1 and piece.strip(" .!,:…").lower() in STANCES
    return bool(piece.endswith(":") or greeting or stance)


def _follows(piece: str, *, same_block: bool) -> bool:
    """A piece that belongs to the one before: an example, a reason, thanks, a scrap."""
    count = word_count(piece)
    if EXAMPLE.match(piece) or GREETING.fullmatch(piece) or not re.search(r"\w", piece):
        return True
    return same_block and bool(
        (count <= REASON and CONTINUES.match(piece)) or (count < SHORT and piece[:1].islower())
    )
