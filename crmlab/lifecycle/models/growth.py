"""How a product's sales grow and end: curves of cumulative sales, fitted to the sales of each period.

A curve is m G(t): m is the market potential, all that will ever be sold, t the periods since launch. What is compared
with the sales of period t is its increment m [G(t) - G(t - 1)], whose errors, unlike those of cumulative sales, do not
pile up; the first period's is m G(1), all that was sold by its end. [Srinivasan & Mason 1986]
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy import optimize

from crmlab import likelihood
from crmlab.contracts import InputError
from crmlab.likelihood import LikelihoodModel, Uncertainty, parameter_names
from crmlab.model import FitError, Unfitted, or_unfitted, prediction
from crmlab.stats.threads import one_thread

MIN_PERIODS = 3  # periods that any statement on growth needs
REPLICATES = 512  # curves drawn about the nearest, for the ends of intervals
PEAKS = (0.25, 0.5, 0.75, 1.0, 1.3, 1.8)  # where searches begin: the peak, as a share of the periods observed
RATES = (2.0, 4.0, 8.0, 16.0)  # and the rate of growth, over all the periods observed
TRIED = 4  # of these starts, the best
MAX_STANDARD_ERROR = 2.0  # standard error of a log of a parameter; beyond it, its interval spans three powers of ten
FLATTEST = 1e-9  # curvature, relative to the squares of sales; below it, rounding tells a ridge from a minimum


@dataclass(frozen=True)
class LeastSquaresFit(Uncertainty):
    """What sales leave open of the parameters of the nearest curve, errors being normal and alike in all periods.

    covariance, draws, log_likelihood : as of every Uncertainty
    sigma    : standard deviation of a period's sales about the curve
    df_resid : periods less parameters, count
    """

    sigma: float = np.nan
    df_resid: int = 0


class GrowthCurve(LikelihoodModel):
    """What all growth curves predict.

    A curve supplies `_shape`, G and its derivatives by the logs, `_peak`, negative where sales only fall, and
    `_from_peak`, the logs of its shape for a peak and a rate, with `_rate`, the log of that rate.
    """

    m: float
    _shape: Callable
    _peak: Callable
    _from_peak: Callable
    _rate: Callable

    @classmethod
    @or_unfitted
    def fit(cls, sales: pd.Series, replicates: int = REPLICATES, seed: int = 1) -> Self:
        """The curve that is nearest to the sales of each period since launch, by nonlinear least squares.

        Parameters
        ----------
        sales : Series
            Sales of each period in order, from launch; none missing, none negative.
        replicates : int
            Curves drawn about the nearest for its intervals; 0 leaves these blank.
        seed : int
            Seed of the draws.

        Returns
        -------
        curve or Unfitted
            Unfitted where there are too few periods, no growth, or no curve that is clearly the nearest.

        Raises
        ------
        InputError
            Where sales are missing, not finite or negative.
        """
        y = validated_sales(sales)
        if reason := no_growth_reason(y, len(parameter_names(cls)) + 1):
            raise FitError(reason)

        def at(logs):
            value, slopes = cls(*np.exp(logs))._increments(np.arange(1.0, len(y) + 1))
            return value - y, slopes

        with one_thread(), np.errstate(all="ignore"):
            best = min((_search(at, start) for start in _starts(cls, y)), key=lambda end: end.cost)
            around = _uncertainty(cls, at, best.x, y, replicates, seed)
        model = cls(*map(float, np.exp(best.x)))
        object.__setattr__(model, "uncertainty", around)
        return model

    @prediction
    def cumulative(self, periods: Any) -> pd.Series:
        """What is sold from launch to the end of each period.

        Parameters
        ----------
        periods : float or array of float
            Periods since launch, 1 for the first.

        Returns
        -------
        Series
            Cumulative sales, in the unit of the data, by period.
        """
        t = _periods(periods)
        return pd.Series(self._cumulative(t), t, name="cumulative")

    @prediction
    def sales(self, periods: Any) -> pd.Series:
        """What is sold in each period.

        Parameters
        ----------
        periods : float or array of float
            Periods since launch, 1 for the first.

        Returns
        -------
        Series
            Sales, in the unit of the data, by period.
        """
        t = _periods(periods)
        return pd.Series(self._increments(t.to_numpy())[0], t, name="sales")

    @property
    @prediction
    def peak(self) -> float:
        """When most is sold at once: periods since launch; 0 where sales only fall."""
        return max(float(self._peak()), 0.0)

    @property
    def _sigma(self):
        """Standard deviation of a period's sales about the curve; NaN where it was not fitted."""
        return getattr(self.uncertainty, "sigma", np.nan)

    def _cumulative(self, t):
        return self.m * self._shape(t)[0]

    def _increments(self, t):
        """Sales of each period, and their derivatives by the log of each parameter, a column each."""
        now, before = self._shape(t), self._shape(t - 1)
        value, *by = (self.m * (a - np.where(t > 1, b, 0.0)) for a, b in zip(now, before, strict=True))
        return value, np.column_stack([value, *by])


@dataclass(frozen=True, repr=False)
class Bass(GrowthCurve):
    """Some buy on their own, others because others have.

    Parameters
    ----------
    m : float
        Market potential: all that will ever be sold.
    p : float
        Innovation: share of those who are left who buy in a period on their own.
    q : float
        Imitation: what each share of buyers so far adds to that.

    References
    ----------
    Bass (1969), A new product growth model for consumer durables; Srinivasan & Mason (1986), Nonlinear least squares
    estimation of new product diffusion models.

    Examples
    --------
    >>> Bass(67_660, 0.00879, 0.6422).sales([1, 6, 7]).round(-1).tolist()
    [830.0, 9810.0, 11060.0]
    """

    title: ClassVar[str] = "Bass"
    m: float
    p: float
    q: float

    def _peak(self):
        return np.log(self.q / self.p) / (self.p + self.q)

    def _shape(self, t):
        p, q = self.p, self.q
        left, age = np.exp(-(p + q) * t), (p + q) * t
        below = 1 + q / p * left
        by = left / below**2
        return (1 - left) / below, by * (age + q / p * (1 - left)), by * q / p * (age - 1 + left)

    @staticmethod
    def _from_peak(peak, log_rate):
        odds = np.exp(log_rate) * peak
        return log_rate - np.logaddexp(0, odds), log_rate - np.logaddexp(0, -odds)

    @staticmethod
    def _rate(log_p, log_q):
        return np.logaddexp(log_p, log_q)


@dataclass(frozen=True, repr=False)
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


@dataclass(frozen=True, repr=False)
class Logistic(GrowthCurve):
    """Sales so far are m / (1 + a e^(-b t)): growth and decline are alike.

    Parameters
    ----------
    m : float
        Market potential: all that will ever be sold.
    a : float
        How far off the peak is at launch.
    b : float
        Rate of growth, a period.
    """

    title: ClassVar[str] = "logistic"
    m: float
    a: float
    b: float

    def _peak(self):
        return np.log(self.a) / self.b

    def _shape(self, t):
        odds = self.a * np.exp(-self.b * t)
        by = odds / (1 + odds) ** 2
        return 1 / (1 + odds), -by, by * self.b * t

    @staticmethod
    def _from_peak(peak, log_rate):
        return np.exp(log_rate) * peak, log_rate

    @staticmethod
    def _rate(_log_a, log_b):
        return log_b


@dataclass(frozen=True, repr=False)
class Gompertz(Logistic):
    """Sales so far are m exp(-a e^(-b t)): growth is fast, and decline slow."""

    title: ClassVar[str] = "Gompertz"

    def _shape(self, t):
        odds = self.a * np.exp(-self.b * t)
        value = np.exp(-odds)
        return value, -value * odds, value * odds * self.b * t


CURVES = (Bass, Gompertz, Logistic)


def fit_growth_curves(
    sales: pd.Series, replicates: int = REPLICATES, seed: int = 1
) -> dict[str, GrowthCurve | Unfitted]:
    """Bass's, Gompertz's and the logistic curve, fitted to sales.

    Parameters
    ----------
    sales : Series
        Sales of each period in order, from launch; none missing, none negative.
    replicates : int
        Curves drawn about each for its intervals; 0 leaves these blank.
    seed : int
        Seed of the draws.

    Returns
    -------
    dict
        Title -> the curve, or Unfitted with the reason.

    Examples
    --------
    >>> vcr = pd.Series([840.0, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890])
    >>> fit_growth_curves(vcr)["Bass"]
    Bass(m=6.766e+04 ± 3.1e+03, p=0.008789 ± 0.0018, q=0.6422 ± 0.043)
    """
    return {cls.title: cls.fit(sales, replicates, seed) for cls in CURVES}


def validated_sales(sales: pd.Series) -> np.ndarray:
    """Sales as an array. Raises InputError on values that no sales have."""
    try:
        y = np.asarray(sales, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"sales: they are numbers, one a period; this is {type(sales).__name__}") from None
    breaches = []
    for wrong, problem in ((~np.isfinite(y), "missing or not finite"), (y < 0, "negative")):
        if wrong.any():
            first = pd.Series(sales).index[wrong][:5]
            listed = "; ".join(str(place.date() if isinstance(place, pd.Timestamp) else place) for place in first)
            periods = f"{wrong.sum():,} of {len(y):,} periods"
            breaches.append(f"sales are {problem} in {periods} (first: {listed}); correct them")
    if breaches:
        raise InputError(*breaches)
    return y


def no_growth_reason(y: np.ndarray, min_periods: int = MIN_PERIODS) -> str:
    """Why no growth can be read from sales; empty where it can."""
    if len(y) < min_periods:
        return f"{len(y):,} of the {min_periods} periods needed were observed"
    if np.ptp(y) <= 1e-12 * np.abs(y).max():
        return f"sales are the same in all {len(y):,} periods, so there is no growth"
    return ""


def _starts(cls, y):
    """The logs to begin at: those whose curve, drawn as high as fits best, comes nearest."""
    n, found = len(y), []
    for peak, rate in product(PEAKS, RATES):
        shape = cls._from_peak(peak * n, np.log(rate / n))
        unit = cls(1.0, *np.exp(shape))._increments(np.arange(1.0, n + 1))[0]
        if np.isfinite(unit).all() and (size := unit @ unit) > 0 and (m := unit @ y / size) > 0:
            found.append((np.square(m * unit - y).sum(), (np.log(m), *shape)))
    return [start for _cost, start in sorted(found)[:TRIED]]


def _search(at, start):
    bounds, tolerances = (np.subtract(start, 40), np.add(start, 40)), dict.fromkeys(("xtol", "ftol", "gtol"), 1e-15)
    how = {"x_scale": "jac", "bounds": bounds, "max_nfev": 100} | tolerances
    return optimize.least_squares(lambda logs: at(logs)[0], start, jac=lambda logs: at(logs)[1], **how)


def _uncertainty(cls, at, logs, y, replicates, seed):
    """What sales leave open about the end of a search. Raises FitError unless it is a minimum, and a clear one."""
    (residual, slopes), size, df_resid = at(logs), y @ y, len(y) - len(logs)
    gradient = lambda at_logs: (found := at(at_logs))[1].T @ found[0]  # noqa: E731
    bend = np.array([gradient(logs + h) - gradient(logs - h) for h in 1e-5 * np.eye(len(logs))]) / 2e-5
    slope, curvature = slopes.T @ residual, (bend + bend.T) / 2
    clear = np.isfinite(curvature).all() and np.linalg.eigvalsh(curvature)[0] > FLATTEST * size
    if clear and slope @ np.linalg.solve(curvature, slope) < 1e-9 * size:
        sigma = np.sqrt(residual @ residual / df_resid)
        covariance = max(sigma**2, 1e-16 * size) * np.linalg.inv(slopes.T @ slopes)
        if np.sqrt(np.diag(covariance)).max() < MAX_STANDARD_ERROR:
            log_likelihood = lambda at_logs: -len(y) / 2 * np.log(np.square(at(at_logs)[0]).sum() + 1e-16 * size)  # noqa: E731
            drawn = likelihood.uncertainty(log_likelihood, logs, covariance, replicates, seed)
            return LeastSquaresFit(covariance, drawn.draws, drawn.log_likelihood, sigma=float(sigma), df_resid=df_resid)
    raise FitError(
        f"no {cls.title} curve is clearly the nearest to these {len(y):,} periods; sales may not "
        "have come near their peak, or follow another curve"
    )


def _periods(given):
    """Periods as an index of numbers. Raises InputError where they are none."""
    try:
        found = np.atleast_1d(np.asarray(given, dtype=float))
    except (TypeError, ValueError):
        found = np.array([np.nan])
    if found.ndim > 1 or not np.isfinite(found).all():
        raise InputError(f"periods = {given!r}: choose numbers, 1 for the first period")
    return pd.Index(found, name="period")
