"""Near-duplicate texts: hashed letter n-grams find the candidates, an exact comparison decides. No model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.random_projection import SparseRandomProjection

from embeddings.encoder import unit
from embeddings.neighbours import nearest

WIDTH = 192
"""Dimensions of the projected n-gram vectors."""

CANDIDATES = 12
"""Neighbours looked at per text."""

LIKELY = 0.75
"""Cosine of n-gram vectors from which a pair is compared exactly."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    first: int
    second: int
    """Positions in the texts, first < second."""
    ratio: float
    """Share of words in common, in order (difflib's ratio over words), 0 to 1."""


def near_duplicates(texts: Sequence[str], *, least: float = 0.9, fewest_words: int = 8) -> tuple[Pair, ...]:
    """Pairs of distinct texts that share at least `least` of their words, in order; both with `fewest_words` or more.

    Each text is compared with its 12 nearest, so of a crowd of copies not every pair is found, but every copy is.
    """
    tokens = [re.findall(r"\w+", text.casefold()) for text in texts]
    long = [i for i, words in enumerate(tokens) if len(words) >= fewest_words]
    if len(long) < 2:
        return ()
    hashed = HashingVectorizer(analyzer="char_wb", ngram_range=(4, 4), n_features=2**18, norm="l2").transform(
        texts[i] for i in long
    )
    project = SparseRandomProjection(n_components=WIDTH, dense_output=True, random_state=0)
    rows = unit(np.asarray(project.fit_transform(hashed), dtype=np.float32))
    similarities, numbers = nearest(rows, CANDIDATES)
    found = {}
    for row, column in zip(*np.nonzero(similarities >= LIKELY), strict=True):
        a, b = sorted((long[row], long[max(0, int(numbers[row, column]))]))
        if a == b or (a, b) in found:
            continue
        matcher = SequenceMatcher(None, tokens[a], tokens[b], autojunk=False)
        if matcher.real_quick_ratio() >= least and matcher.quick_ratio() >= least:
            found[a, b] = matcher.ratio()
    return tuple(
        Pair(first=a, second=b, ratio=ratio) for (a, b), ratio in sorted(found.items()) if ratio >= least
    )
