"""Growth curves put to the test: fitted to the first periods, judged on those after, beside two simple rules."""

import numpy as np
import pandas as pd

from crmlab.lifecycle.models.growth import CURVES, MIN_PERIODS, validated_sales
from crmlab.likelihood import FitError

LAST, TREND = "last period again", "last change again"
BASELINES = (LAST, TREND)
MAX_ORIGINS = 12  # at most, evenly placed
COLUMNS = ["origin", "time", "horizon", "model", "is_baseline", "expected", "actual", "reason"]


def backtest_growth(sales, periods_ahead=None):
    """What each curve and simple rule expected, from each origin, beside what came: a frame.

    sales   : Series, one value a period in order
    periods_ahead : periods to predict from each origin; None takes a third of the series, at least one
    returns : one row per origin, model and period after it
        origin    periods seen
        time      the period predicted
        horizon   how many after the last one seen, from 1
        model     a growth curve, "last period again", or "last change again", not below 0
        is_baseline   whether it is one of BASELINES
        expected, actual  sales; expected is NA where the curve could not be fitted
        reason    why not
    Raises InputError on sales that cannot be, FitError where there are fewer than five periods.
    """
    y, least = validated_sales(sales), MIN_PERIODS + 1
    if len(y) <= least:
        raise FitError(f"cannot be estimated: {len(y):,} of the {least + 1} periods that a backtest needs at least")
    periods_ahead = max(len(y) // 3, 1) if periods_ahead is None else periods_ahead
    origins = np.unique(np.linspace(least, len(y) - 1, min(MAX_ORIGINS, len(y) - least)).round().astype(int))
    rows = []
    for origin in origins:
        steps = np.arange(1, min(periods_ahead, len(y) - origin) + 1)
        for model, expected, reason in _predictions(y[:origin], steps):
            rows += [
                (
                    origin,
                    sales.index[origin + step - 1],
                    step,
                    model,
                    model in BASELINES,
                    value,
                    y[origin + step - 1],
                    reason,
                )
                for step, value in zip(steps, expected, strict=True)
            ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _predictions(observed, steps):
    """Each model, what it expects, and why it expects nothing."""
    yield LAST, np.full(len(steps), observed[-1]), ""
    yield TREND, np.maximum(observed[-1] + (observed[-1] - observed[-2]) * steps, 0), ""
    for cls in CURVES:
        try:
            yield cls.title, cls.fit(observed).sales(len(observed) + steps), ""
        except FitError as reason:
            yield cls.title, np.full(len(steps), np.nan), str(reason)
