"""New answers join an existing grouping; the old ones don't move."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import unit
from embeddings.grouping import Grouping, Recipe, fit_to_means, group_means
from embeddings.similarity import Asked, without, word_similarity


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """For m new texts."""

    labels: NDArray[np.int64]
    """(m,) existing group of each new text, -1 = it resembles none."""
    near: NDArray[np.int64]
    """(m, 2) the two nearest existing groups; -1 where there are fewer."""
    isolation: NDArray[np.float32]
    """(m,) 0 = in the middle of others, 1 = far from every group."""


def join(
    new_texts: Sequence[str],
    new_vectors: NDArray[np.float32],
    *,
    texts: Sequence[str],
    vectors: NDArray[np.float32],
    grouping: Grouping,
    asked: Asked | None = None,
    recipe: Recipe = Recipe(),
) -> Joined:
    """Each new text to the group whose members it resembles most, where the grouping would not have isolated it.

    new_vectors (m, d) and vectors (n, d): unit rows of the same encoder. texts, vectors, asked and grouping: as they
    went into and came out of `group`. A new text with the words of an old one goes where the old one is. Every new text is placed
    by itself: the others of its batch and their order make no difference.
    """
    to_groups = _to_groups(new_texts, new_vectors, texts, vectors, grouping, asked, recipe)
    near = np.full((len(new_texts), 2), -1, dtype=np.int64)
    best = np.zeros(len(new_texts), dtype=np.float32)
    if to_groups.size:
        found = np.argsort(-to_groups, axis=1, kind="stable")[:, :2]
        near[:, : found.shape[1]] = found
        best = to_groups.max(axis=1)
    least = recipe.give_back
    if len(set(texts)) > recipe.large:
        least = recipe.lonely * float(np.median(fit_to_means(vectors, grouping.labels).best))
    labels = np.where((near[:, 0] >= 0) & (best >= least), near[:, 0], -1)
    known = {text: int(label) for text, label in zip(texts, grouping.labels, strict=True)}
    for i, text in enumerate(new_texts):
        labels[i] = known.get(text, int(labels[i]))
    return Joined(labels=labels, near=near, isolation=np.clip(1 - 2 * best, 0, 1))


def _to_groups(
    new_texts: Sequence[str],
    new_vectors: NDArray[np.float32],
    texts: Sequence[str],
    vectors: NDArray[np.float32],
    grouping: Grouping,
    asked: Asked | None,
    recipe: Recipe,
) -> NDArray[np.float32]:
    """(m, g) similarity of each new text to each group, in the space of the old ones."""
    if not (len(new_texts) and len(grouping.parents)):
        return np.zeros((len(new_texts), len(grouping.parents)), dtype=np.float32)
    distinct = len(set(texts))
    if distinct > recipe.large:
        middle = vectors.mean(axis=0)
        return np.asarray(unit(new_vectors - middle) @ group_means(vectors, grouping.labels, middle).T)
    members = np.zeros((len(texts), len(grouping.parents)), dtype=np.float32)
    inside = grouping.labels >= 0
    members[inside, grouping.labels[inside]] = 1.0
    if asked is None or distinct < recipe.few:
        asked = Asked(text="", vector=np.zeros(vectors.shape[1], dtype=np.float32))
    new, old = (without(rows, asked.vector) for rows in (new_vectors, vectors))
    middle = old.mean(axis=0)
    alike = (1 - recipe.words) * (unit(new - middle) @ unit(old - middle).T)
    if recipe.words > 0:
        alike += recipe.words * word_similarity(new_texts, texts, asked.text)
    return np.asarray(alike @ members / np.maximum(members.sum(axis=0), 1.0), dtype=np.float32)
