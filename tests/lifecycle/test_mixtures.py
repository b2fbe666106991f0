"""Survival beside mixtures of customers who never change: the nearest of them, and how far the product limit is off."""

import numpy as np
import pytest

from crmlab import lifecycle
from crmlab.lifecycle import BDW, checks, retention_decomposition
from crmlab.lifecycle.models import mixtures

from .cohort_worlds import HIGH_END, retention
from .rates import change_claimed


def counted(survival, customers=100_000):
    """At risk and lost, as expected of a survival 1, S(1), S(2) …"""
    kept = np.round(customers * np.asarray(survival)).astype(int)
    return kept[:-1], -np.diff(kept)


def test_of_falling_retention_the_nearest_mixture_is_one_kind_of_customer():
    # 80 of 100 renew, then 40 of 80: one probability, 120 / 180
    limit = 80 * np.log(0.8) + 20 * np.log(0.2) + 80 * np.log(0.5)
    alike = 120 * np.log(2 / 3) + 60 * np.log(1 / 3)
    ratio, weights = mixtures.likelihood_ratio(np.array([100, 80]), np.array([20, 40]))
    assert ratio == pytest.approx(2 * (limit - alike), abs=0.02)
    assert weights @ mixtures.GRID == pytest.approx(2 / 3, abs=0.01)


@pytest.mark.parametrize(
    "survival",
    [
        0.3 * 0.9 ** np.arange(9) + 0.7 * 0.5 ** np.arange(9),
        BDW(2.0, 4.0, 0.6).survival(np.arange(9)),
        [1, 0.5, 0.5, 0.5],  # half leave at once, the others never
    ],
    ids=["two kinds", "BdW with c below 1", "at once or never"],
)
def test_what_a_mixture_makes_does_not_depart_from_every_mixture(survival):
    assert mixtures.likelihood_ratio(*counted(survival))[0] < 0.05


def test_a_bdw_with_c_above_1_departs_the_more_the_more_customers_there_are():
    survival = BDW(0.7, 3.0, 1.5).survival(np.arange(9))
    few, many = (mixtures.likelihood_ratio(*counted(survival, customers))[0] for customers in (10_000, 100_000))
    assert many == pytest.approx(10 * few, rel=0.05)
    assert few > 20


def test_the_nearest_mixture_is_that_of_the_em_algorithm_and_nothing_is_left_to_gain():
    at_risk, lost = counted(np.array(HIGH_END[:8]) / 1000, 1000)
    value, found = mixtures.nearest_mixture(at_risk, lost)
    left = mixtures.GRID ** np.arange(8)[:, None]
    rows, counts = np.vstack([left[:-1] - left[1:], left[-1:]]), np.append(lost, at_risk[-1] - lost[-1])
    weights = np.full(len(mixtures.GRID), 1 / len(mixtures.GRID))
    for _ in range(5000):
        weights = weights * ((counts / (rows @ weights)) @ rows) / counts.sum()
    by_em = counts @ np.log(rows @ weights)
    assert by_em < value < by_em + 0.1  # EM comes near slowly
    # Lindsay: the log-likelihood is at most the largest of these above that of its maximum
    assert ((counts / (rows @ found)) @ rows).max() - counts.sum() < 0.001


def test_customers_observed_later_count_given_that_they_had_survived():
    # the same losses among those at risk, whether 400 began at once or 150 of them came after the first renewal
    kept = counted(0.3 * 0.9 ** np.arange(7) + 0.7 * 0.5 ** np.arange(7), 400)
    later = kept[0].copy(), kept[1].copy()
    later[0][0], later[1][0] = kept[0][0] // 2, kept[1][0] // 2
    value, weights = mixtures.nearest_mixture(*later)
    left = mixtures.GRID ** np.arange(7)[:, None] @ weights
    share = 1 - left[1:] / left[:-1]
    assert value == pytest.approx(later[1] @ np.log(share) + (later[0] - later[1]) @ np.log(1 - share), rel=1e-9)
    whole = mixtures.nearest_mixture(*kept)[1]
    assert (left[3] / left[2]) == pytest.approx((mixtures.GRID**3 @ whole) / (mixtures.GRID**2 @ whole), abs=0.01)
    assert mixtures.likelihood_ratio(*later)[0] < 0.1


def test_draws_see_as_many_leave_observation_as_did():
    at_risk, lost = np.array([100, 60, 55]), np.array([30, 10, 5])  # 10 last seen at the first renewal, 5 came later
    weights = np.zeros(len(mixtures.GRID))
    weights[-1] = 1  # everybody stays
    drawn = mixtures._drawn(at_risk, lost, weights, 3, 1)
    assert drawn.shape == (3, 2, 3)
    assert drawn[0].tolist() == [[100, 90, 95], [0, 0, 0]]


def test_p_is_the_share_of_draws_with_as_large_a_ratio():
    table = lifecycle.retention_durations(retention(a=(1000, 900, 700, 450, 200), b=HIGH_END))
    found = lifecycle.constant_mixture_test(table, 49, seed=1)
    assert found.p["a"] == 1 / 50  # none of 49
    assert found.p_adjusted["a"] == 2 / 50  # of two groups
    at_risk, lost = counted(np.array(HIGH_END) / 1000, 1000)
    ratio, weights = mixtures.likelihood_ratio(at_risk, lost)
    drawn = [mixtures.likelihood_ratio(*one)[0] for one in mixtures._drawn(at_risk, lost, weights, 49, 2)]
    assert found.p["b"] == (1 + sum(one >= ratio for one in drawn)) / 50


@pytest.mark.parametrize(
    ("kept", "reason"),
    [((50, 40), "1 of the 2 periods needed were observed"), ((50, 50, 50), "none of 50 customers was lost")],
)
def test_what_cannot_be_tested_has_its_reason(kept, reason):
    table = lifecycle.retention_durations(retention(a=kept))
    found = lifecycle.constant_mixture_test(table, 40)
    assert found.reason["a"] == reason
    assert found[["likelihood_ratio", "p", "p_adjusted"]].isna().all(axis=None)
    (check,) = checks.no_duration_dependence(table, found)
    assert (check.outcome, check.summary) == ("not applicable", f"a: not judged: {reason}.")


def test_a_third_that_stays_and_two_thirds_that_leave_are_not_taken_for_customers_who_change():
    kept = counted(1 / 3 * 0.9 ** np.arange(13) + 2 / 3 * 0.5 ** np.arange(13), 20_000)[0]
    table = lifecycle.retention_durations(retention(all=kept))
    test, parts = lifecycle.constant_mixture_test(table, 40), retention_decomposition(table)
    part = parts[parts.period == "all"].iloc[0]
    assert part.duration_dependence_ci_high < 0  # by the form of BdW they would
    (check,) = checks.no_duration_dependence(table, test)
    assert (checks.customers_become_more_loyal(parts, test).outcome, check.outcome) == ("undecided", "undecided")


def test_change_is_claimed_seldom_where_nobody_changes_and_mostly_where_all_do():
    assert change_claimed("two points", 6, 1000, 6, 39) <= 0.17
    assert change_claimed("BdW, c = 1.5", 4, 3000, 6, 39) >= 0.75
