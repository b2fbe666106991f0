import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from crmlab.stats.shares import wilson_interval


@pytest.mark.parametrize("n", [1, 7, 100, 2357])
def test_ends_are_those_of_two_other_programs(n):
    count = np.unique(np.linspace(0, n, 12).astype(int))
    found = np.array(wilson_interval(count, n))
    by_scipy = [stats.binomtest(int(k), n).proportion_ci(method="wilson") for k in count]
    np.testing.assert_allclose(found.T, by_scipy, atol=1e-15)
    np.testing.assert_allclose(found, proportion_confint(count, n, method="wilson"), atol=1e-15)


def test_none_and_all_have_ends_without_what_rounding_leaves():
    n = np.arange(1, 200)
    assert (wilson_interval(0 * n, n)[0] == 0).all()
    assert (wilson_interval(n, n)[1] == 1).all()


def test_of_nobody_there_is_no_interval():
    assert np.isnan(wilson_interval([0, 0], [0, np.nan])).all()


def test_a_lower_level_gives_the_interval_of_that_level():
    low, high = wilson_interval(3, 10, level=0.9)
    assert (low, high) == pytest.approx(stats.binomtest(3, 10).proportion_ci(0.9, method="wilson"), abs=1e-15)
