"""The doors of contracts, series, customers, products and stores: what they accept, and what they say."""

from datetime import date

import pyarrow as pa
import pytest

from crmlab.contracts import CONTRACTS, ROW, InputError, Policy, infer_contract, validate

from .conftest import table


def validated(contract, raw, **policy):
    return validate(raw, "file", Policy(contract=contract, **policy))


def rows(contract, raw, **policy):
    """The accepted rows, in the order of their columns."""
    return sorted(tuple(r.values()) for r in validated(contract, raw, **policy).table.to_pyarrow().to_pylist())


def refused(contract, raw, faults=(), **policy):
    with pytest.raises(InputError) as caught:
        validate(raw, "file", Policy(contract=contract, **policy), faults)
    assert all("; " in breach for breach in caught.value.breaches), "what to do is missing"
    assert not any(word in str(caught.value) for word in ("crmlab_", "raw_", "ibis"))
    return caught.value.breaches


def retention(customers, period=None, **columns):
    return table(period=period or [*map(str, range(len(customers)))], customers=customers, **columns)


def series(time, sales=None, **columns):
    return table(time=time, sales=sales or ["1"] * len(time), **columns)


def test_contracts_of_customers_have_days_and_an_end_that_may_be_empty():
    raw = table(customer_id=["007", "8"], start=["2024-01-01 10:00", "2024-02-01"], end=["", "2024-02-01"])
    assert rows("subscriptions", raw) == [
        ("007", date(2024, 1, 1), None, "all"),
        ("8", date(2024, 2, 1), date(2024, 2, 1), "all"),
    ]
    counts = validated("subscriptions", raw).counts
    assert (counts["customers"], counts["ended"], counts["running"], counts["groups"]) == (2, 1, 1, 1)
    assert (counts["first"], counts["last"]) == (date(2024, 1, 1), date(2024, 2, 1))


def test_the_last_day_seen_of_contracts_is_the_catalogs_where_it_says_so():
    raw = table(customer_id=["a", "b"], start=["2024-01-01", "2024-01-05"], end=["2025-01-01", ""], group=["x", "y"])
    assert validated("subscriptions", raw).counts["last"] == date(2025, 1, 1)
    assert validated("subscriptions", raw, until=date(2024, 6, 30)).counts["last"] == date(2024, 6, 30)
    running = table(customer_id=["a"], start=["2024-01-01"], end=[""])
    assert validated("subscriptions", running).counts["last"] == date(2024, 1, 1)


def test_every_breach_of_contracts_of_customers_is_told_at_once():
    raw = table(
        customer_id=["a", "a", "", "b", "c", ""],
        start=["2024-01-05", "2024-01-01", "2024-01-01", "2025-01-01", "x", "2024-01-01"],
        end=["2024-01-04", "", "", "", "soon", ""],
        group=["", "g", "g", "g", "g", "g"],
    )
    assert [b.replace("file: ", "") for b in refused("subscriptions", raw, until=date(2024, 12, 31))] == [
        "'customer_id' is empty in 2 of 6 rows (first: row 3; row 6); fill or drop them",
        "'start' is not a date or time in 1 of 6 rows (first: row 5 'x'); write times as 2024-12-31 or 2024-12-31 "
        "18:30:00, or state time_format in data/catalog.toml",
        "'end' is not a date or time in 1 of 6 rows (first: row 5 'soon'); write times as 2024-12-31 or 2024-12-31 "
        "18:30:00, or state time_format in data/catalog.toml",
        "'group' is empty in 1 of 6 rows (first: row 1); fill or drop them",
        "'customer_id' stands in more than one row in 2 of 6 rows (first: row 1 'a'; row 2 'a'); "
        "keep one contract of each, or give every contract an id of its own",
        "'end' comes before the start in 1 of 6 rows (first: row 1 '2024-01-04'); correct either",
        "'start' comes after 2024-12-31, the last day seen in 1 of 6 rows (first: row 4 '2025-01-01'); "
        "correct them, or until in data/catalog.toml",
    ]


def test_a_missing_column_is_told_with_what_is_wrong_in_the_others():
    told = refused("subscriptions", table(Client=["a"], start=["soon"]), columns={"customer_id": "Client"})
    assert told[0] == (
        "file: no column 'end' (the day it was ended; empty while it runs); its columns are 'Client', 'start'; "
        "rename one, or map it in data/catalog.toml"
    )
    assert "'start' is not a date" in told[1]
    assert refused("series", table(x=["a"]), ["file: torn; mend"])[0] == "file: torn; mend"
    assert len(refused("stores", table(x=["a"]).drop(ROW))) == 1


def test_retention_is_whole_numbers_by_group_and_period():
    raw = retention(["10", "7.0", "4", "2"], ["0", "1", "0", "1"], group=["b", "b", "a", "a"])
    assert rows("retention", raw) == [("a", 0, 4), ("a", 1, 2), ("b", 0, 10), ("b", 1, 7)]
    assert rows("retention", retention(["3", "3"])) == [("all", 0, 3), ("all", 1, 3)]
    counts = validated("retention", raw).counts
    assert (counts["rows"], counts["customers"], counts["groups"], counts["periods"]) == (4, 14, 2, 1)


def test_every_breach_of_retention_is_told():
    told = "\n".join(refused("retention", retention(["100", "63.1", "-1", "", "x"], ["0", "1", "2", "3", "-1"])))
    assert "'customers' is not a whole number in 2 of 5 rows (first: row 2 '63.1'; row 5 'x'); give whole n" in told
    assert "'customers' is empty in 1 of 5 rows (first: row 4); " in told
    assert "'customers' is negative in 1 of 5 rows (first: row 3 '-1'); " in told
    assert "'period' is negative in 1 of 5 rows (first: row 5 '-1'); " in told
    assert "period before" not in told, "rows are not compared before each can be read"


def test_retention_that_rises_or_leaves_periods_out_is_refused():
    raw = retention(["9", "8", "9", "5"], ["0", "1", "2", "4"])
    assert [b.replace("file: ", "") for b in refused("retention", raw)] == [
        "'period' has no row for the period before it in its group in 1 of 4 rows (first: row 4 '4'); "
        "give every period, from 0 on",
        "'customers' is more than in the period before in 1 of 4 rows (first: row 3 '9'); "
        "give those left of the customers of period 0, without new ones",
    ]
    late = retention(["9", "8", "8"], ["0", "1", "2"], group=["a", "b", "b"])
    assert "'period' has no row for the period before it in its group in 1 of 3 rows" in refused("retention", late)[0]
    twice = retention(["9", "8", "7"], ["0", "1", "1"])
    assert "'period' stands in more than one row of its group in 2 of 3 rows" in refused("retention", twice)[0]
    assert "'customers' is 0 in period 0 in 1 of 1 rows" in refused("retention", retention(["0"]))[0]


@pytest.mark.parametrize(
    ("days", "every"),
    [
        (["2024-01-01", "2024-01-02", "2024-01-03"], "day"),
        (["2024-01-01", "2024-01-08"], "week"),
        (["2024-01-31", "2024-02-29", "2024-03-31"], "month"),
        (["2024-01-01", "2024-04-01", "2024-07-01"], "quarter"),
        (["2023-06-30", "2024-06-30"], "year"),
        (["2024-01-01", "2024-03-01"], "2 months"),
        (["2024-01-01", "2024-01-15", "2024-01-29"], "14 days"),
        (["2024-01-01", "2024-01-29", "2024-02-26", "2024-03-25", "2024-04-22", "2024-05-20"], "28 days"),
        (["2024-01-01"], None),
    ],
)
def test_a_series_tells_its_own_step(days, every):
    assert validated("series", series(days)).counts["every"] == every


def test_a_series_is_days_and_sales_by_category():
    raw = series(["2024-01", "2024-02", "2024-02"], ["1", "2.5", "0"], category=["a", "a", "b"])
    assert rows("series", raw, time_format="%Y-%m") == [
        (date(2024, 1, 1), 1.0, "a"),
        (date(2024, 2, 1), 0.0, "b"),
        (date(2024, 2, 1), 2.5, "a"),
    ]
    counts = validated("series", raw, time_format="%Y-%m").counts
    assert (counts["categories"], counts["sales"], counts["last"]) == (2, 3.5, date(2024, 2, 1))


def test_a_series_with_negative_sales_and_a_gap_is_told_both():
    raw = series(["2024-01-01", "2024-02-01", "2024-04-01"], ["1", "-2", "3"])
    assert refused("series", raw) == (
        "file: 'sales' is negative in 1 of 3 rows (first: row 2 '-2'); correct them",
        "file: 'time' comes more than a month after the one before it in 1 of 3 rows (first: row 3 '2024-04-01'); "
        "give every period, with 0 where nothing was sold",
    )
    assert "more than 3 days after" in refused("series", series(["2024-01-01", "2024-01-04", "2024-01-08"]))[0]


def test_a_time_that_stands_twice_in_a_series_is_refused_unless_of_another_category():
    days = ["2024-01-01", "2024-01-01 12:00"]
    assert "'time' stands in more than one row of its category in 2 of 2 rows" in refused("series", series(days))[0]
    assert validated("series", series(days, category=["a", "b"])).counts["categories"] == 2


def test_a_series_needs_numbers():
    told = refused("series", series(["2024-01-01"] * 3, ["", "x", "1e400"]))
    assert "'sales' is empty in 1 of 3 rows (first: row 1); " in told[0]
    assert "'sales' is not a number in 2 of 3 rows (first: row 2 'x'; row 3 '1e400'); " in told[1]


@pytest.mark.parametrize("contract", [held for held in CONTRACTS if held != "transactions"])
def test_a_table_without_rows_is_refused(contract):
    names = [c.name for c in CONTRACTS[contract].columns]
    raw = table(**{name: pa.array([], "string") for name in names})
    (breach,) = refused(contract, raw)
    assert breach.startswith("file: there are no rows; a ")


def test_customers_keep_their_other_columns_as_numbers_where_all_cells_are_else_as_text():
    raw = table(
        customer_id=["007", "8"],
        reachable=["Yes", ""],
        age=["41", " "],
        postcode=["01234", "99999"],
        card=["4000123412341234", "1"],
        city=["Ulm", None],
        spent=["1.5e3", "-2"],
        nothing=["", None],
    )
    found = validated("customers", raw)
    assert found.counts["attributes"] == {
        "age": "number", "postcode": "text", "card": "text", "city": "text", "spent": "number", "nothing": "text",
    }  # fmt: skip
    assert rows("customers", raw)[0] == ("007", True, 41.0, "01234", "4000123412341234", "Ulm", 1500.0, "")
    assert found.table.reachable.to_pyarrow().to_pylist() == [True, None]
    assert found.table.age.to_pyarrow().to_pylist() == [41.0, None]
    assert (found.counts["customers"], found.counts["reachable"], found.counts["not_reachable"]) == (2, 1, 0)


def test_attributes_follow_the_decimal_mark_and_give_way_to_mapped_columns():
    raw = table(Laden=["1"], STORE_ID=["x"], area=["12,5"])
    assert rows("stores", raw, columns={"store_id": "Laden"}, decimal=",") == [("1", 12.5)]
    assert rows("stores", raw.drop("STORE_ID"), columns={"store_id": "Laden"}) == [("1", "12,5")]


def test_typed_attributes_keep_what_they_are():
    raw = table(store_id=[1, 2], area=pa.array([1, 2], "int32"), open=[True, False], since=[date(2020, 1, 1)] * 2)
    found = validated("stores", raw)
    assert found.counts["attributes"] == {"area": "number", "open": "boolean", "since": "date"}
    assert rows("stores", raw)[0] == ("1", 1.0, True, date(2020, 1, 1))


IDS = [("customers", "customer_id"), ("products", "product_id"), ("stores", "store_id")]


@pytest.mark.parametrize(("contract", "key"), IDS)
def test_ids_are_unique(contract, key):
    told = refused(contract, table(**{key: ["a", "b", "a", "a"]}))
    assert told[0].startswith(f"file: '{key}' stands in more than one row in 3 of 4 rows (first: row 1 'a'; row 3 'a'")


def test_yes_and_no_are_read_in_the_common_ways_and_nothing_else():
    told = ["yes", "Y", "TRUE", "t", "1", "no", "n", "False", "f", "0", ""]
    raw = table(product_id=[*map(str, range(len(told)))], own_label=told)
    assert validated("products", raw).table.own_label.to_pyarrow().to_pylist() == [True] * 5 + [False] * 5 + [None]
    assert rows("products", table(product_id=["a"], own_label=[True])) == [("a", True)]
    assert rows("products", table(product_id=["a"], own_label=[0])) == [("a", False)]
    (breach,) = refused("products", table(product_id=["a", "b"], own_label=["perhaps", "2"]))
    assert (
        "'own_label' is neither yes nor no in 2 of 2 rows (first: row 1 'perhaps'; row 2 '2'); write yes or" in breach
    )
    (breach,) = refused("products", table(product_id=["a"], own_label=[0.5]))
    assert breach.startswith("file: 'own_label' is stored as float64, which is neither yes nor no; store ")


def test_a_product_may_lack_category_and_brand():
    raw = table(product_id=["a", "b"], category=["x", ""], brand=["m", "n"])
    counts = validated("products", raw).counts
    assert (counts["brand"], counts["rows"]) == (2, 2)


def test_a_file_listed_nowhere_is_told_by_its_columns():
    assert infer_contract(["customer_id", "start", "end", "x"]) == "subscriptions"
    assert infer_contract(["period", "customers"]) == "retention"
    assert infer_contract(["time", "sales"]) == "series"
    assert infer_contract(["customer_id", "time", "amount", "sales"]) == "transactions"
    assert infer_contract(["customer_id", "time", "Paid"]) == "transactions"
    assert infer_contract(["store_id"]) == "transactions"
