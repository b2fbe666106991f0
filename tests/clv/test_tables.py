"""What the tables say of small logs whose numbers are plain to see."""

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from crmlab import clv

from .worlds import by_customer, log

END = "2024-03-01"
SHOP = (
    ("ann", "2024-01-01", "5.00"),
    ("ann", "2024-01-11", "7.00"),
    ("ann", "2024-01-11", "3.00"),
    ("ann", "2024-01-31", "20.00"),
    ("bob", "2024-02-10", "9.00"),
    ("cid", "2024-01-05", "1.00"),
    ("cid", "2024-02-04", "0.00"),
)
AFTER = (
    ("ann", "2024-03-02", "50.00"),
    ("ann", "2024-03-09", "1.00"),
    ("ann", "2024-03-09", "2.00"),
    ("bob", "2024-03-20", "0.00"),
    ("dan", "2024-03-05", "8.00"),
)


def row(summary, customer):
    frequency, recency, age, _, mean = by_customer(summary).loc[customer]
    return frequency, recency, age, mean


def test_summarise_counts_repeat_days_and_means_their_spend():
    summary = clv.summarise(log(*SHOP), END)
    assert row(summary, "ann") == (2, 30, 60, 15.0)  # 1 January to 1 March of a leap year
    assert row(summary, "bob") == (0, 0, 20, 0.0)
    assert summary.count().execute() == 3


def test_orders_of_one_day_are_one_order_of_their_sum():
    merged = log(("ann", "2024-01-01", "5"), ("ann", "2024-01-11", "10"))
    parted = log(("ann", "2024-01-01", "5"), ("ann", "2024-01-11", "4"), ("ann", "2024-01-11", "6"))
    assert row(clv.summarise(parted, END), "ann") == row(clv.summarise(merged, END), "ann") == (1, 10, 60, 10.0)


def test_a_free_order_is_an_order():
    assert row(clv.summarise(log(*SHOP), END), "cid") == (1, 30, 56, 0.0)


def test_a_customer_acquired_on_the_last_day_is_kept_at_age_zero():
    summary = clv.summarise(log(*SHOP, ("eve", END, "4.00")), END)
    assert row(summary, "eve") == (0, 0, 0, 0.0)


def test_later_rows_change_nothing():
    before, after = (by_customer(clv.summarise(log(*rows), END)) for rows in (SHOP, SHOP + AFTER))
    pd.testing.assert_frame_equal(before, after)


def test_row_order_changes_nothing():
    one, other = (by_customer(clv.summarise(log(*rows), END)) for rows in (SHOP, SHOP[::-1]))
    pd.testing.assert_frame_equal(one, other)


def test_the_argument_is_untouched():
    table = log(*SHOP, *AFTER)
    before = table.execute()
    summary = clv.with_holdout(clv.summarise(table, END), table, END, "2024-03-31")
    kept = summary.execute()
    clv.collapse(summary, "orders"), clv.weekly_orders(table, END, "2024-03-31")
    pd.testing.assert_frame_equal(table.execute(), before)
    pd.testing.assert_frame_equal(by_customer(summary), kept.sort_values("customer_id").set_index("customer_id"))


def test_end_may_be_a_date_or_its_text():
    one, other = (by_customer(clv.summarise(log(*SHOP), end)) for end in (END, date.fromisoformat(END)))
    pd.testing.assert_frame_equal(one, other)


def test_ids_stay_text():
    table = log(("00123", "2024-01-01", "1"), ("123", "2024-01-02", "1"))
    assert list(by_customer(clv.summarise(table, END)).index) == ["00123", "123"]


def test_money_is_summed_exactly():
    cents = [("ann", f"2024-01-{day:02}", "0.1") for day in range(1, 32)]
    summary = clv.summarise(log(*cents), END)
    assert by_customer(summary).repeat_spend["ann"] == Decimal("3.0000")
    assert row(summary, "ann")[3] == 0.1


def test_a_return_lessens_the_spend_of_the_day_it_offsets():
    table = log(*SHOP, ("ann", "2024-02-20", "-4.00", "2024-01-31"))
    assert row(clv.summarise(table, END), "ann") == (2, 30, 60, 13.0)


def test_a_day_returned_whole_is_no_order():
    table = log(*SHOP, ("ann", "2024-02-20", "-20.00", "2024-01-31"))
    assert row(clv.summarise(table, END), "ann") == (1, 10, 60, 10.0)


def test_a_customer_is_acquired_by_the_first_order_that_was_kept():
    table = log(*SHOP, ("ann", "2024-01-03", "-5.00", "2024-01-01"))
    assert row(clv.summarise(table, END), "ann") == (1, 20, 50, 20.0)


def test_a_customer_who_returned_everything_is_none():
    table = log(*SHOP, ("bob", "2024-02-11", "-9.00", "2024-02-10"))
    assert "bob" not in by_customer(clv.summarise(table, END)).index


def test_a_return_after_end_does_not_undo_an_order_before_it():
    table = log(*SHOP, ("ann", "2024-03-02", "-20.00", "2024-01-31"))
    assert row(clv.summarise(table, END), "ann") == (2, 30, 60, 15.0)
    assert row(clv.summarise(table, "2024-03-02"), "ann") == (1, 10, 61, 10.0)


def test_a_return_of_no_known_order_is_left_out():
    table = log(*SHOP, ("ann", "2024-02-20", "-4.00", None))
    assert row(clv.summarise(table, END), "ann") == (2, 30, 60, 15.0)


@pytest.mark.parametrize("acquired_from", ["2024-01-05", date(2024, 1, 5)])
def test_customers_acquired_before_acquired_from_are_left_out(acquired_from):
    summary = clv.summarise(log(*SHOP), END, acquired_from)
    assert list(by_customer(summary).index) == ["bob", "cid"]
    assert row(summary, "cid") == (1, 30, 56, 0.0)


def test_the_holdout_counts_days_after_the_split_and_up_to_until():
    table = log(*SHOP, *AFTER)
    seen = by_customer(clv.with_holdout(clv.summarise(table, END), table, END, "2024-03-09"))
    assert list(seen.orders) == [2, 0, 0]
    assert list(seen.spend) == [53.0, 0.0, 0.0]
    assert list(seen.index) == ["ann", "bob", "cid"]


def test_the_holdout_keeps_the_summary_as_it_was():
    table = log(*SHOP, *AFTER)
    summary = clv.summarise(table, END)
    seen = by_customer(clv.with_holdout(summary, table, END, "2024-03-31"))
    pd.testing.assert_frame_equal(seen.drop(columns=["orders", "spend"]), by_customer(summary))


def test_the_holdout_nets_returns_known_by_until():
    rows = (*SHOP, *AFTER, ("ann", "2024-03-15", "-50.00", "2024-03-02"))
    early, late = (
        by_customer(clv.with_holdout(clv.summarise(log(*rows), END), log(*rows), END, until)).loc["ann"]
        for until in ("2024-03-14", "2024-03-15")
    )
    assert (early.orders, early.spend) == (2, 53.0)
    assert (late.orders, late.spend) == (1, 3.0)


def test_weekly_orders_count_the_repeat_days_of_each_week():
    # weeks begin on 1 January; ann comes back in weeks 2 and 5, cid in 5, and ann again in 9 and 10
    weekly = clv.weekly_orders(log(*SHOP, *AFTER), END, "2024-03-10")
    assert list(weekly.index) == list(range(1, 11))
    assert {week: count for week, count in weekly.orders.items() if count} == {2: 1, 5: 2, 9: 1, 10: 1}
    assert weekly.week_end.iloc[0] == pd.Timestamp("2024-01-07")
    assert weekly.week_end.iloc[-1] == pd.Timestamp("2024-03-10")


def test_the_last_week_is_left_out_until_it_is_whole():
    table = log(*SHOP, *AFTER)
    assert len(clv.weekly_orders(table, END, "2024-03-09")) == 9
    assert clv.weekly_orders(table, END, "2024-03-09").orders.sum() == 4
    assert clv.weekly_orders(table, END, "2024-03-10").orders.sum() == 5


def test_weekly_orders_add_up_to_the_repeat_orders():
    table = log(*SHOP, *AFTER)  # 1 January to 10 March are ten whole weeks
    summary = by_customer(clv.with_holdout(clv.summarise(table, END), table, END, "2024-03-10"))
    assert clv.weekly_orders(table, END, "2024-03-10").orders.sum() == summary.frequency.sum() + summary.orders.sum()


def test_weekly_orders_are_those_of_the_customers_acquired_by_the_split():
    table = log(*SHOP, *AFTER, ("dan", "2024-03-08", "1.00"))
    assert clv.weekly_orders(table, END, "2024-03-10").orders.sum() == 5
    assert clv.weekly_orders(table, "2024-03-05", "2024-03-10").orders.sum() == 6
    assert clv.weekly_orders(table, END, "2024-03-10", acquired_from="2024-01-02").orders.sum() == 1


def test_collapse_counts_customers_who_share_a_tuple():
    twins = [
        (name, day, amount) for name in ("u", "v") for day, amount in (("2024-01-01", "1"), ("2024-01-03", "0.10"))
    ]
    frame = clv.collapse(clv.summarise(log(*SHOP, *twins), END))
    assert frame.customers.sum() == 5
    assert frame[frame.recency == 2].to_dict("records") == [
        {"frequency": 1, "recency": 2, "age": 60, "customers": 2, "monetary_value": 0.1}
    ]


def test_collapse_means_spend_over_all_orders_of_a_row():
    rows = [
        ("u", "2024-01-01", "1"),
        ("u", "2024-01-03", "0.10"),
        ("v", "2024-01-01", "1"),
        ("v", "2024-01-03", "0.20"),
    ]
    frame = clv.collapse(clv.summarise(log(*rows), END))
    assert frame.customers.to_list() == [2]
    assert frame.monetary_value.to_list() == [0.3 / 2]


def test_collapse_parts_customers_by_further_columns():
    table = log(*SHOP, *AFTER, ("eve", "2024-02-10", "2.00"))
    summary = clv.with_holdout(clv.summarise(table, END), table, END, "2024-03-31")
    assert len(clv.collapse(summary)) == 3
    separate = clv.collapse(summary, "orders")
    assert separate[separate.age == 20].orders.to_list() == [0, 1]
    assert list(clv.collapse(summary, "monetary_value")) == [
        "frequency",
        "recency",
        "age",
        "monetary_value",
        "customers",
    ]


def test_collapse_is_sorted_by_its_keys():
    frame = clv.collapse(clv.summarise(log(*SHOP, *AFTER), "2024-03-31"), "monetary_value")
    keys = ["frequency", "recency", "age", "monetary_value"]
    pd.testing.assert_frame_equal(frame, frame.sort_values(keys, ignore_index=True))


def test_first_gaps_are_those_between_the_first_three_order_days():
    orders = log(
        ("a", "2024-01-01", "5"), ("a", "2024-01-01", "7"), ("a", "2024-01-11", "5"), ("a", "2024-02-01", "5"),
        ("a", "2024-03-01", "5"), ("b", "2024-01-05", "5"), ("b", "2024-01-06", "5"), ("c", "2024-01-02", "5"),
        ("c", "2024-01-03", "5"), ("c", "2024-01-09", "5"),
    )  # fmt: skip
    found = clv.first_interpurchase_times(orders, "2024-02-29")
    assert found.to_dict("index") == {
        "a": {"first_interpurchase_time": 10, "second_interpurchase_time": 21},
        "c": {"first_interpurchase_time": 1, "second_interpurchase_time": 6},
    }
    assert clv.first_interpurchase_times(orders, "2024-01-31").index.to_list() == ["c"]
    assert clv.first_interpurchase_times(orders, "2024-02-29", acquired_from="2024-01-02").index.to_list() == ["c"]
