"""How value and spend are spread over customers."""

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.clv.metrics.orders import frequency_groups
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.inputs import customer_weights
from crmlab.clv.models.orders import OrderModel
from crmlab.clv.models.valuation import value
from crmlab.clv.tables import Customers, collapsed, collapsed_spend
from crmlab.model import Unfitted, blank_of, why_blank

DECILES = 10


def value_concentration(
    model: OrderModel | Unfitted,
    spend_model: GammaGamma | Unfitted | None,
    customers: Customers,
    horizon_days: int,
    discount_annual: float,
    margin: float = 1.0,
) -> pd.DataFrame:
    """Compute the Lorenz curve of expected value, or of discounted orders where there is no model of spend.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders; Unfitted gives a blank frame.
    spend_model : GammaGamma, Unfitted or None
        Fitted model of spend.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse` by monetary_value.
    horizon_days : int
        How far ahead, days.
    discount_annual : float
        Yearly rate at which later orders count for less, .1 for 10 %.
    margin : float
        Share of spend that is profit, 0 to 1.

    Returns
    -------
    DataFrame
        The columns of `lorenz`.
    """
    if reason := why_blank(model):
        return blank_of(pd.DataFrame, reason)
    frame = collapsed(customers, "monetary_value")
    expected = _expected(model, spend_model, frame, horizon_days, discount_annual, margin)
    return lorenz(expected, frame.customers)


def lorenz(value: pd.Series, weights: pd.Series | int = 1) -> pd.DataFrame:
    """Compute the Lorenz curve: how value is spread over customers.

    Parameters
    ----------
    value : Series
        Value of a customer.
    weights : Series or int
        How many customers each row stands for.

    Returns
    -------
    DataFrame
        A row for each hundredth of the customers: customers, share of them, the least valuable first, 0 to 1; value,
        share of all value that is theirs, 0 to 1, NaN where nobody is worth anything; gini, Gini coefficient of all
        customers, the same in every row.
    """
    shares, values = _cumulative(value, weights)
    at = np.linspace(0, 1, 101)
    gini = gini_coefficient(value, weights)
    return pd.DataFrame({"customers": at, "value": np.interp(at, shares, values), "gini": gini})


def gini_coefficient(value: pd.Series, weights: pd.Series | int = 1) -> float:
    """Compute the Gini coefficient of value over customers.

    Parameters
    ----------
    value : Series
        Value of a customer.
    weights : Series or int
        How many customers each row stands for.

    Returns
    -------
    float
        0 where all are worth the same, near 1 where one is worth everything; NaN where nobody is worth anything.
    """
    shares, values = _cumulative(value, weights)
    return float(1 - 2 * np.trapezoid(values, shares))


def _cumulative(value, weights):
    """Share of customers, the least valuable first, and share of value, after each row: arrays that begin at 0."""
    lined = pd.DataFrame({"customers": weights, "value": value * weights, "each": value}).sort_values("each")
    sums = np.vstack([[0, 0], lined[["customers", "value"]]]).cumsum(axis=0)
    shares = np.divide(sums, sums[-1], out=np.full_like(sums, np.nan), where=sums[-1] != 0)
    return shares[:, 0], shares[:, 1]


def spend_by_frequency(customers: Customers, max_frequency: int = 7, level: float = 0.95) -> pd.DataFrame:
    """Compute the mean spend of repeat buyers by how often they ordered again.

    Parameters
    ----------
    customers : Ibis table or DataFrame
        The table of `summarise`, or a frame with frequency, monetary_value and, where a row is several, customers.
    max_frequency : int
        Repeat orders from which on customers are one group.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        By repeat orders: customers, count; mean, in the currency of the data; ci_low and ci_high, its confidence
        interval, NaN of one customer.
    """
    frame = collapsed_spend(customers)
    frame = frame[frame.frequency > 0]
    spend, by = frame.monetary_value, frequency_groups(frame.frequency, max_frequency)
    n = pd.Series(customer_weights(frame), frame.index)
    count = n.groupby(by).sum()
    mean = (n * spend).groupby(by).sum() / count
    square = (n * (spend - by.map(mean).astype(float)) ** 2).groupby(by).sum()
    reach = stats.norm.ppf((1 + level) / 2) * np.sqrt(square / (count - 1).where(count > 1) / count)
    return pd.DataFrame({"customers": count, "mean": mean, "ci_low": mean - reach, "ci_high": mean + reach})


def value_by_decile(
    model: OrderModel | Unfitted,
    spend_model: GammaGamma | Unfitted | None,
    customers: Customers,
    horizon_days: int,
    discount_annual: float,
    margin: float = 1.0,
) -> pd.DataFrame:
    """Compute what a tenth of the customers is expected to be worth, those of the highest value first.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders; Unfitted gives a blank frame.
    spend_model : GammaGamma, Unfitted or None
        Fitted model of spend; without one, discounted orders take the place of value.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse` by monetary_value.
    horizon_days : int
        How far ahead, days.
    discount_annual : float
        Yearly rate at which later orders count for less, .1 for 10 %.
    margin : float
        Share of spend that is profit, 0 to 1.

    Returns
    -------
    DataFrame
        By decile, 1 of the highest value: customers, a tenth of all, also where that is no whole number, as customers
        alike may be of two deciles; value, of one of them, in the currency of the data, or in discounted orders;
        share, of the value of all, 0 to 1, and cumulative_share, of this and of the deciles before it, NaN where
        nobody is worth anything; of, "value" or "discounted orders".
    """
    if reason := why_blank(model, customers):
        return blank_of(pd.DataFrame, reason)
    frame = collapsed(customers, "monetary_value")
    expected = _expected(model, spend_model, frame, horizon_days, discount_annual, margin)
    weights = pd.Series(customer_weights(frame), frame.index)
    shares, values = _cumulative(expected, weights)
    all_value, decile = float(weights @ expected), pd.RangeIndex(1, DECILES + 1, name="decile")
    share = np.diff(np.interp(np.linspace(0, 1, DECILES + 1), shares, values))[::-1]
    each = weights.sum() / DECILES
    worth = share * all_value / each if all_value else np.zeros(DECILES)
    found = {"customers": each, "value": worth, "share": share, "cumulative_share": share.cumsum()}
    return pd.DataFrame(found | {"of": "value" if spend_model else "discounted orders"}, decile)


def _expected(model, spend_model, frame, horizon_days, discount_annual, margin):
    """Value of a customer of each row, or discounted orders where there is no model of spend."""
    discounted = model.discounted_orders(frame, discount_annual, horizon_days)
    return value(discounted, spend_model.expected_spend(frame), margin) if spend_model else discounted
