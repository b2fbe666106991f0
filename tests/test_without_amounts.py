"""A log of visits holds no amounts: facts about orders are those of the same log with amounts, and money is blank."""

import inspect
import re
from datetime import datetime
from functools import cached_property

import ibis
import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, clv, lifecycle, segments
from crmlab.check import Check
from crmlab.estimate import Estimate
from crmlab.model import FitError, Unfitted, why_blank
from crmlab.orders import NO_AMOUNTS, need_amounts
from crmlab.segments.models.value_matrix import TREATMENTS
from crmlab.simulate.orders import simulate_orders, simulate_spend
from tests.public import PUBLIC

REASON = "; ".join(NO_AMOUNTS)
MONEY = re.compile("spend|monetary_value|home_store")
SPLIT, UNTIL, DAYS = "2024-06-30", "2024-10-20", 112
FITTED = clv.GammaGamma(6.25, 3.74, 15.44)
THRESHOLDS = lifecycle.OverdueThresholds((90, 60, 40), 3.0)


class World:
    """What notebooks make of a log, one after the other."""

    def __init__(self, orders):
        self.orders, self.period = orders, orders.period(SPLIT, UNTIL)

    @cached_property
    def customers(self):
        return clv.summarise(self.orders, SPLIT)

    @cached_property
    def alike(self):
        return clv.collapse(self.customers, "monetary_value")

    @cached_property
    def model(self):
        return clv.fit(self.customers, "nbd", replicates=4)

    @cached_property
    def spend(self):
        return clv.fit_spend(self.customers, 0)

    @cached_property
    def after(self):
        return clv.with_holdout(self.customers, self.orders, SPLIT, UNTIL)

    @cached_property
    def one_each(self):
        return self.customers.order_by("customer_id").head(20).execute()

    @cached_property
    def scored(self):
        return clv.score(self.customers, self.model, self.spend, 90, 0.1, with_value=False)

    @cached_property
    def triangle(self):
        return lifecycle.cohort_triangle(self.orders, UNTIL)

    @cached_property
    def stages(self):
        return lifecycle.customer_stages(self.orders, UNTIL, "week", THRESHOLDS)

    @cached_property
    def moves(self):
        return lifecycle.stage_transitions(self.orders, UNTIL, "week", THRESHOLDS)

    @cached_property
    def states(self):
        return lifecycle.state_transitions(self.orders, UNTIL, "week", THRESHOLDS, 4)

    @cached_property
    def sold(self):
        return lifecycle.product_sales(self.orders, UNTIL, "week")

    @cached_property
    def features(self):
        return segments.collect(segments.customer_features(self.orders, SPLIT, DAYS))

    @cached_property
    def activity(self):
        return segments.collect(segments.holdout_activity(self.orders, SPLIT, UNTIL))

    @cached_property
    def margins(self):
        return clv.expected_margins(self.orders, [self.period.split], "nbd", 90)

    @cached_property
    def rolling(self):
        return segments.rolling_features(self.orders, [SPLIT], DAYS, DAYS, self.margins)

    @cached_property
    def labels(self):
        kinds = np.arange(len(self.features)) % len(TREATMENTS)
        return pd.Series(
            pd.Categorical.from_codes(kinds, TREATMENTS, ordered=True), self.features.index, name="value_matrix"
        )

    @cached_property
    def compared(self):
        schemes = {"by orders": by_orders, "abc": segments.ABC.fit}
        return segments.compare_schemes(schemes, self.rolling, replicates=5)[0]


def by_orders(features):
    return segments.ABC.fit(features, value="orders")


def card():
    return segments.load_scorecard("data/scorecard.toml")


def playbook():
    return segments.load_playbook("data/playbook.toml")


def world(amount=None):
    """A log of 300 customers in products, categories and stores; with the column of amounts where it is given."""
    log = simulate_orders(r=0.6, alpha=20, a=0.8, b=3, customers=300, days=300, seed=3)
    log = log.drop_duplicates(["customer_id", "day"], ignore_index=True)
    spend = simulate_spend(log, p=6, q=4, gamma=60, seed=4)
    log["time"] = [datetime(2024, 1, 1) + pd.Timedelta(days=int(day)) for day in log.pop("day")]
    kinds = {"product_id": 5, "category": 3, "store_id": 2}
    log = log.assign(**{name: [f"{name[0]}{row % count}" for row in log.index] for name, count in kinds.items()})
    if amount is not None:
        log["amount"] = spend if amount == "paid" else amount
    return World(catalog.orders(log))


@pytest.fixture(scope="module")
def visits():
    return world()


@pytest.fixture(scope="module")
def paid():
    return world("paid")


@pytest.fixture(scope="module")
def ones():
    """Every order costs 1, so that what is spent is the number of orders."""
    return world(1.0)


PRODUCTS = {"product_id": [f"p{n}" for n in range(5)], "own_label": [n % 2 == 0 for n in range(5)]}

# what orders alone say: as of the same log with amounts
ALIKE = {
    "clv.active_customers": lambda w: clv.active_customers(w.model, w.customers),
    "clv.activity": lambda w: clv.activity(w.model, w.customers, 90),
    "clv.backtest": lambda w: clv.backtest(w.orders, w.period, ["nbd"], 2, 5),
    "clv.choose": lambda w: clv.choose(w.orders, w.period).scores,
    "clv.collapse": lambda w: clv.collapse(w.customers),
    "clv.compare_with_lifetimes": lambda w: clv.compare_with_lifetimes(w.model, w.customers),
    "clv.customers_who_order": lambda w: clv.customers_who_order(w.model, w.customers, 90),
    "clv.first_interpurchase_times": lambda w: clv.first_interpurchase_times(w.orders, UNTIL),
    "clv.fit": lambda w: clv.fit(w.customers, "nbd", 0).parameters,
    "clv.forecast_by_day": lambda w: clv.forecast_by_day(w.model, None, w.customers, UNTIL, 90),
    "clv.forecast_orders": lambda w: clv.forecast_orders(w.model, w.customers, 90),
    "clv.forecast_weekly_orders": lambda w: clv.forecast_weekly_orders(w.model, w.alike, pd.RangeIndex(1, 9)),
    "clv.holdout_calibration": lambda w: clv.holdout_calibration(w.model, w.after, DAYS),
    "clv.holdout_orders": lambda w: clv.holdout_orders(w.after),
    "clv.log_likelihood": lambda w: clv.log_likelihood(w.model, w.customers),
    "clv.order_probabilities": lambda w: clv.order_probabilities(w.model, w.one_each, 90, 1),
    "clv.parameter_change": lambda w: clv.parameter_change(w.model, w.model, w.orders, w.period, 20),
    "clv.past_rate": lambda w: clv.past_rate(w.one_each, 90),
    "clv.predict_customers": lambda w: clv.predict_customers(w.model, None, w.one_each, 90, 0.1),
    "clv.prediction_interval_by_group": lambda w: clv.prediction_interval_by_group(
        w.model, clv.collapse(w.customers), 90, clv.collapse(w.customers).frequency
    ),
    "clv.probability_alive_history": lambda w: clv.probability_alive_history(w.model, w.orders, "001", UNTIL),
    "clv.repeat_order_distribution": lambda w: clv.repeat_order_distribution(w.model, w.customers),
    "clv.score": lambda w: w.scored,
    "clv.summarise": lambda w: w.customers,
    "clv.summarise_periods": lambda w: clv.summarise_periods(w.orders, SPLIT, 30).order_by("customer_id"),
    "clv.top_customers": lambda w: clv.top_customers(w.model, w.scored, None, 90, 0.1),
    "clv.weekly_orders": lambda w: clv.weekly_orders(w.orders, SPLIT, UNTIL),
    "clv.weekly_tracking": lambda w: clv.weekly_tracking(w.model, w.customers, w.orders, w.period),
    "clv.with_baseline_features": lambda w: clv.with_baseline_features(w.customers, w.orders, SPLIT, 60).order_by(
        "customer_id"
    ),
    "clv.with_holdout": lambda w: w.after.order_by("customer_id"),
    # the same where every order costs 1, as trends are those of orders
    "lifecycle.cohort_triangle": lambda w: w.triangle,
    "lifecycle.customer_stages": lambda w: w.stages,
    "lifecycle.decline_and_recovery": lambda w: lifecycle.decline_and_recovery(w.moves),
    "lifecycle.interpurchase_times": lambda w: lifecycle.interpurchase_times(w.orders, UNTIL),
    "lifecycle.latest_stages": lambda w: lifecycle.latest_stages(w.stages, w.features.index),
    "lifecycle.markov_order_test": lambda w: lifecycle.markov_order_test(w.states),
    "lifecycle.p_alive_by_cohort": lambda w: lifecycle.p_alive_by_cohort(w.model, w.alike, SPLIT),
    "lifecycle.product_sales": lambda w: w.sold.rename(columns={"sales": "orders"}),
    "lifecycle.relative_interpurchase_times": lambda w: lifecycle.relative_interpurchase_times(w.orders, UNTIL),
    "lifecycle.sales_by_category": lambda w: lifecycle.sales_by_category(w.orders, UNTIL, "month"),
    "lifecycle.stage_flows": lambda w: lifecycle.stage_flows(w.stages),
    "lifecycle.stage_forecast": lambda w: lifecycle.stage_forecast(w.moves, SPLIT),
    "lifecycle.stage_shares": lambda w: lifecycle.stage_shares(w.moves),
    "lifecycle.stage_transitions": lambda w: w.moves,
    "lifecycle.state_transitions": lambda w: w.states,
    "lifecycle.transition_counts": lambda w: lifecycle.transition_counts(w.moves),
    "lifecycle.transition_probabilities": lambda w: lifecycle.transition_probabilities(w.moves),
    "segments.assign_schemes": lambda w: segments.assign_schemes({"orders": by_orders(w.features)}, w.features),
    "segments.collect": lambda w: w.features,
    "segments.compare_schemes": lambda w: w.compared.query("target != 'spend' and model in ['by orders', 'recency']")[
        ["origin", "target", "measure", "model", "value", "segments"]
    ].reset_index(drop=True),
    "segments.customer_features": lambda w: segments.customer_features(w.orders, SPLIT, DAYS).order_by("customer_id"),
    "segments.fit_schemes": lambda w: segments.fit_schemes({"orders": by_orders}, w.features),
    "segments.holdout_activity": lambda w: w.activity,
    "segments.jitter_stability": lambda w: segments.jitter_stability(
        {"orders": by_orders(w.features)}, w.features[["orders"]], replicates=1
    ),
    "segments.segment_means": lambda w: segments.segment_means(w.labels, w.features),
    "segments.tree_accuracy": lambda w: segments.tree_accuracy(w.labels, w.features[["orders", "age"]]),
    "segments.treated_schemes": lambda w: segments.treated_schemes(w.orders),
}  # fmt: skip

# what is said of money: blank with the reason
BLANK = {
    "clv.backtest_by_group": lambda w: clv.backtest_by_group(w.orders, w.stages, "stage", "nbd", 4, 1, replicates=2),
    "clv.backtest_spend": lambda w: clv.backtest_spend(w.orders, w.period, ["nbd"], 1, 5),
    "clv.customer_equity": lambda w: clv.customer_equity(w.model, w.spend, w.customers, 90, 0.1),
    "clv.customer_equity of another model": lambda w: clv.customer_equity(w.model, FITTED, w.customers, 90, 0.1),
    "clv.fit_spend": lambda w: w.spend,
    "clv.fit_spend of periods": lambda w: clv.fit_spend(clv.summarise_periods(w.orders, SPLIT, 30), 0),
    "clv.log_likelihood": lambda w: clv.log_likelihood(FITTED, w.customers),
    "clv.compare_with_lifetimes": lambda w: clv.compare_with_lifetimes(FITTED, w.customers),
    "clv.predict_customers": lambda w: clv.predict_customers(w.model, FITTED, w.one_each, 90, 0.1),
    "clv.repeat_buyers_without_spend": lambda w: clv.repeat_buyers_without_spend(w.customers),
    "clv.spend_by_frequency": lambda w: clv.spend_by_frequency(w.customers),
    "clv.spend_correlation": lambda w: clv.spend_correlation(w.customers),
    "clv.spend_distribution": lambda w: clv.spend_distribution(FITTED, w.customers),
    "clv.spend_for_value": lambda w: clv.spend_for_value(w.spend, w.customers, replicates=0),
    "clv.value_by_decile": lambda w: clv.value_by_decile(w.model, FITTED, w.customers, 90, 0.1),
    "clv.value_by_group": lambda w: clv.value_by_group(w.model, w.spend, w.orders, w.stages, "stage", 4, 0.1),
    "clv.value_concentration": lambda w: clv.value_concentration(w.model, FITTED, w.customers, 90, 0.1),
    "clv.GammaGamma.fit": lambda w: clv.GammaGamma.fit(w.alike, 0),
    "clv.MeanSpend.fit": lambda w: clv.MeanSpend.fit(w.alike, 0),
    "clv.SpendByFrequency.fit": lambda w: clv.SpendByFrequency.fit(w.alike, 0),
    "clv.checks.spend_independent_of_frequency": lambda w: clv.checks.spend_independent_of_frequency(w.customers),
    "clv.checks.mean_spend_finite": lambda w: clv.checks.mean_spend_finite(w.spend),
    "lifecycle.cohort_spend": lambda w: lifecycle.cohort_spend(w.orders, UNTIL),
    "lifecycle.customer_values": lambda w: lifecycle.customer_values(
        w.stages, lifecycle.state_values(w.states, 0.01, 4)
    ),
    "lifecycle.spend_by_stage": lambda w: lifecycle.spend_by_stage(w.moves),
    "lifecycle.stage_values": lambda w: lifecycle.stage_values(
        w.states, 0.01, 4, lifecycle.markov_order_test(w.states), lifecycle.value_backtest(w.states, 4, 40)
    ),
    "lifecycle.state_values": lambda w: lifecycle.state_values(w.states, 0.01, 4),
    "lifecycle.value_backtest": lambda w: lifecycle.value_backtest(w.states, 4, 40),
    "lifecycle.MarkovChain.fit": lambda w: lifecycle.MarkovChain.fit(w.states),
    "lifecycle.checks.spend_within_interval": lambda w: lifecycle.checks.spend_within_interval(
        lifecycle.value_backtest(w.states, 4, 40)
    ),
    "segments.brand_customers": lambda w: segments.brand_customers(
        w.orders, catalog.products(pd.DataFrame(PRODUCTS)), SPLIT
    ),
    "segments.customer_moves": lambda w: segments.customer_moves(
        w.labels, w.labels, w.features.window_spend, w.features.window_spend
    ),
    "segments.customer_treatments": lambda w: segments.customer_treatments(w.labels, w.features.spend, playbook()),
    "segments.idic": lambda w: segments.idic(w.labels, w.features.spend),
    "segments.kotler_criteria": lambda w: segments.kotler_criteria({"a": w.labels}, w.features, w.activity),
    "segments.migration_matrix": lambda w: segments.migration_matrix(
        w.labels, w.labels, w.features.window_spend, w.features.window_spend
    ),
    "segments.null_comparison": lambda w: segments.null_comparison(w.features, replicates=19),
    "segments.segment_portfolio": lambda w: segments.segment_portfolio(w.labels, w.features.spend),
    "segments.segment_treatments": lambda w: segments.segment_treatments(w.labels, w.features.spend, playbook()),
    "segments.transform_comparison": lambda w: segments.transform_comparison(w.features),
    "segments.validity_indices": lambda w: segments.validity_indices(w.features, replicates=1, splits=1),
    "segments.value_concentration": lambda w: segments.value_concentration(w.features.spend),
    "segments.value_shares": lambda w: segments.value_shares(w.labels, w.features.spend),
    "segments.weighting_comparison": lambda w: segments.weighting_comparison(w.features, card()),
    "segments.ABC.fit": lambda w: segments.ABC.fit(w.features),
    "segments.RFM.fit": lambda w: segments.RFM.fit(w.features),
    "segments.RFMTiers.fit": lambda w: segments.RFMTiers.fit(w.features),
    "segments.Scores.fit": lambda w: segments.Scores.fit(w.features),
    "segments.ValueMatrix.fit": lambda w: segments.ValueMatrix.fit(w.features),
    "segments.EightClasses.fit": lambda w: segments.EightClasses.fit(w.rolling[w.period.split][0]),
    "segments.IndexSystem.fit": lambda w: segments.IndexSystem.fit(w.features, card()),
    "segments.KMeans.fit": lambda w: segments.KMeans.fit(w.features, 3),
    "segments.GaussianMixture.fit": lambda w: segments.GaussianMixture.fit(w.features, 3),
    "segments.Hierarchical.fit": lambda w: segments.Hierarchical.fit(w.features, 3),
    "segments.UnimodalNull.fit": lambda w: segments.UnimodalNull.fit(w.features),
    "segments.Transform.fit": lambda w: segments.Transform.fit(w.features, ["spend"]),
}  # fmt: skip

# asked about in tests of their own below
ELSEWHERE = {"clv.expected_margins", "segments.origin_note", "segments.rolling_features", "segments.brand_usage"}
ELSEWHERE |= {"segments.store_index", "segments.store_strength", "segments.segment_differences"}
ELSEWHERE |= {"segments.bootstrap_stability", "clv.write_scores"}
LOGS = {"orders", "customers", "features", "stage_transitions", "state_transitions", "transitions", "rolling", "scored"}


def test_every_function_that_takes_orders_or_customers_is_asked():
    ours = {name: f for name, f in PUBLIC.items() if re.fullmatch(r"(clv|lifecycle|segments)\.[a-z_]+", name)}
    taken = {name for name, function in ours.items() if LOGS & set(inspect.signature(function).parameters)}
    unasked = {"segments.indicator_weights", "segments.join_reachable"}  # of columns that the caller names
    assert taken - unasked == taken & (ALIKE.keys() | BLANK.keys() | ELSEWHERE)


def known(found):
    """What is found but for money."""
    if isinstance(found, ibis.expr.types.Table):
        found = found.order_by(found.columns).execute()  # rows of a lazy table stand in no order
    if isinstance(found, pd.DataFrame):
        return found.drop(columns=[name for name in found if MONEY.search(str(name))])
    return found


def listed(found):
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize("name", ALIKE)
def test_what_orders_say_is_as_with_amounts(visits, paid, ones, name):
    ask = ALIKE[name]
    here, there = known(ask(visits)), known(ask(ones if name.startswith("lifecycle") else paid))
    assert not why_blank(here)
    if isinstance(here, pd.DataFrame):
        pd.testing.assert_frame_equal(here, there, check_exact=True)
    elif isinstance(here, pd.Series):
        pd.testing.assert_series_equal(here, there, check_exact=True)
    else:
        assert here == there


@pytest.mark.parametrize("name", BLANK)
def test_what_is_said_of_money_is_blank_with_the_reason(visits, name):
    for each in listed(BLANK[name](visits)):
        if isinstance(each, Check):
            assert (each.outcome, each.summary) == ("not applicable", f"Not judged: {REASON}.")
        else:
            assert isinstance(each, (Unfitted, Estimate, pd.DataFrame, pd.Series))
            assert why_blank(each) == REASON


@pytest.mark.parametrize("name", BLANK)
def test_with_amounts_no_such_reason_is_given(paid, name):
    found = listed(BLANK[name](paid))
    said = [each.summary if isinstance(each, Check) else why_blank(each) for each in found]
    assert not any(NO_AMOUNTS[0] in each for each in said)


def test_the_reason_is_given_only_where_all_amounts_are_missing():
    need_amounts(pd.Series([np.nan, 0.0]))
    need_amounts(pd.Series([], dtype=float))
    with pytest.raises(FitError) as missing:
        need_amounts(pd.Series([np.nan, np.nan]))
    assert missing.value.advised == REASON == str(Unfitted(clv.GammaGamma, *NO_AMOUNTS))


def test_scores_are_written_without_money(visits, tmp_path):
    files = clv.write_scores(visits.scored, tmp_path / "scores")
    found = pd.concat([pd.read_parquet(file) for file in files])
    assert len(found) == 300
    assert found.monetary_value.isna().all()
    assert found.expected_orders.notna().all()
    assert not {"expected_spend", "value"} & set(found)


def test_margins_are_blank_at_each_origin_and_the_note_says_why_once(visits):
    origins = [visits.period.split, visits.period.until]
    margins = clv.expected_margins(visits.orders, origins, "nbd", 90)
    assert margins.expected_margin.isna().all()
    assert (margins.reason == REASON).all()
    note = segments.origin_note(margins, visits.orders, origins, DAYS)
    assert note == f"No margin is expected on {SPLIT}, {UNTIL}: {REASON}."


def test_customers_are_known_by_their_orders_at_each_origin(visits, paid):
    (features, activity), (with_spend, _) = visits.rolling[visits.period.split], paid.rolling[paid.period.split]
    counts = ["orders", "days_since_last", "age", "window_orders", "categories", "stores"]
    pd.testing.assert_frame_equal(features[counts], with_spend[counts])
    assert "expected_margin" not in features
    assert "expected_margin" in with_spend
    assert features[["spend", "mean_spend", "window_spend", "store_strength"]].isna().all(axis=None)
    assert activity.spend[activity.orders > 0].isna().all()
    assert (activity.spend[activity.orders == 0] == 0).all()


def test_strength_of_stores_is_null_where_it_is_of_spend_and_known_where_it_is_of_customers(visits, paid):
    by_customers = {"customers": 1.0}
    here, there = (
        segments.collect(segments.store_strength(world.orders, SPLIT, {"spend": 1.0}, window_days=DAYS))
        for world in (visits, paid)
    )
    assert here.store_strength.isna().all()
    assert there.store_strength.notna().all()
    here, there = (
        segments.store_index(w.orders, SPLIT, by_customers, window_days=DAYS).order_by("store_id").execute()
        for w in (visits, paid)
    )
    assert here.spend.isna().all()
    pd.testing.assert_frame_equal(here.drop(columns="spend"), there.drop(columns="spend"))


def test_schemes_are_compared_by_orders_and_spend_is_left_out_with_the_reason(visits):
    spend = visits.compared[visits.compared.target == "spend"]
    assert (spend.reason == REASON).all()
    assert spend.value.isna().all()
    assert set(visits.compared.model) == {"by orders", "abc", "recency"}
    abc = visits.compared[visits.compared.model == "abc"]
    assert (abc.reason == REASON).all()
    check = segments.checks.schemes_beat_baselines(visits.compared)
    assert (check.outcome, check.summary) == ("not applicable", f"Gini: no scheme has a value: {REASON}.")
    assert segments.checks.schemes_beat_baselines(visits.compared, target="orders").outcome != "not applicable"


def test_stability_of_schemes_of_spend_bears_the_reason(visits):
    schemes = {"abc": segments.ABC.fit, "by orders": by_orders}
    found = segments.bootstrap_stability(schemes, visits.features, 2).set_index("scheme")
    assert found.reason["abc"] == REASON
    assert set(found.outcome["by orders"]) != {"not fitted"}


def test_segments_differ_by_orders_and_nothing_is_said_of_spend(visits):
    found = segments.segment_differences(visits.labels, visits.features, [], replicates=5).set_index("variable")
    assert found.outcome["orders"] != "no value"
    assert (found.outcome[["spend", "mean_spend", "window_spend"]] == "no value").all()


def test_winners_are_those_of_orders_where_the_backtest_of_spend_is_blank(visits):
    orders = clv.backtest(visits.orders, visits.period, ["nbd"], 1, 5)
    spend = clv.backtest_spend(visits.orders, visits.period, ["nbd"], 1, 5)
    both, alone = clv.pooled_winners({"orders": orders, "spend": spend}), clv.pooled_winners({"orders": orders})
    pd.testing.assert_frame_equal(both, alone)
    assert why_blank(clv.pooled_winners({"spend": spend})) == REASON


def test_trends_are_those_of_orders():
    """In eight weeks after the first, 8 to 1 orders a week fall, and 1 to 7 a week rise: a customer each."""
    monday = datetime(2024, 1, 1)
    falling = [0] + [7 * week + day for week in range(1, 8) for day in range(8 - week)]
    rising = [0] + [7 * week + day for week in range(1, 8) for day in range(week)]
    even = [0] + [7 * week + day for week in range(1, 8) for day in range(3)]
    days = {"falls": falling, "rises": rising, "even": even}
    log = [(who, monday + pd.Timedelta(days=day)) for who, found in days.items() for day in found]
    orders = catalog.orders(pd.DataFrame(log, columns=["customer_id", "time"]), observed_until="2024-02-25")
    thresholds = lifecycle.OverdueThresholds((90, 90, 90), 30.0)
    last = lifecycle.customer_stages(orders, "2024-02-25", "week", thresholds).execute().groupby("customer_id").tail(1)
    assert last.set_index("customer_id").trend.to_dict() == {"even": 0, "falls": -1, "rises": 1}
    assert last.spend.isna().all()


def test_orders_are_counted_where_there_is_nothing_to_sum():
    """Two lines of one order are one; each category has its own; of unidentified customers, each row is an order."""
    log = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b", None, None],
            "time": ["2024-01-03", "2024-01-03", "2024-02-05", "2024-01-09", "2024-02-09", "2024-02-09"],
            "category": ["tea", "tea", "tea", "pot", "tea", "tea"],
        }
    )
    orders = catalog.orders(log, missing_ids="anonymous", observed_until="2024-02-29")
    sold = lifecycle.product_sales(orders)
    assert sold.astype({"time": str}).values.tolist() == [
        ["pot", "2024-01-01", 1.0],
        ["pot", "2024-02-01", 0.0],
        ["tea", "2024-01-01", 1.0],
        ["tea", "2024-02-01", 3.0],
    ]
    found = orders.summary.found["amounts"]
    assert found.startswith("none: what is said of money is blank, and trends and sales are those of numbers of orders")
