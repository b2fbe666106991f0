"""Cohort triangle and customer stages of a large log, and the fit of sBG.

The log is simulated; seconds are of reading, triangle, overdue points and moves between stages together, memory is the
most that a process of its own held, the log included. Growth is the exponent of the time in the number of customers.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.lifecycle.models.sbg import SBG
from crmlab.lifecycle.tables.contracts import retention_durations
from crmlab.simulate.orders import simulate_orders, simulate_spend

from .clock import QUICK, Measured

SMALL, LARGE = (10_000, 50_000) if QUICK else (100_000, 1_000_000)
WORLD = {"r": 0.55, "alpha": 45.0, "a": 0.8, "b": 2.6, "days": 366, "acquired_over": 180}
FITS = 20
READ = """
import json, resource, sys, time
from datetime import date
from crmlab import engines, lifecycle

def timed(work):
    begun = time.perf_counter()
    return work(), time.perf_counter() - begun

def times(table):
    return lifecycle.interpurchase_times(table, end), lifecycle.relative_interpurchase_times(table, end)

engine, end = engines.connect(), date(2024, 12, 31)
engine.raw_sql("SET threads = 2")
table = engine.read_parquet(sys.argv[1])
table = table.mutate(amount=table.amount.cast("decimal(18, 4)"), order_day=table.time.date())
cohorts, first = timed(lambda: lifecycle.cohort_triangle(table, end, "month"))
overdue, second = timed(lambda: lifecycle.OverdueThresholds.fit(*times(table)))
found, third = timed(lambda: lifecycle.stage_transitions(table, end, "month", overdue))
customers = int(found[found.period == found.period.max()].customers.sum())
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
print(json.dumps({"seconds": [first, second, third], "memory": memory, "customers": customers}))
"""


def measure():
    """Every figure of this file, as they come."""
    found = {size: reading(size) for size in (SMALL, LARGE)}
    seconds = {size: sum(one["seconds"]) for size, one in found.items()}
    large, parts = found[LARGE], ("triangle", "overdue points", "stages")
    how = ", ".join(f"{part} {s:.2g} s" for part, s in zip(parts, large["seconds"], strict=True))
    size = f"{LARGE:,} customers, {large['orders']:,} order days"
    yield Measured(f"triangle and stages of {size}, seconds", seconds[LARGE], 10, how)
    yield Measured("the same, most memory held, GB", large["memory"], 2)
    growth = np.log(seconds[LARGE] / seconds[SMALL]) / np.log(LARGE / SMALL)
    yield Measured("the same, exponent of growth", growth, 1.1, f"{SMALL:,} to {LARGE:,} customers")
    yield fitting()


def reading(size):
    """What a process of its own took over a log of so many customers: seconds by part, memory, customers, orders."""
    log = simulate_orders(**WORLD, customers=size, seed=1)
    log["amount"] = simulate_spend(log, 6.25, 3.74, 15.44, seed=2)
    log["time"] = (pd.Timestamp("2024-01-01") + pd.to_timedelta(log.pop("day"), unit="D")).astype("datetime64[us]")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "log.parquet"
        log.to_parquet(place)
        said = subprocess.check_output([sys.executable, "-c", READ, str(place)], text=True)
    found = json.loads(said.splitlines()[-1])  # what comes before draws an engine's progress
    assert found["customers"] == size
    return found | {"orders": len(log)}


def fitting():
    """Milliseconds of processor time that sBG takes on 1,000 customers over seven years. [Fader & Hardie 2007]"""
    left = [1000, 869, 743, 653, 593, 551, 517, 491]
    kept = retention_durations(pd.DataFrame({"group": "High-End", "period": range(8), "customers": left}))
    taken = []
    for _ in range(FITS):
        begun = time.process_time()
        SBG.fit(kept)
        taken.append(1000 * (time.process_time() - begun))
    return Measured("sBG fit, milliseconds", float(np.median(taken)), 50, f"median of {FITS}")
