"""Customers who order with a probability that their state of buying decides, as `state_transitions` counts them."""

import numpy as np
import pandas as pd

from crmlab.lifecycle.tables.order_states import MOST, OPEN, RECENT

KEYS = ["period", "before_previous", "previous", "state", "stage"]


def bought(customers, periods, seed, ahead=3):
    """Moves of customers who all order first in the first period; later orders bring 30 on average."""
    rng = np.random.default_rng(seed)
    orders = np.zeros((customers, periods), int)
    states, since = np.zeros_like(orders), np.zeros(customers, int)
    for t in range(1, periods):
        recent = orders[:, max(t - RECENT, 0) : t].sum(axis=1)
        orders[:, t] = rng.random(customers) < 0.25 / (1 + since) + 0.12 * np.minimum(recent, MOST)
        since = np.where(orders[:, t], 0, since + 1)
        recent = orders[:, max(t + 1 - RECENT, 0) : t + 1].sum(axis=1)
        states[:, t] = np.minimum(since, OPEN) * (MOST + 1) + np.minimum(recent, MOST)
    spend = rng.gamma(2, 15, orders.shape) * orders
    spend[:, 0] = 10
    total = np.pad(spend.cumsum(axis=1), ((0, 0), (0, ahead)), constant_values=np.nan)
    stage = np.select([states // (MOST + 1) > 2, states % (MOST + 1) > 0], ["decline", "maturity"], "establishment")
    lagged = [np.pad(states, ((0, 0), (k, 0)), constant_values=-1)[:, :periods].ravel() for k in (2, 1, 0)]
    columns = {"period": np.tile(pd.date_range("2024-01-01", periods=periods, freq="MS"), customers)}
    columns |= dict(zip(KEYS[1:4], lagged, strict=True)) | {"stage": stage.ravel(), "customers": 1}
    columns |= {"spend": spend.ravel(), "spend_squares": spend.ravel() ** 2}
    columns |= {"spend_ahead": (total[:, ahead:] - total[:, :periods]).ravel()}
    found = pd.DataFrame(columns).groupby(KEYS, as_index=False).sum(min_count=1).astype({"customers": "int64"})
    return found.assign(as_of=found.period + pd.offsets.MonthEnd(0))


def moves(*rows, spend=0.0):
    """A frame as `state_transitions` gives, from (month, before, previous, state, stage, customers)."""
    frame = pd.DataFrame(rows, columns=["month", "before_previous", "previous", "state", "stage", "customers"])
    period = pd.to_datetime("2024-" + frame.pop("month").astype(str) + "-01")
    return frame.assign(
        period=period, as_of=period + pd.offsets.MonthEnd(0), spend=spend, spend_squares=0.0, spend_ahead=np.nan
    )
