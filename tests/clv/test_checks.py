"""Each check of what models assume and whether they beat baselines: every outcome, with its id and sentences."""

import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, clv, holdout
from crmlab.clv import checks
from crmlab.estimate import Estimate
from crmlab.model import Unfitted
from crmlab.stats.intervals import percentile_interval

from .rates import value_finite_where_mean_spend_is
from .worlds import customers, simulated

WORLD = {"r": 0.6, "alpha": 60.0, "a": 0.8, "b": 3.0}
UNFITTED = Unfitted(clv.BGNBD, "there are no customers", "name other data")
NO_SPEND = Unfitted(clv.GammaGamma, "nobody spent")


@pytest.fixture(scope="module")
def world():
    return simulated(**WORLD)


@pytest.fixture(scope="module")
def faithful():
    """A world that nobody leaves."""
    return simulated(r=0.6, alpha=60.0, a=1e-6, b=3.0)


def assert_said(check, name, outcome, summary, recommendation="", kind="assumption"):
    """The check bears its id and kind, and ends in this outcome and these sentences."""
    assert (check.id, check.kind, check.outcome) == (f"clv.{name}", kind, outcome)
    assert check.claim
    assert "{" not in str(check)
    assert summary in check.summary
    assert check.recommendation == recommendation


BY_FREQUENCY = "Read value as that of a model whose spend depends on frequency: it takes the place of Gamma-Gamma."
MAY_DEPEND = "Read value with the backtest of spend beside it, as spend may depend on frequency."


def buyers(frequency, spend, weights=None):
    frame = pd.DataFrame({"frequency": frequency, "monetary_value": spend})
    return frame if weights is None else frame.assign(customers=weights)


@pytest.mark.parametrize(
    ("frequency", "spend", "reason"),
    [
        ([1, 2, 3, 4], [20.0] * 4, "all 4 repeat buyers spend the same"),
        ([2] * 4, [5.0, 7.0, 9.0, 1.0], "all 4 repeat buyers place as many orders"),
        ([2], [5.0], "all 1 repeat buyers place as many orders and spend the same"),
        ([0], [0.0], "there are no repeat buyers"),
    ],
    ids=["spend", "orders", "one customer", "nobody"],
)
def test_whether_spend_is_independent_cannot_be_judged_where_one_side_is_the_same_for_all(frequency, spend, reason):
    found = checks.spend_independent_of_frequency(buyers(frequency, spend))
    assert_said(found, "spend_independent_of_frequency", "not applicable", f"Not judged: {reason}.")


def test_spend_is_independent_only_where_the_whole_interval_lies_within_the_limit():
    name, rng = "spend_independent_of_frequency", np.random.default_rng(3)
    frequency = pd.Series(rng.poisson(3, 4000) + 1)
    free, tied = pd.Series(rng.gamma(4, 5, 4000)), frequency * 5 + rng.gamma(4, 5, 4000)
    ask = checks.spend_independent_of_frequency
    passed = ask(buyers(frequency, free))
    assert_said(passed, name, "passed", "Spend and frequency of 4,000 repeat buyers correlate by ")
    assert passed.claim == "Spend is independent of order frequency: their correlation lies within ±0.2"
    for dependent in (tied, -tied + tied.max() + 1):
        assert_said(ask(buyers(frequency, dependent)), name, "failed", "correlate by ", BY_FREQUENCY)
    few = ask(buyers(frequency[:40], free[:40]))
    assert_said(few, name, "undecided", ", which reaches beyond the limit.", MAY_DEPEND)
    assert ask(buyers(frequency, free), limit=0.01).outcome == "undecided"


def test_spend_is_judged_over_customers_not_rows():
    frequency, spend, weights = pd.Series([1, 2, 3, 4]), pd.Series([5.0, 7, 6, 8]), pd.Series([400, 100, 50, 20])
    rows = checks.spend_independent_of_frequency(buyers(frequency, spend, weights))
    each = checks.spend_independent_of_frequency(buyers(frequency.repeat(weights), spend.repeat(weights)))
    assert str(rows) == str(each)
    assert "of 570 repeat buyers" in rows.summary


def test_three_repeat_buyers_say_nothing_of_independence():
    found = checks.spend_independent_of_frequency(buyers([1, 2, 3], [5.0, 7.0, 9.0]))
    assert found.outcome == "undecided"
    assert "(95 % confidence interval -1.000 to 1.000)" in found.summary


def test_leaving_is_shown_where_customers_leave_and_never_disproved_by_a_test_that_does_not_reject(world, faithful):
    name = "dropout_as_modelled"
    found = checks.dropout_as_modelled(clv.BGNBD.fit(world), world)
    start = "Twice the gain in log-likelihood of BG/NBD over NBD, by which nobody leaves, is "
    assert_said(found, name, "passed", start)
    assert "beyond the critical value 5.991." in found.summary
    assert found.claim == (
        "Customers leave: BG/NBD fits better than NBD, by a likelihood-ratio test (confidence level 95 %)"
    )
    stays = checks.dropout_as_modelled(clv.NBD.fit(world), world)
    assert_said(stays, name, "failed", "of MBG/NBD, by which customers leave, over NBD", "Use MBG/NBD (model=mbg_nbd).")
    assert stays.claim.startswith("Customers stay: MBG/NBD, by which they leave, fits no better than NBD, ")
    barely = checks.dropout_as_modelled(clv.BGNBD(0.6, 60.0, 1e-4, 3.0), faithful)  # by hand, as it has no maximum here
    advice = "Compare with NBD (model=nbd) in the backtest; do not rest on the probability of being active."
    assert_said(barely, name, "undecided", "this shows neither that customers leave nor that they stay.", advice)


def test_nbd_does_not_pass_for_want_of_evidence(world, monkeypatch):
    monkeypatch.setattr(checks.MBGNBD, "fit", lambda *_, **__: clv.MBGNBD(0.6, 60.0, 1e-4, 3.0))
    found = checks.dropout_as_modelled(clv.NBD.fit(world), world)  # whose gain over NBD is next to nothing
    assert_said(
        found, "dropout_as_modelled", "undecided", "this shows neither that customers leave nor that they stay."
    )


def test_bgbb_is_judged_by_a_model_of_its_own_kind_of_likelihood(world):
    daily = clv.DailyBGBB(0.5, 60.0, 0.6, 80.0)
    itself, found = (checks.dropout_as_modelled(model, world) for model in (clv.MBGNBD.fit(world), daily))
    assert (found.outcome, found.summary) == (itself.outcome, itself.summary)
    assert "of MBG/NBD over NBD" in found.summary


def test_a_model_without_another_to_compare_with_is_not_judged_with_the_reason():
    poor = customers((5, 100, 100)).assign(customers=50)
    leave, stay = (checks.dropout_as_modelled(m, poor) for m in (clv.BGNBD(1.0, 20.0, 1.0, 3.0), clv.NBD(1.0, 20.0)))
    for check, other in ((leave, "NBD"), (stay, "MBG/NBD")):
        start = f"Not judged: {other}, the model to compare with, could not be fitted: {other} has "
        assert_said(check, "dropout_as_modelled", "not applicable", start)


def test_only_bgnbd_cannot_take_one_time_buyers_as_gone(world):
    name = "one_time_buyers_can_drop_out"
    found = checks.one_time_buyers_can_drop_out(clv.BGNBD.fit(world), world)
    once = world.customers[world.frequency == 0].sum() / world.customers.sum()
    summary = f"{100 * once:.1f} % of customers ordered once; their probability of being active is 1 for all of them."
    assert_said(found, name, "failed", summary, "Use MBG/NBD (model=mbg_nbd).")
    assert found.claim == "BG/NBD allows customers who ordered once to be inactive"
    may_be_gone = checks.one_time_buyers_can_drop_out(clv.MBGNBD.fit(world), world)
    assert_said(may_be_gone, name, "passed", "their probability of being active runs from 0.")
    nobody = checks.one_time_buyers_can_drop_out(clv.BGNBD.fit(world), world[world.frequency > 0])
    assert_said(nobody, name, "not applicable", "Not judged: no customer ordered only once.")


def test_where_nobody_leaves_one_time_buyers_are_no_exception(faithful):
    found = checks.one_time_buyers_can_drop_out(clv.NBD.fit(faithful), faithful)
    assert_said(found, "one_time_buyers_can_drop_out", "not applicable", "ordered once, and by NBD nobody leaves.")


def gaps(shape, count, seed=1):
    rng = np.random.default_rng(seed)
    columns = ["first_interpurchase_time", "second_interpurchase_time"]
    return pd.DataFrame(rng.gamma(shape, 100 / shape, (count, 2)), columns=columns)


OWN_INTERVALS = "Trust the calibration on the holdout, not the model's own intervals."


def test_orders_are_at_random_where_gaps_are_exponential_only():
    name, ask = "orders_at_random", checks.orders_at_random
    assert_said(ask(gaps(1, 800)), name, "passed", "over 800 customers; at random it is 1.")
    regular, clumped = ask(gaps(3, 800)), ask(gaps(0.3, 800))
    assert_said(regular, name, "failed", "Regularity k is ", OWN_INTERVALS)
    assert regular.values["regularity"].value == pytest.approx(3, rel=0.15)  # the shape of the gaps
    assert_said(clumped, name, "failed", "Regularity k is ", OWN_INTERVALS)
    between = ask(gaps(1.5, 100))
    assert_said(between, name, "undecided", "the interval reaches beyond 0.667 to 1.5.", OWN_INTERVALS)
    few = ask(gaps(1, 29))
    assert_said(few, name, "not applicable", "Not judged: 29 customers have three order days, and 30 are needed.")


def test_the_level_of_an_interval_is_asked_for_and_said(world):
    found = [
        checks.orders_at_random(gaps(1, 800), level=0.8),
        checks.observed_from_first_order(acquired(*[10] * 300), level=0.8),
        checks.cohorts_homogeneous(clv.NBD(0.6, 60.0), world, 180, level=0.8),
    ]
    wide = checks.orders_at_random(gaps(1, 800)).values["regularity"]
    assert wide.ci_low < found[0].values["regularity"].ci_low < wide.value
    for check in found:
        assert "(80 % confidence interval " in check.summary


@pytest.mark.filterwarnings("error")
def test_gaps_without_any_variation_are_put_in_finite_words():
    even = pd.DataFrame({"first_interpurchase_time": [30, 7] * 40, "second_interpurchase_time": [30, 7] * 40})
    summary = "The second time between orders equals the first for all 80 customers: orders are perfectly regular."
    assert_said(checks.orders_at_random(even), "orders_at_random", "failed", summary, OWN_INTERVALS)
    nearly = even.assign(first_interpurchase_time=even.first_interpurchase_time + ([1] + [0] * 79))  # all but one
    found = checks.orders_at_random(nearly)
    assert found.outcome == "failed"
    assert " to infinite)" in found.summary
    assert not {"inf", "nan"} & set(found.summary.split())


def acquired(*per_day):
    """Customers acquired on each day from the first, so many."""
    ages = np.arange(len(per_day))[::-1]
    return customers(*[(0, 0, age) for age in ages]).assign(customers=per_day)


EARLY = "Set acquired_from to a day after the first 30 days, to leave out customers acquired before the data begin."


def test_data_that_begin_in_mid_life_are_recognised_by_their_first_days():
    name, ask = "observed_from_first_order", checks.observed_from_first_order
    assert_said(ask(acquired(*[10] * 300)), name, "passed", "300 of 3,000 customers placed their first order in the")
    late = ask(acquired(*[60] * 30, *[2] * 330))
    start = "1,800 of 2,460 customers placed their first order in the first 30 of 360 days: 30 (95 % confidence"
    assert_said(late, name, "failed", start, EARLY)
    twice = ask(acquired(*[23] * 30, *[10] * 330))
    assert_said(twice, name, "failed", ": 2.30 (95 % confidence", EARLY)
    nearly = ask(acquired(*[21] * 30, *[10] * 330))
    assert_said(nearly, name, "undecided", "which may be more than 2.", EARLY)


def test_without_customers_nothing_is_judged():
    found = checks.observed_from_first_order(acquired(10).iloc[:0])
    assert_said(found, "observed_from_first_order", "not applicable", "Not judged: there are no customers.")


def test_customers_who_all_came_on_one_day_cannot_be_judged():
    found = checks.observed_from_first_order(acquired(10).assign(age=60, frequency=3, recency=30))
    summary = "Not judged: all 10 customers placed their first order on one day."
    assert_said(found, "observed_from_first_order", "not applicable", summary)


def test_data_too_short_or_with_too_few_who_ordered_again_say_so():
    for first in (acquired(*[10] * 25).assign(age=lambda frame: frame.age + 60), acquired(*[10] * 60)):
        found = checks.observed_from_first_order(first)
        who = f"{first.customers.sum()} customers placed their first order"
        assert_said(found, "observed_from_first_order", "not applicable", f"Not judged: {who} within {len(first)} days")
        assert "0 of them ordered twice again, where 30 are needed" in found.summary
    assert checks.observed_from_first_order(acquired(*[100] * 61)).outcome == "passed"


def seen_from(first_order, seed=3, mean_gap=lambda rng: 5 + rng.gamma(1.5, 30), days=365, count=400):
    """Customers who order at random, each at times of their own: `first_order` gives the first from that time."""
    rng, rows = np.random.default_rng(seed), []
    for _ in range(count):
        own = mean_gap(rng)
        times = first_order(rng, own) + np.concatenate([[0], np.cumsum(rng.exponential(own, 200))])
        held = np.unique(np.floor(times[times < days]))
        rows += [(len(held) - 1, held[-1] - held[0], days - held[0])] if len(held) else []
    return customers(*rows).assign(customers=1)


AMID = (
    "Treat the customers as acquired before the data begin: get earlier orders, or set acquired_from to a day by which "
    "every old customer has been seen."
)


@pytest.mark.parametrize(
    ("first_order", "outcome"),
    [
        (lambda rng, own: rng.uniform(0, 300), "passed"),
        (lambda rng, own: rng.uniform(0, 60), "passed"),
        (lambda rng, own: rng.uniform(0, 7), "passed"),
        (lambda rng, own: rng.exponential(own), "failed"),
    ],
    ids=["all year", "a cohort of 60 days", "a cohort of a week", "old customers"],
)
def test_old_customers_are_recognised_by_when_they_are_first_seen(first_order, outcome):
    assert checks.observed_from_first_order(seen_from(first_order)).outcome == outcome


def test_old_customers_are_recognised_by_their_own_times_between_orders():
    # everybody orders every five days: all are first seen on the first five
    frame = customers(*[(39, 195, 199 - first) for first in range(5)]).assign(customers=100)
    found = checks.observed_from_first_order(frame)
    summary = (
        "100 % (95 % confidence interval 99.26 % to 100 %) of 500 customers who ordered twice again were first seen"
    )
    assert_said(found, "observed_from_first_order", "failed", summary, AMID)
    # frequent ones on the first days, rare ones later, all within 30 days: too early for a later rate
    short = seen_from(lambda rng, own: rng.uniform(0, own), mean_gap=lambda rng: rng.uniform(1, 9), days=90)
    found = checks.observed_from_first_order(short)
    assert (found.outcome, found.case) == ("failed", "recurrence")


def test_old_customers_who_all_order_alike_are_left_open():
    # orders at random, every three days on average: own times differ by chance alone, so that waits cannot follow them
    old = seen_from(lambda rng, own: rng.exponential(own), mean_gap=lambda rng: 3, days=200)
    found = checks.observed_from_first_order(old)
    assert (found.outcome, found.case) == ("undecided", "recurrence")
    assert found.values["follows"].ci_high < checks.MOST_FOLLOWS


@pytest.mark.parametrize(("gaps", "outcome"), [(11, "passed"), (10, "undecided")])
def test_waits_follow_own_times_the_less_the_more_of_these_is_chance(gaps, outcome):
    # own times of 10 and 20 days: their logs have a variance of .1201, of which trigamma(11) = .0952, trigamma(10) =
    # .1052 is chance, so that r may reach .3 times the root of 1 - .0952 / .1201, .137, or of 1 - .1052 / .1201, .106;
    # waits of six and seven days on either side have r = 0, whose interval ends at tanh(1.960 / sqrt(297)) = .1132
    often, rarely = (gaps, gaps * 10), (gaps, gaps * 20)
    frame = customers((0, 0, 300), (*often, 294), (*often, 293), (*rarely, 294), (*rarely, 293))
    found = checks.observed_from_first_order(frame.assign(customers=[1, 75, 75, 75, 75]))
    assert found.values["follows"].ci_high == pytest.approx(0.1132, abs=5e-5)
    assert found.outcome == outcome


def test_a_wait_as_long_as_the_own_time_between_orders_is_within_it():
    frame = customers((0, 0, 40), (2, 20, 30)).assign(customers=[1, 40])
    found = checks.observed_from_first_order(frame).values["within"]
    assert (found.value, found.ci_high) == (1, 1)


def test_a_silence_at_the_end_is_set_beside_those_between_orders(shop):
    days = pd.date_range("2024-01-01", periods=12, freq="3D").date
    shop.entry("customer_id,time,amount\n" + "".join(f"a,{day},1\n" for day in days))
    for observed, outcome, silent in (("2024-02-06", "passed", 3), ("2024-02-07", "failed", 4)):
        orders = catalog.orders("log", observed)
        found = checks.observed_to_the_end(orders, orders.period("2024-01-20"))
        summary = f"The last order came on 2024-02-03, {silent} days before the end; the longest silence between two "
        advice = (
            "Set observed_until, or until, to the last day for which the data are complete; if nobody ordered since, "
        )
        advice = f"{advice}keep it." if outcome == "failed" else ""
        assert_said(found, "observed_to_the_end", outcome, summary, advice)
    orders = catalog.orders("log")
    assumed = checks.observed_to_the_end(orders, orders.period("2024-01-20"))
    summary = "Not judged: the end is taken to be the day of the last order, 2024-02-03; if orders are complete up to"
    assert_said(assumed, "observed_to_the_end", "not applicable", summary)
    said = checks.observed_to_the_end(orders, orders.period("2024-01-20", "2024-02-03"))
    assert_said(said, "observed_to_the_end", "passed", "The last order came on 2024-02-03, 0 days before the end")
    few = checks.observed_to_the_end(orders, orders.period("2024-01-04", "2024-01-25"))
    assert_said(few, "observed_to_the_end", "not applicable", "Not judged: 9 days have an order, and 10 are needed.")


def test_cohorts_that_drift_are_recognised_from_those_alike(world):
    name, ask, later = (
        "cohorts_homogeneous",
        checks.cohorts_homogeneous,
        "Fit the later customers alone (acquired_from).",
    )
    model = clv.BGNBD.fit(world)
    wide = simulated(**WORLD, customers=8000)
    passed = ask(model, wide, 180)
    assert_said(passed, name, "passed", "A new customer of the later half is expected to place ")
    assert "over 180 days lies within 1 ± 0.25" in passed.claim
    livelier = simulated(**(WORLD | {"alpha": 25.0}), customers=8000, days=500, seed=2)
    drifted = ask(model, pd.concat([wide[wide.age > 555], livelier]), 180)
    assert_said(drifted, name, "failed", "times as many orders as one of the earlier half.", later)
    between = ask(model, world, 180, limit=0.1)
    assert_said(between, name, "undecided", "which reaches beyond 0.9 to 1.1.", later)


def test_cohorts_too_small_to_fit_cannot_be_judged(world):
    few = customers((0, 0, 90), (1, 30, 60)).assign(customers=2)
    found = checks.cohorts_homogeneous(clv.BGNBD.fit(world), few, 30)
    assert_said(
        found, "cohorts_homogeneous", "not applicable", "Not judged: BG/NBD needs repeat orders; 2 customers had"
    )


def test_cohorts_of_one_day_cannot_be_compared(world):
    found = checks.cohorts_homogeneous(clv.BGNBD.fit(world), world[world.age == world.age.max()], 180)
    summary = "Not judged: half of the customers or more were acquired on the first day."
    assert_said(found, "cohorts_homogeneous", "not applicable", summary)


def spend(q):
    return clv.GammaGamma(6.0, q, 15.0).with_covariance(
        np.eye(3) * 0.01
    )  # the interval of q is e^-.196 to e^.196 of it


def test_mean_spend_is_finite_where_the_interval_of_q_is_above_one():
    name, without = "mean_spend_finite", "Report expected orders, without value."
    assert_said(checks.mean_spend_finite(spend(1.5)), name, "passed", "The estimate of q is 1.50 (95 % confidence")
    assert_said(checks.mean_spend_finite(spend(1.1)), name, "undecided", "which holds 1.", without)
    assert_said(checks.mean_spend_finite(spend(0.8)), name, "failed", "The estimate of q is 0.800", without)
    by_hand = checks.mean_spend_finite(clv.GammaGamma(6.0, 1.5, 15.0))
    assert_said(by_hand, name, "not applicable", "Not judged: q is 1.500, of a model without an interval.")


def test_the_interval_of_q_is_that_of_the_draws_that_value_rests_on():
    few = clv.GammaGamma(6.0, 1.5, 15.0).with_covariance(np.eye(3) * 0.01, replicates=8)  # narrower than the normal one
    drawn, q = [model.q for model in few.draws], checks.mean_spend_finite(few).values["q"]
    assert (q.ci_low, q.ci_high) == tuple(percentile_interval(drawn))


def test_where_mean_spend_passes_as_finite_so_is_the_interval_of_value():
    passed, finite = value_finite_where_mean_spend_is(5, replicates=64)  # the bench asks it of 45
    assert 0 < passed.sum() < len(passed)
    assert (passed == finite).all()


def test_the_total_of_the_holdout_is_judged_by_the_prediction_interval():
    model = clv.BGNBD(0.243, 30.9, 0.793, 2.426)
    expected = Estimate(1653, pi_low=1440, pi_high=1842, unit="orders")
    name, compare = "total_within_prediction_interval", "compare the models of the backtest by bias of the total."
    ask = checks.total_within_prediction_interval
    advice = f"State beside every forecast that {{}} orders came than expected; {compare}"
    forecast = "BG/NBD expected 1,653 orders in the holdout (95 % prediction interval 1,440 to 1,842); "
    assert_said(ask(expected, Estimate(1842), model), name, "passed", f"{forecast}1,842 came.")
    more = ask(expected, Estimate(1882), model)
    assert_said(
        more, name, "failed", f"{forecast}1,882 came, more than the interval holds.", advice.format("13.9 % more")
    )
    fewer = ask(expected, Estimate(1000), model)
    advice_of_fewer = advice.format("39.5 % fewer")
    assert_said(fewer, name, "failed", "1,000 came, fewer than the interval holds.", advice_of_fewer)
    narrow = ask(Estimate(1653, pi_low=1500, pi_high=1700, level=0.8), Estimate(1653), model)
    assert "(80 % prediction interval 1,500 to 1,700)" in narrow.summary
    none = ask(Estimate(1653), Estimate(1882), model)
    assert_said(
        none, name, "not applicable", "Not judged: BG/NBD expected 1,653 orders, without an interval; 1,882 came."
    )


@pytest.fixture(scope="module")
def comparison():
    """Models of known merit over all origins: one better, one worse, one like the baseline, one not fitted."""
    rng = np.random.default_rng(2)
    rate = rng.gamma(1.0, 2.0, 500)
    actual, noise = rng.poisson(rate), rng.permutation(rate)
    predictions = {"BG/NBD": rate, "NBD": rng.permutation(rate) * 3, "MBG/NBD": noise, "past rate": noise}
    round_ = {"predictions": predictions, "actual": actual, "baselines": ("past rate",)}
    return holdout.rolling({"1": round_ | {"unfitted": {"Pareto/NBD": "it has no maximum"}}}, replicates=50)


def test_a_model_beats_the_baselines_by_each_measure_or_not(comparison):
    better = checks.beats_baselines(comparison, clv.BGNBD(1.0, 1.0, 1.0, 1.0))
    for check, part, measure in zip(
        better, ("rmse", "spearman"), ("root mean squared error", "Spearman's"), strict=True
    ):
        assert_said(check, f"beats_baselines.{part}", "passed", f"By {measure}", kind="comparison")
        row = comparison.query("measure == @part and model == 'BG/NBD' and population == 'all customers'").iloc[0]
        assert f"BG/NBD has {row.value:.4g}"[:15] in check.summary
        assert " better than the best baseline, past rate (95 % confidence interval " in check.summary
        assert check.claim.startswith(f"By {measure}")
        assert " BG/NBD beats the best baseline among all customers: " in check.claim
    worse, _ = checks.beats_baselines(comparison, clv.NBD(1.0, 1.0))
    advice = "Use past rate where this measure counts."
    assert_said(worse, "beats_baselines.rmse", "failed", " worse than the best baseline, ", advice, kind="comparison")
    level, _ = checks.beats_baselines(comparison, clv.MBGNBD(1.0, 1.0, 1.0, 1.0))
    advice = "Use past rate, which needs no model, where this measure counts."
    assert_said(
        level,
        "beats_baselines.rmse",
        "undecided",
        " than the best baseline, past rate (95 % ",
        advice,
        kind="comparison",
    )
    absent, _ = checks.beats_baselines(comparison, clv.ParetoNBD(1.0, 1.0, 1.0, 1.0))
    summary = "By root mean squared error, Pareto/NBD has no value: not fitted from any of 1 origins."
    assert_said(absent, "beats_baselines.rmse", "not applicable", summary, kind="comparison")


def test_checks_against_baselines_bear_their_measure_and_population_even_where_nothing_was_fitted(comparison):
    both = pd.concat([comparison, comparison.assign(population="repeaters")])
    for fitted in (clv.BGNBD(1.0, 1.0, 1.0, 1.0), UNFITTED):
        for population, end in (("all customers", ""), ("repeaters", "_repeaters")):
            found = checks.beats_baselines(both, fitted, population)
            ids = [f"clv.beats_baselines.{measure}{end}" for measure in ("rmse", "spearman")]
            assert [check.id for check in found] == ids


def test_what_was_not_fitted_makes_every_check_not_applicable(world, comparison):
    expected, actual = clv.forecast_orders(UNFITTED, world, 90), Estimate(3)
    found = [
        checks.dropout_as_modelled(UNFITTED, world),
        checks.one_time_buyers_can_drop_out(UNFITTED, world),
        checks.cohorts_homogeneous(UNFITTED, world, 180),
        checks.total_within_prediction_interval(expected, actual, UNFITTED),
        *checks.beats_baselines(comparison, UNFITTED),
    ]
    for check in found:
        assert check.outcome == "not applicable"
        assert check.summary == "Not judged: there are no customers; name other data."
        assert check.claim
        assert check.recommendation == ""
    none = checks.mean_spend_finite(NO_SPEND)
    assert_said(none, "mean_spend_finite", "not applicable", "Not judged: nobody spent.")


def test_assumptions_are_all_asked_at_once():
    orders = catalog.orders("cdnow_sample")
    period = orders.period()
    seen = clv.summarise(orders, period.split)
    fitted = clv.fit(seen, "bg_nbd")
    found = checks.assumptions(fitted, seen, orders, period, NO_SPEND)
    ids = [check.id.removeprefix("clv.") for check in found]
    others = {"assumptions", "beats_baselines", "total_within_prediction_interval", "model_can_be_fitted"}
    others |= {"parameters_moved", "forecast_rests_on_data"}  # of two fits; of a fit with a prior
    assert sorted(ids) == sorted(set(checks.__all__) - others)
    outcomes = {check.id.removeprefix("clv."): check.outcome for check in found}
    assert outcomes.pop("one_time_buyers_can_drop_out") == "failed"  # REFERENCE: on CDNOW all others hold
    assert outcomes.pop("mean_spend_finite") == "not applicable"
    assert set(outcomes.values()) == {"passed"}
    regular = next(check for check in found if check.id == "clv.orders_at_random")
    assert regular.values["customers"] == 507
