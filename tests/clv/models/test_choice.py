"""Which model of orders a report rests on: scores by hand, and what chooses where they do not decide."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import ibis
import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, clv
from crmlab.clv import checks
from crmlab.clv.models import choice as choosing
from crmlab.contracts import InputError
from crmlab.dataset import Period
from crmlab.simulate.orders import simulate_orders

SAMPLE = catalog.orders("cdnow_sample")
PERIOD = SAMPLE.period()
FITTED = {
    "nbd": clv.NBD(0.5, 50.0), "bg_nbd": clv.BGNBD(0.25, 4.0, 0.8, 2.4), "mbg_nbd": clv.MBGNBD(0.5, 40.0, 0.9, 1.6),
    "pareto_nbd": clv.ParetoNBD(0.55, 10.0, 0.6, 11.0)
}  # fmt: skip


def log_of(orders):
    """The orders of `simulate_orders` as a table of the contract TRANSACTIONS."""
    day = pd.Timestamp("2023-01-01") + pd.to_timedelta(orders.day, unit="D")
    table = ibis.memtable(pd.DataFrame({"customer_id": orders.customer_id, "time": day, "amount": 1.0}))
    return table.mutate(order_day=table.time.date())


def period(split, until, first=date(2023, 1, 1)):
    return Period(first, first + timedelta(split), first + timedelta(until), None, pd.DataFrame())


@pytest.mark.parametrize("name", FITTED)
def test_densities_of_customers_sum_to_the_log_likelihood(name):
    customers, model = clv.collapse(clv.summarise(SAMPLE, "1997-09-30")), FITTED[name]
    each = model.log_density(customers.frequency, customers.recency, customers.age)
    assert each @ customers.customers == pytest.approx(model.log_likelihood(customers), rel=1e-12)


def test_densities_by_hand():
    nobody = [np.array([0.0])] * 2 + [np.array([50.0])]
    assert FITTED["nbd"].log_density(*nobody) == pytest.approx(-0.5 * np.log(2))
    once = np.array([1.0]), np.array([10.0]), np.array([10.0])
    # r / (alpha + 10) (alpha / (alpha + 10))^r, by either of leaving at once, a / (a + b), and staying: 1
    assert FITTED["bg_nbd"].log_density(*once) == pytest.approx(np.log(0.25 / 14) + 0.25 * np.log(4 / 14))
    # here the customer stayed after the first order: b / (a + b)
    stayed = np.log(1.6 / 2.5)
    assert FITTED["mbg_nbd"].log_density(*once) == pytest.approx(np.log(0.5 / 50) + 0.5 * np.log(40 / 50) + stayed)


def test_scores_are_gains_in_log_likelihood_from_each_day_to_the_next():
    scores = clv.choose(SAMPLE, PERIOD).scores
    span = (PERIOD.split - PERIOD.first).days
    days = [PERIOD.first + timedelta(span * sixths // 6) for sixths in (3, 4, 5)] + [PERIOD.split]
    total = 0.0
    for origin, end in pairwise(days):
        before = clv.collapse(clv.summarise(SAMPLE, origin))
        known = clv.summarise(SAMPLE, end)
        known = clv.collapse(known.semi_join(clv.summarise(SAMPLE, origin), "customer_id"))
        model = clv.NBD.fit(before, replicates=0)
        total += model.log_likelihood(known) - model.log_likelihood(before)
    assert scores.score["NBD"] == pytest.approx(total, rel=1e-9)
    assert scores.loc[scores.score.idxmax(), ["difference", "ci_low", "ci_high"]].tolist() == [0, 0, 0]
    assert scores.reason["Pareto/NBD"].startswith("Pareto/NBD has no maximum")


def test_the_interval_of_a_difference_is_paired_by_customer():
    weights, gains = np.array([3, 1]), {"bg_nbd": np.array([-1.0, -2.0]), "nbd": np.array([-1.5, -1.5])}
    unfitted = clv.MBGNBD.fit(clv.new_customers(3))
    step = weights, gains | {"mbg_nbd": unfitted, "pareto_nbd": unfitted}
    found = choosing._table([step], 0.95).loc["NBD"]
    # differences -.5 of three customers and .5 of one: mean -.25, sum of squares .75, variance of the sum .75 x 4 / 3
    assert found.difference == -1
    assert found.ci_high - found.ci_low == pytest.approx(2 * 1.959964)


def test_where_the_data_do_not_decide_the_order_of_models_does():
    taken = clv.choose(SAMPLE, PERIOD)
    assert taken.scores.score.idxmax() == "BG/NBD"
    assert (taken.name, taken.otherwise, taken.automatic, taken.on_holdout) == (
        "mbg_nbd",
        ("bg_nbd", "nbd"),
        True,
        False,
    )
    assert str(taken) == (
        "MBG/NBD predicts days before the split about as well as BG/NBD, and is preferred where the data do not decide."
    )


def test_the_holdout_has_no_part_in_the_choice():
    table = SAMPLE.table
    early = table.filter(table.time < ibis.literal(PERIOD.split + timedelta(1)).cast("timestamp"))
    again = clv.choose(early, PERIOD)
    pd.testing.assert_frame_equal(again.scores, clv.choose(SAMPLE, PERIOD).scores)


def test_customers_who_never_leave_are_left_to_nbd():
    orders = log_of(simulate_orders(1.0, 30.0, 1e-9, 1.0, 400, 365, seed=3))
    taken = clv.choose(orders, period(240, 364))
    assert taken.name == "nbd"
    assert "By this model nobody leaves" in taken.reason


def test_a_model_that_is_asked_for_is_taken_whatever_its_score():
    taken = clv.choose(SAMPLE, PERIOD, "nbd")
    assert (taken.name, taken.otherwise, taken.automatic) == ("nbd", (), False)
    assert taken.scores.score.idxmax() != "NBD"
    assert clv.choose(SAMPLE, PERIOD, "pareto_nbd").otherwise == ("mbg_nbd", "bg_nbd", "nbd")
    with pytest.raises(InputError, match=r"model = 'bgnbd': there are auto, .*did you mean 'bg_nbd'"):
        clv.choose(SAMPLE, PERIOD, "bgnbd")


def test_a_calibration_too_short_is_judged_by_the_days_that_chose():
    orders = log_of(simulate_orders(0.5, 5.0, 0.8, 2.5, 600, 200, seed=5, acquired_over=2))
    taken = clv.choose(orders, period(5, 150))
    assert taken.on_holdout
    assert "the holdout" in taken.reason
    comparison = clv.backtest(orders, period(5, 150), origins=1, replicates=20)
    customers = clv.summarise(orders, date(2023, 1, 6))
    for check in checks.beats_baselines(comparison, clv.fit(customers, taken), choice=taken):
        assert check.outcome == "undecided"
        assert "chosen and is judged on the same days" in check.summary
    # a model that a prior made possible has no part in the backtest, whose fits have none
    absent = comparison.assign(difference=np.nan, reason="there are no repeat orders")
    for check in checks.beats_baselines(absent, clv.fit(customers, taken), choice=taken):
        assert check.outcome == "not applicable"
        assert check.summary.endswith("has no value: there are no repeat orders.")


def test_where_earlier_days_let_nbd_alone_be_fitted_the_holdout_chooses():
    orders = log_of(simulate_orders(0.5, 20.0, 0.8, 2.5, 30, 200, seed=0, acquired_over=60))
    inner = choosing._of(
        orders, [date(2023, 2, 20), date(2023, 3, 9), date(2023, 3, 25), date(2023, 4, 11)], None, 0.95
    )
    assert inner.index[inner.score.notna()].tolist() == ["NBD"]
    taken = clv.choose(orders, period(100, 190))
    assert (taken.name, taken.on_holdout) == ("mbg_nbd", True)
    assert str(taken) == (
        "MBG/NBD gave the highest probability to what customers did on the holdout. "
        "No model in which customers leave could be fitted to earlier days."
    )


def test_a_model_that_the_data_chose_is_judged_from_the_split_alone():
    comparison = clv.backtest(SAMPLE, PERIOD, ["mbg_nbd"], origins=2, replicates=20)
    fitted, taken = clv.MBGNBD(0.5, 40.0, 0.9, 1.6), clv.Choice("mbg_nbd", automatic=True)
    last = comparison[(comparison.origin == str(PERIOD.split)) & (comparison.model == "MBG/NBD")]
    chosen, _ = checks.beats_baselines(comparison, fitted, choice=taken)
    asked, _ = checks.beats_baselines(comparison, fitted, choice=replace(taken, automatic=False))
    (value,) = last[(last.measure == "rmse") & (last.population == "all customers")].value
    assert chosen.values["value"] == value != asked.values["value"]


def test_where_the_model_cannot_be_fitted_the_next_takes_its_place():
    rng = np.random.default_rng(1)
    orders = simulate_orders(1.0, 30.0, 1e-9, 1.0, 200, 300, seed=4)
    customers = clv.summarise(log_of(orders), "2023-10-27")
    taken = clv.Choice("bg_nbd", ("nbd",), "BG/NBD was asked for.")
    assert not clv.fit(customers, "bg_nbd")
    assert isinstance(clv.fit(customers, taken), clv.NBD)
    said = checks.model_can_be_fitted(taken, customers)
    assert (said.id, said.outcome) == ("clv.model_can_be_fitted", "failed")
    assert said.summary.endswith("NBD was fitted in its place; by this model nobody leaves.")
    assert checks.model_can_be_fitted(clv.Choice("nbd"), customers).outcome == "passed"
    later = checks.model_can_be_fitted(
        clv.Choice("bg_nbd", ("nbd",)), clv.summarise(SAMPLE, "1997-09-30"), later=customers
    )
    assert later.outcome == "failed"
    assert "these 200 customers" in later.summary
    simpler = checks.model_can_be_fitted(clv.Choice("bg_nbd", ("mbg_nbd",)), _alike(rng))
    assert simpler.outcome == "failed"
    assert "baselines alone are left" in simpler.summary


def test_a_model_that_only_the_later_customers_give_is_not_said_to_be_missing():
    found = checks.model_can_be_fitted(
        clv.Choice("bg_nbd", ("nbd",)), _once(), later=clv.summarise(SAMPLE, "1997-09-30")
    )
    assert found.outcome == "failed"
    assert found.summary.endswith(
        "No simpler model could be fitted then either; BG/NBD was fitted to all orders, and no holdout judges it."
    )
    assert found.recommendation == (
        "Do not rest on who is active or on what is forecast, both by BG/NBD; "
        "a model needs more customers who ordered again, or prior = weak in the report clv where that was not given."
    )


def _once():
    """Customers who ordered once, of whom no model of repeat orders can be fitted."""
    return pd.DataFrame({"frequency": [0.0], "recency": [0.0], "age": [100.0], "customers": [50]})


def _alike(rng):
    """Customers who order equally often and never leave."""
    return pd.DataFrame({"frequency": [4.0], "recency": [80.0], "age": [100.0], "customers": [50]})
