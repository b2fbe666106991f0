"""Means under resampling: of respondents, or of the histogram of their answers."""

import numpy as np
from threadpoolctl import threadpool_limits

CELLS = 2_000_000  # counts held at a time: 16 MB


def tally(rows, replicates=2000, seed=1):
    """How often each of `rows` is drawn, replicate by replicate: yields arrays of floats, some replicates x rows.

    Whatever is computed from rows with weights is computed from a replicate by multiplying its weights with a row of
    these. The draws depend on `rows`, `replicates` and `seed` alone, so that two statistics can share them.
    """
    rng = np.random.default_rng(seed)
    step = max(CELLS // max(rows, 1), 1)
    for begun in range(0, replicates, step):
        size = min(step, replicates - begun)
        yield np.stack([np.bincount(rng.integers(0, rows, rows), minlength=rows) for _ in range(size)]).astype(float)


def means(values, weights=None, replicates=2000, seed=1):
    """Mean of each column of `values` over rows drawn anew: an array, replicates x columns.

    values  : array or frame, rows x columns; NaN is left out of its column; NaN where a replicate drew nothing of it
    weights : one a row, drawn along with it
    """
    values = np.asarray(values, dtype=float)
    there = ~np.isnan(values)
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    each = np.ascontiguousarray(np.where(there, values, 0) * weights[:, None])
    whole = there.all(axis=1).all()
    mass = weights[:, None] if whole else there * weights[:, None]
    with threadpool_limits(1, "blas"), np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate([(c @ each) / (c @ mass) for c in tally(len(values), replicates, seed)])


def histogram_means(values, counts, replicates=2000, seed=1):
    """Mean over answers drawn anew, from how often each value was answered: an array, one a replicate.

    The same distribution as drawing rows, at the cost of the distinct values: `values` beside their `counts`.
    """
    values, counts = np.asarray(values, dtype=float), np.asarray(counts)
    total = counts.sum()
    drawn = np.random.default_rng(seed).multinomial(total, counts / total, replicates)
    with threadpool_limits(1, "blas"):
        return drawn @ values / total
