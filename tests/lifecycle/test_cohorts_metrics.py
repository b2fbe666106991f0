"""Means and comparisons of cohorts: observed cells only, and what one cohort cannot show."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint, proportions_chisquare

from crmlab import lifecycle
from crmlab.lifecycle import checks


def triangle(*cells):
    """A triangle from (cohort, period, eligible, active, state)."""
    table = pd.DataFrame(cells, columns=["cohort", "period", "eligible", "active", "state"])
    table = table.astype({"eligible": "Int64", "active": "Int64"})
    return table.assign(size=table.eligible, share=(table.active / table.eligible).astype("Float64"))


CELLS = (
    ("a", 0, 100, 100, "observed"), ("a", 1, 100, 40, "observed"), ("a", 2, 100, 30, "observed"),
    ("b", 0, 300, 300, "observed"), ("b", 1, 300, 60, "observed"), ("b", 2, 300, 290, "in progress"),
    ("c", 0, 50, 50, "observed"), ("c", 1, 50, 15, "observed"), ("c", 2, None, None, "not yet"),
)  # fmt: skip
THREE = triangle(*CELLS)
ONE = triangle(*CELLS[:3])


def test_means_are_over_observed_cells_only():
    found = lifecycle.cohort_means(THREE)
    assert list(found.index) == [1, 2]
    assert (found.cohorts[1], found.customers[1]) == (3, 450)
    assert (found.cohorts[2], found.customers[2]) == (1, 100)
    assert found.weighted[1] == pytest.approx(115 / 450)
    assert found["mean"][1] == pytest.approx((0.4 + 0.2 + 0.3) / 3)
    assert found.weighted[2] == found["mean"][2] == pytest.approx(0.3)


def test_means_have_the_intervals_of_wilson_and_student():
    found = lifecycle.cohort_means(THREE).loc[1]
    assert (found.weighted_ci_low, found.weighted_ci_high) == pytest.approx(
        proportion_confint(115, 450, method="wilson")
    )
    shares = [0.4, 0.2, 0.3]
    expected = stats.t.interval(0.95, 2, np.mean(shares), stats.sem(shares))
    assert (found.mean_ci_low, found.mean_ci_high) == (pytest.approx(expected[0]), pytest.approx(expected[1]))


def test_the_mean_of_one_cohort_has_no_interval_over_cohorts():
    found = lifecycle.cohort_means(ONE)
    assert found[["mean_ci_low", "mean_ci_high"]].isna().all(axis=None)
    assert set(found.reason) == {"one cohort only"}
    assert found[["weighted_ci_low", "weighted_ci_high"]].notna().all(axis=None)


def test_intervals_over_cohorts_stay_within_0_and_1():
    found = lifecycle.cohort_means(triangle(("a", 1, 10, 1, "observed"), ("b", 1, 10, 9, "observed"))).loc[1]
    assert (found.mean_ci_low, found.mean_ci_high) == (0, 1)


def test_a_comparison_is_pearsons_test():
    found = lifecycle.homogeneity_tests(THREE).loc[1]
    chi2, p, _ = proportions_chisquare([40, 60, 15], [100, 300, 50])
    assert (found.chi2, found.p, found.df) == (pytest.approx(chi2), pytest.approx(p), 2)
    assert (found.cohorts, found.lowest, found.highest, found.reason) == (3, 0.2, 0.4, "")


def test_comparisons_hold_for_all_periods_together():
    more = [(cohort, period + 1, *rest) for cohort, period, *rest in CELLS if period == 1]
    found = lifecycle.homogeneity_tests(triangle(*(cell for cell in CELLS if cell[1] < 2), *more))
    assert list(found.p_adjusted) == pytest.approx([2 * found.p[1]] * 2)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (ONE, "one cohort only"),
        (triangle(("a", 1, 9, 0, "observed"), ("b", 1, 9, 0, "observed")), "all or none of them ordered"),
        (
            triangle(("a", 1, 99, 9, "observed"), ("b", 1, 9, 1, "observed")),
            "fewer than 2 cohorts in which 5 are expected to order, and 5 not to",
        ),
    ],
)
def test_cohorts_that_cannot_be_compared_have_the_reason(table, reason):
    found = lifecycle.homogeneity_tests(table)
    assert set(found.reason) == {f"{reason}"}
    assert found[["chi2", "df", "p", "p_adjusted"]].isna().all(axis=None)
    check = checks.cohorts_differ(found)
    assert (check.outcome, check.summary) == ("not applicable", f"Not tested: {reason}.")


def test_a_cohort_too_small_for_the_test_is_left_out_of_it():
    found = lifecycle.homogeneity_tests(triangle(*CELLS, ("d", 1, 12, 12, "observed"))).loc[1]
    assert (found.cohorts, found.df, found.highest) == (3, 2, 0.4)
    assert found.chi2 == pytest.approx(lifecycle.homogeneity_tests(THREE).chi2[1])


def test_cohorts_that_differ_are_a_finding():
    check = checks.cohorts_differ(lifecycle.homogeneity_tests(THREE))
    assert (check.id, check.kind, check.outcome) == ("lifecycle.cohorts_differ", "finding", "yes")
    assert check.claim == "The share of customers who come back differs between cohorts"
    assert check.summary.startswith(
        "Cohorts differ in 1 of 1 periods tested, most in period 1: 20.0 % to 40.0 % of a cohort ordered (p < .001"
    )
    assert check.recommendation.startswith("Read each cohort's own row")


def test_cohorts_in_which_no_difference_is_found_leave_it_undecided():
    alike = triangle(("a", 1, 100, 20, "observed"), ("b", 1, 300, 62, "observed"))
    check = checks.cohorts_differ(lifecycle.homogeneity_tests(alike))
    assert (check.outcome, check.recommendation) == ("undecided", "")
    assert check.summary.startswith("No difference was found in 1 periods tested; the largest is in period 1")


def test_the_level_is_that_of_confidence():
    table = lifecycle.homogeneity_tests(triangle(("a", 1, 100, 20, "observed"), ("b", 1, 300, 90, "observed")))
    assert table.p[1] == pytest.approx(0.0516, abs=1e-3)
    assert [checks.cohorts_differ(table, level=level).outcome for level in (0.9, 0.95)] == ["yes", "undecided"]


def test_without_an_observed_period_there_is_nothing_to_test():
    table = THREE[THREE.period == 0]
    assert lifecycle.cohort_means(table).empty
    check = checks.cohorts_differ(lifecycle.homogeneity_tests(table))
    assert (check.outcome, check.summary) == ("not applicable", "Not tested: no period after the first is over.")


def test_a_cohort_without_customers_does_not_count():
    assert lifecycle.cohort_means(triangle(*CELLS, ("d", 1, 0, 0, "observed"))).cohorts[1] == 3
