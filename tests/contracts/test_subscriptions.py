"""Contracts of customers: what is accepted, and what is said."""

from datetime import date

from crmlab.contracts import ROW

from ..conftest import table
from .conftest import refused, rows, validated


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
        "'start' comes after 2024-12-31, the last day observed in 1 of 6 rows (first: row 4 '2025-01-01'); "
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
