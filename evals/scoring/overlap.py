"""Agreement of groupings where one answer may be in several groups."""

from collections.abc import Collection, Sequence


def b_cubed_extended(gold: Sequence[Collection[str]], ours: Sequence[Collection[str]]) -> float:
    """Extended B³ F1 (Amigó et al. 2009): for each pair of items that share a group, how many of the shared ones are justified.

    gold[i] and ours[i]: groups of item i, a voice of its own being a group of one. nan for no item. O(n²).
    """
    g, o = [set(x) for x in gold], [set(x) for x in ours]
    if not g:
        return float("nan")
    precision, recall = _half(o, g), _half(g, o)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _half(side: Sequence[set[str]], other: Sequence[set[str]]) -> float:
    """Mean over items of the mean, over items that share a group with it, of min(shared here, shared there) / shared here."""
    means = []
    for mine, theirs in zip(side, other, strict=True):
        shares = [
            min(len(mine & m), len(theirs & t)) / len(mine & m)
            for m, t in zip(side, other, strict=True)
            if mine & m
        ]
        if shares:
            means.append(sum(shares) / len(shares))
    return sum(means) / len(means) if means else 0.0
