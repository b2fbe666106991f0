"""Tables of DuckDB and SQLite files: found, read as files are, never made or written."""

import sqlite3
from contextlib import closing
from datetime import date

import duckdb
import pytest

from crmlab import catalog
from crmlab.contracts import InputError

from ..conftest import refused


def lite(shop, script, name="raw/shop.sqlite"):
    path = shop.write(name, b"")
    with closing(sqlite3.connect(path)) as file:
        file.executescript(script)
    return path


def duck(shop, script, name="raw/shop.duckdb"):
    (shop.data / name).parent.mkdir(exist_ok=True)
    with duckdb.connect(str(shop.data / name)) as file:
        file.execute(script)


def listed(shop, uri, table, **fields):
    """The data set "live": a table of a database file."""
    fields = {"uri": repr(uri), "table": repr(table), **fields}
    shop.catalog("[live]\n" + "".join(f"{k} = {v}\n" for k, v in fields.items()))
    return "live"


SALES = """
    CREATE TABLE sales(client TEXT, day TEXT, paid REAL, note BLOB);
    INSERT INTO sales VALUES('00123', '2024-01-05', 12.5, x'00'), ('7', '2024-02-01 10:00', 7, NULL),
        ('00123', '2024-03-01', 0.1, NULL);
    CREATE VIEW named AS SELECT client AS customer_id, day AS time, paid AS amount FROM sales;
"""


def test_text_and_numbers_of_sqlite_are_read_as_those_of_files(shop):
    lite(shop, SALES)
    columns = "{ customer_id = 'client', time = 'day', amount = 'paid' }"
    data = catalog.orders(listed(shop, "sqlite://raw/shop.sqlite", "sales", columns=columns))
    assert sorted(set(data.table.customer_id.execute())) == ["00123", "7"]
    assert str(data.findings.counts["spend"]) == "19.6000"
    assert (data.findings.first, data.findings.last) == (date(2024, 1, 5), date(2024, 3, 1))
    assert catalog.orders(listed(shop, "sqlite://raw/shop.sqlite", "main.Named")).findings.counts["rows"] == 3


def test_a_column_of_sqlite_is_of_the_kind_of_all_its_cells(shop):
    lite(
        shop,
        """CREATE TABLE t(customer_id, time, amount);
        INSERT INTO t VALUES(1.0, 1700000000, 5), (2.5, 1700000000, 'x'), (3, 1700000000, x'00');""",
    )
    assert refused(listed(shop, "sqlite://raw/shop.sqlite", "t")) == (
        "live: 'customer_id' is stored as float64, which does not keep ids such as 00123; store it as text, "
        "or state ids = 'tidy' where they are whole numbers",
        "live: 'time' is stored as int64, which is not a time; store dates, times or ISO text, or state time_format "
        "in data/catalog.toml; it looks like Unix seconds: 1700000000 is 2023-11-14 22:13:20 UTC; "
        "state time_format = 'unix' and the time_zone whose days count, such as 'Europe/Berlin', in data/catalog.toml",
        "live: 'amount' is stored as binary, which is not a number; store numbers, or text such as 1234.50",
    )


def test_numbers_beside_text_in_sqlite_are_text(shop):
    lite(
        shop,
        """CREATE TABLE t(customer_id, time, amount);
        INSERT INTO t VALUES(17, '2024-01-01', 0.1), ('017', '2024-01-01', '1e2'), ('a', '2024-01-02', 3);""",
    )
    data = catalog.orders(listed(shop, "sqlite://raw/shop.sqlite", "t"))
    assert sorted(data.table.customer_id.execute()) == ["017", "17", "a"]
    assert str(data.findings.counts["spend"]) == "103.1000"


def test_a_table_or_view_of_a_schema_of_duckdb_is_read(shop, monkeypatch):
    duck(
        shop,
        """CREATE SCHEMA s; CREATE TABLE s.sales AS SELECT 'a' customer_id, DATE '2024-01-01' time, 2.5 amount;
        CREATE VIEW seen AS FROM s.sales""",
    )
    assert catalog.orders(listed(shop, "duckdb://raw/shop.duckdb", "s.sales")).findings.counts["spend"] == 2.5
    monkeypatch.chdir(shop.data / "raw")
    data = catalog.orders("duckdb://shop.duckdb", table="seen", zero="drop")
    assert (data.findings.name, data.findings.counts["spend"]) == ("seen", 2.5)


def test_text_of_duckdb_is_read_as_that_of_files(shop):
    duck(shop, "CREATE TABLE t AS SELECT 'a' customer_id, '05.01.2024' time, '1,5' amount")
    uri, fields = "duckdb://raw/shop.duckdb", {"time_format": "'%d.%m.%Y'", "decimal": "','"}
    data = catalog.orders(listed(shop, uri, "t", **fields))
    assert (data.findings.first, str(data.findings.counts["spend"])) == (date(2024, 1, 5), "1.5000")


def test_a_file_that_was_written_since_is_read_anew(shop):
    row = "SELECT 'a' customer_id, DATE '2024-01-01' time, {} amount"
    duck(shop, "CREATE TABLE t AS " + row.format("2.5"))
    live = listed(shop, "duckdb://raw/shop.duckdb", "t")
    assert catalog.orders(live).findings.counts["rows"] == 1
    duck(shop, "CREATE TABLE t AS " + row.format("2.5") + " UNION ALL " + row.format("1"), "raw/new.duckdb")
    (shop.data / "raw" / "new.duckdb").replace(shop.data / "raw" / "shop.duckdb")
    data = catalog.orders(live)
    assert data.findings.counts["rows"] == data.table.count().execute() == 2


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_file_that_is_not_there_is_refused_and_not_made(shop, kind):
    (breach,) = refused(listed(shop, f"{kind}://raw/gone.db", "t"))
    place = shop.data / "raw" / "gone.db"
    assert breach == f"live: there is no file {place}; correct the uri in [live] of data/catalog.toml"
    assert not place.exists()


def test_what_is_no_database_is_refused(shop):
    shop.write("raw/bad.db", "hello" * 1000)
    lite(shop, SALES)
    for uri in ("duckdb://raw/bad.db", "sqlite://raw/bad.db", "duckdb://raw/shop.sqlite"):
        (breach,) = refused(listed(shop, uri, "t"))
        assert breach.startswith(f"live ({uri}): cannot be read (")
        assert "it may be damaged, or another program" in breach
        assert str(shop.data) not in breach


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("sale", "no table 'sale' (there: named, sales); did you mean 'sales'?"),
        ("other.sales", "no schema 'other' (there: main); correct table"),
    ],
)
def test_a_table_or_schema_that_is_not_there_is_refused(shop, table, said):
    lite(shop, SALES)
    duck(shop, "CREATE TABLE sales(a INT); CREATE VIEW named AS FROM sales")
    for uri in ("sqlite://raw/shop.sqlite", "duckdb://raw/shop.duckdb"):
        assert refused(listed(shop, uri, table)) == (f"live ({uri}): {said}",)


def test_a_uri_of_no_file_and_a_file_without_a_table_are_refused(shop):
    (breach,) = refused(listed(shop, "duckdb://", "t"))
    assert breach.startswith("catalog.toml: [live]: uri: it names no file; ")
    path = lite(shop, SALES)
    (breach,) = refused(path)
    assert breach.startswith("shop.sqlite: a database holds several tables; give its uri and a table of it, ")
    with pytest.raises(InputError, match="it is not said which table is meant; give table, as table='orders'"):
        catalog.orders(f"sqlite://{path}")


def test_a_table_without_rows_is_refused(shop):
    lite(shop, "CREATE TABLE t(customer_id, time, amount)")
    (breach,) = refused(listed(shop, "sqlite://raw/shop.sqlite", "t"))
    assert breach == "live: there are no rows; a log needs at least one order"


def test_a_fingerprint_of_a_database_knows_its_log_of_changes(shop):
    path = lite(shop, SALES)
    live = listed(shop, "sqlite://raw/shop.sqlite", "sales")
    before = catalog.fingerprint(live)
    assert len(before) == 64
    with closing(sqlite3.connect(path)) as file:
        file.executescript("PRAGMA journal_mode = wal; INSERT INTO sales VALUES('b', '2024-01-01', 1, NULL);")
        written = catalog.fingerprint(live)
        file.executescript("INSERT INTO sales VALUES('c', '2024-01-01', 1, NULL);")
        assert len({before, written, catalog.fingerprint(live)}) == 3
