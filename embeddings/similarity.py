"""How alike the texts of a small question are, every pair: by meaning and by words, averaged over nearest neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from embeddings.encoder import unit

Similarity = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the texts answer: that two of them repeat the question does not make them alike."""

    text: str
    vector: NDArray[np.float32]
    """(d,) of the text, by the encoder of the answers."""


def similarity(
    texts: Sequence[str], vectors: NDArray[np.float32], words: float, asked: Asked | None = None
) -> Similarity:
    """(n, n) mean of two centred cosine similarities: of vectors, and of character 3- to 5-grams weighted by TF-IDF; both
    without their part along the question, where it is given."""
    if asked is not None:
        vectors = without(vectors, asked.vector)
    meaning = unit(vectors - vectors.mean(axis=0))
    mixed = meaning @ meaning.T
    if words > 0:
        mixed = (1 - words) * mixed + words * word_similarity(
            texts, texts, "" if asked is None else asked.text
        )
    mixed = (mixed + mixed.T) / 2
    np.fill_diagonal(mixed, 1.0)
    return mixed.astype(np.float32)


def without(rows: NDArray[np.float32], direction: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, d) less their part along a direction (d,); unchanged along zeros."""
    axis = unit(direction[None])[0]
    return np.asarray(rows - np.outer(rows @ axis, axis), dtype=np.float32)


def letter_grams() -> TfidfVectorizer:
    """The lexical view: character 3- to 5-grams within words."""
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, strip_accents="unicode")


def word_similarity(new: Sequence[str], old: Sequence[str], question: str) -> Similarity:
    """(m, n) cosine of letter n-grams, weighted and centred by the old texts alone, without their part along the question."""
    grams = letter_grams()
    try:
        there = grams.fit_transform(old)
    except ValueError:  # no old text holds a letter
        return np.zeros((len(new), len(old)), dtype=np.float32)
    here = there if new is old else grams.transform(new)
    # the mean and the question are taken from products, not from the tables, which they would fill
    mean = np.asarray(there.mean(axis=0)).ravel()
    axis = grams.transform([question]).toarray().ravel()
    mean = mean - axis * (axis @ mean)
    rows = []
    for table in (here, there):
        along, middle = table @ axis, table @ mean
        squares = np.asarray(table.multiply(table).sum(axis=1)).ravel()
        length = np.sqrt(np.maximum(squares - along**2 - 2 * middle + mean @ mean, 1e-9))
        rows.append((along, middle, length))
    (along, middle, length), (old_along, old_middle, old_length) = rows
    products = (here @ there.T).toarray() - np.outer(along, old_along)
    centred = products - middle[:, None] - old_middle[None, :] + mean @ mean
    return np.asarray(centred / length[:, None] / old_length[None, :], dtype=np.float32)


def over_neighbours(alike: Similarity, k: int) -> Similarity:
    """(n, n) cosine between texts that are each replaced by the mean of their k most similar ones, itself included, weighted by
    similarity: what a short text leaves unsaid is borrowed from those that say nearly the same."""
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, :k]
    weights = np.maximum(np.take_along_axis(alike, nearest, axis=1), 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    starts = np.arange(0, nearest.size + 1, nearest.shape[1])
    borrowed = csr_matrix((weights.ravel(), nearest.ravel(), starts), shape=alike.shape)
    mixed = np.asarray(borrowed @ (borrowed @ alike).T)
    norms = np.sqrt(np.maximum(np.diag(mixed), 1e-9))
    mixed /= norms[:, None] * norms[None, :]
    mixed = (mixed + mixed.T) / 2
    np.fill_diagonal(mixed, 1.0)
    return np.asarray(mixed, dtype=np.float32)
