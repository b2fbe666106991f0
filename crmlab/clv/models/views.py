"""A fitted model as frames to look at: who is still active, and how customers differ."""

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.stats import beta, gamma

from crmlab.catalog import Data
from crmlab.clv.models.bgbb import BGBB, DailyBGBB
from crmlab.clv.models.bgnbd import BGNBD
from crmlab.clv.models.nbd import NBD
from crmlab.clv.models.orders import OrderModel
from crmlab.contracts import InputError
from crmlab.display import mask
from crmlab.model import needs_fit
from crmlab.orders import order_days

STEPS = 60


@needs_fit
def probability_alive_matrix(model: OrderModel, age: int, max_frequency: int = 12) -> pd.DataFrame:
    """Probability of being active of a customer of `age` days: a frame, frequency down and days_since_last across.

    Where a frequency and a recency cannot occur together, the cell is empty.
    """
    since = np.unique(np.linspace(0, age, STEPS).round().astype(int))
    orders = np.arange(max_frequency + 1)
    frequency, since_last = (v.ravel() for v in np.meshgrid(orders, since, indexing="ij"))
    recency = np.where(frequency > 0, age - since_last, 0)
    possible = (recency >= frequency) & ((frequency > 0) | (since_last == age))
    frame = pd.DataFrame({"frequency": frequency, "recency": recency, "age": age})
    probability = model.p_alive(frame[possible]).reindex(frame.index)
    return pd.DataFrame(
        probability.to_numpy().reshape(len(orders), -1),
        index=pd.Index(orders, name="frequency"),
        columns=pd.Index(since, name="days_since_last"),
    )


@needs_fit
def probability_alive_history(
    model: OrderModel, orders: Data | ir.Table, customer_id: str | pd.DataFrame, end: date | str
) -> pd.DataFrame:
    """One customer's probability of being active, day by day from the first order to `end`: a frame by day.

    Parameters
    ----------
    model : OrderModel or Unfitted
        The fitted model.
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    customer_id : str or DataFrame
        The customer; of a frame, as that of `top_customers`, the first row's.
    end : date or str
        The last day.

    Returns
    -------
    DataFrame
        ordered, whether the day had an order; p_alive, at the end of the day.

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
    path = pd.DataFrame(index=pd.date_range(days.iloc[0], end, name="day"))
    path["ordered"] = path.index.isin(days)
    age = np.arange(len(path))
    latest = np.maximum.accumulate(np.where(path.ordered, age, 0))
    states = pd.DataFrame({"frequency": path.ordered.cumsum() - 1, "recency": latest, "age": age})
    return path.assign(p_alive=model.p_alive(states))


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
def interpurchase_time_distribution(model: OrderModel) -> pd.DataFrame:
    """How often customers order while they are active: a frame by mean days between orders, share with fewer.

    Of BGBB, by periods rather than days.
    """
    until = np.geomspace(1, 1e5, 301)
    law = beta(model.alpha, model.beta) if isinstance(model, BGBB) else gamma(model.r, scale=1 / model.alpha)
    return pd.DataFrame({"share": law.sf(1 / until)}, pd.Index(until, name=f"{_unit(model)} between orders"))


@needs_fit
def dropout_distribution(model: OrderModel) -> pd.DataFrame:
    """How soon customers leave: a frame by the mean orders, days or periods until they do, share with fewer.

    Without rows where, by the model, nobody leaves.
    """
    if isinstance(model, NBD):
        return pd.DataFrame({"share": []}, pd.Index([], name="nobody leaves"))
    until = np.geomspace(1, 1e5, 301)
    if isinstance(model, BGNBD):
        law, unit = beta(model.a, model.b), "orders"
    elif isinstance(model, BGBB):
        law, unit = beta(model.gamma, model.delta), _unit(model)
    else:
        law, unit = gamma(model.s, scale=1 / model.beta), "days"
    return pd.DataFrame({"share": law.sf(1 / until)}, pd.Index(until, name=f"{unit} until leaving"))


def _unit(model):
    """What a model counts time in."""
    return "periods" if isinstance(model, BGBB) and not isinstance(model, DailyBGBB) else "days"
