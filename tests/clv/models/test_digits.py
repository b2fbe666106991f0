"""Likelihoods keep their digits where they run off: a draw of parameters out there counts by them."""

import mpmath as mp
import numpy as np
import pytest

from crmlab import clv

from ..worlds import customers
from . import exact, exact_pareto

CUSTOMERS = [(0, 0, 300), (3, 200, 280), (40, 290, 300), (1, 10, 100)]


def nbd(model, x, t_x, T):
    r, alpha = map(mp.mpf, model)
    return mp.log(mp.rf(r, x) * (alpha / (alpha + T)) ** r / (alpha + T) ** x)


MODELS = {
    clv.NBD: ((0.4, 80), nbd),
    clv.BGNBD: ((0.24, 30, 0.8, 2.4), exact.log_likelihood),
    clv.MBGNBD: ((0.5, 43, 0.9, 1.6), lambda *at: exact.log_likelihood(*at, 1)),
    clv.ParetoNBD: ((0.55, 74, 0.6, 81), exact_pareto.log_likelihood),
}


@pytest.mark.parametrize("scale", [1e3, 1e9, 1e15])
@pytest.mark.parametrize("family", MODELS)
def test_a_likelihood_is_exact_however_huge_pairs_of_parameters_are(family, scale):
    model, true = MODELS[family]
    for which in {tuple(pairs[: len(model)]) for pairs in ([1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1])}:
        theta = tuple(map(float, np.array(model) * np.where(which, scale, 1)))
        for row in CUSTOMERS:
            found = family(*theta).log_likelihood(customers(row))
            assert found == pytest.approx(float(true(theta, *row)), rel=1e-11, abs=1e-11), (theta, row)
