"""Ends of intervals, from draws: one rule for all."""

import numpy as np
from numpy.typing import ArrayLike

ENDS = ("ci_low", "ci_high", "pi_low", "pi_high")  # of the confidence interval, and of the prediction interval


def percentile_interval(draws: ArrayLike, level: float = 0.95) -> np.ndarray:
    """Lower and upper ends of the interval of draws, each shaped as one of them.

    The ends are the k-th least and the k-th greatest of n draws, k = (1 - level) / 2 (n + 1) or the whole number below
    it, at least 1, so that one further draw lies outside no more often than 1 - level. Draws that are NaN count for
    nothing; where all are, so are the ends. Draws may be infinite.

    References
    ----------
    Davison & Hinkley (1997), Bootstrap Methods and their Application, section 5.2.

    Examples
    --------
    >>> percentile_interval(range(1, 40))  # k = .025 x 40 = 1
    array([ 1., 39.])
    """
    draws = np.asarray(draws, dtype=float)
    missing = np.isnan(draws).sum(axis=0)
    if not missing.any():
        k = _rank(len(draws), level)
        return np.partition(draws, [k - 1, len(draws) - k], axis=0)[[k - 1, len(draws) - k]]
    lined = np.sort(draws, axis=0)  # NaN come last
    n = len(draws) - missing
    k = _rank(n, level)
    ends = np.stack([k - 1, np.maximum(n - k, 0)])
    found = np.take_along_axis(lined, np.minimum(ends, len(draws) - 1), axis=0)
    return np.where(n > 0, found, np.nan)


def upper_limit(draws: ArrayLike, level: float = 0.95) -> np.ndarray:
    """The value that a further draw exceeds no more often than 1 - level: the k-th greatest of n draws.

    k = (1 - level) (n + 1) or the whole number below it, at least 1, by the rule of `percentile_interval`.

    Examples
    --------
    >>> float(upper_limit(range(1, 40)))  # k = .05 x 40 = 2
    38.0
    """
    return percentile_interval(draws, 2 * level - 1)[1]


def _rank(n, level):
    return np.maximum(np.floor((1 - level) / 2 * (n + 1) + 1e-9).astype(int), 1)
