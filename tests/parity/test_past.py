"""What baselines rest on is the same on DuckDB, PostgreSQL and Spark: integers equal, money exact."""

import pytest

from crmlab import clv, engines
from crmlab.clv.tables import with_baseline_features

from .test_engines import END, LATER, assert_same, contract_table, run

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pytest.fixture(scope="module")
def both(rows, other):
    return contract_table(engines.connect(), rows), contract_table(other, rows)


def known(table):
    summary = clv.with_holdout(clv.summarise(table, END), table, END, LATER)
    return with_baseline_features(summary, table, END, 60)


def test_with_past_is_the_same(both):
    assert_same(*run(both, lambda t: known(t).order_by("customer_id")))


def test_what_a_backtest_collapses_is_the_same(both):
    assert_same(*run(both, lambda t: clv.collapse(known(t), "orders", "last_orders", "cohort")))
