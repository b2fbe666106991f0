"""Every kind of file gives the same table, and what is none of its kind is refused with what to do."""

import gzip
import io
import zipfile

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from crmlab import catalog
from crmlab.contracts import InputError

from ..conftest import LOG, refused

TEXT = LOG + "13085,2024-01-05,1.5\n13086,2024-02-11,20\n"
ROWS = [("13085", pd.Timestamp("2024-01-05"), 1.5), ("13086", pd.Timestamp("2024-02-11"), 20.0)]
ORDERS = {"customer_id": [13085.0, 13086.0], "time": [row[1] for row in ROWS], "amount": [1.5, 20.0]}


def archive(**files):
    """The bytes of a .zip archive."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in files.items():
            written.writestr(name.replace("__", "/"), content)
    return held.getvalue()


def workbook(**sheets):
    """The bytes of a workbook; a sheet is a list of rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def sheet(*rows):
    return [["customer_id", "time", "amount"], *rows]


CELLS = sheet(*[[float(row[0]), row[1].to_pydatetime(), row[2]] for row in ROWS])


def content_of(kind, tmp_path, last=20.0):
    """The bytes of a file of two orders, the amount of the second of which is `last`."""
    frame, path = pd.DataFrame(ORDERS | {"amount": [1.5, last]}), tmp_path / f"made.{kind}"
    text, book = TEXT.replace("20\n", f"{last:g}\n"), workbook(Orders=[*CELLS[:2], [*CELLS[2][:2], last]])
    if kind == "dta":
        pyreadstat.write_dta(frame, str(path))
    elif kind in ("sav", "zsav"):
        pyreadstat.write_sav(frame, str(path), compress=kind == "zsav")
    elif kind == "parquet":
        pq.write_table(pa.table({"customer_id": [13085, 13086], "time": frame.time, "amount": frame.amount}), path)
    else:
        made = {
            "csv": text.encode(),
            "tsv": text.replace(",", "\t").encode(),
            "txt": text.replace(",", ";").encode(),
            "xlsx": book,
            "xlsm": book,
            "csv.gz": gzip.compress(text.encode()),
            "gz": gzip.compress(text.encode()),
            "tsv.gz": gzip.compress(text.replace(",", "\t").encode("utf-16")),
            "csv.zip": archive(**{"orders.csv": text, "__MACOSX__._orders.csv": b"\0", ".DS_Store": b"\0"}),
            "zip": archive(**{"part__orders.xlsx": book}),
        }
        return made[kind]
    return path.read_bytes()


KINDS = {
    "csv": ["CSV in utf-8, delimiter ','"],
    "tsv": ["CSV in utf-8, delimiter '\\t'"],
    "txt": ["CSV in utf-8, delimiter ';'"],
    "xlsx": ["Excel, sheet 'Orders'"],
    "xlsm": ["Excel, sheet 'Orders'"],
    "dta": ["Stata"],
    "sav": ["SPSS", "utf-8, as the file says"],
    "zsav": ["SPSS", "utf-8, as the file says"],
    "parquet": [],
    "csv.gz": ["CSV in utf-8, delimiter ','"],
    "gz": ["CSV in utf-8, delimiter ','"],
    "tsv.gz": ["CSV, delimiter '\\t'", "utf-16, by its byte order mark"],
    "csv.zip": ["CSV in utf-8, delimiter ',', 'orders.csv' of an archive"],
    "zip": ["Excel, sheet 'Orders', 'part/orders.xlsx' of an archive"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_same_orders(shop, tmp_path, kind):
    log = catalog.orders(shop.write(f"log.{kind}", content_of(kind, tmp_path)))
    table = log.table.order_by("time").execute()
    assert [*zip(table.customer_id, table.time, table.amount.astype(float), strict=True)] == ROWS
    found = log.summary.found
    assert [found[name] for name in ("file", "encoding") if name in found] == KINDS[kind]


@pytest.mark.parametrize("kind", ["csv.gz", "csv.zip", "xlsx", "zip", "dta", "sav", "parquet"])
def test_files_of_any_kind_in_a_folder_are_one_log_whose_rows_are_known_by_file(shop, tmp_path, kind):
    shop.write(f"sales/a.{kind}", content_of(kind, tmp_path))
    shop.write(f"sales/2024/b.{kind}", content_of(kind, tmp_path))
    shop.write(f"sales/.c.{kind}", b"hidden")
    shop.write(f"sales/~$a.{kind}", b"what Excel leaves beside a file that is open")
    folder = str(shop.data / "sales")
    assert catalog.orders(folder).table.count().execute() == 4
    before = catalog.fingerprint(folder)
    shop.write(f"sales/2024/b.{kind}", content_of(kind, tmp_path, -20.0))
    assert f"'amount' is negative in 1 of 4 rows (first: 2024/b.{kind} row 2 '-20" in refused(folder)[0]
    assert catalog.fingerprint(folder) != before


def test_plain_and_packed_text_files_of_any_encoding_are_one_log(shop):
    shop.write("sales/a.csv", LOG + "Zoë,2024-01-01,1\n")
    shop.write("sales/b.csv.gz", gzip.compress((LOG + "Zoé,2024-01-02,1\n").encode("cp1252")))
    shop.write("sales/c.zip", archive(**{"c.csv": LOG + "ü,2024-01-03,1\n"}))
    log = catalog.orders(str(shop.data / "sales"))
    assert log.table.order_by("time").customer_id.execute().tolist() == ["Zoë", "Zoé", "ü"]
    assert log.summary.found["encoding"] == "utf-8; cp1252, found: all candidates read the columns used alike"
    shop.write("sales/c.zip", archive(**{"c.csv": LOG + "ü,2024-01-03,1\nü,soon,1\n"}))
    assert "(first: c.zip row 2 'soon')" in refused(str(shop.data / "sales"))[0]


def test_a_folder_of_several_kinds_is_refused(shop):
    for name in ("a.csv", "b.parquet", "c.dta"):
        shop.write(f"sales/{name}", LOG)
    (breach,) = refused(str(shop.data / "sales"))
    assert breach == "sales: the folder holds both CSV, Parquet and Stata files; keep one kind"


def test_ids_of_cells_are_text_and_rows_are_numbered_as_they_lie_in_the_sheet(shop):
    day = pd.Timestamp("2024-01-05").to_pydatetime()
    rows = sheet(
        [13085.0, day, 1], [None, None, None], ["00123", day, 2], [7.5, day, 3], ["", day, 4], [None, None, ""]
    )
    (breach,) = refused(shop.write("log.xlsx", workbook(Orders=rows)))
    assert "'customer_id' is empty in 1 of 4 rows (first: row 5)" in breach
    log = catalog.orders(shop.write("log.xlsx", workbook(Orders=rows[:5])))
    assert log.table.order_by("amount").customer_id.execute().tolist() == ["13085", "00123", "7.5"]
    assert log.summary.found["blank rows left out"] == "1"


def test_cells_of_numbers_and_text_in_one_column_are_read_by_the_decimal_mark(shop):
    rows = sheet(["a", "2024-01-05", 1.5], ["a", "2024-01-06", "2,25"])
    path = shop.write("log.xlsx", workbook(Orders=rows))
    assert catalog.orders(path, decimal=",").table.amount.sum().execute() == pytest.approx(3.75, abs=0)


def test_a_formula_is_the_value_that_was_last_computed(shop):
    content = workbook(Orders=sheet(["a", "2024-01-05", 1.5]))
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as book, zipfile.ZipFile(held, "w") as written:
        for name in book.namelist():
            part = book.read(name)
            written.writestr(name, part.replace(b"<v>1.5</v>", b"<f>1+1.75</f><v>2.75</v>"))
    assert catalog.orders(shop.write("log.xlsx", held.getvalue())).findings.counts["spend"] == 2.75


def test_a_sheet_is_chosen_by_its_name_where_several_hold_something(shop):
    content = workbook(Notes=[["about"]], Orders=CELLS, Empty=[])
    path = shop.write("log.xlsx", content)
    (breach,) = refused(path)
    assert breach == (
        "log.xlsx: 2 sheets of the workbook hold something, 'Notes', 'Orders'; name one in data/catalog.toml, as "
        "sheet = 'Notes'"
    )
    assert catalog.orders(path, sheet="Orders").findings.counts["rows"] == 2
    with pytest.raises(
        InputError, match=r"has no sheet 'orders', it has 'Notes', 'Orders', 'Empty'; did you mean 'Orders'?"
    ):
        catalog.orders(path, sheet="orders")
    with pytest.raises(InputError, match="is no workbook of Excel, so that it has no sheet 'Orders'; leave sheet out"):
        catalog.orders(shop.write("log.csv", TEXT), sheet="Orders")
    assert catalog.orders(shop.write("one.xlsx", workbook(Empty=[], Orders=CELLS))).findings.counts["rows"] == 2


def test_lines_above_the_header_of_a_sheet_are_skipped_as_stated(shop):
    path = shop.write("log.xlsx", workbook(Orders=[["Sales of 2024"], [], *CELLS]))
    assert catalog.orders(path, skip=2).findings.counts["rows"] == 2
    bare = shop.write("bare.xlsx", workbook(Orders=CELLS[1:]))
    assert catalog.orders(bare, header=("customer_id", "time", "amount")).findings.counts["rows"] == 2


def test_a_member_is_chosen_by_its_name_where_an_archive_holds_several(shop):
    path = shop.write("log.zip", archive(**{"a.csv": LOG, "orders.csv": TEXT}))
    (breach,) = refused(path)
    assert breach == "log.zip: the archive holds 2 files, 'a.csv', 'orders.csv'; name one, as member = 'a.csv'"
    assert catalog.orders(path, member="orders.csv").findings.counts["rows"] == 2
    with pytest.raises(InputError, match=r"has no member 'order.csv', it holds .*; did you mean 'orders.csv'?"):
        catalog.orders(path, member="order.csv")
    with pytest.raises(InputError, match=r"is no \.zip archive, so that it has no member 'a'; leave member out"):
        catalog.orders(shop.write("log.csv", TEXT), member="a")


def test_cells_that_a_file_declares_to_be_missing_are_empty_and_counted(shop, tmp_path):
    frame = pd.DataFrame(ORDERS | {"quantity": [1.0, 99.0]})
    pyreadstat.write_sav(frame, str(tmp_path / "log.sav"), missing_ranges={"quantity": [{"lo": 90.0, "hi": 99.0}]})
    log = catalog.orders(str(tmp_path / "log.sav"))
    assert log.table.order_by("time").quantity.execute().fillna(-1).tolist() == [1, -1]
    assert log.summary.found["cells declared missing in the file, left empty"] == "1"


def test_the_encoding_of_an_old_file_of_stata_is_found_or_asked_for(shop, tmp_path):
    path = tmp_path / "log.dta"
    frame = pd.DataFrame({"customer_id": ["XXXX"], "time": ["2024-01-05"], "amount": [1.5], "city": ["YYYY"]})
    pyreadstat.write_dta(frame, str(path), version=8)
    old = path.read_bytes()
    path.write_bytes(old.replace(b"XXXX", "서울".encode("cp949")))
    (breach,) = refused(str(path))
    assert "'cp949' reads '서울'" in breach
    assert catalog.orders(str(path), encoding="cp949").table.customer_id.execute().tolist() == ["서울"]
    path.write_bytes(old.replace(b"YYYY", "부산".encode("cp949")))
    found = catalog.orders(str(path)).summary.found["encoding"]
    assert found.endswith("found: all candidates read the columns used alike")


def changed(at, value):
    """A .zip archive of which both headers have another byte `at` a place of the local one; that of the other is +2."""
    content = bytearray(archive(**{"orders.csv": TEXT}))
    for mark, further in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        content[content.index(mark) + at + further] = value
    return bytes(content)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("log.zip", archive(), "the archive holds no file; put the file of the data into it"),
        ("log.zip", b"no zip", "cannot be read (File is not a zip file); it may be damaged or cut off"),
        ("log.zip", archive(**{"a.doc": "x"}), "this kind of file is not read, only .csv,"),
        (
            "log.csv",
            workbook(Orders=CELLS),
            "is no text, but a workbook of Excel or a zip archive; give it the ending .xlsx",
        ),
        ("log.csv", gzip.compress(b"a", mtime=0), "is no text, but compressed by gzip; give it the ending .csv.gz"),
        ("log.csv", OLE, "is no text, but an old workbook of Excel, or one with a password; give it a workbook saved"),
        ("log.csv", b"PAR1", "is no text, but Parquet; give it the ending .parquet"),
        ("log.gz", b"no gzip", "cannot be read (Not a gzipped file"),
        (
            "log.xlsx",
            TEXT.encode(),
            "cannot be read (it is no workbook of Excel, whatever its name says); save it as .xlsx",
        ),
        ("log.xlsx", b"", "cannot be read (it is no workbook of Excel, whatever its name says); save it as .xlsx"),
        ("log.xlsx", OLE, "is an old workbook of Excel (.xls); save it as .xlsx"),
        ("log.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), "is protected by a password; save it without one"),
        ("log.xls", OLE, "is an old workbook of Excel (.xls); save it as .xlsx"),
        (
            "log.xlsx",
            workbook(Orders=[], More=[]),
            "the workbook is empty, its sheets are 'Orders', 'More'; put the data",
        ),
        ("log.xlsx", workbook(Orders=sheet()), "there are no rows; a log needs at least one order"),
        ("log.xlsx", workbook(Orders=[[None, None], ["a", "b"]]), "the row where the header should be is empty"),
        ("log.xlsx", workbook(Orders=[["time", "time"], [1, 2]]), "its header names 'time' more than once"),
        ("log.csv", b"", "the file is empty; begin log.csv with the names of its columns"),
        ("log.csv", LOG.encode(), "there are no rows; a log needs at least one order"),
        (
            "log.csv",
            (LOG + 'a,2024-01-01,1\n"b,2024-01-02,1\n').encode(),
            "a quote is left open, or not doubled, in 1 line",
        ),
        (
            "log.dta",
            TEXT.encode(),
            "cannot be read (This version of the file format is not supported); it may be damaged",
        ),
        ("log.sav", TEXT.encode(), "cannot be read (Unable to read from file); it may be damaged"),
    ],
)
def test_what_is_no_such_file_is_refused_with_what_to_do(shop, name, content, says):
    (breach,) = refused(shop.write(name, content))
    assert breach.startswith(f"{name}: ")
    assert says in breach


@pytest.mark.parametrize("kind", ["csv.gz", "csv.zip", "xlsx", "dta", "sav", "zsav", "parquet"])
def test_a_file_that_is_cut_off_is_refused(shop, tmp_path, kind):
    content = content_of(kind, tmp_path)
    (breach,) = refused(shop.write(f"log.{kind}", content[: len(content) * 2 // 3]))
    assert breach.startswith(f"log.{kind}: cannot be read (")
    assert str(shop.data) not in breach
    assert "/tmp" not in breach


def test_an_archive_packed_by_a_method_that_is_not_read_is_refused(shop):
    (breach,) = refused(shop.write("log.zip", changed(8, 9)))  # Deflate64
    assert breach == "log.zip: is packed by a method that is not read; pack it anew as an ordinary .zip, or as .gz"


def test_a_damaged_lzma_archive_is_refused(shop):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_LZMA) as written:
        written.writestr("orders.csv", TEXT * 100)
    content = bytearray(held.getvalue())
    content[60:90] = b"\xff" * 30
    (breach,) = refused(shop.write("log.zip", bytes(content)))
    assert breach.startswith("log.zip: cannot be read (")
    assert breach.endswith("it may be damaged or cut off, write it anew")


def test_an_archive_with_a_password_is_refused(shop):
    (breach,) = refused(shop.write("log.zip", changed(6, 1)))  # bit 0 of the flags: encrypted
    assert breach == "log.zip: the archive is protected by a password; save it without one"


def test_messages_name_no_temporary_folder(shop):
    text = LOG + "Zoë,2024-01-01\nZoë,2024-01-01,1\n"
    (breach,) = refused(shop.write("log.csv", text.encode("cp1252")))
    assert breach.startswith("log.csv: there are more or fewer than 3 fields in 1 line (first: line 2)")
    mixed = (LOG.replace("\n", "\r\n") + "Zoë,2024-01-01,1\n").encode("cp1252")
    (breach,) = refused(shop.write("log.csv", mixed))
    assert "mixed line ends" in breach
    assert "crmlab" not in breach
    assert ".utf-8" not in breach
