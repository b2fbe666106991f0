"""Several means at once: intervals that hold together and p-values adjusted for one another, from the same draws.

The draws are of respondents, so that they hold how the means depend on one another; each margin is Student's in size. A
p-value is at most 1 - level where, and only where, its interval excludes 0.
"""

from typing import Any

import numpy as np
from scipy import stats

from crmlab.stats import bootstrap
from crmlab.stats.intervals import upper_limit
from crmlab.stats.threads import one_thread

LARGE = 5_000  # rows above which means are normal, and are drawn so, from their covariances


def mean_deviations(values: Any, weights: Any = None, replicates: int = 2000, seed: Any = 1) -> np.ndarray:
    """How far the mean of each column lies from that of the sample in rows drawn anew: an array, replicates x columns.

    values  : array or frame, rows x columns; NaN is left out of its column
    weights : one a row, drawn along with it; None weighs all alike
    """
    values, w = np.asarray(values, dtype=float), None if weights is None else np.asarray(weights, dtype=float)
    if w is not None:
        values, w = values[w > 0], w[w > 0]
    there = ~np.isnan(values)
    mass = there if w is None else there * w[:, None]
    total = np.maximum(mass.sum(axis=0), np.finfo(float).tiny)
    mean = np.where(there, values * mass, 0).sum(axis=0) / total
    if len(values) <= LARGE:
        return bootstrap.means(values, w, replicates, seed) - mean
    part = np.where(there, values - mean, 0) * mass / total
    with one_thread():
        covariance = part.T @ part
    return np.random.default_rng(seed).multivariate_normal(np.zeros(len(mean)), covariance, replicates, "ignore")


def simultaneous(
    estimates: Any, errors: Any, df: Any, deviations: np.ndarray, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ends of simultaneous intervals about estimates, and adjusted p-values that they are 0: three arrays. [max |t|]

    estimates, errors, df : of one family; an error that is NaN is of no comparison, and is blank
    deviations            : of `mean_deviations`, a column an estimate, each of the same draws

    One comparison alone has Student's interval and p. With fewer draws than 1 / (1 - level) - 1 the ends are infinite.

    References
    ----------
    Westfall & Young (1993), Resampling-Based Multiple Testing, section 2.6. Hothorn, Bretz & Westfall (2008),
    Biometrical Journal 50, 346-363.
    """
    estimates, errors, df = (np.asarray(each, dtype=float) for each in (estimates, errors, df))
    known = np.flatnonzero(errors > 0)
    low, high, adjusted = np.full((3, len(estimates)), np.nan)
    p = 2 * stats.t.sf(np.abs(estimates[known] / errors[known]), df[known])
    limit = stats.norm.ppf((1 + level) / 2)
    if len(known) > 1:
        drawn = np.nan_to_num(deviations[:, known])
        spread = drawn.std(axis=0)
        largest = np.abs(drawn / np.where(spread > 0, spread, np.inf)).max(axis=1)
        enough = (len(drawn) + 1) * (1 - level) >= 1 - 1e-9
        limit = max(limit, float(upper_limit(largest, level))) if enough else np.inf
        beyond = (largest[:, None] >= stats.norm.isf(p / 2)).sum(axis=0)
        p = np.maximum(p, (beyond + 1) / (len(drawn) + 1))
    reach = stats.t.isf(stats.norm.sf(limit), df[known]) * errors[known]
    low[known], high[known], adjusted[known] = estimates[known] - reach, estimates[known] + reach, p
    return low, high, adjusted
