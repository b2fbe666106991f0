"""Measures of a comparison: by hand, and against numpy, scipy and scikit-learn on one row a customer."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from crmlab import holdout
from crmlab.holdout.measures import Weighted

ROWS = st.lists(
    st.tuples(st.integers(0, 6).map(lambda v: v / 3), st.integers(0, 4), st.integers(1, 5)), min_size=3, max_size=12
).filter(lambda rows: len({e for e, _, _ in rows}) > 1 and len({a for _, a, _ in rows}) > 1)
RANDOM = settings(max_examples=30, deadline=None, derandomize=True)
RANKING = [holdout.correlation, holdout.spearman, holdout.gini]


def columns(rows):
    expected, actual, customers = map(pd.Series, zip(*rows, strict=True))
    return expected, actual, customers


def curve(expected, actual):
    """Share of `actual` over the first customers, best first by `expected`, ties evenly: an array from 0 to 1."""
    even = pd.Series(actual).groupby(np.asarray(expected)).transform("mean").to_numpy()
    best_first = even[np.argsort(-np.asarray(expected), kind="stable")]
    return np.concatenate([[0], np.cumsum(best_first)]) / np.sum(actual)


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
def test_gini_and_lift_are_read_off_the_curve_of_repeated_rows(rows):
    expected, actual, customers = columns(rows)
    e, a = expected.repeat(customers).to_numpy(float), actual.repeat(customers).to_numpy(float)
    share = np.linspace(0, 1, len(a) + 1)
    found, most = (np.trapezoid(curve(by, a), share) - 0.5 for by in (e, a))
    assert holdout.gini(expected, actual, customers) == pytest.approx(found / most, abs=1e-12)
    assert holdout.lift(expected, actual, customers) == pytest.approx(np.interp(0.1, share, curve(e, a)) / 0.1)


@RANDOM
@given(rows=ROWS)
def test_the_gini_of_who_came_back_is_twice_the_area_under_the_roc_less_one(rows):
    expected, actual, customers = columns(rows)
    back = (actual > actual.min()).astype(int)
    area = roc_auc_score(back, expected, sample_weight=customers)
    assert holdout.gini(expected, back, customers) == pytest.approx(2 * area - 1, abs=1e-12)


@RANDOM
@given(rows=ROWS)
def test_rows_stand_for_their_customers(rows):
    expected, actual, customers = columns(rows)
    each = expected.repeat(customers), actual.repeat(customers)
    for measure in holdout.MEASURES:
        assert measure(expected, actual, customers) == pytest.approx(measure(*each), abs=1e-12)


@RANDOM
@given(rows=ROWS, seed=st.integers(0, 99))
def test_a_matrix_of_customers_gives_a_value_a_column(rows, seed):
    expected, actual, _ = columns(rows)
    weights = np.random.default_rng(seed).integers(0, 4, (len(rows), 5))
    weights[0] += 1  # somebody is there
    for measure in holdout.MEASURES:
        each = [measure(expected, actual, column) for column in weights.T]
        np.testing.assert_allclose(measure(expected, actual, weights), each, rtol=1e-9, atol=1e-9)


def test_gini_by_hand():
    one = pd.Series([4, 0, 0, 0])
    assert holdout.gini(pd.Series([4, 3, 2, 1]), one) == pytest.approx(1)
    assert holdout.gini(pd.Series([1, 2, 3, 4]), one) == pytest.approx(-1)
    # tied with another: the curve rises to 1 over half the customers, area 1/4; in perfect order over a quarter, 3/8
    assert holdout.gini(pd.Series([1, 1, 0, 0]), one) == pytest.approx(2 / 3)


def test_lift_by_hand():
    # the tenth of 20 customers is 2: 5 + 1 of 12 orders, against a mean of 12 / 20
    actual = pd.Series([5, 1, 6] + 17 * [0])
    assert holdout.lift(pd.Series(range(20, 0, -1)), actual) == pytest.approx(3 / 0.6)
    # 5 of the first, and the place left is shared by three with 1 + 6 + 0 orders
    assert holdout.lift(pd.Series([9, 8, 8, 8] + 16 * [0]), actual) == pytest.approx((5 + 7 / 3) / 2 / 0.6)
    # of 5 customers, half of the best one
    assert holdout.lift(pd.Series([5, 4, 3, 2, 1]), pd.Series([3, 0, 0, 1, 1])) == pytest.approx(3)


@pytest.mark.parametrize("measure", RANKING)
@pytest.mark.parametrize("alike", [[0.1, 0.1, 0.1], [0, 0, 0]])
def test_a_rule_that_tells_nobody_apart_has_no_merit(measure, alike):
    varied, customers = pd.Series([1, 2, 4]), pd.Series([3, 7, 1])
    assert measure(pd.Series(alike), varied, customers) == 0
    assert measure(varied, pd.Series(alike), customers) == 0
    assert measure(pd.Series([1, 2, 2]), varied, np.array([0, 5, 2])) == 0  # of those who are there
    weights = np.array([[0, 1], [5, 1], [2, 1]])
    assert measure(pd.Series([1, 2, 2]), varied, weights)[0] == 0
    assert measure(pd.Series([1, 2, 2]), varied, weights)[1] > 0.5


def test_a_rule_that_tells_nobody_apart_lifts_nobody():
    assert holdout.lift(pd.Series([2, 2, 2]), pd.Series([0, 1, 5])) == pytest.approx(1)


@pytest.mark.parametrize("measure", [holdout.bias, holdout.lift])
def test_a_ratio_to_nothing_is_undefined_without_a_warning(measure, recwarn):
    assert np.isnan(measure(pd.Series([1.0, 2.0]), pd.Series([0, 0])))
    found = measure(pd.Series([1.0, 2.0]), pd.Series([0, 1]), np.array([[1, 1], [0, 1]]))
    assert list(np.isnan(found)) == [True, False]
    assert not recwarn.list


def test_what_rounding_sets_apart_is_tied():
    actual = pd.Series([3, 0, 1, 5])
    tied, rounded = pd.Series([0.3, 0.3, 0.3, 0.1]), pd.Series([0.3, 0.1 + 0.2, 0.3, 0.1])
    assert rounded[1] != tied[1]
    for measure in (holdout.spearman, holdout.gini, holdout.lift):
        assert measure(rounded, actual) == measure(tied, actual)
        assert measure(tied + pd.Series([0, 1e-9, 0, 0]), actual) != measure(tied, actual)


def test_a_correlation_keeps_its_digits_far_from_zero():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 300))
    weights = rng.multinomial(300, np.full(300, 1 / 300), size=3).T
    assert holdout.correlation(x + 1e6, y + 1e6) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    found, near = holdout.correlation(x + 1e6, y + 1e6, weights), holdout.correlation(x, y, weights)
    np.testing.assert_allclose(found, near, atol=1e-9)


def test_measures_share_what_is_weighed_once():
    expected, actual = Weighted([0.2, 0.5, 0.5], [1, 2, 3]), Weighted([0, 1, 4], [1, 2, 3])
    for measure in holdout.MEASURES:
        assert measure(expected, actual) == measure([0.2, 0.5, 0.5], [0, 1, 4], [1, 2, 3])
    assert expected.ties is expected.ties


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


def test_r2_is_that_of_scikit_learn():
    from sklearn.metrics import r2_score

    rng = np.random.default_rng(1)
    expected, actual, weights = rng.normal(size=50), rng.normal(size=50), rng.integers(1, 4, 50)
    assert holdout.r2(expected, actual, weights) == pytest.approx(r2_score(actual, expected, sample_weight=weights))
    assert np.isnan(holdout.r2(expected, np.ones(50)))


def test_one_customer_alone_has_errors_and_no_rank():
    one = [3.0], [2.0]
    assert (holdout.bias(*one), holdout.mae(*one), holdout.rmse(*one)) == (0.5, 1, 1)
    assert [holdout.correlation(*one), holdout.spearman(*one), holdout.gini(*one)] == [0, 0, 0]
    assert holdout.lift(*one) == pytest.approx(1)  # the tenth is a part of this customer
