"""Group and regroup: verbatims of one question that say the same thing, groups of those, and isolated voices."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Encoder
from embeddings.graph import Watch
from embeddings.grouping import Grouping, Recipe, unwatched
from embeddings.grouping import group as group_texts
from embeddings.similarity import Asked
from service.domain.draft import Failure, Group, Isolated, Verbatim
from service.domain.polarity import polarity
from service.domain.round import Question
from service.domain.steps import Grouped, Topic
from service.domain.wordform import fold
from service.stages.check import Encode
from service.stages.place import places
from service.stages.voices import count_people

LONG = 2_000
"""Verbatims encoded at a time, and the number above which the steps are watched: fewer are done in seconds."""

EXEMPLARS = 8
"""Verbatims that show a group: the most central, then the most different from those already chosen."""


def group_verbatims(
    question: Question,
    verbatims: tuple[Verbatim, ...],
    *,
    encoder: Encoder,
    voices: Mapping[str, tuple[str, ...]],
    categories: Mapping[str, str],
    recipe: Recipe = Recipe(),
    watch: Watch = unwatched,
) -> Grouped:
    """Every verbatim in exactly one level-1 group, isolated, or failed; whatever the order they come in.

    voices: respondents behind each verbatim; categories: of the respondents. watch is told the steps of a long question as they
    begin, and may raise to cancel.
    """
    ordered = sorted(verbatims, key=lambda v: v.id)
    if not ordered:
        return Grouped(groups=(), isolated=())
    watch = watch if len(ordered) > LONG else unwatched
    vectors = _encoded([v.text for v in ordered], encoder, watch)
    failures = tuple(
        Failure(id=v.id, stage="group", reason="the encoder gave no vector for it")
        for v, row in zip(ordered, vectors, strict=True)
        if not np.isfinite(row).all() or not row.any()
    )
    failed = {f.id for f in failures}
    keep = [i for i, v in enumerate(ordered) if v.id not in failed]
    ordered = [ordered[i] for i in keep]
    rows = vectors[keep]
    found = group_texts(
        [v.text for v in ordered],
        rows,
        weights=[len(voices[v.id]) for v in ordered],
        sides=[polarity(v.text) for v in ordered],
        asked=_asked(question, encoder),
        recipe=recipe,
        watch=watch,
    )
    names = _names(question.id, ordered, found, voices)
    groups = _first_level(ordered, rows, found, names, voices, categories)
    parents = _second_level(question.id, groups, found, names, voices, categories)
    both = (*(replace(g, parent=parents[1][g.id]) for g in groups), *parents[0])
    return Grouped(
        groups=both,
        isolated=_isolated(ordered, found, names),
        map=places(ordered, rows, both),
        failures=failures,
    )


def _asked(question: Question, encoder: Encoder) -> Asked | None:
    """The question's text with its vector; None where the input gave an identifier alone."""
    if question.title == question.id:
        return None
    return Asked(text=question.title, vector=encoder.encode([question.title])[0])


def _encoded(texts: Sequence[str], encoder: Encoder, watch: Watch) -> NDArray[np.float32]:
    parts = []
    for start in range(0, len(texts), LONG):
        watch("encode")
        parts.append(encoder.encode(texts[start : start + LONG]))
    return np.concatenate(parts)


def _names(
    question_id: str, verbatims: Sequence[Verbatim], found: Grouping, voices: Mapping[str, tuple[str, ...]]
) -> dict[int, str]:
    """Group number → id: g1 has most respondents, then most verbatims, then the first verbatim id."""

    def rank(number: int) -> tuple[int, int, str]:
        ids = [verbatims[i].id for i in np.flatnonzero(found.labels == number).tolist()]
        return -len({voice for v in ids for voice in voices[v]}), -len(ids), min(ids)

    order = sorted(range(len(found.parents)), key=rank)
    return {number: f"{question_id}.g{k}" for k, number in enumerate(order, start=1)}


def _first_level(
    verbatims: Sequence[Verbatim],
    rows: NDArray[np.float32],
    found: Grouping,
    names: Mapping[int, str],
    voices: Mapping[str, tuple[str, ...]],
    categories: Mapping[str, str],
) -> list[Group]:
    groups = []
    for number, name in names.items():
        members = np.flatnonzero(found.labels == number).tolist()
        ids = tuple(verbatims[i].id for i in members)
        n, by_category = count_people(ids, voices, categories)
        texts = [fold(verbatims[i].text) for i in members]
        shown = exemplars(texts, rows[members], found.centrality[members], EXEMPLARS)
        groups.append(
            Group(
                id=name,
                level=1,
                verbatim_ids=ids,
                n_respondents=n,
                by_category=by_category,
                exemplar_ids=tuple(ids[i] for i in shown),
            )
        )
    return groups


def exemplars(
    texts: Sequence[str], rows: NDArray[np.float32], centrality: NDArray[np.float32], most: int
) -> list[int]:
    """Row numbers that show a group: the most central first, then each time the one least like those already chosen; of rows
    with the same text only one."""
    order = np.lexsort((np.arange(len(rows)), -centrality)).tolist()
    once = list({texts[i]: i for i in reversed(order)}.values())[::-1]
    chosen = [order[0]]
    while len(chosen) < min(most, len(once)):
        alike = (rows[once] @ rows[chosen].T).max(axis=1)
        alike[[k for k, i in enumerate(once) if i in chosen]] = np.inf
        chosen.append(once[int(np.argmin(alike))])
    return chosen


def with_exemplars(topic: Topic, encode: Encode) -> Topic:
    """The same question with exemplars chosen for its level-1 groups, where the groups come from a file."""
    texts = {v.id: v.text for v in topic.verbatims}
    made = []
    for g in topic.groups:
        said = [texts[v] for v in g.verbatim_ids]
        rows = encode(said)
        shown = exemplars([fold(t) for t in said], rows, rows @ rows.mean(axis=0), EXEMPLARS)
        made.append(replace(g, exemplar_ids=tuple(g.verbatim_ids[i] for i in shown)))
    return replace(topic, groups=tuple(made))


def _second_level(
    question_id: str,
    groups: Sequence[Group],
    found: Grouping,
    names: Mapping[int, str],
    voices: Mapping[str, tuple[str, ...]],
    categories: Mapping[str, str],
) -> tuple[list[Group], dict[str, str]]:
    """The level-2 groups, and level-1 id → level-2 id."""
    number_of = {name: number for number, name in names.items()}
    children: dict[int, list[Group]] = {}
    for g in groups:
        children.setdefault(int(found.parents[number_of[g.id]]), []).append(g)
    made = []
    for family in children.values():
        ids = tuple(v for g in family for v in g.verbatim_ids)
        n, by_category = count_people(ids, voices, categories)
        shown = tuple(g.exemplar_ids[0] for g in family)[:EXEMPLARS]
        made.append(
            (
                Group(
                    id="",
                    level=2,
                    verbatim_ids=ids,
                    n_respondents=n,
                    by_category=by_category,
                    exemplar_ids=shown,
                ),
                family,
            )
        )
    made.sort(
        key=lambda pair: (-pair[0].n_respondents, -len(pair[0].verbatim_ids), min(pair[0].verbatim_ids))
    )
    named = [(replace(g, id=f"{question_id}.r{k}"), family) for k, (g, family) in enumerate(made, start=1)]
    return [g for g, _ in named], {child.id: g.id for g, family in named for child in family}


def _isolated(
    verbatims: Sequence[Verbatim], found: Grouping, names: Mapping[int, str]
) -> tuple[Isolated, ...]:
    alone = [
        Isolated(
            verbatim_id=verbatims[i].id,
            score=round(float(found.isolation[i]), 4),
            near=tuple(names[int(k)] for k in found.near[i] if k >= 0),
        )
        for i in np.flatnonzero(found.labels == -1).tolist()
    ]
    return tuple(sorted(alone, key=lambda one: (-one.score, one.verbatim_id)))
