"""Simultaneous intervals and adjusted p-values come from the same draws, and never contradict one another."""

import numpy as np
import pytest
from scipy import stats

from crmlab import service_quality as sq
from crmlab.stats import simultaneous as module
from crmlab.stats.simultaneous import mean_deviations, simultaneous

from .gap_worlds import world
from .rates import simultaneous_held


def test_an_interval_by_hand():
    # 40 draws of -1 and 1 by halves, of which two of either column are replaced by 3 and -3: the spread is
    # √((36 + 4 x 9) / 40) = √1.8, and the largest |z| is 3 / √1.8 in eight draws and 1 / √1.8 in 32. Of 40 draws the
    # limit is the k-th largest, k = .05 x 41 or the whole number below: 2
    drawn = np.tile([[1.0, 1.0], [-1.0, -1.0]], (20, 1))
    drawn[:4, 0], drawn[4:8, 1] = [3, -3, 3, -3], [3, -3, 3, -3]
    low, high, p = simultaneous([2.0, 0.7], [0.5, 0.5], [np.inf, np.inf], drawn)
    reach = 0.5 * 3 / np.sqrt(1.8)
    assert [*low, *high] == pytest.approx([2 - reach, 0.7 - reach, 2 + reach, 0.7 + reach])
    assert list(p) == pytest.approx([1 / 41, 9 / 41])  # |t| of 4, which none reaches, and of 1.4, which eight do


def test_independent_means_are_as_sidak_has_them_and_one_that_stands_twice_counts_once():
    z = np.random.default_rng(1).normal(size=(200_000, 3))
    low, high, p = simultaneous([0, 1, 2.5], [1, 1, 1], [30, 30, 30], z)
    limit = stats.norm.isf((1 - 0.95 ** (1 / 3)) / 2)
    assert high[0] == pytest.approx(stats.t.isf(stats.norm.sf(limit), 30), abs=0.02)
    assert list(high + low) == pytest.approx([0, 2, 5])
    assert p[2] == pytest.approx(1 - (1 - 2 * stats.t.sf(2.5, 30)) ** 3, abs=0.003)
    low, high, p = simultaneous([2.1, 2.1], [1, 1], [30, 30], z[:, [0, 0]])
    reach = stats.t.ppf(0.975, 30)
    assert [high[0] - 2.1, p[0]] == pytest.approx([reach, 2 * stats.t.sf(2.1, 30)], rel=0.02)


def test_one_comparison_alone_is_students_and_what_has_no_error_is_blank():
    low, high, p = simultaneous([1.0, 3.0], [0.4, np.nan], [9, np.nan], np.zeros((200, 2)))
    reach = 0.4 * stats.t.ppf(0.975, 9)
    assert [low[0], high[0], p[0]] == pytest.approx([1 - reach, 1 + reach, 2 * stats.t.sf(2.5, 9)])
    assert np.isnan([low[1], high[1], p[1]]).all()
    tossed = np.tile([[1.0, 1.0], [-1.0, -1.0]], (20, 1))  # whose largest |z| is always 1
    _, both, _ = simultaneous([1.0, 3.0], [0.4, 0.4], [9, 9], tossed)
    assert both[0] == high[0]  # two are never judged more sharply than one


@pytest.mark.parametrize("draws", [10, 18, 19, 99, 500, 1999, 2000])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_an_interval_excludes_0_where_and_only_where_p_says_so(draws, level):
    rng = np.random.default_rng(draws)
    for _ in range(30):
        t = rng.normal(scale=2, size=6)
        low, high, p = simultaneous(t, np.ones(6), np.full(6, 12.0), rng.normal(size=(draws, 6)), level)
        assert list((low > 0) | (high < 0)) == list(p <= 1 - level + 1e-12)
        assert np.isinf(high).all() == (draws < 1 / (1 - level) - 1 - 1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_draws_of_large_samples_vary_as_those_of_respondents(monkeypatch, weighted):
    rng = np.random.default_rng(3)
    values = rng.normal(size=(400, 1)) + rng.normal(size=(400, 3))
    values[rng.random(values.shape) < 0.2] = np.nan
    values[:, 2] = np.nan
    weight = rng.gamma(2, size=400) * (rng.random(400) > 0.1) if weighted else None
    held = mean_deviations(values, weight, 4000)
    monkeypatch.setattr(module, "LARGE", 100)
    normal = mean_deviations(values, weight, 4000)
    assert np.cov(normal[:, :2].T).ravel() == pytest.approx(np.cov(held[:, :2].T).ravel(), rel=0.1)
    assert np.abs(held[:, :2].mean(axis=0)).max() < 0.01


def test_gaps_have_intervals_that_hold_all_at_once():
    gaps = sq.gap_scores(world(n=120, holes=0.1), "dimension")
    wider = (gaps.simultaneous_ci_high - gaps.simultaneous_ci_low) / (gaps.ci_high - gaps.ci_low)
    assert wider[3] == pytest.approx(1)  # overall is a family of one
    # between one comparison and three that are independent, at 119 degrees of freedom
    limits = [stats.t.isf(tail, 119) for tail in (0.025, (1 - 0.95 ** (1 / 3)) / 2)]
    assert ((wider[:3] > 1) & (wider[:3] < 1.02 * limits[1] / limits[0])).all()


def test_simultaneous_intervals_hold_all_gaps_as_often_as_they_say():
    assert simultaneous_held(20) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 20)


def test_gap_7_of_the_example_is_undecided_by_interval_and_p():
    board = sq.gaps_model(sq.read_survey("data/example_survey.csv", "data/example_survey.toml").as_of())
    last = board.set_index("number").loc[7]
    assert last.ci_low > 0  # alone it would be one
    assert last.simultaneous_ci_low < 0 < last.simultaneous_ci_high
    assert last.p_adjusted > 0.05
    known = board[board.gap.notna()]
    excludes = (known.simultaneous_ci_low > 0) | (known.simultaneous_ci_high < 0)
    assert list(excludes) == list(known.p_adjusted <= 0.05)
