"""Tables in memory: of pandas, polars, pyarrow and Ibis they give what a file of the same rows gives; and refusals."""

import gc
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from crmlab import catalog, engines
from crmlab.contracts import InputError

ROWS = {
    "Client": ["a", "a", "b", "c"],
    "Ordered": ["2024-01-05", "2024-03-01", "2024-02-11", "2024-02-12"],
    "Paid": [10.0, 12.5, 30.0, -2.0],
}
LOG = pd.DataFrame(ROWS)
DAYS = [pd.Timestamp(day) for day in ROWS["Ordered"]]
NAMED = {"customer_id": "Client", "time": "Ordered", "amount": "Paid", "returns": "drop"}
FORMS = {
    "pandas": LOG,
    "polars": pl.DataFrame(ROWS),
    "pyarrow": pa.table(ROWS),
    "Ibis": ibis.memtable(LOG),
    "times": LOG.assign(Ordered=pd.to_datetime(LOG.Ordered)),
    "times by the nanosecond": LOG.assign(Ordered=pd.to_datetime(LOG.Ordered).astype("datetime64[ns]")),
    "days": LOG.assign(Ordered=pd.to_datetime(LOG.Ordered).dt.date),
    "periods": LOG.assign(Ordered=pd.to_datetime(LOG.Ordered).dt.to_period("D")),
    "categories": LOG.astype({"Client": "category", "Ordered": "category"}),
    "objects": LOG.astype({"Client": object}),
    "decimals": LOG.assign(Paid=LOG.Paid.map(lambda paid: Decimal(str(paid)))),
    "an index with a name": LOG.set_index("Client"),
    "other columns": LOG.assign(**{"1": 1, "of objects": [[1], [2], [3], [4]]}),
}


def refused(frame, **fields):
    with pytest.raises(InputError) as wrong:
        catalog.orders(frame, **(NAMED | fields))
    return wrong.value.breaches


@pytest.mark.parametrize("form", FORMS)
def test_each_form_gives_what_a_file_gives(form, tmp_path):
    LOG.to_csv(tmp_path / "log.csv", index=False)
    file, given = catalog.orders(tmp_path / "log.csv", **NAMED), catalog.orders(FORMS[form], **NAMED)
    assert given.findings.counts == file.findings.counts
    assert (given.findings.counts["customers"], given.findings.counts["spend"]) == (2, Decimal("52.5"))
    columns = ["customer_id", "time", "amount", "order_day"]
    one, other = (data.table.order_by("time").select(*columns).to_pyarrow().to_pylist() for data in (given, file))
    assert one == other


def test_a_report_says_that_it_is_not_recorded():
    found = catalog.orders(LOG, currency="EUR", **NAMED).summary.found
    assert found["data"] == "a table in memory, not recorded (your own data)"
    assert found["spend"] == "52.50 EUR"


def test_what_is_read_is_a_copy():
    frame = LOG.copy()
    orders = catalog.orders(frame, **NAMED)
    frame.loc[:, "Paid"] = 0.0
    assert float(orders.table.amount.sum().execute()) == 52.5


def test_a_copy_goes_with_the_last_that_asks_for_it():
    def held():
        names = engines.connect().con.cursor().execute("SELECT table_name FROM duckdb_tables()").fetchall()
        return {name for (name,) in names if name.startswith("ibis_stored")}

    before = held()
    orders = catalog.orders(LOG, **NAMED)
    derived = orders.table.filter(orders.table.amount > 10)
    assert len(held() - before) == 1
    del orders
    gc.collect()
    assert derived.count().execute() == 2
    del derived
    gc.collect()
    assert held() <= before


def test_every_contract_takes_a_frame():
    contracts = pd.DataFrame({"id": ["a", "b"], "from": ["2020-01-01", "2020-02-01"], "to": ["2021-01-01", None]})
    found = catalog.subscriptions(contracts, customer_id="id", start="from", end="to", until="2022-01-01")
    assert found.findings.counts["rows"] == 2
    assert catalog.retention(pd.DataFrame({"period": [0, 1], "customers": [9, 5]})).findings.counts["rows"] == 2
    sales = pd.DataFrame({"month": ["2024-01-01", "2024-02-01", "2024-03-01"], "sales": [1.0, 2, 3]})
    assert catalog.series(sales, time="month").findings.counts["rows"] == 3
    known = pd.DataFrame({"customer_id": ["a"], "city": ["Berlin"]})
    assert catalog.customers(known).table.columns == ("customer_id", "city")
    assert catalog.check(
        LOG.rename(columns={"Client": "customer_id", "Ordered": "time", "Paid": "amount"}), returns="net"
    )


def test_the_path_of_a_file_takes_the_same_fields(tmp_path):
    LOG.assign(Paid=["10,0", "12,5", "30", "1"]).to_csv(tmp_path / "log.csv", index=False, sep=";")
    found = catalog.orders(tmp_path / "log.csv", delimiter=";", decimal=",", **NAMED)
    assert found.findings.counts["spend"] == Decimal("53.5")
    said = refused("cdnow_sample")
    assert said[0].startswith(
        "cdnow_sample is read as data/catalog.toml says, not by customer_id, time, amount, returns;"
    )


def test_names_and_fields_that_do_not_fit_are_said_all_at_once():
    with pytest.raises(InputError) as wrong:
        catalog.orders(LOG)
    assert [breach[:32] for breach in wrong.value.breaches] == [
        "the table: no column 'customer_i", "the table: no column 'time' (whe", "the table: no column 'amount' (w",
    ]  # fmt: skip
    assert [breach.split("; ")[-1] for breach in wrong.value.breaches] == [
        f"rename one, or name it as an argument, as {name}"
        for name in (
            "customer_id = 'Client'",
            "time = 'Ordered'",
            "amount = 'Paid', or leave it out for a log without amounts",
        )
    ]
    assert refused(LOG, tariff="a")[0].startswith("the table: there is no tariff to give; give names of columns (")
    (said,) = refused(LOG, custmer="Client")
    assert said == "the table: there is no custmer to give; did you mean 'customer_id'?"
    assert refused(LOG, returns="neg") == ("the table: returns = 'neg'; write 'error', 'drop' or 'net'",)
    (said,) = refused(LOG, returns="error")
    assert said.endswith("if they are returns, state returns = 'net' or 'drop' as an argument")


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (LOG.set_axis(pd.MultiIndex.from_product([["x"], LOG.columns]), axis=1), "names of 2 levels, a MultiIndex; "),
        (pd.concat([LOG, LOG[["Paid"]]], axis=1), "'Paid' stand more than once among its columns; rename all but one"),
        (LOG.assign(paid=1), "'Paid', 'paid' stand more than once among its columns; rename all but one"),
        (pa.table([[1], [2]], names=["Paid", "Paid"]), "'Paid' stand more than once among its columns"),
        (LOG.assign(Client=["a", 1, None, "c"]), "'Client' mixes kinds: str in 2, int in 1 of 4 rows (first: row"),
        (
            LOG.assign(Ordered=pd.Series([*DAYS[:3], pd.Timestamp(1, tz="UTC")], dtype=object)),
            "'Ordered' mixes kinds: Timestamp in 3, time with an offset in 1 of 4 rows (first: rows 4)",
        ),
        (LOG.assign(Client=[1.0, 2, 3, 4]), "stored as float64, which does not keep ids such as 00123; store it"),
        (LOG.assign(Paid=[[1]] * 4), "is stored as array<int64>, which is not a number"),
        (LOG.assign(Ordered=pd.Timedelta(1)), "is stored as interval('us'), which is not a time"),
        (LOG.set_index([LOG.Client]), "its index ['Client'] has a level without a name, or one that is a column too"),
        (LOG.iloc[:0], "there are no rows; a log needs at least one order"),
        (LOG.assign(Ordered=pd.to_datetime(LOG.Ordered).dt.tz_localize("UTC")), "state as an argument the time_zone"),
        (LOG.assign(Paid=[object()] * 4), "'Paid' cannot be read ("),
        (LOG.assign(Client=[1j] * 4, Paid=[2**70] * 4), "'Paid' cannot be read ("),
        (LOG.assign(Client=[1j] * 4, Paid=[2**70] * 4), "'Client' cannot be read ("),
    ],
)  # fmt: skip
def test_what_is_no_table_of_plain_columns_is_refused(frame, said):
    assert any(said in breach for breach in refused(frame)), refused(frame)


def test_times_with_an_offset_are_counted_by_the_clock_of_the_shop():
    late = pd.to_datetime(["2024-01-05 23:30", "2024-03-01 10:00", "2024-02-11 12:00", "2024-02-12 12:00"], utc=True)
    for unit in ("ns", "us", "s"):
        found = catalog.orders(LOG.assign(Ordered=late.as_unit(unit)), time_zone="Europe/Berlin", **NAMED)
        assert str(found.findings.first) == "2024-01-06"


@pytest.mark.parametrize("given", [{"a": [1]}, [1], 3, np.zeros(3)])
def test_what_is_no_table_at_all_is_refused(given):
    (said,) = refused(given)
    assert said.startswith("catalog.orders: data is of type ")
    assert said.endswith("give text or a Path or a DataFrame or a Table or an ArrowTable")


@pytest.mark.parametrize(
    "column",
    [
        pl.Series(["a", "b"], dtype=pl.Categorical),
        pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])),
    ],
)
def test_categories_of_polars_are_text(column):
    found = catalog.orders(pl.DataFrame({"customer_id": column, "time": ["2024-01-01"] * 2, "amount": [1, 2]}))
    assert sorted(found.table.customer_id.execute()) == ["a", "b"]


def test_odd_types_of_arrow_are_read_or_refused_in_words():
    rows = {"customer_id": pa.array(["a", "b"]), "time": pa.array(["2024-01-01"] * 2)}
    for amount in (pa.array([1.5, 2], pa.float16()), pa.array([Decimal("1.5"), Decimal(2)], pa.decimal256(50, 2))):
        assert catalog.orders(pa.table(rows | {"amount": amount})).findings.counts["spend"] == Decimal("3.5")
    empty = catalog.orders(pa.table(rows | {"amount": pa.array([1, 2]), "store_id": pa.nulls(2)}))
    assert empty.table.store_id.isnull().all().execute()
    with pytest.raises(InputError, match="the table: it cannot be read as a table"):
        catalog.orders(pl.Series("amount", [1, 2]))


def test_names_of_columns_may_be_given_in_a_mapping(tmp_path):
    columns = {"customer_id": "Client", "time": "Ordered", "amount": "Paid"}
    assert catalog.orders(LOG, columns=columns, returns="net").findings.counts["rows"] == len(LOG)
    LOG.to_csv(tmp_path / "log.csv", index=False)
    assert catalog.orders(tmp_path / "log.csv", columns=columns, returns="net").findings.counts["rows"] == len(LOG)


def test_who_reads_a_file_by_arguments_is_told_of_arguments(tmp_path):
    LOG.to_csv(tmp_path / "log.csv", index=False)
    with pytest.raises(InputError) as wrong:
        catalog.orders(tmp_path / "log.csv", customer_id="Client", time="Ordered")
    assert [breach.split("; ")[-1] for breach in wrong.value.breaches] == [
        "rename one, or name it as an argument, as amount = 'Paid', or leave it out for a log without amounts"
    ]
