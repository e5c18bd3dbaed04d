"""The steps of a large question's grouping: reduced vectors, neighbour averaging, HDBSCAN's tree over a graph of neighbours."""

from collections.abc import Callable

import numpy as np
from hdbscan._hdbscan_linkage import label as single_linkage
from hdbscan._hdbscan_tree import compute_stability, condense_tree, get_clusters
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from embeddings.encoder import unit
from embeddings.neighbours import nearest

Watch = Callable[[str], None]
"""Called with the name of each step as it begins; an exception raised in it stops the grouping."""


def principal(vectors: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """(n, width) unit rows along the principal axes of the centred vectors."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    return unit((centred @ axes[:, ::-1][:, :width]).astype(np.float32))


def averaged(rows: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """(n, d) each unit row replaced by the mean of its k nearest ones, itself included."""
    _, numbers = nearest(rows, k)
    return unit(sum((rows[numbers[:, j]] for j in range(numbers.shape[1])), np.zeros_like(rows)))


def leaves_of_graph(
    rows: NDArray[np.float32], watch: Watch, *, k: int, smallest: int, min_samples: int = 5
) -> NDArray[np.int64]:
    """HDBSCAN over a k-nearest-neighbour graph: mutual reachability, spanning tree, condensed tree, leaves."""
    n = len(rows)
    watch("neighbours")
    similarities, numbers = nearest(rows, k)
    watch("spanning tree")
    far = np.maximum(1.0 - similarities.astype(np.float64), 1e-6)
    core = far[:, min(min_samples, far.shape[1] - 1)]
    source = np.repeat(np.arange(n), numbers.shape[1])
    target = numbers.ravel()
    known = (target >= 0) & (target != source)
    source, target = source[known], target[known]
    reach = np.maximum(far.ravel()[known], np.maximum(core[source], core[target]))
    graph = coo_matrix((reach, (source, target)), shape=(n, n)).tocsr()
    graph = graph.maximum(graph.T)
    tree = minimum_spanning_tree(graph).tocoo()
    parts, part = connected_components(tree, directed=False)
    bridge = float(reach.max()) + 1.0
    _, heads = np.unique(part, return_index=True)
    edges = np.column_stack(
        [
            np.concatenate([tree.row, heads[:-1]]).astype(np.float64),
            np.concatenate([tree.col, heads[1:]]).astype(np.float64),
            np.concatenate([tree.data, np.full(parts - 1, bridge)]),
        ]
    )
    edges = edges[np.lexsort((edges[:, 1], edges[:, 0], edges[:, 2]))]
    watch("condensed tree")
    condensed = condense_tree(single_linkage(edges), smallest)
    labels, _, _ = get_clusters(condensed, compute_stability(condensed), "leaf", False)
    return np.asarray(labels, dtype=np.int64)
