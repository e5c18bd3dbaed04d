"""Drafting only some questions of a round, or joining them otherwise than the round does."""

from collections import Counter
from dataclasses import dataclass, replace

from service.domain.round import Round


@dataclass(frozen=True, kw_only=True, slots=True)
class Misfit:
    """What can't be selected, and what to do."""

    question_id: str
    message: str
    remedy: str


def misfits(round_: Round, wanted: tuple[str, ...]) -> tuple[Misfit, ...]:
    """Why this selection can't be made; nothing where it can. wanted: open questions, "Q4+Q12" joins two."""
    known = [q.id for q in round_.open_questions]
    found = []
    for one, times in Counter(i for family in _families(wanted) for i in family).items():
        if one not in known:
            remedy = f"the open ones are {', '.join(known)}"
            found.append(Misfit(question_id=one, message=f"no open question {one}", remedy=remedy))
        elif times > 1:
            message = f"question {one} is asked for twice"
            found.append(Misfit(question_id=one, message=message, remedy="name each question once"))
    return tuple(found)


def select(round_: Round, wanted: tuple[str, ...]) -> Round:
    """Only these open questions, joined as asked for, with their closed parts; in the order of the round.

    Nothing wanted: the round as it is.
    """
    if not wanted:
        return round_
    known = [q.id for q in round_.open_questions]
    kept = {i: tuple(o for o in known if o in f and o != i) for f in _families(wanted) for i in f}
    chosen = tuple(
        replace(q, joined_with=kept[q.id]) if q.id in kept else q
        for q in round_.questions
        if q.id in kept or q.closed_part_of in kept
    )
    ids = {q.id for q in chosen}
    return replace(round_, questions=chosen, answers=tuple(a for a in round_.answers if a.question_id in ids))


def _families(wanted: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [tuple(dict.fromkeys(part.strip() for part in one.split("+"))) for one in wanted]
