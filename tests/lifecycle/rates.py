"""Worlds simulated in number: what a test and a row of `make bench PART=coverage` both count."""

import numpy as np
import pandas as pd

from crmlab import lifecycle
from crmlab.lifecycle import SBG, Bass
from crmlab.lifecycle.models import projection

from .buying import bought
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


def growth_held(series):
    """The share of the three parameters of a Bass curve that lie in their intervals, over series of ten sales."""
    truth, held = Bass(68_000, 0.0088, 0.64), []
    for seed in range(series):
        found = Bass.fit(sold(truth, 10, 0.07, seed)).parameters
        held += [
            (ci_low <= getattr(truth, name) <= ci_high)
            for name, ci_low, ci_high in found[["ci_low", "ci_high"]].itertuples()
        ]
    return np.mean(held)


def later_sales_held(series):
    """The share of the four sales after twelve that lie in their prediction intervals."""
    held = []
    for seed in range(series):
        sales = sold(Bass(1000, 0.01, 0.4), 16, 0.05, seed)
        path = lifecycle.growth_path(Bass.fit(sales[:12]), sales[:12], 4).iloc[12:]
        held += ((path.expected_pi_low <= sales[12:]) & (sales[12:] <= path.expected_pi_high)).tolist()
    return np.mean(held)


def spend_held(worlds):
    """The share of stages whose spend of the next three periods lies in its prediction interval.

    400 customers order with a probability that their state of buying decides, and eleven periods are known.
    """
    held = []
    for seed in range(worlds):
        seen = bought(400, 14, seed).query("period <= '2024-11-01'")
        seen = seen.assign(spend_ahead=seen.spend_ahead.where(seen.period == "2024-11-01"))
        held += lifecycle.value_backtest(seen, 3, replicates=199, seed=seed).held.tolist()
    return np.mean(held)
