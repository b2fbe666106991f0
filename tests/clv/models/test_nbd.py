"""NBD: nobody leaves. By scipy's negative binomial and mpmath's derivatives."""

import mpmath
import numpy as np
import pytest
from scipy.stats import nbinom

from crmlab import clv

from ..worlds import customers, simulated
from . import exact

MODEL = clv.NBD(0.4, 60.0)
SEEN = customers((0, 0, 0), (0, 0, 300), (1, 5, 90), (12, 300, 300), (5000, 5000, 5000))


def log_likelihood(at, x, T):
    r, alpha = map(mpmath.mpf, at)
    return mpmath.log(mpmath.gamma(r + x) / mpmath.gamma(r) * alpha**r / (alpha + T) ** (r + x))


@pytest.mark.parametrize("theta", [(0.4, 60.0), (30.0, 0.5), (0.01, 5000.0)])
def test_likelihood_gradient_and_hessian_are_those_of_the_model(theta):
    weights = np.array([3, 2, 1, 4, 1])
    pairs = [(int(x), int(T)) for x, T in zip(SEEN.frequency, SEEN.age, strict=True)]
    total = lambda *at: mpmath.fsum(int(n) * log_likelihood(at, *p) for n, p in zip(weights, pairs, strict=True))  # noqa: E731
    value, gradient, hessian = clv.NBD._likelihood(*(SEEN[c].to_numpy(float) for c in SEEN), weights)(theta)
    true_gradient, true_hessian = exact.derivatives(total, theta)
    assert value == pytest.approx(float(total(*theta)), rel=1e-12)
    np.testing.assert_allclose(gradient, np.array(true_gradient, float), rtol=1e-9)
    np.testing.assert_allclose(hessian, np.array(true_hessian, float), rtol=1e-8)


def test_everybody_is_alive_and_orders_at_the_rate_expected_of_them():
    assert MODEL.p_alive(SEEN).to_list() == [1] * 5
    rate = (0.4 + SEEN.frequency) / (60 + SEEN.age)
    np.testing.assert_allclose(MODEL.expected_orders(SEEN, 365), rate * 365, rtol=1e-14)
    delta = np.log(1.1) / 365
    np.testing.assert_allclose(MODEL.discounted_orders(SEEN, 0.1), rate / delta, rtol=1e-14)
    by_then = rate * (1 - np.exp(-delta * 365)) / delta
    np.testing.assert_allclose(MODEL.discounted_orders(SEEN, 0.1, 365), by_then, rtol=1e-12)
    np.testing.assert_allclose(MODEL.discounted_orders(SEEN, 0, 365), rate * 365, rtol=1e-14)
    with pytest.raises(ValueError, match="no finite mean as nobody leaves"):
        MODEL.discounted_orders(SEEN, 0)


def test_chances_are_negative_binomial():
    for n in (0, 1, 20):
        true = nbinom.pmf(n, 0.4 + SEEN.frequency, (60 + SEEN.age) / (60 + SEEN.age + 365))
        np.testing.assert_allclose(MODEL.probability_of_orders(SEEN, 365, n), true, rtol=1e-12)


def test_a_fit_finds_a_world_nobody_leaves():
    world = simulated(r=0.6, alpha=60.0, a=1e-6, b=3.0)
    found = clv.NBD.fit(world)
    assert (found.r, found.alpha) == pytest.approx((0.6, 60.0), rel=0.1)


def test_drawn_orders_have_the_expected_mean_and_spread():
    many = customers((3, 350, 400)).assign(customers=50_000)
    drawn = MODEL.simulate_orders(many, 365, np.random.default_rng(1))
    counts = np.bincount(drawn.customer, minlength=50_000)
    law = nbinom(3.4, 460 / (460 + 365))
    assert counts.mean() == pytest.approx(law.mean(), rel=0.02)
    assert counts.std() == pytest.approx(law.std(), rel=0.02)
    assert drawn.day.between(0, 365).all()
