"""What is expected of all customers together, with its intervals.

confidence (ci) : of the expected value; parameters are drawn about the fitted ones, the customers are those observed
prediction (pi) : of the value that will be observed; on top of it, who is still active and who orders when, and spends
                  what, is drawn

Draws are those of the fitted model; a model without draws gives the value without an interval.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crmlab.clv.models.drawn import draws_of, interval, simulated, worth
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.inputs import Validated, customer_weights
from crmlab.clv.models.orders import OrderModel
from crmlab.clv.models.valuation import discounted_orders, total
from crmlab.clv.tables import SUFFICIENT_STATISTICS, Customers, collapsed, reweighted
from crmlab.estimate import Estimate
from crmlab.likelihood import parameter_names, values
from crmlab.model import Unfitted, needs_fit
from crmlab.stats.intervals import ENDS, percentile_interval

STEP = 1e-4  # of the log of a parameter, by which a slope is taken


@needs_fit
def active_customers(
    model: OrderModel | Unfitted, customers: Customers, seed: int = 1, level: float = 0.95
) -> Estimate:
    """Estimate how many customers are still active, by this model of orders, with both intervals.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    Estimate
        Customers, count; ci, of the expected value; pi, of how many are active.
    """
    return _count(model, customers, _active, seed, level, "customers")


def activity(
    model: OrderModel | Unfitted, customers: Customers, horizon_days: int, seed: int = 1, level: float = 0.95
) -> dict[str, Estimate]:
    """Estimate how many customers are active, how many of them have ordered again, and how many will order.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`.
    horizon_days : int
        How far ahead, days.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    dict
        customers and repeat_buyers, of `active_customers`; customers_who_order, of `customers_who_order`.
    """
    return {
        "customers": active_customers(model, customers, seed, level),
        "repeat_buyers": _active_repeat_buyers(model, customers, seed, level),
        "customers_who_order": customers_who_order(model, customers, horizon_days, seed, level),
    }


def _active(model, rows):
    return model.p_alive(rows)


@needs_fit
def _active_repeat_buyers(model: OrderModel | Unfitted, customers: Customers, seed: int, level: float) -> Estimate:
    """The Estimate of how many of those are active who have ordered again."""
    return _count(model, customers, _active, seed, level, "customers", lambda frame: frame.frequency > 0)


@needs_fit
def customers_who_order(
    model: OrderModel | Unfitted, customers: Customers, horizon_days: int, seed: int = 1, level: float = 0.95
) -> Estimate:
    """Estimate how many customers will place an order in the next `horizon_days`, with both intervals.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`.
    horizon_days : int
        How far ahead, days.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    Estimate
        Customers, count; ci, of the expected value; pi, of how many will order.
    """
    return _count(
        model, customers, lambda m, rows: 1 - m.probability_of_orders(rows, horizon_days, 0), seed, level,
        f"customers in {horizon_days:,} day{'s' * (horizon_days != 1)}",
    )  # fmt: skip


@needs_fit
def forecast_orders(
    model: OrderModel, customers: Customers, horizon_days: int, seed: int = 1, level: float = 0.95
) -> Estimate:
    """Forecast the orders that all customers will place in the next `horizon_days`, with both intervals.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`.
    horizon_days : int
        How far ahead, days.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    Estimate
        Orders, count; ci, of the expected value; pi, of the orders that will be observed.

    Examples
    --------
    >>> from crmlab import catalog, clv
    >>> customers = clv.summarise(catalog.orders("cdnow_sample"), "1997-09-30")
    >>> ahead = clv.forecast_orders(clv.fit(customers, "bg_nbd"), customers, 273)
    >>> round(ahead.value)
    1653
    """
    frame, rng = Validated(collapsed(customers)), np.random.default_rng(seed)
    return _total(
        lambda rows, m: m.expected_orders(rows, horizon_days),
        lambda m: len(m.simulate_orders(frame, horizon_days, rng)),
        (model,), frame, level, _deviations(customers), unit="orders", kind="count",
    )  # fmt: skip


@needs_fit
def customer_equity(
    model: OrderModel,
    spend_model: GammaGamma | None,
    customers: Customers,
    horizon_days: int | None,
    discount_annual: float,
    margin: float = 1.0,
    seed: int = 1,
    unit: str = "",
    level: float = 0.95,
    period_days: float | None = None,
) -> Estimate:
    """Estimate what all customers are worth over the next `horizon_days`, customer equity, with both intervals.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    spend_model : GammaGamma, Unfitted or None
        Fitted model of spend. Unfitted gives a blank with the reason; None leaves money out: the orders customers will
        place, each worth less the later it comes.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse` by monetary_value.
    horizon_days : int or None
        How far ahead, days; None is an infinite horizon, of which there is only a confidence interval.
    discount_annual : float
        Yearly rate at which later orders count for less, .1 for 10 %.
    margin : float
        Share of spend that is profit, 0 to 1.
    seed : int
        Start of the generator of draws.
    unit : str
        Currency of the data.
    level : float
        Confidence level of the intervals.
    period_days : float, optional
        Length of a period, days, for BGBB, whose `horizon_days` are periods.

    Returns
    -------
    Estimate
        Discounted margin, in the currency of the data; undiscounted, the margin of what they spend.
    """
    frame, rng = Validated(collapsed(customers, "monetary_value")), np.random.default_rng(seed)

    def expected(rows, model, spend_model=None):
        ahead = discounted_orders(model, rows, discount_annual, horizon_days, period_days)
        return worth(ahead, spend_model, rows, margin) if spend_model else ahead

    def outcome(*models):
        drawn = simulated(models, frame, horizon_days, discount_annual, period_days, rng)
        return margin * drawn["value"].sum() if spend_model else drawn["discounted_orders"].sum()

    models = (model, spend_model) if spend_model else (model,)
    simulate, kind = None if horizon_days is None else outcome, "money" if spend_model else "number"
    deviations = _deviations(customers, "monetary_value")
    return _total(expected, simulate, models, frame, level, deviations, unit=unit, kind=kind)


@needs_fit
def prediction_interval_by_group(
    model: OrderModel, customers: pd.DataFrame, horizon_days: int, by: pd.Series, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """Predict the interval of the orders per customer of each group in the next `horizon_days`.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    customers : DataFrame
        The frame of `collapse`.
    horizon_days : int
        How far ahead, days.
    by : Series
        Group of each row of `customers`.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        By group: pi_low and pi_high, prediction interval, orders per customer.
    """
    customers, (place, groups) = Validated(customers), pd.factorize(by, sort=True)
    size, rng = np.bincount(place, customers.customers, len(groups)), np.random.default_rng(seed)
    rows = (draw.simulate_orders(customers, horizon_days, rng).row for draw in model.draws)
    drawn = [np.bincount(place[row], minlength=len(groups)) / size for row in rows]
    return interval("pi", drawn, pd.Index(groups, name=by.name), level)


@needs_fit
def forecast_weekly_orders(
    model: OrderModel, customers: pd.DataFrame, weeks: pd.Index, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """Forecast the repeat orders of all customers in each week since the first acquisition.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    customers : DataFrame
        The frame of `collapse`, whose ages give the day each customer was acquired.
    weeks : Index
        Numbers of weeks from 1, without gaps.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        By week: expected, count; pi_low and pi_high, prediction interval of the week; cumulative_pi_low and
        cumulative_pi_high, that of all weeks up to it.
    """
    acquired = customers.customers.groupby(customers.age.max() - customers.age).sum()
    day, last_days = acquired.index.to_numpy(), 7 * np.arange(len(weeks) + 1) - 1
    so_far = model.expected_orders_new(np.clip(last_days[:, None] - day[None, :], 0, None)) @ acquired.to_numpy()
    new = Validated(pd.DataFrame({"frequency": 0, "recency": 0, "age": 0, "customers": acquired.to_numpy()}))
    rng = np.random.default_rng(seed)
    orders = (draw.simulate_orders(new, 7 * len(weeks), rng) for draw in model.draws)
    week = (np.ceil(each.day + day[each.row]).astype(int) // 7 for each in orders)
    drawn = [np.bincount(each, minlength=len(weeks))[: len(weeks)] for each in week]
    week_by_week = interval("pi", drawn, weeks, level)
    summed = interval("cumulative_pi", np.cumsum(drawn, axis=-1), weeks, level)
    return pd.concat([pd.Series(np.diff(so_far), weeks, name="expected"), week_by_week, summed], axis=1)


def _count(model, customers, probability, seed, level, unit, counted=lambda frame: frame.frequency >= 0):
    """The Estimate of how many customers something is true of, with a probability each.

    counted : of a frame of customers, the rows of those who are counted; the model was fitted to all
    """
    known, rng = Validated(collapsed(customers)), np.random.default_rng(seed)
    known = known.assign(customers=customer_weights(known))[counted(known)].groupby(
        [*SUFFICIENT_STATISTICS], as_index=False
    )
    frame = Validated(known.customers.sum())  # draws are the same however customers were grouped
    return _total(
        lambda rows, m: np.where(counted(rows), probability(m, rows), 0.0),
        lambda m: rng.binomial(frame.customers, np.clip(probability(m, frame), 0, 1)).sum(),
        (model,), frame, level, _deviations(customers), unit=f"{unit}, by {model.title}", kind="count",
    )  # fmt: skip


def _total(
    expected: Callable, outcome: Callable | None, models: tuple, customers: pd.DataFrame, level: float,
    deviations: Callable | None = None, **about: Any,
) -> Estimate:  # fmt: skip
    """The Estimate of a sum over customers; without an outcome to draw, it has no prediction interval.

    expected : of rows of customers and of models, what a customer of each row adds to the sum
    deviations : of such a function and of models, how far the sum is off in each bootstrap replicate
    """

    def of(*drawn):
        return total(expected(customers, *drawn), customers.customers)

    drawn = [[each(*models) for models in draws_of(models)] if each else [] for each in (of, outcome)]
    ends: list[Any] = [end for each in drawn for end in (percentile_interval(each, level) if each else (None, None))]
    if all(drawn):  # of few draws the ends of one may lie within those of the other
        ends[2:] = min(ends[0], ends[2]), max(ends[1], ends[3])
    named: dict[str, Any] = dict(zip(ENDS, ends, strict=True))
    count = int(customers.customers.sum())
    found = Estimate(of(*models), **named, n=count, level=level, conditional=True, **about)
    return replace(found, deviations=partial(deviations, expected, models)) if deviations else found


def _deviations(customers: Customers, *extra: str) -> Callable | None:
    """Gives how far a sum over these customers is off in each replicate; None where nobody knows who they are."""

    def of_sum(expected, models):
        if (found := reweighted(customers, *extra)) is None:
            return None
        frame, change = Validated(found[0]), found[1]
        off = np.asarray(expected(frame, *models), float) @ change
        for place, model in enumerate(models):
            off += _slope(expected, frame, models, place) @ model.influence(frame, change)
        return off if np.isfinite(off).all() else None

    return of_sum if isinstance(customers, ir.Table) else None


def _slope(expected, frame, models, place):
    """How a sum over customers rises with the logs of the parameters of one of the models: central differences."""
    model, found = models[place], []
    for name, value in zip(parameter_names(model), values(model), strict=True):
        ends = [replace(model, **{name: value * np.exp(step)}) for step in (STEP, -STEP)]
        sums = [total(expected(frame, *models[:place], end, *models[place + 1 :]), frame.customers) for end in ends]
        found.append((sums[0] - sums[1]) / (2 * STEP))
    return np.array(found)
