"""What every model of this package reads of a frame."""

import numpy as np


def repeat_buying(summary):
    """frequency, recency and age as arrays of float; days."""
    return (summary[name].to_numpy(dtype=float) for name in ("frequency", "recency", "age"))


def count_customers(summary):
    """How many customers each row stands for: array of int."""
    if "customers" in summary:
        return summary["customers"].to_numpy()
    return np.ones(len(summary), dtype=int)


def daily_rate(discount_annual):
    """The continuous rate a day that makes money worth `discount_annual` less a year on: ln(1 + d) / 365."""
    return np.log1p(discount_annual) / 365
