"""Means under resampling: of respondents, or of the histogram of their answers."""

from typing import Any

import numpy as np

from crmlab.stats import resample


def means(values: Any, weights: Any = None, replicates: int = 2000, seed: Any = 1) -> np.ndarray:
    """Mean of each column of `values` over rows drawn anew: an array, replicates x columns.

    values  : array or frame, rows x columns; NaN is left out of its column; NaN where a replicate drew nothing of it
    weights : one a row, drawn along with it; None weighs all alike
    """
    values = np.asarray(values, dtype=float)
    there = ~np.isnan(values)
    mass = np.ones((len(values), 1)) if there.all() else there.astype(float)
    drawn = resample.totals(np.hstack([np.where(there, values, 0), mass]), replicates, seed, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        return drawn[:, : values.shape[1]] / drawn[:, values.shape[1] :]


def histogram_means(values: Any, counts: Any, replicates: int = 2000, seed: Any = 1) -> np.ndarray:
    """Mean of answers drawn anew, from how often each value was answered: an array, one a replicate.

    The same distribution as that of drawing rows, at the cost of the distinct `values` beside their `counts`.
    """
    values, counts = np.asarray(values, dtype=float), np.asarray(counts)
    total = counts.sum()
    drawn = np.random.default_rng(seed).multinomial(total, counts / total, replicates)
    return np.einsum("rc,c->r", drawn, values) / total  # not by BLAS, whose threads would decide the last digit
