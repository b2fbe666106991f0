"""What every model of this package reads of a frame, and what it refuses."""

from functools import partial

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype

from crmlab.clv.tables import with_age
from crmlab.contracts import InputError
from crmlab.orders import need_amounts

EXACT = 2**53  # beyond it, floats skip whole numbers
NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal", "boolean", "empty")  # as pandas calls them


class Validated(pd.DataFrame):
    """A summary that was checked: what many draws ask of the same customers need not be checked by each of them.

    Where it does not say how many `customers` a row stands for, that is one.

    What is made of it, as by `assign`, is a plain frame again.
    """

    def __init__(self, customers):
        customers = with_age(customers)
        alone = isinstance(customers, pd.DataFrame) and "customers" not in customers
        super().__init__(customers.assign(customers=1) if alone else customers)
        object.__setattr__(self, "kinds", distinct_histories(customers))
        object.__setattr__(self, "counts", customer_weights(customers))


def distinct_histories(customers):
    """The distinct kinds of customer: frequency, recency, age as arrays of float, sorted; and of each row, its kind.

    Raises InputError with everything impossible in them.
    """
    if isinstance(customers, Validated):
        return customers.kinds
    x, t_x, T, which = distinct(*_numbers(customers, "frequency", "recency", "age"))
    faults = {
        "no finite frequency, recency or age": ~np.isfinite(x + t_x + T),
        "a frequency below 0": x < 0,
        "a frequency that is no whole number below 2^53": np.isfinite(x) & ((x % 1 > 0) | (x >= EXACT)),
        "an age below 0": T < 0,
        "an age of 2^53 or more": np.isfinite(T) & (T >= EXACT),
        "a recency below 0": t_x < 0,
        "a recency beyond the age": t_x > T,
        "repeat orders but recency 0": (x > 0) & (t_x == 0),
        "no repeat order but a recency": (x == 0) & (t_x > 0),
    }
    _refuse(customers, {what: mask[which] for what, mask in faults.items() if mask.any()})
    return x, t_x, T, which


def spend_columns(customers):
    """frequency and monetary_value as arrays of float. Raises InputError with everything impossible in them.

    Raises FitError where the data hold no amounts.
    """
    x, m = _numbers(customers, "frequency", "monetary_value")
    need_amounts(m)
    faults = {"a frequency below 0": x < 0, "a monetary_value below 0": m < 0}
    _refuse(customers, {"no finite frequency or monetary_value": ~np.isfinite(x + m)} | faults)
    return x, m


def customer_weights(customers):
    """How many customers each row stands for: array of int. Raises InputError where that is no count."""
    if isinstance(customers, Validated):
        return customers.counts
    if "customers" not in customers:
        return np.ones(len(customers), dtype=int)
    (found,) = _numbers(customers, "customers")
    whole = (found >= 0) & np.isfinite(found) & (found == np.floor(found))
    _refuse(customers, {"a number of customers that is no whole number, 0 or more": ~whole})
    if found.sum() >= EXACT:
        raise InputError(f"customers: the rows stand for {found.sum():.3g} customers; at most 2^53 can be counted")
    return found.astype(int)


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
        raise InputError(f"discount_annual = {discount_annual!r}: choose a yearly rate of 0 or more, as .1 for 10 %")
    return np.log1p(discount_annual) / 365


def infinite_mean(name: str, value: float) -> str:
    """The message where undiscounted orders over an infinite horizon have no finite mean."""
    return (
        f"discount_annual = 0: undiscounted orders over an infinite horizon have no finite mean as {name} = "
        f"{value:.4g} is at most 1; choose a rate above 0, or a number of horizon_days"
    )


def validated_margin(margin):
    """`margin`, as it is. Raises InputError unless it is a share, 0 to 1."""
    if not 0 <= margin <= 1:
        raise InputError(f"margin = {margin!r}: choose the share of spend that is profit, 0 to 1")
    return margin


def validated_horizon(ahead, name="horizon_days", whole=False):
    """What lies `ahead`, as it is. Raises InputError unless it is finite, at least 0 and, where asked, whole."""
    found = np.asarray(ahead, dtype=float)
    if not (np.isfinite(found) & (found >= 0) & ((found % 1 == 0) | (not whole))).all():
        number = "a whole number" if whole else "a finite number"
        raise InputError(f"{name} = {ahead!r}: choose {number} of them, 0 or more")
    return ahead


validated_periods = partial(validated_horizon, name="periods", whole=True)


def _numbers(customers, *names):
    """Columns as arrays of float, NaN where empty. Raises InputError with every one that is missing or no number."""
    if not isinstance(customers, pd.DataFrame):
        raise InputError(
            f"customers: a {type(customers).__name__} is no pandas frame; clv.collapse makes one of a summary"
        )
    faults, customers = [], with_age(customers)
    for name in names:
        count = list(customers.columns).count(name)
        if count != 1:
            there = f"are {count} columns" if count else "is no column"
            faults.append(f"customers: there {there} {name!r}; give it once")
        elif (kind := infer_dtype(customers[name], skipna=True)) not in NUMBERS:
            faults.append(f"customers: {name!r} holds {kind}, not numbers; give counts, days and money as numbers")
    if faults:
        raise InputError(*faults)
    return [customers[name].to_numpy(dtype=float, na_value=np.nan) for name in names]


def _refuse(customers, faults):
    found = [
        f"customers: {np.sum(mask):,} of {len(customers):,} rows have {what} (first: row {customers.index[mask][0]}); "
        "correct or drop them"
        for what, mask in faults.items()
        if mask.any()
    ]
    if found:
        raise InputError(*found)
