"""The same data fitted by another program."""

from contextlib import contextmanager

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crmlab import likelihood
from crmlab.clv.models.gamma_gamma import GammaGamma, spend_statistics
from crmlab.clv.models.orders import OrderModel, sufficient_statistics
from crmlab.clv.tables import collapsed
from crmlab.model import needs_fit

DIGITS = 5  # decimals of a relative difference that every machine agrees on

# lifetimes' class for a model, and what its log-likelihood is divided by there
FITTERS = {
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
def compare_with_lifetimes(model: OrderModel | GammaGamma, customers: ir.Table | pd.DataFrame) -> pd.DataFrame:
    """Parameters and log-likelihood beside those that the lifetimes package finds.

    Parameters
    ----------
    model : OrderModel, GammaGamma or Unfitted
        Fitted to `customers`.
    customers : Ibis table or DataFrame
        The table of `summarise`, or a collapsed frame.

    Returns
    -------
    DataFrame
        By model and parameter, and for log_likelihood (time in days): crmlab, lifetimes, relative_difference, to five
        decimals, and reason, why where there is nothing of lifetimes'.
    """
    customers = collapsed(customers, *(("monetary_value",) if isinstance(model, GammaGamma) else ()))
    import lifetimes  # slow to load, and needed for nothing else
    from lifetimes.utils import ConvergenceError

    name = type(model).__name__
    parameter_names = likelihood.parameter_names(model)
    ours = {parameter: getattr(model, parameter) for parameter in parameter_names}
    ours |= {"log_likelihood": model.log_likelihood(customers)}
    if name not in FITTERS:
        return _side_by_side(model, ours, {}, NOT_IN_LIFETIMES[name])
    fitter, divided = getattr(lifetimes, FITTERS[name][0])(), FITTERS[name][1]
    *statistics, weights = (
        spend_statistics(customers) if isinstance(model, GammaGamma) else sufficient_statistics(customers)
    )
    try:
        with np.errstate(all="ignore"), _fixed_random_state():
            fitter.fit(*statistics, weights=weights)
    except ConvergenceError:
        return _side_by_side(model, ours, {}, "lifetimes does not converge on these data")
    shift = (statistics[0] @ weights) * np.log(getattr(fitter, "_scale", 1))  # its unit of time
    native = shift - fitter._negative_log_likelihood_ * divided(weights)
    theirs = dict(zip(parameter_names, fitter.params_, strict=True))
    return _side_by_side(model, ours, theirs | {"log_likelihood": native})


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
    names = pd.MultiIndex.from_product([[model.title], ours], names=["model", "parameter"])
    columns = {"crmlab": list(ours.values()), "lifetimes": [theirs.get(name, np.nan) for name in ours]}
    frame = pd.DataFrame(columns, index=names, dtype=float)
    difference = (frame.crmlab / frame.lifetimes - 1).round(DIGITS) + 0.0  # no -0
    return frame.assign(relative_difference=difference, reason=reason)
