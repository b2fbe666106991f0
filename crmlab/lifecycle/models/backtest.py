"""Projections of retention made from the first periods alone, with what came: models beside curves drawn through them.

A linear, an exponential or a quadratic curve, drawn by least squares through the survival seen so far, is what a
spreadsheet offers; none knows that customers differ. [Fader & Hardie 2007]
"""

import numpy as np
import pandas as pd

from crmlab.lifecycle.models import survival
from crmlab.lifecycle.models.projection import fits

FIRST = 4  # periods known, at least
CURVES = ("linear", "exponential", "quadratic")


def projections(durations, first=FIRST):
    """What was expected of each later period from the first `known` ones, with what came: a frame.

    first   : the fewest periods to project from; each number from there to the last but one is taken
    returns
        group, known, model  known: periods projected from; sBG, BdW, linear, exponential, quadratic
        naive                whether it is a curve
        period, horizon      the period projected, and how many after the last known one
        expected, actual     share of all customers that survives it, 0 to 1; curves may leave that range, as drawn
        error                expected − actual
        reason               "" or why there is no projection, or nothing to project; numbers are NA then
    The models, unlike the curves, know how many customers each share stands for.
    """
    parts = [_of_group(group, rows, first) for group, rows in durations.groupby("group")]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.astype(dict.fromkeys(("expected", "actual"), "Float64") | dict.fromkeys(("known", "period"), "Int64"))
    frame["horizon"], frame["error"] = frame.period - frame.known, frame.expected - frame.actual
    frame["naive"] = frame.model.isin(CURVES)
    names = ["group", "known", "model", "naive", "period", "horizon", "expected", "actual", "error", "reason"]
    return frame[names]


def _of_group(group, durations, first):
    """The projections of one group: from each number of periods."""
    seen = survival.curve(durations).survival.to_numpy()
    last = len(seen) - 1
    if last <= first:
        reason = f"cannot be estimated: nothing was seen after period {last}, and a projection from {first} needs it"
        blank = {"group": group, "known": pd.NA, "model": pd.NA, "period": pd.NA, "expected": pd.NA, "actual": pd.NA}
        return pd.DataFrame([blank | {"reason": reason}])
    parts = [
        pd.DataFrame(
            {"group": group, "known": known, "model": title, "period": np.arange(known + 1, last + 1)}
            | {"expected": expected, "actual": seen[known + 1 :], "reason": reason}
        )
        for known in range(first, last)
        for title, expected, reason in _expected(durations, seen, known)
    ]
    return pd.concat(parts, ignore_index=True)


def _expected(durations, seen, known):
    """Each model's title, what it expects of the periods after `known`, and why it expects nothing."""
    ahead = np.arange(known + 1, len(seen))
    for (_, title), model in fits(durations, known).items():
        failed = isinstance(model, str)
        yield title, pd.NA if failed else model.survival(ahead), model if failed else ""
    for title in CURVES:
        if title == "exponential" and not seen[known]:
            yield title, pd.NA, "cannot be estimated: nobody is left, and an exponential curve never falls to 0"
        else:
            yield title, _drawn(title, seen[: known + 1], ahead), ""


def _drawn(title, seen, ahead):
    """A curve through the survival seen, period 0 included, and where it leads."""
    t = np.arange(len(seen))
    if title == "exponential":
        return np.exp(np.polyval(np.polyfit(t, np.log(seen), 1), ahead))
    return np.polyval(np.polyfit(t, seen, {"linear": 1, "quadratic": 2}[title]), ahead)
