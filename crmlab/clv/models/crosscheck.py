"""The same data fitted by another program."""

from contextlib import contextmanager

import numpy as np
import pandas as pd

from crmlab import likelihood
from crmlab.clv.models.gamma_gamma import GammaGamma, spend_statistics
from crmlab.clv.models.orders import sufficient_statistics

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
    "DailyBGBB": "lifetimes' BG/BB adds 1e-15 to every chance, and those of days are smaller",
}


def compare_with_lifetimes(model, customers):
    """Our parameters and log-likelihood beside those that the lifetimes package finds: a frame.

    model   : fitted to `customers`, or Unfitted
    returns : by parameter, and for log_likelihood (time in days): crmlab, lifetimes, their relative difference, and a
              note, which says why where there is nothing of lifetimes'; without rows where the model is Unfitted
    """
    if not model:
        return _side_by_side({}, {}, "")
    import lifetimes  # slow to load, and needed for nothing else
    from lifetimes.utils import ConvergenceError

    name = type(model).__name__
    parameter_names = likelihood.parameter_names(model)
    ours = {parameter: getattr(model, parameter) for parameter in parameter_names}
    ours |= {"log_likelihood": model.log_likelihood(customers)}
    if name not in FITTERS:
        return _side_by_side(ours, {}, NOT_IN_LIFETIMES[name])
    fitter, divided = getattr(lifetimes, FITTERS[name][0])(), FITTERS[name][1]
    *seen, weights = spend_statistics(customers) if isinstance(model, GammaGamma) else sufficient_statistics(customers)
    try:
        with np.errstate(all="ignore"), _fixed_random_state():
            fitter.fit(*seen, weights=weights)
    except ConvergenceError:
        return _side_by_side(ours, {}, "lifetimes does not converge on these data")
    shift = (seen[0] @ weights) * np.log(getattr(fitter, "_scale", 1))  # its unit of time
    native = shift - fitter._negative_log_likelihood_ * divided(weights)
    theirs = dict(zip(parameter_names, fitter.params_, strict=True))
    return _side_by_side(ours, theirs | {"log_likelihood": native})


@contextmanager
def _fixed_random_state():
    """Within it numpy's global generator, from which lifetimes draws where it starts, gives the same every time."""
    before = np.random.get_state()
    np.random.seed(1)
    try:
        yield
    finally:
        np.random.set_state(before)


def _side_by_side(ours, theirs, reason=""):
    frame = pd.DataFrame({"crmlab": ours, "lifetimes": theirs}, index=pd.Index(ours, name="parameter"), dtype=float)
    return frame.assign(relative_difference=frame.crmlab / frame.lifetimes - 1, reason=reason)
