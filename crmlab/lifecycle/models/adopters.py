"""Who buys by Bass's curve, and how far sales lie from growth curves."""

import numpy as np
import pandas as pd

from crmlab.lifecycle.models.growth import Bass, GrowthCurve
from crmlab.lifecycle.models.growth_forecasts import growth_path
from crmlab.model import Unfitted, blank_of, needs_fit


@needs_fit
def bass_adopters(model: Bass, sales: pd.Series, periods_ahead: int = 0) -> pd.DataFrame:
    """Divide the sales that Bass's curve expects into those to innovators and those to imitators.

    Innovators buy on their own, p of those who are left in a period; imitators because others have.

    Parameters
    ----------
    model : Bass or Unfitted
        Bass's curve, as from `fit_growth_curves`.
    sales : Series
        Sales of each period in order, from launch; none missing, none negative.
    periods_ahead : int
        Periods to predict after the last one; 0 predicts none.

    Returns
    -------
    DataFrame
        By time: period, counted from 1 for the first; sales, in the period, NA to come; innovators and imitators,
        expected sales to them in the period; cumulative_innovators and cumulative_imitators, so far. All are in the
        unit of the data.

    Raises
    ------
    InputError
        Where `periods_ahead` is no whole number from 0.

    References
    ----------
    Bass (1969), A new product growth model for consumer durables; Mahajan, Muller & Srivastava (1990), Determination
    of adopter categories by using innovation diffusion models.

    Examples
    --------
    >>> vcr = pd.Series([840.0, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890])
    >>> from crmlab import lifecycle
    >>> adopters = lifecycle.bass_adopters(lifecycle.Bass(67_660, 0.00879, 0.6422), vcr)
    >>> adopters[["innovators", "imitators"]].round().iloc[[0, 5]].values.tolist()
    [[591.0, 236.0], [403.0, 9403.0]]
    """
    path = growth_path(model, sales, periods_ahead)
    periods = np.arange(len(path) + 1.0)
    odds = model.q / model.p
    on_their_own = model.m / odds * (np.log1p(odds) - np.log1p(odds * np.exp(-(model.p + model.q) * periods)))
    by_others = model._cumulative(periods) - on_their_own
    found = {"innovators": np.diff(on_their_own), "imitators": np.diff(by_others)}
    found |= {"cumulative_innovators": on_their_own[1:], "cumulative_imitators": by_others[1:]}
    return path[["period", "sales"]].assign(**found)


def growth_residuals(fitted: dict[str, GrowthCurve | Unfitted], sales: pd.Series) -> pd.DataFrame:
    """Compute how far the sales of each period lie from what each growth curve expects.

    Parameters
    ----------
    fitted : dict
        Title -> growth curve or Unfitted, as from `fit_growth_curves`.
    sales : Series
        Sales of each period in order, from launch; none missing, none negative.

    Returns
    -------
    DataFrame
        By time, the curves one below the other: model; period, counted from 1 for the first; sales; expected; residual,
        sales less expected, in the unit of the data; standardised, residual over the standard deviation about the
        curve, NaN where that is not known. Curves that could not be fitted are left out; blank where none could be.

    References
    ----------
    Srinivasan & Mason (1986), Nonlinear least squares estimation of new product diffusion models.
    """
    parts = []
    for model in fitted.values():
        if not isinstance(model, GrowthCurve):
            continue
        path = growth_path(model, sales)[["model", "period", "sales", "expected"]]
        residual = path.sales - path.expected
        parts.append(path.assign(residual=residual, standardised=residual / model._sigma))
    if not parts:
        return blank_of(pd.DataFrame, "; ".join(dict.fromkeys(map(str, fitted.values()))) or "no curve was fitted")
    return pd.concat(parts)
