"""Cutting a text into ideas by rule: lists, sentences, long unpunctuated runs. Spans only; wording is in `simplify`.

French and English. Measured on hand-cut sets with `python -m evals.segmentation` (docs/segment.md).
"""

import re
from collections.abc import Iterator

from service.domain.wordform import fold

Span = tuple[int, int]

LONG = 28
"""Words from which a sentence is looked at again for coordinated ideas."""

SHORT = 4
"""Words below which a piece has no idea of its own and stays with its neighbour."""

STANCE = 2
"""Words of a piece ("Opposés.", "Non.") that belongs to the sentence after it on the same line."""

ABBREVIATIONS = frozenset(
    "m mm mme mmes mlle dr drs pr me st ste cf ex p pp art al etc env min max tel fig vol ch chap n no nos num av bd apr "
    "resp dept hab mr mrs ms prof vs eg ie e.g i.e p.ex c.a.d cad jr sr inc ltd dep gov est approx".split()
)
"""Folded words whose full stop does not end a sentence; "etc." ends one if a capital follows."""

END = re.compile(r"[.!?…]+[\"'»”’)\]]*(?=\s|$)|(?<=[^\W\d_])[.!?](?=[A-ZÀÂÇÉÈÊËÎÏÔÖÙÛÜŒ][a-zà-ÿœ]+\s)")
LINE = re.compile(r"\r\n|\r|\n|\v|\f|\u2028|\u2029|\x85")
BULLET = re.compile(r"[ \t\u00a0\u202f]*(?:[-–—•*·▪►●○◦‣⁃+>→➢✓]+(?=[ \t\u00a0\u202f]|[^\W\d_])[ \t\u00a0\u202f]*|(?:\d{1,2}|[a-hA-H])[ \u00a0]?[.)°/\]-]+(?=[ \t\u00a0]|[A-ZÀÉÈ])[ \t\u00a0]*|\(\d{1,2}\)\s*)")
INLINE = re.compile(r"(?<=[\s:;.])(?:[•▪►●◦‣➢]\s*|[-–—]\s+(?=\S)|(?:\d{1,2}|[a-h])[)°]\s*|\(\d{1,2}\)\s*)")
SEMICOLON = re.compile(r"\s*;\s+|;(?=[^\W\d_]{3})")
STRONG = re.compile(
    r"(?<=[\w,»)])[\s,]+(?=(?:et puis|et surtout|et aussi|et ensuite|et enfin|mais aussi|mais|par contre|en revanche|cependant|toutefois|"
    r"néanmoins|neanmoins|de plus|en plus|par ailleurs|en outre|ensuite|enfin|d['’]autre part|d['’]une part|il faut|il faudrait|"
    r"il serait|il convient|je souhaite|je voudrais|nous souhaitons|nous demandons|and also|and then|however|but|also|moreover|"
    r"furthermore|in addition|besides|on the other hand|we need|we should|there should|i would|i think)\b)",
    re.IGNORECASE,
)
LEAD_IN = re.compile(r":\s*$")
GREETING = re.compile(
    r"^(?:merci|bonjour|bonsoir|cordialement|bien cordialement|bonne (?:journée|réception|continuation)|salutations|"
    r"thanks?|thank you|hello|hi|regards|best regards|kind regards)\W*(?:\w+\W*){0,4}$",
    re.IGNORECASE,
)
EXAMPLE = re.compile(
    r"^(?:par exemple|p\. ?ex\.?|ex\.? ?:|exemples?\b|ainsi,? |à titre d['’]exemple|a titre d['’]exemple|c['’]est le cas|comme à |"
    r"for example|for instance|e\.g\.|such as)",
    re.IGNORECASE,
)


def cut(text: str) -> tuple[Span, ...]:
    """Spans of the ideas of a text, in order, not overlapping, without outer blanks.

    Every letter or digit outside list markers lies in exactly one span. Empty for a text without one.
    """
    pieces = [
        piece
        for block in _blocks(text)
        for sentence in _sentences(text, block)
        for piece in _coordinated(text, sentence)
    ]
    return tuple(_joined(text, pieces))


def _trim(text: str, span: Span) -> Span:
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _has_word(text: str, span: Span) -> bool:
    return any(c.isalnum() for c in text[span[0] : span[1]])


def word_count(text: str) -> int:
    return len(re.findall(r"\w+", text))


def _blocks(text: str) -> Iterator[Span]:
    """Lines, and items of lists within a line, without their markers; a wrapped line is joined to the one before."""
    lines: list[Span] = []
    start = 0
    for mark in [*LINE.finditer(text), None]:
        end = mark.start() if mark else len(text)
        bullet = BULLET.match(text, start, end)
        line = _trim(text, (bullet.end() if bullet else start, end))
        if _has_word(text, line):
            before = text[lines[-1][0] : lines[-1][1]] if lines else ""
            wraps = not bullet and before and before[-1] not in ".!?…:;" and text[line[0]].islower()
            if wraps:
                lines[-1] = (lines[-1][0], line[1])
            else:
                lines.append(line)
        elif bullet and _has_word(text, (start, end)):  # "3)" alone on a line: its number is content
            lines.append(_trim(text, (start, end)))
        start = mark.end() if mark else end
    for line in lines:
        yield from _items(text, line)


def _items(text: str, line: Span) -> Iterator[Span]:
    """A line that holds two or more list markers, the one at its beginning included, is cut at them."""
    marks = list(INLINE.finditer(text, *line))
    marked = bool(re.search(r"[^\w\s]\s*$", text[max(0, line[0] - 4) : line[0]]))
    if len(marks) + marked < 2:
        yield line
        return
    start = line[0]
    for mark in [*marks, None]:
        piece = _trim(text, (start, mark.start() if mark else line[1]))
        if _has_word(text, piece):
            yield piece
        start = mark.end() if mark else line[1]


def _sentences(text: str, block: Span) -> Iterator[Span]:
    start = block[0]
    for end in [*_ends(text, block), block[1]]:
        piece = _trim(text, (start, end))
        if _has_word(text, piece):
            yield piece
        elif piece[0] < piece[1] and piece[0] > block[0]:
            pass  # punctuation alone: part of no idea
        start = max(start, end)


def _ends(text: str, block: Span) -> Iterator[int]:
    for mark in re.finditer(rf"{END.pattern}|{SEMICOLON.pattern}", text[block[0] : block[1]]):
        at = block[0] + mark.start()
        if text[at:].lstrip()[:1] == ";":
            yield block[0] + mark.end()
            continue
        before = re.search(r"[\w.]+$", text[max(block[0], at - 20) : at])
        word = fold(before[0]) if before else ""
        after = text[block[0] + mark.end() : block[1]].lstrip(" \t\u00a0\u202f\"'«“(")[:1]
        if mark[0].startswith("."):
            initial = len(word) == 1 and word.isalpha() and before is not None and before[0].isupper()
            if (word in ABBREVIATIONS or initial) and not (word == "etc" and after.isupper()):
                continue
            if after.islower() and len(mark[0].strip("\"'»”’)]")) == 1 and not before:
                continue
        if mark[0].startswith(("…", "...")) and after.islower():
            continue
        yield block[0] + mark.end()


def _coordinated(text: str, sentence: Span) -> Iterator[Span]:
    """A long sentence is cut before a strong connective, where both sides can stand alone."""
    if word_count(text[slice(*sentence)]) < LONG:
        yield sentence
        return
    start = sentence[0]
    for mark in STRONG.finditer(text, *sentence):
        left = text[start : mark.start()]
        right = text[mark.end() : sentence[1]]
        inside = left.count("(") > left.count(")") or left.count("«") > left.count("»")
        if word_count(left) >= 8 and word_count(right) >= 5 and not inside:
            yield _trim(text, (start, mark.end()))
            start = mark.end()
    yield _trim(text, (start, sentence[1]))


def _joined(text: str, pieces: list[Span]) -> Iterator[Span]:
    """Pieces without an idea of their own join a neighbour: lead-ins the next one, examples and fragments the one before."""
    waiting: int | None = None
    made: list[Span] = []
    for start, end in pieces:
        piece = text[start:end]
        begins = start if waiting is None else waiting
        waiting = None
        few = word_count(piece) < SHORT
        opens = LEAD_IN.search(piece) or (GREETING.match(piece) and not made)
        opens = opens or (word_count(piece) <= STANCE and _same_line(text, end, pieces))
        if opens and word_count(piece) <= 12 and (start, end) != pieces[-1]:
            waiting = begins
        elif made and begins == start and (EXAMPLE.match(piece) or GREETING.match(piece)):
            made[-1] = (made[-1][0], end)
        elif made and begins == start and few and piece[:1].islower() and not _new_line(text, made[-1][1], start):
            made[-1] = (made[-1][0], end)
        else:
            made.append((begins, end))
    if waiting is not None:
        made.append((waiting, pieces[-1][1]))
    yield from made


def _same_line(text: str, end: int, pieces: list[Span]) -> bool:
    following = next((p for p in pieces if p[0] >= end), None)
    return following is not None and not _new_line(text, end, following[0])


def _new_line(text: str, start: int, end: int) -> bool:
    return LINE.search(text, start, end) is not None
