"""Sums and covariances under resampling of respondents: what most statistics are made of."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from crmlab.stats.threads import one_thread

CELLS = 2_000_000  # counts held at a time: 16 MB


def bootstrap_counts(rows: int, replicates: int = 2000, seed: Any = 1) -> Iterator[np.ndarray]:
    """How often each of `rows` is drawn, replicate by replicate: yields arrays of floats, some replicates x rows.

    The draws depend on `rows`, `replicates` and `seed` alone, so that two statistics can share them.
    """
    rng = np.random.default_rng(seed)
    step = max(CELLS // max(rows, 1), 1)
    for begun in range(0, replicates, step):
        size = min(step, replicates - begun)
        yield np.stack([np.bincount(rng.integers(0, rows, rows), minlength=rows) for _ in range(size)]).astype(float)


def totals(columns: Any, replicates: int = 2000, seed: Any = 1, weights: Any = None) -> np.ndarray:
    """Weighted sums of each column over respondents drawn anew: an array, replicates x columns.

    columns : numbers, a row a respondent; nothing empty
    weights : of the respondents, who are drawn with equal probability and bring theirs along; None weighs all alike
    """
    columns = np.asarray(columns, dtype=float)
    if weights is not None:
        columns = columns * np.asarray(weights, dtype=float)[:, None]
    with one_thread():
        return np.concatenate([counts @ columns for counts in bootstrap_counts(len(columns), replicates, seed)])


def covariances(columns: Any, replicates: int = 2000, seed: Any = 1, weights: Any = None) -> np.ndarray:
    """Covariances of the columns among respondents drawn anew: an array, replicates x columns x columns.

    Divided by the sum of weights, which every statistic of ratios may ignore.
    """
    columns = np.asarray(columns, dtype=float)
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
