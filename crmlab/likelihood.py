"""Fitting by maximum likelihood: the maximum, what it is worth, and draws around it.

Every model here has positive parameters, so all is done on their logarithms: `covariance` is that of
the logs, intervals are multiplicative, and no draw leaves the parameter space.
"""

from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import optimize, stats

from crmlab.result import Estimate
from crmlab.stats.threads import one_thread

MIN_CURVATURE = 1e-9  # a customer; below it, rounding tells a ridge from a maximum
SUBSAMPLE_ROWS = 2000  # rows to find out where a maximum lies, before all of them say where exactly
INTERVAL_POINTS = 512  # points, for the ends of an interval
PROPOSALS_PER_DRAW, PROPOSAL_SCALE, PROPOSAL_DF = (
    2,
    1.5,
    5,
)  # points proposed for each one drawn, how much wider, and how heavy in the tails
MAX_STANDARD_ERROR = 5  # standard error of a log of a parameter; beyond it, its interval spans eight powers of ten
PROBE_DISTANCE = 10  # logs to go from where a search stopped, to see whether the likelihood falls there
DIVERGED_DISTANCE = 14  # logs from where a search began, a million times: it runs off
LIKELIHOOD_TOLERANCE = 1e-6  # of a log-likelihood: nobody can tell


class FitError(RuntimeError):
    """The likelihood has no maximum that can be trusted; says why, what was seen and what to try."""

    def _render_traceback_(self):
        """In a notebook: the reason, not where in our code it was found."""
        return [f"FitError: {self}"]


@dataclass(frozen=True)
class Unfitted:
    """Stands where a model could not be fitted, and says why; false, where a model is true."""

    reason: str

    def __bool__(self):
        return False


def attempt(fit, *seen):
    """What `fit` makes of what was seen: a model, or Unfitted where it raises FitError."""
    try:
        return fit(*seen)
    except FitError as problem:
        return Unfitted(str(problem))


def bootstrap(model, likelihood, columns, customers, replicates, seed):
    """Models fitted as `model` was, to customers drawn anew `replicates` times: rows are reweighted, and it is near.

    likelihood, columns, customers : as `fit` takes them
    Draws without a clear maximum are left out, so that fewer models may come.
    """
    rng, everybody = np.random.default_rng(seed), int(customers.sum())
    near = [[getattr(model, name) for name in parameter_names(model)]]
    for _ in range(replicates):
        weights = rng.multinomial(everybody, customers / everybody)
        drawn = weights > 0
        with suppress(FitError):
            yield maximise(type(model), likelihood(*(c[drawn] for c in columns), weights[drawn]), near, everybody)


def parameter_names(model):
    """The parameters of a model, or of its class: its fields but the covariance and what lies around."""
    return [f.name for f in fields(model) if f.name not in ("covariance", "uncertainty")]


def fit(cls, likelihood, columns, customers, starts):
    """The model of `cls` that `maximise` finds for rows of `columns`, each for so many `customers`.

    likelihood : columns and customers -> the function that `maximise` takes as derivatives
    starts     : tuples of parameters; where rows are many, all are tried on some of the rows, and the best on all;
                 where that leads nowhere, all on all
    """
    if customers.size > 2 * SUBSAMPLE_ROWS:
        some = slice(None, None, customers.size // SUBSAMPLE_ROWS)
        rows = [column[some] for column in columns]
        with suppress(FitError):
            near = maximise(cls, likelihood(*rows, customers[some]), starts, int(customers[some].sum()))
            start = [getattr(near, name) for name in parameter_names(near)]
            return maximise(cls, likelihood(*columns, customers), [start], int(customers.sum()))
    return maximise(cls, likelihood(*columns, customers), starts, int(customers.sum()))


def maximise(cls, derivatives, starts, customers):
    """The model of `cls` whose parameters maximise the log-likelihood.

    derivatives : parameters (array) -> log-likelihood, its gradient, its Hessian, all by the parameters themselves
    starts      : tuples of parameters to begin at; the best maximum found from them is taken
    customers   : how many the likelihood is a sum over; the search works on the mean
    Where the first alone is quicker, `derivatives.value` gives it.
    Raises FitError unless the gradient vanishes and the curvature is that of a maximum, whatever the optimiser says.
    """
    with one_thread(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        ends = [(*_search(derivatives, start, customers), np.log(start)) for start in starts]
        found, value, slope, curvature, start = min(ends, key=lambda end: end[1])
        lowest = np.linalg.eigvalsh(curvature)[0] if np.isfinite(value) else -np.inf
        missing = slope @ np.linalg.solve(curvature, slope) / 2 * customers if lowest > 0 else np.inf
        log_likelihood, there = _on_log_scale(derivatives), lowest > MIN_CURVATURE and missing < LIKELIHOOD_TOLERANCE
        if not there or lowest < 1 / (MAX_STANDARD_ERROR**2 * customers):
            raise FitError(
                _failure_reason(cls, log_likelihood, found, found - start, there, slope, curvature, customers)
            )
    uncertainty = Uncertainty(log_likelihood, np.linalg.inv(curvature * customers))
    return cls(*map(float, np.exp(found)), covariance=uncertainty.covariance, uncertainty=uncertainty)


def _on_log_scale(derivatives):
    """The log-likelihood as a function of the logs of the parameters."""
    value = getattr(derivatives, "value", lambda theta: derivatives(theta)[0])
    return lambda logs: value(np.exp(logs))


def _failure_reason(cls, log_likelihood, found, off, there, slope, curvature, customers):
    """Why the end of a search is no maximum to be trusted, in words: there is none, or it is too flat, or not reached.

    off   : logs the search went from where it began
    there : whether it ended where the slope vanishes on a maximum's curvature
    There is none where the search ran off, or where the likelihood does not fall on one of the sides it is flattest on.
    """
    here, (least, ways) = log_likelihood(found), np.linalg.eigh(curvature)
    reach = min(1 / np.sqrt(least[0] * customers), PROBE_DISTANCE) if least[0] > 0 else PROBE_DISTANCE
    onwards = ways[:, 0] * (1 if ways[:, 0] @ off > 0 else -1)
    endless = [way for way in (onwards, -onwards) if log_likelihood(found + reach * way) > here - LIKELIHOOD_TOLERANCE]
    if not there and np.abs(off).max() > DIVERGED_DISTANCE:
        endless.append(np.where(np.abs(off) > DIVERGED_DISTANCE, off, 0))
    if endless:
        what, told = "no maximum", f"its likelihood does not fall as {_direction_in_words(cls, endless[0])}"
    elif there:
        errors = np.sqrt(np.diag(np.linalg.inv(curvature * customers)))
        loose = [
            f"of log {name} {error:.2g}" for name, error in zip(parameter_names(cls), errors, strict=True) if error > 1
        ]
        what, told = "too flat a maximum", f"standard error {', '.join(loose)}"
    else:
        what = "no clear maximum"
        told = f"steepest slope {np.abs(slope).max():.2g}, least curvature {least[0]:.2g} a customer"
    at = ", ".join(f"{name} {value:.4g}" for name, value in zip(parameter_names(cls), np.exp(found), strict=True))
    whom = f"these {customers:,} customers" if customers > 1 else "this one customer"
    return (
        f"{cls.title} has {what} on {whom}: {told}; the search stopped at {at}; the data may hold too few repeat "
        "orders, or customers too much alike, or follow a simpler model: try a longer calibration, or more customers"
    )


def _direction_in_words(cls, way):
    """Where a direction of the logs of the parameters leads, in words."""
    leading = [
        (name, step) for name, step in zip(parameter_names(cls), way, strict=True) if abs(step) > np.abs(way).max() / 5
    ]
    parts = []
    for sign, verb, end in ((1, "grow", "without end"), (-1, "shrink", "to nothing")):
        moved = [name for name, step in leading if sign * step > 0]
        parts += [f"{' and '.join(moved)} {verb if len(moved) > 1 else verb + 's'} {end}"] if moved else []
    return " and ".join(parts)


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
    theta = np.array([getattr(model, name) for name in parameter_names(model)])
    return pd.Series(
        theta * np.sqrt(np.diag(_uncertainty(model).covariance)), parameter_names(model), name="standard_error"
    )


def parameters(model, level=0.95):
    """Each parameter with its standard error and confidence interval, from `draws`: a frame by name."""
    theta = np.array([getattr(model, name) for name in parameter_names(model)])
    if _uncertainty(model).log_likelihood:
        points, weights = model.uncertainty.weighted_points(np.log(theta), INTERVAL_POINTS, 0)
        ends = [(1 - level) / 2, (1 + level) / 2]
        ci_low, ci_high = np.exp(np.quantile(points, ends, axis=0, weights=weights, method="inverted_cdf"))
    else:
        reach = np.exp(stats.norm.ppf((1 + level) / 2) * np.sqrt(np.diag(model.covariance)))
        ci_low, ci_high = theta / reach, theta * reach
    return pd.DataFrame(
        {"value": theta, "standard_error": standard_errors(model), "ci_low": ci_low, "ci_high": ci_high},
        index=pd.Index(parameter_names(model), name="parameter"),
    )


def estimates(model, prefix):
    """Each parameter as an Estimate, named `prefix`_parameter: facts for a Result; none of what is Unfitted."""
    table = parameters(model) if model else pd.DataFrame()
    return {f"{prefix}_{row.Index}": Estimate(row.value, row.ci_low, row.ci_high) for row in table.itertuples()}


def draws(model, replicates, seed):
    """`replicates` models drawn about the maximum, as far off as the data leave open; best, a power of two.

    They are drawn in proportion to the likelihood of what the model was fitted to, where it is at hand: near a ridge,
    its curvature at the maximum alone would promise too much. Else they are normal on the logs, by the covariance.
    Raises ValueError where the model has none, as one written by hand.
    """
    logs = np.log([getattr(model, name) for name in parameter_names(model)])
    for drawn in np.exp(_uncertainty(model).draws(tuple(logs), replicates, seed)):
        yield replace(model, uncertainty=None, **dict(zip(parameter_names(model), map(float, drawn), strict=True)))


def _uncertainty(model):
    """What lies about a model's maximum; by its covariance alone where that is not the fitted one."""
    if model.covariance is None:
        raise ValueError(
            f"{model} was not fitted, so that nothing says how uncertain it is: fit it first, as by "
            f"{type(model).__name__}.fit(customers)"
        )
    fitted = model.uncertainty and model.uncertainty.covariance is model.covariance
    return model.uncertainty if fitted else Uncertainty(None, model.covariance)


class Uncertainty:
    """What data say of parameters about a maximum: `log_likelihood` of their logs, or None, and their covariance."""

    def __init__(self, log_likelihood, covariance):
        self.log_likelihood, self.covariance = log_likelihood, covariance
        self.draws = lru_cache(maxsize=8)(self._draws)  # many intervals of one report rest on the same draws

    def _draws(self, at, replicates, seed):
        """`replicates` logs of parameters about those at `at`: an array, a row each, in any order."""
        rng = np.random.default_rng(seed)
        if self.log_likelihood is None:
            points = stats.qmc.MultivariateNormalQMC(np.zeros(len(at)), rng=rng).random(_power_of_two(replicates))
            return rng.permutation(at + points @ np.linalg.cholesky(self.covariance).T)[:replicates]
        points, weights = self.weighted_points(at, PROPOSALS_PER_DRAW * replicates, rng)
        order = rng.permutation(len(points))  # they fill space evenly, and even steps would fall in with that
        shares = np.cumsum(weights[order])
        return points[order][np.searchsorted(shares / shares[-1], (np.arange(replicates) + rng.random()) / replicates)]

    def weighted_points(self, at, count, seed):
        """Logs of parameters from a wider t distribution, a row each, and weights that make them the data's.

        They are `replicates`, or as many more as make a power of two.
        """
        root = np.linalg.cholesky(self.covariance)
        uniform = stats.qmc.Sobol(len(at) + 1, rng=np.random.default_rng(seed)).random(_power_of_two(count))
        tails = np.sqrt(stats.chi2.ppf(uniform[:, -1], PROPOSAL_DF) / PROPOSAL_DF)[:, None]
        points = at + np.sqrt(PROPOSAL_SCALE) * (stats.norm.ppf(uniform[:, :-1]) / tails) @ root.T
        apart = np.linalg.solve(root, (points - at).T) / np.sqrt(PROPOSAL_SCALE)
        proposed = -(PROPOSAL_DF + len(at)) / 2 * np.log1p((apart**2).sum(axis=0) / PROPOSAL_DF)
        with one_thread(), np.errstate(all="ignore"):
            weight = np.array([self.log_likelihood(point) for point in points]) - proposed
        weight = np.exp(weight - np.nanmax(weight), where=np.isfinite(weight), out=np.zeros(len(weight)))
        return points, weight / weight.sum()


def _power_of_two(count):
    """The least that is no less: so many of Sobol's points fill space evenly."""
    return 1 << (count - 1).bit_length()
