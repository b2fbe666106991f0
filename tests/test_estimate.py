from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.estimate import Estimate, number, written


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (939.8, "count", "940"),
        (2357, "count", "2,357"),
        (0.003394, "share", "0.34 %"),
        (0.5986, "share", "59.9 %"),
        (0.9951, "share", "99.51 %"),
        (1.0, "share", "100 %"),
        (0.0, "share", "0 %"),
        (69046.2, "money", "69,046"),
        (999.994, "money", "999.99"),
        (-12.5, "money", "-12.50"),
        (204.7, "days", "205"),
        (0.0031, "p", ".003"),
        (0.00004, "p", "< .001"),
        (1.0, "p", "1"),
        (0.0004, "probability", "< 0.001"),
        (0.9999, "probability", "> 0.999"),
        (0.85, "probability", "0.850"),
        (1.0, "probability", "1"),
        (1.2345, "ratio", "1.23"),
        (12345.678, "number", "12,346"),
        (float("inf"), "money", "infinite"),
        (np.float64("nan"), "count", ""),
        (pd.NA, "count", ""),
    ],
)
def test_numbers_are_written_by_kind(value, kind, text):
    assert written(value, kind) == text


def test_an_estimate_names_each_interval():
    both = Estimate(1653.2, 1600, 1700, 1440, 1842, unit="orders", kind="count")
    assert str(both) == (
        "1,653 orders (95 % confidence interval 1,600 to 1,700; 95 % prediction interval 1,440 to 1,842)"
    )


def test_an_estimate_without_a_value_says_why_and_is_false():
    blank = Estimate(None, reason="nobody came back", unit="orders")
    assert not blank
    assert str(blank) == "blank: nobody came back"
    assert Estimate(0.0)


@pytest.mark.parametrize(
    "fields", [{"value": None}, {"value": None, "reason": "x", "ci_low": 1, "ci_high": 2}, {"value": 1, "ci_low": 0}]
)
def test_what_contradicts_itself_is_refused(fields):
    with pytest.raises(ValueError, match=r"value|interval"):
        Estimate(**fields)


def test_numpy_numbers_become_pythons_own():
    made = Estimate(np.int64(3), np.float64(1.5), np.float64(4.5), n=np.int64(7))
    assert [type(v) for v in made.as_dict().values()][:3] == [int, float, float]
    assert made.n == 7


def test_nan_is_no_value():
    with pytest.raises(ValueError, match="reason"):
        Estimate(float("nan"))


def test_number_keeps_four_figures():
    assert [number(v) for v in (1234567.8, 0.00001234, 12)] == ["1,234,568", "1.2e-05", "12"]
    assert [number(v) for v in (None, np.nan, np.float64("nan"), pd.NA, pd.NaT)] == [""] * 5
    assert [number(v) for v in (True, "text", np.int64(3), np.inf)] == ["True", "text", "3", "inf"]


def test_a_session_shows_an_estimate_as_a_report_writes_it():
    found = Estimate(978.4675314838371, 837.1, 1221.4, n=2357, unit="customers", kind="count")
    assert repr(found) == f"Estimate({found})" == "Estimate(978 customers (95 % confidence interval 837 to 1,221))"
    assert repr({"a": Estimate(None, reason="nobody came back")}) == "{'a': Estimate(blank: nobody came back)}"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.00004, "share", "< 0.01 %"),
        (-0.00004, "share", "> -0.01 %"),
        (0.99996, "share", "> 99.99 %"),
        (1.00004, "share", "> 100 %"),
        (0.0001, "share", "0.01 %"),
        (0, "share", "0 %"),
        (1, "share", "100 %"),
        (1.0004, "ratio", "1.0004"),
        (0.9996, "ratio", "0.9996"),
        (1.0, "ratio", "1"),
        (1.5, "ratio", "1.50"),
        (0.0004, "correlation", "< 0.001"),
        (-0.0004, "correlation", "> -0.001"),
        (-0.09196, "correlation", "-0.092"),
    ],
)
def test_an_end_stays_on_its_side_of_0_and_1(value, kind, text):
    assert written(value, kind) == text


def test_a_number_and_the_ends_of_its_intervals_have_equally_many_decimals():
    assert str(Estimate(1.0, 0.5, 1.5)) == "1.000 (95 % confidence interval 0.500 to 1.500)"
    assert str(Estimate(7.0, 2.0, 9.0)) == "7 (95 % confidence interval 2 to 9)"
    assert str(Estimate(0.0004, 0.0001, 30)) == "0.00040 (95 % confidence interval 0.00010 to 30)"
    assert str(Estimate(3.5, 1.0, float("inf"))) == "3.500 (95 % confidence interval 1 to infinite)"


def test_decimals_are_numbers_and_what_no_float_holds_is_refused():
    assert Estimate(Decimal("42.7500")).as_dict()["value"] == 42.75
    for value in (1j, 10**400):
        with pytest.raises(InputError, match="is no number; give numbers"):
            Estimate(value)
