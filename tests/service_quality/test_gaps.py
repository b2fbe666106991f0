"""Gap 5 by second routes: scipy, statsmodels, loops; and its speed."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

from crmlab.contracts import InputError
from crmlab.service_quality.models.gaps import gap_scores
from crmlab.stats import bootstrap
from crmlab.stats.comparisons import holm
from crmlab.stats.differences import Sample, signed_rank

from .gap_worlds import DIMENSIONS, answers, survey, world

ORDER = ["item", "dimension", "n", "expect", "perceive", "gap", "ci_low", "ci_high", "t", "p_adjusted", "d"]


def test_a_gap_is_perceived_less_expected_with_the_columns_of_the_issue():
    table = gap_scores(survey(expect=[[7, 5], [6, 5], [6, 7]], perceive=[[5, 5], [5, 6], [3, 7]]))
    assert list(table.columns[: len(ORDER)]) == ORDER
    assert list(table.item) == ["a1", "a2"]
    assert table.gap.tolist() == pytest.approx([-2, 1 / 3])
    assert (table.expect[0], table.perceive[0]) == (pytest.approx(19 / 3), pytest.approx(13 / 3))
    assert (table.n == 3).all()
    assert list(table.text) == ["Item a1", "Item a2"]


@pytest.mark.parametrize("holes", [0, 0.2])
def test_tests_of_items_are_those_of_scipy(holes):
    held = world(n=200, holes=holes)
    table = gap_scores(held).set_index("item")
    p_t, p_w = [], []
    for item in table.index:
        pair = pd.DataFrame({"e": held.expect[item], "p": held.perceive[item]}).dropna()
        route = stats.ttest_rel(pair.p, pair.e)
        rank = stats.wilcoxon(pair.p, pair.e, method="approx")
        ends = route.confidence_interval()
        row = table.loc[item]
        assert row.n == row.n_effective == len(pair)
        assert [row.expect, row.perceive] == pytest.approx([pair.e.mean(), pair.p.mean()])
        assert [row.t, row.p, row.ci_low, row.ci_high] == pytest.approx(
            [route.statistic, route.pvalue, *ends], rel=1e-9
        )
        assert row.signed_rank_p == pytest.approx(rank.pvalue, rel=1e-9)
        assert row.d == pytest.approx((pair.p - pair.e).mean() / (pair.p - pair.e).std())
        p_t.append(route.pvalue)
        p_w.append(rank.pvalue)
    assert (table.p_adjusted >= p_t).all()
    assert table.signed_rank_p_adjusted.tolist() == pytest.approx(multipletests(p_w, method="holm")[1])
    assert set(table.family) == {"items"}


def test_a_dimension_is_the_mean_of_each_respondents_gaps_and_overall_that_of_dimensions():
    held = world(n=80, holes=0.25)
    table = gap_scores(held, by="dimension").set_index("dimension")
    rows = []
    for i in range(80):
        apart = held.perceive.iloc[i] - held.expect.iloc[i]
        rows.append({d: apart[names].mean() for d, names in held.instrument.dimensions.items()})
    scores = pd.DataFrame(rows)
    scores["overall"] = scores.mean(axis=1, skipna=False)
    assert list(table.index) == [*DIMENSIONS, "overall"]
    for name, row in table.iterrows():
        route = stats.ttest_1samp(scores[name].dropna(), 0)
        assert row.n == scores[name].count()
        assert [row.gap, row.t, row.p] == pytest.approx([scores[name].mean(), route.statistic, route.pvalue])
        assert row.perceive - row.expect == pytest.approx(row.gap)
    assert table.loc["overall", "n"] < 80
    assert table.loc["overall", "p_adjusted"] == table.loc["overall", "p"]  # a family of its own
    assert table.item.tolist() == ["4 items", "5 items", "3 items", "12 items"]


def test_weights_are_those_of_a_with_replacement_design():
    # by loops: the linearised variance of a ratio of sums, and what equal weights of 2.5 must not change
    rng = np.random.default_rng(4)
    weight = rng.gamma(2, size=150)
    held = world(n=150, holes=0.1, weights=weight)
    table = gap_scores(held).set_index("item")
    for item, row in table.iterrows():
        apart = (held.perceive[item] - held.expect[item]).to_numpy()
        w, x = weight[~np.isnan(apart)], apart[~np.isnan(apart)]
        mean = sum(w * x) / sum(w)
        standard_error = np.sqrt(len(x) / (len(x) - 1) * sum((w * (x - mean)) ** 2)) / sum(w)
        n_effective = sum(w) ** 2 / sum(w**2)
        reach = stats.t.ppf(0.975, n_effective - 1) * standard_error
        assert row.n_effective == pytest.approx(n_effective)
        assert [row.gap, row.t, row.ci_low, row.ci_high] == pytest.approx(
            [mean, mean / standard_error, mean - reach, mean + reach]
        )
        assert row.perceive - row.expect == pytest.approx(mean)
    same = gap_scores(world(n=150, holes=0.1, weights=np.full(150, 2.5)))
    pd.testing.assert_frame_equal(same, gap_scores(world(n=150, holes=0.1)))


def test_nearly_equal_weights_give_nearly_the_numbers_of_none():
    weight = 1 + 1e-9 * np.arange(90)
    one, other = (gap_scores(world(n=90, weights=w)) for w in (None, weight))
    exact = [
        "n",
        "expect",
        "perceive",
        "gap",
        "ci_low",
        "ci_high",
        "t",
        "p_adjusted",
        "d",
        "n_effective",
        "p",
        "signed_rank_p",
    ]
    pd.testing.assert_frame_equal(one[exact], other[exact], rtol=1e-6)
    spread = (one.ci_high - one.ci_low) / 3.92
    assert ((one.bootstrap_ci_low - other.bootstrap_ci_low).abs() < 0.3 * spread).all()


def test_rows_without_weight_count_for_nothing():
    held = world(n=60, weights=[0.0] * 10 + [1.0, 2.0] * 25)
    rest = survey(
        DIMENSIONS, expect=held.expect[10:].to_numpy(), perceive=held.perceive[10:].to_numpy(), weights=[1.0, 2.0] * 25
    )
    exact = [*ORDER, "n_effective", "signed_rank_p"]
    pd.testing.assert_frame_equal(gap_scores(held)[exact], gap_scores(rest)[exact])


@pytest.mark.parametrize("seed", range(5))
def test_few_differences_are_ranked_under_every_choice_of_signs(seed):
    # by enumeration of all 2^n signs
    rng = np.random.default_rng(seed)
    values = rng.integers(-3, 5, 11).astype(float)
    kept = values[values != 0]
    ranks = stats.rankdata(np.abs(kept))
    signs = (np.arange(2 ** len(kept))[:, None] >> np.arange(len(kept))) & 1
    sums, seen = signs @ ranks, ranks[kept > 0].sum()
    expected = min(1, 2 * min((sums <= seen).mean(), (sums >= seen).mean()))
    assert signed_rank(Sample.of(values)) == pytest.approx(expected)


def test_holm_keeps_families_apart_and_skips_what_is_unknown():
    p = pd.Series([0.01, np.nan, 0.04, 0.03, 0.02], index=list("vwxyz"))
    found = holm(p, ["a", "a", "a", "b", "b"])
    assert found[["v", "x"]].tolist() == pytest.approx(multipletests([0.01, 0.04], method="holm")[1])
    assert found[["y", "z"]].tolist() == pytest.approx(multipletests([0.03, 0.02], method="holm")[1])
    assert np.isnan(found["w"])
    assert holm([np.nan]).isna().all()


def test_what_cannot_be_estimated_is_blank_with_its_reason():
    expect = np.array([[5, 4, 3, np.nan], [5, 6, np.nan, np.nan], [4, 5, np.nan, 4]])
    perceive = np.array([[4, 3, 5, 2], [4, 7, 5, 3], [3, 6, 5, np.nan]])
    table = gap_scores(survey({"a": 4}, expect=expect, perceive=perceive))
    assert table.reason.tolist() == ["all 3 pairs are the same", "", "fewer than 2 pairs", "fewer than 2 pairs"]
    assert table.n.tolist() == [3, 3, 1, 0]
    blank = table.loc[
        [0, 2, 3], ["ci_low", "ci_high", "t", "p_adjusted", "d", "p", "bootstrap_ci_low", "signed_rank_p"]
    ]
    assert blank.isna().all(axis=None)
    assert table.gap[:3].tolist() == pytest.approx([-1, 1 / 3, 2])
    assert np.isnan(table.gap[3])


def test_batteries_on_different_scales_are_not_subtracted():
    table = gap_scores(world(scales={"expect": {"low": 1, "high": 10}}))
    assert table.gap.isna().all()
    assert set(table.reason) == {"no common scale: expect 1 to 10, perceive 1 to 7"}


def test_only_customers_count_and_none_of_them_twice():
    held = world(n=40, people={"audience": ["customer"] * 30 + ["manager"] * 10})
    assert (gap_scores(held).n == 30).all()
    twice = world(n=40, people={"respondent": [f"r{i % 20}" for i in range(40)], "wave": ["1"] * 20 + ["2"] * 20})
    with pytest.raises(InputError, match=r"20 rows are further answers .* choose a wave .* out of 1, 2"):
        gap_scores(twice)
    assert (gap_scores(twice.select(wave="2")).n == 20).all()


def test_another_by_is_refused():
    with pytest.raises(InputError, match="by = 'battery'"):
        gap_scores(world(n=9), by="battery")


def test_the_survey_is_left_as_it_was():
    held = world(n=30, holes=0.1)
    before = held.expect.copy(), held.perceive.copy(), held.people.copy()
    gap_scores(held, by="dimension")
    for frame, kept in zip((held.expect, held.perceive, held.people), before, strict=True):
        pd.testing.assert_frame_equal(frame, kept)


@pytest.mark.parametrize("by", ["item", "dimension"])
def test_intervals_by_histogram_agree_with_a_bootstrap_of_rows(by):
    held = world(n=400)
    table = gap_scores(held, by=by, replicates=4000)
    apart = held.perceive - held.expect
    if by == "dimension":
        apart = pd.DataFrame({d: apart[n].mean(axis=1) for d, n in held.instrument.dimensions.items()})
        apart["overall"] = apart.mean(axis=1)
    rng = np.random.default_rng(8)
    drawn = np.array([apart.to_numpy()[rng.integers(0, 400, 400)].mean(axis=0) for _ in range(4000)])
    ends = np.quantile(drawn, [0.025, 0.975], axis=0)
    # a quantile at .025 of R normal draws has standard error sd sqrt(.025 .975 / R) / density(.025)
    standard_error = drawn.std(axis=0) * np.sqrt(0.025 * 0.975 / 4000) / norm.pdf(norm.ppf(0.025))
    for found, expected in zip((table.bootstrap_ci_low, table.bootstrap_ci_high), ends, strict=True):
        assert (np.abs(found - expected) < 4.5 * np.sqrt(2) * standard_error).all()
    assert (
        ((table.bootstrap_ci_high - table.bootstrap_ci_low) / (table.ci_high - table.ci_low)).between(0.93, 1.05).all()
    )


def test_the_bootstrap_of_rows_leaves_out_what_is_missing_and_carries_weights():
    rng = np.random.default_rng(3)
    values, weight = rng.normal(size=(50, 2)), rng.gamma(2, size=50)
    values[:7, 0] = np.nan
    drawn = bootstrap.means(values, weight, 3000, seed=2)
    held = values[7:, 0]
    assert drawn.shape == (3000, 2)
    assert drawn[:, 0].mean() == pytest.approx(np.average(held, weights=weight[7:]), abs=0.03)
    assert drawn[:, 1].std() == pytest.approx(one(values[:, 1], weight).standard_error, rel=0.08)


def one(values, weight=None):
    return Sample.of(values, weight)


def test_the_same_seed_gives_the_same_table_and_another_another():
    held = world(n=50)
    pd.testing.assert_frame_equal(gap_scores(held, seed=3), gap_scores(held, seed=3))
    assert (gap_scores(held, seed=3).bootstrap_ci_low != gap_scores(held, seed=4).bootstrap_ci_low).any()


def test_a_large_survey_takes_less_than_a_second():
    rng = np.random.default_rng(1)
    expect, perceive = (answers(rng, 100_000, 22, mean) for mean in (5.8, 4.8))
    held = survey({"a": 4, "b": 5, "c": 4, "d": 4, "e": 5}, expect=expect, perceive=perceive)
    begun = time.process_time()
    gap_scores(held)
    gap_scores(held, by="dimension")
    assert time.process_time() - begun < 1
