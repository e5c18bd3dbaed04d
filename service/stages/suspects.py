"""What looks like an order is kept, listed and counted, and nothing rests on it: its ideas stand by themselves."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.draft import Isolated, Suspect, Verbatim
from service.domain.orders import is_complete, ways
from service.domain.round import Answer


@dataclass(frozen=True, kw_only=True, slots=True)
class SetAside:
    """The verbatims of one question in two parts, and the answers that made the second."""

    kept: tuple[Verbatim, ...]
    isolated: tuple[Isolated, ...]
    """Ideas of suspects, each a voice of its own: in no group, so in no label and no synthesis."""
    suspects: tuple[Suspect, ...]
    """Every answer that looks like an order, those without verbatims (no content, duplicate, failed) included."""


def set_aside(answers: Sequence[Answer], verbatims: Sequence[Verbatim]) -> SetAside:
    """An order sets its own sentence aside, and what follows unless the order itself says all that it demands."""
    by_answer: dict[str, list[Verbatim]] = defaultdict(list)
    for v in verbatims:
        by_answer[v.answer_id].append(v)
    suspects = []
    for answer in answers:
        found = ways(answer.text)
        if found:
            aside = _ordered(by_answer[answer.id])
            suspects.append(Suspect(answer_id=answer.id, ways=found, verbatim_ids=aside))
    gone = {v for s in suspects for v in s.verbatim_ids}
    return SetAside(
        kept=tuple(v for v in verbatims if v.id not in gone),
        isolated=tuple(Isolated(verbatim_id=v.id, score=1.0) for v in verbatims if v.id in gone),
        suspects=tuple(suspects),
    )


def _ordered(ideas: Sequence[Verbatim]) -> tuple[str, ...]:
    """Ids of the ideas of one answer that nothing may rest on; all where no single one looks like an order."""
    aside: list[str] = []
    for k, v in enumerate(ideas):
        if ways(v.quote):
            if not is_complete(v.quote):
                return (*aside, *(rest.id for rest in ideas[k:]))
            aside.append(v.id)
    return tuple(aside or (v.id for v in ideas))
