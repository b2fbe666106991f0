"""Customers of one kind, and of planted kinds: features drawn from known distributions."""

import numpy as np
import pandas as pd

COLUMNS = ("orders", "spend")
ONE_KIND = ("uniform", "gaussian", "lognormal", "gamma_poisson")


def one_kind(kind, seed, count=300):
    """Features of customers without segments; uniform and Gaussian ones are dependent, the others skewed."""
    rng = np.random.default_rng([seed, ONE_KIND.index(kind)])
    normal = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], count)
    if kind == "uniform":
        X = rng.uniform(0, 1, (count, 2))
    elif kind == "gamma_poisson":
        orders = 1 + rng.poisson(rng.gamma(0.8, 2.5, count))
        X = np.stack([orders, rng.gamma(2.0 * orders, 10)], axis=1)
    else:
        X = normal if kind == "gaussian" else np.exp(normal)
    return frame(X)


def planted(seed=3, count=300, width=0.25):
    """Features of customers of three kinds, log-normal about their centres; and which kind each is."""
    rng = np.random.default_rng(seed)
    kind = np.repeat([0, 1, 2], [count // 3, count // 2, count - count // 3 - count // 2])
    centres = np.array([[1.0, 3.0], [3.0, 3.3], [2.0, 5.5]])
    return frame(np.exp(centres[kind] + width * rng.normal(size=(count, 2)))), kind


def frame(X):
    return pd.DataFrame(X, pd.Index([f"c{i:05d}" for i in range(len(X))], name="customer_id"), list(COLUMNS))
