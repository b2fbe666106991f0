"""No two shipped reports contradict each other on one data set."""

import itertools

import pytest

from .conftest import ROOT
from .executed import left_by

# reports of the same log and the same days, all by their defaults
OF_ONE_LOG = {name: ROOT / "notebooks" / f"{name}.ipynb" for name in ("01_lifecycle", "02_clv", "04_segments")}


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(OF_ONE_LOG, 2)))
def test_facts_that_two_reports_share_are_the_same(one, other):
    facts, others = (left_by(OF_ONE_LOG[name]).facts for name in (one, other))
    shared = facts.keys() & others.keys()
    assert "customers" in shared
    assert {name: facts[name] for name in shared} == {name: others[name] for name in shared}


def test_who_is_active_is_among_what_they_share():
    facts, others = (left_by(OF_ONE_LOG[name]).facts for name in ("01_lifecycle", "02_clv"))
    assert {"active_customers", "active_repeat_buyers", "active_customers_who_order"} <= facts.keys() & others.keys()
