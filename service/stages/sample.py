"""Which verbatims show a group where not all fit, and which other groups are nearest to it: never a random handful."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.domain.draft import Verbatim
from service.domain.steps import Topic
from service.domain.wordform import fold
from service.stages.check import Encode


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """One group as a model is shown it."""

    members: tuple[Verbatim, ...]
    """All of them where they fit; else in equal parts the most central, the most varied and those at the border."""
    nearest: tuple[str, ...]
    """Ids of the other level-1 groups, nearest first."""


def views(topic: Topic, encode: Encode, *, most: int, neighbours: int) -> Mapping[str, View]:
    """A view of every level-1 group of a question. most: members shown; neighbours: other groups named."""
    groups = [g for g in topic.groups if g.level == 1]
    if not groups:
        return {}
    verbatims = {v.id: v for v in topic.verbatims}
    ids = sorted({v for g in groups for v in g.verbatim_ids})
    number = {v: i for i, v in enumerate(ids)}
    rows = encode([verbatims[v].text for v in ids])
    means = np.stack([rows[[number[v] for v in g.verbatim_ids]].mean(axis=0) for g in groups])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    alike = means @ means.T
    np.fill_diagonal(alike, -np.inf)
    found = {}
    for k, g in enumerate(groups):
        order = list(dict.fromkeys((*g.exemplar_ids, *g.verbatim_ids)))
        own = rows[[number[v] for v in order]]
        if len(order) > most:
            others = np.delete(means, k, axis=0)
            order = _chosen([fold(verbatims[v].text) for v in order], order, own, means[k], others, most)
        near = np.argsort(-alike[k], kind="stable")[: min(neighbours, len(groups) - 1)]
        found[g.id] = View(
            members=tuple(verbatims[v] for v in order), nearest=tuple(groups[int(i)].id for i in near)
        )
    return found


def _chosen(
    texts: list[str],
    ids: list[str],
    rows: NDArray[np.float32],
    mean: NDArray[np.float32],
    others: NDArray[np.float32],
    most: int,
) -> list[str]:
    central = rows @ mean
    margin = central - (rows @ others.T).max(axis=1) if len(others) else central
    once = list({texts[i]: i for i in reversed(range(len(ids)))}.values())[::-1]  # a text is shown once
    by_centre = sorted(once, key=lambda i: (-float(central[i]), ids[i]))
    chosen = by_centre[: most // 3]
    border = [i for i in sorted(once, key=lambda i: (float(margin[i]), ids[i])) if i not in chosen]
    chosen += border[: most // 3]
    rest = [i for i in once if i not in chosen]
    while rest and len(chosen) < most:  # the least like those already chosen
        nearest = (rows[rest] @ rows[chosen].T).max(axis=1)
        chosen.append(rest.pop(int(np.argmin(nearest))))
    return [ids[i] for i in chosen]
