"""Worlds with planted gaps: intervals hold them, and families of tests err as rarely as they say.

Rates of many surveys are measured by `make bench PART=coverage`.
"""

import numpy as np
import pytest

from crmlab.stats.differences import Sample, one_sample

from .rates import gaps_held, null_gaps, rounded_mean, simulated_gaps_held


def test_planted_gaps_lie_inside_most_of_their_intervals():
    by_t, booted, whole = gaps_held(120, replicates=200)
    assert np.mean([*by_t, whole]) == pytest.approx(0.95, abs=0.025)
    assert booted.mean() == pytest.approx(0.94, abs=0.025)  # percentiles of 60 answers are a little short


def test_gaps_of_simulated_surveys_lie_inside_most_of_their_intervals():
    items, dimensions = simulated_gaps_held(24)
    assert (len(items), len(dimensions)) == (22, 5)
    assert items.mean() == pytest.approx(0.95, abs=0.025)
    assert dimensions.mean() == pytest.approx(0.95, abs=0.05)


def test_weighted_intervals_hold_what_the_weights_restore():
    # half of those who are hard to please answer, and count double
    rng, inside = np.random.default_rng(5), []
    true = (rounded_mean(4, 1) + rounded_mean(5.5, 1)) / 2 - rounded_mean(5.5, 1)
    for _ in range(600):
        hard = rng.random(120) < 1 / 3
        perceive = np.clip(np.round(np.where(hard, 4, 5.5) + rng.normal(size=120)), 1, 7)
        expect = np.clip(np.round(5.5 + rng.normal(size=120)), 1, 7)
        found = one_sample(Sample.of(perceive - expect, np.where(hard, 2.0, 1.0)))
        inside.append(found["ci_low"] <= true <= found["ci_high"])
    assert abs(np.mean(inside) - 0.95) < 3.5 * np.sqrt(0.95 * 0.05 / 600)


def test_null_surveys_seldom_err_in_a_family_and_would_without_holm():
    for found in null_gaps(60):
        assert 0 < found.adjusted <= 0.1  # .05 and two standard errors
        assert found.unadjusted > 0.2
