import numpy as np
import pytest
from scipy import stats
from threadpoolctl import threadpool_info, threadpool_limits

from crmlab.stats import intervals
from crmlab.stats.ratios import ratio_of_means
from crmlab.stats.threads import one_thread


def test_an_upper_limit_is_a_draw_that_a_further_one_exceeds_once_in_twenty_at_most():
    assert intervals.upper_limit(range(1, 101)) == 96  # the fifth greatest of 100: .05 × 101 = 5.05
    assert intervals.upper_limit(range(1, 50), level=0.9) == 45  # the fifth of 49: .1 × 50 = 5
    assert tuple(intervals.upper_limit([[1, 5], [2, 4]])) == (2, 5)


def test_an_interval_leaves_a_further_draw_outside_once_in_twenty_at_most():
    low, high = intervals.percentile_interval(range(101))
    assert (low, high) == (1, 99)  # the second of 101: .025 × 102 = 2.55
    assert tuple(intervals.percentile_interval(range(101), level=0.9)) == (4, 96)  # the fifth: .05 × 102 = 5.1


def test_draws_that_are_missing_count_for_nothing():
    drawn = np.array([[n, np.nan, n if n < 39 else np.nan] for n in range(101)], dtype=float)
    low, high = intervals.percentile_interval(drawn)
    assert low[0] == 1
    assert np.isnan([low[1], high[1]]).all()
    assert (low[2], high[2]) == (0, 38)  # the least of 39: .025 × 40 = 1


def test_tails_are_taken_one_by_one_and_may_be_infinite():
    drawn = [[n, np.inf if n > 90 else 1.0] for n in range(101)]
    low, high = intervals.percentile_interval(drawn)
    assert low.tolist() == [1, 1]
    assert high.tolist() == [99, np.inf]


def test_a_ratio_of_means_has_the_degrees_of_freedom_of_welch():
    one, other = [2.0, 4.0, 6.0, 8.0], [1.0, 3.0]
    # variances of the means over their squares: (20/3 / 4) / 25 and (2 / 2) / 4
    parts = 1 / 15, 1 / 4
    free = sum(parts) ** 2 / (parts[0] ** 2 / 3 + parts[1] ** 2 / 1)
    reach = stats.t.ppf(0.975, free) * np.sqrt(sum(parts))
    assert ratio_of_means(one, other) == pytest.approx((2.5, 2.5 * np.exp(-reach), 2.5 * np.exp(reach)))


def test_linear_algebra_runs_on_one_thread_and_then_on_as_many_as_before():
    def threads():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with threadpool_limits(2, "blas"):
        with one_thread():
            assert threads() == {1}
        assert threads() == {2}
