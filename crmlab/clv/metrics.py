"""Expected beside actual orders, and what they say of the models."""

import itertools

import numpy as np
import pandas as pd
from scipy import stats

from crmlab import holdout
from crmlab.result import Verdict, number


def calibration(expected, actual, by, weights=1):
    """Expected beside actual orders per customer, for each level of `by`: customers, expected, actual."""
    frame = pd.DataFrame({"customers": weights, "expected": expected * weights, "actual": actual * weights})
    sums = frame.groupby(by, observed=True).sum()
    return sums.assign(expected=sums.expected / sums.customers, actual=sums.actual / sums.customers)


def frequency_groups(frequency, max_frequency=7):
    """Customers by repeat orders, `max_frequency` and more together: an ordered Series of text, named for what it
    holds."""
    labels = [*map(str, range(max_frequency)), f"{max_frequency}+"]
    found = pd.Categorical.from_codes(frequency.clip(upper=max_frequency).astype(int), labels, ordered=True)
    return pd.Series(found.remove_unused_categories(), frequency.index, name="repeat orders")


def inactivity_groups(days_since_last, bounds=(30, 60, 90, 180, 365)):
    """Customers by days since their last order: an ordered Series of text such as "30–59", named for what it holds."""
    edges = [0, *bounds]
    labels = [f"{low}–{high - 1}" for low, high in itertools.pairwise(edges)] + [f"{edges[-1]}+"]
    found = pd.cut(days_since_last, [*edges, np.inf], right=False, labels=labels)
    return found.cat.remove_unused_categories().rename("days since the last order")


def total_within_prediction_interval(expected, actual):
    """Whether all that came lies within the predictive interval of what was expected: a Verdict.

    expected : an Estimate
    """
    return Verdict(
        "All orders of the holdout together were likely, by the model",
        bool(expected.low <= actual <= expected.high),
        f"{number(actual)} came; {expected} had been expected",
        "the model that wins the race by bias, where one does, and totals ahead with more room than their intervals",
    )


def tracking(expected, actual, week_end):
    """Expected beside actual repeat orders of all customers, week by week and summed: a frame by week.

    expected : frame of `forecast_weekly_orders`: expected, its predictive low and high, and those of the sum so far
    week_end : last day of each week
    """
    frame = expected.assign(week_end=week_end, actual=actual)
    return frame.assign(cumulative_expected=frame.expected.cumsum(), cumulative_actual=frame.actual.cumsum())


def lorenz(value, weights=1):
    """How value is spread over customers: a frame of 101 rows, a hundredth of the customers apart.

    returns
        customers  share of them, the least valuable first, 0 to 1
        value      share of all value that is theirs, 0 to 1; NaN where nobody is worth anything
    """
    shares, values = _cumulative(value, weights)
    at = np.linspace(0, 1, 101)
    return pd.DataFrame({"customers": at, "value": np.interp(at, shares, values)})


def gini_coefficient(value, weights=1):
    """Gini coefficient of value over customers: 0 where all are worth the same, near 1 where one is worth everything.

    NaN where nobody is worth anything.
    """
    shares, values = _cumulative(value, weights)
    return float(1 - 2 * np.trapezoid(values, shares))


def _cumulative(value, weights):
    """Share of customers, the least valuable first, and share of value, after each row: arrays that begin at 0."""
    lined = pd.DataFrame({"customers": weights, "value": value * weights, "each": value}).sort_values("each")
    sums = np.vstack([[0, 0], lined[["customers", "value"]]]).cumsum(axis=0)
    shares = np.divide(sums, sums[-1], out=np.full_like(sums, np.nan), where=sums[-1] != 0)
    return shares[:, 0], shares[:, 1]


def spend_by_frequency(frequency, monetary_value, weights=1, max_frequency=7):
    """Mean spend of repeat buyers by how often they ordered again, `max_frequency` and more together: a frame by repeat
    orders.

    customers, mean, and the 95 % confidence interval of the mean, ci_low and ci_high, where it has one
    """
    by, n = frequency_groups(frequency, max_frequency), frequency * 0 + weights
    count = n.groupby(by).sum()
    mean = (n * monetary_value).groupby(by).sum() / count
    square = (n * (monetary_value - by.map(mean).astype(float)) ** 2).groupby(by).sum()
    reach = stats.norm.ppf(0.975) * np.sqrt(square / (count - 1).where(count > 1) / count)
    return pd.DataFrame({"customers": count, "mean": mean, "ci_low": mean - reach, "ci_high": mean + reach})


def spend_independent_of_frequency(frequency, monetary_value, weights=1, limit=0.2):
    """Whether repeat buyers' spend a day is near enough independent of how often they buy: a Verdict.

    It passes where the whole 95 % interval of their correlation lies within ± `limit`, and does not where it cannot be
    judged, as one of the two is the same for all.
    """
    claim = f"Spend is near enough independent of order frequency (correlation within ±{limit:g})"
    instead = "expected orders and expected spend apart, not their product"
    count = int((frequency * 0 + weights).sum())
    alike = [what for what, column in (("order", frequency), ("spend", monetary_value)) if column.nunique() < 2]
    if alike:
        told = f"cannot be judged: all {count:,} repeat buyers {' and '.join(alike)} alike"
        return Verdict(claim, False, told, instead)
    r = holdout.correlation(frequency, monetary_value, weights)
    low, high = holdout.correlation_interval(r, count)
    told = f"correlation {number(r)} (95 % {number(low)} to {number(high)}) over {count:,} repeat buyers"
    return Verdict(claim, -limit <= low and high <= limit, told, instead)
