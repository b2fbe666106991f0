"""Files and tables read as they stand, or refused with what is wrong in them and where."""

import csv
import io

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab import catalog
from crmlab.contracts import sources
from crmlab.entry import Entry

from ..conftest import LOG, QUICK, refused

DAY = pd.Timestamp("2024-01-01")


def ids(data):
    return catalog.orders(data).table.order_by("time").customer_id.execute().tolist()


def rows(n, customer="a"):
    return f"{customer},2024-01-01,1\n" * n


def parquet(path, row_group_size=None, **columns):
    pq.write_table(pa.table(columns), path, row_group_size=row_group_size)
    return str(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_ids_keep_their_leading_zeros_whatever_the_delimiter(shop, delimiter):
    text = (LOG + "00123,2024-01-01,1.5\n").replace(",", delimiter)
    assert ids(shop.write("log.csv", text)) == ["00123"]


def test_ids_are_text_from_integers_and_from_strings_of_parquet(shop):
    log = {"time": [DAY, DAY + pd.Timedelta(days=1)], "amount": [1.0, 2.0]}
    assert ids(parquet(shop.data / "i.parquet", customer_id=[123, 2**53 + 1], **log)) == ["123", "9007199254740993"]
    assert ids(parquet(shop.data / "s.parquet", customer_id=["00123", "0"], **log)) == ["00123", "0"]


def test_ids_that_look_like_something_else_survive(shop):
    odd = ["#5", "NULL", "NA", "null", "nan", " x", "x ", "Zoë", "客", "1e3", "true", "-", "\\N", "'q'", '5" pipe']
    text = LOG + "".join(f"{name},2024-01-{day:02d},1\n" for day, name in enumerate(odd, 1))
    assert ids(shop.write("log.csv", text)) == odd


@QUICK
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), min_size=1))
def test_any_quoted_text_survives_a_csv(tmp_path_factory, texts):
    place = tmp_path_factory.mktemp("any") / "log.csv"
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL).writerows([("n", "text"), *enumerate(texts, 1)])
    place.write_text(written.getvalue(), "utf-8", newline="")
    raw, faults, _described = sources.read(place, Entry(path="log.csv"), "log.csv")
    found = raw.order_by(sources.ROW).to_pyarrow().to_pylist()
    assert not faults
    assert [line["text"] or "" for line in found] == texts
    assert [line["n"] for line in found] == [str(line[sources.ROW]) for line in found]


def test_quoted_delimiters_quotes_and_newlines_belong_to_their_field(shop):
    text = LOG + '"a,b",2024-01-01,1\n"say ""hi""",2024-01-02,1\n"two\nlines",2024-01-03,1\nc,2024-01-04,1\n'
    assert ids(shop.write("log.csv", text)) == ["a,b", 'say "hi"', "two\nlines", "c"]
    text = '"customer_id";"a note,\nof, two, lines";time;amount\n00123;x;2024-01-01;1\n'
    assert ids(shop.write("headed.csv", text)) == ["00123"]
    text = '"a, note, of, commas";"customer_id";time;amount\nx;00123;2024-01-01;1\n'
    assert ids(shop.write("commas.csv", text)) == ["00123"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_on_any_machine(shop, end):
    assert ids(shop.write("log.csv", (LOG + "a,2024-01-01,1\n\nb,2024-01-02,1").replace("\n", end))) == ["a", "b"]


def test_mixed_line_ends_are_refused(shop):
    assert "mixed line ends" in refused(shop.write("log.csv", "customer_id,time,amount\r\na,2024-01-01,1\n"))[0]


@pytest.mark.parametrize(("encoding", "stated"), [("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("latin-1", "latin-1")])
@pytest.mark.parametrize("header", [LOG, ""])
def test_encodings_are_read_as_stated_with_or_without_a_byte_order_mark(shop, encoding, stated, header):
    fields = {} if header else {"header": ["customer_id", "time", "amount"]}
    data = shop.entry((header + "Zoë,2024-01-01,1\n").encode(encoding), encoding=repr(stated), **fields)
    assert ids(data) == ["Zoë"]


def test_windows_1252_beyond_latin_1_is_refused_as_latin_1(shop):
    (breach,) = refused(shop.entry((LOG + "Zoë €,2024-01-01,1\n").encode("cp1252"), encoding="'latin-1'"))
    assert breach.startswith("log.csv: text is not latin-1 in 1 line (first: line 2); state its encoding")


@pytest.mark.parametrize("before", [0, 40_000])
def test_a_wrong_encoding_is_refused_near_the_head_and_deep_in_the_file(shop, before):
    content = (LOG + rows(before) + "Zoë,2024-01-01,1\n").encode("latin-1")
    (breach,) = refused(shop.entry(content, encoding="'utf-8'"))
    assert breach == (
        f"log.csv: text is not utf-8 in 1 line (first: line {before + 2:,}); state its encoding in data/catalog.toml, "
        "such as encoding = 'cp1252', or none, so that it is looked for"
    )


def test_a_file_without_header_is_named_by_the_catalog_after_lines_to_skip(shop):
    text = "made by the till\non Monday\n00123;2024-01-01;1,50\n"
    data = shop.entry(text, header=["customer_id", "time", "amount"], skip=2, decimal="','")
    assert catalog.orders(data).table.amount.execute().astype(float).tolist() == [1.5]


def test_fields_parted_by_blanks_are_named_by_the_catalog(shop):
    fields = {"format": "'whitespace'", "header": ["customer_id", "time", "amount"], "skip": 1}
    text = "id  when\n  001 2024-01-01   1.5\n\n#2\t2024-01-02 2 \n"
    assert ids(shop.entry(text, "log.txt", **fields)) == ["001", "#2"]
    (breach,) = refused(shop.entry("id when\n1 2024-01-01 1\n\n2 2024-01-02\n3 2024-01-02 4 5\n", "log.txt", **fields))
    assert "there are more or fewer than 3 fields in 2 lines (first: line 4; line 5)" in breach


def test_the_unnamed_column_of_an_index_does_no_harm(shop):
    assert ids(shop.write("log.csv", ",customer_id,time,amount,\n0,00123,2024-01-01,1,\n")) == ["00123"]


@pytest.mark.parametrize("header", ["customer_id,time,amount,amount", "customer_id,time,Amount,amount"])
def test_a_name_twice_in_the_header_is_refused(shop, header):
    (breach,) = refused(shop.write("log.csv", f"{header}\n1,2024-01-01,3,4\n"))
    assert "'amount' more than once; rename all but one" in breach


def test_columns_named_like_our_own_are_the_users(shop):
    text = "customer_id,time,amount,row,raw_time,order_day,Row_2\n1,2024-01-01,-3,9,9,9,9\n"
    assert "(first: row 1 '-3')" in refused(shop.write("log.csv", text))[0]
    assert "'time', 'row'" in refused(shop.write("named.csv", "time,row\n1,9\n"))[0]


@pytest.mark.parametrize(("content", "says"), [("", "the file is empty"), ("\n\n", "header should be is empty")])
def test_a_file_without_a_header_line_is_refused(shop, content, says):
    assert says in refused(shop.write("log.csv", content))[0]


def test_ragged_lines_are_counted_and_shown_however_deep(shop):
    text = LOG + rows(299_999) + "a,2024-01-01\n" + rows(10) + "a,2024-01-01,1,1\n" * 7 + rows(1)
    (breach,) = refused(shop.write("log.csv", text))
    deep = "; ".join(f"line {n:,}" for n in (300_001, *range(300_012, 300_016)))
    assert breach == (
        f"log.csv: there are more or fewer than 3 fields in 8 lines (first: {deep}); correct their delimiters or quotes"
    )


def test_faults_of_lines_and_of_columns_are_told_together(shop):
    text = "customer,time,amount\na,2024-01-01\nb,2024-01-01,1\n" + '"c,2024-01-01,1\n' + rows(1)
    ragged, quote, missing = refused(shop.write("log.csv", text))
    assert "more or fewer than 3 fields in 1 line (first: line 2)" in ragged
    assert "a quote is left open, or not doubled, in 1 line (first: line 4)" in quote
    assert "no column 'customer_id'" in missing


def test_an_endless_line_is_refused(shop):
    (breach,) = refused(shop.write("log.csv", LOG + "x" * 2_100_000 + ",2024-01-01,1\n"))
    assert "a field runs on for 2,000,000 bytes in 1 line (first: line 2)" in breach


def test_row_numbers_are_right_deep_in_a_large_csv(shop):
    text = LOG + rows(299_999) + "a,soon,1\n" + rows(49_999) + ",2024-01-01,x\n" + rows(10)
    empty, unread, number = refused(shop.write("log.csv", text))
    assert "'customer_id' is empty in 1 of 350,010 rows (first: row 350,000); " in empty
    assert "'time' is not a date or time in 1 of 350,010 rows (first: row 300,000 'soon'); " in unread
    assert "'amount' is not a number in 1 of 350,010 rows (first: row 350,000 'x'); " in number


def test_row_numbers_are_right_deep_in_a_large_parquet_file(shop):
    amounts = pa.array(range(1, 300_001)).cast("float64").to_pylist()
    amounts[249_999] = -0.1 - 0.2
    data = parquet(shop.data / "log.parquet", 40_000, customer_id=["a"] * 300_000, time=[DAY] * 300_000, amount=amounts)
    assert "is negative in 1 of 300,000 rows (first: row 250,000 '-0.3'); " in refused(data)[0]


def test_a_truncated_damaged_or_mistaken_parquet_file_is_refused(shop):
    sound, n = shop.data / "log.parquet", 50_000
    parquet(sound, customer_id=[str(i * 7919 % 99991) for i in range(n)], time=[DAY] * n, amount=[1.0] * n)
    content = sound.read_bytes()
    assert ids(str(sound))[0] == "0"
    half = len(content) // 2
    damaged = content[: half - 2_000] + bytes(4_000) + content[half + 2_000 :]
    for name, bad in {"cut": content[:half], "damaged": damaged, "text": LOG.encode(), "empty": b""}.items():
        (breach,) = refused(shop.write(f"{name}.parquet", bad))
        assert breach.startswith(f"{name}.parquet: cannot be read (")
        assert str(shop.data) not in breach


def test_a_kind_of_file_we_do_not_read_is_refused_unless_its_format_is_stated(shop):
    (breach,) = refused(shop.write("log.doc", b"text"))
    kinds = ".csv, .txt, .tsv, .parquet, .xlsx, .xlsm, .dta, .sav, .zsav, .gz, .zip"
    assert f"this kind of file is not read, only {kinds}; save it as one of these" in breach
    assert ids(shop.entry(LOG + "00123,2024-01-01,1\n", "log.dat", format="'csv'")) == ["00123"]
    assert ids(shop.write("LOG.CSV", LOG + "00123,2024-01-01,1\n")) == ["00123"]


def test_a_folder_of_csv_files_is_one_log_whose_rows_are_told_by_file(shop):
    shop.write("sales/2024/b.csv", LOG + "b,2024-02-01,1\nb,soon,1\n")
    shop.write("sales/1.csv", LOG + "00123,2024-01-01,1\nc,2024-03-01,1\n")
    shop.write("sales/.ipynb_checkpoints/1-checkpoint.csv", "not,part,of,it\n")
    (breach,) = refused(str(shop.data / "sales"))
    assert "'time' is not a date or time in 1 of 4 rows (first: 2024/b.csv row 2 'soon')" in breach
    shop.write("sales/2024/b.csv", LOG + "b,2024-02-01,1\n\nb,2024-02-02\n")
    assert "(first: 2024/b.csv line 4)" in refused(str(shop.data / "sales"))[0]
    shop.write("sales/2024/b.csv", LOG + "b,2024-02-01,1\n")
    assert ids(str(shop.data / "sales")) == ["00123", "b", "c"]


def test_csv_files_of_a_folder_must_share_their_header(shop):
    shop.write("sales/a.csv", LOG + "a,2024-01-01,1\n")
    shop.write("sales/b.csv", "amount,time,customer_id\n1,2024-01-01,2\n")
    assert "the header of a.csv is not that of 1 of 2 files (first: b.csv)" in refused(str(shop.data / "sales"))[0]


def test_parquet_files_of_a_folder_need_not_agree_on_types(shop):
    folder = shop.data / "sales"
    folder.mkdir()
    parquet(folder / "a.parquet", customer_id=[1], time=[DAY], amount=[5])
    parquet(folder / "b.parquet", customer_id=["002"], amount=[5.25], time=[DAY + pd.Timedelta(days=1)])
    log = catalog.orders(str(folder)).table.order_by("time").execute()
    assert log.customer_id.tolist() == ["1", "002"]
    assert log.amount.astype(str).tolist() == ["5.0000", "5.2500"]
    parquet(folder / "c.parquet", customer_id=["3", ""], amount=[1.0, 1.0], time=[DAY, DAY])
    assert "(first: c.parquet row 2)" in refused(str(folder))[0]


def test_a_folder_of_nothing_or_of_both_kinds_is_refused(shop):
    (shop.data / "sales").mkdir()
    assert "the folder holds no .csv, .txt, .tsv, .parquet, .xlsx," in refused(str(shop.data / "sales"))[0]
    shop.write("sales/a.csv", LOG)
    shop.write("sales/b.parquet", b"")
    assert "both CSV and Parquet" in refused(str(shop.data / "sales"))[0]


def on_duckdb(shop, query, **fields):
    """The data set "live": a view in a database file, on an engine of its own."""
    place = shop.data / "shop.db"
    with duckdb.connect(str(place)) as database:
        database.execute(f"CREATE VIEW sales AS {query}")
    fields = {"uri": repr(f"duckdb://{place}"), "table": "'sales'", **fields}
    shop.catalog("[live]\n" + "".join(f"{k} = {v}\n" for k, v in fields.items()))
    return "live"


def test_a_table_on_another_engine_is_validated(shop):
    query = "SELECT '00123' AS client, TIMESTAMP '2024-01-01 10:00' AS time, 2.5::DECIMAL(9, 2) AS amount, 7 AS row"
    log = catalog.check(on_duckdb(shop, query, columns="{ customer_id = 'client' }"))
    assert log.table.customer_id.execute().tolist() == ["00123"]
    assert log.findings.counts["spend"] == 2.5


def test_breaches_on_another_engine_name_customers_instead_of_rows(shop):
    rows = "('c7', DATE '2024-01-01', -1.5), ('c2', NULL, 1), ('c1', NULL, -1)"
    query = f"SELECT * FROM (VALUES {rows}) t(client, time, amount)"
    empty, negative = refused(on_duckdb(shop, query, columns="{ customer_id = 'client' }"))
    assert "live: 'time' is empty in 2 of 3 rows (first: customer c-82d39fc1; customer c-34055e6d); " in empty
    assert (
        "live: 'amount' is negative in 2 of 3 rows (first: customer c-82d39fc1 '-1.0'; customer c-fa03a528 '-1.5'); "
        in negative
    )


def test_what_an_engine_cannot_read_is_refused(shop):
    query = "SELECT 'a' AS customer_id, DATE '2024-01-01' AS time, error('the disk is gone')::INT AS amount"
    (breach,) = refused(on_duckdb(shop, query))
    assert breach.startswith("live: cannot be read (the disk is gone); ")


def test_an_engine_or_table_that_is_not_there_is_refused(shop, monkeypatch):
    monkeypatch.setenv("PASSWORD", "hunter2")
    shop.catalog("[live]\nuri = 'nosuch://me:${PASSWORD}@host'\ntable = 'sales'\n")
    assert refused("live") == (
        "live (nosuch://host): no connection, as Ibis knows no engine 'nosuch'; correct the uri",
    )
    on_duckdb(shop, "SELECT 1 AS x", table="'sale'")
    (breach,) = refused("live")
    assert breach.startswith("live (duckdb:///")
    assert breach.endswith("shop.db): no table 'sale' (there: sales); did you mean 'sales'?")


@pytest.mark.parametrize("unit", ["ns", "us", "ms"])
def test_times_of_parquet_with_an_offset_are_read_by_any_unit(shop, unit):
    path = shop.data / "log.parquet"
    late = pa.array([1_704_497_400_000_000_000], pa.timestamp("ns")).cast(pa.timestamp(unit, "UTC"))  # 5 January, 23:30
    pq.write_table(pa.table({"customer_id": ["a"], "time": late, "amount": [1.0]}), path)
    assert str(catalog.orders(str(path), time_zone="Europe/Berlin").findings.first) == "2024-01-06"
    assert "carries an offset from UTC" in refused(str(path))[0]
