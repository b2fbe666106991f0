"""The backtest: what segments predict beyond continuous baselines, and that nothing is shown where there is nothing."""

from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.isotonic import IsotonicRegression

from crmlab import holdout
from crmlab.contracts import TRANSACTIONS
from crmlab.dataset import Data
from crmlab.holdout.measures import Weighted
from crmlab.holdout.rolling import ALL_ORIGINS
from crmlab.segments import plots
from crmlab.segments.checks import schemes_beat_baselines
from crmlab.segments.models import cross_fit, usefulness
from crmlab.segments.models.abc import ABC
from crmlab.segments.models.rfm import RFMTiers
from crmlab.segments.models.usefulness import (
    compare_schemes,
    origin_note,
    rolling_features,
    scheme_estimates,
)

from .logs import log, random_rows, simulated
from .rates import no_difference_held
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


def pooled(found, target="spend", measure="gini"):
    table = found[0]
    held = (table.origin == ALL_ORIGINS) & (table.target == target) & (table.measure == measure)
    return table[held].set_index("model")


def test_the_comparison_is_the_frame_of_holdout(found):
    columns = [*holdout.compare({"a": [1.0, 2], "b": [2.0, 1]}, [1, 2], baselines=["b"], replicates=5)]
    assert set(found[0]) == {"origin", "origins", "target", "segments", *columns}
    assert set(found[0].outcome) <= {"better", "worse", "undecided", "reference", "not fitted", "no value"}
    assert set(found[0].measure) <= set(holdout.TITLES)


def test_segments_that_predict_are_better_and_others_are_not(found):
    for measure in ("gini", "r2", "lift"):
        table = pooled(found, measure=measure)
        assert table.outcome["kind"] == "better"
        assert table.outcome["random"] == "undecided" or measure == "lift"
    table = pooled(found)
    assert (table.ci_low <= table.value).all()
    assert (table.value <= table.ci_high).all()
    assert not table.is_baseline["kind"]
    assert table.segments["kind"] == 3
    assert table.is_baseline["past spend"]
    assert pd.isna(table.segments["past spend"])
    check = schemes_beat_baselines(found[0])
    assert (check.id, check.kind, check.outcome) == ("segments.schemes_beat_baselines.gini", "comparison", "passed")
    assert check.summary.startswith("Gini: the best of 3 schemes, ")
    assert check.claim.startswith("The best scheme predicts spend in the holdout better")
    assert check.recommendation == ""
    orders = schemes_beat_baselines(found[0], "r2", "orders")
    assert orders.id == "segments.schemes_beat_baselines.r2.orders"
    few = schemes_beat_baselines(found[0].assign(population="repeaters"), target="active", population="repeaters")
    assert (few.id, few.outcome) == ("segments.schemes_beat_baselines.gini.active.repeaters", "passed")
    assert few.summary.startswith("Gini, repeaters: the best of 3 schemes, ")
    estimates = scheme_estimates(found[0])
    assert estimates["kind"].value == table.value["kind"]
    assert [*estimates] == [*table.index]


def test_r2_is_the_share_of_variance_that_was_planted(found):
    rates = np.array([0.2, 1.0, 3.0])  # simulated from: orders are Poisson at these rates
    planted = rates.var() / (rates.var() + rates.mean())
    assert pooled(found, "orders", "r2").value["kind"] == pytest.approx(planted, abs=0.04)


def test_rows_of_a_comparison_are_numbered(found):
    for table in found[:2]:
        assert table.index.tolist() == [*range(len(table))]
        assert set(table.origin) > {ALL_ORIGINS}


def test_schemes_that_are_the_same_are_undecided(found):
    pairs = found[1]
    pair = pairs[(pairs.model == "kind") & (pairs.other == "alias")]
    assert len(pair) == 3 * 3 * 3
    assert pair.outcome.eq("undecided").all()
    assert pair[["difference", "difference_ci_low", "difference_ci_high"]].eq(0).all(axis=None)
    other = pairs[(pairs.model == "kind") & (pairs.other == "random")]
    assert other.outcome.eq("better").all()


def test_segments_of_chance_are_worth_nothing_and_not_less():
    held, later = world(1)
    columns = {f"r{i}": np.random.default_rng([7, i]).choice(list("abcdefgh"), COUNT) for i in range(40)}
    frame = held.assign(**columns)
    table = compare_schemes({c: given(c) for c in columns}, {"2024": (frame, later)}, replicates=2)[0]
    held = ~table.is_baseline & (table.origin == "2024") & (table.target == "spend") & (table.measure == "gini")
    gini = table.value[held]
    assert abs(gini.mean()) < 2.5 * gini.std() / np.sqrt(40)


@pytest.mark.parametrize("segments", [(5, 5), (12, 2)])
def test_intervals_hold_no_difference_of_nothing_in_most_backtests(segments):
    assert (no_difference_held(24, segments) >= 0.89).all()


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


def test_a_continuous_baseline_orders_by_itself():
    frame, later = world(1)
    y, fold = later.spend.to_numpy(float), np.repeat([0, 1], COUNT // 2)
    drawn = cross_fit.cross_fitted_measures([], [frame.spend.to_numpy()], y[:, None], fold, 0, 1)[0, 0, :, 0]
    by_fold = [holdout.gini(frame.spend[fold == f], y[fold == f]) for f in (0, 1)]
    assert min(by_fold) <= drawn[0] <= max(by_fold)


def test_a_baseline_of_which_less_is_better_is_turned_round():
    frame, later = world(1)
    table = compare_schemes(
        {"kind": given("kind")}, {"2024": (frame, later)}, {"up": "spend", "down": "-spend"}, replicates=5
    )
    gini = pooled(table).value
    assert gini["up"] == pytest.approx(-gini["down"], abs=1e-9)


def test_the_discounted_margin_takes_part_where_there_is_one(found):
    assert "discounted margin" in pooled(found).index
    frame, later = world(1)
    assert "discounted margin" not in usefulness._default_baselines(
        {1: (frame.drop(columns="expected_margin", errors="ignore"), later)}
    )


def test_a_scheme_that_cannot_be_fitted_is_a_blank_with_its_reason():
    frame, later = world(1)
    flat = {"a": (frame, later), "b": (frame.assign(spend=5.0), later)}
    recency = {"recency": "-days_since_last"}
    table, pairs = compare_schemes({"abc": ABC.fit, "kind": given("kind")}, flat, recency, replicates=5)
    blank = table[(table.model == "abc") & (table.origin == "b")]
    assert blank.value.isna().all()
    assert blank.outcome.eq("not fitted").all()
    assert blank.reason.str.startswith("features: 'spend' is 5 for all").all()
    assert pooled((table,)).origins[["abc", "kind"]].tolist() == [1, 2]
    assert pooled((table,)).value["kind"] > 0
    assert not ((pairs.model == "abc") & (pairs.origin == ALL_ORIGINS)).any()
    alone, _ = compare_schemes({"abc": ABC.fit}, {"b": flat["b"]}, recency, replicates=5)
    check = schemes_beat_baselines(alone)
    assert check.outcome == "not applicable"
    assert "not fitted from any of 1 origins" in check.summary
    assert str(scheme_estimates(alone)["abc"]) == "blank: not fitted from any of 1 origins"


def test_where_nothing_came_nothing_is_estimated():
    frame, later = world(1)
    found = compare_schemes({"kind": given("kind")}, {"2024": (frame, later * 0)}, replicates=5)
    assert found[0].outcome.eq("no value").all()
    assert found[0].reason.str.startswith("nothing came, so that the measure has no value").all()
    assert found[0].value.isna().all()
    check = schemes_beat_baselines(found[0], "r2")
    assert check.outcome == "not applicable"
    assert "nothing came" in check.summary
    blanks = scheme_estimates(found[0])
    assert next(iter(blanks)) == "kind"
    assert not any(blanks.values())
    assert all(blank.reason.startswith("nothing came") for blank in blanks.values())


def test_segments_of_past_spend_do_not_beat_it():
    frame, later = world(1)
    later = later.assign(spend=frame.spend * np.random.default_rng(1).gamma(2, 1, COUNT))  # past spend knows all
    found = compare_schemes({"abc": ABC.fit, "tiers": RFMTiers.fit}, {"2024": (frame, later)}, replicates=100)
    assert set(pooled(found).outcome[["abc", "tiers"]]) == {"worse"}
    check = schemes_beat_baselines(found[0])
    assert check.outcome == "failed"
    assert check.recommendation.startswith("Order customers by past spend;")


def test_a_scheme_of_luck_is_undecided():
    check = schemes_beat_baselines(compare_schemes({"random": given("random")}, ORIGINS, replicates=50)[0])
    assert check.outcome == "undecided"
    assert check.recommendation.startswith("Order customers by ")


def test_a_comparison_is_the_same_from_run_to_run_in_any_order_of_rows_and_blocks(monkeypatch):
    frame, later = world(1)
    one = compare_schemes(SCHEMES, {"2024": (frame, later)}, replicates=30)
    monkeypatch.setattr(cross_fit, "CELLS", 2000)
    mixed = {"2024": (frame.sample(frac=1, random_state=1), later.sample(frac=1, random_state=2))}
    again = compare_schemes(SCHEMES, mixed, replicates=30)
    pd.testing.assert_series_equal(one[0].value, again[0].value)
    monkeypatch.undo()
    for table, other in zip(one, compare_schemes(SCHEMES, mixed, replicates=30), strict=True):
        pd.testing.assert_frame_equal(table, other)


def test_rounds_know_nothing_of_what_came_after_their_origin():
    rng = np.random.default_rng(1)
    before = random_rows(rng, 200, "2024-01-01", "2024-06-30")
    columns = ("category", "store_id", "product_id")
    origin, other = date(2024, 6, 30), date(2024, 5, 31)
    customers = pd.MultiIndex.from_product([[other, origin], [f"c{i:03d}" for i in range(60)]])
    margins = pd.DataFrame({"expected_margin": [np.nan] * 60 + [1.0] * 60, "reason": ["flat"] * 60 + [""] * 60})
    margins["model"] = margins.reason.map({"flat": "", "": "NBD"})
    margins = margins.set_index(customers.set_names(["origin", "customer_id"]))
    first = rolling_features(log(*before, columns=columns), [origin], 90, 365, margins)
    later = random_rows(rng, 100, "2024-07-01", "2024-12-31")
    second = rolling_features(log(*before, *later, columns=columns), ["2024-06-30"], 90, 365, margins)
    pd.testing.assert_frame_equal(first[origin][0], second[origin][0])
    assert first[origin][0].expected_margin.eq(1).all()
    assert first[origin][0].store_strength.gt(0).any()
    assert first[origin][1].spend.eq(0).all()
    assert second[origin][1].orders.sum() > 0
    assert "expected_margin" not in rolling_features(log(*before, columns=columns), [other], 30, 365, margins)[other][0]
    assert origin_note(margins, log(), [], 24) == "No margin is expected on 2024-05-31: flat."
    assert origin_note(margins.dropna(), log(), [], 24) == ""
    two = margins.assign(expected_margin=1.0, model=["NBD"] * 60 + ["BG/NBD"] * 60)
    said = "Margins are expected by BG/NBD on 2024-06-30; by NBD on 2024-05-31, as not every model could"
    assert origin_note(two, log(), [], 24) == f"{said} be fitted each time."


def test_a_window_that_begins_before_the_orders_is_told_of_data_and_of_a_table():
    orders, margins = (
        log(("a", "2024-01-10", 5), ("b", "2024-03-01", 5)),
        pd.DataFrame({"origin": [], "expected_margin": [], "model": []}),
    )
    said = origin_note(margins, orders, ["2024-01-20", date(2024, 2, 1), "2024-02-02"], 24)
    # the window of 24 days that ends with 2 February begins with 10 January
    assert said == "On 2024-01-20, 2024-02-01 the window begins before the first order of the data."
    data = Data(orders, TRANSACTIONS, None)
    assert origin_note(margins, data, ["2024-01-20"], 24) == said.replace(", 2024-02-01", "")
    for table in (orders, log()):
        assert origin_note(margins, table, ["2024-02-02"], 24) == ""


def test_bad_input_is_named_all_at_once():
    frame, later = world(1)
    said = refused(compare_schemes, {}, {"2024": (frame, later)}, {"visits": "visits"}, 1)
    assert [part in line for part, line in zip(("schemes", "2 folds", "no column 'visits'"), said, strict=True)] == [
        True
    ] * 3
    assert "holdout lacks 890 customers" in refused(compare_schemes, SCHEMES, {"2024": (frame, later[:10])})[0]
    assert "no column orders" in refused(compare_schemes, SCHEMES, {"2024": (frame, later.drop(columns="orders"))})[0]
    assert "name of a baseline" in refused(compare_schemes, {"recency": ABC.fit}, {"2024": (frame, later)})[0]
    blank = later.assign(spend=later.spend.where(later.spend > 0))
    assert "empty spend" in refused(compare_schemes, SCHEMES, {"2024": (frame, blank)})[0]
    first = frame.assign(spend=frame.spend.where(frame.index == frame.index[0]))
    assert "empty or infinite for 899 of 900" in refused(compare_schemes, SCHEMES, {"2024": (first, later)})[0]


def test_an_origin_with_too_few_customers_is_left_out_and_says_how_many_are_needed():
    frame, later = world(1)
    alone = compare_schemes(SCHEMES, {"2024": (frame[:50], later)}, replicates=20)  # 50 are enough
    both = compare_schemes(SCHEMES, {"2023": (frame[:49], later), "2024": (frame[:50], later)}, replicates=20)
    columns = ["value", "ci_low", "ci_high", "origins", "outcome", "reason"]
    pd.testing.assert_frame_equal(pooled(both)[columns], pooled(alone)[columns], check_names=False)
    assert len(both[1]) == len(alone[1])
    few = "49 customers are too few for 5 folds; 50 are needed"
    assert set(both[0].reason[both[0].origin == "2023"]) == {few}
    none, pairs = compare_schemes(SCHEMES, {"2023": (frame[:9], later), "2024": (frame[:49], later)}, replicates=20)
    assert set(none.outcome) == {"not fitted"}
    assert set(none.reason[none.origin == ALL_ORIGINS]) == {few}
    assert pairs.empty
    assert schemes_beat_baselines(none).outcome == "not applicable"
    assert {str(estimate) for estimate in scheme_estimates(none).values()} == {f"blank: {few}"}
    for draw in (plots.compare_schemes, plots.scheme_differences):
        (said,) = draw(none).texts
        assert few in said.get_text().replace("\n", " ")


def test_more_segments_of_the_same_score_predict_more():
    frame, later = world(1)
    later = later.assign(spend=frame.spend * np.random.default_rng(1).gamma(2, 1, COUNT))
    schemes = {str(t): partial(RFMTiers.fit, tiers=t, weights=(0, 0, 1)) for t in (2, 5)}
    table = pooled(compare_schemes(schemes, {"2024": (frame, later)}, replicates=20))
    assert table.value["2"] < table.value["5"]
    assert table.segments[["2", "5"]].tolist() == [2, 5]


def test_intervals_hold_nothing_that_a_measure_cannot_be():
    frame, later = world(1)
    one = later.assign(spend=np.where(np.arange(COUNT) == 7, 1e6, later.spend))  # one customer brings nearly all
    rolling = {"2024": (frame.assign(spend=one.spend), one)}
    table = compare_schemes({"kind": given("kind")}, rolling, replicates=40)[0].set_index("measure")
    assert table.loc["gini", ["ci_low", "ci_high"]].abs().le(1).all(axis=None)
    assert table.ci_high["r2"].le(1).all()
    assert table.ci_low["lift"].ge(0).all()
    assert table.ci_high["lift"].le(10).all()


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
