"""Projections of retention made from the first periods alone, with what was observed: models beside curves.

A linear, an exponential or a quadratic curve, drawn by least squares through the survival observed so far, is what a
spreadsheet offers; none knows that customers differ. [Fader & Hardie 2007]
"""

import numpy as np
import pandas as pd

from crmlab.lifecycle.models.projection import fit_retention
from crmlab.lifecycle.models.survival import at_risk_and_lost, survival_curve

MIN_PERIODS = 4  # periods to project from, at least
CURVES = ("linear", "exponential", "quadratic")
COLUMNS = [
    "group", "origin", "model", "is_baseline", "period", "horizon", "expected", "actual", "error", "at_risk", "lost",
    "reason",
]  # fmt: skip


def backtest_retention(durations: pd.DataFrame, min_periods: int = MIN_PERIODS) -> pd.DataFrame:
    """What was expected of each later period from those up to each origin, with what was observed.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    min_periods : int
        The fewest periods to project from; each number from there to the last but one is taken.

    Returns
    -------
    DataFrame
        group; origin, periods projected from; model: sBG, BdW, linear, exponential or quadratic; is_baseline, whether
        it is a curve; period, the one projected; horizon, how many after the origin; expected and actual, share of all
        customers that survives it, 0 to 1 (curves may leave that range, as drawn); error, expected − actual; at_risk
        and lost, customers whose renewal of that period was observed, and of them those lost; reason, why there is no
        projection, or nothing to project: numbers are NA then. The models, unlike the curves, know how many customers
        each share stands for.
    """
    parts = [_of_group(group, rows, min_periods) for group, rows in durations.groupby("group")]
    frame = pd.concat(parts, ignore_index=True)
    counts = dict.fromkeys(("origin", "period", "at_risk", "lost"), "Int64")
    frame = frame.astype({"expected": "Float64", "actual": "Float64"} | counts)
    frame["horizon"], frame["error"] = frame.period - frame.origin, frame.expected - frame.actual
    frame["is_baseline"] = frame.model.isin(CURVES)
    return frame[COLUMNS]


def _of_group(group, durations, min_periods):
    """The projections of one group: from each number of periods."""
    observed = survival_curve(durations).survival.dropna().to_numpy()
    last = max(len(observed) - 1, 0)
    at_risk, lost = (found[:last] for found in at_risk_and_lost(durations))
    if last <= min_periods:
        reason = f"{last} of the {min_periods + 1} periods that a backtest needs were observed"
        return pd.DataFrame([dict.fromkeys(COLUMNS, pd.NA) | {"group": group, "reason": reason}])
    parts = [
        pd.DataFrame(
            {"group": group, "origin": origin, "model": title, "period": np.arange(origin + 1, last + 1)}
            | {"expected": expected, "actual": observed[origin + 1 :], "reason": reason}
            | {"at_risk": at_risk[origin:], "lost": lost[origin:]}
        )
        for origin in range(min_periods, last)
        for title, expected, reason in _expected(durations, observed, origin)
    ]
    return pd.concat(parts, ignore_index=True)


def _expected(durations, observed, origin):
    """Each model's title, what it expects of the periods after `origin`, and why it expects nothing."""
    ahead = np.arange(origin + 1, len(observed))
    for (_, title), model in fit_retention(durations, origin, replicates=0).items():
        yield title, model.survival(ahead).to_numpy() if model else pd.NA, "" if model else str(model)
    for title in CURVES:
        if title == "exponential" and not observed[origin]:
            yield title, pd.NA, "nobody is left, and an exponential curve never falls to 0"
        else:
            yield title, _extrapolated(title, observed[: origin + 1], ahead), ""


def _extrapolated(title, observed, ahead):
    """A curve through the survival observed, period 0 included, and where it leads."""
    t = np.arange(len(observed))
    if title == "exponential":
        return np.exp(np.polyval(np.polyfit(t, np.log(observed), 1), ahead))
    return np.polyval(np.polyfit(t, observed, {"linear": 1, "quadratic": 2}[title]), ahead)
