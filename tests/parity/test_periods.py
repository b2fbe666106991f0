"""Opportunities are the same on DuckDB, PostgreSQL and Spark: integers equal, money exact."""

import pytest

from crmlab import clv, engines
from crmlab.clv.tables import summarise_periods

from .test_engines import END, assert_same, contract_table, run

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pytest.fixture(scope="module")
def both(rows, other):
    return contract_table(engines.connect(), rows), contract_table(other, rows)


@pytest.mark.parametrize(("period_days", "acquired_from"), [(1, None), (7, "2024-02-01")])
def test_summarise_periods_is_the_same(both, period_days, acquired_from):
    assert_same(*run(both, lambda t: summarise_periods(t, END, period_days, acquired_from).order_by("customer_id")))


def test_collapsed_periods_are_the_same(both):
    assert_same(*run(both, lambda t: clv.collapse(summarise_periods(t, END, 7))))
