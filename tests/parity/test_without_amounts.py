"""A log without amounts is the same on DuckDB and on Spark: orders equal, money null, and the reason the same."""

import pytest

from crmlab import clv, engines, lifecycle, segments
from crmlab.model import why_blank
from crmlab.orders import NO_AMOUNTS
from tests.parity.test_engines import END, LATER, assert_same, contract_table, run

pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]
THRESHOLDS = lifecycle.OverdueThresholds((90, 60, 40), 3.0)
TABLES = {
    "summarise": lambda t: clv.summarise(t, END).order_by("customer_id"),
    "summarise_periods": lambda t: clv.summarise_periods(t, END, 30).order_by("customer_id"),
    "with_holdout": lambda t: clv.with_holdout(clv.summarise(t, END), t, END, LATER).order_by("customer_id"),
    "with_baseline_features": lambda t: clv.with_baseline_features(clv.summarise(t, END), t, END, 30).order_by(
        "customer_id"
    ),
    "customer_features": lambda t: segments.customer_features(t, END, 90).order_by("customer_id"),
    "holdout_activity": lambda t: segments.holdout_activity(t, END, LATER).order_by("customer_id"),
    "stage_transitions": lambda t: lifecycle.stage_transitions(t, END, "week", THRESHOLDS),
    "state_transitions": lambda t: lifecycle.state_transitions(t, END, "week", THRESHOLDS, 4),
    "product_sales": lambda t: lifecycle.product_sales(t, END),
}


@pytest.fixture(scope="module")
def both(rows, spark):
    """The log with amounts of null, on both engines."""
    visits = rows[rows.amount >= 0].assign(amount=None)
    return contract_table(engines.connect(), visits), contract_table(spark, visits)


@pytest.mark.parametrize("name", TABLES)
def test_the_table_is_the_same_and_spend_is_null(both, name):
    one, other = (frame.astype({c: float for c in frame if "spend" in c}) for frame in run(both, TABLES[name]))
    assert_same(one, other)
    placed = one.orders > 0 if name in ("with_holdout", "holdout_activity") else one.index >= 0
    assert one[placed].filter(regex="^(spend|repeat_spend|past_spend|mean_spend|monetary_value)$").isna().all(axis=None)


def test_money_is_blank_with_the_same_reason(both):
    reason = "; ".join(NO_AMOUNTS)
    for log in both:
        customers = clv.summarise(log, END)
        blanks = [clv.fit_spend(customers, 0), clv.spend_correlation(customers), clv.spend_by_frequency(customers)]
        blanks.append(lifecycle.state_values(lifecycle.state_transitions(log, END, "week", THRESHOLDS, 4), 0.01, 4))
        assert {why_blank(blank) for blank in blanks} == {reason}
