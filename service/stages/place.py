"""Places on the map of a question: two coordinates for each verbatim, along the axes that part the groups most."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from service.domain.draft import Group, Verbatim

SPREAD = 1e-3
"""Weight of the spread of all verbatims beside that of the groups' centres: decides where there are fewer than three groups."""

DIGITS = 3


def places(
    verbatims: Sequence[Verbatim], rows: NDArray[np.float32], groups: Sequence[Group]
) -> Mapping[str, tuple[float, float]]:
    """Verbatim id → (x, y), each from -1 to 1, in the order of the verbatims.

    rows: one vector per verbatim. The axes are the two principal directions of the centres of the level-2 groups, each centre
    weighing as many verbatims as it has: a linear view, nothing is pulled together that is apart on these axes.
    """
    if not verbatims:
        return {}
    centred = rows - rows.mean(axis=0)
    number = {v.id: i for i, v in enumerate(verbatims)}
    between = np.zeros((rows.shape[1], rows.shape[1]))
    for group in groups:
        if group.level == 2:
            centre = centred[[number[v] for v in group.verbatim_ids]].mean(axis=0, dtype=np.float64)
            between += len(group.verbatim_ids) * np.outer(centre, centre)
    _, directions = np.linalg.eigh(between + SPREAD * centred.T @ centred)
    axes = directions[:, ::-1][:, :2]
    strongest = np.abs(axes).argmax(axis=0)
    flat = centred @ (axes * np.sign(axes[strongest, [0, 1]]))  # an eigenvector has no sign of its own
    flat /= max(float(np.abs(flat).max()), 1e-9)
    shown = np.round(flat, DIGITS) + 0.0  # -0.0 and 0.0 are one place
    return {v.id: (x, y) for v, (x, y) in zip(verbatims, shown.tolist(), strict=True)}
