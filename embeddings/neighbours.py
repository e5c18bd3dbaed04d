"""Nearest neighbours with FAISS: exact while that is quick, then an inverted file."""

import faiss
import numpy as np
from numpy.typing import NDArray

EXACT_UP_TO = 20_000
"""Rows up to which every pair is compared; beyond, an inverted file finds about nine in ten neighbours in a third of the time."""

PROBES = 16
"""Cells looked into per query, of 4 √n: 98 % of the neighbours of 100,000 answers in copies; a share of the cells instead of a
number would take n² time (1,000,000: 1,400 CPU seconds for a grouping's searches instead of 460)."""

SEED = 0


def nearest(
    rows: NDArray[np.float32], k: int, queries: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The k most similar rows of each query (of each row itself where no queries are given; it finds itself first).

    rows: (n, d) unit vectors. Returns similarities (m, k), largest first, and row numbers (m, k); where fewer than k are
    found the number is -1.
    """
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    queries = rows if queries is None else np.ascontiguousarray(queries, dtype=np.float32)
    k = min(k, len(rows))
    width = rows.shape[1]
    index: faiss.Index = faiss.IndexFlatIP(width)
    if len(rows) > EXACT_UP_TO:
        index = _inverted(rows, index)
    index.add(rows)
    similarities, numbers = index.search(queries, k)
    return similarities, numbers


def _inverted(rows: NDArray[np.float32], coarse: faiss.Index) -> faiss.Index:
    cells = int(4 * np.sqrt(len(rows)))
    index = faiss.IndexIVFFlat(coarse, rows.shape[1], cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = SEED
    index.cp.niter = 10
    sample = np.random.default_rng(SEED).permutation(len(rows))[: 40 * cells]
    index.train(rows[np.sort(sample)])
    index.nprobe = PROBES
    return index


class Searched:
    """Rows that are asked again and again: exact, kept in one index."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        """rows: (n, d) unit vectors."""
        self._index = faiss.IndexFlatIP(rows.shape[1])
        self._index.add(np.ascontiguousarray(rows, dtype=np.float32))

    def nearest(
        self, query: NDArray[np.float32], k: int, among: NDArray[np.int64] | None = None
    ) -> list[tuple[int, float]]:
        """Numbers and similarities of the k rows most similar to one query (d,), the most similar first.

        among: only these row numbers.
        """
        chosen = None
        if among is not None:
            chosen = faiss.SearchParameters(sel=faiss.IDSelectorBatch(among))  # type: ignore[call-arg]  # swig takes it
        wanted = min(k, self._index.ntotal if among is None else len(among))
        if wanted == 0:
            return []
        similar, numbers = self._index.search(query[np.newaxis].astype(np.float32), wanted, params=chosen)
        return [(n, s) for n, s in zip(numbers[0].tolist(), similar[0].tolist(), strict=True) if n >= 0]
