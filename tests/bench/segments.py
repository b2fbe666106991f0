"""What segments cost: rule schemes of many customers, and the backtest of eight schemes on CDNOW's customers.

Rule schemes are fitted, and customers assigned, from features and with reading them from the log; seconds are of the
clock, on two threads. The backtest has three origins and 500 replicates.
"""

import time
from datetime import date
from functools import partial

import ibis
import numpy as np
import pandas as pd

from crmlab import catalog, holdout
from crmlab.segments import (
    ABC,
    RFM,
    EightClasses,
    KMeans,
    RFMTiers,
    ValueMatrix,
    collect,
    compare_schemes,
    customer_features,
    rolling_features,
)
from crmlab.simulate.orders import simulate_orders

from .clock import QUICK, Measured

CUSTOMERS, REPLICATES = (50_000, 50) if QUICK else (1_000_000, 500)
WORLD = {"r": 0.2426, "alpha": 30.9, "a": 0.793, "b": 2.426, "days": 273}
RULES = {
    "abc": ABC.fit,
    "rfm": RFM.fit,
    "rfm nested": partial(RFM.fit, nested=True),
    "tiers": RFMTiers.fit,
    "value matrix": ValueMatrix.fit,
    "eight classes": EightClasses.fit,
}
COMPARED = {
    "abc": ABC.fit,
    "abc of two cuts": partial(ABC.fit, cuts=(0.5, 0.8, 0.95)),
    "rfm": RFM.fit,
    "rfm nested": partial(RFM.fit, nested=True),
    "tiers": RFMTiers.fit,
    "twenty tiers": partial(RFMTiers.fit, tiers=20),
    "four clusters": partial(KMeans.fit, k=4),
    "eight clusters": partial(KMeans.fit, k=8),
}


def measure():
    """Every figure of this file, as they come."""
    known, reading = timed(lambda: collect(customer_features(log(), last_day())))
    rng = np.random.default_rng(3)
    known = known.assign(
        expected_margin=rng.lognormal(3, 1, len(known)), store_strength=rng.choice([0.5, 0.9, 1.1, 2.0], len(known))
    )
    seconds = {name: timed(lambda f=fit: f(known).assign(known))[1] for name, fit in RULES.items()}
    detail = ", ".join(f"{name} {s:.2g} s" for name, s in seconds.items())
    detail += f"; features from the log, beside, {reading:.2g} s"
    yield Measured(f"{len(RULES)} rule schemes of {CUSTOMERS:,} customers, seconds", sum(seconds.values()), 5, detail)
    cdnow = catalog.orders("cdnow_sample" if QUICK else "cdnow")
    origins = holdout.origins(date(1997, 3, 31), date(1998, 6, 30), 180, 3)
    known, reading = timed(lambda: rolling_features(cdnow, origins, 180))
    _, seconds = timed(lambda: compare_schemes(COMPARED, known, replicates=REPLICATES))
    customers = max(len(frame) for frame, _ in known.values())
    detail = f"{len(COMPARED)} schemes, 3 origins, {REPLICATES} replicates; features and holdout {reading:.2g} s"
    yield Measured(f"backtest of {customers:,} customers, seconds", seconds + reading, 60, detail)


def log():
    """Validated orders: a lazy table."""
    orders = simulate_orders(**WORLD, customers=CUSTOMERS, seed=1)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(orders.day, unit="D")
    amount = np.random.default_rng(2).lognormal(3, 0.7, len(orders)).round(2)
    frame = pd.DataFrame({"customer_id": orders.customer_id, "time": days.astype("datetime64[us]"), "amount": amount})
    table = ibis.memtable(frame)
    return table.mutate(amount=table.amount.cast("decimal(18, 4)"), order_day=table.time.date())


def last_day():
    return (pd.Timestamp("2024-01-01") + pd.Timedelta(days=WORLD["days"] - 1)).date()


def timed(work):
    begun = time.perf_counter()
    return work(), time.perf_counter() - begun
