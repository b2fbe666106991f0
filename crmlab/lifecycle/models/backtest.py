"""Projections of retention made from the first periods alone, with what came: models beside curves drawn through them.

A linear, an exponential or a quadratic curve, drawn by least squares through the survival seen so far, is what a
spreadsheet offers; none knows that customers differ. [Fader & Hardie 2007]
"""

import numpy as np
import pandas as pd

from crmlab.lifecycle.models import survival
from crmlab.lifecycle.models.projection import retention_models

MIN_PERIODS = 4  # periods known, at least
CURVES = ("linear", "exponential", "quadratic")


def backtest_retention(durations, min_periods=MIN_PERIODS):
    """What was expected of each later period from those up to each origin, with what came: a frame.

    min_periods : the fewest periods to project from; each number from there to the last but one is taken
    returns
        group, origin, model  origin: periods projected from; sBG, BdW, linear, exponential, quadratic
        is_baseline          whether it is a curve
        period, horizon      the period projected, and how many after the last known one
        expected, actual     share of all customers that survives it, 0 to 1; curves may leave that range, as drawn
        error                expected − actual
        reason               "" or why there is no projection, or nothing to project; numbers are NA then
    The models, unlike the curves, know how many customers each share stands for.
    """
    parts = [_of_group(group, rows, min_periods) for group, rows in durations.groupby("group")]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.astype(
        dict.fromkeys(("expected", "actual"), "Float64") | dict.fromkeys(("origin", "period"), "Int64")
    )
    frame["horizon"], frame["error"] = frame.period - frame.origin, frame.expected - frame.actual
    frame["is_baseline"] = frame.model.isin(CURVES)
    names = ["group", "origin", "model", "is_baseline", "period", "horizon", "expected", "actual", "error", "reason"]
    return frame[names]


def _of_group(group, durations, min_periods):
    """The projections of one group: from each number of periods."""
    observed = survival.survival_curve(durations).survival.to_numpy()
    last = len(observed) - 1
    if last <= min_periods:
        reason = (
            f"cannot be estimated: nothing was seen after period {last}, and a projection from {min_periods} needs it"
        )
        blank = {"group": group, "origin": pd.NA, "model": pd.NA, "period": pd.NA, "expected": pd.NA, "actual": pd.NA}
        return pd.DataFrame([blank | {"reason": reason}])
    parts = [
        pd.DataFrame(
            {"group": group, "origin": origin, "model": title, "period": np.arange(origin + 1, last + 1)}
            | {"expected": expected, "actual": observed[origin + 1 :], "reason": reason}
        )
        for origin in range(min_periods, last)
        for title, expected, reason in _expected(durations, observed, origin)
    ]
    return pd.concat(parts, ignore_index=True)


def _expected(durations, observed, origin):
    """Each model's title, what it expects of the periods after `origin`, and why it expects nothing."""
    ahead = np.arange(origin + 1, len(observed))
    for (_, title), model in retention_models(durations, origin).items():
        failed = isinstance(model, str)
        yield title, pd.NA if failed else model.survival(ahead), model if failed else ""
    for title in CURVES:
        if title == "exponential" and not observed[origin]:
            yield title, pd.NA, "cannot be estimated: nobody is left, and an exponential curve never falls to 0"
        else:
            yield title, _extrapolated(title, observed[: origin + 1], ahead), ""


def _extrapolated(title, observed, ahead):
    """A curve through the survival seen, period 0 included, and where it leads."""
    t = np.arange(len(observed))
    if title == "exponential":
        return np.exp(np.polyval(np.polyfit(t, np.log(observed), 1), ahead))
    return np.polyval(np.polyfit(t, observed, {"linear": 1, "quadratic": 2}[title]), ahead)
