"""Membership changed: the groups of a question made anew from who is in which, with every count that follows from it.

The one place where ids, counts, exemplars, families and isolated voices are computed again, whoever moved the verbatims.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from service.domain.draft import Group, Isolated, Stance, Support
from service.domain.steps import Topic
from service.domain.wordform import fold
from service.stages.check import Encode
from service.stages.group import EXEMPLARS, exemplars
from service.stages.voices import count_people

NEAR = 2
"""Nearest groups told of an isolated voice."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A level-1 group to be: who is in it, and what is known of it already."""

    verbatim_ids: tuple[str, ...]
    family: str
    """Key shared by the groups of one level-2 group."""
    label: str = ""
    """"": to be labelled."""
    stance: Stance | None = None
    exemplar_ids: tuple[str, ...] = ()
    """Chosen anew where empty or no longer all members."""
    label_support: Support | None = None


def part_of(group: Group) -> Part:
    """A level-1 group as it stands."""
    return Part(
        verbatim_ids=group.verbatim_ids,
        family=group.parent or group.id,
        label=group.label,
        stance=group.stance,
        exemplar_ids=group.exemplar_ids,
        label_support=group.label_support,
    )


def rebuild(
    topic: Topic, parts: Sequence[Part], *, encode: Encode, families: Mapping[str, Part] | None = None
) -> Topic:
    """The question with these level-1 groups. Verbatims that had a place and are in no part are isolated voices.

    Ids follow size, as in the grouping: most respondents, then most verbatims, then the first verbatim id. families: label,
    stance and support of level-2 groups by key; without one a family is called by its largest group.
    """
    placed = [v for g in topic.groups if g.level == 1 for v in g.verbatim_ids]
    placed = sorted((*placed, *(one.verbatim_id for one in topic.isolated)))
    number = {v: i for i, v in enumerate(placed)}
    texts = {v.id: v.text for v in topic.verbatims}
    rows = encode([texts[v] for v in placed]) if placed else np.zeros((0, 1), dtype=np.float32)
    question = topic.question.id
    firsts = []
    ordered = sorted((p for p in parts if p.verbatim_ids), key=lambda part: _rank(topic, part))
    for k, part in enumerate(ordered, start=1):
        ids = tuple(sorted(part.verbatim_ids))
        n, by_category = count_people(ids, topic.voices, topic.categories)
        kept = part.exemplar_ids and set(part.exemplar_ids) <= set(ids)
        group = Group(
            id=f"{question}.g{k}",
            level=1,
            parent=part.family,
            verbatim_ids=ids,
            label=part.label,
            stance=part.stance,
            n_respondents=n,
            by_category=by_category,
            exemplar_ids=part.exemplar_ids
            if kept
            else _exemplars(ids, texts, rows[[number[v] for v in ids]]),
            label_support=part.label_support,
        )
        firsts.append(group)
    seconds, renamed = _families(topic, firsts, families or {})
    firsts = [replace(g, parent=renamed[g.parent or ""]) for g in firsts]
    alone = [v for v in placed if v not in {m for g in firsts for m in g.verbatim_ids}]
    return replace(topic, groups=(*firsts, *seconds), isolated=_isolated(topic, firsts, alone, rows, number))


def _rank(topic: Topic, part: Part) -> tuple[int, int, str]:
    n, _ = count_people(part.verbatim_ids, topic.voices, topic.categories)
    return -n, -len(part.verbatim_ids), min(part.verbatim_ids)


def _exemplars(ids: Sequence[str], texts: Mapping[str, str], rows: NDArray[np.float32]) -> tuple[str, ...]:
    shown = exemplars([fold(texts[v]) for v in ids], rows, rows @ rows.mean(axis=0), EXEMPLARS)
    return tuple(ids[i] for i in shown)


def _families(
    topic: Topic, firsts: Sequence[Group], known: Mapping[str, Part]
) -> tuple[list[Group], dict[str, str]]:
    """The level-2 groups, largest first, and family key → id."""
    children: dict[str, list[Group]] = defaultdict(list)
    for g in firsts:
        children[g.parent or g.id].append(g)
    made = []
    for key, members in children.items():
        ids = tuple(v for g in members for v in g.verbatim_ids)
        n, by_category = count_people(ids, topic.voices, topic.categories)
        called = known.get(key) or part_of(members[0])
        made.append(
            (
                key,
                Group(
                    id="",
                    level=2,
                    verbatim_ids=ids,
                    label=called.label,
                    stance=called.stance,
                    label_support=called.label_support,
                    n_respondents=n,
                    by_category=by_category,
                    exemplar_ids=tuple(g.exemplar_ids[0] for g in members)[:EXEMPLARS],
                ),
            )
        )
    made.sort(key=lambda m: (-m[1].n_respondents, -len(m[1].verbatim_ids), min(m[1].verbatim_ids)))
    names = {key: f"{topic.question.id}.r{k}" for k, (key, _) in enumerate(made, start=1)}
    return [replace(g, id=names[key]) for key, g in made], names


def _isolated(
    topic: Topic,
    firsts: Sequence[Group],
    alone: Sequence[str],
    rows: NDArray[np.float32],
    number: Mapping[str, int],
) -> tuple[Isolated, ...]:
    """Score of a voice: as the grouping gave it; for one that was isolated later 1 − twice its greatest mean centred
    cosine to a group, held between 0 and 1. Nearest groups are those of the greatest such means."""
    if not alone:
        return ()
    before = {one.verbatim_id: one.score for one in topic.isolated}
    centred = rows - rows.mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    if firsts:
        means = np.stack([centred[[number[v] for v in g.verbatim_ids]].mean(axis=0) for g in firsts])
        alike = centred[[number[v] for v in alone]] @ means.T
    else:
        alike = np.zeros((len(alone), 0), dtype=np.float32)
    made = []
    for voice, row in zip(alone, alike, strict=True):
        nearest = np.argsort(-row, kind="stable")[:NEAR]
        score = before.get(voice, round(float(np.clip(1 - 2 * row.max(initial=0.0), 0, 1)), 4))
        made.append(Isolated(verbatim_id=voice, score=score, near=tuple(firsts[int(k)].id for k in nearest)))
    return tuple(sorted(made, key=lambda one: (-one.score, one.verbatim_id)))
