"""RFM scores, names and tiers, on customers whose scores are plain to see and on random ones."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.segments.models.rfm import RFM, RFMTiers, Scores

from .logs import later_features, simulated
from .refusals import refused, unfitted


def ramp(count):
    """Customers of whom each is later, more frequent and of more spend than the one before."""
    n = np.arange(1, count + 1)
    return pd.DataFrame({"days_since_last": 1000 - n, "orders": n, "spend": n * 10.0}, [f"c{i:04d}" for i in n])


def test_independent_scores_part_untied_customers_into_fifths():
    scores = Scores.fit(ramp(100)).score(ramp(100))
    for axis in "rfm":
        assert scores[axis].tolist() == np.repeat([1, 2, 3, 4, 5], 20).tolist()


def test_recency_is_best_where_the_last_order_is_latest():
    frame = ramp(10).assign(orders=range(10, 0, -1))
    scores = Scores.fit(frame).score(frame)
    assert scores.r.tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert scores.f.tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]


def test_who_bought_once_has_the_lowest_score_however_many_there_are():
    frame = ramp(100).assign(orders=[1] * 70 + [2] * 20 + [3] * 10)
    scores = Scores.fit(frame).score(frame)
    assert scores.f.groupby(frame.orders).unique().map(list).to_dict() == {1: [1], 2: [4], 3: [5]}


def test_nested_scores_part_each_cell_into_fifths():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({axis: rng.permutation(5000) for axis in ("days_since_last", "orders", "spend")})
    scores = Scores.fit(frame, nested=True).score(frame)
    assert (scores.groupby(["r", "f", "m"]).size() == 40).all()  # 5,000 over 125 cells
    within = frame.groupby([scores.r, scores.f])
    assert all((g.spend.groupby(scores.m[g.index]).min().is_monotonic_increasing) for _, g in within)


def test_nested_and_independent_differ_where_axes_go_together():
    frame = ramp(500)
    alone, within = (Scores.fit(frame, nested=n).score(frame) for n in (False, True))
    assert (alone.r == within.r).all()
    assert (alone.f == alone.r).all()  # as all go together
    assert (within.f.groupby(within.r).nunique() == 5).all()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    rows=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 3), st.integers(0, 5)), min_size=30, max_size=60),
    nested=st.booleans(),
)
def test_ties_are_never_parted_and_more_is_never_worse(rows, nested):
    frame = pd.DataFrame(rows, columns=["days_since_last", "orders", "spend"])
    if (frame.nunique() < 2).any():
        return
    scores = Scores.fit(frame, bins=3, nested=nested).score(frame)
    assert (scores.groupby([frame[c] for c in frame]).nunique() == 1).all().all()
    groups = {"r": [], "f": [scores.r], "m": [scores.r, scores.f]}
    for axis, column, sign in (("r", "days_since_last", -1), ("f", "orders", 1), ("m", "spend", 1)):
        keys = groups[axis] if nested and axis != "r" else [pd.Series(0, frame.index)]
        for _, held in frame.groupby(keys):
            line = (sign * held[column]).sort_values().index
            assert scores[axis][line].is_monotonic_increasing


def test_cells_without_customers_take_the_cuts_of_all():
    frame = ramp(200).assign(orders=[1] * 150 + list(range(2, 52)))
    scores = Scores.fit(frame, nested=True)
    empty = frame.iloc[:1].assign(days_since_last=999, orders=40, spend=5000.0)  # the longest away, yet frequent
    assert scores.score(empty).to_numpy().tolist() == [[1, 5, 5]]


def test_named_segments_are_those_of_their_cells():
    frame = ramp(100)
    labels = RFM.fit(frame).assign(frame)
    assert labels.name == "rfm"
    assert labels.iloc[[0, 30, 50, 70, 99]].tolist() == [
        "Lost", "Need Attention", "Need Attention", "Champions", "Champions"
    ]  # fmt: skip
    assert labels.cat.categories[0] == "Champions"
    assert not labels.isna().any()


def test_rules_tell_the_scores_and_the_values():
    rules = RFM.fit(ramp(100)).rules()
    assert rules.rule["Champions"] == (
        "R 4–5, F 4–5, M 4–5: last order less than 940 days ago; more than 60 order days; spend above 600"
    )
    assert rules.rule["Promising"] == (
        "R 3–4, F 1, M 1: last order at least 920, less than 960 days ago; up to 20 order days; spend up to 200"
    )
    assert rules.cells.sum() == 125


def test_the_values_told_are_those_of_the_scores():
    frame = simulated()
    scheme = Scores.fit(frame)
    r = scheme.score(frame).r
    low, high = frame.days_since_last[r.between(3, 4)].agg(["min", "max"])
    told = scheme.describe([[3, 4], [1, 5], [1, 5]])
    at_least, less_than = (int(w) for w in told.replace(",", "").split() if w.isdigit())
    assert at_least <= low
    assert high < less_than
    assert not frame.days_since_last[~r.between(3, 4)].between(at_least, less_than - 1).any()


def test_a_count_that_a_range_holds_alone_is_told_as_it_is():
    scheme = Scores((100, 30, 20, 19), (1, 2, 4, 9), (5, 10, 20, 40))
    told = [scheme.describe([[score, score], [score, score], [1, 5]]) for score in range(1, 5)]
    assert told == [
        "last order at least 100 days ago; exactly 1 order day",
        "last order at least 30, less than 100 days ago; exactly 2 order days",
        "last order at least 20, less than 30 days ago; more than 2, up to 4 order days",
        "last order exactly 19 days ago; more than 4, up to 9 order days",
    ]


def test_nested_rules_tell_scores_alone():
    assert RFM.fit(simulated(), nested=True).rules().rule["Champions"] == "R 4–5, F 4–5, M 4–5"


def test_the_score_is_the_weighted_mean():
    frame = ramp(100)
    tiers = RFMTiers.fit(frame, weights=(5, 3, 2))
    scores = tiers.scores.score(frame)
    assert np.allclose(tiers.score(frame), 0.5 * scores.r + 0.3 * scores.f + 0.2 * scores.m)
    assert tiers.assign(frame).value_counts(sort=False).to_dict() == {f"tier {t}": 20 for t in range(1, 6)}
    assert tiers.assign(frame).iloc[-1] == "tier 1"


def test_tiers_told_by_rules_are_those_assigned():
    frame = simulated()
    tiers = RFMTiers.fit(frame, tiers=3)
    score, labels = tiers.score(frame), tiers.assign(frame)
    told = tiers.rules().rule
    assert told["tier 1"].startswith("mean of R, F and M above ")
    assert ((score > float(told["tier 1"].split()[-1])) == (labels == "tier 1")).all()  # as one applies it by hand
    assert RFMTiers.fit(frame, 3, (2, 1, 1)).rules().rule["tier 1"].startswith("0.5000 R + 0.2500 F + 0.2500 M: above ")
    assert RFMTiers(tiers.scores, (1 / 3,) * 3, (7 / 3, 8 / 3)).rules().rule.tolist() == [
        "mean of R, F and M above 2.67", "mean of R, F and M above 2.34, up to 2.67", "mean of R, F and M up to 2.34"
    ]  # fmt: skip
    assert (score[labels == "tier 1"] > tiers.cuts[1]).all()
    assert (score[labels == "tier 3"] <= tiers.cuts[0]).all()


@pytest.mark.parametrize("nested", [False, True])
def test_what_was_learned_fits_later_features_and_other_customers(nested):
    scheme, other = RFM.fit(simulated(), nested=nested), later_features()
    labels = scheme.assign(other)
    assert not labels.isna().any()
    assert scheme.assign(other[::-1]).sort_index().equals(labels)
    assert (scheme.scores.score(other.iloc[:5])[["f", "m"]] == 5).all().all()


def test_bad_features_are_named_all_at_once():
    frame = simulated().drop(columns="spend").assign(orders=1)
    assert unfitted(RFM.fit, frame) == (
        "features: 'orders' is 1 for all 2,000 customers, so rfm cannot part them; take another feature, or more "
        "customers; features: no column 'spend' (spent so far), which rfm needs; join it"
    )
    assert "'spend' is 0 for all" in unfitted(RFM.fit, simulated().assign(spend=0.0))


def test_fewer_customers_than_cells_are_refused():
    assert "124 customers are fewer than the 125 that rfm needs" in unfitted(RFM.fit, ramp(124), nested=True)
    assert "4 customers are fewer than the 5 that rfm needs" in unfitted(RFM.fit, ramp(4))
    assert "9 customers are fewer than the 10 that rfm needs" in unfitted(RFMTiers.fit, ramp(9), tiers=10)


def test_bad_parameters_are_refused():
    assert "bins = 1" in refused(Scores.fit, ramp(100), bins=1)[0]
    assert "scores run from 1 to 3" in refused(RFM.fit, ramp(100), bins=3)[0]  # the names are for five
    for weights in ((1, 1), (0, 0, 0), (1, -1, 1), (1, np.nan, 1)):
        assert "give three weights" in refused(RFMTiers.fit, ramp(100), weights=weights)[0]
