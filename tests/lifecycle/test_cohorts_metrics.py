"""Means and comparisons of cohorts: observed cells only, and what one cohort cannot say."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint, proportions_chisquare

from crmlab.lifecycle.metrics import cohorts as metrics


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
    found = metrics.cohort_means(THREE)
    assert list(found.index) == [1, 2]
    assert (found.cohorts[1], found.customers[1]) == (3, 450)
    assert (found.cohorts[2], found.customers[2]) == (1, 100)
    assert found.weighted[1] == pytest.approx(115 / 450)
    assert found["mean"][1] == pytest.approx((0.4 + 0.2 + 0.3) / 3)
    assert found.weighted[2] == found["mean"][2] == pytest.approx(0.3)


def test_means_have_the_intervals_of_wilson_and_student():
    found = metrics.cohort_means(THREE).loc[1]
    assert (found.weighted_ci_low, found.weighted_ci_high) == pytest.approx(
        proportion_confint(115, 450, method="wilson")
    )
    shares = [0.4, 0.2, 0.3]
    expected = stats.t.interval(0.95, 2, np.mean(shares), stats.sem(shares))
    assert (found.mean_ci_low, found.mean_ci_high) == (pytest.approx(expected[0]), pytest.approx(expected[1]))


def test_the_mean_of_one_cohort_has_no_interval_over_cohorts():
    found = metrics.cohort_means(ONE)
    assert found[["mean_ci_low", "mean_ci_high"]].isna().all(axis=None)
    assert set(found.reason) == {"cannot be estimated: one cohort only"}
    assert found[["weighted_ci_low", "weighted_ci_high"]].notna().all(axis=None)


def test_intervals_over_cohorts_stay_within_0_and_1():
    found = metrics.cohort_means(triangle(("a", 1, 10, 1, "observed"), ("b", 1, 10, 9, "observed"))).loc[1]
    assert (found.mean_ci_low, found.mean_ci_high) == (0, 1)


def test_a_comparison_is_pearsons_test():
    found = metrics.homogeneity_tests(THREE).loc[1]
    chi2, p, _ = proportions_chisquare([40, 60, 15], [100, 300, 50])
    assert (found.chi2, found.p, found.df) == (pytest.approx(chi2), pytest.approx(p), 2)
    assert (found.cohorts, found.lowest, found.highest, found.reason) == (3, 0.2, 0.4, "")


def test_comparisons_hold_for_all_periods_together():
    more = [(cohort, period + 1, *rest) for cohort, period, *rest in CELLS if period == 1]
    found = metrics.homogeneity_tests(triangle(*(cell for cell in CELLS if cell[1] < 2), *more))
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
def test_cohorts_that_cannot_be_compared_are_told(table, reason):
    found = metrics.homogeneity_tests(table)
    assert set(found.reason) == {f"cannot be estimated: {reason}"}
    assert found[["chi2", "df", "p", "p_adjusted"]].isna().all(axis=None)
    verdict = metrics.cohorts_homogeneous(found)
    assert (verdict.passed, verdict.evidence) == (False, f"cannot be estimated: {reason}")


def test_a_cohort_too_small_for_the_test_is_left_out_of_it():
    found = metrics.homogeneity_tests(triangle(*CELLS, ("d", 1, 12, 12, "observed"))).loc[1]
    assert (found.cohorts, found.df, found.highest) == (3, 2, 0.4)
    assert found.chi2 == pytest.approx(metrics.homogeneity_tests(THREE).chi2[1])


def test_cohorts_that_differ_are_told_apart():
    verdict = metrics.cohorts_homogeneous(metrics.homogeneity_tests(THREE))
    assert not verdict.passed
    assert verdict.evidence.startswith("they differ in 1 of 1 periods tested; most in period 1 (20.0% to 40.0%")


def test_cohorts_that_are_alike_pass():
    alike = triangle(("a", 1, 100, 20, "observed"), ("b", 1, 300, 62, "observed"))
    assert metrics.cohorts_homogeneous(metrics.homogeneity_tests(alike)).passed


def test_without_an_observed_period_there_is_nothing_to_say():
    table = THREE[THREE.period == 0]
    assert metrics.cohort_means(table).empty
    verdict = metrics.cohorts_homogeneous(metrics.homogeneity_tests(table))
    assert verdict.evidence == "cannot be estimated: no period after the first was observed"


def test_a_cohort_without_customers_does_not_count():
    assert metrics.cohort_means(triangle(*CELLS, ("d", 1, 0, 0, "observed"))).cohorts[1] == 3


def projections(*rows):
    """A table of backtests from (group, known, model, naive, period, expected, actual, reason)."""
    names = ["group", "origin", "model", "is_baseline", "period", "expected", "actual", "reason"]
    table = pd.DataFrame(rows, columns=names).astype({"origin": "Int64", "period": "Int64"})
    table = table.astype({"expected": "Float64", "actual": "Float64"})
    return table.assign(error=table.expected - table.actual, horizon=table.period - table.origin)


def test_misses_are_of_the_last_period_in_which_anybody_was_left():
    table = projections(
        ("a", 4, "sBG", False, 5, 0.3, 0.2, ""), ("a", 4, "sBG", False, 6, 0.2, 0.0, ""),
        ("b", 4, "sBG", False, 5, 0.1, 0.0, ""),
    )  # fmt: skip
    found = metrics.final_period_errors(table)
    assert found.loc[("a", "sBG"), 4] == pytest.approx(50)
    assert found.loc[("b", "sBG")].isna().all()


def test_what_could_not_be_projected_is_told_in_few_words():
    rows = [("a", origin, "sBG", False, 9, None, 1.0, f"none was lost in {origin} periods") for origin in range(4, 9)]
    rows += [("b", 4, "sBG", False, 9, None, 1.0, "too few"), ("c", None, "sBG", False, None, None, None, "too young")]
    verdict = metrics.retention_beats_baselines(projections(*rows))
    assert not verdict.passed
    assert verdict.evidence == "none was lost in 8 periods; too few; and 1 more"


def test_facts_name_their_unit_and_a_group_where_there_are_several():
    held = {"periods": 12, "mean": [2.0, 3.0], "ci_low": [1.0, 2.0], "ci_high": [3.0, 4.0]}
    kept = pd.DataFrame(held, index=pd.Index(["a", "b"], name="group"))
    none = pd.DataFrame(columns=["renewals", "model", "group", "payments", "ci_low", "ci_high"])
    assert set(metrics.retention_facts(kept, none)) == {"periods_kept_a", "periods_kept_b"}
    one = metrics.retention_facts(kept[:1].rename(index={"a": "all"}), none)
    assert (list(one), one["periods_kept"].unit) == (["periods_kept"], "of the first 12 periods")
