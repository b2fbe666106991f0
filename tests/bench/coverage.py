"""How often nominal 95 % intervals hold what they should, in worlds simulated from known parameters.

Each world has its customers acquired over 90 days, seen for 273 and foretold for 273 more, at parameters near CDNOW's.
confidence : of the parameters, and of the orders expected of the customers as they were seen
predictive : of the orders, and of the spend, that these customers then placed
"""

from multiprocessing import get_context

import numpy as np
import pandas as pd

from crmlab import clv, likelihood
from crmlab.likelihood import FitError

from .clock import QUICK, Measured

WORLDS, CUSTOMERS, SPLIT, AHEAD = 10 if QUICK else 1000, 1500, 273, 273
TRUTHS = {
    "NBD": clv.NBD(0.38, 84.5),
    "BG/NBD": clv.BGNBD(0.243, 30.9, 0.793, 2.426),
    "MBG/NBD": clv.MBGNBD(0.525, 43.3, 0.891, 1.614),
    "Pareto/NBD": clv.ParetoNBD(0.553, 74.0, 0.606, 81.7),
}
SPEND = clv.GammaGamma(6.25, 3.74, 15.44)


def measure():
    """The least and the greatest coverage of each model's intervals."""
    with get_context("spawn").Pool(2) as pool:
        for name in TRUTHS:
            held = pd.DataFrame(filter(None, pool.starmap(world, [(name, seed) for seed in range(WORLDS)], 5)))
            lost = WORLDS - len(held)
            for kind, share in held.mean().items():
                how = f"{len(held):,} worlds" + (f", {lost} without a maximum" if lost else "")
                yield Measured(f"{name}: share of worlds, {kind}", share, 0.92, how, least=True)
                if "each customer" not in kind:  # counts are discrete, and over-covered
                    yield Measured(f"{name}: share of worlds, {kind}", share, 0.98, how)


def world(name, seed):
    """What the intervals of one world held: a dict of bool; None where the model could not be fitted."""
    truth, rng = TRUTHS[name], np.random.default_rng([seed, len(name)])
    seen, later, spent = simulated(truth, rng)
    try:
        orders, spend = type(truth).fit(seen), clv.GammaGamma.fit(seen)
    except FitError:
        return None
    found = likelihood.parameters(orders)
    held = {f"confidence of {p}": found.low[p] <= getattr(truth, p) <= found.high[p] for p in likelihood.names(orders)}
    expected = truth.expected_orders(seen, AHEAD).sum()
    active = truth.p_alive(seen).sum()
    one = seen.assign(customers=1)
    orders_ahead = clv.orders_ahead(orders, one, AHEAD, seed, "confidence")
    held["confidence of orders expected"] = _holds(orders_ahead, expected)
    if name != "NBD":
        held["confidence of active customers"] = _holds(clv.active_customers(orders, one, seed), active)
    held["predictive of orders seen"] = _holds(clv.orders_ahead(orders, one, AHEAD, seed), later.sum())
    money = clv.value_ahead(orders, spend, one, AHEAD, 0.0, 1.0, seed, interval="predictive")
    held["predictive of spend seen"] = _holds(money, spent)
    return held


def simulated(truth, rng):
    """Customers as they were on the day of the split, their later orders, and what these cost together."""
    newcomers = pd.DataFrame({"frequency": np.zeros(CUSTOMERS), "recency": 0.0, "age": 0.0})
    acquired = rng.integers(0, 90, CUSTOMERS)
    orders = truth.simulate_orders(newcomers, SPLIT + AHEAD, rng)
    orders["spend"] = SPEND.simulate_spend(newcomers.assign(monetary_value=0.0), orders, rng)
    since = acquired[orders.row] + orders.day
    before, after = orders[since <= SPLIT].groupby("row"), orders[(since > SPLIT) & (since <= SPLIT + AHEAD)]
    seen = {"frequency": before.size(), "recency": before.day.max(), "monetary_value": before.spend.mean()}
    seen = pd.DataFrame(seen).reindex(range(CUSTOMERS), fill_value=0.0).assign(age=(SPLIT - acquired).astype(float))
    return seen, np.bincount(after.row, minlength=CUSTOMERS), after.spend.sum()


def _holds(estimate, value):
    return estimate.low <= value <= estimate.high
