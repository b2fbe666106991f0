"""An entry of the catalog for a file: what is written, and that it is refused until all is decided."""

import datetime

import openpyxl
import pytest
from typer.testing import CliRunner

from crmlab import catalog
from crmlab.cli import app
from crmlab.contracts import InputError

HEAD = """
[{name}]
# Guessed from {file} by `crmlab new data`. Lines with the word decide and a colon are doubtful: correct each if \
need be, and remove both; until then the entry is refused.
# about = "what these data are, in a sentence"
path = "{file}"
"""
KEPT = '# mine\r\n[old]\npath = "old.csv" # decide: nothing'


def new_data(*arguments):
    """What the command prints; raises what it refuses."""
    done = CliRunner().invoke(app, ["new", "data", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def drafted(shop, file, content, name=None):
    """The entry that is written for a file, what is printed, and the lines that it is refused for until decided."""
    (shop.data / "catalog.toml").write_text(KEPT, "utf-8", newline="")
    path = shop.write(file, content) if content is not None else shop.data / file
    printed = new_data(path, *(["--name", name] if name else []))
    text = (shop.data / "catalog.toml").read_bytes().decode()
    assert text.startswith(f"{KEPT}\n")
    return text.removeprefix(f"{KEPT}\n"), printed


def lines(name):
    """The numbers of the lines that the entry is refused for."""
    with pytest.raises(InputError) as caught:
        catalog.check(name)
    assert all(breach.startswith("catalog.toml: line ") for breach in caught.value.breaches)
    return [int(breach.split()[2].rstrip(":")) for breach in caught.value.breaches]


def decided(shop, name):
    """The data, once the word is removed."""
    path = shop.data / "catalog.toml"
    path.write_text(path.read_text("utf-8").replace("decide:", ""), "utf-8")
    return catalog.check(name)


def rows(data, *columns):
    return sorted(map(tuple, data.table.select(*columns).execute().astype(str).values.tolist()))


def test_a_german_log_states_its_times_and_amounts_and_asks_about_returns(shop):
    content = "Kunde;Datum;Betrag;Bestellung\n00123;31.12.2023;1.234,50 €;7\n00123;15.01.2024;99,00 €;8\n"
    content += "00123;02.03.2024;-10,00 €;8\n"
    text, printed = drafted(shop, "bestellungen.csv", content)
    times = (
        "'Datum' (time) is not a date or time in 3 of 3 rows (first: row 1 '31.12.2023'; row 2 '15.01.2024'; row 3 "
        "'02.03.2024'); state time_format = '%d.%m.%Y', which makes '02.03.2024' 2024-03-02"
    )
    marks = (
        "'Betrag' (amount) is not a number in 3 of 3 rows (first: row 1 '1.234,50 €'; row 2 '99,00 €'; row 3 "
        "'-10,00 €'); state decimal = ',' and thousands = '.'"
    )
    returned = (
        "'Betrag' (amount) is negative in 1 of 3 rows (first: row 3 '-10,00 €'); if they are returns, state "
        "returns = 'net' or 'drop'"
    )
    assert text == HEAD.format(name="bestellungen", file="bestellungen.csv") + (
        'delimiter = ";" # found in the header\n'
        f'time_format = "%d.%m.%Y" # without it, {times}\n'
        f'decimal = "," # without it, {marks}\n'
        f'thousands = "." # without it, {marks}\n'
        f'returns = "net" # decide: without it, {returned}\n'
        "currency = \"EUR\" # amounts bear '€'\n"
        'columns.customer_id = "Kunde" # by its name\n'
        'columns.time = "Datum" # by its name\n'
        'columns.amount = "Betrag" # by its name\n'
        'columns.order_id = "Bestellung" # by its name\n'
    )
    assert f"{shop.data / 'catalog.toml'}: bestellungen is added\n{text}" in printed
    assert " spend  1,323.50 EUR\n" in printed
    assert printed.endswith(
        "1 line is to decide: correct what is wrong, and remove `decide:`; until then the entry is refused\n"
        "then: crmlab check bestellungen\nthen: crmlab run clv -p data=bestellungen\n"
    )
    assert lines("bestellungen") == [13]
    assert rows(decided(shop, "bestellungen"), "customer_id", "time", "amount") == [
        ("00123", "2023-12-31", "1234.5000"), ("00123", "2024-01-15", "99.0000"), ("00123", "2024-03-02", "-10.0000")
    ]  # fmt: skip


def test_times_that_read_in_two_ways_are_to_be_decided_and_others_are_not(shop):
    content = 'Customer ID,Order Date,Sales\nA-1,12/31/2023,"$1,234.50"\nA-1,01/02/2024,$99.00\n'
    text, _printed = drafted(shop, "us.csv", content)
    assert text == HEAD.format(name="us", file="us.csv") + (
        'delimiter = "," # found in the header\n'
        "time_format = \"%m/%d/%Y\" # without it, 'Order Date' (time) is not a date or time in 2 of 2 rows (first: "
        "row 1 '12/31/2023'; row 2 '01/02/2024'); state time_format = '%m/%d/%Y', which makes '01/02/2024' 2024-01-02\n"
        "thousands = \",\" # without it, 'Sales' (amount) is not a number in 1 of 2 rows (first: row 1 '$1,234.50'); "
        "state thousands = ','\n"
        'columns.customer_id = "Customer ID" # by its name\n'
        'columns.time = "Order Date" # by its name\n'
        'columns.amount = "Sales" # by its name\n'
    )
    assert rows(catalog.check("us"), "time", "amount") == [("2023-12-31", "1234.5000"), ("2024-01-02", "99.0000")]
    text, printed = drafted(shop, "us.csv", content.replace("12/31/2023", "03/02/2024"), "either")
    assert (
        "time_format = \"%d/%m/%Y\" # decide: without it, 'Order Date' (time) is not a date or time in 2 of 2 rows "
        "(first: row 1 '03/02/2024'; row 2 '01/02/2024'); state time_format = '%d/%m/%Y', which makes '01/02/2024' "
        "2024-02-01, or '%m/%d/%Y', which makes it 2024-01-02\n"
    ) in text
    assert "1 line is to decide" in printed
    assert lines("either") == [10]
    assert rows(decided(shop, "either"), "time") == [("2024-02-01",), ("2024-02-03",)]


def test_chinese_names_tell_the_encoding_of_a_file_of_several_possible_ones(shop):
    content = "客户编号,订单日期,金额\n甲01,2024-01-05,10.5\n甲01,2024-02-05,20\n乙02,2024-03-01,7\n"
    text, printed = drafted(shop, "订单.csv", content.encode("gb18030"))
    assert text == HEAD.format(name='"订单"', file="订单.csv") + (
        'delimiter = "," # found in the header\n'
        'encoding = "gb18030" # found: it alone reads names of columns that are known, '
        "'客户编号', '订单日期', '金额'\n"
        'columns.customer_id = "客户编号" # by its name\n'
        'columns.time = "订单日期" # by its name\n'
        'columns.amount = "金额" # by its name\n'
    )
    assert "decide" not in printed.replace("the word decide and", "")
    assert rows(catalog.check("订单"), "customer_id", "amount") == [
        ("乙02", "7.0000"), ("甲01", "10.5000"), ("甲01", "20.0000")
    ]  # fmt: skip


def test_one_of_several_sheets_is_to_be_decided(shop):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Export"
    day = datetime.datetime(2024, 1, 5)
    for row in (["Mitglied", "Kaufdatum", "Umsatz"], [101, day, 12.5], [101, datetime.datetime(2024, 2, 6), 3]):
        sheet.append(row)
    book.create_sheet("Notes").append(["by the shop"])
    book.save(shop.data / "shop.xlsx")
    text, _printed = drafted(shop, "shop.xlsx", None)
    assert text == HEAD.format(name="shop", file="shop.xlsx") + (
        "sheet = \"Export\" # decide: without it, 2 sheets of the workbook hold something, 'Export', 'Notes'; "
        "name one, as sheet = 'Export'\n"
        'columns.customer_id = "Mitglied" # by its name\n'
        'columns.time = "Kaufdatum" # by its name\n'
        'columns.amount = "Umsatz" # by its name\n'
    )
    assert lines("shop") == [9]
    assert rows(decided(shop, "shop"), "customer_id", "amount") == [("101", "12.5000"), ("101", "3.0000")]


RETAIL = (
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,Unit Price,CustomerID,Country\n"
    "536365,85123A,HOLDER,6,12/1/2010 8:26,2.55,17850,UK\n"
    "536366,71053,LANTERN,6,12/13/2010 8:28,3.39,,UK\n"
    "C536379,85123A,HOLDER,-1,12/14/2010 9:41,2.55,17850,UK\n"
)


def test_a_log_of_lines_takes_quantity_by_price_and_asks_about_missing_ids_and_returns(shop):
    text, printed = drafted(shop, "retail.csv", RETAIL)
    assert text == HEAD.format(name="retail", file="retail.csv") + (
        'delimiter = "," # found in the header\n'
        "missing_ids = \"anonymous\" # decide: without it, 'CustomerID' (customer_id) is empty in 1 of 3 rows (first: "
        "row 2); fill them, or state missing_ids = 'anonymous' or 'drop'\n"
        "time_format = \"%m/%d/%Y %H:%M\" # without it, 'InvoiceDate' (time) is not a date or time in 3 of 3 rows "
        "(first: row 1 '12/1/2010 8:26'; row 2 '12/13/2010 8:28'; row 3 '12/14/2010 9:41'); state time_format = "
        "'%m/%d/%Y %H:%M', which makes '12/1/2010 8:26' 2010-12-01 08:26\n"
        'returns = "net" # decide: without it, \'"Quantity" * "Unit Price"\' (amount) is negative in 1 of 3 rows '
        "(first: row 3 '-2.55'); if they are returns, state returns = 'net' or 'drop'\n"
        'columns.customer_id = "CustomerID" # by its name\n'
        'columns.time = "InvoiceDate" # by its name\n'
        'columns.amount = \'"Quantity" * "Unit Price"\' # no column is known for the amount of a line\n'
        'columns.order_id = "InvoiceNo" # by its name\n'
        'columns.product_id = "StockCode" # by its name\n'
        'columns.quantity = "Quantity" # by its name\n'
        "# columns not used: 'Description', 'Country'\n"
    )
    assert "2 lines are to decide" in printed
    assert lines("retail") == [10, 12]
    assert rows(decided(shop, "retail"), "order_id", "amount") == [("536365", "15.3000"), ("C536379", "-2.5500")]


def test_a_price_beside_a_quantity_may_be_that_of_the_line(shop):
    text, _printed = drafted(shop, "wann.csv", "Kunde,Wann,Preis,Menge\nA,5. Jan 2024,2,3\nB,7. Feb 2024,4,5\n")
    assert 'columns.time = "Wann" # decide: its cells read as times, those of no other\n' in text
    assert (
        "columns.amount = \"Menge * Preis\" # decide: where 'Preis' is the price of a piece; 'Preis' where it is "
        "that of the line\n"
    ) in text
    assert rows(decided(shop, "wann"), "time", "amount") == [("2024-01-05", "6.0000"), ("2024-02-07", "20.0000")]


def test_a_table_with_another_column_is_a_series_only_where_that_is_decided(shop):
    text, _ = drafted(shop, "till.csv", "Partei,Datum,Umsatz\nx,2024-01-01,10\ny,2024-01-02,12\nx,2024-01-03,11\n")
    assert (
        "contract = \"series\" # decide: times ('Datum') and sales ('Umsatz') stand in it, and no column that is known "
        "for one of customers; transactions, where another column names them\n"
    ) in text
    assert len(lines("till")) == text.count("# decide: ")


def test_a_series_has_sales_and_no_customers(shop):
    text, printed = drafted(shop, "quarters.csv", "Quarter,Umsatz\n2001-Q1,10\n2001-Q2,12\n2001-Q3,11\n")
    assert text == HEAD.format(name="quarters", file="quarters.csv") + (
        "contract = \"series\" # times ('Quarter') and sales ('Umsatz') stand in it, "
        "and no column that is known for one of customers\n"
        'delimiter = "," # found in the header\n'
        'columns.time = "Quarter" # by its name\n'
        'columns.sales = "Umsatz" # by its name\n'
    )
    assert printed.endswith("then: crmlab check quarters\nthen: crmlab run product_life_cycle -p data=quarters\n")
    assert rows(catalog.check("quarters"), "time", "sales") == [
        ("2001-01-01", "10.0"), ("2001-04-01", "12.0"), ("2001-07-01", "11.0")
    ]  # fmt: skip


def test_customers_contracts_and_products_are_known_by_their_columns(shop):
    text, _printed = drafted(
        shop, "kunden.csv", "Kundennummer,Ort,Geburtstag\n1,Köln,01.02.1990\n2,Bonn,31.12.1980\n".encode("cp1252")
    )
    assert text == HEAD.format(name="kunden", file="kunden.csv") + (
        "contract = \"customers\" # 'Kundennummer' is another in each row, and no times are known by name\n"
        'encoding = "cp1252" # found: all candidates read the columns used alike\n'
        'delimiter = "," # found in the header\n'
        'columns.customer_id = "Kundennummer" # by its name\n'
    )
    assert rows(catalog.check("kunden"), "customer_id", "Ort") == [("1", "Köln"), ("2", "Bonn")]
    text, _printed = drafted(shop, "abos.csv", "Client,From,To\nA,2020-01-01,2021-01-01\nB,2020-02-01,\n")
    assert text == HEAD.format(name="abos", file="abos.csv") + (
        'contract = "subscriptions" # customers and starts of contracts stand in it\n'
        'delimiter = "," # found in the header\n'
        'columns.customer_id = "Client" # by its name\n'
        'columns.start = "From" # by its name\n'
        'columns.end = "To" # by its name\n'
    )
    assert catalog.check("abos").findings.counts["ended"] == 1
    text, _printed = drafted(shop, "items.csv", "SKU,Warengruppe\nx,tea\ny,tea\n")
    assert 'columns.product_id = "SKU" # by its name\ncolumns.category = "Warengruppe" # by its name\n' in text
    assert catalog.check("items").contract.kind == "products"


def test_a_table_of_churn_asks_what_its_tenures_count(shop):
    content = (
        "customerID,gender,tenure,MonthlyCharges,Churn\n7590,F,1,29.85,No\n5575,M,34,56.95,No\n3668,M,2,53.85,Yes\n"
    )
    text, printed = drafted(shop, "telco.csv", content)
    assert text == HEAD.format(name="telco", file="telco.csv") + (
        "contract = \"subscriptions\" # tenures ('tenure') and whether they ended ('Churn') stand in it\n"
        'delimiter = "," # found in the header\n'
        "tenure_unit = \"month\" # decide: what 'tenure' counts: day, month or year\n"
        'columns.customer_id = "customerID" # by its name\n'
        'columns.churned = "Churn" # by its name\n'
        "# columns not used: 'gender', 'MonthlyCharges'\n"
    )
    assert printed.endswith("then: crmlab check telco\nthen: crmlab run retention -p data=telco\n")
    assert lines("telco") == [11]
    assert decided(shop, "telco").findings.counts["ended"] == 1


def test_a_file_without_known_names_asks_for_all_and_stays_refused(shop):
    text, printed = drafted(shop, "junk.csv", "a,b\nx,y\nz,w\n")
    missing = {
        "customer_id": "who bought; text, never a number",
        "time": "when, on the clock of the shop",
    }
    advice = "its columns are 'a', 'b'; rename one, or name it in data/catalog.toml"
    asked = [
        f"# columns.{name} = \"\" # decide: {meaning}; no column is known for it, name one of 'a', 'b'\n"
        for name, meaning in missing.items()
    ]
    refused = [f"junk.csv: no column {name!r} ({meaning}); {advice}" for name, meaning in missing.items()]
    assert text == HEAD.format(name="junk", file="junk.csv") + (
        'contract = "transactions" # decide: no contract is known by these columns; others are subscriptions, '
        "retention, series, customers, products, stores\n"
        + "".join(asked)
        + "# columns not used: 'a', 'b'\n"
        + "".join(f"# refused when it was written: {breach}\n" for breach in refused)
    )
    assert "".join(f"refused as it stands: {breach}\n" for breach in refused) in printed
    assert lines("junk") == [9, 10, 11]
    with pytest.raises(InputError) as caught:
        decided(shop, "junk")
    assert caught.value.breaches == tuple(refused)


@pytest.mark.parametrize(
    ("file", "content", "name", "said"),
    [
        ("empty.csv", "", None, "empty.csv: the file is empty; begin empty.csv with the names of its columns"),
        (
            "mine.csv",
            "a\n1\n",
            None,
            "mine.csv: is listed in data/catalog.toml already, as [shop]; change that entry, or remove it first; "
            "`crmlab check shop` validates it",
        ),
        (
            "other.csv",
            "a\n1\n",
            "shop",
            "shop: stands in data/catalog.toml already; give another name by --name",
        ),
        ("---.csv", "a\n1\n", "", "---.csv: its name gives none for the entry; give one by --name"),
        ("old.xls", "a\n1\n", None, "old.xls: is an old workbook of Excel (.xls); save it as .xlsx"),
    ],
)
def test_what_cannot_be_listed_leaves_the_catalog_as_it_is(shop, file, content, name, said):
    held = '[shop]\npath = "mine.csv"\n# decide: by hand\n'
    shop.catalog(held)
    path = shop.write(file, content)
    with pytest.raises(InputError) as caught:
        new_data(path, *(["--name", name] if name is not None else []))
    assert caught.value.breaches == (said,)
    assert (shop.data / "catalog.toml").read_text("utf-8") == held
    assert sorted(f.name for f in shop.data.iterdir()) == sorted(["catalog.toml", file])


def test_a_file_elsewhere_is_listed_by_its_whole_path(shop, tmp_path):
    (tmp_path / "log.2024.csv").write_text("customer_id,time\na,2024-01-05\n")
    new_data(tmp_path / "log.2024.csv")
    assert "[log_2024]\n# Guessed from log.2024.csv" in (shop.data / "catalog.toml").read_text("utf-8")
    assert f'path = "{tmp_path}/log.2024.csv"\n' in (shop.data / "catalog.toml").read_text("utf-8")
    assert rows(catalog.check("log_2024"), "customer_id") == [("a",)]


def test_only_the_entry_with_a_comment_to_decide_is_refused(shop):
    shop.write("a.csv", "customer_id,time\na,2024-01-05\n")
    entry = 'path = "a.csv"\n'
    shop.catalog(f'["one x"]\n{entry}[one.columns]\ntime = "time" # decide: x\n[two]\nabout = "# decide: no"\n{entry}')
    assert rows(catalog.check("two"), "customer_id") == [("a",)]
    with pytest.raises(InputError, match="it is to be said once where the data lie"):
        catalog.check("one")
    shop.catalog(f'["one x"]\n{entry}# decide: y\n[one]\n{entry}[one.columns]\ntime = "time" # decide: x\n')
    with pytest.raises(InputError) as caught:
        catalog.check("one")
    assert caught.value.breaches == (
        'catalog.toml: line 7: time = "time" # decide: x; correct the line if need be, and remove the word `decide:`',
    )
    assert lines("one x") == [3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "customer_id,time\na,45296\na,45300\n",
            "time_format = \"excel\" # decide: without it, 'time' is not a date or time in 2 of 2 rows (first: "
            "row 1 '45296'; row 2 '45300'); looks like Excel's serial day: 45296 is 2024-01-05; "
            "state time_format = 'excel'\n",
        ),
        (
            "customer_id,time\na,2024-01-05 23:30:00+00:00\n",
            "time_zone = \"Europe/Berlin\" # decide: without it, 'time' carries an offset from UTC in 1 of 1 rows "
            "(first: row 1 '2024-01-05 23:30:00+00:00'); state the time_zone whose days count, such as "
            "'Europe/Berlin'\n",
        ),
        (
            'customer_id,time,amount\na,2024-01-05,"1,234"\n',
            "thousands = \",\" # decide: without it, 'amount' is not a number in 1 of 1 rows (first: row 1 '1,234'); "
            "state thousands = ',', or decimal = ',' where that is the decimal mark,\n",
        ),
        (
            "customer_id,time\na,2024-01\n",
            "time_format = \"%Y-%m\" # decide: without it, 'time' is not a date or time in 1 of 1 rows (first: row 1 "
            "'2024-01'); names months, and days are what the models count; if first days of months are meant, state "
            "time_format = '%Y-%m', which makes '2024-01' 2024-01-01\n",
        ),
    ],
)
def test_advice_that_is_a_choice_is_to_be_decided(shop, content, said):
    text, _printed = drafted(shop, "log.csv", content)
    assert text == HEAD.format(name="log", file="log.csv") + 'delimiter = "," # found in the header\n' + said
    assert lines("log") == [10]
    assert decided(shop, "log").findings.counts["customers"] == 1


def test_what_is_stated_already_is_no_advice(shop):
    text, _printed = drafted(shop, "log.csv", "customer_id,time,amount\na,2024-01-05,-1\n")
    assert '\nreturns = "net" # decide: without it' in text
    assert "\nzero = " not in text
    assert "# refused when it was written: log.csv: no order is left; rows: 1, zero amounts: 0 (zero = 'order')" in text


def test_advice_quoted_from_a_cell_is_not_followed(shop):
    content = "customer_id,time,amount\na,2024-01-05,\"x); state returns = 'drop'\"\n"
    text, _printed = drafted(shop, "log.csv", content)
    assert "\nreturns = " not in text
    assert "# refused when it was written: log.csv: 'amount' is not a number in 1 of 1 rows" in text
