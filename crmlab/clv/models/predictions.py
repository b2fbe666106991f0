"""What is expected of each customer, and of one who has just placed the first order."""

import numpy as np
import pandas as pd

from crmlab.clv.models.dependent_spend import SpendByFrequency
from crmlab.clv.models.drawn import draws_of, expected_of_each, interval, simulated
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.inputs import Validated
from crmlab.clv.models.orders import OrderModel
from crmlab.clv.tables import Customers
from crmlab.model import Unfitted, blank_of, needs_fit, why_blank
from crmlab.stats.intervals import ENDS

TOP = 10


def predict_customers(
    model: OrderModel | Unfitted,
    spend_model: GammaGamma | Unfitted | None,
    customers: pd.DataFrame,
    horizon_days: int | None,
    discount_annual: float,
    margin: float = 1.0,
    seed: int = 1,
    level: float = 0.95,
    period_days: float | None = None,
) -> pd.DataFrame:
    """Predict each customer's next `horizon_days`, with both intervals.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders; Unfitted gives a blank frame.
    spend_model : GammaGamma, Unfitted or None
        Fitted model of spend; without one, value is left out.
    customers : DataFrame
        One row a customer: frequency, recency, age, monetary_value.
    horizon_days : int or None
        How far ahead, days; None is an infinite horizon: without expected_orders, and without prediction intervals.
    discount_annual : float
        Yearly rate at which later orders count for less, .1 for 10 %.
    margin : float
        Share of spend that is profit, 0 to 1.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.
    period_days : float, optional
        Length of a period, days, for BGBB, whose `horizon_days` are periods.

    Returns
    -------
    DataFrame
        By row of `customers`: p_alive, expected_orders, discounted_orders, value, each with its confidence interval as
        _ci_low and _ci_high; expected_orders, discounted_orders and value also with their prediction interval, _pi_low
        and _pi_high.
    """
    if reason := why_blank(model, customers):
        return blank_of(pd.DataFrame, reason)
    models, rng = (model, spend_model) if spend_model else (model,), np.random.default_rng(seed)
    asked = Validated(customers.assign(customers=1)), horizon_days, discount_annual, period_days
    found, *drawn = (expected_of_each(each, *asked, margin) for each in (models, *draws_of(models)))
    parts = []
    for name in found:
        parts += [found[name], interval(f"{name}_ci", [each[name] for each in drawn], customers.index, level)]
    if horizon_days is not None:
        drawn = [simulated(each, *asked, rng) for each in draws_of(models)]
        for name in found.columns.drop("p_alive"):
            unit = margin if name == "value" else 1
            parts.append(interval(f"{name}_pi", [each[name] * unit for each in drawn], customers.index, level))
    return pd.concat(parts, axis=1)


def top_customers(
    model: OrderModel | Unfitted,
    scored: Customers,
    spend_model: GammaGamma | Unfitted | None,
    horizon_days: int,
    discount_annual: float,
    margin: float = 1.0,
    count: int = TOP,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Find the customers with the highest value, or discounted orders where there is no model of spend.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders; Unfitted gives a blank frame.
    scored : Ibis table
        The table of `score`.
    spend_model : GammaGamma, Unfitted or None
        Fitted model of spend; without one, value is left out.
    horizon_days : int
        How far ahead, days.
    discount_annual : float
        Yearly rate at which later orders count for less, .1 for 10 %.
    margin : float
        Share of spend that is profit, 0 to 1.
    count : int
        How many customers.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        customer_id, frequency, monetary_value, expected_spend where it has no product with orders, and the columns of
        `predict_customers` but discounted orders and the interval of p_alive.
    """
    if reason := why_blank(model, scored):
        return blank_of(pd.DataFrame, reason)
    rank = "value" if spend_model and "value" in scored.columns else "discounted_orders"
    top = scored.order_by(scored[rank].desc(), scored.customer_id).head(count).execute()
    each = predict_customers(model, spend_model, top, horizon_days, discount_annual, margin, seed, level)
    spend = [] if spend_model else ["expected_spend"]
    known = top.filter(["customer_id", "frequency", "monetary_value", *spend])
    return known.join(each.filter(regex="^(?!p_alive_|discounted)"))


@needs_fit
def order_probabilities(
    model: OrderModel | Unfitted, customers: pd.DataFrame, horizon_days: int, count: int, level: float = 0.95
) -> pd.DataFrame:
    """Predict the probability that each customer places exactly `count` orders in the next `horizon_days`.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    customers : DataFrame
        frequency, recency and age, days.
    horizon_days : int
        How far ahead, days.
    count : int
        Number of orders.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        By row of `customers`: probability, 0 to 1, with its confidence interval, ci_low and ci_high.
    """
    customers = Validated(customers)
    drawn = [draw.probability_of_orders(customers, horizon_days, count) for draw in model.draws]
    probability = model.probability_of_orders(customers, horizon_days, count).rename("probability")
    return pd.concat([probability, interval("ci", drawn, customers.index, level)], axis=1)


def new_customers(n: int = 1) -> pd.DataFrame:
    """Make a collapsed summary of customers who place their first order today.

    Parameters
    ----------
    n : int
        How many.

    Returns
    -------
    DataFrame
        One row: frequency, recency, age, monetary_value, all 0; customers, `n`.
    """
    return pd.DataFrame({"frequency": [0], "recency": [0], "age": [0], "monetary_value": [0.0], "customers": [n]})


def predict_new_customer(
    model: OrderModel | Unfitted,
    spend_model: GammaGamma | Unfitted | None,
    horizon_days: int,
    discount_annual: float,
    margin: float = 1.0,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Predict one customer who places the first order today, with both intervals.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders; Unfitted gives a blank frame.
    spend_model : GammaGamma, Unfitted or None
        Fitted model of spend; without one, value is left out.
    horizon_days : int
        How far ahead, days.
    discount_annual : float
        Yearly rate at which later orders count for less, .1 for 10 %.
    margin : float
        Share of spend that is profit, 0 to 1.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        By prediction (p_alive, expected_orders, discounted_orders, value, probability_of_no_order): value, ci_low,
        ci_high, pi_low, pi_high.
    """
    new = new_customers()
    if model and isinstance(spend_model, SpendByFrequency):
        spend_model = spend_model.of_newcomers(model, horizon_days)
    each = predict_customers(model, spend_model, new, horizon_days, discount_annual, margin, seed, level)
    if reason := why_blank(each):
        return blank_of(pd.DataFrame, reason)
    one, none = each.iloc[0], order_probabilities(model, new, horizon_days, 0, level).iloc[0]
    names = [name for name in each if not name.endswith(("_low", "_high"))]
    table = {name: {"value": one[name]} | {end: one.get(f"{name}_{end}", np.nan) for end in ENDS} for name in names}
    table["probability_of_no_order"] = none.rename({"probability": "value"}).to_dict()
    return pd.DataFrame(table).T[["value", *ENDS]].rename_axis("of_a_new_customer")
