"""Contracts of customers: what is accepted, and what is said."""

from datetime import date, timedelta

import pytest

from crmlab.contracts import ROW, SUBSCRIPTIONS, Policy

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


def contracts_of_three_years(*more):
    """100 contracts from 2020-01-01 that end every 13 days, and `more` (start, end)."""
    ends = [date(2020, 1, 14) + timedelta(13 * i) for i in range(100)]
    rows = [(date(2020, 1, 1), end) for end in ends] + list(more)
    return table(
        customer_id=[f"c{i}" for i in range(len(rows))],
        start=[str(start) for start, _ in rows],
        end=[str(end or "") for _, end in rows],
    )


def test_days_after_a_long_silence_are_no_last_day_observed_and_are_counted():
    last = date(2020, 1, 14) + timedelta(13 * 99)
    future = contracts_of_three_years((date(2023, 5, 5), date(2030, 6, 1)), (date(2029, 1, 1), None))
    counts = validated("subscriptions", future).counts
    assert [counts[name] for name in ("last", "ended", "running", "planned", "later")] == [last, 100, 1, 1, 1]
    words = SUBSCRIPTIONS.describe(counts, None)
    assert words["contracts running"] == "1, of which 1 end after the last day observed"
    assert words["contracts that start after it (left out)"] == "1"
    stated = validated("subscriptions", future, until=date(2030, 6, 1)).counts
    assert [stated[name] for name in ("last", "ended", "running", "later")] == [date(2030, 6, 1), 101, 1, 0]


@pytest.mark.parametrize(
    ("days", "planned"),
    [(365, False), (366, True)],  # a silence of a year is one of business
)
def test_a_silence_of_at_most_a_year_is_observed(days, planned):
    last = date(2020, 1, 14) + timedelta(13 * 99)
    end = last + timedelta(days)
    found = validated("subscriptions", contracts_of_three_years((date(2020, 1, 1), end))).counts["last"]
    assert found == (last if planned else end)


def test_many_days_after_a_silence_or_few_before_it_are_observed():
    early, late = date(2020, 1, 1), [date(2029, 1, 1) + timedelta(i) for i in range(12)]
    many = contracts_of_three_years(*((early, day) for day in late))  # 12 of 224 days: more than one in twenty
    assert validated("subscriptions", many).counts["last"] == late[-1]
    two = table(customer_id=["a", "b"], start=["2012-01-01"] * 2, end=["2020-01-01", ""])
    assert validated("subscriptions", two).counts["last"] == date(2020, 1, 1)


def test_contracts_have_days_or_tenures():
    raw = table(customer_id=["7", "8", "9"], tenure=["0", "12", "72"], churned=["Yes", "No", "1"])
    assert rows("subscriptions", raw) == [("7", 0, True, "all"), ("8", 12, False, "all"), ("9", 72, True, "all")]
    counts = validated("subscriptions", raw).counts
    assert [counts[name] for name in ("customers", "ended", "running", "ended_at_once")] == [3, 2, 1, 1]
    words = SUBSCRIPTIONS.describe(counts, Policy(tenure_unit="day"))
    assert words["tenure"] == "0 to 72, read as days; no days are known"
    assert words["churned"] == "yes 2, no 1, unknown 0"
    assert "ids of customers" not in words
    nameless = validated("subscriptions", table(tenure=["3"], churned=["no"]))
    words = SUBSCRIPTIONS.describe(nameless.counts, Policy())
    assert words["ids of customers"] == "none; each row is a contract of a customer of its own"


def test_a_source_of_neither_form_of_half_of_one_or_of_both_is_refused():
    assert refused("subscriptions", table(customer_id=["a"], x=["1"])) == (
        "file: no columns 'start' and 'end', nor 'tenure' and 'churned'; its columns are 'customer_id', 'x'; "
        "rename some, or name them in data/catalog.toml",
    )
    (half,) = refused("subscriptions", table(tenure=["1"], Churn=["yes"]))
    assert half.startswith("file: no column 'churned' (whether it has ended); its columns are 'tenure', 'Churn'; ")
    assert half.endswith("as columns.churned = 'Churn'")
    days = {"customer_id": ["a"], "start": ["2024-01-01"], "end": [""]}
    (half,) = refused("subscriptions", table(customer_id=["a"], start=["2024-01-01"]))
    assert half.startswith("file: no column 'end' (the day it was ended; empty while it runs)")
    both = table(**days, tenure=["1"], churned=["no"])
    assert refused("subscriptions", both) == (
        "file: has both 'start' and 'end', and 'tenure' and 'churned', which are two forms of the same; state the "
        "columns of one in data/catalog.toml, as columns = { start = 'start' }",
    )
    assert rows("subscriptions", both, columns={"start": "start"}) == [("a", date(2024, 1, 1), None, "all")]
    assert rows("subscriptions", both, columns={"tenure": "tenure"}) == [("a", 1, False, "all")]
    flagged = table(**days, churned=["no"])  # days are whole, and churned is a column beside them
    assert rows("subscriptions", flagged) == [("a", date(2024, 1, 1), None, "all")]


def test_every_breach_of_tenures_is_told_at_once():
    raw = table(
        customer_id=["a", "a", "b", "c"], tenure=["-1", "2.5", "3", ""], churned=["yes", "", "soon", "no"],
        customers=["1", "1", "0", "1"],
    )  # fmt: skip
    assert [b.replace("file: ", "") for b in refused("subscriptions", raw)] == [
        "'tenure' is empty in 1 of 4 rows (first: row 4); fill or drop them",
        "'tenure' is not a whole number in 1 of 4 rows (first: row 2 '2.5'); give whole numbers",
        "'churned' is neither yes nor no in 1 of 4 rows (first: row 3 'soon'); write yes or y or true or t or 1 or "
        "private for yes, no or n or false or f or 0 or national for no, and nothing where it is unknown",
        "'customer_id' stands in more than one row in 2 of 4 rows (first: row 1 'a'; row 2 'a'); "
        "keep one contract of each, or give every contract an id of its own",
        "'tenure' is negative in 1 of 4 rows (first: row 1 '-1'); correct them",
        "'churned' is empty in 1 of 4 rows (first: row 2); fill or drop them",
        "'customers' is below 1 in 1 of 4 rows (first: row 3 '0'); leave them out",
    ]


def test_what_means_nothing_in_a_form_is_refused():
    tenures, days = table(tenure=["1"], churned=["no"]), table(customer_id=["a"], start=["2024-01-01"], end=[""])
    assert refused("subscriptions", tenures, until=date(2024, 1, 1)) == (
        "file: until: the contracts are given by tenure and churned, which know no days; leave it out",
    )
    assert refused("subscriptions", days, tenure_unit="day") == (
        "file: tenure_unit: the contracts are given by start and end, which have no tenure; leave it out",
    )


def test_every_breach_of_contracts_of_customers_is_told_at_once():
    raw = table(
        customer_id=["a", "a", "", "b", "c", ""],
        start=["2024-01-05", "2024-01-01", "2024-01-01", "2025-01-01", "x", "2024-01-01"],
        end=["2024-01-04", "", "", "", "soon", ""],
        group=["", "g", "g", "g", "g", "g"],
    )
    assert [b.replace("file: ", "") for b in refused("subscriptions", raw, until=date(2024, 12, 31))] == [
        "'customer_id' is empty in 2 of 6 rows (first: row 3; row 6); fill them, or state missing_ids = 'drop' in "
        "data/catalog.toml",
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
        "rename one, or name it in data/catalog.toml"
    )
    assert "'start' is not a date" in told[1]
    assert refused("series", table(x=["a"]), ["file: torn; mend"])[0] == "file: torn; mend"
    assert len(refused("stores", table(x=["a"]).drop(ROW))) == 1
