"""The same data fitted by another program."""

from collections.abc import Callable
from contextlib import contextmanager

import numpy as np
import pandas as pd

from crmlab import likelihood
from crmlab.clv.models.orders import CustomerModel
from crmlab.clv.tables import Customers, collapsed
from crmlab.model import needs_fit

DIGITS = 5  # decimals of a relative difference that every machine agrees on

# lifetimes' class for a model, and what its log-likelihood is divided by there
FITTERS: dict[str, tuple[str, Callable]] = {
    "BGNBD": ("BetaGeoFitter", np.sum),
    "MBGNBD": ("ModifiedBetaGeoFitter", np.sum),
    "ParetoNBD": ("ParetoNBDFitter", np.mean),
    "BGBB": ("BetaGeoBetaBinomFitter", np.sum),
    "GammaGamma": ("GammaGammaFitter", np.sum),
}
NOT_IN_LIFETIMES = {
    "NBD": "lifetimes has no NBD",
    "DailyBGBB": "lifetimes' BG/BB adds 1e-15 to every probability, and those of days are smaller",
}


@needs_fit
def compare_with_lifetimes(model: CustomerModel, customers: Customers) -> pd.DataFrame:
    """Set parameters and log-likelihood beside those that the lifetimes package finds.

    Parameters
    ----------
    model : OrderModel, GammaGamma or Unfitted
        Fitted model of orders or of spend.
    customers : Ibis table or DataFrame
        What it was fitted to: the table of `summarise`, or the frame of `collapse`, for GammaGamma by monetary_value.

    Returns
    -------
    DataFrame
        By model and parameter, and for log_likelihood (time in days): crmlab, lifetimes, relative_difference, to five
        decimals, and reason, why where there is nothing of lifetimes'.
    """
    import lifetimes  # slow to load, and needed for nothing else
    from lifetimes.utils import ConvergenceError

    customers, name, names = collapsed(customers, *model.NEEDS), type(model).__name__, likelihood.parameter_names(model)
    ours = dict(zip(names, likelihood.values(model), strict=True)) | {"log_likelihood": model.log_likelihood(customers)}
    if name not in FITTERS:
        return _side_by_side(model, ours, {}, NOT_IN_LIFETIMES[name])
    fitter, divided = getattr(lifetimes, FITTERS[name][0])(), FITTERS[name][1]
    *statistics, weights = model._statistics(customers)
    try:
        with np.errstate(all="ignore"), _fixed_random_state():
            fitter.fit(*statistics, weights=weights)
    except ConvergenceError:
        return _side_by_side(model, ours, {}, "lifetimes does not converge on these data")
    shift = (statistics[0] @ weights) * np.log(getattr(fitter, "_scale", 1))  # its unit of time
    native = shift - fitter._negative_log_likelihood_ * divided(weights)
    return _side_by_side(model, ours, dict(zip(names, fitter.params_, strict=True)) | {"log_likelihood": native})


@contextmanager
def _fixed_random_state():
    """Within it numpy's global generator, from which lifetimes draws where it starts, gives the same every time."""
    before = np.random.get_state()
    np.random.seed(1)
    try:
        yield
    finally:
        np.random.set_state(before)


def _side_by_side(model, ours, theirs, reason=""):
    columns = {"crmlab": pd.Series(ours), "lifetimes": pd.Series(theirs, ours, dtype=float)}
    frame = pd.concat({model.title: pd.DataFrame(columns)}, names=["model", "parameter"])
    difference = (frame.crmlab / frame.lifetimes - 1).round(DIGITS) + 0.0  # no -0
    return frame.assign(relative_difference=difference, reason=reason)
