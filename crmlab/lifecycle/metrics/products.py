"""How far growth curves missed what was sold, and where the products of a shop stand."""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.lifecycle.metrics.retention import outcomes
from crmlab.lifecycle.models.growth import Bass
from crmlab.lifecycle.models.growth_forecasts import growth_peaks
from crmlab.lifecycle.models.product_stages import life_cycle_stages, stage_spells
from crmlab.lifecycle.models.shapes import life_cycle_shape
from crmlab.lifecycle.tables import products
from crmlab.model import blank_of, needs_fit
from crmlab.stats.intervals import percentile_interval

REPLICATES = 1000  # of the bootstrap of a comparison
ERRORS = [
    "is_baseline", "origins", "origins_total", "bias", "mae", "baseline", "baseline_mae", "relative_mae", "difference",
    "difference_ci_low", "difference_ci_high", "outcome", "origins_won",
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
        difference_ci_high; outcome, "better" or "worse" where that interval leaves out 0, else "undecided",
        "reference" for the baseline; origins_won, from how many origins it was nearer.

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


def product_overview(
    sales: pd.DataFrame, periods_per_year: int | None = None, max_categories: int = 20, level: float = 0.95
) -> pd.DataFrame:
    """Where each category stands, those that sold most first.

    Parameters
    ----------
    sales : DataFrame
        category, time, sales, as from `product_sales`.
    periods_per_year : int, optional
        Periods in a year; None takes it from the dates of `sales`.
    max_categories : int
        Most categories to list.
    level : float
        Confidence level of the peak, which decides whether it is past.

    Returns
    -------
    DataFrame
        By category: periods, how many; sales, their sum; growth, rate in the last year, NA where there is none; stage
        of the last period, and stage_since, since which period; shape of sales so far, or "cannot be estimated";
        peak_time, the period of Bass's peak, where that curve could be fitted; summary, the shape and its moves;
        reason, why something could not be read.
    """
    periods_per_year = products.periods_per_year(sales) if periods_per_year is None else periods_per_year
    totals = sales.groupby("category").sales.sum().sort_values(ascending=False, kind="stable")
    series = {name: products.category_sales(sales, name) for name in totals.index[:max_categories]}
    rows = {name: _overview_row(one, periods_per_year, level) for name, one in series.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("category")


def _overview_row(sales, periods_per_year, level):
    row = {"periods": len(sales), "sales": sales.sum(), "growth": pd.NA, "stage": pd.NA, "stage_since": pd.NaT}
    row |= {"shape": pd.NA, "peak_time": pd.NaT, "summary": "", "reason": ""}
    try:
        path = life_cycle_stages(sales, periods_per_year)
    except InputError as problem:
        return row | {"reason": str(problem)}
    shape, last = life_cycle_shape(sales, periods_per_year), stage_spells(path).iloc[-1]
    peaks = growth_peaks({Bass.title: Bass.fit(sales)}, sales, level)
    row |= {"growth": path.growth.iloc[-1], "stage": last.stage, "stage_since": last["first"]}
    row |= {"shape": shape.name, "peak_time": peaks.peak_time.iloc[0], "summary": shape.summary}
    return row | {"reason": shape.reason}


def _difference_interval(rows, level, replicates, seed):
    """Interval of the difference of mean errors of one model and the baseline: blocks of origins drawn anew."""
    by = rows.assign(gap=rows.miss - rows.baseline_miss).groupby("origin").gap
    sums, counts = by.sum().to_numpy(), by.size().to_numpy()
    n, step = len(sums), max(np.diff(np.sort(rows.origin.unique())).min(initial=rows.origin.max()), 1)
    length = int(np.clip(np.ceil(rows.horizon.max() / step), 1, max(n // 2, 1)))
    starts = np.random.default_rng(seed).integers(0, n, (replicates, -(-n // length)))
    drawn = ((starts[:, :, None] + np.arange(length)) % n).reshape(replicates, -1)[:, :n]
    return percentile_interval(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), level)
