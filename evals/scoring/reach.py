"""Who is left out: answers far from every sentence of a text, in all and in the worst-served group; and a coding frame's recall."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from evals.scoring.matching import likeness
from evals.scoring.texts import pieces
from evals.statistics import Part
from service.domain.wordform import STEM, stems, words
from service.stages.check import Encode

FAR = 0.20
"""Likeness below which an answer's nearest piece of a text is far; about the mean likeness of two labels of different groups."""

LEAST_GROUP = 3
"""Answers from which a group can be the worst served."""

TOPIC = 0.45
"""Half cosine, half share of the category's words that a label has: from here a label is of that category."""


def reach(
    answers: Sequence[str], groups: Sequence[str], text: Sequence[str], encode: Encode
) -> dict[str, Part]:
    """answers: what people said (ideas rather than whole answers); groups: of each, "" = none, not counted as a group.

    The same text with more sentences reaches more: read it beside the length and the floor of the same length.
    """
    if not answers or not text:
        raise ValueError("no answer or no text to measure")
    nearest = likeness(answers, [p for t in text for p in pieces(t)], encode).max(axis=1)
    far = nearest < FAR
    by_group: dict[str, list[bool]] = defaultdict(list)
    for group, is_far in zip(groups, far, strict=True):
        if group:
            by_group[group].append(bool(is_far))
    worst = max((float(np.mean(v)) for v in by_group.values() if len(v) >= LEAST_GROUP), default=None)
    figures: dict[str, Part] = {
        "far": (int(far.sum()), len(answers)),
        "reach": (float(nearest.sum()), len(answers)),
    }
    if worst is not None:
        figures["far_worst_group"] = (worst, 1)
    return figures


def frame(
    categories: Mapping[str, float], labels: Sequence[str], sizes: Sequence[int], encode: Encode
) -> dict[str, Part]:
    """A published coding frame (category → share) beside our groups: recall, and whether sizes stand in the same order.

    Each label belongs to its nearest category at or above TOPIC. Rank agreement is Spearman's rho between the official
    shares and the summed sizes of our groups, absent categories counted 0.
    """
    if not categories or not labels:
        raise ValueError("no category or no label to measure")
    names = list(categories)
    near = _topic_likeness(names, labels, encode)
    found: dict[int, int] = defaultdict(int)
    for j, size in enumerate(sizes):
        best = int(near[:, j].argmax())
        if near[best, j] >= TOPIC:
            found[best] += size
    ours = [found[i] for i in range(len(names))]
    figures: dict[str, Part] = {"recall": (float((near.max(axis=1) >= TOPIC).sum()), len(names))}
    if len(set(ours)) > 1 and len(names) > 2:
        figures["rank"] = (float(spearmanr(list(categories.values()), ours).statistic), 1)
    return figures


def _topic_likeness(names: Sequence[str], labels: Sequence[str], encode: Encode) -> NDArray[np.float64]:
    cosine = np.clip(encode(list(names)) @ encode(list(labels)).T, 0, 1).astype(np.float64)
    ours = [{w[:STEM] for w in words(t)} for t in labels]
    shared = np.zeros_like(cosine)
    for i, name in enumerate(names):
        named = set(stems(name))
        shared[i] = [len(named & o) / max(1, len(named)) for o in ours]
    both: NDArray[np.float64] = (cosine + shared) / 2
    return both
