"""Ratios of gamma functions against mpmath, small and huge."""

import mpmath as mp
import numpy as np
import pytest

from crmlab.stats.rising import HUGE, log_pochhammer

K = np.array([0, 1e-9, 0.5, 1, 7, 300, 5000, 1e9])


@pytest.mark.parametrize("z", [1e-12, 0.3, 40, HUGE, HUGE + 1e-9, 1e6, 1e12, 1e18])
def test_digits_are_kept(z):
    with mp.workdps(60):
        true = [float(mp.loggamma(mp.mpf(z) + mp.mpf(k)) - mp.loggamma(z)) for k in K]
    np.testing.assert_allclose(log_pochhammer(z, K), true, rtol=1e-12, atol=1e-11)
