"""Orders week by week and group by group, with prediction intervals."""

import numpy as np
import pandas as pd
import pytest

from crmlab import clv

from ..worlds import simulated

SURE = clv.BGNBD(0.25, 38.1, 0.61, 2.65).with_covariance(np.eye(4) * 1e-6, 64)


def test_expected_weeks_add_up_to_the_orders_expected_by_the_last_day():
    alike = simulated(customers=300, days=281, r=0.6, alpha=20.0, a=0.8, b=3.0)
    days = alike.age.max() + 1
    assert days % 7 != 0
    weeks = pd.RangeIndex(1, days // 7 + 1, name="week")
    weekly = clv.forecast_weekly_orders(SURE, alike, weeks, seed=1).expected
    ages = alike.age - days % 7  # as of the last day of the last whole week
    by_then = clv.total(pd.Series(SURE.expected_orders_new(ages.clip(lower=0))), alike.customers)
    assert weekly.sum() == pytest.approx(by_then, rel=1e-12)
    assert weekly.index.equals(weeks)
    assert weekly.name == "expected"


def test_a_customer_acquired_later_is_expected_to_order_later():
    model = clv.BGNBD(1.0, 10.0, 0.5, 5.0).with_covariance(np.eye(4) * 1e-6, 64)
    one = pd.DataFrame({"frequency": [0], "recency": [0], "age": [27], "customers": [1]})
    two = pd.concat([one, one.assign(age=13, customers=2)], ignore_index=True)
    weeks = pd.RangeIndex(1, 5)
    first, both = (clv.forecast_weekly_orders(model, frame, weeks, seed=1).expected for frame in (one, two))
    # whose age is 0 on day 14, the last of week 2 being day 13
    new_customers = np.diff([0, 0, 0, *model.expected_orders_new([6, 13])])
    assert (both - first).to_list() == pytest.approx(list(2 * new_customers))


def test_simulated_orders_of_weeks_and_groups_fall_within_the_prediction_intervals(fits):
    customers, orders, _ = fits
    sure = orders.with_covariance(np.eye(4) * 1e-12, 64)
    weeks = pd.RangeIndex(1, 41, name="week")
    found, others = (clv.forecast_weekly_orders(sure, customers, weeks, seed) for seed in (1, 2))
    assert ((found.pi_low <= found.expected) & (found.expected <= found.pi_high)).mean() > 0.97
    assert (found.expected == others.expected).all()
    cumulative = found.expected.cumsum()
    assert ((found.cumulative_pi_low <= cumulative) & (cumulative <= found.cumulative_pi_high)).mean() > 0.97
    spread = (found.pi_high - found.pi_low).sum() / (3.92 * np.sqrt(found.expected)).sum()
    assert 0.9 < spread < 1.6  # at least Poisson's, and more as customers differ

    groups = customers.frequency.clip(upper=3).rename("x")
    band = clv.prediction_interval_by_group(orders, customers, 180, groups, seed=1)
    sums = (orders.expected_orders(customers, 180) * customers.customers).groupby(groups).sum()
    means = sums / customers.customers.groupby(groups).sum()
    assert band.index.equals(means.index)
    assert ((band.pi_low < means) & (means < band.pi_high)).all()


def test_groups_that_have_an_order_keep_it_beside_their_calibration(fits):
    customers, orders, _ = fits
    for groups in (
        clv.inactivity_groups(customers.age - customers.recency),
        clv.frequency_groups(customers.frequency, 11),
    ):
        band = clv.prediction_interval_by_group(orders, customers, 90, groups, seed=1)
        table = clv.calibration(orders.expected_orders(customers, 90), customers.recency, groups, customers.customers)
        assert band.index.to_list() == table.index.to_list() == groups.cat.categories.to_list()
        assert band.index.name == groups.name
        joined = table.join(band)
        assert joined.notna().all().all()
        assert ((joined.pi_low <= joined.expected) & (joined.expected <= joined.pi_high)).all()


def test_orders_of_a_group_vary_as_poisson_does_where_all_have_one_rate():
    # nearly one rate for all, and nobody leaves: 5 orders expected of each of 50 customers, and of each of 200
    sure = clv.NBD(1e7, 1e9).with_covariance(np.eye(2) * 1e-14, 64)
    rows = pd.DataFrame({"frequency": [1, 1, 2], "recency": 5, "age": 10, "customers": [50, 80, 120]})
    band = clv.prediction_interval_by_group(sure, rows, 500, pd.Series(["b", "a", "a"], name="who"), seed=1)
    assert band.index.to_list() == ["a", "b"]
    assert ((band.pi_low + band.pi_high) / 2).to_list() == pytest.approx([5, 5], rel=0.04)
    assert (band.pi_high - band.pi_low).to_list() == pytest.approx([3.92 * (5 / n) ** 0.5 for n in (200, 50)], rel=0.25)
