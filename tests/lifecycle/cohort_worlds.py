"""Small logs and contracts whose numbers are plain to see, and simulated renewals of known parameters."""

from datetime import date, datetime, time
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

TYPES = {"customer_id": "string", "time": pa.timestamp("us"), "amount": pa.decimal128(18, 4), "order_day": pa.date32()}

# shares of 1,000 customers who survive years 0 to 12: Fader & Hardie 2007, as in Table 1
REGULAR = (1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173)
HIGH_END = (1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394)


def log(*rows):
    """A table past the door, from (customer, day) or (customer, day, amount, order day), days as ISO text."""
    full = [(customer, day, *(more or ("1.00", day))) for customer, day, *more in rows]
    columns = [
        [customer for customer, *_ in full],
        [datetime.combine(date.fromisoformat(day), time(9 + i % 9)) for i, (_, day, *_) in enumerate(full)],
        [Decimal(amount) for _, _, amount, _ in full],
        [day and date.fromisoformat(day) for *_, day in full],
    ]
    arrays = {name: pa.array(values, kind) for (name, kind), values in zip(TYPES.items(), columns, strict=True)}
    return ibis.memtable(pa.table(arrays))


def subscriptions(*rows, group=None):
    """A SUBSCRIPTIONS table from (start, end or None), days as ISO text."""
    columns = {
        "customer_id": pa.array([f"c{i}" for i in range(len(rows))], "string"),
        "start": pa.array([datetime.fromisoformat(start) for start, _ in rows], pa.timestamp("us")),
        "end": pa.array([end and datetime.fromisoformat(end) for _, end in rows], pa.timestamp("us")),
    }
    if group is not None:
        columns["group"] = pa.array(group, "string")
    return ibis.memtable(pa.table(columns))


def retention(**groups):
    """A RETENTION frame from the customers of each group that survived 0, 1, 2 … renewals."""
    return pd.concat(
        pd.DataFrame({"group": group, "period": range(len(kept)), "customers": kept}) for group, kept in groups.items()
    )


def renewals(customers, periods, alpha, beta, c=1.0, seed=1, group="all"):
    """Durations of simulated customers, each with a chance to leave of its own, Beta(alpha, beta), that moves as c."""
    rng = np.random.default_rng(seed)
    stay = 1 - rng.beta(alpha, beta, customers)
    steps = np.diff(np.arange(periods + 1.0) ** c)
    renewed = rng.random((customers, periods)) < stay[:, None] ** steps
    return collapsed(group, renewed)


def collapsed(group, renewed):
    """Durations from whether each customer (row) would renew at each renewal (column)."""
    renewals = np.where(renewed.all(axis=1), renewed.shape[1], renewed.argmin(axis=1))
    rows = pd.DataFrame({"group": group, "renewals": renewals, "churned": renewals < renewed.shape[1], "customers": 1})
    return rows.groupby(["group", "renewals", "churned"], as_index=False).customers.sum()


def left_truncated(customers, seed):
    """Contracts from 2012 to 2023 of yearly probabilities to leave Beta(.7, 1.5), those alive in 2022."""
    rng = np.random.default_rng(seed)
    start = np.datetime64("2012-01-01") + rng.integers(0, 4383, customers)
    years = rng.geometric(np.maximum(rng.beta(0.7, 1.5, customers), 1e-9)).clip(max=50)
    month = start.astype("M8[M]")
    end = (month + 12 * years).astype("M8[D]") + (start - month.astype("M8[D]"))
    frame = pd.DataFrame({"customer_id": np.arange(customers).astype(str), "start": start, "end": end})
    known = frame[frame.end >= "2022-01-01"]
    return known.assign(end=known.end.where(known.end <= "2023-12-31"))
