"""The audit of named segments, against a count of cells written out as sets."""

from collections import Counter
from itertools import product

import pandas as pd
import pytest

from crmlab.segments.models.rfm_audit import RULES, Rule, audit, cell_of, names_each_cell_once

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
    for rule, (name, spans) in zip(RULES, PRINTED.items(), strict=True):
        assert rule.name == name
        assert rule.cells == len(cells(spans))
    claims = Counter(cell for spans in PRINTED.values() for cell in cells(spans))
    found = audit().set_index(["r", "f", "m"]).claims
    assert found.to_dict() == {cell: claims[cell] for cell in product(range(1, 6), repeat=3)}


def test_the_list_leaves_36_cells_without_a_name_and_gives_39_several():
    # counted by hand from the sets above
    found = audit()
    assert len(found) == 125
    assert found.how.value_counts().to_dict() == {
        "one name": 50, "several: the narrowest": 39, "none: the nearest": 36
    }  # fmt: skip


def test_by_the_order_of_the_list_three_names_have_nobody():
    taken = set(audit()["first"])
    assert set(PRINTED) - taken == {"New Customers", "Promising", "Can't Lose Them"}
    assert "Others" in taken


def test_every_cell_has_one_segment_and_every_name_some_cell():
    assert set(audit().segment) == set(PRINTED)


def test_the_narrowest_rule_has_a_cell_of_several_and_the_first_of_equals():
    found = audit().set_index(["r", "f", "m"])
    assert found.names[5, 1, 1] == "Potential Loyalist; New Customers"
    assert found.segment[5, 1, 1] == "New Customers"
    assert found.segment[4, 1, 1] == "New Customers"  # of as many cells as Promising, and before it
    assert found.segment[1, 5, 5] == "Can't Lose Them"


def test_the_nearest_rule_has_a_cell_of_none():
    found = audit().set_index(["r", "f", "m"])
    assert found.claims[5, 5, 2] == 0
    assert found["first"][5, 5, 2] == "Others"
    assert found.segment[5, 5, 2] == "Loyal Customers"  # one step of money away
    assert found.segment[5, 1, 4] == "Potential Loyalist"


def test_the_verdict_counts_cells_and_customers():
    scores = pd.DataFrame([(5, 5, 5), (5, 5, 2), (5, 5, 2), (5, 1, 1), (3, 3, 1)], columns=list("rfm"))
    found = audit(scores=scores)
    assert found.customers.sum() == 5
    assert found.customers[cell_of(scores)[1]] == 2
    verdict = names_each_cell_once(found)
    assert not verdict.passed
    assert "several names for 39 of 125 cells (40.0 % of customers)" in verdict.evidence
    assert "none for 36 of 125 cells (40.0 % of customers)" in verdict.evidence
    assert "nobody is left for" in verdict.evidence


def test_rules_that_part_all_cells_pass():
    rules = (Rule("new", (2, 2), (1, 2), (1, 2)), Rule("old", (1, 1), (1, 2), (1, 2)))
    scores = pd.DataFrame([(1, 1, 1)], columns=list("rfm"))
    assert names_each_cell_once(audit(rules, 2, scores)).passed


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ((Rule("a", (1, 6), (1, 5), (1, 5)),), "recency of 'a' runs from 1 to 6"),
        ((Rule("a", (1, 5), (3, 2), (1, 5)),), "frequency of 'a' runs from 3 to 2"),
        ((Rule("a", (1, 5), (1, 5), (1, 5)),) * 2, "'a' stands more than once"),
        ((), "there are none"),
    ],
)
def test_rules_that_are_none_are_refused(rules, says):
    assert says in refused(audit, rules)[0]
