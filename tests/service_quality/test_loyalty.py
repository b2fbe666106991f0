"""Loyalty by satisfaction, ratios of probabilities, recommending, complaints and scores: against planted worlds."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from crmlab.contracts import InputError
from crmlab.service_quality.models.complaints import resolution_ratios
from crmlab.service_quality.models.loyalty import loyal_share_by_level, promoter_shares
from crmlab.service_quality.models.satisfaction import importance_weighted_scores
from crmlab.stats.ratios import ratio_of_means, ratio_of_proportions

from .rates import complainers, complaints_held, ratio_of_six, satisfied_and_loyal

REPLICATES, EACH, SIX = 2_000, 100, 6.0


@pytest.mark.parametrize("p4", [0.01, 0.02, 0.05, 0.1, 0.15])
def test_a_planted_top_box_ratio_of_six_is_covered(p4):
    rng = np.random.default_rng(1)
    four, five = rng.binomial(EACH, p4, REPLICATES), rng.binomial(EACH, SIX * p4, REPLICATES)
    _, low, high = ratio_of_proportions(five, EACH, four, EACH)
    assert 0.93 <= np.mean((low <= SIX) & (high >= SIX)) <= 0.97
    if p4 == 0.01:
        assert (four == 0).mean() > 0.3  # zero cells are among them


@pytest.mark.parametrize(("p4", "n4", "n5"), [(0.1, 100, 100), (0.02, 100, 100), (0.05, 400, 100), (0.02, 100, 400)])
def test_the_coverage_is_right_over_all_that_can_happen(p4, n4, n5):
    # a second route, without chance: every pair of counts and its probability
    four, five = np.meshgrid(np.arange(n4 + 1), np.arange(n5 + 1), indexing="ij")
    _, low, high = ratio_of_proportions(five, n5, four, n4)
    chance = stats.binom.pmf(four, n4, p4) * stats.binom.pmf(five, n5, SIX * p4)
    assert 0.93 <= (chance * ((low <= SIX) & (high >= SIX))).sum() <= 0.97


def test_the_planted_ratio_is_found_in_surveys():
    median, held = ratio_of_six(30)
    assert median == pytest.approx(6, rel=0.07)
    assert held >= 0.9


@pytest.mark.parametrize(
    ("x1", "n1", "x2", "n2"), [(60, 100, 10, 100), (3, 40, 17, 35), (90, 100, 88, 120), (7, 9, 1, 30)]
)
def test_ratios_have_the_interval_of_statsmodels(x1, n1, x2, n2):
    ratio, *ends = ratio_of_proportions(x1, n1, x2, n2)
    theirs = confint_proportions_2indep(x1, n1, x2, n2, compare="ratio", method="score", correction=False)
    assert ends == pytest.approx(theirs, rel=1e-8)
    assert ratio == pytest.approx(x1 / n1 / (x2 / n2))
    back = ratio_of_proportions(x2, n2, x1, n1)
    assert [1 / back[2], 1 / back[1]] == pytest.approx(ends, rel=1e-8)


def test_ratios_of_zero_counts_have_one_end():
    ratio, low, high = ratio_of_proportions(60, 100, 0, 100)
    assert (ratio, high) == (np.inf, np.inf)
    # at the lower end the likeliest chances leave the score statistic on its limit; the count below would be at least 1
    assert ratio_of_proportions(60, 100, 1, 100)[1] < low < 60
    ratio, low, high = ratio_of_proportions(0, 100, 60, 100)
    assert (ratio, low) == (0, 0)
    assert 0 < high < 0.1
    ratio, low, high = ratio_of_proportions(0, 50, 0, 50)
    assert np.isnan(ratio)
    assert (low, high) == (0, np.inf)
    assert ratio_of_proportions(50, 50, 50, 50) == pytest.approx((1, 0.9286, 1.0769), abs=2e-3)
    assert np.isnan(ratio_of_proportions(5, 10, 0, 0)).all()


def test_levels_are_counted_with_wilson_intervals():
    satisfied = pd.Series([3, 3, 4, 4, 4, 4, 5, 5, 5, np.nan, 5], dtype=float)
    loyal = pd.Series([0, 0, 1, 0, 0, 0, 1, 1, 0, 1, np.nan])
    found = loyal_share_by_level(satisfied, loyal, levels=range(1, 6)).set_index("satisfaction")
    assert list(found.n) == [0, 0, 2, 4, 3]
    assert list(found.share[2:]) == [0, 0.25, 2 / 3]
    assert list(found.reason) == [
        "nobody at this level",
        "nobody at this level",
        "nobody one level below",
        "nobody one level below is loyal: no end",
        "",
    ]
    assert (found.share_ci_low[5], found.share_ci_high[5]) == pytest.approx(proportion_confint(2, 3, method="wilson"))
    assert found.risk_ratio[5] == pytest.approx((2 / 3) / 0.25)


def test_weighted_levels_have_effective_numbers():
    satisfied, loyal = satisfied_and_loyal(0.2, 0.6, 50, 2)
    weight = np.tile([1.0, 3.0], 50)
    found = loyal_share_by_level(satisfied, loyal, weight).set_index("satisfaction")
    held = satisfied == 5
    assert found.n[5.0] == pytest.approx(weight[held].sum() ** 2 / (weight[held] ** 2).sum())
    assert found.share[5.0] == pytest.approx(np.average(loyal[held], weights=weight[held]))


def test_nps_and_its_variance_are_those_of_scores_of_each():
    answers = pd.Series(np.random.default_rng(4).integers(0, 11, 400).astype(float))
    each = np.select([answers >= 9, answers <= 6], [100.0, -100.0], 0.0)
    row = promoter_shares(answers).iloc[0]
    assert row.nps == pytest.approx(each.mean())
    assert row.variance == pytest.approx(each.var() / 400)
    assert row.promoters + row.passives + row.detractors == pytest.approx(1)
    twice = promoter_shares(answers, np.full(400, 2.0)).iloc[0]
    assert (twice.nps, twice.n) == pytest.approx((row.nps, 400))


@pytest.mark.parametrize("shares", [(0.3, 0.4, 0.3), (0.05, 0.15, 0.8), (0.02, 0.08, 0.9)])
def test_the_interval_of_nps_covers_it(shares):
    # detractors, passives, promoters, planted; 50 answers
    drawn = np.random.default_rng(5).multinomial(50, shares, REPLICATES)
    truth = 100 * (shares[2] - shares[0])
    counts, times = np.unique(drawn, axis=0, return_counts=True)  # what was drawn again is not computed again
    rows = [promoter_shares(pd.Series(np.repeat([0.0, 7.0, 10.0], each))).iloc[0] for each in counts]
    held = [row.ci_low <= truth <= row.ci_high for row in rows]
    assert 0.93 <= np.average(held, weights=times) <= 0.975


def test_nps_of_another_scale_is_blank_and_of_one_answer_has_width():
    assert promoter_shares(pd.Series([5.0]), scale=(1, 5)).reason[0] == "needs answers of 0 to 10, asked on 1 to 5"
    assert promoter_shares(pd.Series([np.nan])).reason[0] == "nobody answered"
    row = promoter_shares(pd.Series([10.0] * 20)).iloc[0]
    assert (row.nps, row.variance, row.ci_high) == (100, 0, 100)
    assert row.ci_low < 95


def test_planted_effects_of_complaints_are_mostly_covered():
    assert complaints_held(40) == pytest.approx([0.95, 0.95], abs=0.05)


def test_complaints_leave_out_who_had_none_and_say_what_is_blank():
    resolved, told, stopped = complainers(500, 6)
    found = resolution_ratios(resolved, {"told": told}, {"stopped": stopped, "never": stopped * 0}).set_index("effect")
    assert list(found.n_unresolved) == [(resolved == 0).sum()] * 3
    assert found.unresolved["told"] == pytest.approx(told[resolved == 0].mean())
    assert found.ratio["stopped"] == pytest.approx(stopped[resolved == 0].mean() / stopped[resolved == 1].mean())
    assert found.reason["never"] == "nobody did on either side: the ratio lies anywhere"
    few = resolution_ratios(resolved[:12], {"told": told[:12]}, {})
    assert "complaints on one side: at least 5 are needed" in few.reason[0]
    silent = resolution_ratios(resolved, {"told": told * 0}, {})
    assert silent.reason[0] == "nobody did on one side: means of 0 have no ratio"


def test_a_ratio_of_means_is_that_of_logs():
    rng = np.random.default_rng(7)
    one, other = rng.gamma(4, 2, 300), rng.gamma(4, 1, 200)
    ratio, low, high = ratio_of_means(one, other)
    spread = np.sqrt(one.var(ddof=1) / 300 / one.mean() ** 2 + other.var(ddof=1) / 200 / other.mean() ** 2)
    assert ratio == pytest.approx(one.mean() / other.mean())
    assert np.log([low, high]) == pytest.approx(np.log(ratio) + spread * 1.966 * np.array([-1, 1]), abs=1e-3)
    drawn = np.log([rng.choice(one, 300).mean() / rng.choice(other, 200).mean() for _ in range(4_000)])
    assert spread == pytest.approx(drawn.std(), rel=0.05)


ATTRIBUTES = ["quality", "function", "price", "service", "packaging", "taste"]  # the textbook's six


def rated(n, seed):
    """Ratings of six attributes of 1 to 5, the better the more important."""
    rng = np.random.default_rng(seed)
    means = np.array([4.2, 3.8, 3.1, 3.4, 2.9, 4.5])
    ratings = np.clip(np.round(means + 0.5 * rng.normal(size=(n, 1)) + 0.6 * rng.normal(size=(n, 6))), 1, 5)
    return pd.DataFrame(ratings, columns=ATTRIBUTES), pd.Series([5, 3, 4, 3, 1, 4], ATTRIBUTES, dtype=float)


def test_scores_are_means_and_weighted_means():
    ratings, importance = rated(300, 8)
    found = importance_weighted_scores(ratings, importance).set_index("score")
    assert found.value["simple"] == pytest.approx(ratings.to_numpy().mean())
    by_hand = (ratings.mean() * importance).sum() / importance.sum()
    assert found.value["weighted"] == pytest.approx(by_hand)
    assert found.value["weighted less simple"] == pytest.approx(by_hand - ratings.to_numpy().mean())
    reach = 1.96 * ratings.mean(axis=1).std() / np.sqrt(300)
    assert found.ci_high["simple"] - found.ci_low["simple"] == pytest.approx(2 * reach, rel=0.06)


def test_the_band_is_that_of_dirichlet_weights():
    ratings, importance = rated(300, 9)
    found = importance_weighted_scores(ratings, importance, weight_cv=0.3, replicates=20_000).set_index("score")
    share, mean = importance / importance.sum(), ratings.mean()
    whole = 5 / 0.3**2 - 1
    variance = ((share * mean**2).sum() - (share * mean).sum() ** 2) / (whole + 1)  # of a Dirichlet mean, exact
    assert found.sensitivity_high["weighted"] - found.sensitivity_low["weighted"] == pytest.approx(
        3.92 * np.sqrt(variance), rel=0.05
    )
    assert found.sensitivity_low["simple"] == found.sensitivity_high["simple"] == found.value["simple"]
    surer = importance_weighted_scores(ratings, importance, weight_cv=0.05).set_index("score")
    assert surer.sensitivity_high["weighted"] - surer.sensitivity_low["weighted"] < 0.3 * 3.92 * np.sqrt(variance)


def test_each_respondents_importance_counts_by_its_mean():
    ratings, importance = rated(200, 10)
    each = pd.DataFrame(np.tile(importance, (200, 1)), columns=ATTRIBUTES) * np.random.default_rng(1).random((200, 1))
    one, many = importance_weighted_scores(ratings, importance), importance_weighted_scores(ratings, each)
    assert list(one.value) == pytest.approx(list(many.value))


def test_weights_are_refused_all_at_once():
    ratings, importance = rated(50, 11)
    with pytest.raises(InputError) as caught:
        importance_weighted_scores(ratings, importance.drop("taste"), weight_cv=2)
    assert len(caught.value.breaches) == 2
    assert "lacks 1 of 6 attributes (taste)" in caught.value.breaches[0]
    with pytest.raises(InputError, match="not all 0"):
        importance_weighted_scores(ratings, importance * 0)
    with pytest.raises(InputError, match="no respondent answered all"):
        importance_weighted_scores(ratings.assign(price=np.nan), importance)
