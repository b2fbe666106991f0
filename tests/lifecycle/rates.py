"""Worlds simulated in number: what a test and a row of `make bench PART=coverage` both count."""

import numpy as np
import pandas as pd

from crmlab import lifecycle
from crmlab.lifecycle import SBG, Bass, LastChange, LastPeriod
from crmlab.lifecycle.models import projection

from .cohort_worlds import renewals


def projections_held(worlds):
    """The share of worlds whose interval of survival at period 12 holds the truth.

    800 customers are seen for 6 periods; their probabilities to leave are Beta(.8, 2.5).
    """
    truth, inside = SBG(0.8, 2.5).survival(12)[12], []
    at = pd.RangeIndex(12, 13)
    for seed in range(worlds):
        model = SBG.fit(renewals(800, 6, 0.8, 2.5, seed=seed))
        row = projection._with_interval(model, lambda one: one.survival(at), "survival", at).iloc[0]
        inside.append(row.ci_low <= truth <= row.ci_high)
    return np.mean(inside)


def sold(curve, periods=20, noise=0.0, seed=0):
    """Sales simulated from a curve, with normal errors of `noise` times the highest."""
    expected = curve.sales(np.arange(1, periods + 1)).to_numpy()
    errors = noise * expected.max() * np.random.default_rng(seed).standard_normal(periods)
    return pd.Series(np.maximum(expected + errors, 0), pd.date_range("2000-01-01", periods=periods, freq="YS"))


def growth_held(series, periods=10):
    """The share of the parameters of a Bass curve, and of its peak, that lie in their intervals, over series of sales.

    The peak is after 6.6 periods; series that have no clearly nearest curve are left out.
    """
    truth, held = Bass(68_000, 0.0088, 0.64), []
    for seed in range(series):
        sales = sold(truth, periods, 0.07, seed)
        if not (found := Bass.fit(sales, replicates=0)):
            continue
        ends = lifecycle.growth_parameters(found, sales)[["ci_low", "ci_high"]]
        held += [ci_low <= getattr(truth, name) <= ci_high for name, ci_low, ci_high in ends.itertuples()]
        peak = lifecycle.peak_after(found, sales)
        held.append(peak.ci_low <= truth.peak <= peak.ci_high)
    return np.mean(held)


def later_sales_held(series):
    """The share of the four sales after twelve that lie in their prediction intervals."""
    held = []
    for seed in range(series):
        sales = sold(Bass(1000, 0.01, 0.4), 16, 0.05, seed)
        held += _held(lifecycle.growth_path(Bass.fit(sales[:12]), sales[:12], 4), sales)
    return np.mean(held)


def continued_sales_held(series):
    """The same of the last period again, where sales change at random; a row a baseline, where changes do."""
    shares = []
    for model, sums in ((LastPeriod, 1), (LastChange, 2)):
        held = []
        for seed in range(series):
            errors = np.random.default_rng(seed).standard_normal(16)
            for _ in range(sums):
                errors = errors.cumsum()
            sales = pd.Series(1e4 + errors, pd.date_range("2000", periods=16, freq="YS"))
            held += _held(lifecycle.growth_path(model.fit(sales[:12]), sales[:12], 4), sales)
        shares.append(np.mean(held))
    return shares


def _held(path, sales):
    ahead = path.iloc[12:]
    return ((ahead.expected_pi_low <= sales[12:]) & (sales[12:] <= ahead.expected_pi_high)).tolist()
