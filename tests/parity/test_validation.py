"""Typed columns are read and counted alike on DuckDB, PostgreSQL and Spark, for every contract."""

import re
from datetime import date, datetime
from decimal import Decimal

import pandas as pd
import pytest

from crmlab import catalog, engines, lifecycle
from crmlab.contracts import InputError

from .test_engines import stored

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pytest.fixture(scope="module")
def both(other):
    def make(columns, **types):
        return [stored(on, "parity_typed", pd.DataFrame(columns), **types) for on in (engines.connect(), other)]

    return make


def found(read, tables, **fields):
    """The accepted rows, sorted, and the counts, that each engine gives: the same."""
    seen = []
    for table in tables:
        data = read(table, **fields)
        rows = data.table.to_pyarrow().to_pylist()
        seen.append((sorted(rows, key=lambda row: str(list(row.values()))), data.findings.counts))
    assert seen[0] == seen[1]
    return seen[0]


def breaches(read, tables, **fields):
    """What is said on each engine: the same, but for examples, as engines write numbers each in its own way."""
    said = []
    for table in tables:
        with pytest.raises(InputError) as caught:
            read(table, **fields)
        said.append([re.sub(r" \(first: .*?\);", ";", breach) for breach in caught.value.breaches])
    assert said[0] == said[1]
    return said[0]


LOG = {
    "customer_id": ["7", "7", "7", "8", "8"],
    "time": ["2024-03-30 22:30:00", "2024-03-30 23:30:00", "2024-04-02 10:00:00", "2024-04-02 10:00:00", "2024-05-01"],
    "amount": ["12.34567", "20", "-5.5", "0", "99999999999.99"],
    "order_id": ["a", "b", "a", None, " "],
    "quantity": ["1.5", "2", "-1", None, "3"],
}
TYPES = {"customer_id": "int64", "time": "timestamp", "amount": "decimal(20, 6)", "quantity": "float64"}


def test_orders_are_the_same(both):
    rows, counts = found(catalog.orders, both(LOG, **TYPES), returns="net")
    assert [row["customer_id"] for row in rows] == ["7", "7", "7", "8", "8"]
    assert [row["amount"] for row in rows] == [
        Decimal("12.3457"), Decimal("20.0000"), Decimal("-5.5000"), Decimal("0.0000"), Decimal("99999999999.9900"),
    ]  # fmt: skip
    assert [row["order_day"] for row in rows] == [
        date(2024, 3, 30), date(2024, 3, 30), date(2024, 3, 30), date(2024, 4, 2), date(2024, 5, 1),
    ]  # fmt: skip
    assert counts["rounded_amounts"] == 1
    assert (counts["customers"], counts["order_days"], counts["merged_rows"]) == (2, 3, 1)
    assert counts["spend"] == Decimal("100000000026.8357")


def test_returns_are_matched_by_product_alike(both):
    bought = {
        "customer_id": ["7", "7", "7", "7", "8"], "amount": ["10", "20", "-5", "-6", "-7"],
        "time": ["2024-03-01", "2024-03-02", "2024-03-03", "2024-03-03", "2024-03-03"],
        "order_id": ["a", "b", None, "b", None], "product_id": ["p", "q", "p", "p", "p"],
    }  # fmt: skip
    rows, counts = found(catalog.orders, both(bought, time="timestamp", amount="decimal(20, 6)"), returns="net")
    offset = {row["amount"]: row["order_day"] for row in rows if row["amount"] < 0}
    assert offset == {-5: date(2024, 3, 1), -6: date(2024, 3, 2), -7: None}
    assert [counts[f"returns_by_{name}"] for name in ("order", "product", "customer")] == [1, 1, 0]


def test_instants_are_read_on_the_clock_of_the_shop(both):
    """Summer time begins on 31 March 2024 at 1:00 UTC; until then 23:30 UTC is 0:30 of the next day in Berlin."""
    tables = both(LOG, **TYPES | {"time": "timestamp('UTC')", "amount": "float64"})
    rows, _counts = found(catalog.orders, tables, returns="net", time_zone="Europe/Berlin")
    assert [row["time"] for row in rows if row["customer_id"] == "7"] == [
        datetime(2024, 3, 30, 23, 30), datetime(2024, 3, 31, 0, 30), datetime(2024, 4, 2, 12),
    ]  # fmt: skip
    (offset,) = breaches(lambda table, **fields: catalog.orders(table, returns="net"), tables)
    assert "'time' carries an offset from UTC in 5 of 5 rows" in offset


def test_what_is_no_number_is_refused(both):
    tables = both(LOG | {"amount": ["1", "2", "nan", None, "inf"]}, **TYPES | {"amount": "float64"})
    empty, wrong = breaches(catalog.orders, tables)
    assert "'amount' is empty in 1 of 5 rows; " in empty
    assert "'amount' is not a number in 2 of 5 rows; " in wrong


def test_contracts_of_customers_are_the_same(both):
    columns = {
        "customer_id": list("abcd"), "start": ["2024-01-01", "2024-01-15", "2024-02-01", "2024-03-01"],
        "end": ["2024-02-01", None, "2024-03-05", None], "group": ["x", "y", "x", "y"],
    }  # fmt: skip
    _rows, counts = found(catalog.subscriptions, both(columns, start="date", end="date"))
    assert (counts["ended"], counts["running"], counts["groups"], counts["last"]) == (2, 2, 2, date(2024, 3, 5))
    late = both(columns | {"end": ["2023-02-01", None, "2024-03-05", None]}, start="date", end="date")
    (breach,) = breaches(catalog.subscriptions, late)
    assert "'end' comes before the start in 1 of 4 rows" in breach


def test_contracts_by_tenure_are_the_same(both):
    columns = {"tenure": ["0", "12", "3"], "churned": ["yes", "no", "yes"], "customers": ["2", "5", "1"]}
    tables = both(columns, tenure="int64", customers="int64")
    _rows, counts = found(catalog.subscriptions, tables)
    assert [counts[name] for name in ("customers", "ended", "ended_at_once", "running", "longest")] == [8, 3, 2, 5, 12]
    durations = [lifecycle.durations(catalog.subscriptions(table), every="quarter") for table in tables]
    assert durations[0].equals(durations[1])


def test_retention_is_the_same(both):
    columns = {"group": list("xxyy"), "period": ["0", "1", "0", "1"], "customers": ["10", "7", "5", "5"]}
    _rows, counts = found(catalog.retention, both(columns, period="int64", customers="int32"))
    assert (counts["customers"], counts["groups"], counts["periods"]) == (15, 2, 1)
    more = both(columns | {"customers": ["10", "7", "5", "6"]}, period="int64", customers="float64")
    (breach,) = breaches(catalog.retention, more)
    assert "'customers' is more than in the period before in 1 of 4 rows" in breach


@pytest.mark.parametrize(("days", "every"), [("01 08 15", "week"), ("01 02 03", "day")])
def test_series_are_the_same(both, days, every):
    columns = {"time": [f"2024-01-{day}" for day in days.split()], "sales": ["1.5", "0", "2.25"]}
    _rows, counts = found(catalog.series, both(columns, time="date", sales="float64"))
    assert (counts["every"], counts["sales"], counts["last"]) == (every, 3.75, date(2024, 1, int(days[-2:])))


def test_what_is_known_of_customers_products_and_stores_is_the_same(both):
    columns = {"customer_id": ["1", "2", "3"], "reachable": ["true", "false", None], "age": ["30", None, "50"]}
    rows, counts = found(catalog.customers, both(columns, reachable="boolean", age="int32"))
    assert (counts["reachable"], counts["not_reachable"], counts["attributes"]) == (1, 1, {"age": "number"})
    assert [row["age"] for row in rows] == [30, None, 50]
    columns = {"product_id": ["1", "2"], "category": ["tea", None], "own_label": ["1", "0"]}
    _rows, counts = found(catalog.products, both(columns, own_label="int64"))
    assert (counts["category"], counts["own_label"], counts["not_own_label"]) == (1, 1, 1)
    rows, _counts = found(catalog.stores, both({"store_id": ["1", "2"], "size": ["1.5", "2"]}, size="decimal(9, 2)"))
    assert [row["size"] for row in rows] == [1.5, 2.0]


def test_what_stands_twice_is_refused(both):
    (breach,) = breaches(catalog.stores, both({"store_id": ["1", "1", "2"]}))
    assert "'store_id' stands in more than one row in 2 of 3 rows" in breach
