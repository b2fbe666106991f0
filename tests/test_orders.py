"""What an order is, on which day, and as known when."""

from datetime import date
from decimal import Decimal

import ibis
import pandas as pd
import pytest
from ibis import _

from crmlab.orders import daily_orders, exact_sum, observed_orders, order_days, placed_orders

from .clv.worlds import log

SHOP = log(
    ("a", "2024-01-01", "10"),
    ("a", "2024-01-01", "5"),
    ("a", "2024-01-09", "8"),
    ("a", "2024-01-20", "-8", "2024-01-09"),  # all of the order of the 9th
    ("b", "2024-01-02", "7"),
    ("b", "2024-01-05", "-3", "2024-01-02"),
    ("c", "2024-01-03", "-4", None),  # a return of no order that the log holds
    ("d", "2024-01-04", "0"),
    ("d", "2024-02-01", "6"),
)
END = "2024-01-31"


def rows(table):
    frame = table.order_by("customer_id", "day").execute()
    return [(row.customer_id, row.day.day, *row[3:]) for row in frame.itertuples()]


def test_an_order_day_is_a_day_with_what_was_not_returned_of_it():
    assert rows(order_days(SHOP, END)) == [
        ("a", 1, Decimal(15)),
        ("b", 2, Decimal(4)),
        ("d", 4, Decimal(0)),
    ]


@pytest.mark.parametrize("end", ["2024-01-19", date(2024, 1, 19)])
def test_a_return_is_not_known_before_it_comes(end):
    assert ("a", 9, Decimal(8)) in rows(order_days(SHOP, end))


def test_observed_rows_bear_the_day_of_the_order_they_belong_to():
    found = observed_orders(SHOP, END).select("customer_id", "day", "amount").execute()
    assert len(found) == 7
    assert found[found.amount == -8].day.item().date() == date(2024, 1, 9)


def test_an_order_that_is_returned_was_placed_all_the_same():
    assert [(customer, day) for customer, day in rows(placed_orders(SHOP)) if customer == "a"] == [
        ("a", 1),
        ("a", 1),
        ("a", 9),
    ]


def test_a_return_counts_on_its_own_day_where_later_rows_are_to_change_nothing():
    assert rows(daily_orders(SHOP, END)) == [
        ("a", 1, 1, Decimal(15)),
        ("a", 9, 1, Decimal(8)),
        ("a", 20, 0, Decimal(-8)),
        ("b", 2, 1, Decimal(7)),
        ("b", 5, 0, Decimal(-3)),
        ("d", 4, 1, Decimal(0)),
    ]
    assert {customer for customer, *_ in rows(daily_orders(SHOP, END, "2024-01-02"))} == {"b", "d"}


def test_sums_of_amounts_do_not_depend_on_the_order_of_rows():
    amounts = [0.1, 0.2, 0.3, 1e9, -1e9 + 0.1] * 400
    sums = set()
    for step in (1, 7, 11, 13):
        frame = pd.DataFrame({"amount": (amounts * step)[::step]})
        (found,) = ibis.memtable(frame).aggregate(spend=exact_sum(_.amount)).execute().spend
        sums.add(found)
    assert sums == {280.0}  # 400 times .7
    empty = ibis.memtable({"amount": [None, None]}, schema={"amount": "float64"})
    assert empty.aggregate(spend=exact_sum(_.amount)).execute().spend.isna().all()
