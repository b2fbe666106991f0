"""A fitted model as frames to look at: who is still active, and how customers differ."""

import numpy as np
import pandas as pd
from scipy.stats import beta, gamma

from crmlab.clv.models.bgnbd import BGNBD
from crmlab.clv.models.nbd import NBD
from crmlab.clv.tables import order_days

STEPS = 60


def alive_map(model, age, most_orders):
    """Chance of being active of a customer of so many days' `age`: a frame, frequency down and days_since_last across.

    Where a frequency and a recency cannot go together, the cell is empty.
    """
    since = np.unique(np.linspace(0, age, STEPS).round().astype(int))
    orders = np.arange(most_orders + 1)
    frequency, quiet = (v.ravel() for v in np.meshgrid(orders, since, indexing="ij"))
    recency = np.where(frequency > 0, age - quiet, 0)
    possible = (recency >= frequency) & ((frequency > 0) | (quiet == age))
    frame = pd.DataFrame({"frequency": frequency, "recency": recency, "age": age})
    chance = model.p_alive(frame[possible]).reindex(frame.index)
    return pd.DataFrame(
        chance.to_numpy().reshape(len(orders), -1),
        index=pd.Index(orders, name="frequency"),
        columns=pd.Index(since, name="days_since_last"),
    )


def alive_path(model, transactions, customer_id, end):
    """How one customer's chance of being active went: a frame by day from the first order to `end`.

    ordered : whether the day had an order
    p_alive : at the end of the day
    """
    days = order_days(transactions, end)
    days = pd.to_datetime(days.filter(days.customer_id == customer_id).day.execute()).sort_values()
    path = pd.DataFrame(index=pd.date_range(days.iloc[0], end, name="day"))
    path["ordered"] = path.index.isin(days)
    age = np.arange(len(path))
    latest = np.maximum.accumulate(np.where(path.ordered, age, 0))
    seen = pd.DataFrame({"frequency": path.ordered.cumsum() - 1, "recency": latest, "age": age})
    return path.assign(p_alive=model.p_alive(seen))


def order_gaps(model):
    """How often customers order while they are active: a frame by mean days between orders, share with fewer."""
    days = np.geomspace(1, 1e5, 301)
    share = gamma(model.r, scale=1 / model.alpha).sf(1 / days)
    return pd.DataFrame({"share": share}, pd.Index(days, name="days between orders"))


def departures(model):
    """How soon customers leave: a frame by the mean orders or days until they do, share with fewer.

    Without rows where the model has nobody leave.
    """
    until = np.geomspace(1, 1e5, 301)
    if isinstance(model, BGNBD):
        return pd.DataFrame(
            {"share": beta(model.a, model.b).sf(1 / until)}, pd.Index(until, name="orders until leaving")
        )
    if isinstance(model, NBD):
        return pd.DataFrame({"share": []}, pd.Index([], name="nobody leaves"))
    share = gamma(model.s, scale=1 / model.beta).sf(1 / until)
    return pd.DataFrame({"share": share}, pd.Index(until, name="days until leaving"))
