"""Fitting BG/BB, and drawing from it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.clv.models.bgbb import BGBB, DailyBGBB
from crmlab.contracts import InputError
from crmlab.model import Unfitted

from ..worlds import customers, spread

TRUTH = {"alpha": 1.2, "beta": 2.4, "gamma": 0.7, "delta": 6.0}


def world(size, periods, seed, alpha, beta, gamma, delta):
    """A collapsed summary of customers who decide period by period, for two thirds of `periods` to all of them."""
    rng = np.random.default_rng(seed)
    p, leaving = rng.beta(alpha, beta, size), rng.beta(gamma, delta, size)
    age = rng.integers(periods * 2 // 3, periods + 1, size)
    alive, seen = np.ones(size, bool), pd.DataFrame({"frequency": 0, "recency": 0, "age": age})
    for k in range(1, periods + 1):
        alive &= rng.random(size) >= leaving
        orders = alive & (rng.random(size) < p) & (k <= age)
        seen.frequency += orders
        seen.loc[orders, "recency"] = k
    return seen.groupby([*seen]).size().rename("customers").reset_index()


@pytest.fixture(scope="module")
def seen():
    return world(20_000, 24, seed=1, **TRUTH)


@pytest.fixture(scope="module")
def fitted(seen):
    return BGBB.fit(seen)


def numbers(model):
    return [getattr(model, name) for name in TRUTH]


def test_fitting_finds_the_parameters_a_world_was_simulated_from(seen, fitted):
    short = fitted.log_likelihood(seen) - BGBB(**TRUTH).log_likelihood(seen)
    assert 0 < 2 * short < stats.chi2.ppf(0.999, df=4)
    found = fitted.parameters
    assert list(found.value) == pytest.approx(list(TRUTH.values()), rel=0.2)
    assert (found.ci_high / found.ci_low < 1.6).all()


def test_every_start_ends_at_the_same_maximum(seen, fitted):
    for start in [(0.1, 0.1, 0.1, 0.1), (5, 5, 5, 5), tuple(TRUTH.values())]:
        assert numbers(BGBB.fit(seen, [start])) == pytest.approx(numbers(fitted), rel=1e-6)


def test_a_row_for_many_customers_is_as_good_as_a_row_for_each(seen, fitted):
    each = spread(seen)
    assert fitted.log_likelihood(each) == pytest.approx(fitted.log_likelihood(seen), rel=1e-12)
    assert numbers(BGBB.fit(each)) == pytest.approx(numbers(fitted), rel=1e-6)
    for predict in (lambda f: fitted.p_alive(f), lambda f: fitted.discounted_orders(f, 0.1, period_days=7)):
        np.testing.assert_array_equal(predict(each), predict(seen).repeat(seen.customers))


def test_a_fit_leaves_its_frame_alone(seen):
    before = seen.copy()
    BGBB.fit(seen)
    pd.testing.assert_frame_equal(seen, before)


def test_drawn_orders_come_as_often_as_they_should_at_any_time():
    model = BGBB(**TRUTH)
    for row in [(0, 0, 0), (3, 8, 12), (12, 12, 12)]:
        many = customers(row).assign(customers=50_000)
        drawn = model.simulate_orders(many, 20, np.random.default_rng(4))
        assert not drawn.duplicated(["customer", "day"]).any()
        assert drawn.day.between(1, 20).all()
        for periods in (1, 7, 20):
            counts = np.bincount(drawn.customer[drawn.day <= periods], minlength=50_000)
            for n in (0, 1, 4):
                probability = model.probability_of_orders(many, periods, n)[0]
                assert (counts == n).mean() == pytest.approx(
                    probability, abs=4 * np.sqrt(probability * (1 - probability) / 50_000)
                )


@pytest.mark.parametrize("row", [(3, 2, 6), (2, 2.5, 6), (2, 2, 6.5), (2, 3, 100_001)])
def test_what_is_not_counted_in_whole_periods_is_refused(row):
    frame = customers((1, 2, 6), row, (2, 3, 6), row)
    seen = "frequency {}, recency {}, age {}".format(*row)
    what = rf"1 of 3 kinds have more orders .*\(first: {seen}\); count whole periods"
    for use in (BGBB.fit, BGBB(**TRUTH).log_likelihood, BGBB(**TRUTH).p_alive):
        with pytest.raises(InputError, match=what):
            use(frame)


@pytest.mark.parametrize(
    "ask",
    [
        lambda periods: BGBB(**TRUTH).expected_orders(customers((1, 2, 6)), periods),
        lambda periods: BGBB(**TRUTH).expected_orders_new([3, periods]),
        lambda periods: BGBB(**TRUTH).probability_of_orders(customers((1, 2, 6)), periods, 1),
        lambda periods: BGBB(**TRUTH).probability_of_orders_new(periods, 1),
        lambda periods: BGBB(**TRUTH).discounted_orders(customers((1, 2, 6)), 0.1, periods, period_days=7),
        lambda periods: BGBB(**TRUTH).simulate_orders(customers((1, 2, 6)), periods, np.random.default_rng(1)),
    ],
    ids=["expected", "of new", "probability", "probability of new", "discounted", "drawn"],
)
@pytest.mark.parametrize("periods", [2.5, -1, np.nan])
def test_a_horizon_is_a_whole_number_of_periods(ask, periods):
    with pytest.raises(ValueError, match=r"periods = .*: choose a whole number of them, 0 or more"):
        ask(periods)


def test_a_chance_over_more_periods_than_can_be_summed_is_refused():
    model = BGBB(**TRUTH)
    for ask in (
        lambda: model.probability_of_orders(customers((1, 2, 6)), 10**9, 1),
        lambda: model.probability_of_orders_new(10**9, 0),
    ):
        with pytest.raises(ValueError, match=r"periods = 1000000000: .*; choose 100,000 of them or fewer"):
            ask()


def test_the_value_alone_is_that_beside_the_derivatives(seen):
    columns = [seen[name].to_numpy(float) for name in ("frequency", "recency", "age", "customers")]
    likelihood_of = BGBB._likelihood(*columns)
    for theta in 10 ** np.random.default_rng(3).uniform(-1, 1.5, (10, 4)):
        assert likelihood_of.value(theta) == pytest.approx(likelihood_of(theta)[0], rel=1e-12)


def test_where_a_day_is_a_period_a_year_has_365_of_them(seen):
    daily, model = DailyBGBB(**TRUTH), BGBB(**TRUTH)
    for days in (20, None):
        found = daily.discounted_orders(seen, 0.1, days)
        pd.testing.assert_series_equal(found, model.discounted_orders(seen, 0.1, days, period_days=1))
    assert daily.p_alive(seen).equals(model.p_alive(seen))
    assert isinstance(DailyBGBB.fit(seen), DailyBGBB)


@pytest.mark.parametrize(
    ("frame", "count"), [(customers((0, 0, 5), (0, 0, 9)), "2 customers"), (customers((0, 0, 0)), "the one customer")]
)
def test_without_repeat_orders_there_is_nothing_to_fit(frame, count):
    assert BGBB.fit(frame) == Unfitted(BGBB, f"BG/BB needs repeat orders; {count} had none", "try a longer calibration")


@pytest.mark.parametrize(
    "rows", [[(3, 3, 6)] * 20, [(6, 6, 6)] * 20, [(0, 0, 6), (6, 6, 6)] * 20, [(1, 3, 6), (0, 0, 2)]]
)
def test_a_fit_without_a_maximum_is_refused_with_advice(rows):
    found = BGBB.fit(customers(*rows))
    assert not found
    assert found.reason.startswith("BG/BB has no maximum")
    assert "its likelihood does not fall as " in found.reason
    assert found.recommendation == "try a longer calibration, or more customers"
