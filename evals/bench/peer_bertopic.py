"""BERTopic's own grouping of given vectors, in its own environment: this file imports nothing of ours.

`PYTHON peer_bertopic.py time VECTORS.npy` prints the cost of one fit as JSON;
`PYTHON peer_bertopic.py labels UNITS.npz OUT.json` writes the labels of every array, seeded.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from bertopic import BERTopic  # type: ignore[import-not-found]
from joblib.externals.loky import get_reusable_executor  # type: ignore[import-untyped]


def fit(vectors: Any, seed: int | None = None) -> Any:
    """UMAP and HDBSCAN as BERTopic sets them up by default; a seed makes UMAP run on one thread."""
    topics = BERTopic()
    topics.umap_model.random_state = seed
    topics.umap_model.n_neighbors = min(topics.umap_model.n_neighbors, len(vectors) - 1)
    reduced = topics.umap_model.fit_transform(vectors)
    return topics.hdbscan_model.fit(reduced).labels_


def cpu() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def timed(path: str) -> dict[str, Any]:
    vectors = np.load(path)
    before = cpu()
    fit(np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32))
    get_reusable_executor().shutdown(wait=True)
    compiled = cpu() - before
    before, started = cpu(), time.perf_counter()
    labels = fit(vectors)
    wall = time.perf_counter() - started
    get_reusable_executor().shutdown(wait=True)
    return {
        "cpu": cpu() - before,
        "wall": wall,
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "groups": int(labels.max()) + 1,
        "left_out": float((labels == -1).mean()),
        "steps": {"compilation before the clock starts": compiled},
    }


if __name__ == "__main__":
    if sys.argv[1] == "time":
        print(json.dumps(timed(sys.argv[2])))
    else:
        units = np.load(sys.argv[2])
        found = {name: [int(k) for k in fit(units[name], seed=0)] for name in units.files}
        Path(sys.argv[3]).write_text(json.dumps(found))
