"""Perceptions alone, the zone of tolerance and importance-weighted gaps, by scipy, pandas and loops."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.service_quality.checks import shortfall_larger_where_important
from crmlab.service_quality.models.gaps import (
    gap_scores,
    perception_scores,
    service_adequacy,
    service_superiority,
)
from crmlab.service_quality.models.weighting import weighted_gap_scores
from crmlab.service_quality.models.zone import zone_of_tolerance

from .gap_worlds import DIMENSIONS, answers, survey, world


def test_perceptions_count_all_who_perceived():
    held = world(n=100, holes=0.2)
    table = perception_scores(held).set_index("item")
    for item, row in table.iterrows():
        x = held.perceive[item].dropna()
        ends = stats.t.interval(0.95, len(x) - 1, x.mean(), stats.sem(x))
        assert [row.n, row.perceive, row.ci_low, row.ci_high] == pytest.approx([len(x), x.mean(), *ends])
    assert perception_scores(held, by="dimension").dimension.tolist() == [*DIMENSIONS, "overall"]


def zoned(desired=True, n=200):
    rng = np.random.default_rng(6)
    expect = answers(rng, n, 4, 6)
    return survey(
        {"a": 2, "b": 2},
        expect=expect,
        perceive=answers(rng, n, 4, 5),
        adequate=np.clip(expect - rng.integers(0, 4, (n, 4)) + (rng.random((n, 4)) < 0.05) * 3, 1, 7),
        conventions={"desired": desired},
    )


def test_adequacy_is_measured_always_and_superiority_where_the_desired_level_was_asked():
    held = zoned()
    table = service_adequacy(held)
    assert table.columns[3] == "adequate"
    assert table.gap.tolist() == pytest.approx((held.perceive - held.adequate).mean().tolist())
    pd.testing.assert_frame_equal(service_superiority(held), gap_scores(held))
    undeclared = service_superiority(zoned(desired=False))
    assert undeclared[["gap", "ci_low", "t", "p_adjusted", "bootstrap_ci_high", "perceive"]].isna().all(axis=None)
    assert set(undeclared.reason) == {
        "expect is not declared as the desired level; set conventions.desired where it asked for that"
    }
    assert service_adequacy(zoned(desired=False)).gap.notna().all()


def test_the_zone_counts_those_below_within_and_above_it():
    held = zoned()
    for _, row in zone_of_tolerance(held).iterrows():
        a, e, p = (frame[row["item"]] for frame in (held.adequate, held.expect, held.perceive))
        ok = a <= e
        assert row.inverted == (~ok).sum() > 0
        shares = [(p[ok] < a[ok]).mean(), ((a[ok] <= p[ok]) & (p[ok] <= e[ok])).mean(), (p[ok] > e[ok]).mean()]
        assert [row.below, row.within, row.above] == pytest.approx(shares)
        assert [row.msa, row.mss] == pytest.approx([(p - a).mean(), (p - e).mean()])
        ends = stats.ttest_rel(p, e).confidence_interval()
        assert [row.mss_ci_low, row.mss_ci_high] == pytest.approx([*ends])


def test_weights_reach_the_zone_by_hand():
    held = survey(
        {"a": 1},
        adequate=[[2], [3], [4], [5]],
        expect=[[6], [6], [4], [4]],  # the last wants less than the least
        perceive=[[1], [5], [5], [4]],
        weights=[1, 2, 3, 4],
        conventions={"desired": True},
    )
    row = zone_of_tolerance(held).iloc[0]
    assert row[["adequate", "perceive", "desired", "msa", "mss"]].tolist() == pytest.approx([4, 4.2, 4.6, 0.2, -0.4])
    assert row[["n", "inverted", "below", "within", "above"]].tolist() == pytest.approx([4, 1, 1 / 6, 2 / 6, 3 / 6])


def test_the_zone_without_a_desired_level_has_only_its_floor():
    table = zone_of_tolerance(zoned(desired=False), by="dimension")
    assert table[["msa", "msa_ci_low", "adequate", "below"]].notna().all(axis=None)
    assert table[["mss", "desired", "within", "above", "inverted"]].isna().all(axis=None)
    assert table.reason.str.startswith("expect is not declared").all()


def test_a_zone_stands_where_its_intervals_settle_it():
    rng = np.random.default_rng(1)
    jitter = rng.integers(-1, 2, (60, 4))
    held = survey(
        {"a": 4},
        expect=np.array([6, 6, 5, 3]) + 0 * jitter,
        adequate=np.array([4, 4, 2, 5]) + 0 * jitter,
        perceive=np.array([5, 2, 6, 4]) + jitter,
        conventions={"desired": True},
    )
    assert zone_of_tolerance(held).position.fillna("").tolist() == ["within", "below", "above", ""]
    assert zone_of_tolerance(held).reason.tolist()[3] == "nobody's adequate level lies below the desired one"


@pytest.mark.parametrize("weights", [None, "some"])
def test_a_weighted_gap_is_the_product_of_means_and_a_covariance(weights):
    rng = np.random.default_rng(9)
    held = world(
        n=150,
        holes=0.1,
        points=rng.dirichlet([3, 5, 2], 150) * 100,
        weights=None if weights is None else rng.gamma(3, size=150),
    )
    table = weighted_gap_scores(held).set_index("dimension")
    assert set(table.source) == {"points"}
    scores = pd.DataFrame(
        {d: (held.perceive - held.expect)[n].mean(axis=1) for d, n in held.instrument.dimensions.items()}
    )
    kept = scores.notna().all(axis=1)
    v, g, w = held.points[kept] / 100, scores[kept], held.people.weight[kept]
    cov = sum(np.cov(v[d], g[d], aweights=w, ddof=0)[0, 1] for d in DIMENSIONS)
    mean = np.average((v * g).sum(axis=1), weights=w)
    assert table.loc["overall", "weighted_gap"] == pytest.approx(mean)
    assert table.loc["overall", "covariance"] == pytest.approx(cov)
    assert table.loc["overall", "product_of_means"] == pytest.approx(mean - cov)
    assert table.loc["overall", "gap"] == pytest.approx(np.average(g.mean(axis=1), weights=w))
    assert (table.weighted_gap - table["product_of_means"] - table.covariance).abs().max() < 1e-12
    assert table.loc["overall", "importance"] == pytest.approx(1)
    for d in DIMENSIONS:  # weighed by three times its share, so that a mean importance is 1
        care, gap = (x - np.average(x, weights=w) for x in (3 * v[d], g[d]))
        each, size = care * gap, w.sum() ** 2 / (w**2).sum()
        mean = np.average(each, weights=w)
        error = np.sqrt(len(w) / (len(w) - 1) * ((w * (each - mean)) ** 2).sum()) / w.sum()
        ends = mean + np.array([-1, 1]) * stats.t.ppf(0.975, size - 1) * error
        assert table.loc[d, ["covariance_ci_low", "covariance_ci_high"]].tolist() == pytest.approx([*ends])
    if weights is None:
        ends = stats.ttest_1samp((v * g).sum(axis=1), 0).confidence_interval()
        assert [table.loc["overall", "ci_low"], table.loc["overall", "ci_high"]] == pytest.approx([*ends])
        rng, drawn = np.random.default_rng(1), []
        for _ in range(1500):
            at = rng.integers(0, len(v), len(v))
            drawn.append(sum(np.cov(v[d].iloc[at], g[d].iloc[at], ddof=0)[0, 1] for d in DIMENSIONS))
        width = table.loc["overall", "covariance_ci_high"] - table.loc["overall", "covariance_ci_low"]
        assert width == pytest.approx(2 * 1.976 * np.std(drawn), rel=0.1)


def test_importance_is_relative_so_that_points_of_any_sum_weigh_alike():
    shares = np.random.default_rng(9).dirichlet([3, 5, 2], 40)
    one, hundred = (weighted_gap_scores(world(n=40, points=times * shares)) for times in (1, 100))
    pd.testing.assert_frame_equal(one, hundred)
    assert one.weighted_gap.notna().all()


def test_those_who_care_more_and_see_more_amiss_make_the_covariance():
    # two kinds of customers: each cares only about what is worse for them
    expect, perceive = np.full((4, 2), 6), np.array([[2, 6], [3, 6], [6, 2], [6, 3]])
    points = np.array([[100, 0], [100, 0], [0, 100], [0, 100]])
    held = survey({"a": 1, "b": 1}, expect=expect, perceive=perceive, points=points)
    row = weighted_gap_scores(held).iloc[-1]
    assert [row.gap, row.weighted_gap, row["product_of_means"], row.covariance] == pytest.approx(
        [-1.75, -3.5, -1.75, -1.75]
    )
    check = shortfall_larger_where_important(weighted_gap_scores(held))
    assert check.outcome == "yes"
    assert "-3.50" in check.summary
    unsure = weighted_gap_scores(held).assign(covariance_ci_low=-2.0, covariance_ci_high=0.1)
    assert shortfall_larger_where_important(unsure).outcome == "undecided"


def test_ratings_of_items_weigh_too():
    rng = np.random.default_rng(2)
    held = survey(
        DIMENSIONS, expect=answers(rng, 90, 12), perceive=answers(rng, 90, 12, 4), importance=answers(rng, 90, 12, 5.5)
    )
    table = weighted_gap_scores(held, by="item").set_index("item")
    care = held.importance.div(held.importance.mean(axis=1), axis=0)
    apart = held.perceive - held.expect
    assert table.weighted_gap.tolist() == pytest.approx((care * apart).mean().tolist())
    assert (table.weighted_gap - table["product_of_means"]).tolist() == pytest.approx(table.covariance.tolist())
    overall = weighted_gap_scores(held).iloc[-1]
    rated = pd.DataFrame({d: held.importance[n].mean(axis=1) for d, n in held.instrument.dimensions.items()})
    scores = pd.DataFrame({d: apart[n].mean(axis=1) for d, n in held.instrument.dimensions.items()})
    shares = rated.div(rated.sum(axis=1), axis=0)
    assert overall.weighted_gap == pytest.approx((shares * scores).sum(axis=1).mean())
    assert overall.source == "importance"


def test_weighing_by_what_was_not_asked_is_blank_with_the_reason():
    table = weighted_gap_scores(world(n=20))
    assert table[["importance", "gap", "weighted_gap", "covariance", "ci_low"]].isna().all(axis=None)
    assert set(table.reason) == {"ratings of importance were not asked"}
    assert shortfall_larger_where_important(table).summary == "Not judged: ratings of importance were not asked."
    by_points = weighted_gap_scores(world(n=20), source="points")
    assert set(by_points.reason) == {"importance points were not asked"}
