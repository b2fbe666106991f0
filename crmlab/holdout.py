"""Judging expectations by what came later: what every race shares.

`expected` and `actual` are Series, with one row for each of `customers` alike.
"""

import numpy as np
import pandas as pd
from scipy import stats


def bias(expected, actual, customers=1):
    """Relative error of the total; NaN where the actual one is 0."""
    seen = _mean(actual, customers)
    return _mean(expected, customers) / seen - 1 if seen else np.nan


def mae(expected, actual, customers=1):
    """Mean absolute error a customer."""
    return _mean(np.abs(expected - actual), customers)


def rmse(expected, actual, customers=1):
    """Root of the mean squared error a customer."""
    return np.sqrt(_mean((expected - actual) ** 2, customers))


def correlation(expected, actual, customers=1):
    """Pearson's correlation over customers; 0 where either is the same for all, as it then tells nobody apart."""
    if not (_varies(expected, customers) and _varies(actual, customers)):
        return 0.0
    x, y = expected - _mean(expected, customers), actual - _mean(actual, customers)
    return _mean(x * y, customers) / np.sqrt(_mean(x**2, customers) * _mean(y**2, customers))


def spearman(expected, actual, customers=1):
    """Spearman's rank correlation over customers; ties share their expected rank."""
    return correlation(_ranks(expected, customers), _ranks(actual, customers), customers)


MEASURES = (bias, mae, rmse, correlation, spearman)


def errors(rules, actual, customers=1):
    """How far each of `rules`, a dict of expected Series, is from `actual`: a frame, one row a rule."""
    return pd.DataFrame(
        {name: {m.__name__: m(expected, actual, customers) for m in MEASURES} for name, expected in rules.items()}
    ).T.rename_axis("rule")


def difference(measure, expected, naive, actual, customers=1, replicates=1000, seed=1, level=0.95):
    """`measure` of `expected` less that of `naive`: (value, low, high), by a paired bootstrap over customers."""
    expected, naive, actual = (np.asarray(v, dtype=float) for v in (expected, naive, actual))
    weights = np.broadcast_to(customers, expected.shape)
    apart = lambda w: measure(expected, actual, w) - measure(naive, actual, w)  # noqa: E731
    rng, count = np.random.default_rng(seed), weights.sum()
    tail = (1 - level) / 2
    drawn = [apart(rng.multinomial(count, weights / count)) for _ in range(replicates)]
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(apart(weights)), float(low), float(high)


def correlation_interval(r, count, level=0.95):
    """Confidence interval of a correlation seen on `count` customers, by Fisher's z; three or fewer tell nothing."""
    if count <= 3:
        return -1.0, 1.0
    reach = stats.norm.ppf((1 + level) / 2) / np.sqrt(count - 3)
    with np.errstate(divide="ignore"):
        z = np.arctanh(np.clip(r, -1, 1))
    return float(np.tanh(z - reach)), float(np.tanh(z + reach))


def _mean(values, customers):
    return np.average(values, weights=np.broadcast_to(customers, np.shape(values)))


def _varies(values, customers):
    held = np.asarray(values)[np.broadcast_to(customers, np.shape(values)) > 0]
    return held.min() < held.max()


def _ranks(values, customers):
    """Rank of each customer from 1; who tie share their mean rank."""
    _, level = np.unique(values, return_inverse=True)
    tied = np.bincount(level, np.broadcast_to(customers, np.shape(values)))
    return (np.cumsum(tied) - tied / 2 + 0.5)[level]
