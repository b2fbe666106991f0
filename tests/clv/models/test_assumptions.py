"""Each verdict on what models take for granted, where it holds and where it does not."""

import numpy as np
import pandas as pd
import pytest

from crmlab import clv
from crmlab.clv.models import assumptions
from crmlab.likelihood import Unfitted

from ..worlds import customers, simulated

WORLD = {"r": 0.6, "alpha": 60.0, "a": 0.8, "b": 3.0}


@pytest.fixture(scope="module")
def world():
    return simulated(**WORLD)


@pytest.fixture(scope="module")
def faithful():
    """A world that nobody leaves."""
    return simulated(r=0.6, alpha=60.0, a=1e-6, b=3.0)


def test_leaving_is_believed_where_customers_leave_and_staying_where_they_stay(world, faithful):
    assert assumptions.dropout_as_modelled(clv.BGNBD.fit(world), world).passed
    assert assumptions.dropout_as_modelled(clv.NBD.fit(faithful), faithful).passed
    refused = assumptions.dropout_as_modelled(clv.NBD.fit(world), world)
    assert not refused.passed
    assert "mbg_nbd" in refused.instead
    assert "of leaving, by MBG/NBD, over staying" in refused.evidence
    barely = clv.BGNBD(*(0.6, 60.0), 1e-4, 3.0)  # fitted by hand, as its likelihood has no maximum in a faithful world
    assert not assumptions.dropout_as_modelled(barely, faithful).passed


def test_only_bgnbd_cannot_take_one_time_buyers_for_gone(world):
    found = assumptions.one_time_buyers_can_drop_out(clv.BGNBD.fit(world), world)
    once = world.customers[world.frequency == 0].sum() / world.customers.sum()
    assert not found.passed
    assert found.evidence == f"{once:.1%} of customers ordered once; their chances of being active are all 1.000"
    may_be_gone = assumptions.one_time_buyers_can_drop_out(clv.MBGNBD.fit(world), world)
    assert may_be_gone.passed
    assert "their chances of being active run from 0." in may_be_gone.evidence
    assert assumptions.one_time_buyers_can_drop_out(clv.BGNBD.fit(world), world[world.frequency > 0]).passed


def test_where_nobody_leaves_one_time_buyers_are_no_exception(faithful):
    found = assumptions.one_time_buyers_can_drop_out(clv.NBD.fit(faithful), faithful)
    assert found.passed
    assert found.evidence.endswith("of customers ordered once; in this model nobody leaves")


def gaps(shape, count, seed=1):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        rng.gamma(shape, 100 / shape, (count, 2)), columns=["first_interpurchase_time", "second_interpurchase_time"]
    )


def test_orders_are_at_random_where_gaps_are_exponential_only():
    assert assumptions.orders_at_random(gaps(1, 800)).passed
    regular, clumped = assumptions.orders_at_random(gaps(3, 800)), assumptions.orders_at_random(gaps(0.3, 800))
    assert not regular.passed
    assert float(regular.evidence.split("k = ")[1].split()[0]) == pytest.approx(3, rel=0.15)  # the shape of the gaps
    assert not clumped.passed
    few = assumptions.orders_at_random(gaps(1, 29))
    assert not few.passed
    assert "cannot be judged on 29 customers" in few.evidence


@pytest.mark.filterwarnings("error")
def test_gaps_without_any_chance_are_told_in_finite_words():
    even = pd.DataFrame({"first_interpurchase_time": [30, 7] * 40, "second_interpurchase_time": [30, 7] * 40})
    found = assumptions.orders_at_random(even)
    assert not found.passed
    assert found.evidence == "the second gap is as long as the first, always: perfectly regular, 80 customers"
    nearly = even.assign(first_interpurchase_time=even.first_interpurchase_time + ([1] + [0] * 79))  # all but one
    found = assumptions.orders_at_random(nearly)
    assert not found.passed
    assert "and more; 1 is at random)" in found.evidence
    assert not {"inf", "nan"} & set(found.evidence.split())


def acquired(*per_day):
    """Customers first seen on each day from the first, so many."""
    ages = np.arange(len(per_day))[::-1]
    return customers(*[(0, 0, age) for age in ages]).assign(customers=per_day)


def test_a_log_that_begins_in_mid_life_is_seen_by_its_first_days():
    assert assumptions.observed_from_first_order(acquired(*[10] * 300)).passed
    cohort, day = (first.assign(age=first.age + 60) for first in (acquired(*[10] * 25), acquired(10)))
    within = assumptions.observed_from_first_order(cohort)
    assert within.passed
    assert within.evidence == "all 250 customers are first seen within 25 days: one cohort"
    assert "on one day: one cohort" in assumptions.observed_from_first_order(day).evidence
    late = assumptions.observed_from_first_order(acquired(*[60] * 30, *[2] * 330))
    assert not late.passed
    assert "1,800 of 2,460 customers are first seen in the first 30 of 360 days: 30.00 times" in late.evidence
    assert "acquired_from" in late.instead
    twice = assumptions.observed_from_first_order(acquired(*[23] * 30, *[10] * 330))
    assert not twice.passed
    assert "2.300 times" in twice.evidence


def test_a_log_too_short_to_tell_where_it_began_says_so():
    for first, length in ((acquired(*[10] * 60), 60), (acquired(*[90] * 5).assign(age=30), 31)):
        found = assumptions.observed_from_first_order(first)
        assert not found.passed
        assert found.evidence == f"cannot be judged: customers are seen for {length} days, and more than 60 are needed"
    assert assumptions.observed_from_first_order(acquired(*[10] * 61)).passed


def test_cohorts_that_drift_are_told_from_those_alike(world, monkeypatch):
    monkeypatch.setattr(assumptions, "REPLICATES", 64)
    model = clv.BGNBD.fit(world)
    wide = simulated(**WORLD, customers=20_000)
    assert assumptions.cohorts_homogeneous(model, wide, 180, 1).passed
    livelier = simulated(**(WORLD | {"alpha": 25.0}), customers=20_000, days=500, seed=2)
    drifted = assumptions.cohorts_homogeneous(model, pd.concat([wide[wide.age > 555], livelier]), 180, 1)
    assert not drifted.passed
    assert "undecided" not in drifted.evidence
    assert "undecided" in assumptions.cohorts_homogeneous(model, world, 180, 1, limit=0.1).evidence


def test_cohorts_too_small_to_fit_cannot_be_judged(world):
    found = assumptions.cohorts_homogeneous(
        clv.BGNBD.fit(world), customers((0, 0, 90), (1, 30, 60)).assign(customers=2), 30, 1
    )
    assert not found.passed
    assert found.evidence.startswith("cannot be judged")


def test_cohorts_of_one_day_cannot_be_told_apart(world):
    found = assumptions.cohorts_homogeneous(clv.BGNBD.fit(world), world[world.age == world.age.max()], 180, 1)
    assert not found.passed
    assert found.evidence == "cannot be judged: half of the customers or more came on the first day"


def test_spend_without_a_model_cannot_be_judged():
    found = assumptions.mean_spend_finite(Unfitted("Gamma-Gamma has no maximum"), seed=1)
    assert not found.passed
    assert found.evidence == "cannot be judged: Gamma-Gamma has no maximum"


def test_bgbb_is_judged_by_a_model_of_its_own_kind_of_likelihood(world, faithful):
    daily = clv.DailyBGBB(0.5, 60.0, 0.6, 80.0)
    itself, found = (assumptions.dropout_as_modelled(model, world) for model in (clv.MBGNBD.fit(world), daily))
    assert (found.claim, found.passed) == (itself.claim, itself.passed)
    assert found.evidence == itself.evidence.replace("of leaving over", "of leaving, by MBG/NBD, over")
    assert not assumptions.dropout_as_modelled(daily, faithful).passed


def test_who_cannot_be_compared_is_told_which_model_has_no_maximum(world):
    poor = customers((5, 100, 100)).assign(customers=50)
    leave, stay = (
        assumptions.dropout_as_modelled(model, poor) for model in (clv.BGNBD(1.0, 20.0, 1.0, 3.0), clv.NBD(1.0, 20.0))
    )
    assert leave.evidence.startswith("NBD finds no maximum: NBD has ")
    assert stay.evidence.startswith("a model of leaving finds no maximum: MBG/NBD has ")


def test_mean_spend_is_finite_where_the_interval_of_q_is_above_one():
    def spend(q):
        return clv.GammaGamma(6.0, q, 15.0, covariance=np.eye(3) * 0.01)  # the interval of q is e^-.196 to e^.196 of it

    assert assumptions.mean_spend_finite(spend(1.5), seed=1).passed
    assert not assumptions.mean_spend_finite(spend(1.1), seed=1).passed
    assert not assumptions.mean_spend_finite(spend(0.8), seed=1).passed


def test_where_mean_spend_passes_as_finite_so_is_the_interval_of_value():
    orders, seen = clv.NBD(0.6, 60.0, covariance=np.eye(2) * 0.01), clv.new_customers(100)
    near = [clv.GammaGamma(6.0, q, 15.0, covariance=np.eye(3) * 0.01) for q in np.linspace(1.17, 1.28, 45)]
    judged = [assumptions.mean_spend_finite(spend, seed=3) for spend in near]
    worth = [clv.customer_equity(orders, spend, seen, 365, 0.1, 1.0, seed=3) for spend in near]
    passed, finite = np.array([v.passed for v in judged]), np.isfinite([w.high for w in worth])
    assert 0 < passed.sum() < len(near)
    assert finite[passed].all()
    doubted = ["too near 1 for a finite interval of value" in v.evidence for v in judged]
    assert any(doubted)
    assert not finite[doubted].any()
