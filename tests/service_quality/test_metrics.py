"""The numbers that a report names as facts."""

import numpy as np
import pandas as pd

from crmlab import service_quality as sq
from crmlab.estimate import Estimate

from .gap_worlds import DIMENSIONS, survey, world


def test_facts_put_the_whole_first_and_the_weighted_whole_beside_it():
    points = np.random.default_rng(1).dirichlet([3, 5, 2], 80) * 100
    held = world(n=80, points=points)
    table, weighted = sq.gap_scores(held, "dimension"), sq.weighted_gap_scores(held)
    found = sq.gap_estimates(table, weighted)
    assert list(found) == ["overall", "overall_weighted", *DIMENSIONS]
    row = weighted.iloc[-1]
    ends = row.weighted_gap, row.ci_low, row.ci_high
    assert found["overall_weighted"] == Estimate(*ends, n=80, unit="points of the scale")
    blank = sq.gap_estimates(table, sq.weighted_gap_scores(world(n=80)))
    assert list(blank) == list(found)
    assert blank["overall_weighted"].reason == "ratings of importance were not asked"
    assert blank["overall"] == found["overall"]


def test_a_gap_without_an_interval_is_a_number_without_one():
    same = survey({"a": 3}, expect=np.full((9, 3), 6.0), perceive=np.full((9, 3), 4.0))
    found = sq.gap_estimates(sq.gap_scores(same, "dimension"))
    assert found["a"] == Estimate(-2.0, n=9, unit="points of the scale")


def test_loyalty_is_a_number_where_it_is_finite_and_else_blank():
    satisfied, loyal = pd.Series([4.0] * 20 + [5.0] * 20), pd.Series([1.0, 0] * 10 + [1.0] * 20)
    levels, promoters = sq.loyal_share_by_level(satisfied, loyal), sq.promoter_shares(pd.Series([9.0, 10, 3, 8]))
    assert sq.top_box_risk_ratio(levels).value == 2
    assert sq.net_promoter_estimate(promoters).value == 25
    none = sq.loyal_share_by_level(satisfied, loyal.where(satisfied == 5, 0))
    assert sq.top_box_risk_ratio(none).reason == "nobody one level below is loyal: no end"
    assert sq.net_promoter_estimate(sq.promoter_shares(pd.Series([np.nan]))).reason == "nobody answered"


def test_shares_and_p_values_are_written_as_such():
    found = sq.gap_scores(world(n=30))
    assert found.attrs["kinds"]["p_adjusted"] == "p"
    assert found.attrs["kinds"].keys() <= set(found)
