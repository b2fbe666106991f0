"""How many customers without a contract are still active, by a model: their mean probability of being active."""

from datetime import date
from typing import Any

import pandas as pd

from crmlab.contracts import InputError
from crmlab.days import as_date
from crmlab.lifecycle.tables.cohorts import check_every, first_day, period_number
from crmlab.model import needs_fit
from crmlab.stats import intervals

SOURCE = "model-based"


@needs_fit
def p_alive_by_cohort(
    model: Any, customers: pd.DataFrame, end: date | str, every: str = "month", level: float = 0.95
) -> pd.DataFrame:
    """Mean probability of being active of the customers of each acquisition cohort.

    Parameters
    ----------
    model : fitted model of repeat buying, or Unfitted
        What `clv.fit` gives: its `p_alive(customers)` is the probability that each customer is active, and its `draws`
        are models drawn about it, all of which are used for the interval.
    customers : DataFrame
        One row for each group of like customers: age in days at `end`, and customers, how many they are.
    end : date or str
        Last day that the model has observed.
    every : str
        Length of a period: "week" (from Monday), "month", "quarter" or "year".
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        As of `p_alive_curve`, by cohort.

    Raises
    ------
    InputError
        Where the model gives no probability of being active.

    Examples
    --------
    >>> from crmlab import lifecycle
    >>> from crmlab.model import Model, Unfitted
    >>> unfitted = Unfitted(Model, "there are no repeat buyers")
    >>> lifecycle.p_alive_by_cohort(unfitted, pd.DataFrame(), "1997-12-31").attrs["reason"]
    'there are no repeat buyers'
    """
    if not hasattr(model, "p_alive"):
        raise InputError(f"model: {type(model).__name__} gives no probability of being active; give what clv.fit gives")
    drawn = pd.DataFrame({n: one.p_alive(customers) for n, one in enumerate(model.draws)})
    p_alive, cohort = model.p_alive(customers), acquisition_cohorts(customers.age, end, every)
    weights, draws = customers.get("customers", 1), None if drawn.empty else drawn
    return p_alive_curve(p_alive, cohort, weights, setting="noncontractual", p_alive_draws=draws, level=level)


@needs_fit
def p_alive_curve(
    p_alive: pd.Series,
    by: pd.Series,
    weights: Any = 1,
    *,
    setting: str,
    p_alive_draws: pd.DataFrame | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Mean probability of being active, by cohort or by age.

    Parameters
    ----------
    p_alive : Series
        Probability that each customer, or each row of like customers, is active, 0 to 1, from a CLV model.
    by : Series
        Cohort or age of each row, named for what it holds.
    weights : Series or number
        How many customers each row stands for.
    setting : str
        "noncontractual", in which nobody observes that a customer leaves; "contractual" is refused, as there it is.
    p_alive_draws : DataFrame, optional
        The same under parameters drawn about the fitted ones, a column a draw, for the interval.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        By the values of `by`:

        - customers: count
        - p_alive: mean probability, 0 to 1
        - ci_low, ci_high: its confidence interval; NA where nothing was drawn
        - source: "model-based", as it is not observed who left

    Raises
    ------
    InputError
        Where customers have contracts, or a probability is none.
    """
    if setting != "noncontractual":
        raise InputError(
            f"setting = {setting!r}: a P(alive) curve estimates departures that are not observed, for setting = "
            "'noncontractual'; where customers have contracts they are: use the survival curve of durations"
        )
    if (wrong := int((~p_alive.between(0, 1)).sum())) or not len(p_alive):
        among = f"{wrong:,} of {len(p_alive):,}"
        raise InputError(f"p_alive: {among} are no probabilities from 0 to 1; give those of a fitted CLV model")
    weight = p_alive * 0 + weights
    count = weight.groupby(by).sum()
    frame = pd.DataFrame({"customers": count.astype(int), "p_alive": (weight * p_alive).groupby(by).sum() / count})
    frame["ci_low"] = frame["ci_high"] = pd.NA
    if p_alive_draws is not None:
        means = p_alive_draws.mul(weight, axis=0).groupby(by).sum().div(count, axis=0)
        frame["ci_low"], frame["ci_high"] = intervals.percentile_interval(means.T, level)
    return frame.astype({"ci_low": "Float64", "ci_high": "Float64"}).assign(source=SOURCE)


def acquisition_cohorts(age: pd.Series, end: date | str, every: str = "month") -> pd.Series:
    """First day of the calendar period in which each customer was acquired.

    Parameters
    ----------
    age : Series
        Days from the first order to `end`, by customer.
    end : date or str
        Last day that was observed.
    every : str
        Length of a period: "week" (from Monday), "month", "quarter" or "year".

    Returns
    -------
    Series
        Dates, named cohort.

    Raises
    ------
    InputError
        Where `every` is none of these, or `end` is no day.
    """
    check_every(every)
    days = pd.Timestamp(as_date(end, "end")) - pd.to_timedelta(age, unit="D")
    return first_day(days.map(lambda day: period_number(day.date(), every)), every).rename("cohort")
