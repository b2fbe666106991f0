"""The race: what segments foretell beyond continuous rules, and that nothing is claimed where there is nothing."""

from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.isotonic import IsotonicRegression

from crmlab import holdout
from crmlab.holdout.measures import Weighted
from crmlab.segments.models import cross_fit, usefulness
from crmlab.segments.models.abc import ABC
from crmlab.segments.models.rfm import RFMTiers
from crmlab.segments.models.usefulness import ALL_ORIGINS, compare_schemes, rolling_features, schemes_beat_baselines

from .logs import log, random_rows, simulated
from .refusals import refused

COUNT = 900


@dataclass(frozen=True)
class Given:
    """A scheme whose labels are a column."""

    column: str

    def assign(self, features):
        return pd.Series(pd.Categorical(features[self.column]), features.index)


def given(column):
    return lambda features: Given(column)


def world(seed=1, count=COUNT):
    """Features with a kind that tells later spend where past spend does not; and what came."""
    rng = np.random.default_rng(seed)
    frame = simulated(count, seed).assign(kind=rng.choice(list("abc"), count), random=rng.choice(list("xyz"), count))
    frame["alias"] = frame.kind.map({"a": "r", "b": "q", "c": "p"})
    rate = frame.kind.map({"a": 0.2, "b": 1.0, "c": 3.0}).to_numpy()
    orders = rng.poisson(rate)
    later = pd.DataFrame({"spend": orders * rng.gamma(5, 4, count), "orders": orders}, frame.index)
    return frame, later.assign(active=(orders > 0).astype(int))


SCHEMES = {"kind": given("kind"), "alias": given("alias"), "random": given("random")}
ORIGINS = {date(2024, 1, 1): world(1), date(2024, 7, 1): world(2)}


@pytest.fixture(scope="module")
def found():
    return compare_schemes(SCHEMES, ORIGINS, replicates=200)


def pooled(found, target="spend"):
    table = found.schemes
    return table[(table.origin == ALL_ORIGINS) & (table.target == target)].set_index("model")


def test_segments_that_foretell_are_better_and_others_are_not(found):
    table = pooled(found)
    assert table.gini_outcome["kind"] == table.r2_outcome["kind"] == table.lift10_outcome["kind"] == "better"
    assert table.gini_outcome["random"] == table.r2_outcome["random"] == "no difference"
    assert (table.gini_ci_low <= table.gini).all()
    assert (table.gini <= table.gini_ci_high).all()
    assert table.kind["kind"] == "model"
    assert table.segments["kind"] == 3
    assert table.kind["past spend"] == "baseline"
    assert pd.isna(table.segments["past spend"])
    assert schemes_beat_baselines(found.schemes).passed
    assert "better: the best of 3 schemes, " in schemes_beat_baselines(found.schemes).evidence


def test_r2_is_the_share_of_variance_that_was_planted(found):
    rates = np.array([0.2, 1.0, 3.0])  # simulated from: orders are Poisson at these rates
    planted = rates.var() / (rates.var() + rates.mean())
    assert pooled(found, "orders").r2["kind"] == pytest.approx(planted, abs=0.04)


def test_no_difference_is_said_between_schemes_that_are_the_same(found):
    pair = found.pairs[(found.pairs.model == "kind") & (found.pairs.other == "alias")]
    assert len(pair) == 3 * 3 * 3
    assert pair.outcome.eq("no difference").all()
    assert pair[["difference", "ci_low", "ci_high"]].eq(0).all(axis=None)
    other = found.pairs[(found.pairs.model == "kind") & (found.pairs.other == "random")]
    assert other.outcome.eq("better").all()


def test_segments_of_chance_are_worth_nothing_and_not_less():
    held, later = world(1)
    columns = {f"r{i}": np.random.default_rng([7, i]).choice(list("abcdefgh"), COUNT) for i in range(40)}
    frame = held.assign(**columns)
    table = compare_schemes({c: given(c) for c in columns}, {"2024": (frame, later)}, replicates=2).schemes
    gini = table[(table.kind == "model") & (table.origin == "2024") & (table.target == "spend")].gini
    assert abs(gini.mean()) < 2.5 * gini.std() / np.sqrt(40)


@pytest.mark.parametrize("segments", [(5, 5), (12, 2)])
def test_intervals_hold_no_difference_of_nothing_in_nineteen_of_twenty_races(segments):
    held = np.zeros(3)
    for seed in range(100):
        rng = np.random.default_rng([3, seed])
        codes, y = [rng.integers(0, k, 300) for k in segments], rng.lognormal(size=(300, 1))
        drawn = cross_fit.cross_fitted_measures(codes, [], y, np.arange(300) % 3, 100, seed)[:, 0, :, 1:]
        ci_low, ci_high = np.quantile(drawn[0] - drawn[1], [0.025, 0.975], axis=-1)
        held += (ci_low <= 0) & (ci_high >= 0)
    assert (held >= 89).all()  # of 100, by each measure; .95 would give 95, and fewer than 89 once in a hundred


def test_measures_are_those_of_holdout_within_folds():
    frame, later = world(1)
    y, codes = later.spend.to_numpy(float), pd.Categorical(frame.kind).codes.astype(int)
    fold = np.repeat([0, 1], COUNT // 2)
    drawn = cross_fit.cross_fitted_measures([codes], [frame.spend.to_numpy()], y[:, None], fold, 0, 1)[:, 0, :, 0]
    sums = np.zeros(6)
    for held in (fold == 0, fold == 1):  # ratios of sums: each fold's measure weighs as much as what it is a share of
        expected, seen = pd.Series(y[~held]).groupby(codes[~held]).mean()[codes[held]], y[held]
        most = (seen * Weighted(seen).centred_ranks).sum()
        spread = ((seen - y[~held].mean()) ** 2).sum()
        parts = [holdout.gini(expected, seen) * most, holdout.lift(expected, seen) * seen.sum()]
        sums += [*parts, spread - ((seen - expected.to_numpy()) ** 2).sum(), most, seen.sum(), spread]
    assert drawn[0] == pytest.approx(sums[:3] / sums[3:])


def test_a_continuous_rule_orders_by_itself():
    frame, later = world(1)
    y, fold = later.spend.to_numpy(float), np.repeat([0, 1], COUNT // 2)
    drawn = cross_fit.cross_fitted_measures([], [frame.spend.to_numpy()], y[:, None], fold, 0, 1)[0, 0, :, 0]
    by_fold = [holdout.gini(frame.spend[fold == f], y[fold == f]) for f in (0, 1)]
    assert min(by_fold) <= drawn[0] <= max(by_fold)


def test_a_rule_of_which_less_is_better_is_turned_round():
    frame, later = world(1)
    table = compare_schemes(
        {"kind": given("kind")}, {"2024": (frame, later)}, {"up": "spend", "down": "-spend"}, replicates=5
    )
    gini = pooled(table).gini
    assert gini["up"] == pytest.approx(-gini["down"], abs=1e-9)


def test_the_discounted_margin_takes_part_where_there_is_one(found):
    assert "discounted margin" in pooled(found).index
    assert "discounted margin" not in usefulness._default_baselines(
        {1: (simulated(9).drop(columns="expected_margin"), None)}
    )


def test_a_scheme_that_cannot_be_fitted_is_a_stated_blank():
    frame, later = world(1)
    flat = {"a": (frame, later), "b": (frame.assign(spend=5.0), later)}
    found = compare_schemes(
        {"abc": ABC.fit, "kind": given("kind")}, flat, {"recency": "-days_since_last"}, replicates=5
    )
    row = pooled(found).loc["abc"]
    assert np.isnan(row.gini)
    assert row.gini_outcome.startswith("cannot be estimated: features: 'spend' is 5 for all")
    assert pooled(found).gini["kind"] > 0
    assert not ((found.pairs.model == "abc") & (found.pairs.origin == ALL_ORIGINS)).any()


def test_where_nothing_came_nothing_is_estimated():
    frame, later = world(1)
    found = compare_schemes({"kind": given("kind")}, {"2024": (frame, later * 0)}, replicates=5)
    assert found.schemes.gini_outcome.eq("cannot be estimated: what came later is the same for all customers").all()
    assert found.schemes.gini.isna().all()
    told = schemes_beat_baselines(found.schemes)
    assert not told.passed
    assert "cannot be estimated" in told.evidence


def test_segments_of_past_spend_do_not_beat_it():
    frame, later = world(1)
    later = later.assign(spend=frame.spend * np.random.default_rng(1).gamma(2, 1, COUNT))  # past spend tells all
    found = compare_schemes({"abc": ABC.fit, "tiers": RFMTiers.fit}, {"2024": (frame, later)}, replicates=100)
    assert set(pooled(found).gini_outcome[["abc", "tiers"]]) == {"worse"}
    told = schemes_beat_baselines(found.schemes)
    assert not told.passed
    assert told.instead.startswith("past spend")


def test_a_race_is_the_same_from_run_to_run_in_any_order_of_rows_and_blocks(monkeypatch):
    frame, later = world(1)
    one = compare_schemes(SCHEMES, {"2024": (frame, later)}, replicates=30)
    monkeypatch.setattr(cross_fit, "CELLS", 2000)
    mixed = {"2024": (frame.sample(frac=1, random_state=1), later.sample(frac=1, random_state=2))}
    again = compare_schemes(SCHEMES, mixed, replicates=30)
    values = ["gini", "lift10", "r2"]
    pd.testing.assert_frame_equal(one.schemes[values], again.schemes[values])
    monkeypatch.undo()
    pd.testing.assert_frame_equal(one.schemes, compare_schemes(SCHEMES, mixed, replicates=30).schemes)


def test_rounds_know_nothing_of_what_came_after_their_origin():
    rng = np.random.default_rng(1)
    before = random_rows(rng, 200, "2024-01-01", "2024-06-30")
    columns = ("category", "store_id", "product_id")
    more = pd.DataFrame({"expected_margin": 1.0}, [f"c{i:03d}" for i in range(60)])
    origin = date(2024, 6, 30)
    first = rolling_features(log(*before, columns=columns), [origin], 90, 365, {origin: more}, {})
    later = random_rows(rng, 100, "2024-07-01", "2024-12-31")
    second = rolling_features(log(*before, *later, columns=columns), ["2024-06-30"], 90, 365, {origin: more}, {})
    pd.testing.assert_frame_equal(first[origin][0], second[origin][0])
    assert first[origin][0].expected_margin.eq(1).all()
    assert first[origin][1].spend.eq(0).all()
    assert second[origin][1].orders.sum() > 0


def test_bad_input_is_named_all_at_once():
    frame, later = world(1)
    said = refused(compare_schemes, {}, {"2024": (frame, later)}, {"visits": "visits"}, 1)
    assert [part in line for part, line in zip(("schemes", "2 folds", "no column 'visits'"), said, strict=True)] == [
        True
    ] * 3
    assert "too few for 5 folds" in refused(compare_schemes, SCHEMES, {"2024": (frame[:40], later)})[0]
    assert "holdout lacks 890 customers" in refused(compare_schemes, SCHEMES, {"2024": (frame, later[:10])})[0]
    assert "no column orders" in refused(compare_schemes, SCHEMES, {"2024": (frame, later.drop(columns="orders"))})[0]
    assert "name of a rule" in refused(compare_schemes, {"recency": ABC.fit}, {"2024": (frame, later)})[0]
    blank = later.assign(spend=later.spend.where(later.spend > 0))
    assert "empty spend" in refused(compare_schemes, SCHEMES, {"2024": (frame, blank)})[0]
    assert (
        "empty or infinite for 900 of 900"
        in refused(compare_schemes, SCHEMES, {"2024": (frame.assign(spend=np.nan), later)})[0]
    )


def test_more_segments_of_the_same_score_foretell_more():
    frame, later = world(1)
    later = later.assign(spend=frame.spend * np.random.default_rng(1).gamma(2, 1, COUNT))
    schemes = {str(t): partial(RFMTiers.fit, tiers=t, weights=(0, 0, 1)) for t in (2, 5)}
    table = pooled(compare_schemes(schemes, {"2024": (frame, later)}, replicates=20))
    assert table.gini["2"] < table.gini["5"]
    assert table.segments[["2", "5"]].tolist() == [2, 5]


def test_intervals_hold_nothing_that_a_measure_cannot_be():
    frame, later = world(1)
    one = later.assign(spend=np.where(np.arange(COUNT) == 7, 1e6, later.spend))  # one customer brings nearly all
    table = compare_schemes(
        {"kind": given("kind")}, {"2024": (frame.assign(spend=one.spend), one)}, replicates=40
    ).schemes
    assert table[["gini_ci_low", "gini_ci_high"]].abs().le(1).all(axis=None)
    assert table.r2_ci_high.le(1).all()
    assert table.lift10_ci_low.ge(0).all()
    assert table.lift10_ci_high.le(10).all()


@pytest.mark.parametrize("digits", [9, 0])
def test_a_curve_reads_as_isotonic_regression_does_and_is_learned_anew(digits):
    rng = np.random.default_rng(1)
    x, fold = rng.uniform(0, 10, 120).round(digits), cross_fit.assign_folds(120, 4, 1)  # without ties, and with many
    y = x / 2 + rng.normal(0, 6, 120)

    def predicted(rows, f):
        train, test = rows[fold[rows] != f], rows[fold[rows] == f]
        fitted = IsotonicRegression(out_of_bounds="clip").fit(x[train], y[train])
        base = ((y[test] - y[train].mean()) ** 2).sum()
        return np.array([base - ((y[test] - fitted.predict(x[test])) ** 2).sum(), base])

    def r2(rows):
        gain, spread = sum(predicted(rows, f) for f in range(4))
        return gain / spread

    drawn = cross_fit.cross_fitted_measures([], [x], y[:, None], fold, 300, 3)[0, 0, 2]
    assert drawn[0] == pytest.approx(r2(np.arange(120)))
    anew = np.std(
        [r2(np.concatenate([rng.choice(np.flatnonzero(fold == f), 30) for f in range(4)])) for _ in range(300)]
    )
    # steps that stay where they are make intervals somewhat wider than curves fitted anew; curves that stay, narrower
    assert 0.95 * anew < np.std(drawn[1:]) < 1.2 * anew
