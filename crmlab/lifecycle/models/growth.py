"""How a product's sales grow and end: curves of what is sold so far, fitted to what is sold in each period.

A curve is m G(t): m is all that will ever be sold, t the periods since launch. What is compared with the sales of
period t is its increment m [G(t) - G(t - 1)], whose errors, unlike those of cumulative sales, do not pile up; the first
period's is m G(1), all that was sold by its end. [Srinivasan & Mason 1986]
"""

from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import optimize

from crmlab.contracts import InputError
from crmlab.likelihood import FitError, Uncertainty, parameter_names
from crmlab.stats.threads import one_thread

MIN_PERIODS = 3  # periods that any statement on growth needs
PEAKS = (0.25, 0.5, 0.75, 1.0, 1.3, 1.8)  # where searches begin: the peak, as a share of the periods seen
RATES = (2.0, 4.0, 8.0, 16.0)  # and the rate of growth, over all the periods seen
TRIED = 4  # of these starts, the best
MAX_STANDARD_ERROR = 2.0  # standard error of a log of a parameter; beyond it, its interval spans three powers of ten
FLATTEST = 1e-9  # curvature, relative to the squares of sales; below it, rounding tells a ridge from a minimum


class LeastSquaresFit(Uncertainty):
    """What sales say of parameters about the nearest curve, errors being normal and alike in all periods.

    sigma : standard deviation of a period's sales about the curve
    df_resid : periods less parameters, count
    """

    def __init__(self, log_likelihood, covariance, sigma, df_resid):
        super().__init__(log_likelihood, covariance)
        self.sigma, self.df_resid = sigma, df_resid


class GrowthCurve:
    """What all growth curves answer. A curve supplies `_shape`, G with its derivatives by the logs, and `_start`."""

    @classmethod
    def fit(cls, sales):
        """The curve that is nearest to the sales of each period since launch, by least squares.

        sales : Series, one value a period in order, nothing missing, none negative
        Raises InputError on sales that cannot be, FitError where these cannot tell the curve.
        """
        y = validated_sales(sales, min_periods=len(parameter_names(cls)) + 1)

        def at(logs):
            value, slopes = cls(*np.exp(logs))._increments(np.arange(1.0, len(y) + 1))
            return value - y, slopes

        with one_thread(), np.errstate(all="ignore"):
            best = min((_search(at, start) for start in _starts(cls, y)), key=lambda end: end.cost)
            uncertainty = _judged(cls, at, best.x, y)
        return cls(*map(float, np.exp(best.x)), covariance=uncertainty.covariance, uncertainty=uncertainty)

    def cumulative(self, periods):
        """What is sold from launch to the end of each period, counted from 1 for the first: an array."""
        return self.m * self._shape(np.asarray(periods, dtype=float))[0]

    def sales(self, periods):
        """What is sold in each period, counted from 1 for the first: an array."""
        return self._increments(np.asarray(periods, dtype=float))[0]

    def _increments(self, t):
        """`sales`, and their derivatives by the log of each parameter, a column each."""
        now, before = self._shape(t), self._shape(t - 1)
        value, *by = (self.m * (a - np.where(t > 1, b, 0.0)) for a, b in zip(now, before, strict=True))
        return value, np.column_stack([value, *by])


@dataclass(frozen=True)
class Bass(GrowthCurve):
    """Some buy on their own, others because others have. [Bass 1969; Srinivasan & Mason 1986]"""

    title: ClassVar[str] = "Bass"
    m: float  # all that will ever be sold
    p: float  # innovation: share of those who are left who buy in a period on their own
    q: float  # imitation: what each share of buyers so far adds to that
    covariance: np.ndarray | None = field(default=None, repr=False, compare=False)
    uncertainty: LeastSquaresFit | None = field(default=None, repr=False, compare=False)

    @property
    def peak(self):
        """When most is sold at once: periods since launch; 0 where sales only fall."""
        return max(float(np.log(self.q / self.p) / (self.p + self.q)), 0.0)

    def _shape(self, t):
        p, q = self.p, self.q
        left, age = np.exp(-(p + q) * t), (p + q) * t
        below = 1 + q / p * left
        by = left / below**2
        return (1 - left) / below, by * (age + q / p * (1 - left)), by * q / p * (age - 1 + left)

    @staticmethod
    def _start(peak, rate):
        return max(rate * np.exp(-rate * peak), 1e-9), rate


@dataclass(frozen=True)
class BassDensity(Bass):
    """`Bass` with the sales of a period taken as the rate at its end, as in Bass's own equation."""

    title: ClassVar[str] = "Bass, density"

    def _increments(self, t):
        p, q = self.p, self.q
        left = np.exp(-(p + q) * t)
        tail = q / p * left
        value = self.m * (p + q) ** 2 / p * left / (1 + tail) ** 2
        by_p = 2 * p / (p + q) - 1 - p * t + 2 * tail * (1 + p * t) / (1 + tail)
        by_q = 2 * q / (p + q) - q * t - 2 * tail * (1 - q * t) / (1 + tail)
        return value, np.column_stack([value, value * by_p, value * by_q])


@dataclass(frozen=True)
class Logistic(GrowthCurve):
    """Sales so far are m / (1 + a e^(-b t)): growth and decline are alike."""

    title: ClassVar[str] = "logistic"
    m: float  # all that will ever be sold
    a: float  # how far off the peak is at launch
    b: float  # rate of growth, a period
    covariance: np.ndarray | None = field(default=None, repr=False, compare=False)
    uncertainty: LeastSquaresFit | None = field(default=None, repr=False, compare=False)

    @property
    def peak(self):
        """When most is sold at once: periods since launch; 0 where sales only fall."""
        return max(float(np.log(self.a) / self.b), 0.0)

    def _shape(self, t):
        odds = self.a * np.exp(-self.b * t)
        by = odds / (1 + odds) ** 2
        return 1 / (1 + odds), -by, by * self.b * t

    @staticmethod
    def _start(peak, rate):
        return np.exp(min(rate * peak, 30.0)), rate


@dataclass(frozen=True)
class Gompertz(Logistic):
    """Sales so far are m exp(-a e^(-b t)): growth is fast, and decline slow."""

    title: ClassVar[str] = "Gompertz"

    def _shape(self, t):
        odds = self.a * np.exp(-self.b * t)
        value = np.exp(-odds)
        return value, -value * odds, value * odds * self.b * t


CURVES = (Bass, Gompertz, Logistic)


def fit_growth_curves(sales):
    """All the curves that could be fitted to `sales`, by title, and why the others could not: two dicts."""
    fitted, unfitted = {}, {}
    for cls in CURVES:
        try:
            fitted[cls.title] = cls.fit(sales)
        except FitError as reason:
            unfitted[cls.title] = str(reason)
    return fitted, unfitted


def validated_sales(sales, min_periods=MIN_PERIODS):
    """Sales as an array. Raises InputError on values that no sales have, FitError where there is no growth to read."""
    y = np.asarray(sales, dtype=float)
    breaches = []
    for wrong, problem in ((~np.isfinite(y), "missing or not finite"), (y < 0, "negative")):
        if wrong.any():
            first = pd.Series(sales).index[wrong][:5]
            listed = "; ".join(str(place.date() if isinstance(place, pd.Timestamp) else place) for place in first)
            breaches.append(
                f"sales are {problem} in {wrong.sum():,} of {len(y):,} periods (first: {listed}); correct them"
            )
    if breaches:
        raise InputError(*breaches)
    if len(y) < max(min_periods, MIN_PERIODS):
        raise FitError(
            f"cannot be estimated: {len(y):,} of the {max(min_periods, MIN_PERIODS)} periods needed at least"
        )
    if np.ptp(y) <= 1e-12 * np.abs(y).max():
        raise FitError(f"cannot be estimated: sales are the same in all {len(y):,} periods, so there is no growth")
    return y


def _starts(cls, y):
    """The logs to begin at: those whose curve, drawn as high as fits best, comes nearest."""
    n, found = len(y), []
    for peak, rate in product(PEAKS, RATES):
        shape = cls._start(peak * n, rate / n)
        unit = cls(1.0, *shape)._increments(np.arange(1.0, n + 1))[0]
        if np.isfinite(unit).all() and (size := unit @ unit) > 0 and (m := unit @ y / size) > 0:
            found.append((np.square(m * unit - y).sum(), tuple(np.log([m, *shape]))))
    return [start for _cost, start in sorted(found)[:TRIED]]


def _search(at, start):
    return optimize.least_squares(
        lambda logs: at(logs)[0],
        start,
        jac=lambda logs: at(logs)[1],
        x_scale="jac",
        bounds=(np.subtract(start, 40), np.add(start, 40)),
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
        max_nfev=100,
    )


def _judged(cls, at, logs, y):
    """What the sales say about the end of a search. Raises FitError unless it is a minimum, and a clear one."""
    (residual, slopes), size, df_resid = at(logs), y @ y, len(y) - len(logs)
    steps = 1e-5 * np.eye(len(logs))
    bend = np.array([_gradient(at, logs + h) - _gradient(at, logs - h) for h in steps]) / 2e-5
    gradient, curvature = slopes.T @ residual, (bend + bend.T) / 2
    clear = np.isfinite(curvature).all() and np.linalg.eigvalsh(curvature)[0] > FLATTEST * size
    if clear and gradient @ np.linalg.solve(curvature, gradient) < 1e-9 * size:
        sigma = np.sqrt(residual @ residual / df_resid)
        covariance = max(sigma**2, 1e-16 * size) * np.linalg.inv(slopes.T @ slopes)
        if np.sqrt(np.diag(covariance)).max() < MAX_STANDARD_ERROR:
            log_likelihood = lambda at_logs: -len(y) / 2 * np.log(np.square(at(at_logs)[0]).sum() + 1e-16 * size)  # noqa: E731
            return LeastSquaresFit(log_likelihood, covariance, float(sigma), df_resid)
    estimates = ", ".join(f"{name} {value:.4g}" for name, value in zip(parameter_names(cls), np.exp(logs), strict=True))
    raise FitError(
        f"cannot be estimated: no {cls.title} curve is clearly the nearest to these {len(y):,} periods (the search "
        f"ended at {estimates}); sales may not have come near their peak, or follow another curve"
    )


def _gradient(at, logs):
    residual, slopes = at(logs)
    return slopes.T @ residual
