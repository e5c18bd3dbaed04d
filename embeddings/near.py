"""Near-duplicate texts: shared phrases and letter n-grams find candidates, an exact comparison decides."""

import re
import zlib
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray
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

PHRASE = 4
"""Words of the phrases by which copies of a text find each other before any vector is made."""

SKETCHES = 6
"""Phrases kept per text: two texts with nine phrases in ten in common miss each other once in a million."""

TRIED = 3
"""Texts compared per shared phrase: so a phrase that half of a crowd uses costs no more than a rare one."""

LONG = 40
"""Words from which any word may differ: a copy with a personal touch. In a shorter text a word is an idea."""

_SMALL = """
    le la les l un une des du de d et en au aux à a est ont y ce cet cette ces son sa ses leur leurs
    notre nos votre vos qui que qu il ils elle elles on je j nous se s c ça cela suis été merci pense
    crois trouve the an and of to in is are be it that this i we think thanks
"""
SMALL = frozenset(_SMALL.split())
"""Words that come and go without a change of meaning; negations and numbers are the caller's `keys`."""

Words = Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    first: int
    second: int
    """Positions in the texts, first < second."""
    ratio: float
    """Share of words in common, in order (difflib's ratio over words), 0 to 1."""


def near_duplicates(
    texts: Sequence[str], *, least: float = 0.9, fewest_words: int = 8, keys: Sequence[Hashable] | None = None
) -> tuple[Pair, ...]:
    """Pairs of texts that share at least `least` of their words, in order; both with `fewest_words` or more.

    Words that differ are small ones or are spelt nearly alike; from 40 words on, any. Texts whose keys differ
    are no pair: what the caller won't have overlooked, such as negations and numbers. Of a crowd of copies
    not every pair is returned, but pairs that connect all of it.
    """
    tokens = [re.findall(r"\w+", text.casefold()) for text in texts]
    long = [i for i, words in enumerate(tokens) if len(words) >= fewest_words]
    crowds = _Crowds(tokens, keys, least)
    for a, b in _sharing(long, tokens):
        crowds.compare(a, b)
    heads = [i for i in long if crowds.head(i) == i]
    for a, b in _alike(heads, texts):
        crowds.compare(a, b)
    return tuple(sorted(crowds.pairs, key=lambda p: (p.first, p.second)))


class _Crowds:
    """Texts connected by the pairs found so far; two that are connected already are not compared again."""

    def __init__(self, tokens: Sequence[Words], keys: Sequence[Hashable] | None, least: float) -> None:
        self.tokens, self.keys, self.least = tokens, keys, least
        self.heads = list(range(len(tokens)))
        self.pairs: list[Pair] = []

    def head(self, i: int) -> int:
        while self.heads[i] != i:
            self.heads[i] = self.heads[self.heads[i]]
            i = self.heads[i]
        return i

    def compare(self, a: int, b: int) -> None:
        one, other = sorted((self.head(a), self.head(b)))
        if one == other or (self.keys is not None and self.keys[a] != self.keys[b]):
            return
        ratio = likeness(self.tokens[a], self.tokens[b], self.least)
        if ratio >= self.least:
            self.heads[other] = one
            self.pairs.append(Pair(first=min(a, b), second=max(a, b), ratio=ratio))


def _sharing(numbers: Sequence[int], tokens: Sequence[Words]) -> Iterator[tuple[int, int]]:
    """Candidates that share a phrase of their sketch (min-wise hashing, Broder 1997), few per phrase.

    Without this step 60,000 signed copies of one letter lie in one cell of the index and are all compared.
    """
    salts = np.random.default_rng(0).integers(1, 2**63, size=(2, SKETCHES, 1), dtype=np.uint64) | np.uint64(1)
    seen: dict[tuple[int, int], list[int]] = defaultdict(list)
    for i in numbers:
        for place, sketch in enumerate(_sketch(tokens[i], salts)):
            others = seen[place, sketch]
            yield from ((other, i) for other in others)
            if len(others) < TRIED:
                others.append(i)


def _sketch(words: Words, salts: NDArray[np.uint64]) -> list[int]:
    phrases = [zlib.crc32(" ".join(words[k : k + PHRASE]).encode()) for k in range(len(words) - PHRASE + 1)]
    mixed = np.asarray(phrases or [0], dtype=np.uint64) * salts[0] + salts[1]
    return [int(low) for low in (mixed >> np.uint64(32)).min(axis=1)]


def _alike(numbers: Sequence[int], texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Candidates by nearest letter n-grams, for texts that share no phrase word for word."""
    if len(numbers) < 2:
        return
    hashed = HashingVectorizer(analyzer="char_wb", ngram_range=(4, 4), n_features=2**18, norm="l2").transform(
        texts[i] for i in numbers
    )
    project = SparseRandomProjection(n_components=WIDTH, dense_output=True, random_state=0)
    rows = unit(np.asarray(project.fit_transform(hashed.astype(np.float32)), dtype=np.float32))
    similarities, found = nearest(rows, CANDIDATES)
    for row, column in zip(*np.nonzero(similarities >= LIKELY), strict=True):
        other = int(found[row, column])
        if other > row or (0 <= other < row and row not in found[other]):
            yield numbers[row], numbers[other]


def likeness(one: Words, other: Words, least: float) -> float:
    """Share of words in common, in order; 0 below `least`, or if a differing word may change the meaning."""
    if 2 * min(len(one), len(other)) < least * (len(one) + len(other)):
        return 0.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.quick_ratio() < least:
        return 0.0
    ratio = matcher.ratio()
    if ratio < least or min(len(one), len(other)) >= LONG:
        return ratio if ratio >= least else 0.0
    differs = [(one[a:b], other[c:d]) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]
    return ratio if all(_same_meaning(left, right) for left, right in differs) else 0.0


def _same_meaning(left: Words, right: Words) -> bool:
    """Only small words differ, or the same number of words is spelt nearly alike."""
    left, right = ([w for w in side if w not in SMALL] for side in (left, right))
    return len(left) == len(right) and all(_spelt_alike(a, b) for a, b in zip(left, right, strict=True))


def _spelt_alike(a: str, b: str) -> bool:
    """ "amené" and "amenée", "developement"; not "possible" and "impossible", nor "hausse" and "baisse"."""
    return (
        min(len(a), len(b)) >= 4
        and a[0] == b[0]
        and SequenceMatcher(None, a, b, autojunk=False).ratio() >= 0.8
    )
