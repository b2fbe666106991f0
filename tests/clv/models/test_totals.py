"""Intervals of what is expected and of what will be seen, of all customers together and of each."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crmlab import clv, likelihood
from crmlab.clv.models import totals

from ..worlds import spread

pytestmark = pytest.mark.usefixtures("few_draws")
MODELS = {  # fitted to none, as sure of themselves as a covariance says
    "NBD": clv.NBD(0.38, 84.5, covariance=np.eye(2) * 0.01),
    "BG/NBD": clv.BGNBD(0.243, 30.9, 0.793, 2.426, covariance=np.eye(4) * 0.01),
    "MBG/NBD": clv.MBGNBD(0.525, 43.3, 0.891, 1.614, covariance=np.eye(4) * 0.01),
    "Pareto/NBD": clv.ParetoNBD(0.553, 74.0, 0.606, 81.7, covariance=np.eye(4) * 0.01),
    "BG/BB": clv.DailyBGBB(0.54, 70.8, 0.61, 80.6, covariance=np.eye(4) * 0.01),
}
MONEY = clv.GammaGamma(6.25, 3.74, 15.44, covariance=np.eye(3) * 0.01)
SEEN = pd.DataFrame({"frequency": [0, 2], "recency": [0, 200], "age": [250, 270], "monetary_value": [0.0, 30.0]})
INTERVALS = "confidence", "predictive"
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.mark.parametrize(
    ("estimate", "unit", "interval"),
    [
        (lambda c, o, s, seed: clv.active_customers(o, c, seed), "customers, by BG/NBD", "confidence"),
        (lambda c, o, s, seed: clv.forecast_orders(o, c, 180, seed), "orders", "predictive"),
        (lambda c, o, s, seed: clv.customer_equity(o, s, c, 180, 0.1, 0.5, seed, "EUR"), "EUR", "confidence"),
    ],
    ids=["active_customers", "forecast_orders", "customer_equity"],
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
    active, ahead = clv.active_customers(orders, customers, 1), clv.forecast_orders(orders, customers, 180, 1)
    assert active.value == pytest.approx(orders.p_alive(each).sum(), rel=1e-12)
    assert ahead.value == pytest.approx(orders.expected_orders(each, 180).sum(), rel=1e-12)
    assert clv.customer_equity(orders, spend, customers, 180, 0.1, 0.5, 1).value == pytest.approx(value, rel=1e-12)


def test_what_will_be_seen_is_less_certain_than_what_is_expected(fits, monkeypatch):
    monkeypatch.setattr(totals, "REPLICATES", 256)
    customers, orders, _ = fits
    alike = customers[:20].assign(customers=200)
    sure = replace(orders, covariance=np.eye(4) * 1e-12)
    seen, by_the_sure = (clv.forecast_orders(model, alike, 180, 1) for model in (orders, sure))
    expected = [clv.total(m.expected_orders(alike, 180), alike.customers) for m in likelihood.draws(orders, 256, 1)]
    low, high = np.quantile(expected, [0.025, 0.975])
    variance = (high - low) ** 2 + (by_the_sure.high - by_the_sure.low) ** 2
    assert seen.high - seen.low == pytest.approx(np.sqrt(variance), rel=0.15)  # they are independent


@pytest.mark.parametrize("interval", ["confidence", "predictive"])
def test_both_intervals_stand_about_the_same_expectation(fits, interval):
    customers, orders, spend = fits[0][::5], *fits[1:]
    money = (180, 0.1, 0.5, 1, "EUR")
    for one in (
        clv.active_customers(orders, customers, 1, interval),
        clv.forecast_orders(orders, customers, 180, 1, interval),
        clv.customer_equity(orders, spend, customers, *money, interval),
    ):
        assert one.interval == interval
        assert one.low < one.value < one.high
    assert one.value == clv.customer_equity(orders, spend, customers, *money).value


def test_value_as_it_will_be_seen_has_the_spread_of_a_world_of_known_parameters(fits, monkeypatch):
    monkeypatch.setattr(totals, "REPLICATES", 256)
    customers, orders, spend = fits
    few = customers[:10].assign(customers=50)
    sure = [replace(m, covariance=np.eye(n) * 1e-12) for m, n in ((orders, 4), (spend, 3))]
    seen = clv.customer_equity(*sure, few, 365, 0.1, 0.5, 1, "EUR", "predictive")
    rng, worlds = np.random.default_rng(5), []
    for _ in range(600):  # by hand: one order after the other
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
    found = clv.predict_customers(orders, spend, customers, 180, 0.1, 0.5, 1)
    assert found.index.equals(customers.index)
    assert clv.total(found.expected_orders, customers.customers) == clv.forecast_orders(orders, customers, 180, 1).value
    worth = clv.customer_equity(orders, spend, customers, 180, 0.1, 0.5, 1).value
    assert clv.total(found["value"], customers.customers) == pytest.approx(worth, rel=1e-12)
    for name in ("p_alive", "expected_orders", "discounted_orders", "value"):
        assert (found[f"{name}_ci_low"] <= found[name] + 1e-12).all()
        assert (found[name] <= found[f"{name}_ci_high"] + 1e-12).all()
    ends = [name for name in found if "_pi_" in name]
    assert ends == [
        f"{name}_pi_{end}" for name in ("expected_orders", "discounted_orders", "value") for end in ("low", "high")
    ]
    assert (found.discounted_orders_pi_high <= found.expected_orders_pi_high).all()
    assert (found.expected_orders_pi_low <= found.expected_orders_ci_low).all()
    assert (found.expected_orders_pi_high >= found.expected_orders_ci_high.round() - 1).all()
    assert not found.isna().any().any()


def test_without_a_model_of_spend_each_customer_is_expected_orders_alone(fits):
    customers, orders, spend = fits
    some = customers[::20]
    found = clv.predict_customers(orders, None, some, 180, 0.1, 0.5, 1)
    full = clv.predict_customers(orders, spend, some, 180, 0.1, 0.5, 1)
    money = {f"value{end}" for end in ("", "_ci_low", "_ci_high", "_pi_low", "_pi_high")}
    assert set(full) - set(found) == money
    assert list(found) == [name for name in full if name not in money]
    seen = [
        "expected_orders_pi_low",
        "expected_orders_pi_high",
        "discounted_orders_pi_low",
        "discounted_orders_pi_high",
    ]
    expected = [name for name in found if name not in seen]
    pd.testing.assert_frame_equal(found[expected], full[expected])
    for end in seen:  # other draws of the same
        assert found[end].sum() == pytest.approx(full[end].sum(), rel=0.15, abs=3)
    assert not found.isna().any().any()


def test_each_customers_orders_lie_between_what_the_chances_allow(fits, monkeypatch):
    customers, orders, spend = fits
    monkeypatch.setattr(totals, "REPLICATES", 256)
    few = customers.sort_values("frequency")[-5:]
    sure = replace(orders, covariance=np.eye(4) * 1e-12)
    found = clv.predict_customers(sure, spend, few, 180, 0.1, 0.5, 1)
    chances = np.array([orders.probability_of_orders(few, 180, n) for n in range(60)]).cumsum(axis=0)
    for low, high, upto in zip(found.expected_orders_pi_low, found.expected_orders_pi_high, chances.T, strict=True):
        assert upto[int(low)] > 0.005  # 2.5 %, but for the noise of 256 draws
        assert upto[int(high)] > 0.93


def test_where_mean_spend_may_be_infinite_so_may_the_interval(fits):
    customers, orders, spend = fits
    heavy = replace(spend, q=1.05, covariance=np.diag([0.01, 0.05, 0.01]))
    found = clv.customer_equity(orders, heavy, customers, 180, 0.1, 0.5, 1)
    assert np.isfinite(found.value)
    assert found.high == np.inf


@every_model
def test_a_new_customer_is_one_of_a_summary_and_so_has_every_interval(model):
    new = clv.new_customers()
    expected = float(model.expected_orders_new(365))
    sure, seen = (clv.forecast_orders(model, new, 365, 1, interval) for interval in ("confidence", "predictive"))
    assert sure.value == seen.value == pytest.approx(expected, rel=1e-12)
    assert sure.low < expected < sure.high
    assert (seen.low, seen.high % 1) == (0, 0)
    assert seen.high > sure.high
    found = clv.predict_customers(model, MONEY, new, 365, 0.1, 0.5, 1).iloc[0]
    assert (found.expected_orders, found.expected_orders_ci_low) == pytest.approx((expected, sure.low))
    assert found["value"] == pytest.approx(found.discounted_orders * 0.5 * 6.25 * 15.44 / 2.74)  # p gamma / (q - 1)
    many = clv.forecast_orders(model, clv.new_customers(1000), 365, 1)
    assert many.value == pytest.approx(1000 * expected, rel=1e-12)
    assert many.low < many.value < many.high


@every_model
def test_the_chance_of_n_orders_has_a_confidence_interval(model):
    for customers, count in ((SEEN, 2), (clv.new_customers(), 0)):
        found = clv.order_probabilities(model, customers, 60, count, 1)
        probability = model.probability_of_orders(customers, 60, count)
        assert found.probability.to_list() == probability.to_list()
        assert ((found.ci_low < found.probability) & (found.probability < found.ci_high)).all()
        assert found[["ci_low", "ci_high"]].stack().between(0, 1).all()
        drawn = [m.probability_of_orders(customers, 60, count) for m in likelihood.draws(model, 64, 1)]
        ci_low, ci_high = np.min(drawn, axis=0), np.max(drawn, axis=0)  # of 64, .025 × 65 = 1.6: the first and the last
        assert found.ci_low.to_list() == ci_low.tolist()
        assert found.ci_high.to_list() == ci_high.tolist()


@every_model
def test_discounted_orders_of_each_have_intervals_for_some_days_and_for_ever(model):
    some, ever = (clv.predict_customers(model, None, SEEN, days, 0.1, 1.0, 1) for days in (365, None))
    assert some.discounted_orders.to_list() == model.discounted_orders(SEEN, 0.1, 365).to_list()
    assert ever.discounted_orders.to_list() == model.discounted_orders(SEEN, 0.1).to_list()
    for found in (some, ever):
        assert (found.discounted_orders_ci_low < found.discounted_orders).all()
        assert (found.discounted_orders < found.discounted_orders_ci_high).all()
    assert list(ever) == [
        n for n in some if n.startswith(("p_alive", "discounted_orders")) and "_pi_" not in n
    ]  # the rest has no end


@every_model
def test_orders_discounted_are_those_drawn_each_at_its_day(model):
    rng, drawn = np.random.default_rng(1), []
    for one in likelihood.draws(model, 64, 1):
        orders = one.simulate_orders(SEEN.assign(customers=1), 365, rng)
        worth = 1.1 ** (-orders.day / 365)
        drawn.append(worth.groupby(orders.row).sum().reindex([0, 1], fill_value=0.0))
    low, high = np.min(drawn, axis=0), np.max(drawn, axis=0)
    found = clv.predict_customers(model, None, SEEN, 365, 0.1, 1.0, 1)
    assert found.discounted_orders_pi_low.to_numpy() == pytest.approx(low)
    assert found.discounted_orders_pi_high.to_numpy() == pytest.approx(high)
    total = clv.customer_equity(model, None, SEEN.assign(customers=1), 365, 0.1, 1.0, 1, "orders", "predictive")
    sums = np.sum(drawn, axis=1)
    assert (total.low, total.high) == pytest.approx((sums.min(), sums.max()))


def test_without_a_model_of_spend_what_customers_are_worth_is_orders(fits):
    customers, orders, _ = fits
    sure, seen = (clv.customer_equity(orders, None, customers, 180, 0.1, 0.5, 1, "orders", i) for i in INTERVALS)
    expected = clv.total(orders.discounted_orders(customers, 0.1, 180), customers.customers)
    assert sure.value == seen.value == pytest.approx(expected, rel=1e-12)  # whatever the margin
    assert seen.low < sure.low < expected < sure.high < seen.high
    ever = clv.customer_equity(orders, None, customers, None, 0.1, 0.5, 1, "orders")
    assert ever.value > expected


def test_a_model_written_by_hand_has_no_interval_until_it_is_fitted():
    with pytest.raises(ValueError, match=r"BGNBD\(.*\) was not fitted, .*: fit it first, as by BGNBD\.fit"):
        clv.forecast_orders(clv.BGNBD(0.243, 30.9, 0.793, 2.426), clv.new_customers(), 30, 1)
