"""A SELECT over files: what it gives, what it may not read, and its sources in fingerprint and manifest."""

import hashlib
import os

import pandas as pd
import pytest

from crmlab import catalog
from crmlab.contracts import InputError
from crmlab.reports import manifest

ORDERS, PAID = "raw/orders.csv", "raw/paid.parquet"
JOIN = f"FROM '{ORDERS}' o JOIN '{PAID}' p ON CAST(o.number AS INT) = p.number"
SELECT = f"SELECT client AS customer_id, day AS time, paid AS amount {JOIN}"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A project whose catalog holds a query over two files: a function of the query and its sources."""
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    (raw / "orders.csv").write_text("number,client,day\n1,00123,2024-01-05\n2,7,2024-02-05\n3,7,2024-03-05\n")
    pd.DataFrame({"number": [1, 2, 2, 3], "paid": [10.5, 1, 2, 30]}).to_parquet(raw / "paid.parquet")
    monkeypatch.setenv("CRMLAB_ROOT", str(tmp_path))
    listed = tmp_path / "data" / "catalog.toml"

    def read(sql=SELECT, sources=(ORDERS, PAID)):
        listed.write_text(f'[shop]\nsql = """{sql}"""\nsources = {list(sources)}\n')
        os.utime(listed, ns=(read.clock, read.clock))  # a clock that is finer than the file system's
        read.clock += 10**9
        return catalog.orders("shop")

    read.clock = 10**18
    read.folder = raw
    return read


def test_files_are_joined_and_their_text_stays_text(shop):
    rows = shop().table.order_by("time", "amount").execute()
    assert rows.customer_id.tolist() == ["00123", "7", "7", "7"]
    assert rows.amount.map(str).tolist() == ["10.5000", "1.0000", "2.0000", "30.0000"]


def test_a_query_may_have_parts_and_unions(shop):
    one = f"WITH o AS (SELECT * FROM '{ORDERS}') SELECT client AS customer_id, day AS time, 5 AS amount FROM o"
    found = shop(f"{one} UNION ALL SELECT '9', '2024-05-01', paid FROM '{PAID}' WHERE paid > 2")
    assert (found.findings.counts["rows"], found.findings.counts["spend"]) == (5, 55.5)


REFUSED = {
    "DROP TABLE x": "it is no SELECT",
    f"COPY ({SELECT}) TO '/tmp/x.csv'": "it is no SELECT",
    "SET threads = 1": "it is no SELECT",
    "ATTACH 'x.db'": "it is no SELECT",
    f"{SELECT}; {SELECT}": "it holds 2 statements",
    " ": "it holds 0 statements",
    "SELECT 'x": "it cannot be read as SQL",
    "SELECT FROM WHERE": "it cannot be read as SQL",
    f"SELECT * FROM '{ORDERS}'": "it does not read 'raw/paid.parquet' of its sources",
    f"SELECT * {JOIN}, '../secret.csv' s": "it reads '../secret.csv', not among its sources",
    f"SELECT * {JOIN}, 'https://example.org/a.csv' s": "not among its sources",
    f"SELECT * {JOIN}, 'raw/order.csv' s": "did you mean 'raw/orders.csv'?",
    f"SELECT *, (SELECT content FROM read_text('/etc/passwd')) {JOIN}": "it reads a file by itself",
    f"SELECT * {JOIN}, glob('/etc/*')": "it reads a file by itself",
    f"SELECT * {JOIN}, glob('../*')": "it reads a file by itself",
    f"SELECT * {JOIN}, read_csv('https://example.org/a.csv')": "it reads a file by itself",
    f"SELECT * {JOIN}, read_parquet('../*.parquet')": "it reads a file by itself",
    f"SELECT getenv('HOME') {JOIN}": "getenv",
    f"SELECT Prize {JOIN}": '"Prize" not found',
    f"SELECT client, client {JOIN}": "gives 'client' more than once",
    f"SELECT CAST(client AS INT) AS customer_id, day AS time, CAST(day AS INT) AS amount {JOIN}": "TRY_CAST",
    f"SELECT client + 1 AS customer_id {JOIN}": "columns of text files are text: CAST them",
    f"{SELECT} LIMIT 0": "there are no rows",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_is_no_select_of_its_sources_is_refused_in_words(shop, sql):
    with pytest.raises(InputError) as refused:
        shop(sql)
    (said,) = refused.value.breaches
    assert REFUSED[sql] in said
    assert "Error" not in said
    assert str(shop.folder) not in said


def test_sources_that_are_missing_are_all_named(shop):
    with pytest.raises(InputError) as refused:
        shop(f"SELECT * FROM 'raw/a.csv', 'raw/b.csv', '{PAID}'", ["raw/a.csv", "raw/b.csv", PAID])
    assert [f"{name}.csv" in said for name, said in zip("ab", refused.value.breaches, strict=True)] == [True, True]


def test_faults_of_a_source_are_said_of_it(shop):
    (shop.folder / "orders.csv").write_text("number,client,day\n1,a\n2,b,2024-01-01,x\n")
    with pytest.raises(InputError, match=r"orders\.csv: there are more or fewer than 3 fields in 2 lines"):
        shop()


def test_the_place_of_data_is_one(shop):
    listed = shop.folder.parent / "catalog.toml"
    for lines in ('sql = "SELECT 1"', 'sources = ["raw/orders.csv"]', f'path = "{ORDERS}"\nsql = "x"\nsources = ["a"]'):
        listed.write_text(f"[shop]\n{lines}\n")
        os.utime(listed, ns=(shop.clock, shop.clock))
        shop.clock += 10**9
        with pytest.raises(InputError, match="give either path, or uri with table, or sql with sources"):
            catalog.orders("shop")


def test_an_argument_cannot_state_a_query(shop):
    shop()
    with pytest.raises(InputError, match="there is no sql to give"):
        catalog.orders(str(shop.folder / "orders.csv"), sql="SELECT 1")


def test_each_source_is_hashed(shop):
    data = shop()
    hashes = {name: hashlib.sha256((shop.folder.parent / name).read_bytes()).hexdigest() for name in (ORDERS, PAID)}
    assert catalog.source_hashes("shop") == hashes
    listed = f"{ORDERS} {hashes[ORDERS]}\n{PAID} {hashes[PAID]}"
    assert catalog.fingerprint("shop") == hashlib.sha256(listed.encode()).hexdigest()
    made = manifest.source("data", "shop", data)
    assert (made.sources, made.sha256) == (hashes, catalog.fingerprint("shop"))


def test_a_changed_source_is_read_anew(shop):
    assert shop().findings.counts["spend"] == 43.5
    pd.DataFrame({"number": [1, 2, 2, 3], "paid": [11.5, 1, 2, 300]}).to_parquet(shop.folder / "paid.parquet")
    assert catalog.orders("shop").findings.counts["spend"] == 314.5
