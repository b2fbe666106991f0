"""Worlds simulated in number: what a test and a row of `make bench PART=coverage` both count."""

import numpy as np
import pandas as pd

from crmlab import lifecycle
from crmlab.lifecycle import BDW, SBG, Bass, LastChange, LastPeriod
from crmlab.lifecycle.models import projection

from .buying import bought
from .cohort_worlds import collapsed, left_truncated, renewals


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


def delayed_entry(worlds, customers=20_000):
    """Survival of the first year, and years kept of twelve, of contracts alive in 2022 or later: means over worlds.

    A frame by model (Kaplan–Meier, sBG, BdW) of both, with and without the day from which all ends are known; the truth
    is .682 and 4.92.
    """
    years, found = np.arange(12), []
    for seed in range(worlds):
        contracts = left_truncated(customers, seed)
        for since in ("2022-01-01", None):
            durations = lifecycle.durations(contracts, "2023-12-31", "year", since)
            curves = {"Kaplan–Meier": lifecycle.survival_curve(durations).survival[:12]}
            for model in (SBG, BDW) if since else (SBG,):
                curves[model.title] = model.fit(durations, replicates=0).survival(years)
            found += [(str(since), model, curve[1], curve.sum(skipna=False)) for model, curve in curves.items()]
    frame = pd.DataFrame(found, columns=["observed_from", "model", "first", "kept"])
    return frame.groupby(["observed_from", "model"]).mean()


WORLDS = {  # probabilities to leave of customers who never change; the last do, by c = 1.5
    "sBG": lambda rng, n: rng.beta(0.7, 3.0, n),
    "two points": lambda rng, n: rng.choice([0.1, 0.5, 0.5], n),
    "three points": lambda rng, n: rng.choice([0.02, 0.2, 0.6], n),
    "logit-normal": lambda rng, n: 1 / (1 + np.exp(1.5 - rng.standard_normal(n))),
    "BdW, c = 1.5": lambda rng, n: rng.beta(0.7, 3.0, n),
}


def change_claimed(world, worlds, customers, periods, replicates=99):
    """The share of worlds in which survival is found to depart from every mixture of constant probabilities."""
    claimed, c = [], 1.5 if world.startswith("BdW") else 1.0
    for seed in range(worlds):
        rng = np.random.default_rng([seed, customers, periods])
        stay = 1 - WORLDS[world](rng, customers)
        renewed = rng.random((customers, periods)) < stay[:, None] ** np.diff(np.arange(periods + 1.0) ** c)
        tested = lifecycle.constant_mixture_test(collapsed("all", renewed), replicates, seed)
        claimed.append(tested.p_adjusted.iloc[0] < 0.05)
    return np.mean(claimed)


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
