"""Worlds simulated in number: what a test and a row of `make bench PART=coverage` both count."""

import numpy as np
import pandas as pd

from crmlab import clv
from crmlab.clv import checks

from .small_frames import small_frame

MODELS = (clv.NBD, clv.BGNBD, clv.MBGNBD, clv.ParetoNBD, clv.DailyBGBB, clv.GammaGamma)
PARETO = {"r": 0.6, "alpha": 150.0, "s": 0.8, "beta": 200.0}


def pareto_world(
    customers=1000, seed=1, days=600, r=PARETO["r"], alpha=PARETO["alpha"], s=PARETO["s"], beta=PARETO["beta"]
):
    """A summary of a Pareto/NBD world, one row a customer; orders of a day are not merged, only their days rounded."""
    rng = np.random.default_rng(seed)
    age = rng.integers(days // 2, days, customers)
    stayed = np.minimum(rng.exponential(1 / rng.gamma(s, 1 / beta, customers)), age)
    x = rng.poisson(rng.gamma(r, 1 / alpha, customers) * stayed)
    last = np.ceil(stayed * rng.random(customers) ** (1 / np.maximum(x, 1)))
    return pd.DataFrame({"frequency": x, "recency": np.where(x > 0, last, 0).astype(int), "age": age})


def collapsed(frame):
    return frame.groupby([*frame], as_index=False).size().rename(columns={"size": "customers"})


def pareto_held(worlds, customers=1000, replicates=128):
    """The share of the four parameters of Pareto/NBD that lie in their intervals, over worlds."""
    true, held = pd.Series(PARETO), []
    for seed in range(worlds):
        found = clv.ParetoNBD.fit(collapsed(pareto_world(customers, seed)), replicates=replicates).parameters
        held.append((found.ci_low < true) & (true < found.ci_high))
    return np.mean(held)


def value_finite_where_mean_spend_is(models, replicates=256):
    """Of models of spend, q about that where the check passes: whether it does, and whether value's interval ends."""
    orders = clv.NBD(0.6, 60.0).with_covariance(np.eye(2) * 0.01, replicates)
    near = [
        clv.GammaGamma(6.0, q, 15.0).with_covariance(np.eye(3) * 0.01, replicates, seed=4)
        for q in np.linspace(1.17, 1.28, models)
    ]
    passed = np.array([checks.mean_spend_finite(each).outcome == "passed" for each in near])
    worth = [clv.customer_equity(orders, each, clv.new_customers(100), 365, 0.1, 1.0, seed=3) for each in near]
    return passed, np.isfinite([each.ci_high for each in worth])


def fits_of_small_frames(model, frames):
    """What each fit of a model to so many small frames gave: the model or Unfitted; any exception leaves it."""
    return [model.fit(small_frame(seed), replicates=0) for seed in range(frames)]
