"""Intervals of what a growth curve is made of, by profiles of its sum of squares. [Bates & Watts 1988, section 6.1]

One quantity is held while all others bring the curve as near to sales as they can; its interval holds the values at
which the sum of squares is within t² s² of the least. Before the peak a larger market, in which fewer buy on their own,
may come as near as the nearest one: the interval of m is then open, to infinity.
"""

from functools import cache

import numpy as np
import pandas as pd
from scipy import optimize, stats

from crmlab.contracts import InputError
from crmlab.estimate import Estimate
from crmlab.lifecycle.models.growth import GrowthCurve, LeastSquaresFit, validated_sales
from crmlab.likelihood import parameter_names, values
from crmlab.model import Unfitted, needs_fit
from crmlab.stats.threads import one_thread

FARTHEST = 14.0  # logs from the nearest curve, a million times: what is still as near there is as near at the limit
PRECISION = 1e-6  # of an end, logs


@needs_fit
def growth_parameters(model: GrowthCurve | Unfitted, sales: pd.Series, level: float = 0.95) -> pd.DataFrame:
    """The parameters of a growth curve, each with its profile interval.

    Parameters
    ----------
    model : curve or Unfitted
        Growth curve, as from `fit_growth_curves`.
    sales : Series
        Sales of each period in order, those that the curve was fitted to.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        By parameter: value; ci_low and ci_high, which are 0 and infinite where sales leave that side open, NA where the
        curve was not fitted.

    Raises
    ------
    InputError
        Where the curve was fitted to other sales.

    References
    ----------
    Bates & Watts (1988), Nonlinear Regression Analysis and Its Applications, section 6.1.

    Examples
    --------
    >>> from crmlab.lifecycle import Bass
    >>> vcr = pd.Series([840.0, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890])
    >>> growth_parameters(Bass.fit(vcr), vcr).round(4).loc["q"].tolist()
    [0.6422, 0.5442, 0.745]
    """
    ends = _ends(model, sales, level, parameter_names(model))
    found = pd.DataFrame(np.exp(ends), parameter_names(model), ["ci_low", "ci_high"]).rename_axis("parameter")
    found.insert(0, "value", [getattr(model, name) for name in found.index])
    return found


@needs_fit
def peak_after(model: GrowthCurve | Unfitted, sales: pd.Series, level: float = 0.95) -> Estimate:
    """How long after launch most is sold at once, by a curve.

    Parameters
    ----------
    model : curve or Unfitted
        Growth curve, as from `fit_growth_curves`.
    sales : Series
        Sales of each period in order, those that the curve was fitted to.
    level : float
        Confidence level of the interval, 0 to 1.

    Returns
    -------
    Estimate
        Periods since launch, with the profile interval, which is infinite where sales do not say that there is a peak;
        blank where the curve could not be fitted.

    Raises
    ------
    InputError
        Where the curve was fitted to other sales.
    """
    (ends,) = _ends(model, sales, level, ["peak"])
    low, high = (None, None) if np.isnan(ends).any() else np.maximum(ends, 0)
    return Estimate(model.peak, low, high, unit="periods", level=level)


def _ends(model, sales, level, names):
    """Both ends of the interval of each quantity, of parameters as logs; NaN where the curve was not fitted."""
    fit, y = model.uncertainty, validated_sales(sales)
    if not isinstance(fit, LeastSquaresFit):
        return np.full((len(names), 2), np.nan)
    periods, at = np.arange(1.0, len(y) + 1), np.log(values(model))
    squares = np.square(model._increments(periods)[0] - y).sum()
    if len(y) != fit.df_resid + len(at) or not np.isclose(squares, fit.sigma**2 * fit.df_resid, atol=1e-12 * y @ y):
        raise InputError(f"sales: {model.title} was fitted to others than these {len(y):,} periods; give those")
    rise = stats.t.ppf((1 + level) / 2, fit.df_resid) * max(fit.sigma, 1e-8 * np.sqrt(y @ y))
    curve = type(model)

    def by_logs(logs):
        far = curve(*np.exp(np.clip(logs, -300, 300)))._increments(periods)[0] - y
        return np.nan_to_num(far, nan=1e100, posinf=1e100, neginf=-1e100)

    rate = curve._rate(*at[1:])

    def by_peak(around):  # log m, log rate, and the peak in units of the fitted rate, which move as logs do
        return by_logs([around[0], *curve._from_peak(around[2] / np.exp(rate), around[1])])

    errors, found = np.sqrt(np.diag(fit.covariance)), []
    with one_thread(), np.errstate(all="ignore"):
        for name in names:
            if name == "peak":
                middle, scale = np.array([at[0], rate, model._peak() * np.exp(rate)]), np.exp(rate)
                found.append([_end(by_peak, middle, 2, side, rise) / scale for side in (-1, 1)])
            else:
                place = parameter_names(model).index(name)
                found.append([_end(by_logs, at, place, side, rise, errors[place]) for side in (-1, 1)])
    return np.array(found)


def _end(residuals, middle, place, side, rise, step=0.1):
    """How far to one side a quantity may go before the root of what the sum of squares rises exceeds `rise`."""
    least, nearest = np.square(residuals(middle)).sum(), {middle[place]: np.delete(middle, place)}

    @cache
    def excess(value):
        start = nearest[min(nearest, key=lambda known: abs(known - value))]
        around = lambda others: residuals(np.insert(others, place, value))  # noqa: E731
        nearest[value] = optimize.least_squares(around, start, method="lm", x_scale="jac").x
        return np.sqrt(max(np.square(around(nearest[value])).sum() - least, 0)) - rise

    inside, reach = middle[place], step
    while reach < FARTHEST and excess(outside := middle[place] + side * reach) <= 0:
        inside, reach = outside, 2 * reach
    if reach >= FARTHEST:
        outside = middle[place] + side * FARTHEST
        if excess(outside) <= 0:
            return side * np.inf
    return optimize.brentq(excess, inside, outside, xtol=PRECISION)
