"""Expected beside actual orders, and what they say of the models."""

import numpy as np
import pandas as pd

from crmlab import holdout
from crmlab.result import Verdict, number


def calibration(expected, actual, by, customers=1):
    """Expected beside actual orders per customer, for each level of `by`: customers, expected, actual."""
    frame = pd.DataFrame({"customers": customers, "expected": expected * customers, "actual": actual * customers})
    sums = frame.groupby(by).sum()
    return sums.assign(expected=sums.expected / sums.customers, actual=sums.actual / sums.customers)


def tracking(expected, actual, ends):
    """Expected beside actual repeat orders of all customers, week by week and summed: a frame by week.

    ends : last day of each week
    """
    frame = pd.DataFrame({"ends": ends, "expected": expected, "actual": actual})
    return frame.assign(expected_so_far=frame.expected.cumsum(), actual_so_far=frame.actual.cumsum())


def lorenz(value, customers=1):
    """How value is spread over customers: a frame of 101 rows, a hundredth of the customers apart.

    returns
        customers  share of them, the least valuable first, 0 to 1
        value      share of all value that is theirs, 0 to 1; NaN where nobody is worth anything
    """
    shares, values = _cumulative(value, customers)
    at = np.linspace(0, 1, 101)
    return pd.DataFrame({"customers": at, "value": np.interp(at, shares, values)})


def concentration(value, customers=1):
    """Gini coefficient of value over customers: 0 where all are worth the same, near 1 where one is worth everything.

    NaN where nobody is worth anything.
    """
    shares, values = _cumulative(value, customers)
    return float(1 - 2 * np.trapezoid(values, shares))


def _cumulative(value, customers):
    """Share of customers, the least valuable first, and share of value, after each row: arrays that begin at 0."""
    lined = pd.DataFrame({"customers": customers, "value": value * customers, "each": value}).sort_values("each")
    sums = np.vstack([[0, 0], lined[["customers", "value"]]]).cumsum(axis=0)
    shares = np.divide(sums, sums[-1], out=np.full_like(sums, np.nan), where=sums[-1] != 0)
    return shares[:, 0], shares[:, 1]


def nearer_than_naive(expected, naive, actual, customers=1, seed=1):
    """Whether a model's orders are nearer to the actual ones than a naive rule's: a Verdict by mean absolute error."""
    value, low, high = holdout.difference(holdout.mae, expected, naive, actual, customers, seed=seed)
    return Verdict(
        "The model's orders are nearer to the later ones than the customer's own past rate",
        high < 0,
        f"mean absolute error {_apart(value, low, high)}",
        "the past rate, or neither where undecided",
    )


def ranks_better_than_naive(expected, naive, actual, customers=1, seed=1):
    """Whether a model ranks customers by later orders better than a naive rule: a Verdict by Spearman's correlation."""
    value, low, high = holdout.difference(holdout.spearman, expected, naive, actual, customers, seed=seed)
    return Verdict(
        "The model ranks all customers by later orders better than their own past rate does",
        low > 0,
        f"Spearman's correlation {_apart(value, low, high)}",
        "the past rate to rank all customers, or neither where undecided",
    )


def _apart(value, low, high):
    told = f"{'higher' if value > 0 else 'lower'} than the rule's by {number(abs(value))}"
    told = f"{told} (95 % of the difference: {number(low)} to {number(high)})"
    return f"{told}, undecided" if low <= 0 <= high else told


def spend_is_independent(frequency, monetary_value, customers=1, limit=0.2):
    """Whether repeat buyers' spend a day is near enough independent of how often they buy: a Verdict.

    It passes where the whole 95 % interval of their correlation lies within ± `limit`.
    """
    count = int((frequency * 0 + customers).sum())
    r = holdout.correlation(frequency, monetary_value, customers)
    low, high = holdout.correlation_interval(r, count)
    return Verdict(
        f"Spend is near enough independent of order frequency (correlation within ±{limit:g})",
        -limit <= low and high <= limit,
        f"correlation {number(r)} (95 % {number(low)} to {number(high)}) over {count:,} repeat buyers",
        "expected orders and expected spend apart, not their product",
    )
