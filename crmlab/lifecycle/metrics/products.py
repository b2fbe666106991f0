"""How far growth curves missed what was sold."""

import numpy as np
import pandas as pd

from crmlab.lifecycle.metrics.retention import NOT_FITTED, outcomes
from crmlab.model import blank_of, needs_fit
from crmlab.stats.intervals import percentile_interval

REPLICATES = 1000  # of the bootstrap of a comparison
MIN_ORIGINS = 3  # that an interval of a difference needs
ERRORS = [
    "is_baseline", "origins", "origins_total", "bias", "mae", "baseline", "baseline_mae", "relative_mae", "difference",
    "difference_ci_low", "difference_ci_high", "outcome", "origins_won", "reason",
]  # fmt: skip


@needs_fit
def growth_errors(
    backtest: pd.DataFrame, level: float = 0.95, replicates: int = REPLICATES, seed: int = 1
) -> pd.DataFrame:
    """How far each model was from what was sold, beside the nearest of the baselines.

    Parameters
    ----------
    backtest : DataFrame
        As from `backtest_growth`.
    level : float
        Confidence level of the intervals, 0 to 1.
    replicates : int
        Bootstrap draws of origins, in blocks of as many as predict some period in common.
    seed : int
        Seed of the draws.

    Returns
    -------
    DataFrame
        By model, the nearest first: is_baseline; origins, from how many origins it predicted, and origins_total, how
        many there are; bias, expected less actual, of all that was sold: 0.1 is a tenth too much; mae, mean absolute
        error of a period's sales; baseline, the baseline that was nearest over all, chosen on the same sales, which
        favours it; baseline_mae, its error on the periods that this model predicted, and no others; relative_mae,
        mae / baseline_mae: below 1, the model is nearer; difference, mae − baseline_mae, with difference_ci_low and
        difference_ci_high, NA from fewer than three origins; outcome, "better" or "worse" where that interval leaves
        out 0, else "undecided", "reference" for the baseline, "not fitted"; origins_won, from how many origins it was
        nearer; reason, why there are no numbers.

    References
    ----------
    Künsch (1989), The jackknife and the bootstrap for general stationary observations.
    """
    cells = backtest.assign(error=backtest.expected - backtest.actual)
    cells["miss"] = cells.error.abs()
    best = cells[cells.is_baseline].groupby("model", sort=False).miss.mean().idxmin()
    place = ["origin", "horizon"]
    baseline_miss = cells[cells.model == best].set_index(place).miss.rename("baseline_miss")
    cells = cells.dropna(subset="expected").join(baseline_miss, on=place)
    by, means = cells.groupby("model", sort=False), cells.groupby(["model", "origin"])[["miss", "baseline_miss"]].mean()
    found = by.agg(is_baseline=("is_baseline", "first"), origins=("origin", "nunique"), mae=("miss", "mean"))
    found = found.assign(
        origins_total=backtest.origin.nunique(),
        bias=by.error.sum() / by.actual.sum().where(lambda sold: sold > 0),
        baseline=best,
        baseline_mae=by.baseline_miss.mean(),
        origins_won=(means.miss < means.baseline_miss).groupby("model").sum(),
    )
    found["relative_mae"] = found.mae / found.baseline_mae.where(found.baseline_mae > 0)
    found["difference"] = found.mae - found.baseline_mae
    low, high = np.transpose([_difference_interval(rows, level, replicates, seed) for _, rows in by])
    found["difference_ci_low"], found["difference_ci_high"] = low, high
    found["outcome"] = outcomes(found.index == best, low, high)
    found["reason"] = ""
    blank = {"is_baseline": False, "origins": 0, "origins_total": backtest.origin.nunique(), "baseline": best}
    blank |= {"origins_won": 0, "outcome": NOT_FITTED}
    last = backtest[~backtest.model.isin(found.index)].groupby("model", sort=False).reason.last()
    if len(last):
        found = pd.concat([found, last.to_frame().assign(**blank)])
    found = found[ERRORS].sort_values("relative_mae")
    found.attrs["level"] = level
    return found


@needs_fit
def errors_by_horizon(backtest: pd.DataFrame) -> pd.DataFrame:
    """Mean absolute error by how many periods ahead, only where all models predicted.

    Parameters
    ----------
    backtest : DataFrame
        As from `backtest_growth`.

    Returns
    -------
    DataFrame
        By horizon, a column a model; blank where there is no such place.
    """
    wide = backtest.pivot(index=["origin", "horizon"], columns="model", values="expected")
    actual = backtest.groupby(["origin", "horizon"]).actual.first()
    miss = wide.dropna(axis="columns", how="all").dropna().sub(actual, axis=0).abs()
    found = miss.dropna().groupby("horizon").mean()[[model for model in backtest.model.unique() if model in miss]]
    return blank_of(pd.DataFrame, "no period was predicted by all models") if found.empty else found


def _difference_interval(rows, level, replicates, seed):
    """Interval of the difference of mean errors of one model and the baseline: blocks of origins drawn anew."""
    by = rows.assign(gap=rows.miss - rows.baseline_miss).groupby("origin").gap
    sums, counts = by.sum().to_numpy(), by.size().to_numpy()
    if len(sums) < MIN_ORIGINS:
        return np.nan, np.nan
    n, step = len(sums), max(np.diff(np.sort(rows.origin.unique())).min(initial=rows.origin.max()), 1)
    length = int(np.clip(np.ceil(rows.horizon.max() / step), 1, max(n // 2, 1)))
    starts = np.random.default_rng(seed).integers(0, n, (replicates, -(-n // length)))
    drawn = ((starts[:, :, None] + np.arange(length)) % n).reshape(replicates, -1)[:, :n]
    return percentile_interval(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), level)
