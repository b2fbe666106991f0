"""From orders and spend to money: by customer, in total, and written by the engine."""

import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, clv, likelihood

END = "1997-09-30"


@pytest.fixture(scope="module")
def summary():
    return clv.summarise(catalog.load("cdnow_sample"), END)


@pytest.fixture(scope="module")
def each(summary):
    return summary.order_by("customer_id").execute()


@pytest.fixture(scope="module")
def customers(summary):
    return clv.collapse(summary)


@pytest.fixture(scope="module")
def models(each):
    return clv.BGNBD.fit(each), clv.GammaGamma.fit(each)


def by_hand(each, orders, spend):
    return clv.value(orders.discounted_orders(each, 0.1, 365), spend.expected_spend(each), 0.3)


def test_score_is_what_pandas_computes_customer_by_customer(summary, each, models):
    orders, spend = models
    scored = clv.score(summary, orders, spend, 365, 0.1, 0.3).execute()
    assert scored.customer_id.tolist() == each.customer_id.tolist()
    assert scored.customer_id[0] == "00004"
    assert not scored.isna().any().any()
    np.testing.assert_allclose(scored.p_alive, orders.p_alive(each), rtol=1e-12)
    np.testing.assert_allclose(scored.expected_orders, orders.expected_orders(each, 365), rtol=1e-12)
    np.testing.assert_allclose(scored.expected_spend, spend.expected_spend(each), rtol=1e-12)
    np.testing.assert_allclose(scored.value, by_hand(each, orders, spend), rtol=1e-12)


def test_totals_over_tuples_are_those_over_customers(each, customers, models):
    orders, spend = models
    assert customers.customers.sum() == len(each)
    found = clv.value_ahead(orders, spend, customers, 365, 0.1, 0.3, seed=1, currency="USD")
    assert found.value == pytest.approx(by_hand(each, orders, spend).sum(), rel=1e-12)
    assert (found.unit, found.interval) == ("USD", "confidence")
    active = clv.active_customers(orders, customers, seed=1)
    assert active.value == pytest.approx(orders.p_alive(each).sum(), rel=1e-12)
    ahead = clv.orders_ahead(orders, customers, 365, seed=1)
    assert ahead.value == pytest.approx(orders.expected_orders(each, 365).sum(), rel=1e-12)
    assert ahead.interval == "predictive"
    for estimate in (found, active, ahead):
        assert estimate.low < estimate.value < estimate.high


def test_totals_are_the_same_every_time_and_follow_the_seed(customers, models):
    once, again, other = (clv.orders_ahead(models[0], customers, 365, seed=seed) for seed in (1, 1, 2))
    assert once == again
    assert once != other


def test_a_predictive_interval_is_wider_than_the_confidence_one(customers, models):
    orders, _ = models
    drawn = [
        clv.total(m.expected_orders(customers, 365), customers.customers) for m in likelihood.draws(orders, 200, 1)
    ]
    confidence = np.subtract(*np.quantile(drawn, [0.975, 0.025]))
    predictive = clv.orders_ahead(orders, customers, 365, seed=1)
    assert predictive.high - predictive.low > confidence


def test_weekly_expectations_sum_to_those_of_each_customers_own_age(each, customers, models):
    orders, _ = models
    weeks = pd.RangeIndex(1, 40)  # the 39 weeks from the first acquisition to the split
    weekly = clv.expected_by_week(orders, customers, weeks)
    assert weekly.index.tolist() == list(weeks)
    last_day = each.age.max() - (39 * 7 - 1)  # days from the end of week 39 to the split
    assert weekly.sum() == pytest.approx(orders.expected_orders_new(each.age.to_numpy() - last_day).sum(), rel=1e-9)
