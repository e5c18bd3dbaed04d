"""Intervals, paired comparisons, correction for many tests, agreement of raters. Seeds are fixed: same values, same figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import krippendorff
import numpy as np
from scipy.stats import permutation_test

ROUNDS = 2000
PERMUTATIONS = 9999
SEED = 20200430

Part = tuple[float, float]
"""Numerator and denominator that a case adds to a figure: (value, 1) for a mean over cases, counts for a share."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    value: float
    low: float
    high: float
    """Bounds of the bootstrap 95 % interval over cases; equal to the value where there is one case."""
    n: int
    """Cases."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    value: float
    """New minus old."""
    low: float
    high: float
    p: float
    """Two-sided, of a paired permutation test over cases; 1 where every case is the same."""
    n: int


def ratio(parts: Sequence[Part]) -> float:
    """Sum of numerators over sum of denominators; nan where nothing was measured."""
    over = sum(d for _, d in parts)
    return sum(n for n, _ in parts) / over if over else float("nan")


def estimate(parts: Sequence[Part]) -> Estimate:
    """A figure with its bootstrap 95 % percentile interval (Efron 1979): cases are drawn with replacement."""
    values = np.asarray(parts, dtype=float)
    drawn = np.random.default_rng(SEED).integers(0, len(values), size=(ROUNDS, len(values)))
    low, high = _spread(values[drawn].sum(axis=1))
    return Estimate(value=ratio(parts), low=low, high=high, n=len(parts))


def _spread(sums: np.ndarray) -> tuple[float, float]:
    kept = sums[sums[:, 1] > 0]
    if not len(kept):
        return float("nan"), float("nan")
    low, high = np.quantile(kept[:, 0] / kept[:, 1], (0.025, 0.975))
    return float(low), float(high)


def difference(old: Mapping[str, Part], new: Mapping[str, Part]) -> Difference:
    """Over the cases that both have, by id. Raises ValueError where there is none."""
    ids = sorted(old.keys() & new.keys())
    if not ids:
        raise ValueError("the runs have no case in common")
    a, b = (np.asarray([side[i] for i in ids], dtype=float) for side in (old, new))
    drawn = np.random.default_rng(SEED).integers(0, len(ids), size=(ROUNDS, len(ids)))
    sums_a, sums_b = a[drawn].sum(axis=1), b[drawn].sum(axis=1)
    fine = (sums_a[:, 1] > 0) & (sums_b[:, 1] > 0)
    spread = sums_b[fine, 0] / sums_b[fine, 1] - sums_a[fine, 0] / sums_a[fine, 1]
    low, high = np.quantile(spread, (0.025, 0.975)) if len(spread) else (float("nan"),) * 2
    return Difference(
        value=ratio(list(map(tuple, b))) - ratio(list(map(tuple, a))),
        low=float(low),
        high=float(high),
        p=_paired_p(a, b),
        n=len(ids),
    )


def _paired_p(a: np.ndarray, b: np.ndarray) -> float:
    """Sign-flipping permutation test of the cases' differences (Fisher 1935), exact up to 13 cases."""
    known = (a[:, 1] > 0) & (b[:, 1] > 0)
    less = b[known, 0] / b[known, 1] - a[known, 0] / a[known, 1]
    if len(less) < 2 or not less.any():
        return 1.0
    test = permutation_test(
        (less,),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        n_resamples=PERMUTATIONS,
        rng=np.random.default_rng(SEED),
    )
    return float(test.pvalue)


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down adjustment (Holm 1979) of the tests of one suite."""
    adjusted: dict[str, float] = {}
    worst = 0.0
    for rank, name in enumerate(sorted(p, key=lambda n: (p[n], n))):
        worst = max(worst, min(1.0, (len(p) - rank) * p[name]))
        adjusted[name] = worst
    return adjusted


def alpha(ratings: Sequence[Sequence[int | None]]) -> float | None:
    """Krippendorff's alpha (2011) of nominal ratings; rows are raters, None is no rating. None where it is not defined."""
    table = [[np.nan if r is None else float(r) for r in row] for row in ratings]
    told = {r for row in ratings for r in row if r is not None}
    pairs = sum(sum(r is not None for r in column) > 1 for column in zip(*ratings, strict=True))
    if not pairs:
        return None
    if len(told) < 2:
        return 1.0
    return float(krippendorff.alpha(reliability_data=table, level_of_measurement="nominal"))
