"""Growth curves fitted to the first periods and judged on those after, beside two baselines."""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.lifecycle.models.growth import CURVES, MIN_PERIODS, no_growth_reason, validated_sales
from crmlab.lifecycle.models.growth_baselines import BASELINES
from crmlab.model import blank_of

MAX_ORIGINS = 12  # at most, evenly placed
COLUMNS = ["origin", "time", "horizon", "model", "is_baseline", "expected", "actual", "reason"]


def backtest_growth(sales: pd.Series, periods_ahead: int | None = None) -> pd.DataFrame:
    """What each curve and baseline expected, from each origin, beside what was sold.

    Parameters
    ----------
    sales : Series
        Sales of each period in order, from launch; none missing, none negative.
    periods_ahead : int, optional
        Periods to predict from each origin; None takes a third of the series, at least one.

    Returns
    -------
    DataFrame
        A row for each origin, model and period after it: origin, periods observed; time, the period predicted;
        horizon, how many after the last one observed, from 1; model, a growth curve, "last period again", or "last
        change again", not below 0; is_baseline; expected and actual, sales, expected NA where the curve could not be
        fitted; reason, why not. Blank where there are fewer than five periods.

    Raises
    ------
    InputError
        Where sales are missing, not finite or negative, or `periods_ahead` is below 1.
    """
    y, least = validated_sales(sales), MIN_PERIODS + 1
    if periods_ahead is not None and periods_ahead < 1:
        raise InputError(f"periods_ahead = {periods_ahead!r}: choose a whole number, 1 or more")
    too_few = f"{len(y):,} of the {least + 1} periods that a backtest needs were observed"
    if reason := too_few if len(y) <= least else no_growth_reason(y):
        return blank_of(pd.DataFrame, reason)
    periods_ahead = max(len(y) // 3, 1) if periods_ahead is None else periods_ahead
    origins = np.unique(np.linspace(least, len(y) - 1, min(MAX_ORIGINS, len(y) - least)).round().astype(int))
    parts = []
    for origin in origins:
        steps = np.arange(1, min(periods_ahead, len(y) - origin) + 1)
        ahead = {"origin": origin, "time": sales.index[origin + steps - 1], "horizon": steps}
        ahead["actual"] = y[origin + steps - 1]
        parts += [pd.DataFrame(ahead | predicted) for predicted in _predictions(y[:origin], steps)]
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _predictions(observed, steps):
    """What each model expects, or why nothing."""
    for baseline in BASELINES:
        expected = baseline.fit(observed).sales_ahead(len(steps)).expected.to_numpy()
        yield {"model": baseline.title, "is_baseline": True, "expected": expected, "reason": ""}
    for cls in CURVES:
        model = cls.fit(observed, replicates=0)
        expected = model.sales(len(observed) + steps).to_numpy() if model else np.nan
        yield {"model": cls.title, "is_baseline": False, "expected": expected, "reason": "" if model else str(model)}
