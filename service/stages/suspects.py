"""What looks like an order is kept, listed and counted, and nothing rests on it: its ideas stand by themselves."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.draft import Isolated, Suspect, Verbatim
from service.domain.orders import ways
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
    """An order sets its own sentence aside and what follows, which is mostly what it demands; what came before stays."""
    by_answer: dict[str, list[Verbatim]] = defaultdict(list)
    for v in verbatims:
        by_answer[v.answer_id].append(v)
    suspects = []
    for answer in answers:
        found = ways(answer.text)
        if found:
            ideas = by_answer[answer.id]
            first = next((k for k, v in enumerate(ideas) if ways(v.quote)), 0)
            aside = tuple(v.id for v in ideas[first:])
            suspects.append(Suspect(answer_id=answer.id, ways=found, verbatim_ids=aside))
    gone = {v for s in suspects for v in s.verbatim_ids}
    return SetAside(
        kept=tuple(v for v in verbatims if v.id not in gone),
        isolated=tuple(Isolated(verbatim_id=v.id, score=1.0) for v in verbatims if v.id in gone),
        suspects=tuple(suspects),
    )
