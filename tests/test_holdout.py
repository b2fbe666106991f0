import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import holdout


@pytest.fixture(scope="module")
def world():
    """Tuples with counts, and the same customers one by one."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "expected": rng.gamma(1, 1, 60).round(1),
            "naive": rng.poisson(1, 60),
            "actual": rng.poisson(1, 60),
            "customers": rng.integers(1, 9, 60),
        }
    )
    return frame, frame.loc[frame.index.repeat(frame.customers)].reset_index(drop=True)


@pytest.mark.parametrize("measure", holdout.MEASURES)
def test_a_measure_is_the_same_by_tuple_and_by_customer(world, measure):
    few, many = world
    assert measure(few.expected, few.actual, few.customers) == pytest.approx(
        measure(many.expected, many.actual), rel=1e-12
    )


def test_correlations_are_those_of_scipy_ties_included(world):
    _, many = world
    assert holdout.correlation(many.expected, many.actual) == pytest.approx(
        stats.pearsonr(many.expected, many.actual).statistic, rel=1e-12
    )
    assert holdout.spearman(many.naive, many.actual) == pytest.approx(
        stats.spearmanr(many.naive, many.actual).statistic, rel=1e-12
    )


def test_a_rule_that_tells_nobody_apart_correlates_with_nothing(world):
    few, _ = world
    assert holdout.spearman(few.expected * 0, few.actual, few.customers) == 0


def test_the_interval_of_a_difference_is_that_of_customers_drawn_again(world):
    few, many = world
    value, low, high = holdout.difference(holdout.mae, few.expected, few.naive, few.actual, few.customers, seed=2)
    apart = ((many.expected - many.actual).abs() - (many.naive - many.actual).abs()).to_numpy()
    rng = np.random.default_rng(3)
    drawn = [rng.choice(apart, apart.size).mean() for _ in range(4000)]
    assert value == pytest.approx(apart.mean(), rel=1e-12)
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.02)


def test_a_difference_is_the_same_every_time(world):
    few, _ = world
    columns = (few.expected, few.naive, few.actual, few.customers)
    once, again = (holdout.difference(holdout.mae, *columns, replicates=50, seed=4) for _ in range(2))
    assert once == again


def test_the_interval_of_a_correlation_is_fishers():
    rng = np.random.default_rng(5)
    x = rng.normal(size=103)
    theirs = stats.pearsonr(x, x + rng.normal(size=103))
    found = holdout.correlation_interval(theirs.statistic, 103)
    assert found == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-9)
    assert holdout.correlation_interval(0.9, 3) == (-1, 1)
