import mpmath as mp
import numpy as np
import pandas as pd
import pytest

from crmlab import likelihood
from crmlab.clv import GammaGamma
from crmlab.clv.models.gamma_gamma import _derivatives

MODEL = GammaGamma(6.25, 3.74, 15.44)


def spends(*rows):
    return pd.DataFrame(rows, columns=["frequency", "monetary_value"])


@pytest.fixture(scope="module")
def world():
    """Mean spends of 3,000 customers of known parameters p 6, q 4, gamma 60."""
    rng = np.random.default_rng(1)
    x = rng.integers(1, 12, 3000)
    scale = rng.gamma(4, 1 / 60, 3000)
    return pd.DataFrame({"frequency": x, "monetary_value": rng.gamma(6 * x, 1 / (scale * x))})


def test_a_fit_finds_the_parameters_it_was_simulated_from(world):
    table = likelihood.parameters(GammaGamma.fit(world))
    assert (table.low < [6, 4, 60]).all()
    assert (table.high > [6, 4, 60]).all()


def test_who_never_came_back_and_who_spent_nothing_are_left_out_and_told(world):
    more = pd.concat([world, spends((0, 0.0), (3, 0.0), (2, 0.0))], ignore_index=True)
    assert GammaGamma.fit(more) == GammaGamma.fit(world)
    assert (~GammaGamma.fits(more)).sum() == 3


def test_rows_with_counts_are_customers_alike(world):
    twice = pd.concat([world, world])
    once = GammaGamma.fit(world.assign(customers=2))
    both = GammaGamma.fit(twice)
    assert (once.p, once.q, once.gamma) == pytest.approx((both.p, both.q, both.gamma), rel=1e-8)


def test_the_likelihood_is_the_formula_of_the_paper():
    x, m, (p, q, g) = 3, mp.mpf("35.5"), map(mp.mpf, ("6.25", "3.74", "15.44"))
    density = mp.gamma(p * x + q) / mp.gamma(p * x) / mp.gamma(q)
    density *= g**q * m ** (p * x - 1) * x ** (p * x) / (g + m * x) ** (p * x + q)
    assert MODEL.log_likelihood(spends((3, 35.5))) == pytest.approx(float(mp.log(density)), rel=1e-12)


def test_gradient_and_hessian_are_those_of_small_steps(world):
    x, m, one = world.frequency.to_numpy(float), world.monetary_value.to_numpy(), np.ones(len(world), int)
    theta = np.array([3.0, 2.5, 20.0])
    _, gradient, hessian = _derivatives(theta, x, m, one)
    for i, step in enumerate(theta * 1e-5):
        ahead, behind = (_derivatives(theta + sign * step * np.eye(3)[i], x, m, one) for sign in (1, -1))
        assert (ahead[0] - behind[0]) / (2 * step) == pytest.approx(gradient[i], rel=1e-6)
        assert (ahead[1] - behind[1]) / (2 * step) == pytest.approx(hessian[i], rel=1e-6)


def test_expected_spend_lies_between_the_customers_mean_and_everybodys():
    everybody = MODEL.p * MODEL.gamma / (MODEL.q - 1)
    found = MODEL.expected_spend(spends((0, 0.0), (1, 100.0), (50, 100.0)))
    assert found[0] == pytest.approx(everybody)
    assert everybody < found[1] < found[2] < 100


def test_a_mean_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"q = 0\.9 is at most 1"):
        GammaGamma(6, 0.9, 15).expected_spend(spends((1, 10.0)))


def test_too_few_spenders_are_refused_with_what_to_try():
    with pytest.raises(likelihood.FitError, match="there are 1: try"):
        GammaGamma.fit(spends((1, 10.0), (0, 0.0)))
