"""What models found, as readers and Results want it."""

import numpy as np
import pandas as pd

from crmlab import service_quality as sq
from crmlab.result import Estimate
from crmlab.service_quality.metrics import format_p

from .gap_worlds import DIMENSIONS, survey, world


def test_chances_are_printed_as_papers_do():
    told = {0.0004: "< .001", 0.0023: ".002", 0.0234: ".023", 0.5: ".500", 0.9998: "1", 1.0: "1", np.nan: ""}
    assert [format_p(p) for p in told] == list(told.values())


def test_a_brief_table_has_the_columns_asked_for_and_no_empty_one():
    table = pd.DataFrame({"a": ["x", "y"], "p": [0.2, 1e-9], "ok": [True, False], "b": [1.0, 2], "none": np.nan})
    found = sq.format_table(table.assign(reason=""), "a", "p", "ok", "none", β="b")
    assert list(found.columns) == ["a", "p", "ok", "β"]
    assert found.p.to_list() == [".200", "< .001"]
    assert found.ok.to_list() == ["yes", "no"]
    assert sq.format_table(table[1:].assign(b=np.inf, stability=0.8255), "b", "stability").to_dict("records") == [
        {"b": "∞", "stability": "82.5%"}
    ]
    assert list(sq.format_table(table.iloc[:0], "a", "b").columns) == ["a", "b"]


def test_a_brief_table_says_reasons_and_says_one_of_all_once():
    table = pd.DataFrame({"a": ["x", "y"], "n": [0, 9], "b": [np.nan, 2], "reason": ["too few", ""]})
    assert sq.format_table(table, "a", "b").reason.to_list() == ["too few", ""]
    blank = table.assign(n=0, b=np.nan, reason="not asked")
    assert sq.format_table(blank, "a", "n", "b").to_dict("records") == [
        {"a": "all", "cannot be estimated": "not asked"}
    ]
    assert len(sq.format_table(blank.assign(n=9), "a", "n", "b")) == 2  # a number is never left out


def test_facts_put_the_whole_first_and_the_weighted_whole_beside_it():
    points = np.random.default_rng(1).dirichlet([3, 5, 2], 80) * 100
    held = world(n=80, points=points)
    table, weighted = sq.gap_scores(held, "dimension"), sq.weighted_gap_scores(held)
    facts = sq.gap_facts(table, weighted)
    assert list(facts) == ["gap_overall", "gap_overall_weighted", *(f"gap_{name}" for name in DIMENSIONS)]
    row = weighted.iloc[-1]
    assert facts["gap_overall_weighted"] == Estimate(row.weighted_gap, row.ci_low, row.ci_high, "points of the scale")
    assert list(sq.gap_facts(table, sq.weighted_gap_scores(world(n=80)))) == [n for n in facts if "weighted" not in n]


def test_a_gap_without_an_interval_is_a_fact_without_one():
    same = survey({"a": 3}, expect=np.full((9, 3), 6.0), perceive=np.full((9, 3), 4.0))
    assert sq.gap_facts(sq.gap_scores(same, "dimension"))["gap_a"] == Estimate(-2.0, unit="points of the scale")


def test_loyalty_is_a_fact_where_it_is_finite():
    satisfied, loyal = pd.Series([4.0] * 20 + [5.0] * 20), pd.Series([1.0, 0] * 10 + [1.0] * 20)
    levels, promoters = sq.loyal_share_by_level(satisfied, loyal), sq.promoter_shares(pd.Series([9.0, 10, 3, 8]))
    facts = sq.loyalty_facts(levels, promoters)
    assert facts["top_box_risk_ratio"].value == 2
    assert facts["nps"].value == 25
    none = sq.loyal_share_by_level(satisfied, loyal.where(satisfied == 5, 0))
    assert sq.loyalty_facts(none, sq.promoter_shares(pd.Series([np.nan]))) == {}
