import numpy as np
import pandas as pd
import pytest

from crmlab import clv


def test_calibration_is_the_mean_of_all_customers_in_a_group():
    expected, actual = pd.Series([1.0, 2.0, 4.0]), pd.Series([0, 3, 4])
    found = clv.calibration(expected, actual, pd.Series([0, 0, 1], name="x"), pd.Series([3, 1, 2]))
    assert found.loc[0].tolist() == [4, 5 / 4, 3 / 4]
    assert found.loc[1].tolist() == [2, 4, 4]


def test_tracking_sums_week_by_week():
    found = clv.tracking(
        pd.Series([1.5, 2.0]), pd.Series([1, 4]), pd.Series(pd.to_datetime(["2024-01-07", "2024-01-14"]))
    )
    assert found.expected_so_far.tolist() == [1.5, 3.5]
    assert found.actual_so_far.tolist() == [1, 5]


@pytest.fixture(scope="module")
def judged():
    """A model that knows more than the naive rule: (model, naive, actual)."""
    rng = np.random.default_rng(1)
    mean = pd.Series(rng.gamma(1, 2, 800))
    return mean, mean * rng.gamma(1, 1, 800), pd.Series(rng.poisson(mean))


def test_a_better_model_passes_both_verdicts_and_a_worse_one_fails_both(judged):
    model, naive, actual = judged
    for verdict in (clv.nearer_than_naive, clv.ranks_better_than_naive):
        better, worse = verdict(model, naive, actual), verdict(naive, model, actual)
        assert (better.passed, worse.passed) == (True, False)
        assert "undecided" not in better.evidence + worse.evidence
        assert "past rate" in worse.instead


def test_no_difference_is_called_undecided_and_does_not_pass(judged):
    model, _, actual = judged
    for verdict in (clv.nearer_than_naive, clv.ranks_better_than_naive):
        same = verdict(model, model + 0, actual)
        assert not same.passed
        assert "undecided" in same.evidence


@pytest.mark.parametrize(("slope", "passes"), [(0.0, True), (5.0, False)])
def test_spend_is_independent_where_the_whole_interval_is_small(slope, passes):
    rng = np.random.default_rng(2)
    frequency = pd.Series(rng.poisson(4, 1000) + 1)
    verdict = clv.spend_is_independent(frequency, slope * frequency + rng.normal(50, 10, 1000))
    assert verdict.passed == passes
    assert "1,000 repeat buyers" in verdict.evidence


def test_few_customers_cannot_show_independence():
    rng = np.random.default_rng(3)
    assert not clv.spend_is_independent(pd.Series(rng.poisson(4, 20)), pd.Series(rng.normal(50, 10, 20))).passed
