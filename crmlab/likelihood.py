"""Fitting by maximum likelihood: the maximum, what it is worth, and draws around it.

Every model here has positive parameters, so all is done on their logarithms: `covariance` is that of
the logs, intervals are multiplicative, and no draw leaves the parameter space.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar, Self, TypeAlias, TypeVar

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from crmlab.contracts import InputError
from crmlab.model import FitError, Model, prediction
from crmlab.stats import intervals
from crmlab.stats.threads import one_thread

REPLICATES = 256  # draws kept with a fitted model; a power of two, as points that fill a space evenly ask for
MIN_CURVATURE = 1e-9  # a customer; below it, rounding tells a ridge from a maximum
SUBSAMPLE_ROWS = 2000  # rows to find out where a maximum lies, before all of them say where exactly
PROPOSALS_PER_DRAW, PROPOSAL_SCALE, PROPOSAL_DF = 2, 1.5, 5  # points for each draw, how much wider, tails how heavy
MAX_STANDARD_ERROR = 5  # standard error of a log of a parameter; beyond it, its interval spans eight powers of ten
MORE_WITH_PRIOR = 4  # times as many points, where a likelihood may be flat
MOST_TAIL_SHAPE = 0.7  # of the weights of draws; beyond it, their means cannot be trusted [Vehtari et al. 2024]
PROBE_DISTANCE = 10  # logs to go from where a search stopped, to see whether the likelihood falls there
DIVERGED_DISTANCE = 14  # logs from where a search began, a million times: it runs off
LIKELIHOOD_TOLERANCE = 1e-6  # of a log-likelihood: nobody can tell
VANISHED, LIMIT_TOLERANCE = 1e-9, 0.01  # a parameter taken as 0; how near a limit a log-likelihood is
FURTHER = "try a longer calibration, or more customers"


@dataclass(frozen=True)
class Uncertainty:
    """What data leave open of the parameters of a fitted model.

    covariance     : of their logs, from the Hessian at the maximum
    draws          : their logs, drawn in proportion to the likelihood, a row each; without rows where none were asked
    log_likelihood : of each draw; None where they are normal, by the covariance alone
    prior          : name of the prior that the fit rests on beside the data; empty where it rests on the data alone
    bin_error      : how far grouping the data in bins moves a parameter at most, as a share of it; 0 without bins
    """

    covariance: np.ndarray
    draws: np.ndarray
    log_likelihood: np.ndarray | None = None
    prior: str = ""
    bin_error: float = 0.0


@dataclass(frozen=True)
class LogPrior:
    """A prior of parameters u, v in pairs: normal log u / (u + v) and log (u + v), or log u / v and log u.

    Each of `terms` is the places of u and v, whether it is of the first or the second kind ("share" or "rate"), and the
    centre and standard deviation of its two numbers. It takes the logs of the parameters, and gives its log density, up
    to a constant, the gradient and the Hessian.
    """

    name: str
    terms: tuple[tuple[int, int, str, tuple[float, float], tuple[float, float]], ...]

    def __call__(self, logs: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        value, gradient, hessian = 0.0, np.zeros(len(logs)), np.zeros((len(logs), len(logs)))
        for u, v, kind, *normals in self.terms:
            place = [u, v]
            pair = _of_pair(logs[u], logs[v], kind)
            for (found, slope, bend), (centre, deviation) in zip(pair, normals, strict=True):
                off = (found - centre) / deviation**2
                value -= off * (found - centre) / 2
                gradient[place] -= off * slope
                hessian[np.ix_(place, place)] -= np.outer(slope, slope) / deviation**2 + off * bend
        return value, gradient, hessian

    def wider(self, times: float) -> "LogPrior":
        """The same with standard deviations so many times as large."""
        terms = [(u, v, kind, (a, times * b), (c, times * d)) for u, v, kind, (a, b), (c, d) in self.terms]
        return LogPrior(self.name, tuple(terms))


def _of_pair(u, v, kind):
    """The two numbers that are normal, of the logs of a pair, each with its gradient and Hessian."""
    flat = np.zeros((2, 2))
    if kind == "rate":
        return (u - v, np.array([1.0, -1.0]), flat), (u, np.array([1.0, 0.0]), flat)
    both, share = np.logaddexp(u, v), special.expit(u - v)
    bend = share * (1 - share) * np.array([[1.0, -1.0], [-1.0, 1.0]])
    slope = np.array([share, 1 - share])
    return (u - both, np.array([1.0, 0.0]) - slope, -bend), (both, slope, bend)


M = TypeVar("M", bound="LikelihoodModel")
Limits: TypeAlias = tuple[tuple[tuple[str, ...], int, str], ...]


class LikelihoodModel(Model):
    """A model whose parameters are positive numbers, fitted by maximum likelihood.

    `uncertainty` comes with a fit; a model made of numbers alone, or by dataclasses.replace, has none, and gives no
    interval.
    """

    uncertainty: ClassVar[Uncertainty | None] = None
    # parameters that run off together where there is no maximum, up (1) or down (-1), and what that means of customers
    LIMITS: ClassVar[Limits] = ()
    # a parameter without which the model is a simpler one: its name, what that model is, and how to ask for it
    SIMPLER: ClassVar[tuple[str, str, str] | None] = None

    def __post_init__(self) -> None:
        wrong = {
            name: value for name, value in zip(parameter_names(self), values(self), strict=True) if not _positive(value)
        }
        if wrong:
            raise InputError(
                *(
                    f"{type(self).__name__}: {name} = {value!r}; choose a finite number above 0"
                    for name, value in wrong.items()
                )
            )

    def __repr__(self) -> str:
        errors = None if self.uncertainty is None else np.sqrt(np.diag(self.uncertainty.covariance))
        said = [
            f"{name}={value:.4g}" + ("" if errors is None else f" ± {value * errors[place]:.2g}")
            for place, (name, value) in enumerate(zip(parameter_names(self), values(self), strict=True))
        ]
        return f"{type(self).__name__}({', '.join(said)})"

    @property
    def covariance(self) -> np.ndarray | None:
        """Covariance of the logs of the parameters; None where the model was not fitted."""
        return None if self.uncertainty is None else self.uncertainty.covariance

    @property
    @prediction
    def parameters(self) -> pd.DataFrame:
        """A row a parameter: value, standard_error, ci_low and ci_high, the 95 % confidence interval."""
        theta = np.array(values(self))
        frame = pd.DataFrame({"value": theta}, index=pd.Index(parameter_names(self), name="parameter"))
        if self.uncertainty is None:
            return frame.assign(standard_error=np.nan, ci_low=np.nan, ci_high=np.nan)
        errors = np.sqrt(np.diag(self.uncertainty.covariance))
        if self.uncertainty.log_likelihood is None or not len(self.uncertainty.draws):
            reach = np.exp(stats.norm.ppf(0.975) * errors)
            low, high = theta / reach, theta * reach
        else:
            low, high = np.exp(intervals.percentile_interval(self.uncertainty.draws))
        return frame.assign(standard_error=theta * errors, ci_low=low, ci_high=high)

    @property
    def draws(self) -> Iterator[Self]:
        """Models drawn about the fitted one, as far off as the data leave open; none where it was not fitted."""
        for drawn in () if self.uncertainty is None else np.exp(self.uncertainty.draws):
            yield type(self)(*map(float, drawn))

    def with_covariance(self, covariance: np.ndarray, replicates: int = REPLICATES, seed: int = 1) -> Self:
        """The same parameters with draws that are normal on the logs, as from a paper's standard errors."""
        rng, at = np.random.default_rng(seed), np.log(values(self))
        points = stats.qmc.MultivariateNormalQMC(np.zeros(len(at)), rng=rng).random(_power_of_two(replicates))
        drawn = rng.permutation(at + points @ np.linalg.cholesky(covariance).T)[:replicates]
        return with_uncertainty(type(self)(*values(self)), Uncertainty(np.asarray(covariance), drawn))


def with_uncertainty(model: M, uncertainty: Uncertainty) -> M:
    object.__setattr__(model, "uncertainty", uncertainty)
    return model


def _positive(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and bool(0 < value < np.inf)


def bootstrap(
    model: M, likelihood: Callable, columns: Sequence, customers: np.ndarray, replicates: int, seed: int
) -> Iterator[M]:
    """Models fitted as `model` was, to customers drawn anew `replicates` times: rows are reweighted, and it is near.

    likelihood, columns, customers : as `fit` takes them
    Draws without a clear maximum are left out, so that fewer models may come.
    """
    rng, everybody = np.random.default_rng(seed), int(customers.sum())
    for _ in range(replicates):
        weights = rng.multinomial(everybody, customers / everybody)
        drawn = weights > 0
        with suppress(FitError):
            derivatives = likelihood(*(c[drawn] for c in columns), weights[drawn])
            yield maximise(type(model), derivatives, [values(model)], everybody, replicates=0)


def parameter_names(model: Any) -> list[str]:
    """The names of the parameters of a model, or of its class."""
    return [f.name for f in fields(model)]


def values(model: LikelihoodModel) -> list[float]:
    """The parameters of a model."""
    return [getattr(model, name) for name in parameter_names(model)]


def fit(
    cls: type[M],
    likelihood: Callable,
    columns: Sequence,
    customers: np.ndarray,
    starts: Sequence,
    prior: "LogPrior | None" = None,
    **draws: int,
) -> M:
    """The model of `cls` that `maximise` finds for rows of `columns`, each for so many `customers`.

    likelihood : columns and customers -> the function that `maximise` takes as derivatives
    starts     : tuples of parameters; where rows are many, all are tried on some of the rows, and the best on all;
                 where that leads nowhere, all on all
    prior, draws : prior, replicates and seed, as `maximise` takes them
    """
    if customers.size > 2 * SUBSAMPLE_ROWS:
        some = slice(None, None, customers.size // SUBSAMPLE_ROWS)
        rows = [column[some] for column in columns]
        with suppress(FitError):
            near = maximise(cls, likelihood(*rows, customers[some]), starts, int(customers[some].sum()), 0, prior=prior)
            whole = likelihood(*columns, customers)
            return maximise(cls, whole, [values(near)], int(customers.sum()), prior=prior, **draws)
    return maximise(cls, likelihood(*columns, customers), starts, int(customers.sum()), prior=prior, **draws)


def maximise(
    cls: type[M],
    derivatives: Callable,
    starts: Sequence,
    customers: int,
    replicates: int = REPLICATES,
    seed: int = 1,
    prior: "LogPrior | None" = None,
) -> M:
    """The model of `cls` whose parameters maximise the log-likelihood.

    derivatives : parameters (array) -> log-likelihood, its gradient, its Hessian, all by the parameters themselves
    starts      : tuples of parameters to begin at; the best maximum found from them is taken
    customers   : how many the likelihood is a sum over; the search works on the mean
    replicates  : how many draws to keep with the model; 0 keeps none
    seed        : of the draws
    prior       : whose log density is added to the likelihood; its draws are refused where few of them carry all weight
    Where the first alone is quicker, `derivatives.value` gives it.
    Raises FitError unless the gradient vanishes and the curvature is that of a maximum, whatever the optimiser says.
    """
    with one_thread(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        ends = [(*_search(derivatives, start, customers, prior), np.log(start)) for start in starts]
        found, value, slope, curvature, start = min(ends, key=lambda end: end[1])
        lowest = np.linalg.eigvalsh(curvature)[0] if np.isfinite(value) else -np.inf
        curved = lowest > MIN_CURVATURE
        missing = slope @ np.linalg.solve(curvature, slope) / 2 * customers if curved else np.inf
        log_likelihood, there = _on_log_scale(derivatives, prior), missing < LIKELIHOOD_TOLERANCE
        if not there or lowest < 1 / (MAX_STANDARD_ERROR**2 * customers):
            raise _failure(cls, log_likelihood, found, found - start, there, slope, curvature, customers)
    model, covariance = cls(*map(float, np.exp(found))), np.linalg.inv(curvature * customers)
    left = uncertainty(log_likelihood, np.log(values(model)), covariance, replicates, seed, prior)
    return with_uncertainty(model, left)


def uncertainty(
    log_likelihood: Callable,
    at: np.ndarray,
    covariance: np.ndarray,
    replicates: int,
    seed: int,
    prior: "LogPrior | None" = None,
) -> Uncertainty:
    """What a likelihood leaves open about its maximum.

    They are drawn in proportion to the likelihood: near a ridge, its curvature at the maximum alone would promise too
    much. Points come from a wider t distribution, weighted by the likelihood, and are drawn by their weights.

    log_likelihood : of the logs of the parameters
    at             : logs of the parameters at the maximum
    """
    named = prior.name if prior else ""
    if not replicates:
        return Uncertainty(covariance, np.empty((0, len(at))), np.empty(0), named)
    rng, root = np.random.default_rng(seed), np.linalg.cholesky(covariance)
    proposals = _power_of_two(PROPOSALS_PER_DRAW * replicates * (MORE_WITH_PRIOR if prior else 1))
    uniform = stats.qmc.Sobol(len(at) + 1, rng=rng).random(proposals)
    tails = np.sqrt(stats.chi2.ppf(uniform[:, -1], PROPOSAL_DF) / PROPOSAL_DF)[:, None]
    points = at + np.sqrt(PROPOSAL_SCALE) * (stats.norm.ppf(uniform[:, :-1]) / tails) @ root.T
    away = np.linalg.solve(root, (points - at).T) / np.sqrt(PROPOSAL_SCALE)
    proposed = -(PROPOSAL_DF + len(at)) / 2 * np.log1p((away**2).sum(axis=0) / PROPOSAL_DF)
    with one_thread(), np.errstate(all="ignore"):
        of_point = np.array([log_likelihood(point) for point in points])
    weight = of_point - proposed
    weight = np.exp(weight - np.nanmax(weight), where=np.isfinite(weight), out=np.zeros(len(weight)))
    if prior and (shape := _tail_shape(weight)) > MOST_TAIL_SHAPE:
        reason = f"few draws carry all weight: Pareto's k of their weights is {shape:.2f}, above {MOST_TAIL_SHAPE}"
        raise FitError(f"with the {prior.name} prior {reason}", FURTHER)
    order = rng.permutation(len(points))  # they fill space evenly, and even steps would fall in with that
    shares = np.cumsum((weight / weight.sum())[order])
    steps = (np.arange(replicates) + rng.random()) / replicates
    chosen = order[np.searchsorted(shares / shares[-1], steps)]
    return Uncertainty(covariance, points[chosen], of_point[chosen], named)


def _tail_shape(weights):
    """Shape k of the generalised Pareto distribution of the largest weights, smoothed. [Vehtari et al. 2024]

    By the estimator of Zhang & Stephens (2009), drawn towards 0.5 as by ten further weights.
    """
    ordered = np.sort(weights)
    count = int(min(0.2 * len(weights), 3 * np.sqrt(len(weights))))
    beyond = ordered[-count:] - ordered[-count - 1]
    beyond = beyond[beyond > 0]
    if len(beyond) < 5:
        return np.inf
    n, many = len(beyond), 30 + int(np.sqrt(len(beyond)))
    grid = 1 - np.sqrt(many / (np.arange(many) + 0.5))
    grid = 1 / beyond[-1] + grid / (3 * beyond[int(n / 4 + 0.5) - 1])
    shapes = np.log1p(-grid[:, None] * beyond).mean(axis=1)
    profile = n * (np.log(-grid / shapes) - shapes - 1)
    found = grid @ special.softmax(profile)
    return (n * np.log1p(-found * beyond).mean() + 5) / (n + 10)


def _on_log_scale(derivatives, prior=None):
    """The log-likelihood, with the prior where there is one, as a function of the logs of the parameters."""
    value = getattr(derivatives, "value", lambda theta: derivatives(theta)[0])
    if prior is None:
        return lambda logs: value(np.exp(logs))
    return lambda logs: value(np.exp(logs)) + prior(logs)[0]


def _failure(
    cls: type[M], log_likelihood: Callable, found: np.ndarray, off: np.ndarray, there: bool, slope: np.ndarray,
    curvature: np.ndarray, customers: int,
) -> FitError:  # fmt: skip
    """Why the end of a search is no maximum to be trusted, in words: there is none, or it is too flat, or not reached.

    off   : logs the search went from where it began
    there : whether it ended where the slope vanishes on a maximum's curvature
    There is none where the search ran off, or where the likelihood does not fall on one of the sides it is flattest on.
    """
    here, (least, ways) = log_likelihood(found), np.linalg.eigh(curvature)
    reach = min(1 / np.sqrt(least[0] * customers), PROBE_DISTANCE) if least[0] > 0 else PROBE_DISTANCE
    onwards = ways[:, 0] * (1 if ways[:, 0] @ off > 0 else -1)
    endless = [way for way in (onwards, -onwards) if log_likelihood(found + reach * way) > here - LIKELIHOOD_TOLERANCE]
    if np.abs(off).max() > DIVERGED_DISTANCE and (endless or not there):  # where it went, not where it is flat
        endless.insert(0, off)
    at = ", ".join(f"{name} {value:.4g}" for name, value in zip(parameter_names(cls), np.exp(found), strict=True))
    whom = f"these {customers:,} customers" if customers > 1 else "this one customer"
    causes = "the data may hold too few repeat orders, or customers too much alike, or follow a simpler model"
    if endless:  # the search ran off, and where it stopped depends on the machine
        where, simpler = _limit(cls, log_likelihood, found, here, endless[0])
        recommendation = simpler or FURTHER
        return FitError(f"{cls.title} has no maximum on {whom}: its likelihood does not fall {where}", recommendation)
    if there:
        errors = np.sqrt(np.diag(np.linalg.inv(curvature * customers)))
        loose = [f"of log {n} {error:.2g}" for n, error in zip(parameter_names(cls), errors, strict=True) if error > 1]
        what, why = "too flat a maximum", f"standard error {', '.join(loose)}"
    else:
        what = "no clear maximum"
        why = f"steepest slope {np.abs(slope).max():.2g}, least curvature {least[0]:.2g} a customer"
    return FitError(f"{cls.title} has {what} on {whom}: {why}; the search stopped at {at}; {causes}", FURTHER)


def _limit(cls, log_likelihood, found, here, way):
    """What a likelihood without a maximum approaches, in words, and the simpler model to ask for where it is that."""
    names = parameter_names(cls)
    steps = dict(zip(names, way, strict=True))
    leading = {name: np.sign(step) for name, step in steps.items() if abs(step) > np.abs(way).max() / 5}
    if cls.SIMPLER:
        vanishing, simpler, ask = cls.SIMPLER
        without = np.where(np.array(names) == vanishing, np.log(VANISHED), found)
        at_limit, rest = log_likelihood(without), np.isin(names, names[: names.index(vanishing)])
        # a model in which these run off together would have no maximum either
        run_off = [log_likelihood(without + step * rest) for step in (PROBE_DISTANCE, -PROBE_DISTANCE)]
        if at_limit > here - LIMIT_TOLERANCE and not max(run_off) > at_limit - LIMIT_TOLERANCE:
            return f"towards {simpler}, which is its limit here", ask
    for together, sign, meaning in cls.LIMITS:
        if all(leading.get(name) == sign for name in together):
            return f"as {_direction_in_words(leading)}, so that {meaning}", ""
    return f"as {_direction_in_words(leading)}", ""


def _direction_in_words(leading):
    """Where parameters lead that grow (1) or shrink (-1), in words."""
    parts = []
    for sign, verb, end in ((1, "grow", "without end"), (-1, "shrink", "to nothing")):
        moved = [name for name, step in leading.items() if step == sign]
        parts += [f"{' and '.join(moved)} {verb if len(moved) > 1 else verb + 's'} {end}"] if moved else []
    return " and ".join(parts)


def _search(derivatives, start, customers, prior=None):
    """Where a search ended: logs of parameters, minus the mean log-likelihood, its gradient and its Hessian."""

    @lru_cache(maxsize=2)  # the search asks for value, gradient and Hessian of a point one after the other
    def at(logs):
        theta = np.exp(logs)
        value, gradient, hessian = derivatives(theta)
        slope = gradient * theta
        parts = value, slope, hessian * np.outer(theta, theta) + np.diag(slope)
        if prior is not None:
            parts = tuple(part + of_prior for part, of_prior in zip(parts, prior(np.array(logs)), strict=True))
        if all(np.isfinite(part).all() for part in parts):
            return tuple(-part / customers for part in parts)
        return np.inf, np.zeros_like(theta), np.eye(theta.size)  # too far: the search takes a shorter step

    found = np.log(start)
    with suppress(ValueError, np.linalg.LinAlgError):  # of a curvature that is singular on the way: no end of a search
        found = optimize.minimize(
            lambda logs: at(tuple(logs))[0],
            found,
            jac=lambda logs: at(tuple(logs))[1],
            hess=lambda logs: at(tuple(logs))[2],
            method="trust-exact",
            options={"gtol": 1e-10, "maxiter": 200},
        ).x
    value, slope, curvature = at(tuple(found))
    if np.isfinite(value) and np.linalg.eigvalsh(curvature)[0] > MIN_CURVATURE:  # one step further, to the last digits
        closer = found - np.linalg.solve(curvature, slope)
        if at(tuple(closer))[0] <= value:
            return closer, *at(tuple(closer))
    return found, value, slope, curvature


def _power_of_two(count: int) -> int:
    """The least that is no less: so many of Sobol's points fill space evenly."""
    return 1 << (count - 1).bit_length()
