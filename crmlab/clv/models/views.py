"""A fitted model as frames to look at: who is still active, and how customers differ."""

import ibis
import numpy as np
import pandas as pd
from scipy.stats import beta, gamma

from crmlab.clv.models.bgbb import BGBB, DailyBGBB
from crmlab.clv.models.bgnbd import BGNBD
from crmlab.clv.models.nbd import PoissonModel
from crmlab.clv.models.orders import OrderModel
from crmlab.clv.models.pareto_nbd import ParetoNBD
from crmlab.clv.tables import Day, Orders
from crmlab.contracts import InputError
from crmlab.masks import mask
from crmlab.model import needs_fit
from crmlab.orders import order_days

STEPS = 60


@needs_fit
def probability_alive_matrix(model: OrderModel, age: int, max_frequency: int = 12) -> pd.DataFrame:
    """Probability of being active, of customers of one age, by frequency and days since the last order.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    age : int
        First order to now, days.
    max_frequency : int
        Most repeat orders shown, count.

    Returns
    -------
    DataFrame
        0 to 1, frequency down and days_since_last across; NaN where the two cannot occur together.
    """
    possible, grid = _grid(age, max_frequency)
    return model.p_alive(possible).reindex(grid).unstack()


@needs_fit
def expected_orders_matrix(model: OrderModel, age: int, horizon_days: int, max_frequency: int = 12) -> pd.DataFrame:
    """Expected orders of the next `horizon_days`, of customers of one age, by frequency and days since the last order.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    age : int
        First order to now, days.
    horizon_days : int
        How far ahead, days.
    max_frequency : int
        Most repeat orders shown, count.

    Returns
    -------
    DataFrame
        Count, frequency down and days_since_last across; NaN where the two cannot occur together.
    """
    possible, grid = _grid(age, max_frequency)
    return model.expected_orders(possible, horizon_days).reindex(grid).unstack()


def _grid(age, max_frequency):
    """Customers of an age by frequency and days_since_last, where both can occur together; and all pairs of both."""
    since = np.unique(np.linspace(0, age, STEPS).round().astype(int))
    grid = pd.MultiIndex.from_product([range(max_frequency + 1), since], names=["frequency", "days_since_last"])
    states = grid.to_frame().assign(recency=lambda at: (age - at.days_since_last).where(at.frequency > 0, 0), age=age)
    possible = (states.recency >= states.frequency) & ((states.frequency > 0) | (states.days_since_last == age))
    return states[possible], grid


@needs_fit
def probability_alive_history(
    model: OrderModel, orders: Orders, customer_id: str | pd.DataFrame, end: Day
) -> pd.DataFrame:
    """Probability that one customer is active, day by day from the first order to `end`.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not used.
    customer_id : str or DataFrame
        The customer; of a frame, as that of `top_customers`, the first row's.
    end : date or str
        Last day, or its ISO text.

    Returns
    -------
    DataFrame
        By day: ordered, whether it had an order; p_alive, at its end, 0 to 1.

    Raises
    ------
    InputError
        Where the customer has no order by then; its message shows the id masked, as all displays do.
    """
    if isinstance(customer_id, pd.DataFrame):
        customer_id = customer_id.customer_id.iloc[0]
    order_table = order_days(orders, end)
    days = pd.to_datetime(order_table.filter(order_table.customer_id == customer_id).day.execute()).sort_values()
    if days.empty:
        raise InputError(_unknown(customer_id, order_table, end))
    index = pd.date_range(days.iloc[0], end, name="day")
    ordered, age = index.isin(days), np.arange(len(index))
    latest = np.maximum.accumulate(np.where(ordered, age, 0))
    states = pd.DataFrame({"frequency": ordered.cumsum() - 1, "recency": latest, "age": age}, index)
    return pd.DataFrame({"ordered": ordered, "p_alive": model.p_alive(states)})


def _unknown(customer_id, order_table, end):
    """The message of a customer without an order; a near id is mentioned, but not shown."""
    ids = order_table.select("customer_id").distinct()
    bare = [c.strip().re_replace("^0+", "").lower() for c in (ids.customer_id, ibis.literal(str(customer_id)))]
    near = ids.filter(bare[0] == bare[1]).count().execute()
    hint = f"; {near:,} differ{'s' * (near == 1)} from it in leading zeros, spaces or capitals alone" if near else ""
    return (
        f"customer_id: {mask(customer_id)} (masked) is none of the {ids.count().execute():,} customers with an order "
        f"by {end}{hint}; give the id as the data write it, as text"
    )


@needs_fit
def interpurchase_time_distribution(model: PoissonModel | BGBB) -> pd.DataFrame:
    """Distribution over customers of how often they order while they are active.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.

    Returns
    -------
    DataFrame
        By mean days between orders (of BGBB, periods): share, of customers with fewer, 0 to 1.
    """
    if isinstance(model, BGBB):
        return _distribution(beta(model.alpha, model.beta), f"{_unit(model)} between orders")
    return _distribution(gamma(model.r, scale=1 / model.alpha), "days between orders")


@needs_fit
def dropout_distribution(model: OrderModel) -> pd.DataFrame:
    """Distribution over customers of how soon they leave.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders.

    Returns
    -------
    DataFrame
        By mean days until they leave (of BGNBD and MBGNBD, orders; of BGBB, periods): share, of customers with fewer,
        0 to 1. Without rows where, by the model, nobody leaves.
    """
    if isinstance(model, BGNBD):
        return _distribution(beta(model.a, model.b), "orders until leaving")
    if isinstance(model, BGBB):
        return _distribution(beta(model.gamma, model.delta), f"{_unit(model)} until leaving")
    if isinstance(model, ParetoNBD):
        return _distribution(gamma(model.s, scale=1 / model.beta), "days until leaving")
    return pd.DataFrame({"share": []}, pd.Index([], name="nobody leaves"))


def _distribution(law, name):
    """Share of customers whose rate or probability, by its law, is above 1 / x, by x."""
    until = np.geomspace(1, 1e5, 301)
    return pd.DataFrame({"share": law.sf(1 / until)}, pd.Index(until, name=name))


def _unit(model):
    """What BG/BB counts time in."""
    return "days" if isinstance(model, DailyBGBB) else "periods"
