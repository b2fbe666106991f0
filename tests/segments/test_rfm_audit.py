"""The audit of named segments, against a count of cells written out as sets."""

from collections import Counter
from itertools import product

import pandas as pd
import pytest

from crmlab.segments.checks import rfm_rules_unambiguous
from crmlab.segments.models.rfm_audit import RFM_RULES, RFMRule, rfm_cell, rfm_rule_audit

from .refusals import refused

# the ten segments as R's rfm 0.2.2 prints them: lowest and highest of recency, then of frequency and money alike
PRINTED = {
    "Champions": "45 45", "Loyal Customers": "25 35", "Potential Loyalist": "35 13", "New Customers": "45 11",
    "Promising": "34 11", "Need Attention": "23 23", "About To Sleep": "23 12", "At Risk": "12 25",
    "Can't Lose Them": "11 45", "Lost": "12 12",
}  # fmt: skip


def cells(spans):
    (a, b), (c, d) = (map(int, span) for span in spans.split())
    return set(product(range(a, b + 1), range(c, d + 1), range(c, d + 1)))


def test_the_rules_are_those_of_the_list():
    for rule, (name, spans) in zip(RFM_RULES, PRINTED.items(), strict=True):
        assert rule.name == name
        assert rule.cells == len(cells(spans))
    n_rules = Counter(cell for spans in PRINTED.values() for cell in cells(spans))
    found = rfm_rule_audit().set_index(["r", "f", "m"]).n_rules
    assert found.to_dict() == {cell: n_rules[cell] for cell in product(range(1, 6), repeat=3)}


def test_the_list_leaves_36_cells_without_a_name_and_gives_39_several():
    # counted by hand from the sets above
    found = rfm_rule_audit()
    assert len(found) == 125
    assert found.resolution.value_counts().to_dict() == {
        "one name": 50, "several: the narrowest": 39, "none: the nearest": 36
    }  # fmt: skip


def test_by_the_order_of_the_list_three_names_have_nobody():
    taken = set(rfm_rule_audit()["first_rule"])
    assert set(PRINTED) - taken == {"New Customers", "Promising", "Can't Lose Them"}
    assert "Others" in taken


def test_every_cell_has_one_segment_and_every_name_some_cell():
    assert set(rfm_rule_audit().segment) == set(PRINTED)


def test_the_narrowest_rule_has_a_cell_of_several_and_the_first_of_equals():
    found = rfm_rule_audit().set_index(["r", "f", "m"])
    assert found.names[5, 1, 1] == "Potential Loyalist; New Customers"
    assert found.segment[5, 1, 1] == "New Customers"
    assert found.segment[4, 1, 1] == "New Customers"  # of as many cells as Promising, and before it
    assert found.segment[1, 5, 5] == "Can't Lose Them"


def test_the_nearest_rule_has_a_cell_of_none():
    found = rfm_rule_audit().set_index(["r", "f", "m"])
    assert found.n_rules[5, 5, 2] == 0
    assert found["first_rule"][5, 5, 2] == "Others"
    assert found.segment[5, 5, 2] == "Loyal Customers"  # one step of money away
    assert found.segment[5, 1, 4] == "Potential Loyalist"


def test_the_check_counts_cells_and_customers():
    scores = pd.DataFrame([(5, 5, 5), (5, 5, 2), (5, 5, 2), (5, 1, 1), (3, 3, 1)], columns=list("rfm"))
    found = rfm_rule_audit(scores=scores)
    assert found.customers.sum() == 5
    assert found.customers[rfm_cell(scores)[1]] == 2
    check = rfm_rules_unambiguous(found)
    assert (check.id, check.kind, check.outcome) == ("segments.rfm_rules_unambiguous", "assumption", "failed")
    assert "39 of 125 cells have several names (40.0 % of customers)" in check.summary
    assert "36 have none (40.0 %)" in check.summary
    assert "no cell is left for Can't Lose Them, Promising, New Customers." in check.summary
    assert check.recommendation == "Use rfm_tiers, which give each customer one tier."


def test_rules_that_part_all_cells_pass():
    rules = (RFMRule("new", (2, 2), (1, 2), (1, 2)), RFMRule("old", (1, 1), (1, 2), (1, 2)))
    scores = pd.DataFrame([(1, 1, 1)], columns=list("rfm"))
    check = rfm_rules_unambiguous(rfm_rule_audit(rules, 2, scores))
    assert (check.outcome, check.summary) == ("passed", "Each of 8 cells has one name.")


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ((RFMRule("a", (1, 6), (1, 5), (1, 5)),), "recency of 'a' runs from 1 to 6"),
        ((RFMRule("a", (1, 5), (3, 2), (1, 5)),), "frequency of 'a' runs from 3 to 2"),
        ((RFMRule("a", (1, 5), (1, 5), (1, 5)),) * 2, "'a' is there more than once"),
        ((), "there are none"),
    ],
)
def test_rules_that_are_none_are_refused(rules, says):
    assert says in refused(rfm_rule_audit, rules)[0]
