"""What baselines rest on, of small logs whose numbers are plain to see."""

import pandas as pd
import pytest

from crmlab import clv
from crmlab.clv.tables import with_baseline_features

from .worlds import by_customer, log

SPLIT = "2024-03-31"
SHOP = (
    ("ann", "2024-01-05", "5.00"),
    ("ann", "2024-02-29", "1.00"),
    ("ann", "2024-03-01", "7.00"),
    ("ann", "2024-03-31", "20.00"),
    ("ann", "2024-03-31", "2.50"),
    ("bob", "2024-03-10", "9.00"),
    ("cid", "2023-12-31", "4.00"),
)
AFTER = (("ann", "2024-04-01", "50.00"), ("bob", "2024-04-02", "3.00"), ("dan", "2024-04-01", "8.00"))
COLUMNS = ["cohort", "past_spend", "last_orders", "last_spend"]


def past(rows, days, split=SPLIT):
    table = log(*rows)
    return by_customer(with_baseline_features(clv.summarise(table, split), table, split, days))


def test_the_past_is_counted_by_hand():
    found = past(SHOP + AFTER, 31)  # from 1 March on
    assert found[COLUMNS].to_dict("index") == {
        "ann": {"cohort": 202401, "past_spend": 35.5, "last_orders": 2, "last_spend": 29.5},
        "bob": {"cohort": 202403, "past_spend": 9.0, "last_orders": 0, "last_spend": 9.0},
        "cid": {"cohort": 202312, "past_spend": 4.0, "last_orders": 0, "last_spend": 0.0},
    }


@pytest.mark.parametrize(("days", "orders"), [(1, 1), (30, 1), (31, 2), (32, 3), (1000, 3)])
def test_the_last_days_end_with_the_split(days, orders):
    assert past(SHOP, days).last_orders["ann"] == orders


def test_later_rows_change_nothing():
    pd.testing.assert_frame_equal(past(SHOP, 31), past(SHOP + AFTER, 31))


def test_row_order_changes_nothing():
    pd.testing.assert_frame_equal(past(SHOP, 31), past(SHOP[::-1], 31))


def test_the_summary_is_kept_and_the_argument_untouched():
    table = log(*SHOP, *AFTER)
    before = table.execute()
    summary = clv.with_holdout(clv.summarise(table, SPLIT), table, SPLIT, "2024-04-30")
    found = by_customer(with_baseline_features(summary, table, SPLIT, 31))
    kept = by_customer(summary)
    pd.testing.assert_frame_equal(found[kept.columns], kept)
    pd.testing.assert_frame_equal(table.execute(), before)
    assert list(found.orders) == [1, 1, 0]


def test_a_returned_day_is_no_order_and_its_spend_is_gone():
    rows = (*SHOP, ("ann", "2024-03-31", "-22.50", "2024-03-31"), ("bob", "2024-03-20", "-4.00", "2024-03-10"))
    found = past(rows, 31)
    assert found.loc["ann", COLUMNS].to_list() == [202401, 13.0, 1, 7.0]
    assert found.loc["bob", COLUMNS].to_list() == [202403, 5.0, 0, 5.0]
