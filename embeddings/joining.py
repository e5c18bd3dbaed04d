"""New answers join an existing grouping; the old ones don't move."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import unit
from embeddings.grouping import Grouping, Recipe, fit_to_means, group_means
from embeddings.similarity import letter_grams


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
    recipe: Recipe = Recipe(),
) -> Joined:
    """Each new text to the group whose members it resembles most, where the grouping would not have isolated it.

    new_vectors (m, d) and vectors (n, d): unit rows of the same encoder. texts, vectors and grouping: as they went into and came
    out of `group`. A new text with the words of an old one goes where the old one is. Every new text is placed by itself: the
    others of its batch and their order make no difference.
    """
    to_groups = _to_groups(new_texts, new_vectors, texts, vectors, grouping, recipe)
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
    recipe: Recipe,
) -> NDArray[np.float32]:
    """(m, g) similarity of each new text to each group, in the space of the old ones."""
    if not (len(new_texts) and len(grouping.parents)):
        return np.zeros((len(new_texts), len(grouping.parents)), dtype=np.float32)
    if len(set(texts)) > recipe.large:
        middle = vectors.mean(axis=0)
        return np.asarray(unit(new_vectors - middle) @ group_means(vectors, grouping.labels, middle).T)
    members = np.zeros((len(texts), len(grouping.parents)), dtype=np.float32)
    inside = grouping.labels >= 0
    members[inside, grouping.labels[inside]] = 1.0
    alike = _across(new_texts, new_vectors, texts, vectors, recipe.words)
    return np.asarray(alike @ members / np.maximum(members.sum(axis=0), 1.0), dtype=np.float32)


def _across(
    new_texts: Sequence[str],
    new_vectors: NDArray[np.float32],
    texts: Sequence[str],
    vectors: NDArray[np.float32],
    words: float,
) -> NDArray[np.float32]:
    """(m, n) the similarity of `embeddings.grouping.similarity`, centred on the old texts alone."""
    mean = vectors.mean(axis=0)
    alike = unit(new_vectors - mean) @ unit(vectors - mean).T
    if words == 0:
        return alike
    grams = letter_grams()
    try:
        old = grams.fit_transform(texts)
    except ValueError:  # no old text holds a letter
        return (1 - words) * alike
    new = grams.transform(new_texts)
    middle = np.asarray(old.mean(axis=0)).ravel()
    here, there = old @ middle, new @ middle
    apart = (new @ old.T).toarray() - there[:, None] - here[None, :] + middle @ middle
    far_here = np.asarray(old.multiply(old).sum(axis=1)).ravel() - 2 * here + middle @ middle
    far_there = np.asarray(new.multiply(new).sum(axis=1)).ravel() - 2 * there + middle @ middle
    lexical = apart / np.sqrt(np.maximum(np.outer(far_there, far_here), 1e-9))
    return np.asarray((1 - words) * alike + words * lexical, dtype=np.float32)
