"""Measures of a race, against scipy on repeated rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crmlab import holdout

ROWS = st.lists(
    st.tuples(st.integers(0, 6).map(lambda v: v / 3), st.integers(0, 4), st.integers(1, 5)), min_size=3, max_size=12
).filter(lambda rows: len({e for e, _, _ in rows}) > 1 and len({a for _, a, _ in rows}) > 1)
RANDOM = settings(max_examples=100, deadline=None, derandomize=True)


def columns(rows):
    expected, actual, customers = map(pd.Series, zip(*rows, strict=True))
    return expected, actual, customers


@RANDOM
@given(rows=ROWS)
def test_measures_are_those_of_numpy_and_scipy_on_repeated_rows(rows):
    expected, actual, customers = columns(rows)
    e, a = expected.repeat(customers).to_numpy(float), actual.repeat(customers).to_numpy(float)
    assert holdout.mae(expected, actual, customers) == pytest.approx(np.abs(e - a).mean())
    assert holdout.rmse(expected, actual, customers) == pytest.approx(np.sqrt(((e - a) ** 2).mean()))
    assert holdout.bias(expected, actual, customers) == pytest.approx(e.sum() / a.sum() - 1)
    assert holdout.correlation(expected, actual, customers) == pytest.approx(stats.pearsonr(e, a).statistic, abs=1e-12)
    assert holdout.spearman(expected, actual, customers) == pytest.approx(stats.spearmanr(e, a).statistic, abs=1e-12)


@RANDOM
@given(rows=ROWS)
def test_rows_stand_for_their_customers(rows):
    expected, actual, customers = columns(rows)
    each = expected.repeat(customers), actual.repeat(customers)
    for measure in holdout.MEASURES:
        assert measure(expected, actual, customers) == pytest.approx(measure(*each), abs=1e-12)


def test_errors_has_a_row_a_rule_and_a_column_a_measure():
    actual, customers = pd.Series([0, 1, 4]), pd.Series([5, 2, 1])
    rules = {"model": pd.Series([0.2, 0.9, 3.0]), "naive": pd.Series([0.0, 2.0, 8.0])}
    table = holdout.errors(rules, actual, customers)
    assert list(table.columns) == ["bias", "mae", "rmse", "correlation", "spearman"]
    assert list(table.index) == ["model", "naive"]
    assert table.index.name == "rule"
    assert table.mae["model"] == pytest.approx((5 * 0.2 + 2 * 0.1 + 1) / 8)


@pytest.mark.parametrize("measure", [holdout.correlation, holdout.spearman])
@pytest.mark.parametrize("alike", [[0.1, 0.1, 0.1], [0, 0, 0]])
def test_a_rule_that_tells_nobody_apart_does_not_correlate(measure, alike):
    varied, customers = pd.Series([1, 2, 4]), pd.Series([3, 7, 1])
    assert measure(pd.Series(alike), varied, customers) == 0
    assert measure(varied, pd.Series(alike), customers) == 0
    assert measure(pd.Series([1, 2, 2]), varied, np.array([0, 5, 2])) == 0  # of those who are there


def test_the_bias_against_nothing_is_undefined_without_a_warning(recwarn):
    assert np.isnan(holdout.bias(pd.Series([1.0, 2.0]), pd.Series([0, 0])))
    assert not recwarn.list


@pytest.fixture(scope="module")
def race():
    """Collapsed: two guesses at the orders of 1,500 customers in 60 rows."""
    rng = np.random.default_rng(4)
    rate = rng.gamma(1.0, 2.0, 60)
    customers = rng.multinomial(1500, np.full(60, 1 / 60))
    return rate + rng.normal(0, 0.3, 60), rate * 1.5, rng.poisson(rate), customers


@pytest.mark.parametrize("measure", [holdout.mae, holdout.spearman])
def test_a_difference_has_the_interval_of_a_bootstrap_over_customers(race, measure):
    # the same bootstrap, resampling customers one by one; each end to 4 standard errors of the quantile of 2,000 draws
    *series, customers = race
    each = [np.repeat(values, customers) for values in series]
    rng = np.random.default_rng(9)

    def apart(rows):
        expected, naive, actual = (values[rows] for values in each)
        return measure(expected, actual) - measure(naive, actual)

    drawn = [apart(rng.integers(0, 1500, 1500)) for _ in range(2000)]
    value, low, high = holdout.difference(measure, *series, customers, replicates=2000)
    assert value == pytest.approx(apart(np.arange(1500)), rel=1e-9)
    error = np.sqrt(0.025 * 0.975 / 2000) / stats.norm.pdf(1.96) * np.std(drawn)
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=4 * np.sqrt(2) * error)


def test_a_difference_repeats_from_its_seed(race):
    *series, customers = race
    one, again, other = (holdout.difference(holdout.mae, *series, customers, seed=s) for s in (1, 1, 2))
    assert one == again
    assert one[0] == other[0]
    assert one[1:] != other[1:]


def test_a_difference_of_equals_is_nothing(race):
    expected, _, actual, customers = race
    assert holdout.difference(holdout.mae, expected, expected, actual, customers, replicates=20) == (0, 0, 0)


def test_the_interval_of_a_correlation_is_that_of_scipy():
    rng = np.random.default_rng(5)
    x = rng.normal(size=200)
    y = x + rng.normal(size=200)
    seen = stats.pearsonr(x, y)
    for level in (0.9, 0.95):
        expected = tuple(seen.confidence_interval(level))
        assert holdout.correlation_interval(seen.statistic, 200, level) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("r", "count", "interval"),
    [(0.5, 3, (-1, 1)), (0.0, 0, (-1, 1)), (1.0, 50, (1, 1)), (-1 - 1e-15, 50, (-1, -1)), (1 + 1e-15, 50, (1, 1))],
)
def test_the_interval_of_a_correlation_is_finite_at_its_edges(r, count, interval, recwarn):
    assert holdout.correlation_interval(r, count) == interval
    assert not recwarn.list
