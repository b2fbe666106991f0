"""How often nominal 95 % intervals hold what they should, in worlds simulated from known parameters.

Each world has its customers acquired over 13 weeks, observed for 39 and forecast for 39 more, at parameters near
CDNOW's. Time passes in days; in weeks for BG/BB, whose customers have one opportunity to order in each.
Other rates of the suite's functions, over as many worlds as they need, are rows of `rates`.
confidence : of the parameters, of the orders expected of the customers as they were observed, together and each, and of
             a new customer
prediction : of the orders, and of the spend, that these customers then placed, together, and of the orders of each
"""

from multiprocessing import get_context

import numpy as np
import pandas as pd

from crmlab import clv, likelihood

from . import rates
from .clock import QUICK, Measured

WORLDS, CUSTOMERS, EACH = (2, 400, 10) if QUICK else (1000, 1500, 50)
REPLICATES = (
    64 if QUICK else 128
)  # for an interval; fewer than the module takes, so that intervals are no better than its
WEEK = {"BG/BB": 1}  # periods; 7 days for the others
OF_EACH = "prediction of the orders of each customer"  # counts are discrete, and over-covered
TRUTHS = {
    "NBD": clv.NBD(0.38, 84.5),
    "BG/NBD": clv.BGNBD(0.243, 30.9, 0.793, 2.426),
    "MBG/NBD": clv.MBGNBD(0.525, 43.3, 0.891, 1.614),
    "Pareto/NBD": clv.ParetoNBD(0.553, 74.0, 0.606, 81.7),
    "BG/BB": clv.DailyBGBB(0.54, 10.1, 0.61, 11.5),
}
SPEND = clv.GammaGamma(6.25, 3.74, 15.44)


def measure():
    """The rows of `rates`; of each model, the share of worlds in which each interval held."""
    yield from rates.measure()
    with get_context("spawn").Pool(2) as pool:
        for name in TRUTHS:
            held = pd.DataFrame(filter(None, pool.starmap(world, [(name, seed) for seed in range(WORLDS)], 5)))
            lost = WORLDS - len(held)
            for kind, share in held.mean().items():
                how = f"{len(held):,} worlds" + (f", {lost} without a maximum" if lost else "")
                yield Measured(f"{name}: {kind}", share, 1 if kind == OF_EACH else 0.98, how, 0.92)


def world(name, seed):
    """What the intervals of one world held: a dict of bool, or of shares; None where the model could not be fitted."""
    truth, rng = TRUTHS[name], np.random.default_rng([seed, len(name)])
    week = WEEK.get(name, 7)
    ahead = 39 * week
    observed, actual, spent = simulated(truth, week, rng)
    orders = type(truth).fit(observed, replicates=REPLICATES, seed=seed)
    spend = clv.GammaGamma.fit(observed, replicates=REPLICATES, seed=seed)
    if not (orders and spend):
        return None
    held = _of_parameters(orders, truth, "") | _of_parameters(spend, SPEND, "Gamma-Gamma's ")
    expected = truth.expected_orders(observed, ahead).sum()
    active = truth.p_alive(observed).sum()
    one = observed.assign(customers=1)
    forecast = clv.forecast_orders(orders, one, ahead, seed)
    held["confidence of orders expected"] = forecast.ci_low <= expected <= forecast.ci_high
    if name != "NBD":
        found = clv.active_customers(orders, one, seed)
        held["confidence of active customers"] = found.ci_low <= active <= found.ci_high
    held["prediction of orders observed"] = forecast.pi_low <= actual.sum() <= forecast.pi_high
    money = clv.customer_equity(orders, spend, one, ahead, 0.0, 1.0, seed)
    held["prediction of spend observed"] = money.pi_low <= spent <= money.pi_high
    new = clv.forecast_orders(orders, clv.new_customers(), ahead, seed)
    of_new = float(truth.expected_orders_new(ahead))
    held["confidence of the orders of a new customer"] = new.ci_low <= of_new <= new.ci_high
    return held | _of_each(truth, orders, one[:EACH], actual[:EACH], ahead, seed)


def _of_parameters(fitted, truth, whose):
    """Whether each parameter's interval holds the true one."""
    found, true = fitted.parameters, pd.Series({p: getattr(truth, p) for p in likelihood.parameter_names(truth)})
    held = (found.ci_low <= true) & (true <= found.ci_high)
    return held.add_prefix(f"confidence of {whose}").to_dict()


def _of_each(truth, orders, one, actual, ahead, seed):
    """The shares of some customers whose own intervals hold what they should."""
    each = clv.predict_customers(orders, None, one, ahead, 0.0, 1.0, seed)
    expected = truth.expected_orders(one, ahead)
    held = (each.expected_orders_ci_low <= expected) & (expected <= each.expected_orders_ci_high)
    came = (each.expected_orders_pi_low <= actual) & (actual <= each.expected_orders_pi_high)
    return {"confidence of the orders expected of each customer": held.mean(), OF_EACH: came.mean()}


def simulated(truth, week, rng):
    """Customers as they were at the split, their orders after it, and what these cost together; `week`: its periods."""
    split = 39 * week
    new_customers = pd.DataFrame({"frequency": np.zeros(CUSTOMERS), "recency": 0.0, "age": 0.0})
    acquired = rng.integers(0, 13 * week, CUSTOMERS)
    orders = truth.simulate_orders(new_customers, 2 * split, rng)
    orders["spend"] = SPEND.simulate_spend(new_customers.assign(monetary_value=0.0), orders, rng)
    since = acquired[orders.row] + orders.day
    before, after = orders[since <= split].groupby("row"), orders[(since > split) & (since <= 2 * split)]
    observed = {"frequency": before.size(), "recency": before.day.max(), "monetary_value": before.spend.mean()}
    observed = (
        pd.DataFrame(observed).reindex(range(CUSTOMERS), fill_value=0.0).assign(age=(split - acquired).astype(float))
    )
    return observed, np.bincount(after.row, minlength=CUSTOMERS), after.spend.sum()
