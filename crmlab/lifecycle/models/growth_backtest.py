"""Growth curves put to the test: fitted to the first periods, judged on those after, beside two simple rules."""

import numpy as np
import pandas as pd

from crmlab.lifecycle.models.growth import CURVES, FEWEST, checked
from crmlab.likelihood import FitError

LAST, TREND = "last period again", "last change again"
NAIVE = (LAST, TREND)
ORIGINS = 12  # at most, evenly placed
COLUMNS = ["origin", "time", "ahead", "rule", "naive", "expected", "actual", "told"]


def rolling(sales, ahead=None):
    """What each curve and simple rule expected, from each origin, beside what came: a frame.

    sales   : Series, one value a period in order
    ahead   : periods to foretell from each origin; None takes a third of the series, at least one
    returns : one row per origin, rule and period after it
        origin    periods seen
        time      the period foretold
        ahead     how many after the last one seen, from 1
        rule      a growth curve, "last period again", or "last change again", not below 0
        naive     whether it is one of the simple rules
        expected, actual  sales; expected is NA where the curve could not be fitted
        told      why not
    Raises InputError on sales that cannot be, FitError where there are fewer than five periods.
    """
    y, least = checked(sales), FEWEST + 1
    if len(y) <= least:
        raise FitError(f"cannot be estimated: {len(y):,} of the {least + 1} periods that a backtest needs at least")
    ahead = max(len(y) // 3, 1) if ahead is None else ahead
    origins = np.unique(np.linspace(least, len(y) - 1, min(ORIGINS, len(y) - least)).round().astype(int))
    rows = []
    for origin in origins:
        steps = np.arange(1, min(ahead, len(y) - origin) + 1)
        for rule, expected, told in _foretold(y[:origin], steps):
            rows += [
                (origin, sales.index[origin + step - 1], step, rule, rule in NAIVE, value, y[origin + step - 1], told)
                for step, value in zip(steps, expected, strict=True)
            ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _foretold(seen, steps):
    """Each rule, what it expects, and why it expects nothing."""
    yield LAST, np.full(len(steps), seen[-1]), ""
    yield TREND, np.maximum(seen[-1] + (seen[-1] - seen[-2]) * steps, 0), ""
    for cls in CURVES:
        try:
            yield cls.title, cls.fit(seen).sales(len(seen) + steps), ""
        except FitError as reason:
            yield cls.title, np.full(len(steps), np.nan), str(reason)
