"""Kotler's criteria on labels that meet them and on labels that do not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.checks import meets_kotler_criteria
from crmlab.segments.models import actionable
from crmlab.segments.models.actionable import Thresholds, kotler_criteria, tree_accuracy
from crmlab.segments.models.scheme import assign_schemes

from .logs import simulated
from .refusals import blank, refused

FRAME = simulated(1000).assign(reachable=True)
RNG = np.random.default_rng(8)
KINDS = pd.CategoricalDtype(["high", "low"], ordered=True)
BY_SPEND = pd.Series(np.where(FRAME.spend > 60, "high", "low"), FRAME.index).astype(KINDS)
BY_CHANCE = pd.Series(RNG.choice(["high", "low"], len(FRAME)), FRAME.index).astype(KINDS)
LATER = pd.DataFrame({"spend": np.where(BY_SPEND == "high", 80, 20) + RNG.normal(0, 10, len(FRAME))}, FRAME.index)


def book(*labels, scheme="s"):
    index = pd.MultiIndex.from_product([[scheme], labels], names=["scheme", "label"])
    return pd.DataFrame({"principle": "p", "owner": "o", "budget_share": 1 / len(labels), "success": "s"}, index)


@dataclass(frozen=True)
class Named:
    """A scheme that gives BY_SPEND under a name."""

    name: str

    def assign(self, features):
        return BY_SPEND.rename(self.name)


def measured(labels, features=FRAME, holdout=LATER, playbook=None, **more):
    more = {"replicates": 200} | more
    return kotler_criteria({"s": labels.rename("s")}, features, holdout, playbook, **more).set_index("measure")


def test_labels_that_are_one_cut_of_a_feature_are_told_by_a_tree_of_depth_one():
    found = measured(BY_SPEND)
    row = found.loc[actionable.TREE_ACCURACY]
    assert row.value > 0.99
    assert row.ci_low < row.value <= row.ci_high
    assert found.value[actionable.TREE_DEPTH] == 1
    assert found.outcome[[actionable.TREE_ACCURACY, actionable.TREE_DEPTH]].eq("passed").all()


def test_labels_by_chance_are_told_by_no_tree():
    found = measured(BY_CHANCE)
    # a coin is guessed half of the time: 1,000 customers, within four standard errors
    assert found.value[actionable.TREE_ACCURACY] == pytest.approx(0.5, abs=0.064)
    assert found.outcome[[actionable.TREE_ACCURACY, actionable.TREE_DEPTH]].eq("failed").all()
    assert "none of which reaches it" in found.summary[actionable.TREE_DEPTH]


def test_accuracy_is_that_of_trees_of_scikit_learn_grown_on_the_other_folds():
    from sklearn.tree import DecisionTreeClassifier

    frame, order = FRAME[["spend", "orders"]], np.random.default_rng(1).permutation(len(FRAME))
    X, y, fold = frame.to_numpy(float)[order], (BY_CHANCE == "low").to_numpy()[order], np.arange(len(FRAME)) % 5
    for depth, row in tree_accuracy(BY_CHANCE, frame).iterrows():
        right = np.zeros(len(y), bool)
        for k in range(5):
            tree = DecisionTreeClassifier(max_depth=depth, random_state=1).fit(X[fold != k], y[fold != k])
            right[fold == k] = tree.predict(X[fold == k]) == y[fold == k]
        assert row.accuracy == right.mean()


def test_trees_neither_see_reachable_nor_what_is_empty_for_some():
    odd = FRAME.assign(reachable=(BY_CHANCE == "high"), gap=np.where(BY_CHANCE == "high", np.nan, 1.0), home_store="s1")
    assert tree_accuracy(BY_CHANCE, odd).accuracy.max() < 0.6


def test_the_smallest_segment_is_named_and_empty_ones_beside_it():
    found = measured(BY_SPEND)
    share = (BY_SPEND == "high").mean()
    assert found.value[actionable.SMALLEST_SHARE] == pytest.approx(min(share, 1 - share))
    low = FRAME.spend[BY_SPEND == "low"].sum() / FRAME.spend.sum()
    assert found.value[actionable.SMALLEST_VALUE_SHARE] == pytest.approx(low)
    assert found.summary[actionable.SMALLEST_VALUE_SHARE] == "of low"
    empty = measured(BY_SPEND.cat.add_categories(["none"]))
    both = [actionable.SMALLEST_SHARE, actionable.SMALLEST_VALUE_SHARE]
    pd.testing.assert_frame_equal(empty.loc[both, ["value", "outcome"]], found.loc[both, ["value", "outcome"]])
    assert empty.summary[actionable.SMALLEST_VALUE_SHARE] == "of low; nobody in none"


def test_reach_is_measured_where_it_is_known():
    some = FRAME.assign(reachable=pd.array([True] * 600 + [False] * 300 + [None] * 100, dtype="boolean"))
    found = measured(BY_CHANCE, some)
    assert found.value[actionable.REACHABLE_SHARE] == pytest.approx(0.6)
    assert "not known of 100, taken as no" in found.summary[actionable.REACHABLE_SHARE]
    blank = measured(BY_CHANCE, FRAME.drop(columns="reachable")).loc[actionable.REACHABLE_SHARE]
    assert np.isnan(blank.value)
    assert blank.outcome == "not applicable"
    assert blank.reason.startswith("there is no column 'reachable'")


def test_segments_that_differ_later_differ_as_much_as_was_planted():
    row = measured(BY_SPEND).loc[actionable.VARIANCE_SHARE]
    share = (BY_SPEND == "high").mean()
    between = share * (1 - share) * 60**2  # means 80 and 20, noise of deviation 10
    planted = between / (between + 100)
    assert row.ci_low < planted < row.ci_high
    assert row.value == pytest.approx(planted, abs=0.02)
    assert row.outcome == "passed"
    spend = LATER.spend.loc[BY_SPEND.index]
    eta2 = spend.groupby(BY_SPEND, observed=True).transform("mean").var() / spend.var()
    assert row.summary == f"{eta2:.3f} before what 2 segments have by luck alone was taken off"


def test_segments_by_chance_do_not_differ_however_many():
    # 40 worlds of 30 segments by chance; intervals are wide there, so that fewer than 2.5 % of them are above 0
    rng, above, values = np.random.default_rng(4), 0, []
    for seed in range(40):
        labels = pd.Series(rng.integers(0, 30, 400).astype(str), FRAME.index[:400])
        row = actionable._differentiable(
            labels, LATER.spend[:400].sample(frac=1, random_state=seed), Thresholds(), 200, 1, 0.95
        )
        above += row["ci_low"] > 0
        values.append(row["value"])
    assert above == 0
    assert np.mean(values) == pytest.approx(0, abs=0.012)


def test_the_depth_of_the_tree_is_judged_by_the_interval_of_its_accuracy():
    trees = tree_accuracy(BY_CHANCE, FRAME).loc[:4]
    low, high = trees.ci_low.max(), trees.ci_high.max()
    for accuracy, outcome in ((low, "passed"), (low + 1e-9, "undecided"), (high, "undecided"), (high + 1e-9, "failed")):
        found = measured(BY_CHANCE, replicates=5, thresholds={"accuracy": accuracy})
        assert found.outcome[actionable.TREE_DEPTH] == outcome


def test_a_table_of_schemes_knows_what_the_playbook_calls_each():
    assigned = assign_schemes({"s nested": Named("s"), "s": Named("s")}, FRAME)
    table = kotler_criteria(assigned, FRAME, LATER, book("high", "low"), replicates=5)
    assert table.value[table.measure == actionable.TREATED_SHARE].tolist() == [1, 1]


def test_later_spend_that_is_the_same_for_all_measures_nothing():
    row = measured(BY_SPEND, holdout=LATER.assign(spend=0.0)).loc[actionable.VARIANCE_SHARE]
    assert row.outcome == "not applicable"
    assert row.reason == "holdout spend is the same for all"


def test_treated_are_those_with_a_row_in_the_playbook_and_profit_above_the_cost():
    row = measured(BY_SPEND, playbook=book("high"), contact_cost=20.0).loc[actionable.TREATED_SHARE]
    assert row.value == pytest.approx(((BY_SPEND == "high") & (FRAME.expected_margin > 20)).mean())
    assert "no row for low" in row.summary
    free = measured(BY_SPEND, playbook=book("high", "low")).loc[actionable.TREATED_SHARE]
    assert (free.value, free.outcome) == (1, "passed")
    unwritten = measured(BY_SPEND, playbook=book("high").rename(index={"s": "another"}))
    row = unwritten.loc[actionable.TREATED_SHARE]
    assert (row.outcome, row.reason) == ("not applicable", "the playbook treats no segment of s")
    none = measured(BY_SPEND).loc[actionable.TREATED_SHARE]
    assert none.reason == "there is no playbook; give one"
    other = measured(BY_SPEND, FRAME.drop(columns="expected_margin"), playbook=book("high")).loc[
        actionable.TREATED_SHARE
    ]
    assert "no column 'expected_margin'" in other.reason


def test_variants_of_a_scheme_share_its_rows_of_the_playbook():
    both = {"s": BY_SPEND.rename("s"), "s nested": BY_CHANCE.rename("s")}
    table = kotler_criteria(both, FRAME, LATER, book("high", "low"), replicates=50)
    assert table.value[table.measure == actionable.TREATED_SHARE].tolist() == [1, 1]


def test_what_is_blank_in_a_row_has_its_reason():
    table = kotler_criteria({"s": BY_SPEND}, FRAME.drop(columns="reachable"), LATER, replicates=20)
    blank = table[["value", "ci_low", "ci_high"]].isna().any(axis=1)
    assert ((table.reason != "") == blank).all()
    assert table.outcome[table.value.notna()].ne("not applicable").all()


def test_side_by_side_holds_each_measure_below_what_is_asked():
    table = kotler_criteria({"good": BY_SPEND, "bad": BY_CHANCE}, FRAME, LATER, replicates=50)
    wide = actionable.criteria_by_scheme(table)
    assert wide.index.tolist() == ["threshold", "good", "bad"]
    assert [*wide] == [*table.measure[:7], "reason"]
    assert wide.reason.tolist() == ["", *["there is no playbook; give one"] * 2]
    for row in table.itertuples():
        assert wide.loc[row.scheme, row.measure] == pytest.approx(row.value, nan_ok=True)
    assert wide.loc["threshold", actionable.SMALLEST_SHARE] == Thresholds().customers


def test_checks_name_what_failed_what_helps_and_what_was_not_measured():
    both = pd.DataFrame({"good": BY_SPEND, "bad": BY_CHANCE})
    table = kotler_criteria(both, FRAME.drop(columns="reachable"), LATER, replicates=100)
    assert list(dict.fromkeys(table.scheme)) == ["good", "bad"]
    good, bad = meets_kotler_criteria(table)
    assert (good.id, good.kind, good.outcome) == ("segments.meets_kotler_criteria.good", "assumption", "passed")
    assert good.summary == "good: 5 of 5 measures meet their threshold. Not measured: accessible, actionable."
    assert bad.outcome == "failed"
    assert "these do not: accuracy of a decision tree, out of sample 50.1 % (threshold" in bad.summary
    assert "share of holdout variance between segments" in bad.summary
    assert bad.recommendation == "Use a scheme with simpler rules."


def test_a_scheme_is_undecided_where_an_interval_holds_the_threshold_and_not_judged_where_nothing_is_known():
    found = measured(BY_SPEND)
    at = {"differentiable": float(found.value[actionable.VARIANCE_SHARE])}
    (check,) = meets_kotler_criteria(measured(BY_SPEND, thresholds=at).reset_index())
    assert check.outcome == "undecided"
    assert "open is share of holdout variance" in check.summary
    assert check.recommendation == "Use a scheme that separates later spend better."
    bare = found.reset_index().assign(outcome="not applicable", reason="none came")
    (check,) = meets_kotler_criteria(bare)
    assert (check.outcome, check.summary) == ("not applicable", "s: nothing could be measured. none came.")


def test_results_are_the_same_from_run_to_run():
    pd.testing.assert_frame_equal(measured(BY_CHANCE), measured(BY_CHANCE))


def test_bad_input_is_named_at_once():
    labels = BY_SPEND.copy()
    labels.iloc[:3] = np.nan
    told = refused(
        kotler_criteria, {"s": labels, "t": BY_SPEND[:0]}, FRAME.assign(spend=0.0), LATER.iloc[5:], None, -1.0
    )
    assert told == (
        "contact_cost = -1.0, replicates = 1000: give a cost of 0 or more, and replicates",
        "assignments: s has no label for 3 of 1,000 customers; assign them",
        "holdout: no row for 5 customers of s (first: 'c00000'); add them",
    )
    bare = refused(kotler_criteria, {}, FRAME.drop(columns="spend"), LATER.drop(columns="spend"))
    assert [line.split(":")[0] for line in bare] == ["features", "holdout"]


def test_a_scheme_that_cannot_be_measured_is_left_out_and_not_the_others():
    one = BY_SPEND.astype(str).mask(BY_SPEND != "", "high").astype(BY_SPEND.dtype)
    table = kotler_criteria({"one": one, "four": BY_SPEND[:4], "five": BY_SPEND[:5], "s": BY_SPEND}, FRAME, LATER)
    by = table.groupby("scheme", sort=False)
    assert by.value.count().tolist()[:2] == [0, 0]
    assert by.reason.first().tolist()[:2] == [
        "one has all customers in 1 segment; 2 are needed",
        "four has 4 customers; 5 at least are needed",
    ]
    assert by.value.count()["five"] > 0
    assert [check.outcome for check in meets_kotler_criteria(table)][::3] == ["not applicable", "passed"]
    no_value = measured(BY_SPEND, FRAME.assign(spend=0.0)).loc[actionable.SMALLEST_VALUE_SHARE]
    assert (no_value.outcome, no_value.reason) == ("not applicable", "nobody of 1,000 customers spent anything")
    assert blank(kotler_criteria, {}, FRAME, LATER) == "no scheme was fitted"


def test_bad_thresholds_are_named_at_once():
    assert refused(Thresholds, accuracy=1.2, depth=0, revenue=np.nan) == (
        "thresholds: accuracy = 1.2: give a share, 0 to 1",
        "thresholds: revenue = nan: give a share, 0 to 1",
        "thresholds: depth = 0: give a whole number, 1 to 8",
    )
