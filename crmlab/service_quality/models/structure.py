"""Factors with a declared structure of means and covariances, by maximum likelihood: what a model is, and its fit.

A sample is x = τ + Λη + ε, where η has means κ and covariances Φ and ε covariances Θ. Each part is an array of floats
with what is fixed, and an array of whole numbers with which parameter stands at a place, -1 where none does: one that
stands at several places is equal there, in a sample and between samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from crmlab.model import FitError
from crmlab.stats.threads import one_thread

LEAST_UNIQUE = 1e-4  # of the variance of an item, below which its unique variance is not sought
MAX_ITER, TOL = 5_000, 1e-6  # rounds of the search, and the slope of the discrepancy that ends it
SINGULAR = 1e-9  # least eigenvalue below which covariances of items with variances near 1 have no inverse
PARTS = ("loadings", "between", "unique", "intercepts", "means")


@dataclass(frozen=True)
class Moments:
    """Mean and covariances (divided by n) of a sample of n, the latter positive definite."""

    n: float
    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True)
class Structure:
    """What is fixed, and which parameter is free where, of one sample: part of PARTS -> (fixed, place)."""

    parts: dict[str, tuple[np.ndarray, np.ndarray]]

    def filled(self, theta):
        """The parts with their parameters: arrays, in the order of PARTS."""
        return [np.where(place < 0, fixed, theta[place]) for fixed, place in (self.parts[name] for name in PARTS)]


@dataclass(frozen=True)
class Solution:
    """A structure fitted to samples.

    Parameters
    ----------
    n : float
        Respondents of all samples.
    chi2, df : float
        n times the discrepancy, and moments less parameters.
    filled : list
        The parts of each sample, in the order of PARTS.
    implied : list of ndarray
        Covariances of each sample, as the structure has them.
    """

    n: float
    chi2: float
    df: int
    filled: list
    implied: list[np.ndarray]

    @property
    def improper(self) -> str:
        """Why the solution cannot be that of real factors; "" where it can."""
        for _, between, unique, *_ in self.filled:
            if np.diag(unique).min() <= 1.001 * LEAST_UNIQUE:
                return "an item is explained wholly (a Heywood case)"
            if np.linalg.eigvalsh(between)[0] < -1e-8:
                return "dimensions correlate by more than 1"
        return ""


class Places:
    """Parameters as they are named, each with where the search for it starts."""

    def __init__(self) -> None:
        self.starts: list[float] = []

    def free(self, shape: tuple[int, ...], *where: np.ndarray, start: float | np.ndarray = 0.0) -> np.ndarray:
        """An array of places, of which those at the indices `where` are new parameters: -1 elsewhere."""
        place = np.full(shape, -1)
        count = len(where[0])
        place[where] = len(self.starts) + np.arange(count)
        self.starts += list(np.broadcast_to(np.asarray(start, dtype=float), count))
        return place

    def correlations(self, size: int) -> np.ndarray:
        """Places of the correlations of factors: alike above and below a diagonal that is fixed."""
        place = self.free((size, size), *np.triu_indices(size, 1), start=0.5)
        return np.maximum(place, place.T)


def correlated_factors(owner: np.ndarray) -> tuple[Structure, np.ndarray]:
    """Items each on one factor, by its number in `owner`, factors of variance 1 that correlate freely; and starts."""
    size, factors, places = len(owner), int(owner.max()) + 1, Places()
    item = np.arange(size)
    parts = {
        "loadings": (np.zeros((size, factors)), places.free((size, factors), item, owner, start=0.7)),
        "between": (np.eye(factors), places.correlations(factors)),
        "unique": (np.zeros((size, size)), places.free((size, size), item, item, start=0.5)),
        "intercepts": (np.zeros(size), places.free((size,), item)),
        "means": (np.zeros(factors), np.full(factors, -1)),
    }
    return Structure(parts), np.array(places.starts)


def solve(samples: Sequence[Moments], structures: Sequence[Structure], starts: np.ndarray) -> Solution:
    """The maximum of the likelihood; items are to have variances near 1. Raises FitError where it is not found.

    References
    ----------
    Jöreskog (1969), Psychometrika 34, 183-202; Jöreskog (1971), Psychometrika 36, 409-426, of several samples.
    """
    total, size = sum(sample.n for sample in samples), len(starts)
    logs = [np.linalg.slogdet(sample.covariance)[1] for sample in samples]
    if any(np.linalg.eigvalsh(sample.covariance)[0] < SINGULAR for sample in samples):
        raise FitError("an item is the sum of others: their covariances cannot be inverted", "leave out one of them")
    low = np.full(size, -np.inf)
    for structure in structures:
        diagonal = np.diag(structure.parts["unique"][1])
        low[diagonal[diagonal >= 0]] = LEAST_UNIQUE

    def discrepancy(theta):
        value, slope = 0.0, np.zeros(size)
        for sample, structure, log in zip(samples, structures, logs, strict=True):
            found, slopes = _discrepancy(sample, *structure.filled(theta))
            value += sample.n / total * (found - log)
            for name, each in zip(PARTS, slopes, strict=True):
                place = structure.parts[name][1]
                slope += sample.n / total * np.bincount(place[place >= 0], each[place >= 0], size)
        return value, slope

    with one_thread():
        found = optimize.minimize(
            discrepancy, starts, jac=True, method="L-BFGS-B", bounds=[(each, None) for each in low],
            options={"maxiter": MAX_ITER, "maxfun": 2 * MAX_ITER, "ftol": 1e-13, "gtol": TOL, "maxcor": 40},
        )  # fmt: skip
    slope = np.where((found.x <= low) & (found.jac > 0), 0, found.jac)
    if not np.isfinite(found.fun) or np.abs(slope).max(initial=0) > 100 * TOL:
        raise FitError("the likelihood of these dimensions has no maximum that is found", "look at fewer dimensions")
    filled = [structure.filled(found.x) for structure in structures]
    moments = sum(len(sample.mean) * (len(sample.mean) + 3) // 2 for sample in samples)
    implied = [loadings @ between @ loadings.T + unique for loadings, between, unique, *_ in filled]
    return Solution(total, float(total * max(found.fun, 0)), moments - size, filled, implied)


def _discrepancy(sample, loadings, between, unique, intercepts, means):
    """log|Σ| + tr Σ⁻¹S + d'Σ⁻¹d - p, and its slopes by each entry of the parts; infinite where Σ is no covariance."""
    implied = loadings @ between @ loadings.T + unique
    try:
        root = np.linalg.cholesky(implied)
    except np.linalg.LinAlgError:
        return 1e10, [np.zeros_like(part) for part in (loadings, between, unique, intercepts, means)]
    inverse = np.linalg.inv(implied)
    apart = sample.mean - intercepts - loadings @ means
    seen = sample.covariance + np.outer(apart, apart)
    value = 2 * np.log(np.diag(root)).sum() + (inverse * seen).sum() - len(apart)
    slope, pull = inverse - inverse @ seen @ inverse, -2 * inverse @ apart
    by_loading = 2 * slope @ loadings @ between + np.outer(pull, means)
    return value, [by_loading, loadings.T @ slope @ loadings, slope, pull, loadings.T @ pull]


def rmsea(chi2: float, df: float, n: float, level: float = 0.9) -> tuple[float, float, float]:
    """Root mean square error of approximation with its interval: (value, low, high); NaN where df is 0.

    Of a difference of chi-squared between nested models it is that of the constraints alone.

    References
    ----------
    Steiger (1990), Multivariate Behavioral Research 25, 173-180. Browne & Cudeck (1992), Sociological Methods &
    Research 21, 230-258. Of differences: Savalei, Brace & Fouladi (2024), Psychological Methods 29, 466-493.
    """
    if not df > 0:
        return np.nan, np.nan, np.nan
    ends = [_noncentrality(chi2, df, tail) for tail in ((1 + level) / 2, (1 - level) / 2)]
    value, low, high = (float(np.sqrt(each / (df * n))) for each in (max(chi2 - df, 0), *ends))
    return value, low, high


def _noncentrality(chi2, df, tail):
    """The noncentrality at which chi-squared lies below `chi2` with probability `tail`; 0 where none does."""
    below = lambda least: stats.ncx2.cdf(chi2, df, least) if least > 0 else stats.chi2.cdf(chi2, df)  # noqa: E731
    if below(0) <= tail:
        return 0.0
    reach = chi2 + 10 * np.sqrt(chi2) + 20
    while below(reach) > tail:
        reach *= 2
    return optimize.brentq(lambda least: below(least) - tail, 0, reach)


def srmr(seen: np.ndarray, implied: np.ndarray) -> float:
    """Standardised root mean square residual of covariances. [Bentler 1995]"""
    spread = np.sqrt(np.diag(seen))
    apart = ((seen - implied) / np.outer(spread, spread))[np.tril_indices(len(seen))]
    return float(np.sqrt((apart**2).mean()))
