"""Tables on PostgreSQL: what cannot be read is refused in words, and nothing of a login is shown."""

import socket
import threading
import time

import psycopg
import pytest

from crmlab import catalog, clv, engines, uris
from crmlab.contracts import InputError
from crmlab.reports import manifest

from .conftest import ROLES, postgres_server

pytestmark = [pytest.mark.postgres, pytest.mark.filterwarnings("ignore::Warning")]
TABLES = """
    CREATE SCHEMA store;
    CREATE TYPE mood AS ENUM ('sad');
    CREATE TABLE store.sales(customer_id text, time timestamp, amount numeric, extra jsonb, tags int[], spot point,
        area box, words tsvector, ip inet, span interval, bits bit(3), who uuid, mood mood,
        price money, range int4range);
    INSERT INTO store.sales VALUES ('00123', '2024-01-05 10:00', 12.123456, '{}', '{1}', '(1,2)'),
        ('00123', '2024-01-07 10:00', 2.5, '{}', '{1}', '(1,2)');
    CREATE VIEW seen AS SELECT customer_id, time, amount FROM store.sales;
    CREATE TABLE nested(customer_id jsonb, time int[], amount point);
    INSERT INTO nested VALUES ('{}', '{1}', '(1,2)');
    CREATE TABLE priced(customer_id text, time date, amount money);
    CREATE TABLE texts(customer_id text, time text, amount text);
    INSERT INTO texts VALUES ('a', '2024-01-05', '12.5'), ('a', '2024-02-30', '1');
    CREATE TABLE people(customer_id text, age int, doc jsonb, tags text[], spot point);
    INSERT INTO people VALUES ('a', 30, '{}', '{a}', '(1,2)');
    CREATE VIEW slow AS SELECT customer_id, time, amount FROM store.sales, pg_sleep(20);
    CREATE TABLE theirs AS SELECT * FROM seen;
    GRANT SELECT ON seen TO shop;
"""


@pytest.fixture(scope="module")
def tables(server):
    with psycopg.connect(server.uri, autocommit=True) as connection:
        connection.execute(TABLES)
    return server


@pytest.fixture
def login(shop, monkeypatch, server):
    """The data set "live": a table as the role shop sees it, its login in the environment."""

    def make(table, password=ROLES["shop"], user="shop", database="postgres"):
        monkeypatch.setenv("SHOP_USER", user)
        monkeypatch.setenv("SHOP_PASSWORD", password)
        monkeypatch.setenv("SHOP_FOLDER", str(server.folder))
        uri = f"postgres://${{SHOP_USER}}:${{SHOP_PASSWORD}}@/{database}?host=${{SHOP_FOLDER}}&application_name=crm7"
        shop.catalog(f"[live]\nuri = '{uri}'\ntable = '{table}'\n")
        return "live"

    return make


def said(data, **fields):
    """The breaches of data that are refused, in which nothing of the login stands."""
    with pytest.raises(InputError) as caught:
        catalog.orders(data, **fields)
    text = "\n".join(caught.value.breaches)
    for hidden in (*ROLES.values(), 'shop"', "SHOP_", "postgres_", "crm7", "wrong"):
        assert hidden not in text
    assert caught.value.__cause__ is None
    return caught.value.breaches


def test_a_table_of_a_schema_is_read_whatever_its_other_columns_are(tables):
    data = catalog.orders(tables.uri, table="store.sales")
    assert (data.findings.counts["rows"], data.findings.counts["rounded_amounts"]) == (2, 1)
    assert str(data.findings.counts["spend"]) == "14.6235"
    assert data.table.columns == ("customer_id", "time", "amount", "order_day")


def test_columns_of_types_that_a_contract_cannot_use_are_refused(tables):
    ids, times, amounts = said(tables.uri, table="nested")
    assert amounts.startswith("nested: 'amount' is stored as ")
    assert ids.startswith("nested: 'customer_id' is stored as json")
    assert times.startswith("nested: 'time' is stored as array<int32>, which is not a time; ")
    (breach,) = said(tables.uri, table="priced")
    assert breach.startswith("priced: cannot be read (")
    assert breach.endswith("; store times as dates or timestamps, and amounts as numbers")


def test_other_columns_that_no_frame_holds_are_left_out_and_named(tables):
    data = catalog.customers(tables.uri, table="people")
    assert data.table.columns == ("customer_id", "age")
    assert data.summary.found["columns left out"].split(" (")[0] == "doc"
    assert data.table.execute().age.tolist() == [30]


def test_text_that_cannot_be_cast_is_refused(tables):
    (breach,) = said(tables.uri, table="texts")
    assert breach == (
        'texts: cannot be read (date/time field value out of range: "2024-02-30"); '
        "store times as dates or timestamps, and amounts as numbers"
    )


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("sean", "no table 'sean' (there: "),
        ("store.sale", "no table 'sale' (there: sales); did you mean 'sales'?"),
        ("stor.sales", "no schema 'stor' (there: information_schema, public, store); did you mean 'store'?"),
    ],
)
def test_a_table_or_schema_that_is_not_there_is_refused(tables, table, words):
    (breach,) = said(tables.uri, table=table)
    assert f"{table} (postgres:///postgres): {words}" in breach


def test_a_login_of_the_environment_is_used_and_shown_nowhere(tables, login, caplog):
    data = catalog.orders(login("seen"))
    assert data.findings.counts["rows"] == 2
    source = manifest.source("data", "live", data)
    assert source.entry == {"uri": "postgres:///postgres", "table": "seen"}
    assert source.sha256 is None
    shown = f"{data!r} {data.findings.entry!r} {data.summary} {source!r} {caplog.text} {data.table.get_backend()!r}"
    for hidden in ("SHOP_", *ROLES.values(), "crm7", str(tables.folder)):
        assert hidden not in shown


@pytest.mark.parametrize("given", [{"password": "wrong"}, {"user": "nobody"}])
def test_a_wrong_login_is_refused(tables, login, given):
    assert catalog.orders(login("seen")).findings.counts["rows"] == 2
    (breach,) = said(login("seen", **given))
    assert breach == (
        "live (postgres:///postgres): no connection, as it refuses the login; "
        "correct the user, or the password that the environment holds"
    )


def test_a_table_that_one_may_not_read_is_refused(tables, login):
    (breach,) = said(login("theirs"))
    assert (
        breach == "live: cannot be read (permission denied for table theirs); have the right to SELECT from it granted"
    )


def test_a_database_that_is_not_there_is_refused(tables, login):
    (breach,) = said(login("seen", database="gone"))
    assert breach == "live (postgres:///gone): no connection, as it has no such database; correct the uri"


def test_a_host_that_does_not_answer_is_refused_in_time(shop):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        port, begun = silent.getsockname()[1], time.monotonic()
        (breach,) = said(f"postgres://127.0.0.1:{port}/shop?connect_timeout=2", table="sales")
    assert breach.startswith(
        f"sales (postgres://127.0.0.1:{port}/shop): no connection, as it does not answer in time; "
    )
    assert 1 < time.monotonic() - begun < 9
    (breach,) = said(f"postgres://127.0.0.1:{port}/shop", table="sales")
    assert ": no connection, as no server answers there; start it, or correct the uri" in breach


def test_a_host_is_waited_for_ten_seconds_unless_it_is_said_otherwise(monkeypatch):
    monkeypatch.delenv("PGCONNECT_TIMEOUT", raising=False)
    given = []
    monkeypatch.setattr(psycopg, "connect", lambda **options: given.append(options) or 1 / 0)
    for query in ("", "?connect_timeout=3"):
        with pytest.raises(InputError):
            engines.connect(f"postgres://me%40corp@host/shop{query}")
    assert [options["connect_timeout"] for options in given] == [10, "3"]
    assert [(options["user"], options["port"], options["database" if "database" in options else "dbname"])
            for options in given] == [("me@corp", None, "shop")] * 2  # fmt: skip


def test_a_server_that_is_killed_is_an_error_of_input_until_it_is_back():
    with postgres_server() as server:
        with psycopg.connect(server.uri, autocommit=True) as connection:
            connection.execute(TABLES)
        data = catalog.orders(server.uri, table="seen")
        killer = threading.Timer(1, server.stop)
        killer.start()
        (breach,) = said(server.uri, table="slow")
        killer.join()
        assert breach.startswith("slow: cannot be read (")
        assert breach.endswith("; see that the server runs, and begin again")
        with pytest.raises(InputError, match=r"clv\.weekly_orders: the query failed \(.*\); see that the server runs"):
            clv.weekly_orders(data, "2024-01-05", "2024-01-07")
        (breach,) = said(server.uri, table="store.sales")
        assert "no connection, as no server answers there; start it" in breach
        server.start()
        assert catalog.orders(server.uri, table="store.sales").findings.counts["rows"] == 2
        assert clv.summarise(data, "2024-01-07").count().execute() == 1


def test_a_run_on_a_table_of_an_engine_has_no_key(tables, login):
    assert catalog.fingerprint(login("seen")) is None


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("postgres://me:hunter2@host/shop", "it holds a password; put it into a variable of the environment"),
        ("postgres://me@host/shop?password=hunter2", "it holds a password; put it into a variable of the environment"),
        ("postgres://me:${A}hunter2@host/shop", "it holds a password; put it into a variable of the environment"),
        ("postgres://me:hun/ter2@host/shop", "it cannot be read as scheme://user:${PASSWORD}@host/database; "),
        ("postgres://me:hun?ter2@host/shop", "it cannot be read as scheme://user:${PASSWORD}@host/database; "),
        ("postgres://hunter2", None),
    ],
)
def test_a_password_in_a_uri_is_refused_and_not_shown(shop, uri, words):
    if words is None:
        uri = ["postgres://me:hunter2@host"]
    shop.catalog(f"[live]\nuri = {uri!r}\ntable = 'sales'\n")
    with pytest.raises(InputError) as caught:
        catalog.orders("live")
    assert "uri" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    if words:
        assert words in str(caught.value)
        with pytest.raises(InputError) as caught:
            catalog.orders(uri, table="sales")
        assert "hunter2" not in str(caught.value)
        with pytest.raises(InputError) as caught:
            catalog.orders(uri)
        assert "hunter2" not in str(caught.value)


def test_a_variable_that_is_not_set_is_named(shop, monkeypatch):
    monkeypatch.delenv("SHOP_HOST", raising=False)
    shop.catalog("[live]\nuri = 'postgres://me@${SHOP_HOST}/shop'\ntable = 'sales'\n")
    with pytest.raises(InputError) as caught:
        catalog.orders("live")
    assert str(caught.value) == (
        "live (postgres://${SHOP_HOST}/shop): uri names SHOP_HOST, not set in the environment; set what is missing"
    )


def test_a_password_of_any_signs_and_a_whole_uri_stand_in_the_environment(monkeypatch):
    monkeypatch.setenv("PASSWORD", "a/b@c#d?e%f+g")
    assert uris.expand("postgres://me:${PASSWORD}@host/shop") == "postgres://me:a%2Fb%40c%23d%3Fe%25f%2Bg@host/shop"
    monkeypatch.setenv("SHOP", "postgres://me:secret@host/shop")
    assert (uris.expand("${SHOP}"), uris.shown("${SHOP}")) == ("postgres://me:secret@host/shop", "${SHOP}")
