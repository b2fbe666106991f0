"""How tables are shown: numbers as one reads them, values escaped, customers masked."""

from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pytest

from crmlab.display import mask, show
from crmlab.estimate import number
from crmlab.exported import write_table

HOSTILE = '<script>alert("x")</script> & "quoted"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.24259452, "0.2426"),
        (30.895214, "30.90"),
        (-14363.5304, "-14,364"),
        (1234.5678, "1,235"),
        (0.0012345678, "0.001235"),
        (0.00021378, "0.00021"),
        (1.23456789e-7, "1.2e-07"),
        (0.0, "0"),
        (7.0, "7"),
        (1e22, "1.000e+22"),
        (2357, "2,357"),
        (np.int64(69659), "69,659"),
        (np.float64(1 / 3), "0.3333"),
        (True, "True"),
        (None, ""),
        (float("nan"), ""),
        ("00123", "00123"),
    ],
)
def test_a_number_is_text_in_four_significant_figures_and_never_cuts_its_whole_part(value, text):
    assert number(value) == text


def test_hostile_text_is_shown_as_text():
    page = show(pd.DataFrame({HOSTILE: [HOSTILE]}))._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_customers_are_masked_wherever_they_stand(monkeypatch):
    column = pd.DataFrame({"customer_id": ["00123", "00007"], "orders": [1, 2]})
    for frame in (column, column.set_index("customer_id")):
        for text in (repr(show(frame)), show(frame)._repr_html_()):
            assert "00123" not in text
            assert mask("00123") in text
    before = mask("00123")
    monkeypatch.setenv("CRMLAB_MASK_KEY", "another")
    assert mask("00123") != before
    assert mask("00123") != mask("00007")


def test_a_shown_frame_is_rounded_and_left_alone():
    frame = pd.DataFrame({"mean_spend": [35.17037], "when": [pd.Timestamp("2024-01-31")]}, index=["first"])
    kept = frame.copy()
    assert repr(show(frame)).split() == ["mean", "spend", "when", "first", "35.17", "2024-01-31"]
    pd.testing.assert_frame_equal(frame, kept)


def test_an_index_that_only_counts_is_not_shown():
    assert repr(show(pd.DataFrame({"a": [5.5]}))).split() == ["a", "5.50"]


@pytest.mark.parametrize(
    ("name", "values", "cells"),
    [
        ("x", [14.96, 147.2, 0.0, np.nan], ["14.96", "147.20", "0.00", ""]),  # amounts: two decimals
        ("x", [0.2426, 30.9], ["0.243", "30.900"]),  # three figures of the smallest
        ("x", [0.0002, 30.9], ["0.00020", "30.90"]),  # too far from each other: each by itself
        ("x", [7.0, 2.0], ["7", "2"]),
        ("x", [1234.5, 20001.2], ["1,234", "20,001"]),
        ("x", [0.00021, 0.0005], ["0.00021", "0.00050"]),
        ("x", [np.inf, 1.5], ["inf", "1.500"]),
        ("x", [True, False], ["yes", "no"]),
        ("x", [Decimal("29.33"), Decimal("147.2")], ["29.33", "147.20"]),
        ("x", [Decimal(7), Decimal(2)], ["7", "2"]),
        ("x", [Decimal("7.5"), "none", None], ["7.500", "none", ""]),
        ("x", pd.array([0.25, pd.NA], dtype="Float64"), ["0.250", ""]),
        ("p", [0.0004, 0.25], ["< .001", ".250"]),
        ("share", [0.00339, 0.5], ["0.34 %", "50.0 %"]),
        ("lost_customers", [939.8], ["940"]),
        ("p_alive", [0.00001, 0.25], ["< 0.001", "0.250"]),
    ],
)
def test_numbers_of_a_column_are_written_alike_by_its_kind(name, values, cells):
    assert show(pd.DataFrame({name: values})).frame.iloc[:, 0].tolist() == cells


def test_a_kind_that_a_frame_states_goes_before_that_of_a_name():
    frame = pd.DataFrame({"p": [12.3]})
    frame.attrs["kinds"] = {"p": "money"}
    assert show(frame).frame.iloc[0, 0] == "12.30"


def test_text_that_a_spreadsheet_takes_for_a_formula_is_written_as_text(tmp_path):
    cells = ['=HYPERLINK("http://x")', "+1+2", "-5", "@SUM(A1)", "a=1", "-", None, "-1.5e3"]
    frame = pd.DataFrame({"customer_id": cells, "=1+2": range(8)})
    write_table(frame, tmp_path / "frame.csv")
    write_table(ibis.memtable(frame), tmp_path / "lazy.csv")
    write_table(frame.set_index("customer_id"), tmp_path / "index.csv")
    written = ['\'=HYPERLINK("http://x")', "'+1+2", "-5", "'@SUM(A1)", "a=1", "'-", "", "-1.5e3"]
    for name in ("frame", "lazy", "index"):
        read = pd.read_csv(tmp_path / f"{name}.csv", dtype=str, keep_default_na=False)
        assert read.customer_id.tolist() == written, name
        assert read.iloc[:, 1].tolist() == list("01234567")
    assert pd.read_csv(tmp_path / "frame.csv").columns[1] == "'=1+2"
    assert frame.customer_id.tolist()[:2] == cells[:2]
