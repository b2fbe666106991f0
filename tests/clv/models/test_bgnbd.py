"""Fitting BG/NBD, and drawing from it."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import clv
from crmlab.contracts import InputError
from crmlab.model import Unfitted

from ..worlds import customers, simulated, spread

# slow enough that two orders seldom fall on one day, which the model does not know of
SLOW = {"r": 0.6, "alpha": 150.0, "a": 0.8, "b": 3.0}


@pytest.fixture(scope="module")
def world():
    return simulated(**SLOW)


@pytest.fixture(scope="module")
def fitted(world):
    return clv.BGNBD.fit(world)


def test_fitting_finds_the_parameters_a_world_was_simulated_from():
    large = simulated(customers=40_000, seed=2, **SLOW)
    model = clv.BGNBD.fit(large)
    short = model.log_likelihood(large) - clv.BGNBD(**SLOW).log_likelihood(large)
    assert 0 < 2 * short < stats.chi2.ppf(0.999, df=4)
    found = model.parameters
    assert list(found.value) == pytest.approx(list(SLOW.values()), rel=0.2)
    assert (found.ci_high / found.ci_low < 1.6).all()


def test_a_fit_is_the_same_every_time(world, fitted):
    again = clv.BGNBD.fit(world)
    assert again == fitted
    assert (again.covariance == fitted.covariance).all()


def test_no_parameter_nearby_is_more_likely(world, fitted):
    best = fitted.log_likelihood(world)
    for name in ("r", "alpha", "a", "b"):
        for factor in (0.99, 1.01):
            numbers = {n: getattr(fitted, n) * (factor if n == name else 1) for n in SLOW}
            assert clv.BGNBD(**numbers).log_likelihood(world) < best


def test_a_row_for_many_customers_is_as_good_as_a_row_for_each(world, fitted):
    each = spread(world)
    alone = clv.BGNBD.fit(each)
    assert fitted.log_likelihood(each) == pytest.approx(fitted.log_likelihood(world), rel=1e-12)
    assert alone.parameters.to_numpy() == pytest.approx(fitted.parameters.to_numpy(), rel=1e-6)
    for predict in (lambda f: fitted.p_alive(f), lambda f: fitted.expected_orders(f, 90)):
        np.testing.assert_array_equal(predict(each), predict(world).repeat(world.customers))
    np.testing.assert_array_equal(
        fitted.discounted_orders(each, 0.1), fitted.discounted_orders(world, 0.1).repeat(world.customers)
    )


def test_a_fit_leaves_its_frame_alone(world):
    before = world.copy()
    clv.BGNBD.fit(world)
    pd.testing.assert_frame_equal(world, before)


def test_a_model_is_its_numbers(fitted):
    rebuilt = clv.BGNBD(fitted.r, fitted.alpha, fitted.a, fitted.b)
    assert rebuilt == fitted
    assert rebuilt.covariance is None
    assert "covariance" not in repr(fitted)
    again = pickle.loads(pickle.dumps(fitted))
    assert again == fitted
    assert list(again.draws) == list(fitted.draws)


def test_changed_parameters_have_no_interval(world, fitted):
    changed = replace(fitted, r=1.0)
    assert changed.covariance is None
    found = clv.forecast_orders(changed, world, 90)
    assert found.value > 0
    assert found.intervals() == []


def test_impossible_parameters_are_refused():
    with pytest.raises(InputError, match="BGNBD: r = -1; choose a finite number above 0"):
        clv.BGNBD(-1, 2, 3, 4)


def test_drawn_orders_have_the_expected_mean():
    model = clv.BGNBD(**SLOW)
    few = customers((0, 0, 500), (1, 30, 400), (3, 350, 400), (12, 390, 400)).assign(customers=40_000)
    one_each = few.loc[few.index.repeat(few.customers)].assign(customers=1).reset_index(drop=True)
    orders = model.simulate_orders(one_each, 365, np.random.default_rng(3))
    counts = pd.Series(np.bincount(orders.row, minlength=len(one_each)))
    drawn = counts.groupby(np.repeat(few.index, few.customers))
    error = drawn.std() / np.sqrt(few.customers)
    assert (abs(drawn.mean() - model.expected_orders(few, 365)) < 3.5 * error).all()
    assert (error < 0.01 * (1 + drawn.mean())).all()


def test_drawn_orders_come_as_often_as_they_should_at_any_time():
    model = clv.BGNBD(**SLOW)
    many = customers((3, 350, 400)).assign(customers=100_000)
    orders = model.simulate_orders(many, 365, np.random.default_rng(4))
    for days in (30, 180, 365):
        counts = np.bincount(orders.customer[orders.day < days], minlength=100_000)
        for n in (0, 1, 3):
            probability = model.probability_of_orders(many, days, n)[0]
            assert (counts == n).mean() == pytest.approx(
                probability, abs=4 * np.sqrt(probability * (1 - probability) / 100_000)
            )


def test_drawn_orders_name_their_customer_and_row():
    model = clv.BGNBD(**SLOW)
    frame = customers((2, 100, 400), (5, 390, 400)).assign(customers=[30, 70])
    rows, each = (model.simulate_orders(f, 365, np.random.default_rng(7)) for f in (frame, spread(frame)))
    assert rows.customer.to_list() == each.row.to_list() == each.customer.to_list()
    assert rows.row.to_list() == [0 if customer < 30 else 1 for customer in rows.customer]
    assert rows.day.between(0, 365).all()


def test_drawn_orders_repeat_from_a_seed(world, fitted):
    one, other = (fitted.simulate_orders(world, 90, np.random.default_rng(5)) for _ in range(2))
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    ("frame", "count"),
    [(customers((0, 0, 50), (0, 0, 90)), "2 customers"), (customers((0, 0, 0)), "the one customer")],
    ids=["some", "today's"],
)
def test_without_repeat_orders_there_is_nothing_to_fit(frame, count):
    reason = f"BG/NBD needs repeat orders; {count} had none"
    assert clv.BGNBD.fit(frame) == Unfitted(clv.BGNBD, reason, "try a longer calibration")


@pytest.mark.parametrize(
    "rows",
    [
        [(3, 50, 100)],
        [(5, 100, 100)] * 50,
        [(1, 3, 100), (0, 0, 7)],
        [(0, 0, 1), (1, 1, 1)] * 50,
        # r and alpha, or a and b, run off together
        [(1, 33, 45), (1, 9, 14), (1, 91, 126), (0, 0, 3)],
        [(2, 10, 60), (2, 30, 60), (2, 50, 60), (0, 0, 60), (2, 20, 70), (1, 11, 80)] * 3,
    ],
)
def test_a_fit_without_a_maximum_is_refused_with_advice(rows):
    found = clv.BGNBD.fit(customers(*rows))
    assert not found
    assert found.reason.startswith("BG/NBD has no maximum")
    count = f"these {len(rows)} customers" if len(rows) > 1 else "this one customer"
    assert f"on {count}: its likelihood does not fall as " in found.reason
    assert "the search stopped" not in found.reason  # where it does depends on the machine
    assert found.recommendation == "try a longer calibration, or more customers"


def test_a_random_handful_of_customers_is_fitted_well_or_refused():
    rng = np.random.default_rng(5)
    fits = []
    for _ in range(24):
        age = rng.integers(0, 300, rng.choice([3, 10, 30, 100]))
        x = np.minimum(rng.poisson(rng.gamma(0.5, 2, age.size)), age)
        t_x = np.where(x > 0, np.maximum(x, (age * rng.random(age.size)).astype(int)), 0)
        fits.append(clv.BGNBD.fit(customers(*zip(x, t_x, age, strict=True))))
    assert any(fits)
    assert all(fitted.reason for fitted in fits if not fitted)
    for model in filter(None, fits):
        table = model.parameters
        assert np.isfinite(table.to_numpy()).all()
        assert (table.standard_error < 5 * table.value).all()


def test_the_past_rate_continues_as_before():
    frame = customers((0, 0, 10), (2, 5, 10), (3, 9, 30), (0, 0, 0))
    assert clv.past_rate(frame, 20).to_list() == [0, 4, 2, 0]
