"""The same comparison from several origins, as one period may flatter a model."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.holdout.comparison import NO_VALUE, NOT_FITTED, NOTHING_CAME, VALUE_COLUMNS, compare, outcomes

ALL_ORIGINS = "all origins"
KEYS = ["population", "measure", "model"]


def origins(first: date, last: date, horizon_days: int, count: int = 3) -> list[date]:
    """`count` days to forecast `horizon_days` from, evenly placed, oldest first: dates.

    first, last : first and last day of the data
    The latest leaves a holdout that ends on `last`; the oldest comes after half as many days as the latest, so that
    there is something to learn from. Raises InputError where the data are `too_short`.
    """
    if reason := too_short(first, last, horizon_days, count):
        raise InputError(reason)
    longest = (last - first).days - horizon_days
    return [first + timedelta(longest - longest // 2 * back // max(count - 1, 1)) for back in reversed(range(count))]


def too_short(first: date, last: date, horizon_days: int, count: int = 3) -> str:
    """Why the data hold no such `origins`, with what would fit; empty where they hold them.

    Raises InputError where fewer than one origin, or than one day after each, was asked for.
    """
    if count < 1 or horizon_days < 1:
        asked = f"{count} origins with {horizon_days} days after each were asked for"
        raise InputError(f"{asked}; choose at least one origin, and at least one day")
    span, least = (last - first).days, _least(count)
    longest = span - horizon_days
    if longest >= least:
        return ""
    offers = [f"at most {_counted(longest // 2 + 1, 'origin')}"] if longest > 0 else []
    offers += [f"at most {_counted(span - least, 'day')} after each, by a later split"] if span > least else []
    offers += [f"data that run over at least {_counted(least + horizon_days, 'day')}, with no more after each"]
    asked = f"{_counted(count, 'origin')} with {_counted(horizon_days, 'day')} after each"
    return f"{asked} do not fit into the {_counted(span, 'day')} from {first} to {last}; choose {', or '.join(offers)}"


def _counted(count, word):
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _least(count):
    """How many days come before the latest of `count` origins, so that they differ and something is learned."""
    return max(2 * (count - 1), 1)


def rolling(by_origin: Mapping[Any, Mapping[str, Any]], **options: Any) -> pd.DataFrame:
    """`compare` from each origin and over all of them: its frame behind the column origin, "all origins" last.

    The rows of all origins hold means over those from which a model was fitted. A difference is from the best baseline
    of its origin, so that a model that could not be fitted from every origin is set beside the baselines of the others
    alone, and `baseline` names those. As origins share customers, and holdouts may overlap, an interval is the mean of
    theirs: as wide as if all erred together, and so not too narrow.

    Parameters
    ----------
    by_origin : mapping
        Origin -> arguments of `compare` by name.
    **options
        Arguments of `compare` that all share.

    Returns
    -------
    DataFrame
        The columns of `compare`; origin, as text; origins, how many the numbers come from, 0 where the model was not
        fitted.
    """
    return over_origins({origin: compare(**arguments, **options) for origin, arguments in by_origin.items()})


def over_origins(comparisons: Mapping[Any, pd.DataFrame]) -> pd.DataFrame:
    """Comparisons from several origins, and over all of them, as `rolling` gives them.

    comparisons : origin -> what `compare` or `tabulate` returned
    """
    each = [table.assign(origin=str(origin)) for origin, table in comparisons.items()]
    table = pd.concat(each, ignore_index=True)
    table["origins"] = (table.outcome != NOT_FITTED).astype(int)
    table = pd.concat([table, _pooled(table)], ignore_index=True)
    return table[["origin", "origins", *table.columns.drop(["origin", "origins"])]]


def _pooled(table):
    """The rows of all origins."""
    fitted = table[table.origins > 0].groupby(KEYS, sort=False)
    means = fitted[VALUE_COLUMNS].mean(skipna=False).join(fitted.baseline.agg(_alternatives))
    flags = table.groupby(KEYS, sort=False).agg(is_baseline=("is_baseline", "first"), origins=("origins", "sum"))
    pooled = flags.join(means).reset_index()
    fitted_somewhere, count = pooled.origins > 0, table.origin.nunique()
    outcome = outcomes(pooled).where(fitted_somewhere, NOT_FITTED)
    reason = np.where(outcome == NO_VALUE, f"{NOTHING_CAME}, after some origin", "")
    reason = np.where(fitted_somewhere, reason, f"not fitted from any of {count} origins")
    return pooled.assign(outcome=outcome, reason=reason, origin=ALL_ORIGINS)


def _alternatives(baselines):
    return " or ".join(baselines.unique())
