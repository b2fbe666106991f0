"""What is said of expected beside actual orders."""

import numpy as np
import pandas as pd
import pytest

from crmlab import clv
from crmlab.clv import metrics as clv_metrics


def series(*values):
    return pd.Series(values, dtype=float)


def test_calibration_means_over_the_customers_of_each_level():
    by = pd.Series(["0", "0", "7+"], name="repeat_orders")
    table = clv.calibration(series(1, 4, 10), series(0, 3, 12), by, pd.Series([3, 1, 2]))
    assert table.index.name == "repeat_orders"
    assert table.to_dict("index") == {
        "0": {"customers": 4, "expected": 7 / 4, "actual": 3 / 4},
        "7+": {"customers": 2, "expected": 10.0, "actual": 12.0},
    }


def test_calibration_takes_a_row_for_each_customer_too():
    table = clv.calibration(series(1, 1, 1, 4), series(0, 0, 0, 3), pd.Series([0, 0, 0, 0]))
    assert table.loc[0].to_list() == [4, 7 / 4, 3 / 4]


def test_calibration_leaves_its_arguments_alone():
    given = [series(1, 4), series(0, 3), pd.Series([0, 1]), pd.Series([3, 1])]
    kept = [one.copy() for one in given]
    clv.calibration(*given)
    for one, before in zip(given, kept, strict=True):
        pd.testing.assert_series_equal(one, before)


def test_tracking_sums_up_week_by_week():
    weeks = pd.RangeIndex(1, 4, name="week")
    ends = pd.Series(pd.to_datetime(["2024-01-07", "2024-01-14", "2024-01-21"]), weeks)
    table = clv.tracking(pd.Series([1.5, 2.5, 3.0], weeks), pd.Series([1, 0, 4], weeks), ends)
    assert table.index.name == "week"
    assert table.expected_so_far.to_list() == [1.5, 4.0, 7.0]
    assert table.actual_so_far.to_list() == [1, 1, 5]
    assert table.ends.to_list() == list(ends)


@pytest.fixture
def race():
    """2,000 customers of a known rate, what they did, and two guesses at it: a good one and one of noise."""
    rng = np.random.default_rng(1)
    rate = rng.gamma(1.0, 2.0, 2000)
    return pd.Series(rate), pd.Series(rng.permutation(rate)), pd.Series(rng.poisson(rate))


def test_a_model_that_is_nearer_and_ranks_better_passes(race):
    good, bad, actual = race
    nearer, ranks = clv.nearer_than_naive(good, bad, actual), clv.ranks_better_than_naive(good, bad, actual)
    assert nearer.passed
    assert ranks.passed
    assert "mean absolute error lower than the rule's by" in nearer.evidence
    assert "Spearman's correlation higher than the rule's by" in ranks.evidence


def test_a_model_that_loses_is_said_to_lose(race):
    good, bad, actual = race
    nearer, ranks = clv.nearer_than_naive(bad, good, actual), clv.ranks_better_than_naive(bad, good, actual)
    assert not nearer.passed
    assert not ranks.passed
    assert "mean absolute error higher than" in nearer.evidence
    assert "Spearman's correlation lower than" in ranks.evidence
    assert "undecided" not in nearer.evidence + ranks.evidence
    assert str(nearer).startswith("[FAILED]")
    assert str(ranks).endswith("use the past rate to rank all customers, or neither where undecided")


def test_a_race_too_close_to_call_is_undecided_and_does_not_pass(race):
    good, _, actual = race
    rng = np.random.default_rng(3)
    one, other = (good + rng.normal(0, 0.01, len(good)) for _ in range(2))
    for verdict in (clv.nearer_than_naive, clv.ranks_better_than_naive):
        for found in (verdict(one, other, actual), verdict(other, one, actual)):
            assert not found.passed
            assert found.evidence.endswith(", undecided")


def test_a_race_in_which_nobody_ordered_is_undecided(race):
    good, bad, actual = race
    verdict = clv.ranks_better_than_naive(good, bad, actual * 0)
    assert not verdict.passed
    assert verdict.evidence.endswith("(95 % of the difference: 0.000 to 0.000), undecided")


def test_spend_is_independent_only_where_the_whole_interval_lies_within_the_limit():
    rng = np.random.default_rng(3)
    frequency = pd.Series(rng.poisson(3, 4000) + 1)
    apart, tied = pd.Series(rng.gamma(4, 5, 4000)), frequency * 5 + rng.gamma(4, 5, 4000)
    assert clv.spend_is_independent(frequency, apart).passed
    assert not clv.spend_is_independent(frequency, tied).passed
    assert not clv.spend_is_independent(frequency, -tied).passed
    assert not clv.spend_is_independent(frequency[:40], apart[:40]).passed  # too few to tell
    assert not clv.spend_is_independent(frequency, apart, limit=0.01).passed


def test_spend_is_judged_over_customers_not_rows():
    frequency, spend, customers = series(1, 2, 3, 4), series(5, 7, 6, 8), pd.Series([400, 100, 50, 20])
    rows = clv.spend_is_independent(frequency, spend, customers)
    each = clv.spend_is_independent(frequency.repeat(customers), spend.repeat(customers))
    assert rows == each
    assert "over 570 repeat buyers" in rows.evidence
    assert rows.instead == "expected orders and expected spend apart, not their product"


def test_three_repeat_buyers_tell_nothing_of_independence():
    verdict = clv.spend_is_independent(series(1, 2, 3), series(5, 7, 9))
    assert not verdict.passed
    assert "(95 % -1.000 to 1.000) over 3 repeat buyers" in verdict.evidence


def test_lorenz_by_hand():
    # a half of the customers worth nothing, a quarter 1 each, a quarter 3 each
    table = clv_metrics.lorenz(series(3, 0, 1), pd.Series([1, 2, 1]))
    assert list(table.columns) == ["customers", "value"]
    at = table.set_index(table.customers.round(2)).value
    assert list(at[[0, 0.5, 0.75, 1]]) == pytest.approx([0, 0, 0.25, 1])
    assert at[0.6] == pytest.approx(0.1)
    assert len(table) == 101


def test_concentration_by_hand():
    # below the curve above lie 1/32 and 5/32
    assert clv_metrics.concentration(series(3, 0, 1), pd.Series([1, 2, 1])) == pytest.approx(1 - 2 * 6 / 32)
    assert clv_metrics.concentration(series(2, 2, 2)) == pytest.approx(0)
    assert clv_metrics.concentration(series(0, 0, 0, 8)) == pytest.approx(3 / 4)  # one of n: 1 - 1/n


def test_concentration_is_the_mean_difference_over_twice_the_mean():
    rng = np.random.default_rng(1)
    value, customers = pd.Series(rng.gamma(0.5, 40, 60).round(1)), pd.Series(rng.integers(0, 5, 60))
    each = value.repeat(customers).to_numpy()
    apart = np.abs(each[:, None] - each[None, :]).mean()
    assert clv_metrics.concentration(value, customers) == pytest.approx(apart / (2 * each.mean()))
    assert clv_metrics.concentration(pd.Series(each)) == pytest.approx(apart / (2 * each.mean()))
    table, alone = clv_metrics.lorenz(value, customers), clv_metrics.lorenz(pd.Series(each))
    pd.testing.assert_frame_equal(table, alone)
    assert 1 - 2 * np.trapezoid(table.value, table.customers) == pytest.approx(apart / (2 * each.mean()), abs=1e-3)


def test_where_nobody_is_worth_anything_nothing_is_said_of_concentration(recwarn):
    assert np.isnan(clv_metrics.concentration(series(0, 0)))
    assert clv_metrics.lorenz(series(0, 0)).value.isna().all()
    assert not recwarn.list
