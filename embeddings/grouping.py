"""Grouping by affinity: from texts and their vectors to groups, groups of groups, and isolated voices.

One public call, `group`. Vectors alone and words alone each miss what the other sees, so all but the largest questions are
grouped on the mean of both similarities: by HDBSCAN below 80 texts, by averaged linkage over neighbour-averaged similarities
from there on; above 4,000 by HDBSCAN's tree over a graph of neighbours. What was tried is in docs/adr/0002-grouping-recipe.md,
why the middle sizes have a clusterer of their own in docs/adr/0010-averaged-linkage.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import hdbscan
import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_matrix
from scipy.spatial.distance import squareform

from embeddings.encoder import unit
from embeddings.graph import Watch, averaged, leaves_of_graph, principal
from embeddings.memory import refuse_beyond_memory
from embeddings.similarity import Asked, Similarity, over_neighbours, similarity


def unwatched(step: str) -> None:
    """The watch of a grouping that nobody watches."""


COMPANY = 10
"""Texts whose mean similarity says how isolated a text of a middling question is."""

BLOCK = 20_000
"""Rows compared with all groups at once: 1,000,000 texts and 500 groups would take 2 GB for each such table."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """The parameters of a grouping."""

    words: float = 0.5
    """Weight of words (character n-grams) beside meaning (vectors), 0 to 1."""
    tree: Literal["by size", "hdbscan", "average"] = "by size"
    """What cuts the pairwise matrix: HDBSCAN's leaves, averaged linkage, or the first below `few` texts and else the second."""
    few: int = 80
    """The least number of texts for averaged linkage; HDBSCAN's groups begin with two texts below it, else with max(3, √n / 5)."""
    neighbours: int = 5
    """Texts, itself included, over which a text's similarities are averaged before averaged linkage."""
    cut: float = 0.8
    """Mean distance (1 − similarity) at which averaged linkage stops joining groups."""
    give_back: float = 0.05
    """Mean similarity to a group's members from which a text joins it: one that HDBSCAN left over, or a new one."""
    loose: float = 0.5
    """An HDBSCAN group whose mean similarity is below this share of the median group's is none: its verbatims are isolated."""
    opposed: float = 0.4
    """What two verbatims of opposed sides lose in similarity."""
    large: int = 4000
    """Above this many distinct texts the pairwise matrix is given up for a neighbour graph."""
    large_give_back: float = 0.3
    """The same as give_back for a large question, on neighbour-averaged vectors and centroids."""
    lonely: float = 0.5
    """A text of a large question is isolated where its similarity to the nearest group is below this share of the median text's."""
    regroup_few: int = 3
    regroup_many: int = 8
    """Bounds on the number of level-2 groups."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grouping:
    """For n texts and g groups. No number in it depends on the order of the texts but their own positions."""

    labels: NDArray[np.int64]
    """(n,) group of each text, -1 = isolated."""
    parents: NDArray[np.int64]
    """(g,) level-2 group of each group."""
    isolation: NDArray[np.float32]
    """(n,) 0 = in the middle of others, 1 = far from every group."""
    near: NDArray[np.int64]
    """(n, 2) the two groups nearest to each text, its own included; -1 where there are fewer."""
    centrality: NDArray[np.float32]
    """(n,) mean similarity to the members of its group; 0 for isolated texts."""


class Clusterer(Protocol):
    def fit_predict(self, distances: NDArray[np.float64]) -> NDArray[np.int64]:
        """Cluster of each row of an (n, n) distance matrix, -1 = none."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class AveragedLinkage:
    """Groups are joined while the mean distance between their members is at most `cut` (Sokal and Michener 1958)."""

    cut: float

    def fit_predict(self, distances: NDArray[np.float64]) -> NDArray[np.int64]:
        tree = linkage(squareform(distances, checks=False), "average")
        found = fcluster(tree, self.cut, "distance")
        return np.where(np.bincount(found)[found] > 1, found, -1).astype(np.int64)


def hdbscan_leaves(n: int, recipe: Recipe) -> Clusterer:
    """HDBSCAN (Campello et al. 2013) with leaf selection on a precomputed matrix."""
    clusterer: Clusterer = hdbscan.HDBSCAN(
        metric="precomputed",
        min_cluster_size=2 if n < recipe.few else max(3, round(np.sqrt(n) / 5)),
        min_samples=1,
        cluster_selection_method="leaf",
    )
    return clusterer


def group(
    texts: Sequence[str],
    vectors: NDArray[np.float32],
    *,
    weights: Sequence[int] | None = None,
    sides: Sequence[int] | None = None,
    asked: Asked | None = None,
    recipe: Recipe = Recipe(),
    clusterer: Clusterer | None = None,
    watch: Watch = unwatched,
) -> Grouping:
    """Group n texts by affinity.

    vectors: (n, d), unit rows or zeros. weights: respondents behind each text, 1 by default: what two or more wrote word for
    word is a group even if nobody else says it. sides: 1 for, -1 against, 0 untold; opposed texts are kept apart (small
    questions only). asked: from `few` to `large` texts, what these share with the question
    does not count. watch is told each step and may raise to cancel. The result does not depend on the order of the texts.

    Raises NotEnoughMemory before starting if the machine has not the memory for it.
    """
    n = len(texts)
    if n == 0:
        none = np.zeros(0, dtype=np.int64)
        empty = np.zeros(0, dtype=np.float32)
        return Grouping(
            labels=none,
            parents=none,
            isolation=empty,
            near=np.zeros((0, 2), dtype=np.int64),
            centrality=empty,
        )
    distinct, where = np.unique(
        np.asarray(texts, dtype=object), return_inverse=True
    )  # sorted: any order in, one order here
    first = np.zeros(len(distinct), dtype=np.int64)
    first[where[::-1]] = np.arange(n)[::-1]
    heavy = np.bincount(where, weights=np.asarray(weights or [1] * n)) >= 2
    refuse_beyond_memory(len(distinct), vectors.shape[1], pairwise=len(distinct) <= recipe.large)
    names, rows = list(distinct), np.asarray(vectors, dtype=np.float32)[first]
    if len(names) <= recipe.large:
        watch("similarity")
        side = np.asarray(sides or [0] * n, dtype=np.float32)[first]
        about = asked if len(names) >= recipe.few else None
        alike = similarity(names, rows, recipe.words, about)
        labels, fit = _small(alike, side, heavy, recipe, clusterer, watch)
    else:
        labels, fit = _large(rows, heavy, recipe, watch)
    watch("second level")
    return Grouping(
        labels=labels[where],
        parents=_regroup(rows, labels, recipe),
        isolation=np.clip(1 - 2 * fit.best, 0, 1)[where],
        near=fit.near[where],
        centrality=fit.own[where],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """How each of n texts fits the groups."""

    near: NDArray[np.int64]
    best: NDArray[np.float32]
    """(n,) similarity to the nearest group, 0 where there is no group; or to the nearest texts, whatever their groups."""
    own: NDArray[np.float32]


def _fit(to_groups: Similarity, labels: NDArray[np.int64]) -> Fit:
    """to_groups: (n, g) similarity of each text to each group."""
    n = len(to_groups)
    near = np.full((n, 2), -1, dtype=np.int64)
    best = own = np.zeros(n, dtype=np.float32)
    if to_groups.shape[1]:
        found = np.argsort(-to_groups, axis=1, kind="stable")[:, :2]
        near[:, : found.shape[1]] = found
        best = to_groups.max(axis=1)
        own = np.where(labels >= 0, to_groups[np.arange(n), labels], 0.0).astype(np.float32)
    return Fit(near=near, best=best, own=own)


def _fit_to_centroids(rows: NDArray[np.float32], labels: NDArray[np.int64]) -> Fit:
    """The same for a large question, block by block."""
    centres = _centroids(rows, labels).T
    blocks = [slice(a, a + BLOCK) for a in range(0, len(rows), BLOCK)]
    return _joined([_fit(rows[block] @ centres, labels[block]) for block in blocks])


def fit_to_means(vectors: NDArray[np.float32], labels: NDArray[np.int64]) -> Fit:
    """How n texts fit the groups by the mean cosine of centred vectors to a group's members, block by block."""
    middle = vectors.mean(axis=0)
    means = group_means(vectors, labels, middle)
    blocks = [slice(a, a + BLOCK) for a in range(0, len(vectors), BLOCK)]
    return _joined([_fit(unit(vectors[b] - middle) @ means.T, labels[b]) for b in blocks])


def group_means(
    vectors: NDArray[np.float32], labels: NDArray[np.int64], middle: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(g, d) mean of the unit vectors of each group's members, centred on `middle` (d,); not of length 1."""
    groups = int(labels.max(initial=-1)) + 1
    sums = np.zeros((groups, vectors.shape[1]))
    for start in range(0, len(vectors), BLOCK):
        some = labels[start : start + BLOCK]
        inside = np.flatnonzero(some >= 0)
        member = csr_matrix((np.ones(len(inside)), (some[inside], inside)), shape=(groups, len(some)))
        sums += member @ unit(vectors[start : start + BLOCK] - middle)
    sizes = np.bincount(labels[labels >= 0], minlength=groups)
    return (sums / np.maximum(sizes, 1)[:, None]).astype(np.float32)


def _joined(fits: Sequence[Fit]) -> Fit:
    return Fit(
        near=np.concatenate([f.near for f in fits]),
        best=np.concatenate([f.best for f in fits]),
        own=np.concatenate([f.own for f in fits]),
    )


def _small(
    alike: Similarity,
    side: NDArray[np.float32],
    heavy: NDArray[np.bool_],
    recipe: Recipe,
    clusterer: Clusterer | None,
    watch: Watch,
) -> tuple[NDArray[np.int64], Fit]:
    n = len(alike)
    apart = recipe.opposed * (np.outer(side, side) < 0)
    by_average = (
        clusterer is None and recipe.tree != "hdbscan" and (recipe.tree == "average" or n >= recipe.few)
    )
    borrowed = over_neighbours(alike, min(recipe.neighbours, n)) if by_average else alike
    alike = alike - apart
    watch("tree")
    if n < 3:
        labels = np.full(n, -1, dtype=np.int64)
    elif by_average:
        labels = AveragedLinkage(cut=recipe.cut).fit_predict(_distances(borrowed - apart))
    else:
        labels = np.asarray((clusterer or hdbscan_leaves(n, recipe)).fit_predict(_distances(alike)), np.int64)
        labels = _give_back(labels, _fit(_mean_similarity(alike, labels), labels), recipe.give_back)
        labels = _without_loose(labels, alike, recipe.loose)
    labels = _renumber(_heavy_alone(_without_strangers(labels, alike), heavy))
    fit = _fit(_mean_similarity(alike, labels), labels)
    # small groups take in what nobody else says; its nearest texts tell (docs/adr/0013)
    return labels, replace(fit, best=_to_nearest(alike)) if by_average and n > 1 else fit


def _to_nearest(alike: Similarity) -> NDArray[np.float32]:
    """(n,) mean similarity of each text to those most like it, itself left out."""
    others = alike.copy()
    np.fill_diagonal(others, -np.inf)
    k = min(COMPANY, len(alike) - 1)
    return np.asarray(np.partition(others, -k, axis=1)[:, -k:].mean(axis=1), dtype=np.float32)


def _distances(alike: Similarity) -> NDArray[np.float64]:
    far = np.maximum(1.0 - alike.astype(np.float64), 0.0)
    np.fill_diagonal(far, 0.0)
    return far


def _large(
    vectors: NDArray[np.float32], heavy: NDArray[np.bool_], recipe: Recipe, watch: Watch
) -> tuple[NDArray[np.int64], Fit]:
    """Neighbour averaging, then HDBSCAN's tree over the graph of neighbours: O(n log n) time, O(n) memory beyond the vectors."""
    watch("principal axes")
    rows = principal(vectors, 50)
    for _ in range(3):
        watch("neighbour averaging")
        rows = averaged(rows, k=10)
    labels = leaves_of_graph(rows, watch, k=15, smallest=max(5, int(np.sqrt(len(rows)) / 3)))
    watch("give back")
    labels = _give_back(labels, _fit_to_centroids(rows, labels), recipe.large_give_back)
    watch("isolated voices")
    # averaging draws every text to others: whether it says what they say, its own vector tells
    best = fit_to_means(vectors, labels).best
    lonely = (best < recipe.lonely * max(float(np.median(best)), 0.0)) & ~heavy
    labels = _renumber(_heavy_alone(np.where(lonely, -1, labels), heavy))
    return labels, fit_to_means(vectors, labels)


def _heavy_alone(labels: NDArray[np.int64], heavy: NDArray[np.bool_]) -> NDArray[np.int64]:
    """A text that several respondents wrote is a group of its own where the clusterer left it out."""
    labels = labels.copy()
    alone = np.flatnonzero((labels == -1) & heavy)
    labels[alone] = labels.max(initial=-1) + 1 + np.arange(len(alone))
    return labels


def _mean_similarity(alike: Similarity, labels: NDArray[np.int64]) -> Similarity:
    """(n, g) mean similarity of each text to the members of each group, itself left out."""
    groups = int(labels.max(initial=-1)) + 1
    member = np.zeros((len(labels), groups), dtype=np.float32)
    inside = labels >= 0
    member[inside, labels[inside]] = 1.0
    totals = alike @ member - member
    counts = member.sum(axis=0)[None, :] - member
    means: Similarity = np.divide(totals, counts, out=np.ones_like(totals), where=counts > 0)
    return means


def _centroids(rows: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    sums = np.zeros((int(labels.max(initial=-1)) + 1, rows.shape[1]), dtype=np.float32)
    inside = labels >= 0
    np.add.at(sums, labels[inside], rows[inside])
    return unit(sums)


def _give_back(labels: NDArray[np.int64], fit: Fit, least: float) -> NDArray[np.int64]:
    joins = (labels == -1) & (fit.near[:, 0] >= 0) & (fit.best >= least)
    return np.where(joins, fit.near[:, 0], labels)


def _without_loose(labels: NDArray[np.int64], alike: Similarity, share: float) -> NDArray[np.int64]:
    """Leftovers that a small question's clusterer swept together are set free."""
    groups = int(labels.max(initial=-1)) + 1
    to_groups = _mean_similarity(alike, labels)
    cohesion = np.asarray([to_groups[labels == k, k].mean() for k in range(groups)])
    if groups < 3:
        return labels
    loose = np.flatnonzero(cohesion < share * np.median(cohesion))
    return np.where(np.isin(labels, loose), -1, labels)


def _without_strangers(labels: NDArray[np.int64], alike: Similarity) -> NDArray[np.int64]:
    """A member no more like its group than any two texts of the question (similarity is centred: 0) is set free."""
    to_groups = _mean_similarity(alike, labels)
    members = np.flatnonzero(labels >= 0)
    strangers = members[to_groups[members, labels[members]] < 0]
    freed = labels.copy()
    freed[strangers] = -1
    return freed


def _renumber(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups numbered by size, largest first, then by their first text."""
    used, first, sizes = np.unique(labels[labels >= 0], return_index=True, return_counts=True)
    order = used[np.lexsort((first, -sizes))]
    new = {int(old): number for number, old in enumerate(order)}
    return np.asarray([new.get(int(label), -1) for label in labels], dtype=np.int64)


def _regroup(vectors: NDArray[np.float32], labels: NDArray[np.int64], recipe: Recipe) -> NDArray[np.int64]:
    """Level 2: average linkage over the groups' centroids, about the square root of their number, within the bounds."""
    groups = int(labels.max(initial=-1)) + 1
    if groups <= recipe.regroup_few:
        return np.arange(groups, dtype=np.int64)
    centres = _centroids(vectors - vectors.mean(axis=0), labels)
    far = np.maximum(1.0 - (centres @ centres.T).astype(np.float64), 0.0)
    np.fill_diagonal(far, 0.0)
    tree = linkage(squareform(far, checks=False), "average")
    wanted = int(np.clip(round(1.3 * np.sqrt(groups)), recipe.regroup_few, recipe.regroup_many))
    return _renumber(np.asarray(fcluster(tree, wanted, "maxclust"), dtype=np.int64) - 1)
