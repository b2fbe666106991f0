"""How far growth curves missed what came, and where the products of a shop stand."""

import pandas as pd

from crmlab.contracts import InputError
from crmlab.lifecycle.models.growth import Bass
from crmlab.lifecycle.models.growth_backtest import COLUMNS, LAST, backtest_growth
from crmlab.lifecycle.models.growth_paths import growth_peaks
from crmlab.lifecycle.models.product_stages import life_cycle_stages, stage_spells
from crmlab.lifecycle.models.shapes import life_cycle_shape
from crmlab.likelihood import FitError, attempt
from crmlab.result import Verdict, number

CLAIM = "A growth curve foretells sales better than the best simple rule"
ERRORS = (
    "is_baseline",
    "origins",
    "origins_total",
    "bias",
    "mae",
    "baseline",
    "baseline_mae",
    "relative_mae",
    "origins_won",
)


def evaluate_growth(sales):
    """How growth curves fared: the table of `backtest_growth`, `growth_errors`, and `growth_beats_baselines`.

    Where there are too few periods for it, the frames are empty and the Verdict says why.
    """
    try:
        table = backtest_growth(sales)
    except FitError as reason:
        nothing = pd.DataFrame(columns=ERRORS, index=pd.Index([], name="model"))
        return pd.DataFrame(columns=COLUMNS), nothing, Verdict(CLAIM, False, str(reason), LAST)
    errors = growth_errors(table)
    return table, errors, growth_beats_baselines(errors)


def growth_errors(table):
    """How far each model of `backtest_growth` was from what came: a frame by model, the nearest first.

    is_baseline   whether it is one of the baselines
    origins       from how many origins it predicted; origins_total: how many there are
    bias          expected less actual, of all that was sold; 0.1 is a tenth too much
    mae           mean absolute error of a period's sales
    baseline      the baseline that was nearest over all; chosen on the same later sales, which speaks for it
    baseline_mae  its error on the periods that this model predicted, and no others
    relative_mae  mae / baseline_mae: below 1, the model is nearer
    origins_won   from how many origins it was nearer
    """
    cells = table.assign(error=table.expected - table.actual)
    cells["miss"] = cells.error.abs()
    best = cells[cells.is_baseline].groupby("model", sort=False).miss.mean().idxmin()
    place = ["origin", "horizon"]
    baseline_miss = cells[cells.model == best].set_index(place).miss.rename("baseline_miss")
    cells = cells.dropna(subset="expected").join(baseline_miss, on=place)
    by = cells.groupby("model", sort=False)
    found = by.agg(is_baseline=("is_baseline", "first"), origins=("origin", "nunique"), mae=("miss", "mean"))
    found = found.assign(
        origins_total=table.origin.nunique(),
        bias=by.error.sum() / by.actual.sum().where(lambda sold: sold > 0),
        baseline=best,
        baseline_mae=by.baseline_miss.mean(),
        origins_won=_origins_won(cells),
    )
    found["relative_mae"] = found.mae / found.baseline_mae.where(found.baseline_mae > 0)
    return found[list(ERRORS)].sort_values("relative_mae")


def errors_by_horizon(table):
    """Mean absolute error by how many periods ahead, a column a model; only where all models predicted: a frame.

    Empty where there is no such place.
    """
    wide = table.pivot(index=["origin", "horizon"], columns="model", values="expected")
    actual = table.groupby(["origin", "horizon"]).actual.first()
    miss = wide.dropna(axis="columns", how="all").dropna().sub(actual, axis=0).abs()
    return miss.dropna().groupby("horizon").mean()[[model for model in table.model.unique() if model in miss]]


def growth_beats_baselines(errors):
    """Whether a growth curve foretold sales better than the best simple rule: a Verdict, from `growth_errors`.

    It passes where a curve that could be fitted from at least half the origins was nearer on the whole, and from more
    than half of its origins.
    """
    candidates = errors[~errors.is_baseline & (errors.origins * 2 >= errors.origins_total)]
    if candidates.empty:
        most = int(errors[~errors.is_baseline].origins.max()) if (~errors.is_baseline).any() else 0
        summary = f"no curve could be fitted from half of {errors.origins_total.iloc[0]} origins (at most {most})"
        return Verdict(CLAIM, False, summary, str(errors.baseline.iloc[0]))
    best = candidates.iloc[0]
    passed = bool(best.relative_mae < 1 and best.origins_won * 2 > best.origins)
    summary = (
        f"{best.name} misses a period by {number(best.mae)} on average, {best.baseline} by "
        f"{number(best.baseline_mae)}; it was nearer from {best.origins_won} of {best.origins} origins"
    )
    return Verdict(CLAIM, passed, summary, str(best.baseline))


def product_overview(frame, periods_per_year=1, max_categories=20, seed=0):
    """Where each category stands: a frame by category, those that sold most first, `max_categories` at most.

    frame : category, time, sales, of `sales_by_category` or `sales_from_series`
    periods, sales  how many, and their sum
    growth          rate in the last year; NA where there is none
    stage           of the last period, and since which period, as `stage_since`
    shape           of sales so far, or "cannot be estimated"
    peak_time       the period of Bass's peak, where that curve could be fitted
    summary         what shape and stage there are, or what could not be said, and why
    """
    largest = frame.groupby("category").sales.sum().sort_values(ascending=False, kind="stable").index[:max_categories]
    rows = {
        name: _overview_row(frame[frame.category == name].set_index("time").sales, periods_per_year, seed)
        for name in largest
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("category")


def _overview_row(sales, periods_per_year, seed):
    row = {"periods": len(sales), "sales": sales.sum(), "growth": pd.NA, "stage": pd.NA, "stage_since": pd.NaT}
    row |= {"shape": pd.NA, "peak_time": pd.NaT, "summary": ""}
    try:
        path = life_cycle_stages(sales, periods_per_year)
        row |= {
            "growth": path.growth.iloc[-1],
            "stage": path.stage.iloc[-1],
            "stage_since": stage_spells(path)["first"].iloc[-1],
        }
        row["shape"] = (found := life_cycle_shape(sales, periods_per_year)).name
        row["summary"] = f"{found.name}: {found.summary}"
        if bass := attempt(Bass.fit, sales):
            row["peak_time"] = growth_peaks({Bass.title: bass}, {}, sales, seed).peak_time[Bass.title]
    except InputError as reason:
        row["summary"] = str(reason)
    return row


def _origins_won(cells):
    """From how many origins each model's mean error was below that of the best baseline."""
    means = cells.groupby(["model", "origin"])[["miss", "baseline_miss"]].mean()
    return (means.miss < means.baseline_miss).groupby("model").sum()
