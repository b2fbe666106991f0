"""BG/NBD and MBG/NBD against mpmath, at random points and at the edges where floating point gives way."""

import itertools

import mpmath
import numpy as np
import pandas as pd
import pytest

from crmlab import clv

from ..worlds import customers, rows
from . import exact
from .exact import assert_close

MODELS = {
    "cdnow": (0.2425945, 30.895, 0.7929199, 2.4258881),
    "a is 1": (0.8, 40.0, 1.0, 3.0),
    "a just above 1": (0.8, 40.0, 1.0 + 1e-9, 3.0),
    "nobody leaves": (0.6, 25.0, 1e-6, 2.0),
    "all leave at once": (1.5, 60.0, 300.0, 0.05),
    "all alike": (200.3, 9000.0, 150.7, 900.1),
    "all or nothing": (20.0, 70.0, 0.14, 0.13),
    "slow": (0.05, 2000.0, 4.0, 8.0),
}
CUSTOMERS = customers(
    (0, 0, 0), (0, 0, 1), (0, 0, 273), (1, 1, 1), (2, 213, 272), (26, 216, 217), (7, 10, 3000),
    (300, 300, 300), (300, 310, 400), (5000, 5000, 5000), (5000, 5100, 9000),
)  # fmt: skip
ROWS = rows(CUSTOMERS)


@pytest.fixture(params=[clv.BGNBD, clv.MBGNBD])
def family(request):
    return request.param


def alive(family, model, row):
    return exact.p_alive(model, *row, family.AT_ONCE)


def living(family, model):
    """The BG/NBD that customers of `model` follow while they are active."""
    r, alpha, a, b = model
    return r, alpha, a, b + family.AT_ONCE


def random_cases(count, seed):
    """Pairs of parameters and a customer, over several powers of ten."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        age = int(rng.choice([0, 1, 30, 400, 5000]))
        x = int(rng.integers(0, min(age, 400) + 1))
        t_x = int(rng.integers(x, age + 1)) if x else 0
        yield tuple(10 ** rng.uniform([-2, -0.5, -3, -2], [1.5, 4, 3, 3])), (x, t_x, age)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_log_likelihood_is_that_of_the_paper(family, model):
    found = [family(*model).log_likelihood(customers(row)) for row in ROWS]
    np.testing.assert_allclose(
        found, [float(exact.log_likelihood(model, *row, family.AT_ONCE)) for row in ROWS], rtol=1e-11, atol=1e-11
    )


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_p_alive_is_that_of_the_paper(family, model):
    assert_close(family(*model).p_alive(CUSTOMERS), [alive(family, model, row) for row in ROWS], 1e-12)


@pytest.mark.parametrize("days", [0.5, 365, 36500])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_expected_orders_are_those_of_the_closed_form(family, model, days):
    true = [
        alive(family, model, (x, t, T)) * exact.orders_while_alive(living(family, model), x, T, days)
        for x, t, T in ROWS
    ]
    assert_close(family(*model).expected_orders(CUSTOMERS, days), true, 1e-11)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_new_customer_is_expected_to_order_as_the_closed_form_says(family, model):
    days = np.array([1, 7, 365, 36500])
    true = [
        alive(family, model, (0, 0, 0)) * exact.orders_while_alive(living(family, model), 0, 0, int(t)) for t in days
    ]
    assert_close(family(*model).expected_orders_new(days), true, 1e-11)


def test_expected_orders_hold_at_random_points(family):
    for model, (x, t_x, T) in random_cases(60, seed=1):
        for days in (1, 365, 3650):
            true = alive(family, model, (x, t_x, T)) * exact.orders_while_alive(living(family, model), x, T, days)
            assert_close(family(*model).expected_orders(customers((x, t_x, T)), days), [true], 1e-11)


def test_chances_of_so_many_orders_are_those_of_the_closed_form(family):
    for model, row in itertools.chain(((m, r) for m in MODELS.values() for r in ROWS[1:8]), random_cases(30, seed=2)):
        for days, n in ((30, 0), (365, 1), (365, 7), (3650, 40)):
            alone = exact.chance_while_alive(living(family, model), row[0], row[2], days, n)
            true = alive(family, model, row) * alone + (1 - alive(family, model, row) if n == 0 else 0)
            found = family(*model).probability_of_orders(customers(row), days, n)
            np.testing.assert_allclose(float(found[0]), float(true), rtol=1e-9, atol=1e-14)


def test_chances_add_up_to_one_and_to_the_expected_orders(family):
    model, few = family(*MODELS["cdnow"]), CUSTOMERS[:7]
    probabilities = np.array([model.probability_of_orders(few, 365, n) for n in range(400)])
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, rtol=1e-9)
    np.testing.assert_allclose(np.arange(400) @ probabilities, model.expected_orders(few, 365), rtol=1e-9)
    newcomer = sum(n * model.probability_of_orders_new(365, n) for n in range(400))
    assert newcomer == pytest.approx(float(model.expected_orders_new(365)), rel=1e-9)


@pytest.mark.parametrize("days", [365, None])
@pytest.mark.parametrize(
    ("model", "customer"),
    [
        (MODELS["cdnow"], (2, 213, 272)),
        (MODELS["cdnow"], (0, 0, 0)),
        (MODELS["a is 1"], (26, 216, 217)),
        (MODELS["all or nothing"], (0, 0, 0)),
        ((3.2, 40.0, 25.3, 12.7), (26, 216, 217)),
        ((0.0145, 12.03, 1.236, 238.2), (300, 400, 400)),
        ((4.68, 24.86, 200.0, 132.9), (0, 0, 30)),
    ],
)
def test_discounted_orders_are_the_integral(family, model, customer, days):
    x, t_x, T = customer
    true = alive(family, model, (x, t_x, T)) * exact.discounted_while_alive(living(family, model), x, T, 0.1, days)
    assert_close(family(*model).discounted_orders(customers(customer), 0.1, days), [true], 1e-11)


def test_a_customer_is_valued_the_same_in_any_company():
    model = clv.BGNBD(*MODELS["cdnow"])
    for days in (365, None):
        together = model.discounted_orders(CUSTOMERS, 0.1, days)
        alone = [model.discounted_orders(customers(row), 0.1, days)[0] for row in ROWS]
        np.testing.assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_undiscounted_orders_of_some_days_are_the_expected_ones(family, model):
    found = family(*model).discounted_orders(CUSTOMERS, 0, 365)
    np.testing.assert_allclose(found, family(*model).expected_orders(CUSTOMERS, 365), rtol=1e-11, atol=1e-300)


def test_discounted_orders_of_many_years_are_those_for_ever():
    model = clv.BGNBD(*MODELS["cdnow"])
    np.testing.assert_allclose(
        model.discounted_orders(CUSTOMERS, 0.15, 365 * 400), model.discounted_orders(CUSTOMERS, 0.15), rtol=1e-12
    )


def test_undiscounted_orders_for_ever_are_the_limit_of_the_expected_ones():
    model = clv.BGNBD(5.0, 30.0, 3.0, 5.0)
    found = model.discounted_orders(CUSTOMERS, 0)
    assert found[0] == pytest.approx(3.5)  # E[1 / p] over Beta(3, 5)
    np.testing.assert_allclose(found, model.expected_orders(CUSTOMERS, 1e12), rtol=1e-11)


@pytest.mark.parametrize("a", [0.5, 1.0])
def test_undiscounted_orders_for_ever_have_no_mean_where_a_is_at_most_1(a):
    with pytest.raises(ValueError, match=f"no finite mean as a = {a:.4g} is at most 1"):
        clv.BGNBD(0.5, 30.0, a, 5.0).discounted_orders(CUSTOMERS, 0)


def test_discounted_orders_do_not_depend_on_the_unit_of_time():
    # 15 % a year is ln(1.15) / 365 a day, and seven times that a week
    weekly = CUSTOMERS.assign(recency=CUSTOMERS.recency / 7, age=CUSTOMERS.age / 7)
    r, alpha, a, b = MODELS["cdnow"]
    for days, weeks in ((364, 52), (None, None)):
        by_day = clv.BGNBD(r, alpha, a, b).discounted_orders(CUSTOMERS, 0.15, days)
        by_week = clv.BGNBD(r, alpha / 7, a, b).discounted_orders(weekly, 1.15**7 - 1, weeks)
        np.testing.assert_allclose(by_day, by_week, rtol=1e-12)


def test_orders_grow_with_the_days_and_shrink_with_the_discount():
    model, likely = clv.BGNBD(*MODELS["cdnow"]), CUSTOMERS[:-1]  # the last is gone beyond what a float can tell
    spans = [0, 1, 30, 365, 3650]
    expected = np.array([model.expected_orders(likely, days) for days in spans])
    discounted = np.array([model.discounted_orders(likely, 0.1, days) for days in spans])
    assert (expected[0] == 0).all()
    assert (discounted[0] == 0).all()
    assert (np.diff(expected, axis=0) > 0).all()
    assert (np.diff(discounted, axis=0) > 0).all()
    rates = np.array([model.discounted_orders(likely, rate, 365) for rate in (0, 0.05, 0.1, 0.5, 1)])
    assert (np.diff(rates, axis=0) < 0).all()


@pytest.mark.parametrize(
    "model",
    [
        *itertools.product((1e-6, 50.0), (1e-6, 1e8), (1e-9, 1e7), (1e-6, 1e6)),
        (1e5, 1e-6, 1.0, 1e-6),
        (1e13, 1e15, 1e13, 2.0),
    ],
)
def test_everything_is_finite_at_the_strangest_parameters(family, model):
    model = family(*model)
    with np.errstate(all="raise", under="ignore"):
        found = [
            model.p_alive(CUSTOMERS),
            model.expected_orders(CUSTOMERS, 365),
            model.expected_orders_new(np.array([0, 1, 36500])),
            model.discounted_orders(CUSTOMERS, 0.1, 365),
            model.discounted_orders(CUSTOMERS, 1e-4),
        ]
        assert np.isfinite(model.log_likelihood(CUSTOMERS))
    for values in found:
        assert np.isfinite(values).all()
        assert (np.asarray(values) >= 0).all()
    assert (found[0] <= 1).all()


@pytest.mark.parametrize("theta", [(0.5, 20.0, 0.4, 3.0), (2.0, 90.0, 3.0, 0.7), (0.05, 400.0, 1.0, 1.0)])
def test_gradient_and_hessian_are_those_of_the_log_likelihood(family, theta):
    seen = customers((0, 0, 40), (1, 5, 90), (4, 60, 61), (12, 300, 300))
    weights = [3, 2, 1, 4]

    def total(*at):
        return mpmath.fsum(
            n * exact.log_likelihood(at, *row, family.AT_ONCE) for n, row in zip(weights, rows(seen), strict=True)
        )

    value, gradient, hessian = family._likelihood(*(seen[c].to_numpy(float) for c in seen), np.array(weights))(theta)
    true_gradient, true_hessian = exact.derivatives(total, theta)
    assert value == pytest.approx(float(total(*theta)), rel=1e-12)
    np.testing.assert_allclose(gradient, np.array(true_gradient, float), rtol=1e-10)
    np.testing.assert_allclose(hessian, np.array(true_hessian, float), rtol=1e-9)


def test_predictions_are_series_beside_their_customers():
    frame = CUSTOMERS.set_index(pd.Index([f"c{i}" for i in range(len(CUSTOMERS))], name="customer_id"))
    model, before = clv.BGNBD(*MODELS["cdnow"]), frame.copy()
    found = [model.p_alive(frame), model.expected_orders(frame, 30), model.discounted_orders(frame, 0.1, 30)]
    assert [series.name for series in found] == ["p_alive", "expected_orders", "discounted_orders"]
    assert all(series.index.equals(frame.index) for series in found)
    pd.testing.assert_frame_equal(frame, before)
