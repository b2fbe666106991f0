"""The bootstrap over respondents, as sums: what most statistics are made of."""

import numpy as np
from threadpoolctl import threadpool_limits

CELLS = 4_000_000  # counts drawn at a time: enough to be quick, few enough for a small machine


def totals(columns, replicates, seed, weights=None):
    """Weighted sums of each column over respondents drawn anew: an array, replicates x columns.

    columns : numbers, a row a respondent; nothing empty
    weights : of the respondents, who are drawn with equal chances and bring theirs along; None weighs all alike
    """
    columns = np.asarray(columns, dtype=float)
    if weights is not None:
        columns = columns * np.asarray(weights, dtype=float)[:, None]
    rng, n = np.random.default_rng(seed), len(columns)
    step = max(CELLS // max(n, 1), 1)
    drawn = np.empty((replicates, columns.shape[1]))
    with threadpool_limits(1, "blas"):
        for begun in range(0, replicates, step):
            size = min(step, replicates - begun)
            counts = np.empty((size, n))
            for row in counts:
                row[:] = np.bincount(rng.integers(0, n, n, dtype=np.int32), minlength=n)
            drawn[begun : begun + size] = counts @ columns
    return drawn


def covariances(columns, replicates, seed, weights=None):
    """Covariances of the columns among respondents drawn anew: an array, replicates x columns x columns.

    Divided by the sum of weights, which every statistic of ratios may ignore.
    """
    columns = np.asarray(columns, dtype=float)
    weights = np.ones(len(columns)) if weights is None else np.asarray(weights, dtype=float)
    centred = columns - np.average(columns, axis=0, weights=weights)  # so that squares keep their digits
    p = columns.shape[1]
    first, second = np.triu_indices(p)
    parts = np.hstack([np.ones((len(columns), 1)), centred, centred[:, first] * centred[:, second]])
    drawn = totals(parts, replicates, seed, weights)
    means, squares = drawn[:, 1 : p + 1] / drawn[:, :1], drawn[:, p + 1 :] / drawn[:, :1]
    found = np.empty((replicates, p, p))
    found[:, first, second] = squares - means[:, first] * means[:, second]
    found[:, second, first] = found[:, first, second]
    return found
