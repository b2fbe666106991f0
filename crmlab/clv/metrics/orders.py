"""Expected beside actual orders."""

import itertools
from collections.abc import Sequence

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crmlab.clv.models.orders import OrderModel
from crmlab.clv.models.totals import forecast_weekly_orders, prediction_interval_by_group
from crmlab.clv.models.valuation import total
from crmlab.clv.tables import Customers, Orders, collapse, collapsed, weekly_orders
from crmlab.contracts import InputError
from crmlab.dataset import Period
from crmlab.estimate import Estimate
from crmlab.model import needs_fit

GROUPS = ("frequency", "inactivity")


def holdout_orders(customers: ir.Table) -> Estimate:
    """Count the orders that came in the holdout.

    Parameters
    ----------
    customers : Ibis table
        The table of `with_holdout`.

    Returns
    -------
    Estimate
        Orders, count, of `n` customers.
    """
    frame = collapse(customers, "orders")
    return Estimate(
        int(total(frame.orders, frame.customers)), n=int(frame.customers.sum()), unit="orders", kind="count"
    )


@needs_fit
def holdout_calibration(
    model: OrderModel, customers: ir.Table, horizon_days: int, by: str = "frequency", seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """Compare expected with actual orders per customer in the holdout, by group of customers.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    customers : Ibis table
        The table of `with_holdout`.
    horizon_days : int
        Length of the holdout, days.
    by : str
        frequency, repeat orders before the split; or inactivity, days since the last order at the split.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        By group: customers, count; expected and actual, orders per customer; pi_low and pi_high, prediction interval.

    Raises
    ------
    InputError
        Where `by` is neither.
    """
    if by not in GROUPS:
        raise InputError(f"by = {by!r}: choose {' or '.join(GROUPS)}")
    frame = collapse(customers, "orders")
    groups = frequency_groups(frame.frequency) if by == "frequency" else inactivity_groups(frame.age - frame.recency)
    table = calibration(model.expected_orders(frame, horizon_days), frame.orders, groups, frame.customers)
    return table.join(prediction_interval_by_group(model, frame, horizon_days, groups, seed, level))


@needs_fit
def weekly_tracking(
    model: OrderModel, customers: Customers, orders: Orders, period: Period, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """Compare expected with actual repeat orders of all customers, week by week and summed.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    customers : Ibis table or DataFrame
        The table of `summarise` as of the split, or the frame of `collapse`.
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    period : Period
        Of `orders.period`.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        By week since the first acquisition: expected and actual, count; pi_low and pi_high, prediction interval; each
        also with cumulative before their names, of all weeks up to it; week_end, its last day.
    """
    weeks = weekly_orders(orders, period.split, period.until, period.acquired_from)
    expected = forecast_weekly_orders(model, collapsed(customers), weeks.index, seed, level)
    return tracking(expected, weeks.orders, weeks.week_end)


def calibration(
    expected: pd.Series | pd.Index, actual: pd.Series | pd.Index, by: pd.Series | pd.Index, weights: pd.Series | int = 1
) -> pd.DataFrame:
    """Compare expected with actual orders per customer, by group.

    Parameters
    ----------
    expected : Series
        Orders expected of a customer, count.
    actual : Series
        Orders that came, count.
    by : Series
        Group of each row.
    weights : Series or int
        How many customers each row stands for.

    Returns
    -------
    DataFrame
        By group: customers, count; expected and actual, orders per customer.
    """
    frame = pd.DataFrame({"customers": weights, "expected": expected * weights, "actual": actual * weights})
    sums = frame.groupby(by, observed=True).sum()
    return sums.assign(expected=sums.expected / sums.customers, actual=sums.actual / sums.customers)


def frequency_groups(frequency: pd.Series, max_frequency: int = 7) -> pd.Series:
    """Group customers by repeat orders, many together.

    Parameters
    ----------
    frequency : Series
        Days with a repeat order, count.
    max_frequency : int
        Repeat orders from which on customers are one group.

    Returns
    -------
    Series
        Ordered categories of text, such as "7+", named for what they hold.
    """
    labels = [*map(str, range(max_frequency)), f"{max_frequency}+"]
    found = pd.Categorical.from_codes(frequency.clip(upper=max_frequency).astype(int), labels, ordered=True)
    return pd.Series(found.remove_unused_categories(), frequency.index, name="repeat orders")


def inactivity_groups(days_since_last: pd.Series, bounds: Sequence[int] = (30, 60, 90, 180, 365)) -> pd.Series:
    """Group customers by days since their last order.

    Parameters
    ----------
    days_since_last : Series
        Age less recency, days.
    bounds : sequence of int
        Where each group but the first begins, days.

    Returns
    -------
    Series
        Ordered categories of text, such as "30–59", named for what they hold.
    """
    edges = [0, *bounds]
    labels = [f"{low}–{high - 1}" for low, high in itertools.pairwise(edges)] + [f"{edges[-1]}+"]
    found = pd.cut(days_since_last, [*edges, np.inf], right=False, labels=labels)
    return found.cat.remove_unused_categories().rename("days since the last order")


@needs_fit
def tracking(expected: pd.DataFrame, actual: pd.Series, week_end: pd.Series) -> pd.DataFrame:
    """Compare expected with actual repeat orders of all customers, week by week and summed.

    Parameters
    ----------
    expected : DataFrame
        Of `forecast_weekly_orders`.
    actual : Series
        Repeat orders of each week, count.
    week_end : Series
        Last day of each week.

    Returns
    -------
    DataFrame
        By week: the columns of `expected`, week_end, actual, cumulative_expected, cumulative_actual.
    """
    frame = expected.assign(week_end=week_end, actual=actual)
    return frame.assign(cumulative_expected=frame.expected.cumsum(), cumulative_actual=frame.actual.cumsum())
