"""Shares with their uncertainty, from counts."""

import numpy as np
from numpy.typing import ArrayLike
from statsmodels.stats.proportion import proportion_confint


def wilson_interval(count: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends of the interval of shares `count` / `n`: arrays, NaN where `n` is 0. [Wilson 1927]

    That of none begins at 0 and that of all ends at 1, without what rounding would leave.
    """
    count, n = np.asarray(count, dtype=float), np.asarray(n, dtype=float)
    low, high = proportion_confint(count, np.where(n > 0, n, np.nan), alpha=1 - level, method="wilson")
    return np.where((count == 0) & (n > 0), 0.0, low), np.where((count == n) & (n > 0), 1.0, high)
