"""How alike the texts of a small question are, every pair: by meaning and by words, averaged over nearest neighbours."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from embeddings.encoder import unit

Similarity = NDArray[np.float32]


def similarity(texts: Sequence[str], vectors: NDArray[np.float32], words: float) -> Similarity:
    """(n, n) mean of two centred cosine similarities: of vectors, and of character 3- to 5-grams weighted by TF-IDF."""
    meaning = unit(vectors - vectors.mean(axis=0))
    mixed = meaning @ meaning.T
    if words > 0:
        mixed = (1 - words) * mixed + words * _word_similarity(texts)
    mixed = (mixed + mixed.T) / 2
    np.fill_diagonal(mixed, 1.0)
    return mixed.astype(np.float32)


def letter_grams() -> TfidfVectorizer:
    """The lexical view: character 3- to 5-grams within words."""
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, strip_accents="unicode")


def _word_similarity(texts: Sequence[str]) -> Similarity:
    try:
        table = letter_grams().fit_transform(texts)
    except ValueError:  # no text holds a letter
        return np.zeros((len(texts), len(texts)), dtype=np.float32)
    mean = np.asarray(table.mean(axis=0)).ravel()
    to_mean = table @ mean
    centred = (table @ table.T).toarray() - to_mean[:, None] - to_mean[None, :] + mean @ mean
    norms = np.sqrt(np.maximum(np.diag(centred), 1e-9))
    return np.asarray(centred / norms[:, None] / norms[None, :], dtype=np.float32)


def over_neighbours(alike: Similarity, k: int) -> Similarity:
    """(n, n) cosine between texts that are each replaced by the mean of their k most similar ones, itself included, weighted by
    similarity: what a short text leaves unsaid is borrowed from those that say nearly the same."""
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, :k]
    weights = np.maximum(np.take_along_axis(alike, nearest, axis=1), 0.0)
    borrowed = np.zeros_like(alike)
    np.put_along_axis(borrowed, nearest, weights / weights.sum(axis=1, keepdims=True), axis=1)
    mixed = borrowed @ alike @ borrowed.T
    norms = np.sqrt(np.maximum(np.diag(mixed), 1e-9))
    mixed /= norms[:, None] * norms[None, :]
    mixed = (mixed + mixed.T) / 2
    np.fill_diagonal(mixed, 1.0)
    return mixed.astype(np.float32)
