"""The same data fitted by another program."""

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
    "GammaGamma": ("GammaGammaFitter", np.sum),
}


def by_lifetimes(model, summary):
    """Our parameters and log-likelihood beside those that the lifetimes package finds: a frame.

    model   : fitted to `summary`
    returns : by parameter, and for log_likelihood (time in days): crmlab, lifetimes and their relative difference;
              without rows where lifetimes has no such model, or does not converge
    """
    import lifetimes  # slow to load, and needed for nothing else
    from lifetimes.utils import ConvergenceError

    name = type(model).__name__
    if name not in FITTERS:
        return _beside({}, {})
    fitter, divided = getattr(lifetimes, FITTERS[name][0])(), FITTERS[name][1]
    *seen, customers = spenders(summary) if isinstance(model, GammaGamma) else counted(summary)
    try:
        with np.errstate(all="ignore"):
            fitter.fit(*seen, weights=customers)
    except ConvergenceError:
        return _beside({}, {})
    shift = 0 if isinstance(model, GammaGamma) else (seen[0] @ customers) * np.log(fitter._scale)  # its unit of time
    native = shift - fitter._negative_log_likelihood_ * divided(customers)
    names = likelihood.names(model)
    ours = {parameter: getattr(model, parameter) for parameter in names}
    theirs = dict(zip(names, fitter.params_, strict=True))
    return _beside(ours | {"log_likelihood": model.log_likelihood(summary)}, theirs | {"log_likelihood": native})


def _beside(ours, theirs):
    frame = pd.DataFrame({"crmlab": ours, "lifetimes": theirs}, dtype=float).rename_axis("parameter")
    return frame.assign(difference=frame.crmlab / frame.lifetimes - 1)
