"""What every model of this package reads of a frame, and what it refuses."""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError

EXACT = 2**53  # beyond it, floats skip whole numbers


class Checked(pd.DataFrame):
    """A summary that was checked: what many draws ask of the same customers need not be checked by each of them.

    What is made of it, as by `assign`, is a plain frame again.
    """

    def __init__(self, summary):
        super().__init__(summary)
        object.__setattr__(self, "kinds", repeat_buying(summary))


def repeat_buying(summary):
    """The distinct kinds of customer: frequency, recency, age as arrays of float, sorted; and of each row, its kind.

    Raises InputError with everything impossible in them.
    """
    if isinstance(summary, Checked):
        return summary.kinds
    x, t_x, T, which = distinct(*(_floats(summary[name]) for name in ("frequency", "recency", "age")))
    faults = {
        "no finite frequency, recency or age": ~np.isfinite(x + t_x + T),
        "a frequency below 0": x < 0,
        "a frequency that is no whole number below 2^53": np.isfinite(x) & ((x % 1 > 0) | (x >= EXACT)),
        "an age below 0": T < 0,
        "a recency below 0": t_x < 0,
        "a recency beyond the age": t_x > T,
        "repeat orders but recency 0": (x > 0) & (t_x == 0),
        "no repeat order but a recency": (x == 0) & (t_x > 0),
    }
    _refuse(summary, {what: mask[which] for what, mask in faults.items() if mask.any()})
    return x, t_x, T, which


def spending(summary):
    """frequency and monetary_value as arrays of float. Raises InputError with everything impossible in them."""
    x, m = _floats(summary["frequency"]), _floats(summary["monetary_value"])
    if np.isfinite(x.sum() + m.sum()) and min(x.min(initial=0), m.min(initial=0)) == 0:
        return x, m
    _refuse(
        summary,
        {
            "no finite frequency or monetary_value": ~np.isfinite(x + m),
            "a frequency below 0": x < 0,
            "a monetary_value below 0": m < 0,
        },
    )
    return x, m


def count_customers(summary):
    """How many customers each row stands for: array of int."""
    if "customers" in summary:
        found = summary["customers"].to_numpy()
        if not np.issubdtype(found.dtype, np.integer) or (found < 0).any():
            floats = _floats(summary["customers"])
            _refuse(
                summary,
                {"a number of customers that is no whole number, 0 or more": ~((floats >= 0) & (floats % 1 == 0))},
            )
            return floats.astype(int)
        return found
    return np.ones(len(summary), dtype=int)


def distinct(*columns):
    """The distinct rows of columns side by side, sorted, a column each; and of each row, which of them it is."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        codes, values = pd.factorize(column, use_na_sentinel=False)
        key = key * max(len(values), 1) + codes
    codes, keys = pd.factorize(key)
    first = np.empty(len(keys), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(key))[::-1]
    order = np.lexsort([column[first] for column in reversed(columns)])
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return *(column[first][order] for column in columns), place[codes]


def daily_rate(discount_annual):
    """The continuous rate a day that makes money worth `discount_annual` less a year on: ln(1 + d) / 365."""
    if not 0 <= discount_annual < np.inf:
        raise ValueError(f"discount_annual = {discount_annual!r}: choose a yearly rate of 0 or more, as .1 for 10 %")
    return np.log1p(discount_annual) / 365


def horizon(days):
    """`days` ahead, as they are. Raises ValueError unless they are finite and at least 0; None, for ever, is not."""
    found = np.asarray(days, dtype=float)
    if not (np.isfinite(found) & (found >= 0)).all():
        raise ValueError(f"days = {days!r}: choose a finite number of them, 0 or more")
    return days


def whole_horizon(periods):
    """`periods` ahead, as they are. Raises ValueError unless they are whole numbers, at least 0."""
    found = np.asarray(periods, dtype=float)
    if not (np.isfinite(found) & (found >= 0) & (found % 1 == 0)).all():
        raise ValueError(f"periods = {periods!r}: choose a whole number of them, 0 or more")
    return periods


def _floats(column):
    return column.to_numpy(dtype=float, na_value=np.nan)


def _refuse(summary, faults):
    found = [
        f"customers: {np.sum(mask):,} of {len(summary):,} rows have {what} (first: row {summary.index[mask][0]}); "
        "mend or drop them"
        for what, mask in faults.items()
        if mask.any()
    ]
    if found:
        raise InputError(*found)
