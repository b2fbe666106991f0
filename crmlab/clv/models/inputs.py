"""What every model of this package reads of a frame, and what it refuses."""

import numpy as np

from crmlab.contracts import InputError

EXACT = 2**53  # beyond it, floats skip whole numbers


def repeat_buying(summary):
    """frequency, recency and age as arrays of float; days. Raises InputError with everything impossible in them."""
    x, t_x, T = (summary[name].to_numpy(dtype=float, na_value=np.nan) for name in ("frequency", "recency", "age"))
    _refuse(
        summary,
        {
            "no finite frequency, recency or age": ~np.isfinite(x + t_x + T),
            "a frequency below 0": x < 0,
            "a frequency that is no whole number below 2^53": np.isfinite(x) & ((x % 1 > 0) | (x >= EXACT)),
            "an age below 0": T < 0,
            "a recency below 0": t_x < 0,
            "a recency beyond the age": t_x > T,
            "repeat orders but recency 0": (x > 0) & (t_x == 0),
            "no repeat order but a recency": (x == 0) & (t_x > 0),
        },
    )
    return x, t_x, T


def spending(summary):
    """frequency and monetary_value as arrays of float. Raises InputError with everything impossible in them."""
    x, m = (summary[name].to_numpy(dtype=float, na_value=np.nan) for name in ("frequency", "monetary_value"))
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
        return summary["customers"].to_numpy()
    return np.ones(len(summary), dtype=int)


def distinct(summary):
    """frequency, recency, age and the number of customers of each distinct kind: four arrays."""
    x, t_x, T = repeat_buying(summary)
    order = np.lexsort((T, t_x, x))
    x, t_x, T = x[order], t_x[order], T[order]
    new = np.flatnonzero(np.r_[True, (np.diff(x) != 0) | (np.diff(t_x) != 0) | (np.diff(T) != 0)][: x.size])
    return x[new], t_x[new], T[new], np.add.reduceat(count_customers(summary)[order], new) if x.size else new


def daily_rate(discount_annual):
    """The continuous rate a day that makes money worth `discount_annual` less a year on: ln(1 + d) / 365."""
    return np.log1p(discount_annual) / 365


def _refuse(summary, faults):
    found = [
        f"customers: {np.sum(mask):,} of {len(summary):,} rows have {what} (first: row {summary.index[mask][0]}); "
        "mend or drop them"
        for what, mask in faults.items()
        if np.any(mask)
    ]
    if found:
        raise InputError(*found)
