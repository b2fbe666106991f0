"""Ratios of gamma functions, with their digits where a likelihood has run off to huge parameters."""

import numpy as np
from scipy.special import gammaln

HUGE = 1000.0  # beyond it, a difference of log Γ loses more digits than Stirling's series leaves out


def log_pochhammer(z, k):
    """log Γ(z + k) / Γ(z), for whole k that of z (z + 1) … (z + k - 1): shaped as k.

    z : a number above 0; k : 0 or more
    """
    if z <= HUGE:
        return gammaln(z + k) - gammaln(z)
    return k * np.log(z) + (z + k - 0.5) * np.log1p(k / z) - k + _stirling(z + k) - _stirling(z)


def _stirling(z):
    return 1 / (12 * z) - 1 / (360 * z**3)
