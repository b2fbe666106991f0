"""Covariances of answers where some are missing."""

import numpy as np
import pandas as pd

from crmlab.stats.threads import one_thread


def pairwise_covariance(answers, weights=None):
    """Covariance of each pair of items over the respondents who answered both: a frame, items x items.

    answers : a row a respondent, a column an item; NaN where not answered
    weights : of the respondents; None weighs all alike
    A pair is divided by Σw − Σw²/Σw, which is n − 1 where all weigh alike; NaN where fewer than two answered it.
    """
    x, there, w = _parts(answers, weights)
    with one_thread(), np.errstate(invalid="ignore", divide="ignore"):
        total, square = there.T @ (w * there), there.T @ (w**2 * there)
        x = np.where(there > 0, x - (w * x).sum(axis=0) / total.diagonal(), 0)
        products, sums = x.T @ (w * x), (w * x).T @ there
        degrees = total - square / total
        found = (products - sums * sums.T / total) / np.where(degrees > 1e-9 * total, degrees, np.nan)
    return pd.DataFrame(found, answers.columns, answers.columns)


def effective_n(answers, weights=None):
    """Effective number (Σw)²/Σw² of respondents who answered the pair of items that fewest did: a float."""
    _, there, w = _parts(answers, weights)
    with one_thread():
        total, square = there.T @ (w * there), there.T @ (w**2 * there)
    return float(np.divide(total**2, square, out=np.zeros_like(total), where=square > 0).min(initial=np.inf))


def covariance_to_correlation(covariances):
    """Correlations of the same items, of one table or of a stack of them; NaN for an item without variance."""
    spread = np.sqrt(np.diagonal(np.asarray(covariances), axis1=-2, axis2=-1))
    spread = np.where(spread > 0, spread, np.nan)
    return covariances / (spread[..., :, None] * spread[..., None, :])


def complete(rows, weights=None):
    """The rows without a blank and their weights; None weighs all alike."""
    full = rows.notna().all(axis=1)
    return rows[full], None if weights is None else np.asarray(weights, dtype=float)[full]


def _parts(answers, weights):
    """Answers with 0 for those missing, whether each is there, and weights as a column."""
    x = answers.to_numpy(dtype=float)
    w = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=float)
    return np.nan_to_num(x), (~np.isnan(x)).astype(float), w[:, None]
