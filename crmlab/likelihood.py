"""Fitting by maximum likelihood: the maximum, what it is worth, and draws around it.

Every model here has positive parameters, so all is done on their logarithms: `covariance` is that of
the logs, intervals are multiplicative, and no draw leaves the parameter space.
"""

from contextlib import suppress
from dataclasses import fields, replace
from functools import cache, lru_cache

import numpy as np
import pandas as pd
from scipy import optimize, stats
from threadpoolctl import ThreadpoolController

from crmlab.result import Estimate

LEAST_CURVATURE = 1e-9  # a customer; below it, rounding tells a ridge from a maximum
ENOUGH = 2000  # rows to find out where a maximum lies, before all of them say where exactly
LOOSEST = 5  # standard error of a log of a parameter; beyond it, its interval spans eight powers of ten


class FitError(RuntimeError):
    """The likelihood has no maximum that can be trusted; says what was seen and what to try."""


def names(model):
    """The parameters of a model, or of its class: its fields but the covariance."""
    return [f.name for f in fields(model) if f.name != "covariance"]


def fit(cls, likelihood, columns, customers, starts):
    """The model of `cls` that `maximise` finds for rows of `columns`, each for so many `customers`.

    likelihood : columns and customers -> the function that `maximise` takes as derivatives
    starts     : tuples of parameters; where rows are many, all are tried on some of the rows, and the best on all
    """
    if customers.size > 2 * ENOUGH:
        some = slice(None, None, customers.size // ENOUGH)
        rows = [column[some] for column in columns]
        with suppress(FitError):
            near = maximise(cls, likelihood(*rows, customers[some]), starts, int(customers[some].sum()))
            starts = [[getattr(near, name) for name in names(near)]]
    return maximise(cls, likelihood(*columns, customers), starts, int(customers.sum()))


def maximise(cls, derivatives, starts, customers):
    """The model of `cls` whose parameters maximise the log-likelihood.

    derivatives : parameters (array) -> log-likelihood, its gradient, its Hessian, all by the parameters themselves
    starts      : tuples of parameters to begin at; the best maximum found from them is taken
    customers   : how many the likelihood is a sum over; the search works on the mean
    Raises FitError unless the gradient vanishes and the curvature is that of a maximum, whatever the optimiser says.
    """
    with _blas().limit(limits=1, user_api="blas"), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        ends = [_search(derivatives, start, customers) for start in starts]
        found, value, slope, curvature = min(ends, key=lambda end: end[1])
        lowest = np.linalg.eigvalsh(curvature)[0] if np.isfinite(value) else -np.inf
        missing = slope @ np.linalg.solve(curvature, slope) / 2 * customers if lowest > 0 else np.inf
    if not (lowest > max(LEAST_CURVATURE, 1 / (LOOSEST**2 * customers)) and missing < 1e-6):
        at = ", ".join(f"{name} {value:.4g}" for name, value in zip(names(cls), np.exp(found), strict=True))
        raise FitError(
            f"{cls.__name__} has no clear maximum on these {customers:,} customers: it stopped at {at}, steepest "
            f"slope {np.abs(slope).max():.2g}, least curvature {lowest:.2g} a customer; the data may hold too few "
            "repeat orders, or follow a simpler model: try a longer calibration, or more customers"
        )
    return cls(*map(float, np.exp(found)), covariance=np.linalg.inv(curvature * customers))


@cache
def _blas():
    """What limits the threads of BLAS; slow to find, and the same ever after."""
    return ThreadpoolController()


def _search(derivatives, start, customers):
    """Where a search ended: logs of parameters, minus the mean log-likelihood, its gradient and its Hessian."""

    @lru_cache(maxsize=2)  # the search asks for value, gradient and Hessian of a point one after the other
    def at(logs):
        theta = np.exp(logs)
        value, gradient, hessian = derivatives(theta)
        slope = gradient * theta
        parts = value, slope, hessian * np.outer(theta, theta) + np.diag(slope)
        if all(np.isfinite(part).all() for part in parts):
            return tuple(-part / customers for part in parts)
        return np.inf, np.zeros_like(theta), np.eye(theta.size)  # too far: the search takes a shorter step

    found = optimize.minimize(
        lambda logs: at(tuple(logs))[0],
        np.log(start),
        jac=lambda logs: at(tuple(logs))[1],
        hess=lambda logs: at(tuple(logs))[2],
        method="trust-exact",
        options={"gtol": 1e-10, "maxiter": 200},
    ).x
    value, slope, curvature = at(tuple(found))
    if np.isfinite(value) and np.linalg.eigvalsh(curvature)[0] > 0:  # one step further, to the last digits
        closer = found - np.linalg.solve(curvature, slope)
        if at(tuple(closer))[0] <= value:
            return closer, *at(tuple(closer))
    return found, value, slope, curvature


def standard_errors(model):
    """Standard error of each parameter, from the Hessian at the maximum: a Series by name."""
    theta = np.array([getattr(model, name) for name in names(model)])
    return pd.Series(theta * np.sqrt(np.diag(model.covariance)), names(model), name="standard_error")


def parameters(model, level=0.95):
    """Each parameter with its standard error and confidence interval: a frame by name."""
    theta = np.array([getattr(model, name) for name in names(model)])
    reach = np.exp(stats.norm.ppf((1 + level) / 2) * np.sqrt(np.diag(model.covariance)))
    return pd.DataFrame(
        {"value": theta, "standard_error": standard_errors(model), "low": theta / reach, "high": theta * reach},
        index=pd.Index(names(model), name="parameter"),
    )


def estimates(model, prefix):
    """Each parameter as an Estimate, named `prefix`_parameter: facts for a Result."""
    table = parameters(model)
    return {f"{prefix}_{row.Index}": Estimate(row.value, row.low, row.high) for row in table.itertuples()}


def draws(model, count, seed):
    """`count` models drawn around the maximum, as far off as the data leave open; best, a power of two."""
    logs = np.log([getattr(model, name) for name in names(model)])
    rng = np.random.default_rng(seed)
    points = stats.qmc.MultivariateNormalQMC(logs, model.covariance, rng=rng).random(count)
    for drawn in np.exp(rng.permutation(points)):  # in any order, so that draws of two models meet by chance
        yield replace(model, **dict(zip(names(model), map(float, drawn), strict=True)))
