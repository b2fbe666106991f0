"""The same data fitted by another program."""

from contextlib import contextmanager

import numpy as np
import pandas as pd

from crmlab import likelihood
from crmlab.clv.models.gamma_gamma import GammaGamma, spenders
from crmlab.clv.models.orders import counted

# lifetimes' class for a model, and what its log-likelihood is divided by there
FITTERS = {
    "BGNBD": ("BetaGeoFitter", np.sum),
    "MBGNBD": ("ModifiedBetaGeoFitter", np.sum),
    "ParetoNBD": ("ParetoNBDFitter", np.mean),
    "BGBB": ("BetaGeoBetaBinomFitter", np.sum),
    "GammaGamma": ("GammaGammaFitter", np.sum),
}
WITHOUT = {
    "NBD": "lifetimes has no NBD",
    "DailyBGBB": "lifetimes' BG/BB adds 1e-15 to every chance, and those of days are smaller",
}


def by_lifetimes(model, summary):
    """Our parameters and log-likelihood beside those that the lifetimes package finds: a frame.

    model   : fitted to `summary`, or Unfitted
    returns : by parameter, and for log_likelihood (time in days): crmlab, lifetimes, their relative difference, and a
              note, which says why where there is nothing of lifetimes'; without rows where the model is Unfitted
    """
    if not model:
        return _beside({}, {}, "")
    import lifetimes  # slow to load, and needed for nothing else
    from lifetimes.utils import ConvergenceError

    name = type(model).__name__
    names = likelihood.names(model)
    ours = {parameter: getattr(model, parameter) for parameter in names}
    ours |= {"log_likelihood": model.log_likelihood(summary)}
    if name not in FITTERS:
        return _beside(ours, {}, WITHOUT[name])
    fitter, divided = getattr(lifetimes, FITTERS[name][0])(), FITTERS[name][1]
    *seen, customers = spenders(summary) if isinstance(model, GammaGamma) else counted(summary)
    try:
        with np.errstate(all="ignore"), _the_same_chance():
            fitter.fit(*seen, weights=customers)
    except ConvergenceError:
        return _beside(ours, {}, "lifetimes does not converge on these data")
    shift = (seen[0] @ customers) * np.log(getattr(fitter, "_scale", 1))  # its unit of time
    native = shift - fitter._negative_log_likelihood_ * divided(customers)
    theirs = dict(zip(names, fitter.params_, strict=True))
    return _beside(ours, theirs | {"log_likelihood": native})


@contextmanager
def _the_same_chance():
    """Within it numpy's global generator, from which lifetimes draws where it starts, gives the same every time."""
    before = np.random.get_state()
    np.random.seed(1)
    try:
        yield
    finally:
        np.random.set_state(before)


def _beside(ours, theirs, note=""):
    frame = pd.DataFrame({"crmlab": ours, "lifetimes": theirs}, index=pd.Index(ours, name="parameter"), dtype=float)
    return frame.assign(difference=frame.crmlab / frame.lifetimes - 1, note=note)
