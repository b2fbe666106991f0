"""Customers drawn alike in every run. [issue: replicates of facts, weights hash(customer, replicate)]"""

import numpy as np
import pytest
from scipy import stats

from crmlab.stats.poisson_bootstrap import weights


def test_a_customer_is_drawn_alike_whoever_else_there_is():
    some = weights([f"c-{n}" for n in range(50)], b"key")
    more = weights([f"c-{n}" for n in range(25, 500)], b"key")
    assert (some[25:] == more[:25]).all()
    assert (weights(range(50), b"key") != some).any()  # other ids
    assert (weights([f"c-{n}" for n in range(50)], b"other") != some).any()


def test_counts_are_poisson_of_mean_one_and_independent_of_each_other():
    drawn = weights(range(20_000), b"key", 50)
    expected = stats.poisson.pmf(range(6), 1) * drawn.size
    observed = np.bincount(drawn.ravel(), minlength=6)[:6]
    assert (
        stats.chisquare([*observed, drawn.size - observed.sum()], [*expected, drawn.size - expected.sum()]).pvalue
        > 1e-3
    )
    between = np.corrcoef(drawn.T)[np.triu_indices(50, 1)]
    assert np.abs(between).max() < 5 / np.sqrt(20_000)
    assert np.corrcoef(drawn[:-1].ravel(), drawn[1:].ravel())[0, 1] == pytest.approx(0, abs=5e-3)


def test_a_total_errs_as_much_as_sampling_says():
    values = np.random.default_rng(1).gamma(0.5, 40, 5000)
    drawn = (weights(range(5000), b"key", 2000) - 1.0).T @ values
    assert drawn.std() == pytest.approx(np.sqrt((values**2).sum()), rel=0.06)
