"""From orders and spend to money, for a customer and for all of them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crmlab import clv, likelihood
from crmlab.clv.models import totals
from crmlab.stats import simulate

from ..worlds import log, simulated, spread

ORDERS, SPEND = clv.BGNBD(0.25, 38.1, 0.61, 2.65), clv.GammaGamma(4.7, 4.2, 24.4)
SURE = replace(ORDERS, covariance=np.eye(4) * 1e-6)
END = "2024-10-01"


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr(totals, "DRAWS", 100)


@pytest.fixture(scope="module")
def summary():
    """The lazy summary of 300 simulated customers."""
    orders = simulate.orders(0.6, 20.0, 0.8, 3.0, customers=300, days=280, seed=6)
    days = (pd.Timestamp("2024-01-01") + pd.to_timedelta(orders.day, unit="D")).dt.date.astype(str)
    amounts = simulate.spend(orders, 6.0, 4.0, 15.0, seed=7).astype(str)
    return clv.summarise(log(*zip("00" + orders.customer_id, days, amounts, strict=True)), END)


@pytest.fixture(scope="module")
def fits():
    """A collapsed summary, and both models fitted to it."""
    customers = simulated(r=0.6, alpha=60.0, a=0.8, b=3.0).assign(monetary_value=20.0)
    rng = np.random.default_rng(8)
    each = spread(customers)
    each["monetary_value"] = rng.gamma(6 * each.frequency.clip(lower=1), 1 / (6 * rng.gamma(4, 1 / 15, len(each))))
    return customers, clv.BGNBD.fit(customers), clv.GammaGamma.fit(each)


def test_value_is_orders_times_spend_times_margin():
    value = clv.value(pd.Series([2.0, 0.5]), pd.Series([10.0, 8.0]), margin=0.25)
    assert value.to_list() == [5.0, 1.0]
    assert value.name == "value"


def test_a_total_weighs_each_row_by_its_customers():
    assert clv.total(pd.Series([1.5, 2.0]), pd.Series([2, 3])) == 9.0
    assert clv.total(pd.Series([1.5, 2.0])) == 3.5


def test_score_is_what_pandas_computes_customer_by_customer(summary):
    found = clv.score(summary, ORDERS, SPEND, 365, 0.1, margin=0.3).execute()
    each = summary.order_by("customer_id").execute().drop(columns="repeat_spend")
    expected = each.assign(
        p_alive=ORDERS.p_alive(each),
        expected_orders=ORDERS.expected_orders(each, 365),
        discounted_orders=ORDERS.discounted_orders(each, 0.1, 365),
        expected_spend=SPEND.expected_spend(each),
    )
    expected["value"] = clv.value(expected.discounted_orders, expected.expected_spend, 0.3)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-12, atol=0)


def test_score_without_a_model_of_spend_tells_of_orders_alone(summary):
    found = clv.score(summary, ORDERS, None, 365, 0.1, margin=0.3).execute()
    full = clv.score(summary, ORDERS, SPEND, 365, 0.1, margin=0.3).execute()
    assert list(full.columns.difference(found.columns)) == ["expected_spend", "value"]
    pd.testing.assert_frame_equal(found, full[found.columns])


def test_score_has_one_finite_row_a_customer_by_an_id_that_is_text(summary):
    found = clv.score(summary, ORDERS, SPEND, 365, 0.1).execute()
    assert len(found) == summary.count().execute() == 300
    assert found.customer_id.is_monotonic_increasing
    assert found.customer_id.is_unique
    assert found.customer_id.str.fullmatch(r"00\d{3}").all()
    assert np.isfinite(found.drop(columns="customer_id").to_numpy(float)).all()


def test_totals_are_the_same_on_either_grain(summary):
    scored = clv.score(summary, ORDERS, SPEND, 365, 0.1).execute()
    alike = clv.collapse(summary)
    orders = ORDERS.discounted_orders(alike, 0.1, 365)
    assert clv.total(ORDERS.p_alive(alike), alike.customers) == pytest.approx(scored.p_alive.sum(), rel=1e-12)
    assert clv.total(orders, alike.customers) == pytest.approx(scored.discounted_orders.sum(), rel=1e-12)
    value = clv.value(orders, SPEND.expected_spend(alike))  # linear in spend, so the mean of a row's customers will do
    assert clv.total(value, alike.customers) == pytest.approx(scored["value"].sum(), rel=1e-12)


def test_expected_weeks_add_up_to_the_orders_expected_by_the_last_day(summary):
    alike = clv.collapse(summary)
    days = alike.age.max() + 1
    assert days % 7 != 0
    weeks = pd.RangeIndex(1, days // 7 + 1, name="week")
    weekly = clv.orders_by_week(SURE, alike, weeks, seed=1).expected
    ages = alike.age - days % 7  # as of the last day of the last whole week
    by_then = clv.total(pd.Series(ORDERS.expected_orders_new(ages.clip(lower=0))), alike.customers)
    assert weekly.sum() == pytest.approx(by_then, rel=1e-12)
    assert weekly.index.equals(weeks)
    assert weekly.name == "expected"


def test_a_customer_acquired_later_is_expected_to_order_later():
    model = clv.BGNBD(1.0, 10.0, 0.5, 5.0, covariance=np.eye(4) * 1e-6)
    one = pd.DataFrame({"frequency": [0], "recency": [0], "age": [27], "customers": [1]})
    two = pd.concat([one, one.assign(age=13, customers=2)], ignore_index=True)
    weeks = pd.RangeIndex(1, 5)
    first, both = (clv.orders_by_week(model, frame, weeks, seed=1).expected for frame in (one, two))
    # whose age is 0 on day 14, the last of week 2 being day 13
    newcomers = np.diff([0, 0, 0, *model.expected_orders_new([6, 13])])
    assert (both - first).to_list() == pytest.approx(list(2 * newcomers))


def test_orders_of_weeks_and_groups_are_likely_where_simulated_ones_fall(fits):
    customers, orders, _ = fits
    sure = replace(orders, covariance=np.eye(4) * 1e-12)
    weeks = pd.RangeIndex(1, 41, name="week")
    likely, others = (clv.orders_by_week(sure, customers, weeks, seed) for seed in (1, 2))
    assert ((likely.low <= likely.expected) & (likely.expected <= likely.high)).mean() > 0.97
    assert (likely.expected == others.expected).all()
    so_far = likely.expected.cumsum()
    assert ((likely.so_far_low <= so_far) & (so_far <= likely.so_far_high)).mean() > 0.97
    spread = (likely.high - likely.low).sum() / (3.92 * np.sqrt(likely.expected)).sum()
    assert 0.9 < spread < 1.6  # at least Poisson's, and more as customers differ

    groups = customers.frequency.clip(upper=3).rename("x")
    band = clv.likely_by_group(orders, customers, 180, groups, seed=1)
    sums = (orders.expected_orders(customers, 180) * customers.customers).groupby(groups).sum()
    means = sums / customers.customers.groupby(groups).sum()
    assert band.index.equals(means.index)
    assert ((band.low < means) & (means < band.high)).all()


def test_groups_that_have_an_order_keep_it_beside_their_calibration(fits):
    customers, orders, _ = fits
    for groups in (clv.quiet_groups(customers.age - customers.recency), clv.order_groups(customers.frequency, 11)):
        band = clv.likely_by_group(orders, customers, 90, groups, seed=1)
        table = clv.calibration(orders.expected_orders(customers, 90), customers.recency, groups, customers.customers)
        assert band.index.to_list() == table.index.to_list() == groups.cat.categories.to_list()
        assert band.index.name == groups.name
        joined = table.join(band)
        assert joined.notna().all().all()
        assert ((joined.low <= joined.expected) & (joined.expected <= joined.high)).all()


def test_orders_of_a_group_vary_as_poisson_does_where_all_have_one_rate():
    # nearly one rate for all, and nobody leaves: 5 orders expected of each of 50 customers, and of each of 200
    sure = clv.NBD(1e7, 1e9, covariance=np.eye(2) * 1e-14)
    rows = pd.DataFrame({"frequency": [1, 1, 2], "recency": 5, "age": 10, "customers": [50, 80, 120]})
    band = clv.likely_by_group(sure, rows, 500, pd.Series(["b", "a", "a"], name="who"), seed=1)
    assert band.index.to_list() == ["a", "b"]
    assert ((band.low + band.high) / 2).to_list() == pytest.approx([5, 5], rel=0.04)
    assert (band.high - band.low).to_list() == pytest.approx([3.92 * (5 / n) ** 0.5 for n in (200, 50)], rel=0.25)


@pytest.mark.parametrize(
    ("estimate", "unit", "interval"),
    [
        (lambda c, o, s, seed: clv.active_customers(o, c, seed), "customers", "confidence"),
        (lambda c, o, s, seed: clv.orders_ahead(o, c, 180, seed), "orders", "predictive"),
        (lambda c, o, s, seed: clv.value_ahead(o, s, c, 180, 0.1, 0.5, seed, "EUR"), "EUR", "confidence"),
    ],
    ids=["active_customers", "orders_ahead", "value_ahead"],
)
def test_a_total_has_an_interval_about_it_that_repeats_from_its_seed(fits, estimate, unit, interval):
    one, again, other = (estimate(*fits, seed) for seed in (1, 1, 2))
    assert one == again
    assert (one.low, one.high) != (other.low, other.high)
    assert one.value == other.value
    assert one.low < one.value < one.high < 1.5 * one.low
    assert (one.unit, one.interval) == (unit, interval)


def test_totals_estimate_the_sums_over_customers(fits):
    customers, orders, spend = fits
    each = spread(customers)
    value = clv.value(orders.discounted_orders(each, 0.1, 180), spend.expected_spend(each), 0.5).sum()
    active, ahead = clv.active_customers(orders, customers, 1), clv.orders_ahead(orders, customers, 180, 1)
    assert active.value == pytest.approx(orders.p_alive(each).sum(), rel=1e-12)
    assert ahead.value == pytest.approx(orders.expected_orders(each, 180).sum(), rel=1e-12)
    assert clv.value_ahead(orders, spend, customers, 180, 0.1, 0.5, 1).value == pytest.approx(value, rel=1e-12)


def test_what_will_be_seen_is_less_certain_than_what_is_expected(fits, monkeypatch):
    monkeypatch.setattr(totals, "DRAWS", 400)
    customers, orders, _ = fits
    alike = customers[:20].assign(customers=200)
    sure = replace(orders, covariance=np.eye(4) * 1e-12)
    seen, by_the_sure = (clv.orders_ahead(model, alike, 180, 1) for model in (orders, sure))
    expected = [clv.total(m.expected_orders(alike, 180), alike.customers) for m in likelihood.draws(orders, 400, 1)]
    low, high = np.quantile(expected, [0.025, 0.975])
    variance = (high - low) ** 2 + (by_the_sure.high - by_the_sure.low) ** 2
    assert seen.high - seen.low == pytest.approx(np.sqrt(variance), rel=0.15)  # they are independent


@pytest.mark.parametrize("interval", ["confidence", "predictive"])
def test_both_intervals_stand_about_the_same_expectation(fits, interval):
    customers, orders, spend = fits[0][::5], *fits[1:]
    money = (180, 0.1, 0.5, 1, "EUR")
    for one in (
        clv.active_customers(orders, customers, 1, interval),
        clv.orders_ahead(orders, customers, 180, 1, interval),
        clv.value_ahead(orders, spend, customers, *money, interval),
    ):
        assert one.interval == interval
        assert one.low < one.value < one.high
    assert one.value == clv.value_ahead(orders, spend, customers, *money).value


def test_value_as_it_will_be_seen_has_the_spread_of_a_world_of_known_parameters(fits):
    customers, orders, spend = fits
    few = customers[:10].assign(customers=50)
    sure = [replace(m, covariance=np.eye(n) * 1e-12) for m, n in ((orders, 4), (spend, 3))]
    seen = clv.value_ahead(*sure, few, 365, 0.1, 0.5, 1, "EUR", "predictive")
    rng, worlds = np.random.default_rng(5), []
    for _ in range(2000):  # by hand: one order after the other
        drawn = orders.simulate_orders(few, 365, rng)
        row = few.iloc[drawn.row]
        scale = pd.Series(
            rng.gamma(spend.p * row.frequency + spend.q) / (spend.gamma + 20.0 * row.frequency.to_numpy())
        )
        scale = scale.to_numpy()[drawn.index.to_series().groupby(drawn.customer).transform("first").to_numpy()]
        worlds.append((0.5 * rng.gamma(spend.p, 1 / scale) / 1.1 ** (drawn.day.to_numpy() / 365)).sum())
    assert np.mean(worlds) == pytest.approx(seen.value, rel=0.02)
    assert (seen.high - seen.low) == pytest.approx(np.subtract(*np.quantile(worlds, [0.975, 0.025])), rel=0.2)


def test_each_customer_is_expected_what_the_totals_add_up_to(fits):
    customers, orders, spend = fits[0][::5], *fits[1:]
    found = clv.expected_of_each(orders, spend, customers, 180, 0.1, 0.5, 1)
    assert found.index.equals(customers.index)
    assert clv.total(found.expected_orders, customers.customers) == clv.orders_ahead(orders, customers, 180, 1).value
    worth = clv.value_ahead(orders, spend, customers, 180, 0.1, 0.5, 1).value
    assert clv.total(found["value"], customers.customers) == pytest.approx(worth, rel=1e-12)
    for name in ("p_alive", "expected_orders", "value"):
        assert (found[f"{name}_low"] <= found[name] + 1e-12).all()
        assert (found[name] <= found[f"{name}_high"] + 1e-12).all()
    assert (found.orders_low <= found.expected_orders_low).all()
    assert (found.orders_high >= found.expected_orders_high.round() - 1).all()
    assert not found.isna().any().any()


def test_without_a_model_of_spend_each_customer_is_expected_orders_alone(fits):
    customers, orders, spend = fits
    some = customers[::20]
    found = clv.expected_of_each(orders, None, some, 180, 0.1, 0.5, 1)
    full = clv.expected_of_each(orders, spend, some, 180, 0.1, 0.5, 1)
    money = {f"{name}{end}" for name in ("value", "worth") for end in ("", "_low", "_high")} - {"worth"}
    assert set(full) - set(found) == money
    assert list(found) == [name for name in full if name not in money]
    expected = [name for name in found if not name.startswith("orders")]
    pd.testing.assert_frame_equal(found[expected], full[expected])
    for end in ("orders_low", "orders_high"):  # other draws of the same
        assert found[end].sum() == pytest.approx(full[end].sum(), rel=0.15, abs=3)
    assert not found.isna().any().any()


def test_each_customers_orders_lie_between_what_the_chances_allow(fits):
    customers, orders, spend = fits
    few = customers.sort_values("frequency")[-5:]
    sure = replace(orders, covariance=np.eye(4) * 1e-12)
    found = clv.expected_of_each(sure, spend, few, 180, 0.1, 0.5, 1)
    chances = np.array([orders.probability_of_orders(few, 180, n) for n in range(60)]).cumsum(axis=0)
    for low, high, upto in zip(found.orders_low, found.orders_high, chances.T, strict=True):
        assert upto[int(low)] > 0.005  # 2.5 %, but for the noise of 100 draws
        assert upto[int(high)] > 0.93


def test_where_mean_spend_may_be_infinite_so_may_the_interval(fits):
    customers, orders, spend = fits
    heavy = replace(spend, q=1.05, covariance=np.diag([0.01, 0.05, 0.01]))
    found = clv.value_ahead(orders, heavy, customers, 180, 0.1, 0.5, 1)
    assert np.isfinite(found.value)
    assert found.high == np.inf
