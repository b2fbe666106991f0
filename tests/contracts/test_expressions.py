"""Conditions and calculations on columns: what they give, by hand, and what they refuse."""

import ibis
import pandas as pd
import pytest

from crmlab import catalog
from crmlab.contracts import InputError
from crmlab.contracts.expressions import calculation, column_names, condition

TABLE = ibis.memtable(
    pd.DataFrame(
        {
            "Country": ["UK", "DE", None, " "],
            "Quantity": ["1", "2", "3", None],
            "Unit Price": ["2.5", "1", "0", None],
            "n": [1, 2, 3, 4],
            "day": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03", None]),
            "Ordered": ["2020-01-01", "2021-01-01", "2020-05-01", None],
            "gift": [True, False, True, None],
        }
    )
)


def number(name):
    return TABLE[name].cast("float64")


def time(name):
    return TABLE[name].cast("timestamp")


def rows(value):
    return [None if pd.isna(v) else v for v in TABLE.select(v=value).to_pandas().v]


CONDITIONS = {
    "Country == 'UK'": [True, False, None, False],
    "Country = 'UK'": [True, False, None, False],
    "Country <> 'UK' AND Quantity > 1": [False, True, None, None],
    "NOT (Country IN ('UK', 'DE'))": [False, False, None, True],
    "Country NOT IN ('UK')": [False, True, None, True],
    "Country IS NULL": [False, False, True, True],
    "Country IS NOT NULL": [True, True, False, False],
    "n BETWEEN 2 AND 3": [False, True, True, False],
    "n <> 2 OR Country = 'DE'": [True, True, True, True],
    "Ordered >= '2020-05-01'": [False, True, True, None],
    "day = '2020-01-02'": [False, True, False, None],
    "Country LIKE 'U%'": [True, False, None, False],
    "Country NOT LIKE 'U%'": [False, True, None, True],
    "Quantity IN (1, 3)": [True, False, True, None],
    "-n < -2": [False, False, True, True],
    'Quantity * "Unit Price" >= 2': [True, True, False, None],
    "gift AND n > 0": [True, False, True, None],
    "gift = TRUE": [True, False, True, None],
    "Country = 'UK' -- who": [True, False, None, False],
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_condition_is_true_false_or_unknown(text):
    assert rows(condition(text, TABLE, number, time, "where")) == CONDITIONS[text]


CALCULATIONS = {
    'Quantity * "Unit Price"': [2.5, 2, 0, None],
    "n / 2": [0.5, 1, 1.5, 2],
    "-(n) * 2 + 1": [-1, -3, -5, -7],
    "Quantity": [1, 2, 3, None],
    "n - Quantity": [0, 0, 0, None],
}


@pytest.mark.parametrize("text", CALCULATIONS)
def test_a_calculation_is_a_number_a_row(text):
    assert rows(calculation(text, TABLE, number, time, "amount")) == CALCULATIONS[text]


REFUSED = {
    "": "it is empty",
    "Country = ''": "write IS NULL",
    "Country = NULL": "write IS NULL",
    "Country > 'UK'": "'UK' is no day",
    "Quantity": "it is no condition",
    "Quantity * 2": "it is no condition",
    'Quantity < "Unit Price"': "are text, which has no order",
    "1 = 1 OR n = 1": "compare with a column",
    "1 = 1": "names no column",
    "Contry = 'UK'": "did you mean 'Country'?",
    "Country = 'UK": "a quote is left open (text stands in single quotes)",
    'Country = "UK': "a quote is left open (a column's name stands in double quotes)",
    'Country = "UK"': "text stands in single quotes, as 'UK'",
    "lower(Country) = 'uk'": "calls a function",
    "CAST(n AS TEXT) = '1'": "calls a function",
    "n::text = '1'": "calls a function",
    "Country = read_text('/etc/passwd')": "calls a function",
    "CASE WHEN n = 1 THEN TRUE END": "calls a function",
    "n IN (SELECT 1)": "a query stands in it",
    "n = (SELECT 1)": "a query stands in it",
    "SELECT n": "a query stands in it",
    "n = 1; n = 2": "more than one expression",
    "n = 1; DROP TABLE t": "more than one expression",
    "n = 'x'": "are of different kinds",
    "Country || 'x' = 'a'": "is not known here",
    "n % 2 = 1": "is not known here",
    "n = $1": "is not known here",
    "x.n = 1": "x.n is not known here",
    "Unit Price = 3": "it cannot be read at sign 12",
    "n = 1e999": "too large a number",
    "n > 1 > 0": "are of different kinds",
    "gift = 'x'": "are of different kinds",
    "Country AND n = 1": "Country is no condition",
    "n LIKE '1%'": "LIKE is of a column of text",
    "(" * 3000 + "n" + ")" * 3000: "nested too deep",
    "n BETWEEN 1": "it cannot be read",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_condition_is_refused_in_words(text):
    with pytest.raises(InputError) as refused:
        condition(text, TABLE, number, time, "orders.csv: where")
    (said,) = refused.value.breaches
    assert said.startswith("orders.csv: where = ")
    assert REFUSED[text] in said
    assert len(said) < 600


@pytest.mark.parametrize("text", ["Country", "Country = 'UK'", "Quantity * Country IS NULL", "day * 2", "abs(n)", "5"])
def test_what_is_no_calculation_is_refused(text):
    with pytest.raises(InputError, match="amount = "):
        calculation(text, TABLE.drop("Country").mutate(Country=TABLE.gift), number, time, "orders.csv: amount")


def test_the_columns_of_an_expression_are_known():
    assert column_names('Quantity * "Unit Price" / (1 + n)') == ["Quantity", "Unit Price", "n"]
    assert column_names("Quantity *") == []


LINES = {
    "Client": ["a", "a", "b", "c"],
    "Ordered": ["2024-01-05", "2024-03-01", "2024-02-11", "2024-05-01"],
    "Quantity": ["1", "2", "3", "3"],
    "Price": ["2.55", "1", "-1.5", "0.1"],
    "Country": ["UK", "UK", "DE", None],
}
NAMED = {"customer_id": "Client", "time": "Ordered", "amount": "Quantity * Price", "returns": "net"}


def read(changed=None, **fields):
    return catalog.orders(pd.DataFrame(LINES | (changed or {})), **(NAMED | fields))


def test_an_amount_is_calculated_and_exact():
    found = read()
    assert found.table.order_by("time").amount.execute().map(str).tolist() == ["2.5500", "-4.5000", "2.0000", "0.3000"]
    assert found.findings.counts["rounded_amounts"] == 0  # 3 × .1 is not .3 in floating point


def test_a_calculation_runs_on_typed_columns_too():
    typed = {"Quantity": [1, 2, 3, 3], "Price": [2.55, 1, -1.5, 0.1]}
    assert read(typed).findings.counts["spend"] == read().findings.counts["spend"]


def test_cells_that_a_calculation_needs_are_held_to_be_numbers():
    with pytest.raises(InputError) as refused:
        read({"Quantity": ["1", "x", "3", ""], "Price": ["1", "1", "y", "1"]})
    assert refused.value.breaches == (
        "the table: 'Quantity' is not a number in 1 of 4 rows (first: row 2 'x'); write numbers as 1234.50 and "
        "nothing else",
        "the table: 'Price' is not a number in 1 of 4 rows (first: row 3 'y'); write numbers as 1234.50 and "
        "nothing else",
    )
    with pytest.raises(InputError, match=r"'Quantity \* Price' \(amount\) is empty in 1 of 4 rows"):
        read({"Quantity": ["1", "2", "3", ""]})


def test_a_calculation_that_cannot_be_parsed_is_said_to_be_none():
    with pytest.raises(InputError, match=r"no column 'Quantity \*' .* nor a calculation: it cannot be read at sign 10"):
        read(amount="Quantity *")
    with pytest.raises(InputError, match=r"no column 'Prize'; .* did you mean 'Price'"):
        read(amount="Quantity * Prize")


def test_a_column_of_that_very_name_goes_first():
    found = read({"Quantity * Price": ["1", "1", "1", "1"]})
    assert found.findings.counts["spend"] == 4


def test_rows_are_selected_by_a_condition_and_counted():
    found = read(where="Country = 'UK' AND Quantity < 2")
    assert found.findings.counts["rows"] == 1
    assert found.summary.found["rows left out"] == "3 of 4, by where = \"Country = 'UK' AND Quantity < 2\""
    assert found.findings.counts["left_out"] == 3
    assert found.findings.counts["left_out_unknown"] == 0  # 3 < 2 is false, whatever the country


def test_rows_of_which_a_condition_is_unknown_are_left_out_and_said():
    said = read(where="Country <> 'DE'").summary.found["rows left out"]
    assert said == "2 of 4, by where = \"Country <> 'DE'\", 1 of them as a cell that it needs is empty"


def test_cells_that_a_condition_needs_are_held_to_be_numbers():
    with pytest.raises(InputError, match=r"'Quantity' is not a number in 1 of 4 rows \(first: row 2 'x'\)"):
        read({"Quantity": ["1", "x", "3", "3"]}, where="Quantity > 1")


def test_a_condition_that_no_row_meets_is_refused():
    with pytest.raises(InputError, match=r"no row of 4 meets where = \"Country = 'FR'\""):
        read(where="Country = 'FR'")


def test_rows_keep_their_numbers_under_a_condition():
    with pytest.raises(InputError, match=r"is not a number in 1 of 3 rows \(first: row 4 'z'\)"):
        read({"Paid": ["1", "1", "1", "z"]}, amount="Paid", where="Quantity > 1")


def test_a_condition_is_added_to_that_of_the_catalog():
    whole = catalog.orders("cdnow_sample")
    part = catalog.orders("cdnow_sample", where="amount > 20")
    assert part.findings.counts["rows"] == whole.table.filter(whole.table.amount > 20).count().execute() == 4_148
    assert part.findings.entry.where == "amount > 20"
    with pytest.raises(InputError, match=r"is read as data/catalog\.toml says, not by decimal"):
        catalog.orders("cdnow_sample", where="amount > 20", decimal=",")


def test_yes_and_no_may_be_a_condition():
    people = pd.DataFrame({"customer_id": ["a", "b", "c"], "Consent": ["Y", "N", None]})
    found = catalog.customers(people, reachable="Consent = 'Y'")
    assert found.table.order_by("customer_id").reachable.execute().tolist() == [True, False, None]


def test_a_condition_on_times_holds_on_the_clock_of_the_shop(tmp_path):
    moments = pd.to_datetime(["2020-02-29 14:00", "2020-02-29 16:00", "2020-03-01 13:00"], utc=True)
    frame = pd.DataFrame({"customer_id": ["a", "b", "c"], "time": moments, "amount": [1, 2, 4]})
    frame.assign(time=frame.time.astype(str)).to_csv(tmp_path / "log.csv", index=False)
    frame.to_parquet(tmp_path / "log.parquet")
    for data in (frame, tmp_path / "log.csv", tmp_path / "log.parquet"):
        found = catalog.orders(data, time_zone="Asia/Tokyo", where="time < '2020-03-01'")
        assert found.table.customer_id.execute().tolist() == ["a"]


def test_nothing_meets_a_condition_on_a_division_by_zero():
    frame = pd.DataFrame({"customer_id": ["a", "b"], "time": "2020-01-01", "amount": [30, 30], "pieces": [0, 1]})
    found = catalog.orders(frame, where="amount / pieces > 20")
    assert (found.findings.counts["customers"], found.findings.counts["left_out_unknown"]) == (1, 1)
