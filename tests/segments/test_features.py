"""What the features say of small logs whose numbers are plain to see."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crmlab.segments.tables.features import collect, customer_features, holdout_activity

from .logs import MORE, log, random_rows

END = "2024-03-01"
SHOP = (
    ("ann", "2024-01-01", "5.00", "tea", "north"),
    ("ann", "2024-01-11", "7.00", "tea", "south"),
    ("ann", "2024-01-11", "3.00", "milk", "south"),
    ("ann", "2024-02-20", "20.00", "", "north"),
    ("bob", "2024-02-10", "9.00", None, None),
    ("cid", "2024-01-05", "0.00", "tea", "north"),
)
BY = ("category", "store_id")


def row(table, customer):
    return collect(table).loc[customer]


def test_features_count_order_days_and_sum_their_spend():
    ann = row(customer_features(log(*SHOP, columns=BY), END, window_days=30), "ann")
    assert ann.to_dict() == {
        "orders": 3,
        "spend": 35.0,
        "mean_spend": 35 / 3,
        "days_since_last": 10,
        "age": 60,  # 1 January to 1 March of a leap year
        "window_orders": 1,
        "window_spend": 20.0,
        "categories": 2,
        "stores": 2,
        "home_store": "north",
    }


def test_the_window_is_as_many_days_as_it_says_and_ends_with_end():
    rows = log(("a", "2024-02-28", "1"), ("a", "2024-02-29", "2"), ("a", "2024-03-01", "4"))
    spent = [row(customer_features(rows, END, window_days=n), "a").window_spend for n in (1, 2, 3)]
    assert spent == [4, 6, 7]


def test_who_is_known_at_no_store_and_by_no_category_has_none():
    bob = row(customer_features(log(*SHOP, columns=BY), END), "bob")
    assert (bob.categories, bob.stores, bob.home_store) == (0, 0, "")


def test_a_log_without_category_and_store_has_neither():
    plain = collect(customer_features(log(*(r[:3] for r in SHOP)), END))
    assert list(plain) == [
        "orders", "spend", "mean_spend", "days_since_last", "age", "window_orders", "window_spend"
    ]  # fmt: skip
    assert list(plain.index) == ["ann", "bob", "cid"]


def test_all_features_are_numbers_but_the_home_store():
    frame = collect(customer_features(log(*SHOP, columns=BY), END))
    whole = ["orders", "days_since_last", "age", "window_orders", "categories", "stores"]
    assert set(map(str, frame[whole].dtypes)) == {"int64"}
    assert set(map(str, frame[["spend", "mean_spend", "window_spend"]].dtypes)) == {"float64"}
    assert not frame.isna().any().any()


@pytest.mark.parametrize(
    ("rows", "store"),
    [
        ([("2024-01-01", "5", "x"), ("2024-01-02", "4", "y"), ("2024-01-03", "2", "y")], "y"),  # most spend
        ([("2024-01-01", "5", "x"), ("2024-01-02", "5", "y")], "y"),  # of equals the latest
        ([("2024-01-02", "5", "y"), ("2024-01-01", "5", "z")], "y"),
        ([("2024-01-02", "5", "y"), ("2024-01-02", "5", "x")], "x"),  # of these the first by its id
        ([("2024-01-01", "0", "x")], "x"),  # a free order is a visit
    ],
)
def test_home_is_the_store_of_most_spend_of_equals_the_latest(rows, store):
    table = log(*(("a", day, amount, name) for day, amount, name in rows), columns=["store_id"])
    assert row(customer_features(table, END), "a").home_store == store


def test_what_was_returned_whole_is_neither_an_order_nor_a_category_nor_a_store():
    kept, back = ("a", "2024-01-01", "5", "tea", "x"), ("a", "2024-02-01", "9", "milk", "y")
    gone = ("a", "2024-02-03", "-9", "milk", "y", "2024-02-01")
    a = row(customer_features(log(kept, back, gone, columns=BY), END), "a")
    assert (a.orders, a.spend, a.categories, a.stores, a.home_store) == (1, 5.0, 1, 1, "x")
    before = row(customer_features(log(kept, back, gone, columns=BY), "2024-02-02"), "a")
    assert (before.orders, before.spend, before.categories, before.home_store) == (2, 14.0, 2, "y")


def test_a_return_without_an_order_counts_for_nothing():
    alone = log(("a", "2024-01-01", "5"), ("a", "2024-01-02", "-9", None))
    assert row(customer_features(alone, END), "a").spend == 5.0


def test_later_is_what_customers_known_on_end_did_after_it():
    rows = (
        ("ann", "2024-01-01", "5"),
        ("ann", "2024-03-02", "7"),
        ("ann", "2024-03-09", "2"),
        ("ann", "2024-03-09", "1"),
        ("ann", "2024-04-01", "100"),
        ("bob", END, "5"),
        ("new", "2024-03-05", "50"),
        ("ret", "2024-02-28", "8"),
        ("ret", "2024-03-05", "-8", "2024-02-28"),
        ("ret", "2024-03-06", "4"),
    )
    found = collect(holdout_activity(log(*rows), END, "2024-03-31"))
    assert found.to_dict("index") == {
        "ann": {"spend": 10.0, "orders": 2, "active": 1},
        "bob": {"spend": 0.0, "orders": 0, "active": 0},
        "ret": {"spend": 4.0, "orders": 1, "active": 1},
    }
    assert list(found.index) == list(collect(customer_features(log(*rows), END)).index)


def test_end_may_be_a_date_or_its_text():
    one, other = (collect(customer_features(log(*SHOP, columns=BY), end)) for end in (END, date.fromisoformat(END)))
    pd.testing.assert_frame_equal(one, other)


def test_the_argument_is_untouched():
    table = log(*SHOP, columns=BY)
    before = table.execute()
    collect(customer_features(table, END)), collect(holdout_activity(table, END, "2024-12-31"))
    pd.testing.assert_frame_equal(table.execute(), before)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(5)
    return random_rows(rng, 600, "2024-01-01", END), random_rows(rng, 300, "2024-03-02", "2024-06-30")


def test_row_order_and_threads_change_no_bit(rows):
    found, both = [], log(*rows[0], *rows[1], columns=MORE).to_pyarrow()
    for seed, threads in ((1, 1), (2, 2)):
        connection = ibis.duckdb.connect()
        connection.raw_sql(f"SET threads = {threads}")
        shuffled = both.take(np.random.default_rng(seed).permutation(len(both)))
        table = connection.create_table("log", ibis.memtable(shuffled))
        known, after = customer_features(table, END).order_by("customer_id"), holdout_activity(table, END, "2024-06-30")
        found.append((known.to_pyarrow(), after.order_by("customer_id").to_pyarrow()))
    assert all(one.equals(other) for one, other in zip(*found, strict=True))
