"""Small frames of customers as they come: few, alike, silent, busy, cheap and dear."""

import numpy as np
import pandas as pd


def small_frame(seed, customers=12, days=60):
    """A frame of `collapse` with up to so many customers, drawn at random: what a small shop may hold."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, customers + 1))
    age = rng.integers(1, days, count) if rng.random() < 0.7 else np.full(count, rng.integers(1, days))
    rates = rng.gamma(rng.choice([0.2, 1, 5]), rng.choice([0.01, 0.05, 0.2]), count)
    frequency = np.minimum(rng.poisson(rates * age), age)
    if rng.random() < 0.1:
        frequency = np.minimum(rng.integers(0, 3), age)
    last = np.ceil(age * rng.random(count) ** rng.choice([0.1, 1, 3])).astype(int)
    recency = np.where(frequency > 0, np.clip(last, frequency, age), 0)
    spend = rng.lognormal(rng.choice([0, 3, 8]), rng.choice([0.01, 0.5, 2]), count).round(2) + 0.01
    if rng.random() < 0.1:
        spend[:] = 9.99
    spend = np.where(frequency > 0, spend, 0.0)
    return pd.DataFrame({"frequency": frequency, "recency": recency, "age": age, "monetary_value": spend})
