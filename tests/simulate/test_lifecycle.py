"""Simulated lives: that they are as the process has them, and that the filter is exact."""

from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.lifecycle import stage_accuracy
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.simulate.lifecycle import MONTH, StageProcess, simulate_customers

SMALL = StageProcess(
    states=(("establishment", 1.0, 20.0), ("growth", 3.0, 30.0), ("decline", 0.1, 10.0)),
    transition=((0.6, 0.3, 0.1), (0.0, 0.8, 0.2), (0.1, 0.0, 0.9)),
    rate_multipliers=(0.5, 1.5),
)


@pytest.fixture(scope="module")
def many():
    return simulate_customers(customers=3000, months=18, seed=1)


def test_the_stages_are_those_of_the_domain():
    assert set(STAGES) == {state[0] for state in StageProcess().states}


def test_the_same_seed_gives_the_same_lives():
    one, same, other = (simulate_customers(customers=50, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.orders, same.orders)
    pd.testing.assert_frame_equal(one.filtered, same.filtered)
    assert not one.orders.equals(other.orders)


def test_everybody_begins_with_an_order_in_the_first_month_of_the_truth(many):
    first = many.orders.groupby("customer_id").time.min().dt.to_period("M")
    begun = many.truth.groupby("customer_id").period.min().dt.to_period("M")
    pd.testing.assert_series_equal(first, begun, check_names=False)
    assert (many.truth.groupby("customer_id").stage.first() == "establishment").all()
    assert many.orders.time.max().date() <= many.end
    assert len(many.truth) == len(many.filtered)


def test_orders_come_at_the_rate_of_the_stage_and_cost_its_mean(many):
    month = many.orders.time.dt.to_period("M").dt.start_time
    sums = many.orders.groupby(["customer_id", month.rename("period")]).amount.agg(["size", "sum"])
    cells = many.truth.join(sums, on=["customer_id", "period"]).fillna(0.0)
    later = cells[cells.groupby("customer_id").cumcount() > 0]
    mature = later[later.stage == "maturity"]
    rate = mature["size"].sum() / mature.period.dt.days_in_month.sum() * MONTH
    assert rate == pytest.approx(4.0, rel=0.05)  # by the world; paces are one on average
    assert mature["sum"].sum() / mature["size"].sum() == pytest.approx(40, rel=0.03)


def test_stages_change_at_the_probabilities_of_the_world(many):
    before = many.truth.groupby("customer_id").stage.shift()
    mature = many.truth.stage[before == "maturity"]
    assert (mature == "maturity").mean() == pytest.approx(0.96, abs=0.01)
    assert (mature == "decline").mean() == pytest.approx(0.04, abs=0.01)


def test_decline_follows_on_every_stage_and_recovery_on_decline(many):
    seen = pd.crosstab(many.truth.groupby("customer_id").stage.shift(), many.truth.stage)
    assert (seen["decline"] > 50).all()
    assert (seen.loc["decline"] > 20).all()


def test_the_filter_is_that_of_a_sum_over_every_path():
    found = simulate_customers(SMALL, customers=40, months=5, acquired_over=2, seed=3)
    lives_of = found.filtered.groupby("customer_id")
    labels = {customer: likeliest(found.orders, customer, months.period) for customer, months in lives_of}
    assert labels == lives_of.stage.agg(list).to_dict()


def likeliest(orders, customer, periods):
    """The likeliest stage of a customer in each month, from orders up to its end: every path is weighed."""
    mine = orders[orders.customer_id == customer]
    first = mine.time.iloc[0].day
    names, rate, mean = (np.array(column) for column in zip(*SMALL.states, strict=True))
    emitted = []  # probability of what happened in each month, by pace and state
    for place, period in enumerate(periods):
        paid = mine.amount[mine.time.dt.to_period("M") == period.to_period("M")]
        months = (period.days_in_month - first * (place == 0)) / MONTH
        probability = stats.poisson.pmf(len(paid) - (place == 0), months * np.outer(SMALL.rate_multipliers, rate))
        if len(paid):
            probability = probability * stats.gamma.pdf(paid.sum(), SMALL.shape * len(paid), scale=mean / SMALL.shape)
        emitted.append(probability)
    found = []
    for upto in range(len(emitted)):
        mass = dict.fromkeys(names.tolist(), 0.0)
        for path in product(range(3), repeat=upto + 1):
            moved = np.prod([SMALL.transition[a][b] for a, b in pairwise(path)]) * (path[0] == 0)
            seen = np.prod([emitted[t][:, state] for t, state in enumerate(path)], axis=0)
            mass[names[path[-1]]] += moved * seen.sum()
        found.append(max(mass, key=mass.get))
    return found


@pytest.mark.parametrize("seed", [11, 12])
def test_the_rules_come_near_the_filter_that_knows_the_world_and_beat_the_commonest_stage(seed):
    found = stage_accuracy(simulate_customers(customers=700, seed=seed))
    assert found.macro_f1["rules"] > found.macro_f1["filter"] - 0.15
    assert found.macro_f1["rules"] > found.macro_f1["majority"] + 0.3
    assert found.macro_f1["filter"] > 0.7
    assert (found.loc["rules", list(STAGES)] > 0.4).all()
    assert found.decline_detected["rules"] > 0.8
    assert found.decline_delay["filter"] < found.decline_delay["rules"] < 2  # months


def test_the_scores_are_those_of_another_program():
    from sklearn.metrics import f1_score

    world = simulate_customers(customers=200, months=12, acquired_over=4, seed=5)
    found = stage_accuracy(world)
    both = world.truth.merge(world.filtered, on=["customer_id", "period"])
    theirs = f1_score(both.stage_x, both.stage_y, labels=STAGES, average=None)
    np.testing.assert_allclose(found.loc["filter", list(STAGES)].astype(float), theirs)
    assert found.macro_f1["filter"] == pytest.approx(theirs.mean())


def test_the_delay_is_counted_from_the_beginning_of_a_spell_of_decline():
    world = simulate_customers(customers=200, months=12, acquired_over=4, seed=5)
    known = world.truth.merge(world.filtered, on=["customer_id", "period"])
    waits, missed = [], 0
    for _, life in known.groupby("customer_id"):
        since = None
        for truth, label in zip(life.stage_x, life.stage_y, strict=True):
            if truth != "decline":
                missed += since is not None and since >= 0
                since = None
                continue
            since = 0 if since is None else since + 1 if since >= 0 else since
            if since >= 0 and label == "decline":
                waits.append(since)
                since = -1
        missed += since is not None and since >= 0
    found = stage_accuracy(world).loc["filter"]
    assert found.decline_delay == pytest.approx(np.mean(waits))
    assert found.decline_detected == pytest.approx(len(waits) / (len(waits) + missed))
