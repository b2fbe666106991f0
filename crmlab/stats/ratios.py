"""Ratios of two probabilities, or of two means, with intervals that hold where counts are small or zero."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

REACH = 60  # ratios are sought between exp(-REACH) and exp(REACH)


def ratio_of_proportions(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, level: float = 0.95
) -> tuple[Any, Any, Any]:
    """p1 / p2 with its interval by inverting the score test: (ratio, low, high), arrays. [Koopman 1984]

    x1, x2 : who did, of n1 and n2; effective numbers need not be whole
    With x2 = 0 the ratio and its upper end are infinite; with x1 = 0 the ratio and its lower end are 0; with both 0
    the ratio is NaN, and lies anywhere.
    """
    x1, n1, x2, n2 = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (x1, n1, x2, n2)))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (x1 / n1) / (x2 / n2)
    limit = stats.chi2.ppf(level, 1)
    inside = np.log(np.clip(np.where(np.isfinite(ratio) & (ratio > 0), ratio, 1.0), 1e-12, 1e12))
    # where one count is 0, the statistic falls all the way to that end, so that any ratio far enough there is inside
    inside = np.where((x1 > 0) & (x2 == 0), REACH, np.where((x1 == 0) & (x2 > 0), -REACH, inside))
    ends = [_crossing(inside, np.full(inside.shape, side * REACH), limit, x1, n1, x2, n2) for side in (-1.0, 1.0)]
    low, high = np.where(x1 == 0, 0.0, np.exp(ends[0])), np.where(x2 == 0, np.inf, np.exp(ends[1]))
    empty = (n1 <= 0) | (n2 <= 0)
    ratio, low, high = (np.where(empty, np.nan, v)[()] for v in (ratio, low, high))
    return ratio, low, high


def _crossing(inside, outside, limit, *counts):
    """Logarithm of the ratio at which the score statistic reaches `limit`, between one inside and one outside."""
    for _ in range(64):
        middle = (inside + outside) / 2
        within = _score(np.exp(middle), *counts) <= limit
        inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
    return inside


def _score(ratio, x1, n1, x2, n2):
    """The score statistic of p1 / p2 = ratio, chi-squared on 1 degree of freedom. [Koopman 1984, (2.2)]"""
    a = (n1 + n2) * ratio
    b = ratio * (n1 + x2) + x1 + n2
    root = np.sqrt(np.maximum(b * b - 4 * a * (x1 + x2), 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        p2 = np.clip(2 * (x1 + x2) / (b + root), 0, 1)  # (b − root) / 2a, without the loss of digits
        p1 = np.clip(ratio * p2, 0, 1)
        sides = [(x - n * p) ** 2 / (n * p * (1 - p)) for x, n, p in ((x1, n1, p1), (x2, n2, p2))]
    return sum(
        np.nan_to_num(side, nan=0.0, posinf=np.inf) for side in sides
    )  # 0 / 0 where all or none did, as expected


def ratio_of_means(
    one: ArrayLike,
    other: ArrayLike,
    weights: ArrayLike | None = None,
    other_weights: ArrayLike | None = None,
    level: float = 0.95,
) -> tuple[float, float, float]:
    """Mean of `one` over mean of `other` with its interval on the log scale: (ratio, low, high), floats.

    By linearisation, with Welch's degrees of freedom. NaN where a mean is not above 0 or fewer than two answered.
    """
    sides = [_moments(*side) for side in ((one, weights), (other, other_weights))]
    if any(n < 2 or not mean > 0 for mean, _, n in sides):
        return np.nan, np.nan, np.nan
    (m1, v1, n1), (m2, v2, n2) = sides
    parts = v1 / m1**2, v2 / m2**2
    ratio, spread = m1 / m2, np.sqrt(sum(parts))
    if spread == 0:
        return ratio, ratio, ratio
    free = sum(parts) ** 2 / (parts[0] ** 2 / (n1 - 1) + parts[1] ** 2 / (n2 - 1))
    reach = stats.t.ppf((1 + level) / 2, free) * spread
    return float(ratio), float(ratio * np.exp(-reach)), float(ratio * np.exp(reach))


def _moments(values, weights):
    """Mean, its variance, and effective number of values; NaN are left out."""
    values = np.asarray(values, dtype=float)
    w = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    kept = ~np.isnan(values) & (w > 0)
    values, w = values[kept], w[kept]
    if len(values) < 2:
        return np.nan, np.nan, float(len(values))
    mean = np.average(values, weights=w)
    variance = len(w) / (len(w) - 1) * (w**2 * (values - mean) ** 2).sum() / w.sum() ** 2
    return float(mean), float(variance), float(w.sum() ** 2 / (w**2).sum())
