"""What sales are projected by: the growth curve that missed least in the backtest, or the baseline that none beat."""

from dataclasses import dataclass

import pandas as pd

from crmlab.lifecycle.models.growth import GrowthCurve
from crmlab.lifecycle.models.growth_baselines import BASELINES, LastPeriod
from crmlab.model import Unfitted, why_blank
from crmlab.sentences import sentence, templates


@dataclass(frozen=True)
class GrowthChoice:
    """What sales are projected by, of `choose_growth`.

    Parameters
    ----------
    model : GrowthCurve or LastPeriod
        The curve or the baseline.
    reason : str
        Why it was taken, in a sentence.
    """

    given_by = "lifecycle.choose_growth"
    model: GrowthCurve | LastPeriod
    reason: str = ""

    def __str__(self) -> str:
        return self.reason


def choose_growth(fitted: dict[str, GrowthCurve | Unfitted], errors: pd.DataFrame, sales: pd.Series) -> GrowthChoice:
    """Choose what sales are projected by.

    The curve with the least error relative to the best baseline, on the periods that both predicted, wins where that
    error is the smaller, it predicted from half of the origins at least, and it could be fitted to all sales; else the
    baseline does. Where nothing could be backtested it is "last period again".

    Parameters
    ----------
    fitted : dict
        Title -> growth curve or Unfitted, as from `fit_growth_curves`.
    errors : DataFrame
        Errors by model, as from `growth_errors`.
    sales : Series
        Sales of each period in order, those that the curves were fitted to.

    Returns
    -------
    GrowthChoice
        The model, and why it was taken.

    Raises
    ------
    InputError
        Where sales are missing, not finite or negative, or there are none.

    Examples
    --------
    >>> from crmlab.lifecycle import backtest_growth, fit_growth_curves, growth_errors
    >>> vcr = pd.Series([840.0, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890])
    >>> errors = growth_errors(backtest_growth(vcr))
    >>> choose_growth(fit_growth_curves(vcr), errors, vcr).model.title
    'last period again'
    """
    if reason := why_blank(errors):
        return _chosen(LastPeriod.fit(sales), "no_backtest", why=reason)
    title = errors.baseline.iloc[0]
    baseline = next(one for one in BASELINES if one.title == title)
    able = errors[~errors.is_baseline & (2 * errors.origins >= errors.origins_total)]
    able = able[[bool(fitted.get(name)) for name in able.index]]
    if able.empty:
        return _chosen(baseline.fit(sales), "no_curve", baseline=title)
    best = able.loc[able.relative_mae.fillna(float("inf")).idxmin()]
    values = {"curve": best.name, "baseline": title, "mae": best.mae, "baseline_mae": best.baseline_mae}
    sure = "decided" if best.outcome in ("better", "worse") else "undecided"
    if best.difference < 0:
        return _chosen(fitted[best.name], f"curve_{sure}", **values)
    return _chosen(baseline.fit(sales), f"baseline_{sure}", **values)


def _chosen(model, case, **values):
    return GrowthChoice(model, sentence(templates("crmlab.lifecycle")["growth_choice"][case], values))
