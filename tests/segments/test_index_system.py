"""The index system on customers whose score is plain to see, and on random ones."""

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.models import index_system
from crmlab.segments.models.index_system import IndexSystem
from crmlab.segments.tables import scorecard

from .logs import later_features, simulated
from .refusals import refused, unfitted

FRAME = simulated()


def card(weighting="equal", normalisation="minmax", **more):
    """Spend, orders and recency, of which less is better."""
    one = {"normalisation": normalisation}
    indicators = {
        "value": one | {"column": "spend", "direction": "higher", "weight": 0.5},
        "orders": one | {"direction": "higher", "weight": 0.3},
        "recency": one | {"column": "days_since_last", "direction": "lower", "weight": 0.2},
    }
    return scorecard.read_scorecard({"weighting": weighting, "indicators": indicators} | more)


def few(**columns):
    return pd.DataFrame(columns, [f"c{i}" for i in range(len(next(iter(columns.values()))))], dtype=float)


def test_a_score_is_the_weighted_mean_of_marks_in_their_direction():
    frame = few(spend=[0, 50, 100, 100], orders=[1, 1, 3, 5], days_since_last=[0, 10, 40, 20])
    model = IndexSystem.fit(frame, card("given"), tiers=2)
    # by hand: value 0 .5 1 1, orders 0 0 .5 1, recency 1 .75 0 .5
    assert model.score(frame).tolist() == pytest.approx([20, 25 + 15, 50 + 15, 50 + 30 + 10])
    assert model.contributions(frame).sum(axis=1).tolist() == pytest.approx(model.score(frame).tolist())
    assert model.assign(frame).tolist() == ["tier 2", "tier 2", "tier 1", "tier 1"]


def test_marks_stay_within_0_and_1_for_customers_beyond_those_seen():
    score = IndexSystem.fit(FRAME, card()).score(later_features())
    assert score.between(0, 100).all()
    best = few(spend=[9e9], orders=[9e9], days_since_last=[0])
    assert IndexSystem.fit(FRAME, card()).score(best).tolist() == [100]


def test_winsorised_marks_end_at_the_hundredths():
    scale = IndexSystem.fit(FRAME, card(normalisation="winsorised")).scales[0]
    assert scale.values == tuple(np.quantile(FRAME.spend, [0.01, 0.99]))


def test_rank_marks_are_the_share_of_customers_below():
    frame = few(spend=[1, 2, 2, 900], orders=[4, 3, 2, 1], days_since_last=[1, 2, 3, 4])
    normalised = IndexSystem.fit(frame, card(normalisation="rank"), 2).scales[0].normalise(frame)
    # middles of the places 0, 1-2 and 3, moved to 0 to 1
    assert normalised.tolist() == [0, 0.5, 0.5, 1]
    many = IndexSystem.fit(FRAME, card(normalisation="rank")).scales[0]
    assert len(many.values) <= 101
    assert np.abs(many.normalise(FRAME) - FRAME.spend.rank(pct=True)).max() < 0.011


@pytest.mark.parametrize("tiers", [2, 8, 30])
def test_tiers_hold_equal_parts_the_best_first(tiers):
    model = IndexSystem.fit(FRAME, card(), tiers)
    labels = model.assign(FRAME)
    counts = labels.value_counts(sort=False)
    assert labels.name == "index_system"
    assert labels.cat.ordered
    assert len(counts) == tiers
    assert counts.max() - counts.min() <= 2
    least = model.score(FRAME).groupby(labels, observed=True).min()
    assert least.is_monotonic_decreasing
    assert least.iloc[:-1].tolist() == list(model.cuts)


def test_tiers_may_hold_shares_that_are_told():
    counts = IndexSystem.fit(FRAME, card(), (0.05, 0.15, 0.8)).assign(FRAME).value_counts(sort=False)
    assert counts.tolist() == [100, 300, 1600]


def test_who_ties_is_of_one_tier():
    frame = few(spend=[1] * 9 + [5], orders=[1] * 9 + [2], days_since_last=[9] * 9 + [3])
    labels = IndexSystem.fit(frame, card(), 5).assign(frame)
    assert labels.value_counts(sort=False).tolist() == [10, 0, 0, 0, 0]  # the first tier was to hold two


def test_labels_depend_on_the_customer_alone_not_on_the_company():
    model, other = IndexSystem.fit(FRAME, card(), 30), later_features()
    whole = model.assign(other)
    assert model.assign(other[::-1]).sort_index().equals(whole)
    assert model.assign(other.iloc[7:13]).equals(whole.iloc[7:13])


def test_rules_are_the_cuts_and_indicators_are_readable():
    model = IndexSystem.fit(FRAME, card("given"), 3)
    rules = model.rules().rule
    assert rules.index.tolist() == ["tier 1", "tier 2", "tier 3"]
    assert rules["tier 3"].startswith("score at least 0, below ")
    table = model.indicators()
    assert table.weight.tolist() == [0.5, 0.3, 0.2]
    assert (table.worst["recency"], table.best["recency"]) == (299, 0)
    assert table.worst["value"] == FRAME.spend.min()


def test_weightings_are_told_side_by_side_where_they_can_be_had():
    rows = {"value": [1, 2, 4], "orders": ["1/2", 1, 2], "recency": ["1/4", "1/2", 1]}
    table = index_system.weighting_comparison(FRAME, card(comparisons=rows))
    assert list(table) == ["equal", "given", "ahp", "entropy sum", "entropy minmax"]
    assert table.sum().tolist() == pytest.approx([1] * 5)
    assert table.ahp.tolist() == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    signed = FRAME.assign(spend=FRAME.spend - 100)
    assert list(index_system.weighting_comparison(signed, card())) == ["equal", "given", "entropy minmax"]


def test_a_weighting_may_be_another_than_the_scorecards():
    assert IndexSystem.fit(FRAME, card(), weighting="given").weights.values == (0.5, 0.3, 0.2)
    assert "entropy" in IndexSystem.fit(FRAME, card(), weighting="entropy sum").weights.method
    assert "weighting = 'votes'" in refused(IndexSystem.fit, FRAME, card(), 8, "votes")[0]
    assert "no [comparisons]" in refused(IndexSystem.fit, FRAME, card(), 8, "ahp")[0]


def test_bad_indicators_are_named_at_once():
    frame = FRAME.rename(columns={"days_since_last": "days_since_lst"}).assign(spend=3.0, orders="many")
    assert refused(IndexSystem.fit, frame.head(5), card()) == (
        "features: 'orders' of indicator 'orders' holds no numbers; take another column",
        "features: no column 'days_since_last', which indicator 'recency' needs; did you mean 'days_since_lst'?",
        "features: 5 customers are fewer than the 8 that index_system needs; take fewer segments, or more customers",
        "features: 'spend' is 3 for all 5 customers, so index_system cannot part them; take another feature, or more "
        "customers",
    )
    gone = FRAME.copy()
    gone.loc[gone.index[3], "spend"] = np.nan
    assert "'spend' is empty or infinite for 1 of 2,000" in unfitted(IndexSystem.fit, gone, card())
    nearly = FRAME.assign(orders=np.where(np.arange(2000) < 4, 9, 1))
    assert "is 1 for all but a hundredth" in unfitted(IndexSystem.fit, nearly, card(normalisation="winsorised"))
    assert IndexSystem.fit(nearly, card(normalisation="rank"))


@pytest.mark.parametrize("tiers", [1, 0, 2.5, np.nan, (0.5, 0.6), (1.0,), (1.2, -0.2), [[0.5, 0.5]]])
def test_tiers_that_are_none_are_refused(tiers):
    assert "give a whole number of 2 or more" in refused(IndexSystem.fit, FRAME, card(), tiers)[0]


def test_weights_are_drawn_with_the_relative_error_that_is_asked_for():
    drawn = index_system._drawn(np.array([1 / 3, 0, 1 / 3, 1 / 3]), 1.0, 20_000, 1)
    assert (drawn[:, 1] == 0).all()
    assert (drawn.std(axis=0) / drawn.mean(axis=0))[[0, 2, 3]] == pytest.approx([1.0] * 3, rel=0.03)
