"""Closed questions: which columns are, how several choices in one cell are told apart, and their counts."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from service.domain.round import Answer, Question
from service.domain.wordform import fold
from service.ingest.forms import Cell
from service.ingest.sidecar import Sidecar

CLOSED_OPTIONS = 8
"""Most distinct choices of a column that is taken for a closed question where nobody says so."""

CLOSED_CHARS = 40
CLOSED_RESPONDENTS = 12
SURE_RESPONDENTS = 4
"""Answers from which a column of nothing but yes, no or numbers is taken for closed."""

YES_NO = frozenset(
    {"oui", "non", "yes", "no", "y", "n", "vrai", "faux", "true", "false", "nsp", "checked", "coche"}
)
NUMBER = re.compile(r"[-+]?\d{1,9}(?:[.,]\d{1,4})?\s?%?")


def with_kinds(
    questions: tuple[Question, ...], sidecar: Sidecar, cells: Sequence[Cell], *, guess: bool
) -> tuple[Question, ...]:
    """Questions with their kind, options and given counts; those of which only counts are known are added.

    guess: whether a column that nobody describes may be taken for closed; in long form it never is.
    """
    notes = {n.id: n for n in sidecar.questions}
    texts: dict[str, list[str]] = defaultdict(list)
    for cell in cells:
        if cell.text.strip():
            texts[cell.question_id].append(cell.text.strip())
    made = []
    for q in questions:
        note = notes.get(q.id)
        if note is None:
            made.append(replace(q, kind="closed" if guess and looks_closed(q.id, texts[q.id]) else "open"))
        else:
            told: Literal["open", "closed"] = (
                "closed" if note.closed_part_of or note.options or note.counts else "open"
            )
            made.append(
                replace(q, kind=note.kind or told, options=tuple(note.options), counts=dict(note.counts))
            )
    known = {q.id for q in questions}
    made += [
        Question(
            id=n.id, title=n.title or n.id, kind="closed", options=tuple(n.options), counts=dict(n.counts)
        )
        for n in sidecar.questions
        if n.id not in known and n.counts
    ]
    return tuple(made)


def looks_closed(question_id: str, texts: Sequence[str]) -> bool:
    """True for few distinct short choices over many respondents, or for nothing but yes, no or numbers.

    texts: the answers that are not blank, stripped.
    """
    enough = 1 if "[" in question_id else SURE_RESPONDENTS
    if len(texts) >= enough and (
        all(fold(t) in YES_NO for t in texts) or all(NUMBER.fullmatch(t) for t in texts)
    ):
        return True
    if len(texts) < CLOSED_RESPONDENTS or any(
        len(part) > CLOSED_CHARS for text in texts for part in re.split("[;,]", text)
    ):
        return False
    distinct: set[str] = set()
    most = min(CLOSED_OPTIONS, len(texts) // 4)
    for some in _choices(texts, ()):
        if any(len(one) > CLOSED_CHARS for one in some):
            return False
        distinct.update(map(fold, some))
        if len(distinct) > most:
            return False
    return True


def _choices(texts: Sequence[str], options: Sequence[str]) -> list[list[str]]:
    """Each answer as its choices: "a;b" and "a, b" are two where their parts are chosen alone by others."""
    known = {fold(o) for o in options}
    wholes = {fold(t) for t in texts}
    alone = known | {w for w in wholes if not re.search("[;,]", w)}
    for separator in ";,":
        if not any(separator in w for w in wholes - known):
            continue
        cut = [
            [t.strip()] if fold(t) in known else [p.strip() for p in t.split(separator) if p.strip()]
            for t in texts
        ]
        parts = {fold(p) for some in cut for p in some}
        # Microsoft Forms writes "a;b;", Google Forms "a, b"; a comma may also stand inside one option.
        if separator == ";" or 2 * len(parts & alone) > len(parts):
            return cut
    return [[t.strip()] for t in texts]


def counted(question: Question, answers: Sequence[Answer]) -> Question:
    """Options and counts from the answers where the sidecar gives none; choices are counted one by one."""
    if question.counts:
        return question if question.options else replace(question, options=tuple(question.counts))
    spelt: dict[str, str] = {fold(o): o for o in question.options}
    counts: Counter[str] = Counter(dict.fromkeys(question.options, 0))
    mine = [a.text for a in answers if a.question_id == question.id and a.text.strip()]
    for some in _choices(mine, question.options):
        folded = {fold(one): one for one in some}
        counts.update(spelt.setdefault(key, one) for key, one in sorted(folded.items()))
    shown = list(question.options)
    shown += sorted((o for o in counts if o not in shown), key=lambda o: (-counts[o], o))
    return replace(question, options=tuple(shown), counts={o: counts[o] for o in shown})
