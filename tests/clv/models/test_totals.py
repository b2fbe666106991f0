"""Intervals of what is expected and of what will be observed, of all customers together and of each."""

import numpy as np
import pandas as pd
import pytest

from crmlab import clv
from crmlab.model import Unfitted
from crmlab.stats.intervals import percentile_interval

from ..worlds import spread

MODELS = {  # fitted to none, as sure of themselves as a covariance says
    "NBD": clv.NBD(0.38, 84.5).with_covariance(np.eye(2) * 0.01, 64),
    "BG/NBD": clv.BGNBD(0.243, 30.9, 0.793, 2.426).with_covariance(np.eye(4) * 0.01, 64),
    "MBG/NBD": clv.MBGNBD(0.525, 43.3, 0.891, 1.614).with_covariance(np.eye(4) * 0.01, 64),
    "Pareto/NBD": clv.ParetoNBD(0.553, 74.0, 0.606, 81.7).with_covariance(np.eye(4) * 0.01, 64),
    "BG/BB": clv.DailyBGBB(0.54, 70.8, 0.61, 80.6).with_covariance(np.eye(4) * 0.01, 64),
}
MONEY = clv.GammaGamma(6.25, 3.74, 15.44).with_covariance(np.eye(3) * 0.01, 64)
SEEN = pd.DataFrame({"frequency": [0, 2], "recency": [0, 200], "age": [250, 270], "monetary_value": [0.0, 30.0]})
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


UNFITTED = Unfitted(clv.BGNBD, "there are no customers")


@pytest.mark.parametrize(
    ("estimate", "unit", "kind"),
    [
        (lambda c, o, s, seed: clv.active_customers(o, c, seed), "customers, by BG/NBD", "count"),
        (lambda c, o, s, seed: clv.forecast_orders(o, c, 180, seed), "orders", "count"),
        (lambda c, o, s, seed: clv.customer_equity(o, s, c, 180, 0.1, 0.5, seed, "EUR"), "EUR", "money"),
    ],
    ids=["active_customers", "forecast_orders", "customer_equity"],
)
def test_a_total_has_both_intervals_about_it_that_repeat_from_their_seeds(fits, estimate, unit, kind):
    customers, _, spend = fits
    one, again, other = (estimate(*fits, seed) for seed in (1, 1, 2))
    assert one == again
    assert (one.pi_low, one.pi_high) != (other.pi_low, other.pi_high)
    assert (one.value, one.ci_low, one.ci_high) == (other.value, other.ci_low, other.ci_high)
    drawn_anew = estimate(customers, clv.BGNBD.fit(customers, replicates=64, seed=2), spend, 1)
    assert (one.ci_low, one.ci_high) != (drawn_anew.ci_low, drawn_anew.ci_high)
    assert one.pi_low < one.ci_low < one.value < one.ci_high < one.pi_high < 1.7 * one.pi_low  # of 500 customers
    assert (one.unit, one.kind, one.n) == (unit, kind, customers.customers.sum())


def test_totals_estimate_the_sums_over_customers(fits):
    customers, orders, spend = fits[0][::5], *fits[1:]
    each = spread(customers)
    value = clv.value(orders.discounted_orders(each, 0.1, 180), spend.expected_spend(each), 0.5).sum()
    active, ahead = clv.active_customers(orders, customers, 1), clv.forecast_orders(orders, customers, 180, 1)
    assert active.value == pytest.approx(orders.p_alive(each).sum(), rel=1e-12)
    assert ahead.value == pytest.approx(orders.expected_orders(each, 180).sum(), rel=1e-12)
    assert clv.customer_equity(orders, spend, customers, 180, 0.1, 0.5, 1).value == pytest.approx(value, rel=1e-12)


def test_what_will_be_observed_is_less_certain_than_what_is_expected(fits):
    customers = fits[0]
    orders = clv.BGNBD.fit(customers, replicates=256)
    alike = customers[:20].assign(customers=200)
    sure = orders.with_covariance(np.eye(4) * 1e-12, 256)
    found, by_the_sure = (clv.forecast_orders(model, alike, 180, 1) for model in (orders, sure))
    expected = [clv.total(m.expected_orders(alike, 180), alike.customers) for m in orders.draws]
    low, high = percentile_interval(expected)
    assert (found.ci_low, found.ci_high) == (low, high)
    variance = (high - low) ** 2 + (by_the_sure.pi_high - by_the_sure.pi_low) ** 2
    assert found.pi_high - found.pi_low == pytest.approx(np.sqrt(variance), rel=0.15)  # they are independent


def test_both_intervals_are_about_the_same_expectation(fits):
    customers, orders, spend = fits[0][::5], *fits[1:]
    for one in (
        clv.active_customers(orders, customers, 1),
        clv.forecast_orders(orders, customers, 180, 1),
        clv.customer_equity(orders, spend, customers, 180, 0.1, 0.5, 1, "EUR"),
    ):
        assert one.ci_low < one.value < one.ci_high
        assert one.pi_low < one.value < one.pi_high


@pytest.mark.parametrize("level", [0.5, 0.8])
def test_a_lower_level_has_narrower_intervals(fits, level):
    customers, orders, spend = fits[0][::5], *fits[1:]
    for ask in (
        lambda **at: clv.active_customers(orders, customers, **at),
        lambda **at: clv.forecast_orders(orders, customers, 180, **at),
        lambda **at: clv.customer_equity(orders, spend, customers, 180, 0.1, **at),
    ):
        wide, narrow = ask(), ask(level=level)
        assert (wide.level, narrow.level) == (0.95, level)
        assert wide.ci_low < narrow.ci_low < narrow.ci_high < wide.ci_high
        assert wide.pi_low <= narrow.pi_low < narrow.pi_high <= wide.pi_high


def test_what_was_not_fitted_gives_blanks_with_the_reason(fits):
    customers, orders, spend = fits
    no_spend = Unfitted(clv.GammaGamma, "nobody spent")
    for blank in (
        clv.active_customers(UNFITTED, customers),
        clv.forecast_orders(UNFITTED, customers, 180),
        clv.customer_equity(UNFITTED, spend, customers, 180, 0.1),
    ):
        assert blank.reason == "there are no customers"
    assert clv.customer_equity(orders, no_spend, customers, 180, 0.1).reason == "nobody spent"
    for blank in (
        clv.predict_customers(UNFITTED, spend, customers, 180, 0.1),
        clv.predict_new_customer(UNFITTED, spend, 180, 0.1),
        clv.order_probabilities(UNFITTED, customers, 180, 0),
        clv.prediction_interval_by_group(UNFITTED, customers, 180, customers.frequency),
        clv.forecast_weekly_orders(UNFITTED, customers, pd.RangeIndex(1, 3)),
    ):
        assert blank.empty
        assert blank.attrs["reason"] == "there are no customers"
    found = clv.predict_customers(orders, no_spend, customers[:3], 180, 0.1)  # of orders alone
    pd.testing.assert_frame_equal(found, clv.predict_customers(orders, None, customers[:3], 180, 0.1))


def test_value_as_it_will_be_observed_has_the_spread_of_a_world_of_known_parameters(fits):
    customers, orders, spend = fits
    few = customers[:10].assign(customers=50)
    sure = [m.with_covariance(np.eye(n) * 1e-12, 256) for m, n in ((orders, 4), (spend, 3))]
    found = clv.customer_equity(*sure, few, 365, 0.1, 0.5, 1, "EUR")
    rng, worlds = np.random.default_rng(5), []
    for _ in range(300):  # by hand: one order after the other
        drawn = orders.simulate_orders(few, 365, rng)
        row = few.iloc[drawn.row]
        scale = pd.Series(
            rng.gamma(spend.p * row.frequency + spend.q) / (spend.gamma + 20.0 * row.frequency.to_numpy())
        )
        scale = scale.to_numpy()[drawn.index.to_series().groupby(drawn.customer).transform("first").to_numpy()]
        worlds.append((0.5 * rng.gamma(spend.p, 1 / scale) / 1.1 ** (drawn.day.to_numpy() / 365)).sum())
    assert np.mean(worlds) == pytest.approx(found.value, rel=0.02)
    assert (found.pi_high - found.pi_low) == pytest.approx(np.subtract(*np.quantile(worlds, [0.975, 0.025])), rel=0.2)


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
    observed = [
        "expected_orders_pi_low",
        "expected_orders_pi_high",
        "discounted_orders_pi_low",
        "discounted_orders_pi_high",
    ]
    expected = [name for name in found if name not in observed]
    pd.testing.assert_frame_equal(found[expected], full[expected])
    for end in observed:  # other draws of the same
        assert found[end].sum() == pytest.approx(full[end].sum(), rel=0.15, abs=3)
    assert not found.isna().any().any()


def test_each_customers_orders_lie_between_what_the_probabilities_allow(fits):
    customers, orders, spend = fits
    few = customers.sort_values("frequency")[-5:]
    sure, spend = orders.with_covariance(np.eye(4) * 1e-12, 256), spend.with_covariance(spend.covariance, 256)
    found = clv.predict_customers(sure, spend, few, 180, 0.1, 0.5, 1)
    probabilities = np.array([orders.probability_of_orders(few, 180, n) for n in range(60)]).cumsum(axis=0)
    for low, high, upto in zip(
        found.expected_orders_pi_low, found.expected_orders_pi_high, probabilities.T, strict=True
    ):
        assert upto[int(low)] > 0.005  # 2.5 %, but for the noise of 256 draws
        assert upto[int(high)] > 0.93


def test_where_mean_spend_may_be_infinite_so_may_the_interval(fits):
    customers, orders, spend = fits
    heavy = clv.GammaGamma(spend.p, 1.05, spend.gamma).with_covariance(np.diag([0.01, 0.05, 0.01]), 64)
    found = clv.customer_equity(orders, heavy, customers, 180, 0.1, 0.5, 1)
    assert np.isfinite(found.value)
    assert found.ci_high == np.inf


@every_model
def test_a_new_customer_is_one_of_a_summary_and_so_has_every_interval(model):
    new = clv.new_customers()
    expected = float(model.expected_orders_new(365))
    one = clv.forecast_orders(model, new, 365, 1)
    assert one.value == pytest.approx(expected, rel=1e-12)
    assert one.ci_low < expected < one.ci_high
    assert (one.pi_low, one.pi_high % 1) == (0, 0)
    assert one.pi_high > one.ci_high
    found = clv.predict_customers(model, MONEY, new, 365, 0.1, 0.5, 1).iloc[0]
    assert (found.expected_orders, found.expected_orders_ci_low) == pytest.approx((expected, one.ci_low))
    assert found["value"] == pytest.approx(found.discounted_orders * 0.5 * 6.25 * 15.44 / 2.74)  # p gamma / (q - 1)
    many = clv.forecast_orders(model, clv.new_customers(1000), 365, 1)
    assert many.value == pytest.approx(1000 * expected, rel=1e-12)
    assert many.pi_low < many.value < many.pi_high


@every_model
def test_the_probability_of_n_orders_has_a_confidence_interval(model):
    for customers, count in ((SEEN, 2), (clv.new_customers(), 0)):
        found = clv.order_probabilities(model, customers, 60, count)
        probability = model.probability_of_orders(customers, 60, count)
        assert found.probability.to_list() == probability.to_list()
        assert ((found.ci_low < found.probability) & (found.probability < found.ci_high)).all()
        assert found[["ci_low", "ci_high"]].stack().between(0, 1).all()
        drawn = [m.probability_of_orders(customers, 60, count) for m in model.draws]
        ci_low, ci_high = np.min(drawn, axis=0), np.max(drawn, axis=0)  # of 64, .025 × 65 = 1.6: the first and the last
        assert found.ci_low.to_list() == ci_low.tolist()
        assert found.ci_high.to_list() == ci_high.tolist()


@every_model
def test_discounted_orders_of_each_have_intervals_over_some_days_and_an_infinite_horizon(model):
    some, infinite = (clv.predict_customers(model, None, SEEN, days, 0.1, 1.0, 1) for days in (365, None))
    assert some.discounted_orders.to_list() == model.discounted_orders(SEEN, 0.1, 365).to_list()
    assert infinite.discounted_orders.to_list() == model.discounted_orders(SEEN, 0.1).to_list()
    for found in (some, infinite):
        assert (found.discounted_orders_ci_low < found.discounted_orders).all()
        assert (found.discounted_orders < found.discounted_orders_ci_high).all()
    assert list(infinite) == [
        n for n in some if n.startswith(("p_alive", "discounted_orders")) and "_pi_" not in n
    ]  # the rest has no end


@every_model
def test_orders_discounted_are_those_drawn_each_at_its_day(model):
    rng, drawn = np.random.default_rng(1), []
    for one in model.draws:
        orders = one.simulate_orders(SEEN.assign(customers=1), 365, rng)
        worth = 1.1 ** (-orders.day / 365)
        drawn.append(worth.groupby(orders.row).sum().reindex([0, 1], fill_value=0.0))
    low, high = np.min(drawn, axis=0), np.max(drawn, axis=0)
    found = clv.predict_customers(model, None, SEEN, 365, 0.1, 1.0, 1)
    assert found.discounted_orders_pi_low.to_numpy() == pytest.approx(low)
    assert found.discounted_orders_pi_high.to_numpy() == pytest.approx(high)
    total = clv.customer_equity(model, None, SEEN.assign(customers=1), 365, 0.1, 1.0, 1, "orders")
    sums = np.sum(drawn, axis=1)
    assert (total.pi_low, total.pi_high) == pytest.approx((sums.min(), sums.max()))


def test_without_a_model_of_spend_what_customers_are_worth_is_orders(fits):
    customers, orders, _ = fits
    found = clv.customer_equity(orders, None, customers, 180, 0.1, 0.5, 1, "orders")
    expected = clv.total(orders.discounted_orders(customers, 0.1, 180), customers.customers)
    assert found.value == pytest.approx(expected, rel=1e-12)  # whatever the margin
    assert found.pi_low < found.ci_low < expected < found.ci_high < found.pi_high
    infinite = clv.customer_equity(orders, None, customers, None, 0.1, 0.5, 1, "orders")
    assert infinite.value > expected
    assert infinite.ci_low < infinite.value < infinite.ci_high
    assert infinite.pi_low is infinite.pi_high is None


def test_a_model_written_by_hand_gives_values_without_intervals():
    by_hand, new = clv.BGNBD(0.243, 30.9, 0.793, 2.426), clv.new_customers()
    found = clv.forecast_orders(by_hand, new, 30)
    assert found.value == pytest.approx(float(by_hand.expected_orders_new(30)))
    assert found.intervals() == []
    each = clv.predict_customers(by_hand, clv.GammaGamma(6.25, 3.74, 15.44), new, 30, 0.1)
    ends = [name for name in each if name.endswith(("_low", "_high"))]
    assert each[ends].isna().all(axis=None)
    assert each.drop(columns=ends).notna().all(axis=None)
    assert clv.order_probabilities(by_hand, new, 30, 0)[["ci_low", "ci_high"]].isna().all(axis=None)
    weekly = clv.forecast_weekly_orders(by_hand, new.assign(age=20), pd.RangeIndex(1, 3))
    assert weekly.drop(columns="expected").isna().all(axis=None)


def test_a_new_customer_is_predicted_with_both_intervals(fits):
    _, orders, spend = fits
    found = clv.predict_new_customer(orders, spend, 365, 0.1, 0.5)
    each = clv.predict_customers(orders, spend, clv.new_customers(), 365, 0.1, 0.5).iloc[0]
    assert list(found.columns) == ["value", "ci_low", "ci_high", "pi_low", "pi_high"]
    for name in ("p_alive", "expected_orders", "discounted_orders", "value"):
        assert found.loc[name, ["value", "ci_low"]].to_list() == [each[name], each[f"{name}_ci_low"]]
    assert found.loc["value", "pi_high"] == each.value_pi_high
    none = clv.order_probabilities(orders, clv.new_customers(), 365, 0).iloc[0]
    assert found.loc["probability_of_no_order", ["value", "ci_low", "ci_high"]].to_list() == none.to_list()
    assert "value" not in clv.predict_new_customer(orders, None, 365, 0.1).index


def test_orders_that_are_drawn_count_less_by_the_length_of_a_period():
    model = clv.BGBB(1.2, 0.8, 0.7, 2.8).with_covariance(1e-12 * np.eye(4), 40)
    customers = pd.DataFrame(
        {"frequency": [3], "recency": [5], "age": [6], "monetary_value": [10.0], "customers": [4000]}
    )
    found = clv.customer_equity(model, None, customers, 24, 0.5, period_days=30)
    assert found.pi_low < found.value < found.pi_high
    assert found.pi_high - found.pi_low < 0.1 * found.value
    undiscounted = clv.customer_equity(model, None, customers, 24, 0.0, period_days=30)
    assert undiscounted.pi_low > 1.2 * found.pi_high


@pytest.mark.parametrize(
    "count", [clv.active_customers, lambda model, known, seed: clv.customers_who_order(model, known, 90, seed)]
)
def test_counts_of_customers_are_the_same_however_these_were_grouped(count):
    grouped = SEEN.assign(customers=[300, 200])
    apart = pd.concat([grouped.assign(customers=[100, 150]), grouped.assign(customers=[200, 50], monetary_value=7.0)])
    apart = apart.reset_index(drop=True)
    assert count(MODELS["MBG/NBD"], grouped, 1) == count(MODELS["MBG/NBD"], apart, 1)


def test_a_prediction_interval_holds_the_confidence_interval():
    found = clv.active_customers(MODELS["BG/NBD"], SEEN, seed=1)
    few = clv.BGNBD(0.243, 30.9, 0.793, 2.426).with_covariance(np.eye(4) * 4, 5)
    for estimate in (found, *(clv.active_customers(few, SEEN.assign(customers=4000), seed) for seed in range(30))):
        assert estimate.pi_low <= estimate.ci_low < estimate.ci_high <= estimate.pi_high
