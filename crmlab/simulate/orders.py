"""Worlds simulated from known parameters, to hold models to the truth."""

import numpy as np
import pandas as pd


def simulate_orders(
    r: float, alpha: float, a: float, b: float, customers: int, days: int, seed: int, acquired_over: int = 90
) -> pd.DataFrame:
    """A log of order days from a BG/NBD world: a frame with customer_id (text) and day (from 0), sorted.

    r, alpha, a, b : parameters, with alpha in days
    customers      : how many are acquired, evenly over the first `acquired_over` days
    days           : length of the log
    """
    rng = np.random.default_rng(seed)
    acquired = rng.integers(0, min(acquired_over, days), customers)
    rate = rng.gamma(r, 1 / alpha, customers)
    last = rng.geometric(np.maximum(rng.beta(a, b, customers), 1e-9))  # the repeat order after which each leaves
    repeats = np.minimum(rng.poisson(rate * (days - acquired)), 100_000)
    owner = np.repeat(np.arange(customers), repeats)
    when = acquired[owner] + rng.random(owner.size) * (days - acquired[owner])
    log = pd.DataFrame({"customer": owner, "when": when}).sort_values(["customer", "when"])
    log = log[log.groupby("customer").cumcount() < last[log.customer]]
    first = pd.DataFrame({"customer": np.arange(customers), "when": acquired.astype(float)})
    both = pd.concat([first, log]).sort_values(["customer", "when"])
    return pd.DataFrame(
        {
            "customer_id": both.customer.astype(str).str.zfill(len(str(customers))).to_numpy(),
            "day": both.when.to_numpy().astype(int),
        }
    )


def simulate_spend(log: pd.DataFrame, p: float, q: float, gamma: float, seed: int) -> np.ndarray:
    """What each order of `log` costs in a Gamma-Gamma world: an array, in currency, to the cent and above zero."""
    rng = np.random.default_rng(seed)
    owner, _ = pd.factorize(log.customer_id)
    scale = rng.gamma(q, 1 / gamma, owner.max() + 1)
    return np.maximum(rng.gamma(p, 1 / scale[owner]).round(2), 0.01)
