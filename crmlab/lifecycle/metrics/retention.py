"""How far projections of retention were from what was observed, and what survival comes to in short."""

import numpy as np
import pandas as pd

from crmlab.estimate import Estimate
from crmlab.holdout.comparison import NOT_FITTED
from crmlab.lifecycle.models.projection import MODELS
from crmlab.lifecycle.tables.contracts import ALL
from crmlab.model import blank_of, needs_fit
from crmlab.stats.intervals import percentile_interval
from crmlab.stats.shares import wilson_interval

REPLICATES = 1000  # of the bootstrap of a comparison
PLACE = ["group", "origin", "period"]
COMPARED = [
    "is_baseline", "n", "mae", "baseline", "baseline_mae", "difference", "difference_ci_low", "difference_ci_high",
    "outcome", "reason",
]  # fmt: skip


@needs_fit
def projection_errors(backtest: pd.DataFrame) -> pd.DataFrame:
    """How far projections were off, by how far ahead they looked.

    Parameters
    ----------
    backtest : DataFrame
        As from `backtest_retention`.

    Returns
    -------
    DataFrame
        By group, model and horizon: n, how many; bias, mean of expected − actual; mae, mean of its size; both as
        shares, 0 to 1. There is no interval, as the projections of a horizon share customers.
    """
    projected = backtest[backtest.error.notna()]
    by = projected.assign(size=projected.error.abs()).groupby(["group", "model", "horizon"], sort=False)
    found = by.agg(n=("error", "size"), bias=("error", "mean"), mae=("size", "mean"))
    found.attrs["n"] = "projections"
    return found


@needs_fit
def final_period_errors(backtest: pd.DataFrame) -> pd.DataFrame:
    """By how much projections missed the last period, % of what was observed.

    Parameters
    ----------
    backtest : DataFrame
        As from `backtest_retention`.

    Returns
    -------
    DataFrame
        By group and model, a column per origin; NA where nothing was projected. The last period is the last in which
        anybody was left. Blank where no group has a projection.
    """
    projected = backtest[backtest.period.notna()]
    if projected.empty:
        return blank_of(pd.DataFrame, backtest.reason.iloc[0])
    latest = projected.period.where(projected.actual > 0).groupby(projected.group).transform("max")
    last = projected[projected.period == latest].assign(miss=lambda last: 100 * (last.expected / last.actual - 1))
    wide = last.pivot(index=["group", "model"], columns="origin", values="miss")
    return wide.reindex(pd.MultiIndex.from_frame(projected[["group", "model"]].drop_duplicates()))


@needs_fit
def compare_projections(
    backtest: pd.DataFrame, level: float = 0.95, replicates: int = REPLICATES, seed: int = 1
) -> pd.DataFrame:
    """How closely each model projected survival, beside the nearest of the curves.

    Projections stay as they are; of those at risk at each renewal after an origin, the lost are drawn anew, the same
    for all models and origins.

    Parameters
    ----------
    backtest : DataFrame
        As from `backtest_retention`; only places that every model and curve projected count.
    level : float
        Confidence level of the intervals, 0 to 1.
    replicates : int
        Bootstrap draws.
    seed : int
        Seed of the draws.

    Returns
    -------
    DataFrame
        By model, the nearest first: is_baseline; n, projections; mae, mean absolute error of survival, points;
        baseline, the nearest of the curves; baseline_mae; difference, mae − baseline_mae, with difference_ci_low and
        difference_ci_high, which is wide on the side of the baseline, as luck adds to the errors of a close model
        more than to those of a poor one; outcome, "better" or "worse" where that interval leaves out 0, else
        "undecided", "reference" for the baseline, "not fitted"; reason, why there are no numbers.
    """
    expected = backtest[backtest.model.notna()].pivot(index=PLACE, columns="model", values="expected")
    expected = expected.dropna(axis="columns", how="all").dropna().astype(float)
    missing = [title for title in MODELS if title not in expected or expected.empty]
    blank = [{"model": title, "outcome": NOT_FITTED, "reason": _why_none(backtest, title)} for title in missing]
    rows = pd.DataFrame() if expected.empty else _compared(backtest, expected, level, replicates, seed)
    frame = pd.concat([rows, pd.DataFrame(blank)], ignore_index=True).set_index("model").reindex(columns=COMPARED)
    frame["is_baseline"] = ~frame.index.isin(list(MODELS))
    frame.attrs["level"] = level
    return frame


@needs_fit
def hazard_by_tenure(survival: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Compute the share of each group's remaining customers who are lost at each renewal.

    Parameters
    ----------
    survival : DataFrame
        Survival by group and period, as from `survival_curve`.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        A row for each group and renewal, as far as there is survival: group; period, the renewal; at_risk and lost,
        customers; hazard, lost / at_risk, 0 to 1, with ci_low and ci_high (Wilson); retention, 1 − hazard, with
        retention_ci_low and retention_ci_high. Blank where no group has enough customers at risk.

    References
    ----------
    Klein & Moeschberger (2003), Survival Analysis, section 2.3; Wilson (1927), Probable inference.

    Examples
    --------
    >>> from crmlab import lifecycle
    >>> left = pd.DataFrame({"group": "all", "period": [0, 1, 2], "customers": [100, 60, 45]})
    >>> hazard = lifecycle.hazard_by_tenure(lifecycle.survival_curve(lifecycle.durations(left)))
    >>> hazard[["period", "lost", "hazard", "retention"]].values.tolist()
    [[1.0, 40.0, 0.4, 0.6], [2.0, 15.0, 0.25, 0.75]]
    """
    rows = survival[(survival.period > 0) & survival.survival.notna() & (survival.at_risk > 0)]
    if rows.empty:
        return blank_of(pd.DataFrame, next(filter(None, survival.reason), "no renewal was observed"))
    low, high = wilson_interval(rows.lost, rows.at_risk, level)
    hazard = rows.lost / rows.at_risk
    found = rows[["group", "period", "at_risk", "lost"]].assign(hazard=hazard, ci_low=low, ci_high=high)
    kept = {"retention": 1 - hazard, "retention_ci_low": 1 - high, "retention_ci_high": 1 - low}
    return found.assign(**kept).reset_index(drop=True)


@needs_fit
def retention_rates(hazard: pd.DataFrame, projected: pd.DataFrame) -> pd.DataFrame:
    """Set the share of remaining customers who renew, r(t), beside what each model expects.

    Parameters
    ----------
    hazard : DataFrame
        Shares lost by group and renewal, as from `hazard_by_tenure`.
    projected : DataFrame
        Survival by group, model and period, as from `projected_survival`.

    Returns
    -------
    DataFrame
        A row for each group, model and renewal: group, model, period; at_risk, customers; retention, observed, 0 to 1,
        with its confidence interval ci_low and ci_high, NA where it was not observed; expected, by the model, NA where
        there is none; in_calibration, whether the model was fitted to this renewal; reason, why there is no model.

    References
    ----------
    Fader & Hardie (2007), How to project customer retention.
    """
    expected = projected[projected.period > 0].rename(columns={"retention": "expected"})
    expected = expected[["group", "model", "period", "expected", "in_calibration", "reason"]]
    observed = hazard[["group", "period", "at_risk", "retention", "retention_ci_low", "retention_ci_high"]]
    observed = observed.rename(columns={"retention_ci_low": "ci_low", "retention_ci_high": "ci_high"})
    frame = expected.merge(observed, "left", ["group", "period"])
    numbers = ["retention", "ci_low", "ci_high"]
    order = ["group", "model", "period", "at_risk", *numbers, "expected", "in_calibration", "reason"]
    return frame.astype(dict.fromkeys(numbers, "Float64") | {"at_risk": "Int64"})[order]


def _compared(backtest, expected, level, replicates, seed):
    """The rows of `compare_projections` that have numbers."""
    observed = backtest.drop_duplicates(PLACE).set_index(PLACE)
    actual, drawn = observed.actual.loc[expected.index].to_numpy(float), _redrawn(observed, replicates, seed)
    shares = np.column_stack([actual, drawn.loc[expected.index]])  # what was observed, then its replicates
    maes = 100 * np.array([np.abs(expected[[title]].to_numpy() - shares).mean(axis=0) for title in expected])
    mae, names = maes[:, 0], expected.columns
    best = np.argmin(np.where(names.isin(list(MODELS)), np.inf, mae))
    low, high = percentile_interval((maes - maes[best])[:, 1:].T, level)
    found = {"model": names, "n": len(expected), "mae": mae, "baseline": names[best], "baseline_mae": mae[best]}
    found |= {"difference": mae - mae[best], "difference_ci_low": low, "difference_ci_high": high, "reason": ""}
    return pd.DataFrame(found | {"outcome": outcomes(names == names[best], low, high)}).sort_values("mae")


def outcomes(is_reference, low, high):
    """What the interval of a difference of errors says of each model, below 0 being better."""
    return np.select([is_reference, high < 0, low > 0], ["reference", "better", "worse"], "undecided")


def _redrawn(observed, replicates, seed):
    """Survival of each place, had others been lost after its origin: a frame of replicates by group, origin, period."""
    rng, parts = np.random.default_rng(seed), []
    for group, rows in observed.groupby("group"):
        once = rows.droplevel("group").reset_index().drop_duplicates("period").set_index("period").sort_index()
        at_risk, lost = once.at_risk.to_numpy(int), once.lost.to_numpy(int)
        kept = 1 - rng.binomial(at_risk, lost / at_risk, (replicates, len(once))) / at_risk
        odds = pd.DataFrame((kept / np.maximum(1 - lost / at_risk, 1e-300)).T, once.index)
        for origin, part in rows.droplevel("group").groupby("origin"):
            periods = part.index.get_level_values("period")
            moved = odds.loc[periods].cumprod() * part.actual.to_numpy(float)[:, None]
            parts.append(moved.set_index(pd.MultiIndex.from_product([[group], [origin], periods], names=PLACE)))
    return pd.concat(parts)


def periods_kept(restricted: pd.DataFrame) -> dict[str, Estimate]:
    """Periods that a customer of each group keeps the contract, of those that all groups were observed for.

    Parameters
    ----------
    restricted : DataFrame
        Means by group, as from `restricted_mean_survival`.

    Returns
    -------
    dict
        Group -> Estimate; "" where there are no groups.
    """
    units = [f"of the first {periods} periods" for periods in restricted.periods]
    return _estimates(restricted.assign(unit=units, value=restricted["mean"]))


def payments_to_come(payments: pd.DataFrame, model: str = "sBG") -> dict[str, Estimate]:
    """Discounted payments still to come of a new customer of each group, after the first.

    Parameters
    ----------
    payments : DataFrame
        Payments to come by group, model and renewals, as from `residual_lifetimes`.
    model : str
        Title of the model: "sBG" or "BdW".

    Returns
    -------
    dict
        Group -> Estimate; "" where there are no groups.
    """
    new = payments[(payments.renewals == 0) & (payments.model == model)].set_index("group")
    return _estimates(new.assign(unit="payments", value=new.payments))


def _estimates(frame):
    """An Estimate of each row, by group."""
    reason = frame.reason.where(frame.value.isna(), "")
    rows = frame.assign(reason=reason)[["value", "ci_low", "ci_high", "unit", "reason"]].to_dict(orient="index")
    return {"" if group == ALL else str(group): Estimate(**row) for group, row in rows.items()}


def _why_none(backtest, model):
    """Why a model projected nothing, from as many periods as possible: the reasons, at most two, and how many more."""
    rows = backtest[(backtest.model == model) | backtest.model.isna()]
    latest = rows[rows.origin.isna() | (rows.origin == rows.groupby("group").origin.transform("max"))]
    reasons = latest.reason[latest.reason != ""].unique()
    more = f"; and {len(reasons) - 2:,} more" if len(reasons) > 2 else ""
    return "; ".join(reasons[:2]) + more or "no place was projected by all models and curves"
