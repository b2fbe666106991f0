"""How far expectations are from what came, over customers or over the replicates of a bootstrap.

`expected` and `actual` have one row for each of `weights` alike. Where `weights` is a matrix, each of its columns
weighs the rows anew, and a measure gives an array with a value a column.
"""

from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse, stats

TIE_TOLERANCE = 1e-12  # relative; what rounding alone sets apart is tied
TOP_SHARE = 0.1  # share of customers whose lift is asked for


def bias(expected: Any, actual: Any, weights: Any = 1) -> Any:
    """Relative error of the total; NaN where the actual one is 0."""
    expected, actual = as_weighted(expected, actual, weights)
    return _ratio(expected.mean(expected.values), actual.mean(actual.values), np.nan) - 1


def mae(expected: Any, actual: Any, weights: Any = 1) -> Any:
    """Mean absolute error a customer."""
    expected, actual = as_weighted(expected, actual, weights)
    return expected.mean(np.abs(expected.values - actual.values))


def rmse(expected: Any, actual: Any, weights: Any = 1) -> Any:
    """Root of the mean squared error a customer."""
    expected, actual = as_weighted(expected, actual, weights)
    return np.sqrt(expected.mean((expected.values - actual.values) ** 2))


def correlation(expected: Any, actual: Any, weights: Any = 1) -> Any:
    """Pearson's correlation over customers; 0 where either is the same for all: it separates no customers."""
    expected, actual = as_weighted(expected, actual, weights)
    x, y = expected.centred, actual.centred
    together = expected.mean(x, y) - expected.mean(x) * actual.mean(y)
    return _ratio(together, np.sqrt(expected.variance * actual.variance), 0.0)


def spearman(expected: Any, actual: Any, weights: Any = 1) -> Any:
    """Spearman's rank correlation over customers, 0 as for `correlation`; ties share their expected rank."""
    expected, actual = as_weighted(expected, actual, weights)
    x, y = expected.centred_ranks, actual.centred_ranks
    return _ratio(expected.mean(x, y), np.sqrt(expected.mean(x, x) * actual.mean(y, y)), 0.0)


def gini(expected: Any, actual: Any, weights: Any = 1) -> Any:
    """How far what came lies with those expected to bring most: 1 as in perfect order, 0 as in none.

    The area between the diagonal and the curve of the share of `actual` over the share of customers, best first by
    `expected`, over that area when sorted by `actual` itself. Ties in `expected` share evenly; 0 as for `correlation`.
    """
    expected, actual = as_weighted(expected, actual, weights)
    found, most = (actual.mean(actual.values, by.centred_ranks) for by in (expected, actual))
    return _ratio(found, most, 0.0)


def lift(expected: Any, actual: Any, weights: Any = 1) -> Any:
    """Mean actual of the tenth of customers with the highest `expected`, over that of all; NaN where all have none.

    Ties across the edge of the tenth share the places left in it; the edge may divide a customer.
    """
    expected, actual = as_weighted(expected, actual, weights)
    level, tied, so_far = expected.ties
    taken = np.clip(so_far - so_far[-1] * (1 - TOP_SHARE), 0, tied)
    share = np.divide(taken, tied, out=taken, where=taken > 0)
    return _ratio(actual.mean(actual.values, share[level]), actual.mean(actual.values) * TOP_SHARE, np.nan)


def r2(expected: Any, actual: Any, weights: Any = 1) -> Any:
    """Share of the variance that is predicted: 1 less squared errors over those of the mean; NaN where all are alike.

    No measure of `compare`, where the root mean squared error says as much; that of cross-fitted segments.
    """
    expected, actual = as_weighted(expected, actual, weights)
    errors = expected.mean((expected.values - actual.values) ** 2)
    return 1 - _ratio(errors, actual.variance, np.nan)


ERROR_MEASURES = (bias, mae, rmse)  # the nearer to 0 the better
SCORE_MEASURES = (correlation, spearman, gini, lift)  # the higher the better
MEASURES = (*ERROR_MEASURES, *SCORE_MEASURES)


def correlation_interval(r: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of a correlation seen on `n` customers, by Fisher's z; three or fewer tell nothing."""
    if n <= 3:
        return -1.0, 1.0
    reach = stats.norm.ppf((1 + level) / 2) / np.sqrt(n - 3)
    with np.errstate(divide="ignore"):
        z = np.arctanh(np.clip(r, -1, 1))
    return float(np.tanh(z - reach)), float(np.tanh(z + reach))


def as_weighted(expected, actual, weights):
    """Both as Weighted; one that already is stays as it is, with the weights it came with."""
    return (v if isinstance(v, Weighted) else Weighted(v, weights) for v in (expected, actual))


class Weighted:
    """Values with the weights of their customers; what several measures need of them is worked out once."""

    def __init__(self, values, weights=1):
        self.values = np.asarray(values, dtype=float)
        weights = np.asarray(weights, dtype=float)
        self.weights = weights if weights.ndim else np.full(len(self.values), weights)

    def mean(self, *factors):
        """Mean over customers of a product, of vectors and matrices."""
        operands = ",".join(["n..."] * (len(factors) + 1))  # einsum makes no copies, and needs no BLAS and its threads
        return np.einsum(operands + "->...", self.weights, *factors)[()] / self.total_weight

    @cached_property
    def total_weight(self):
        return self.weights.sum(axis=0)

    @cached_property
    def centred(self):
        """Values less their mean over all weights together, so that their squares keep their digits."""
        weights = self.weights.reshape(len(self.values), -1).sum(axis=1)
        return self.values - (weights * self.values).sum() / weights.sum()

    @cached_property
    def variance(self):
        """0 where it is no more than rounding."""
        square, mean = self.mean(self.centred, self.centred), self.mean(self.centred)
        return np.where(square - mean**2 > TIE_TOLERANCE * square, square - mean**2, 0.0)

    @cached_property
    def ties(self):
        """Level of each row among the distinct values, from the lowest; customers at each level, and up to it."""
        order = np.argsort(self.values, kind="stable")
        lined = self.values[order]
        level = np.empty(len(order), dtype=int)
        level[order] = np.cumsum(np.diff(lined, prepend=lined[0]) > TIE_TOLERANCE * np.abs(lined))
        tied = sparse.csr_array((np.ones(len(order)), (level, np.arange(len(order))))) @ self.weights
        return level, tied, np.cumsum(tied, axis=0)

    @cached_property
    def centred_ranks(self):
        """Rank of each row's customers, less the mean rank of all; who tie share theirs."""
        level, tied, so_far = self.ties
        return (so_far - (tied + so_far[-1]) / 2)[level]


def _ratio(part, whole, without):
    """part / whole, and `without` where whole is 0."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.full(whole.shape, without), where=whole != 0)[()]
