"""BG/BB's formulas against mpmath, at random points and at the edges where floating point gives way.

The exact ones are the sums of Fader, Hardie & Shang (2010); `model` is (alpha, beta, gamma, delta).
"""

import itertools
import operator
from functools import cache

import mpmath as mp
import numpy as np
import pytest

from crmlab.clv.models.bgbb import BGBB

from ..worlds import customers, rows
from . import exact  # which gives mpmath its digits
from .exact import assert_close

MODELS = {
    "donations": (1.203528, 0.749726, 0.656781, 2.783796),
    "gamma is 1": (0.8, 4.0, 1.0, 3.0),
    "gamma just above 1": (0.8, 4.0, 1.0 + 1e-9, 3.0),
    "nobody leaves": (0.6, 2.5, 1e-6, 2.0),
    "all leave at once": (1.5, 0.6, 30.0, 0.05),
    "all alike": (200.3, 900.0, 150.7, 900.1),
    "all or nothing": (0.02, 0.013, 0.014, 0.03),
}
CUSTOMERS = customers(
    (0, 0, 0), (0, 0, 1), (0, 0, 60), (1, 1, 1), (1, 1, 6), (4, 5, 6), (6, 6, 6), (3, 40, 400), (60, 70, 90),
    (99, 200, 200),
)  # fmt: skip
ROWS = rows(CUSTOMERS)


@cache
def terms(model, x, t_x, n):
    """The two terms of equation 5: for who is here, and for who is gone."""
    a, b, c, d = map(mp.mpf, model)
    whole = mp.beta(a, b) * mp.beta(c, d)
    gone = mp.fsum(mp.beta(a + x, b + i - x) * mp.beta(c + 1, d + i) for i in range(t_x, n))
    return mp.beta(a + x, b + n - x) * mp.beta(c, d + n) / whole, gone / whole


def exact_p_alive(model, x, t_x, n):
    here, gone = terms(model, x, t_x, n)
    return here / (here + gone)


def exact_orders(model, x, n, periods, kept=1):
    """Orders of who is alive at n, each worth `kept` of one a period earlier; infinite too. [eq. 13, 14]"""
    a, b, c, d = map(mp.mpf, model)
    d += n
    if periods == mp.inf:
        return (a + x) / (a + b + n) * kept * d / (c + d) * mp.hyp2f1(1, d + 1, c + d + 1, kept)
    alive = itertools.accumulate(((d + k) / (c + d + k) * kept for k in range(periods)), operator.mul)
    return (a + x) / (a + b + n) * mp.fsum(alive)


def exact_chance(model, periods, count):
    """The probability that a new customer has `count` orders. [eq. 8]"""
    a, b, c, d = map(mp.mpf, model)

    def orders(i):
        return mp.binomial(i, count) * mp.beta(a + count, b + i - count) / mp.beta(a, b)

    gone = mp.fsum(orders(i) * mp.beta(c + 1, d + i) / mp.beta(c, d) for i in range(count, periods))
    return gone + orders(periods) * mp.beta(c, d + periods) / mp.beta(c, d)


def random_cases(count, seed):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n = int(rng.choice([1, 6, 52, 300]))
        t_x = int(rng.integers(0, n + 1))
        x = int(rng.integers(min(t_x, 1), t_x + 1))
        yield tuple(10 ** rng.uniform(-2, np.log10(50), 4)), (x, t_x, n)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_log_likelihood_is_that_of_the_paper(model):
    found = [BGBB(*model).log_likelihood(customers(row)) for row in ROWS]
    true = [float(mp.log(sum(terms(model, *row)))) for row in ROWS]
    np.testing.assert_allclose(found, true, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_p_alive_is_the_share_of_who_is_here(model):
    found = BGBB(*model).p_alive(CUSTOMERS)
    assert_close(found, [exact_p_alive(model, *row) for row in ROWS], 1e-11)
    assert (found[CUSTOMERS.recency == CUSTOMERS.age] == 1).all()


def test_the_likelihood_holds_off_the_optimum():
    for model, row in random_cases(40, seed=1):
        true = mp.log(sum(terms(model, *row)))
        assert BGBB(*model).log_likelihood(customers(row)) == pytest.approx(float(true), rel=1e-11, abs=1e-11)
        in_company = BGBB(*model).p_alive(customers(row, (0, 0, 700), (row[0], *row[1:2], 900)))[0]
        assert_close([in_company], [exact_p_alive(model, *row)], 1e-11)


@pytest.mark.parametrize("theta", [(0.03, 0.5, 1.0, 0.2), (40.0, 11.0, 0.01, 30.0), (0.5, 45.0, 20.0, 50.0)])
def test_gradient_and_hessian_are_those_of_the_log_likelihood(theta):
    frame, weights = customers((0, 0, 4), (1, 2, 9), (4, 5, 6), (3, 3, 3), (7, 14, 20)), [3, 2, 1, 4, 2]

    def total(*at):
        probabilities = (sum(terms.__wrapped__(at, *row)) for row in rows(frame))
        return mp.fsum(n * mp.log(probability) for n, probability in zip(weights, probabilities, strict=True))

    value, gradient, hessian = BGBB._likelihood(*frame.to_numpy(float).T, np.array(weights))(theta)
    true_gradient, true_hessian = exact.derivatives(total, theta)
    assert value == pytest.approx(float(total(*theta)), rel=1e-12)
    np.testing.assert_allclose(gradient, np.array(true_gradient, float), rtol=1e-10)
    np.testing.assert_allclose(hessian, np.array(true_hessian, float), rtol=1e-9)


@pytest.mark.parametrize("grown", [(1, 1, 1, 1), (0, 0, 1, 1), (1, 1, 0, 0), (0, 1, 0, 1)])
@pytest.mark.parametrize("scale", [1e4, 1e14])
def test_digits_are_kept_where_the_likelihood_runs_off(grown, scale):
    theta = np.array([0.53, 10.2, 6.6, 200.0]) * np.where(grown, scale, 1)
    for row in [(0, 0, 12), (2, 9, 12)]:
        true = lambda *at, row=row: mp.log(sum(terms.__wrapped__(at, *row)))  # noqa: E731
        value, gradient, hessian = BGBB._likelihood(*customers(row).to_numpy(float).T, np.ones(1))(theta)
        true_gradient, true_hessian = (np.array(found, float) for found in exact.derivatives(true, theta))
        assert value == pytest.approx(float(true(*theta)), rel=1e-11, abs=1e-11)
        np.testing.assert_allclose(gradient * theta, true_gradient * theta, rtol=1e-9, atol=1e-9)  # by the logs
        np.testing.assert_allclose((hessian - true_hessian) * np.outer(theta, theta), 0, atol=1e-9)


def test_gradient_and_hessian_are_slopes_at_thousands_of_opportunities_too():
    frame = customers((0, 0, 3000), (3, 900, 2000), (40, 2990, 3000), (700, 700, 1500))
    of, theta = BGBB._likelihood(*frame.to_numpy(float).T, np.ones(4)), np.array([0.7, 20.0, 0.4, 15.0])
    _, gradient, hessian = of(theta)
    for i, step in enumerate(np.diag(theta * 1e-4)):
        (low, below, _), (high, above, _) = of(theta - step), of(theta + step)
        assert gradient[i] == pytest.approx((high - low) / (2 * step[i]), rel=1e-5)
        assert list(hessian[i]) == pytest.approx(list((above - below) / (2 * step[i])), rel=1e-5)


@pytest.mark.parametrize("periods", [1, 6, 400])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_expected_orders_are_the_sum_over_periods(model, periods):
    true = [exact_p_alive(model, *row) * exact_orders(model, row[0], row[2], periods) for row in ROWS]
    assert_close(BGBB(*model).expected_orders(CUSTOMERS, periods), true, 1e-11)
    assert_close(BGBB(*model).expected_orders_new([periods]), [exact_orders(model, 0, 0, periods)], 1e-11)


@pytest.mark.parametrize("period_days", [1, 7, 365])
@pytest.mark.parametrize("periods", [1, 52, None])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_discounted_orders_are_the_sum_over_periods(model, periods, period_days):
    kept = mp.mpf(1.1) ** (-mp.mpf(period_days) / 365)
    horizon = mp.inf if periods is None else periods
    true = [exact_p_alive(model, *row) * exact_orders(model, row[0], row[2], horizon, kept) for row in ROWS]
    assert_close(BGBB(*model).discounted_orders(CUSTOMERS, 0.1, periods, period_days=period_days), true, 1e-11)


def test_predictions_hold_at_random_points():
    for model, row in random_cases(60, seed=2):
        found = BGBB(*model).expected_orders(customers(row), 52)
        assert_close(found, [exact_p_alive(model, *row) * exact_orders(model, row[0], row[2], 52)], 1e-11)
        true = exact_p_alive(model, *row) * exact_orders(model, row[0], row[2], mp.inf, 1 / mp.mpf(1.25))
        assert_close(BGBB(*model).discounted_orders(customers(row), 0.25, period_days=365), [true], 1e-11)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_undiscounted_orders_of_some_periods_are_the_expected_ones(model):
    found = BGBB(*model).discounted_orders(CUSTOMERS, 0, 52, period_days=7)
    np.testing.assert_array_equal(found, BGBB(*model).expected_orders(CUSTOMERS, 52))


def test_an_order_a_period_ahead_is_worth_what_is_left_after_a_period():
    model = BGBB(*MODELS["donations"])
    for period_days in (1, 30, 365):
        ratio = model.discounted_orders(CUSTOMERS, 0.2, 1, period_days=period_days) / model.expected_orders(
            CUSTOMERS, 1
        )
        np.testing.assert_allclose(ratio, 1.2 ** (-period_days / 365), rtol=1e-12)


def test_undiscounted_orders_for_ever_are_the_limit_of_the_expected_ones():
    model = BGBB(2.0, 3.0, 3.0, 5.0)
    found = model.discounted_orders(CUSTOMERS, 0, period_days=7)
    assert found[0] == pytest.approx(2 / 5 * 5 / 2)  # E[p] E[(1 - theta) / theta]
    np.testing.assert_allclose(found, model.expected_orders(CUSTOMERS, 1e9), rtol=1e-10)


@pytest.mark.parametrize("gamma", [0.5, 1.0])
def test_undiscounted_orders_for_ever_have_no_mean_where_gamma_is_at_most_1(gamma):
    with pytest.raises(ValueError, match=rf"no finite mean as gamma = {gamma:.4g} is at most 1"):
        BGBB(0.5, 3.0, gamma, 5.0).discounted_orders(CUSTOMERS, 0, period_days=7)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_chances_of_orders_are_those_of_the_paper_and_sum_to_1(model):
    newcomer = [BGBB(*model).probability_of_orders_new(12, count) for count in range(14)]
    assert_close(newcomer, [exact_chance(model, 12, count) if count < 13 else 0 for count in range(14)], 1e-11)
    probabilities = np.array([BGBB(*model).probability_of_orders(CUSTOMERS, 12, count) for count in range(13)])
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, rtol=1e-11)
    np.testing.assert_allclose(np.arange(13) @ probabilities, BGBB(*model).expected_orders(CUSTOMERS, 12), rtol=1e-10)


def test_the_chance_of_a_future_is_that_of_all_its_paths():
    # 2 of 3 seen, the last at 2; then 1 in the next 2: paths of the longer history over those of the shorter
    model = (0.8, 4.0, 1.3, 3.0)
    seen = sum(terms(model, 2, 2, 3))
    true = sum(sum(terms(model, 3, t, 5)) for t in (4, 5)) / seen
    assert_close(BGBB(*model).probability_of_orders(customers((2, 2, 3)), 2, 1), [true], 1e-12)


@pytest.mark.parametrize("theta", itertools.product((1e-6, 1e6), repeat=4))
def test_everything_is_finite_at_the_strangest_parameters(theta):
    model, frame = BGBB(*theta), customers((0, 0, 0), (0, 0, 300), (1, 1, 300), (1, 300, 300), (300, 300, 300))
    with np.errstate(all="raise", under="ignore"):
        found = [
            model.p_alive(frame),
            model.expected_orders(frame, 52),
            model.expected_orders_new(np.array([0, 1, 5000])),
            model.discounted_orders(frame, 0.1, 0, period_days=7),
            model.discounted_orders(frame, 1e-4, period_days=1),
            model.probability_of_orders(frame, 52, 3),
        ]
        for part in BGBB._likelihood(*frame.to_numpy(float).T, np.ones(5))(theta):
            assert np.isfinite(part).all()
    for values in found:
        assert np.isfinite(values).all()
        assert (np.asarray(values) >= 0).all()


def test_everything_is_finite_at_five_thousand_opportunities():
    steps = np.array([0, 1, 2, 50, 2500, 4999, 5000])
    grid = [(x, t, n) for x, t, n in itertools.product(steps, repeat=3) if x <= t <= n and (x > 0) == (t > 0)]
    for theta in (MODELS["donations"], (0.01, 50, 50, 0.01), (50, 0.01, 0.01, 50)):
        model, frame = BGBB(*theta), customers(*grid)
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            value, gradient, hessian = BGBB._likelihood(*frame.to_numpy(float).T, np.ones(len(grid)))(theta)
            found = [model.p_alive(frame), model.expected_orders(frame, 5000)]
            found.append(model.discounted_orders(frame, 0.1, period_days=1))
        assert np.isfinite(value)
        assert np.isfinite([*gradient, *hessian.ravel()]).all()
        assert all((np.isfinite(v) & (v >= 0)).all() for v in found)


def test_a_customer_is_worth_the_same_in_any_company():
    model = BGBB(*MODELS["donations"])
    for predict in (lambda f: model.p_alive(f), lambda f: model.discounted_orders(f, 0.1, period_days=7)):
        alone = [predict(customers(row))[0] for row in ROWS]
        np.testing.assert_allclose(predict(CUSTOMERS), alone, rtol=1e-11)
