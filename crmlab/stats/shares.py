"""Shares with their uncertainty, from counts."""

import numpy as np
from statsmodels.stats.proportion import proportion_confint


def wilson_interval(count, n):
    """Lower and upper ends of the 95 % interval of shares `count` / `n`: arrays, NaN where `n` is 0. [Wilson 1927]

    That of none begins at 0 and that of all ends at 1, without what rounding would leave.
    """
    count, n = np.asarray(count, dtype=float), np.asarray(n, dtype=float)
    low, high = proportion_confint(count, np.where(n > 0, n, np.nan), method="wilson")
    return np.where((count == 0) & (n > 0), 0.0, low), np.where((count == n) & (n > 0), 1.0, high)
