"""What validation refuses of orders, how it says so, and what its policies make of zeros and returns."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ibis import _

from crmlab import catalog
from crmlab.contracts import ROW, TRANSACTIONS, Policy, transactions, validate
from crmlab.entry import Known

from ..conftest import QUICK, accepted, breaches, log, table


def test_a_missing_column_is_told_with_the_columns_there_are():
    raw = table(Client=["a"], time=["2024-01-01"], Paid=["1"])
    assert breaches(raw) == (
        "log: no column 'customer_id' (who bought; text, never a number); its columns are 'Client', 'time', 'Paid'; "
        "rename one, or name it in data/catalog.toml, as columns.customer_id = 'Client'",
        "log: no column 'amount' (what was paid; a return is negative); its columns are 'Client', 'time', 'Paid'; "
        "rename one, or name it in data/catalog.toml, as columns.amount = 'Paid', or leave it out for a log without "
        "amounts",
    )
    assert len(breaches(table(x=["a"]).drop(ROW))) == 2


def test_a_log_of_visits_needs_no_amounts():
    valid = validate(table(customer_id=["a", "a", "b"], time=["2024-01-01", "2024-01-02", "2024-01-02"]), "log")
    assert valid.table.amount.isnull().all().execute()
    counts = valid.counts
    assert (counts["amounts"], counts["order_days"], counts["customers"], counts["spend"]) == (False, 3, 2, 0)


def test_a_mapped_column_is_told_by_the_name_the_user_knows():
    raw = table(Client=["", "b"], Day=["soon", "2024-01-01"], amount=["1", "1"])
    told = breaches(raw, columns={"customer_id": "Client", "time": "Day", "order_id": "Bon"})
    assert told[0].startswith("log: no column 'Bon' (order_id: which order the row belongs to); its columns are 'Cli")
    fill = "fill them, or state missing_ids = 'anonymous' or 'drop' in data/catalog.toml"
    assert told[1] == f"log: 'Client' (customer_id) is empty in 1 of 2 rows (first: row 1); {fill}"
    assert told[2].startswith("log: 'Day' (time) is not a date or time in 1 of 2 rows (first: row 1 'soon'); ")


def test_a_mapped_column_wins_over_one_of_the_contracts_own_name():
    raw = table(customer_id=["wrong"], card=["00123"], time=["2024-01-01"], amount=["1"])
    assert accepted(raw, "customer_id", "order_id", columns={"customer_id": "card", "order_id": "card"}) == [
        ("00123", "00123")
    ]


def test_every_breach_is_told_at_once_with_its_count_and_first_five_rows():
    raw = log(
        ["1", "", "x", "-2", "1e14", "1", "1", "1", "1", "1", " "],
        ["a", "b", "c", "d", "e", *" \t   ", "z"],
        ["2024-01-01", "2024-02-30", "", "1899-12-31", "2024-01-01T10:00+02:00", *["2024-01-01"] * 6],
    )
    iso = "write times as 2024-12-31 or 2024-12-31 18:30:00, or state time_format in data/catalog.toml"
    zone = "state in data/catalog.toml the time_zone whose days count, such as 'Europe/Berlin'"
    returns = "if they are returns, state returns = 'net' or 'drop' in data/catalog.toml"
    number = "write numbers as 1234.50 and nothing else"
    assert breaches(raw) == (
        "log: 'customer_id' is empty in 5 of 11 rows (first: row 6; row 7; row 8; row 9; row 10); "
        "fill them, or state missing_ids = 'anonymous' or 'drop' in data/catalog.toml",
        "log: 'time' is empty in 1 of 11 rows (first: row 3, customer c-b7f7b916); fill or drop them",
        f"log: 'time' is not a date or time in 1 of 11 rows (first: row 2 '2024-02-30'); {iso}",
        "log: 'time' lies outside the years 1900 to 2100 in 1 of 11 rows (first: row 4 '1899-12-31'); correct them",
        f"log: 'time' carries an offset from UTC in 1 of 11 rows (first: row 5 '2024-01-01T10:00+02:00'); {zone}",
        "log: 'amount' is empty in 2 of 11 rows (first: row 2, customer c-87fb5531; row 11, customer c-6c7853a9); "
        "fill or drop them",
        f"log: 'amount' is not a number in 1 of 11 rows (first: row 3 'x'); {number}",
        "log: 'amount' is 10^14 or beyond in 1 of 11 rows (first: row 5 '1e14'); correct them",
        f"log: 'amount' is negative in 1 of 11 rows (first: row 4 '-2'); {returns}",
    )


def test_faults_of_reading_leave_the_columns_to_be_checked_but_not_the_cells():
    raw = table(customer_id=["a"], amount=["soon"])
    assert [b[:16] for b in breaches(raw, faults=["log: torn; mend"])] == ["log: torn; mend", "log: no column '"]


def test_rows_without_customer_or_number_are_told_as_far_as_they_go():
    raw = log(["", "-1", "-2"], [None, "b", "a"])
    assert "'amount' is empty in 1 of 3 rows (first: row 1, customer ''); " in breaches(raw)[1]
    empty, amount, negative = breaches(raw.drop(ROW))
    assert "'customer_id' is empty in 1 of 3 rows; fill" in empty
    assert "'amount' is empty in 1 of 3 rows (first: customer ''); " in amount
    assert "(first: customer c-ab6ef355 '-2'; customer c-87fb5531 '-1'); " in negative


def test_an_empty_log_is_refused():
    assert breaches(log([])) == ("log: there are no rows; a log needs at least one order",)


def test_zero_amounts_are_orders_unless_dropped():
    raw = log(["0", "5", "0.00001"], ["a", "b", "c"])
    kept, dropped = (validate(raw, "log", Policy(zero=zero)) for zero in ("order", "drop"))
    assert [e.counts["zero_amounts"] for e in (kept, dropped)] == [2, 2]
    assert [e.counts["customers"] for e in (kept, dropped)] == [3, 1]
    assert [e.counts["rows"] for e in (kept, dropped)] == [3, 3]
    assert dropped.table.customer_id.to_pyarrow().to_pylist() == ["b"]
    assert accepted(log(["0", "-5"], ["a", "b"]), "customer_id", returns="drop") == [("a",)]


def test_first_last_and_customers_count_what_is_left():
    raw = log(["-5", "0", "5", "-5", "0"], [*"abccd"], [f"2024-01-0{d}" for d in range(1, 6)])
    counts = validate(raw, "log", Policy(returns="drop", zero="drop")).counts
    assert (counts["first"], counts["last"]) == (date(2024, 1, 3), date(2024, 1, 3))
    assert (counts["customers"], counts["order_days"], counts["rows"]) == (1, 1, 5)
    assert (counts["returns"], counts["returned"], counts["spend"]) == (2, 10, 5)


@pytest.mark.parametrize("policy", [{"returns": "drop", "zero": "drop"}, {"returns": "net", "zero": "drop"}])
def test_a_log_of_which_no_order_is_left_is_refused(policy):
    (breach,) = breaches(log(["-5", "0"]), **policy)
    assert breach == (
        "log: no order is left; rows: 2, zero amounts: 1 (zero = 'drop'), returns: 1 (returns = "
        f"{policy['returns']!r}); state zero = 'order' in data/catalog.toml, add orders with amounts above 0, or "
        "correct the sign of those that are orders"
    )
    (breach,) = breaches(log(["-5", "-3"]), **policy)
    assert "); add orders with amounts above 0, or correct the sign of those that are orders" in breach


def test_a_return_offsets_its_own_order_else_the_latest_earlier_one():
    when = ["2024-01-01", "2024-01-05", "2024-01-06", "2024-01-07", "2024-01-09", "2024-01-09", "2024-01-01"]
    amounts, orders = ["10", "10", "-10", "-12", "-1", "6", "-3"], ["1", "2", "1", None, "9", "3", "1"]
    raw = log(amounts, [*"aaaaaab"], when, order_id=orders, store_id=[*"1234567"])
    days = [day and day.day for (day,) in accepted(raw, "order_day", returns="net")]
    assert days == [1, 5, 1, 5, 9, 9, None]
    counts = validate(raw, "log", Policy(returns="net")).counts
    told = ("order_days", "spend", "returned_out_days", "returns_beyond_order", "returns_without_order", "customers")
    assert [counts[name] for name in told] == [1, 5, 2, -2, 1, 1]


def test_a_return_without_its_order_offsets_the_latest_earlier_purchase_of_its_product():
    rows = [
        ("a", 1, "10", "1", "shoe"), ("a", 1, "1", "1", " "), ("a", 2, "30", "2", "coat"), ("a", 3, "20", "3", "shoe"),
        ("a", 4, "40", "4", "hat"), ("b", 4, "50", "5", "sock"),
        ("a", 5, "-30", "9", "coat"),  # its order is not in the log: the coat of day 2
        ("a", 5, "-5", None, "shoe"),  # bought on days 1 and 3: the later
        ("a", 5, "-6", "1", "hat"),  # its order names day 1, whatever the product
        ("a", 5, "-7", None, "sock"),  # bought by another: the latest order
        ("a", 5, "-8", None, " "),  # no product named: the latest order
        ("b", 3, "-9", None, "sock"),  # bought later: nothing earlier
        ("a", 6, "60", "6", "coat"),  # a later purchase changes nothing
    ]  # fmt: skip
    ids, days, amounts, orders, products = map(list, zip(*rows, strict=True))
    named = {"order_id": orders, "product_id": products, "store_id": [*map(str, range(len(rows)))]}
    raw = log(amounts, ids, [f"2024-01-0{d}" for d in days], **named)
    found = [day and day.day for (day,) in accepted(raw, "order_day", returns="net")]
    assert found == [1, 1, 2, 3, 4, 4, 2, 3, 1, 4, 4, None, 6]
    validated = validate(raw, "log", Policy(returns="net"))
    counts = validated.counts
    assert [counts[f"returns_by_{name}"] for name in ("order", "product", "customer")] == [1, 2, 2]
    assert (counts["returns_without_order"], counts["returned_out_days"], counts["spend"]) == (1, 1, 155)
    assert "offset_by" not in validated.table.columns
    assert TRANSACTIONS.describe(counts, Known(returns="net"))["returns set against"] == (
        "the same order 1, the latest earlier purchase of the same product 2, the customer's latest earlier order 2"
    )


def test_a_return_of_a_customer_unknown_is_matched_by_no_product():
    raw = log(["10", "-4", "3"], ["", "", "a"], ["2024-01-01", "2024-01-03", "2024-01-03"], product_id=["p", "p", "q"])
    validated = validate(raw, "log", Policy(returns="net", missing_ids="anonymous"))
    days = validated.every.filter(validated.every.amount < 0).order_day.to_pyarrow().to_pylist()
    assert days == [date(2024, 1, 3)]
    assert [validated.counts[f"returns_by_{name}"] for name in ("order", "product", "customer")] == [0, 0, 0]


START = datetime(2024, 1, 1)
SALES = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.integers(0, 8).map(lambda halves: START + timedelta(hours=12 * halves)),
        st.sampled_from([-5, -3, -2, 0, 2, 3, 5, 5]),
        st.sampled_from([None, "", "1", "2"]),
        st.sampled_from([None, " ", "p", "q"]),
    ),
    min_size=15,
    max_size=40,
).map(lambda sales: [("kept", START, 1, None, None), *sales])  # so that an order is left whatever the returns


def netted(sales):
    """The order day of every row by brute force: for a return, over all rows of its customer up to its instant."""
    for customer, time, amount, order, product in sales:
        earlier = [(t, o, p) for c, t, a, o, p in sales if c == customer and a > 0 and t <= time]
        own = [t for t, o, _p in earlier if order and o == order]
        same = [t for t, _o, p in earlier if product in ("p", "q") and p == product]
        offset = min(own) if own else max(same or [t for t, _o, _p in earlier], default=None)
        yield (time if amount >= 0 else offset) and (time if amount >= 0 else offset).date()


def sold(sales):
    ids, times, amounts, orders, products = zip(*sales, strict=True)
    columns = {"customer_id": pa.array(ids), "time": pa.array(times), "amount": pa.array(amounts)}
    named = {"order_id": pa.array(orders, "string"), "product_id": pa.array(products, "string")}
    return table(**columns, **named, store_id=[str(i) for i in range(len(sales))])


@QUICK
@given(SALES)
@example(
    [
        ("a", START, -3, None, None), ("a", START, 5, "1", "p"), ("a", START, -5, "1", "q"),
        ("a", START + timedelta(1), 5, "2", "q"),
    ]
)  # fmt: skip
def test_netting_agrees_with_brute_force(sales):
    days = {}
    for (customer, _time, amount, _order, _product), day in zip(sales, netted(sales), strict=True):
        days.setdefault((customer, day), []).append(amount)
    dated = {key: amounts for key, amounts in days.items() if key[1]}
    orders = {k: a for k, a in dated.items() if min(a) >= 0 or sum(a) > 0}
    validated = validate(sold(sales), "log", Policy(returns="net"))
    rows = sorted(validated.table.to_pyarrow().to_pylist(), key=lambda row: int(row["store_id"]))
    assert [row["order_day"] for row in rows] == [*netted(sales)]
    assert {name: validated.counts[name] for name in ("order_days", "customers", "first", "last", "spend")} == {
        "order_days": len(orders),
        "customers": len({customer for customer, _day in orders}),
        "first": min(day for _c, day in orders),
        "last": max(day for _c, day in orders),
        "spend": sum(map(sum, orders.values())),
    }
    assert validated.counts["returned_out_days"] == len(dated) - len(orders)
    assert validated.counts["returns_beyond_order"] == sum(min(sum(a), 0) for a in dated.values())
    assert validated.counts["returns_without_order"] == sum(len(a) for k, a in days.items() if not k[1])
    assert validated.counts["merged_rows"] == sum(max(sum(x >= 0 for x in a) - 1, 0) for a in dated.values())


@QUICK
@given(SALES, st.integers(1, 4))
def test_later_rows_change_nothing_about_what_a_return_offsets(sales, day):
    sales = sorted(sales, key=lambda sale: sale[1])
    seen = [sale for sale in sales if sale[1].date() <= date(2024, 1, day)]
    alone, among = (accepted(sold(s), "order_day", returns="net") for s in (seen, sales))
    assert alone == among[: len(alone)]


def test_rows_alike_in_all_columns_are_counted_and_said():
    twice = {"customer_id": list("aab"), "time": ["2024-01-01"] * 3, "amount": ["1", "1", "1"]}
    found = catalog.orders(pd.DataFrame(twice | {"order_id": ["1", "1", "2"]}))
    assert found.findings.counts["repeated_rows"] == 1
    assert found.summary.found["repeated rows"].startswith("1 row the same as another in all columns")
    apart = catalog.orders(pd.DataFrame(twice | {"order_id": ["1", "3", "2"]}))
    assert apart.findings.counts["repeated_rows"] == 0
    assert "repeated rows" not in apart.summary.found
    few = {"customer_id": ["a", "a", *map(str, range(300))], "time": "2024-01-01", "amount": "1"}  # two equal purchases
    assert "repeated rows" not in catalog.orders(pd.DataFrame(few)).summary.found


def test_rows_without_returns_are_counted_alike_with_and_without_the_care_that_returns_need():
    days = pd.to_datetime(["2024-01-01", "2024-01-01", "2024-01-03", "2024-01-02", "2024-02-01"])
    orders = pd.DataFrame({"customer_id": list("aaabb"), "order_day": days, "amount": [1.25, 2, 0, 4, 5]})
    kept = ibis.memtable(orders).mutate(
        order_day=_.order_day.date(), amount=_.amount.cast("decimal(18, 4)"), offset_by=ibis.null("string")
    )
    found = transactions._counts_without_returns(kept)
    assert found == transactions._order_counts(kept)
    assert (found["order_days"], found["merged_rows"], found["spend"]) == (4, 1, Decimal("12.25"))
