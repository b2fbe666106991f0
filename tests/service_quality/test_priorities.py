"""What to fix first: quadrants and their stability, shares of R², penalties and rewards, in planted worlds."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from crmlab.contracts import InputError
from crmlab.service_quality.models.asymmetry import penalty_reward_contrasts
from crmlab.service_quality.models.drivers import lmg, relative_importance
from crmlab.service_quality.models.priorities import COLUMNS, importance_performance_analysis
from crmlab.stats import resample

from .rates import MEANS, PLANTED, asymmetric, driven, penalties_held, quadrants, rated, shares_held


def test_quadrants_of_a_planted_world_are_decided_and_the_middle_is_not():
    performance, importance = rated(400, 1)
    found = importance_performance_analysis(performance, importance).set_index("item")
    assert list(found.quadrant[:4]) == PLANTED
    assert list(found.decision[:4]) == PLANTED
    assert (found.stability[:4] > 0.99).all()
    assert found.decision["e"] == "undecided"
    assert found.stability["e"] < 0.8
    assert found.importance.to_numpy() == pytest.approx(importance.mean().to_numpy())
    assert found.performance.to_numpy() == pytest.approx(performance.mean().to_numpy())
    assert list(found.n) == [400] * 5


def test_decided_quadrants_are_seldom_wrong():
    decided, wrong = quadrants(20)
    assert decided > 500 / 800
    assert wrong < 0.05


def test_stability_is_that_of_a_bootstrap_of_rows():
    # a second route: pandas, row by row; 3 standard errors of two times 600 replicates
    performance, importance = rated(80, 2, 1.6)
    found = importance_performance_analysis(performance, importance, replicates=600).set_index("item")
    rng, stays = np.random.default_rng(3), []
    for _ in range(600):
        rows = rng.integers(0, 80, 80)
        i, p = importance.iloc[rows].mean(), performance.iloc[rows].mean()
        same_i = (i >= i.mean()) == (found.importance >= found.importance.mean())
        stays.append(same_i & ((p >= p.mean()) == (found.performance >= found.performance.mean())))
    assert found.stability.to_numpy() == pytest.approx(np.mean(stays, axis=0), abs=0.09)


def test_the_crosshair_is_a_choice():
    performance, importance = rated(200, 4)
    middle = {"means": importance.mean().mean(), "medians": importance.mean().median(), "midpoint": 4.0}
    for crosshair, cross in middle.items():
        found = importance_performance_analysis(performance, importance, crosshair, (4.0, 4.0), replicates=20)
        assert found.crosshair_importance.to_numpy() == pytest.approx([cross] * 5)
    assert set(found.quadrant) <= {"concentrate here", "keep up"}  # all matter more than the midpoint


def test_two_attributes_have_places_and_one_alone_has_none():
    performance = pd.DataFrame({"a": [2.0, 3] * 6, "b": [5.0, 6] * 6})
    importance = pd.DataFrame({"a": [6.0, 7] * 6, "b": [3.0, 4] * 6})
    two = importance_performance_analysis(performance, importance, replicates=20)
    assert two.quadrant.tolist() == ["concentrate here", "possible overkill"]
    assert two.crosshair_performance.tolist() == [4, 4]
    one = importance_performance_analysis(performance[["a"]], importance[["a"]], replicates=20)
    assert one.quadrant.isna().all()
    assert one.reason.tolist() == ["no other attribute to lay a crosshair by"]


def test_the_line_says_what_deserves_more():
    performance, importance = rated(300, 5)
    found = importance_performance_analysis(performance, importance)
    assert found.iso_rating.to_numpy() == pytest.approx(found.performance.to_numpy())
    assert found.above_iso_rating.to_numpy() == pytest.approx((found.importance - found.performance).to_numpy())
    assert list(found.above_iso_rating_share.round()) == [1, 1, 1, 0, 1]


def test_derived_importance_is_a_correlation_and_its_line_passes_the_crosshair():
    performance, _ = rated(500, 6)
    outcome = performance.a + 0.3 * performance.b + pd.Series(np.random.default_rng(6).normal(size=500))
    holes = performance.where(np.random.default_rng(7).random(performance.shape) > 0.1)
    found = importance_performance_analysis(holes, outcome).set_index("item")
    for item in MEANS:
        assert found.importance[item] == pytest.approx(holes[item].corr(outcome))
        assert found.n[item] == holes[item].notna().sum()
    slope = found.importance.std(ddof=0) / found.performance.std(ddof=0)
    by_hand = found.crosshair_importance + slope * (found.performance - found.crosshair_performance)
    assert found.iso_rating.to_numpy() == pytest.approx(by_hand.to_numpy())
    assert (found.importance_ci_low < found.importance).all()
    # Fisher's z as a second route to the interval
    z = np.arctanh(found.importance["a"]) + 1.96 / np.sqrt(found.n["a"] - 3) * np.array([-1, 1])
    assert [found.importance_ci_low["a"], found.importance_ci_high["a"]] == pytest.approx(np.tanh(z), abs=0.02)


def test_attributes_without_a_place_say_why():
    performance, importance = rated(60, 8)
    held = performance.assign(b=performance.b.where(performance.index < 5))
    found = importance_performance_analysis(held, importance).set_index("item")
    assert found.reason["b"] == "5 respondents answered both: at least 10 are needed"
    assert np.isnan(found.importance["b"])
    assert (found.reason.drop("b") == "").all()
    still = importance_performance_analysis(performance.assign(c=4.0), performance.a * 1.0).set_index("item")
    assert still.reason["c"] == "no importance, as its answers or the outcome do not vary"
    assert list(found.reset_index().columns) == COLUMNS


def test_choices_are_refused_all_at_once():
    performance, importance = rated(30, 9)
    with pytest.raises(InputError) as caught:
        importance_performance_analysis(performance, importance.drop(columns="a"), crosshair="mode")
    assert len(caught.value.breaches) == 2
    with pytest.raises(InputError, match="needs stated importance"):
        importance_performance_analysis(performance, performance.a, crosshair="midpoint", midpoint=(4, 4))


def test_rows_keep_their_order_and_weights_count():
    performance, importance = rated(100, 10)
    weight = np.random.default_rng(10).uniform(0.5, 2, 100)
    found = importance_performance_analysis(performance, importance, weights=weight)
    assert found.performance.to_numpy() == pytest.approx(np.average(performance, axis=0, weights=weight))
    assert found.n[0] == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    pd.testing.assert_frame_equal(found, importance_performance_analysis(performance, importance, weights=weight))


def r2(table, subset):
    if not subset:
        return 0.0
    inside, with_y = table[np.ix_(subset, subset)], table[np.array(subset), -1]
    return with_y @ np.linalg.solve(inside, with_y) / table[-1, -1]


def test_shares_are_means_over_all_orders_of_entry():
    # a second route: every order by itself, with R² from the normal equations
    x, y = driven(200, 11)
    table = np.cov(np.column_stack([x, y]).T)
    by_hand = np.zeros(4)
    for order in permutations(range(4)):
        for place, driver in enumerate(order):
            by_hand[driver] += (r2(table, list(order[: place + 1])) - r2(table, list(order[:place]))) / 24
    assert lmg(table[None])[0] == pytest.approx(by_hand, abs=1e-12)


def test_independent_drivers_share_their_squared_correlations():
    rng = np.random.default_rng(12)
    x = np.linalg.qr(rng.normal(size=(300, 14)) - 0)[0]
    x = np.linalg.qr(x - x.mean(axis=0))[0]
    y = x @ np.arange(14) + rng.normal(size=300)
    table = np.cov(np.column_stack([x, y]).T)
    assert lmg(table[None])[0] == pytest.approx(np.corrcoef(np.column_stack([x, y]).T)[-1, :-1] ** 2, abs=1e-10)


def test_a_driver_that_others_determine_takes_its_share_and_no_more():
    x, y = driven(300, 13)
    twin = x.assign(v=x.w)
    found = relative_importance(twin, y, replicates=20).set_index("driver")
    alone = relative_importance(x, y, replicates=20)
    assert found.r2_contribution.sum() == pytest.approx(alone.r2_contribution.sum(), abs=1e-9)
    assert found.r2_contribution["v"] == pytest.approx(found.r2_contribution["w"])


def test_shares_and_ranks_of_a_planted_world_are_mostly_covered():
    shares, ranks = shares_held(20, replicates=200)
    assert (shares >= 0.85).all()
    assert shares.mean() >= 0.9
    assert (ranks >= 0.95).all()


def test_drivers_come_with_sign_rank_and_what_they_explain():
    x, y = driven(500, 14)
    found = relative_importance(x, y, replicates=200)
    assert found.driver[0] == "w"
    assert list(found["rank"]) == [1, 2, 3, 4]
    assert found.r2_contribution.sum() == pytest.approx(sm.OLS(y, sm.add_constant(x)).fit().rsquared)
    assert found.r2_share.sum() == pytest.approx(1)
    assert dict(zip(found.driver, found.r, strict=True)) == pytest.approx({d: x[d].corr(y) for d in x})
    assert (
        (found.r2_contribution_ci_low <= found.r2_contribution)
        & (found.r2_contribution <= found.r2_contribution_ci_high)
    ).all()
    assert ((found.rank_ci_low <= found["rank"]) & (found["rank"] <= found.rank_ci_high)).all()


def test_drivers_too_many_or_without_answers_are_refused():
    x, y = driven(50, 15)
    with pytest.raises(InputError, match="16 columns of answers, of which at most 15"):
        relative_importance(pd.DataFrame(np.zeros((50, 16))), y)
    assert relative_importance(x[:8], y[:8]).reason[0] == "8 respondents answered all: at least 15 are needed"
    assert relative_importance(x.assign(w=1.0), y).reason[0] == "no variance in w"
    assert relative_importance(x, y * 0).reason[0] == "no variance in the outcome"


def test_resampled_covariances_are_those_of_the_rows_drawn():
    held = np.random.default_rng(16).normal(size=(40, 3)) + 1000
    weight = np.random.default_rng(17).random(40)
    found = resample.covariances(held, 5, 3, weight)
    for counts, table in zip(next(resample.bootstrap_counts(40, 5, 3)), found, strict=True):
        assert table == pytest.approx(np.cov(held.T, aweights=counts * weight, ddof=0), rel=1e-9)
    assert resample.totals(held, 5, 3)[0] == pytest.approx(next(resample.bootstrap_counts(40, 5, 3))[0] @ held)


def test_planted_penalties_and_rewards_are_told_apart():
    found = penalty_reward_contrasts(*asymmetric(1_000, 18), 3, 5).set_index("item")
    assert dict(found.category) == {
        "hurts": "basic",
        "helps": "excitement",
        "both": "performance",
        "nothing": "undecided",
    }
    assert found.penalty["hurts"] == pytest.approx(-1, abs=0.3)
    assert found.reward["helps"] == pytest.approx(1, abs=0.3)


def test_intervals_of_penalties_mostly_cover_them():
    held = penalties_held(60)
    assert (held.mean() > 0.9).all()
    assert held.to_numpy().mean() == pytest.approx(0.95, abs=0.025)


def test_penalties_are_the_dummies_of_statsmodels():
    x, y = asymmetric(400, 19)
    weight = np.random.default_rng(19).uniform(0.5, 2, 400)
    found = penalty_reward_contrasts(x, y, 3, 5, weight)
    ends = sm.add_constant(pd.concat([x <= 3, x >= 5], axis=1).astype(float).to_numpy())
    fit = sm.WLS(y, ends, weight).fit(cov_type="HC3", use_t=True)
    assert list(found.penalty) == pytest.approx(list(fit.params[1:5]))
    assert found[["reward_ci_low", "reward_ci_high"]].to_numpy() == pytest.approx(fit.conf_int().to_numpy()[5:])
    asymmetry = fit.t_test(np.hstack([np.zeros((4, 1)), np.eye(4), np.eye(4)]))
    assert found[["asymmetry_ci_low", "asymmetry_ci_high"]].to_numpy() == pytest.approx(asymmetry.conf_int())


def test_items_that_hardly_anybody_finds_bad_are_blank():
    x, y = asymmetric(200, 20)
    found = penalty_reward_contrasts(x.assign(helps=x.helps.clip(lower=4)), y, 3, 5).set_index("item")
    assert found.reason["helps"].startswith("0 respondents met with failure and")
    assert found.category.isna()["helps"]
    assert found.category["hurts"] == "basic"
    assert (penalty_reward_contrasts(x, y * 0, 3, 5).reason == "no variance in the outcome").all()
