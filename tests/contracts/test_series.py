"""Series: what is accepted, what their step is, and what is said."""

from datetime import date

import pytest

from ..conftest import table
from .conftest import refused, rows, validated


def series(time, sales=None, **columns):
    return table(time=time, sales=sales or ["1"] * len(time), **columns)


@pytest.mark.parametrize(
    ("days", "every"),
    [
        (["2024-01-01", "2024-01-02", "2024-01-03"], "day"),
        (["2024-01-01", "2024-01-08"], "week"),
        (["2024-01-31", "2024-02-29", "2024-03-31"], "month"),
        (["2024-01-01", "2024-04-01", "2024-07-01"], "quarter"),
        (["2023-06-30", "2024-06-30"], "year"),
        (["2024-01-01", "2024-03-01"], "2 months"),
        (["2024-01-01", "2024-01-15", "2024-01-29"], "14 days"),
        (["2024-01-01", "2024-01-29", "2024-02-26", "2024-03-25", "2024-04-22", "2024-05-20"], "28 days"),
        (["2024-01-01"], None),
    ],
)
def test_a_series_tells_its_own_step(days, every):
    assert validated("series", series(days)).counts["every"] == every


def test_a_series_is_days_and_sales_by_category():
    raw = series(["2024-01", "2024-02", "2024-02"], ["1", "2.5", "0"], category=["a", "a", "b"])
    assert rows("series", raw, time_format="%Y-%m") == [
        (date(2024, 1, 1), 1.0, "a"),
        (date(2024, 2, 1), 0.0, "b"),
        (date(2024, 2, 1), 2.5, "a"),
    ]
    counts = validated("series", raw, time_format="%Y-%m").counts
    assert (counts["categories"], counts["sales"], counts["last"]) == (2, 3.5, date(2024, 2, 1))


def test_a_series_with_negative_sales_and_a_gap_is_told_both():
    raw = series(["2024-01-01", "2024-02-01", "2024-04-01"], ["1", "-2", "3"])
    assert refused("series", raw) == (
        "file: 'sales' is negative in 1 of 3 rows (first: row 2 '-2'); correct them",
        "file: 'time' comes more than a month after the one before it in 1 of 3 rows (first: row 3 '2024-04-01'); "
        "give every period, with 0 where nothing was sold",
    )
    assert "more than 3 days after" in refused("series", series(["2024-01-01", "2024-01-04", "2024-01-08"]))[0]


def test_a_time_that_stands_twice_in_a_series_is_refused_unless_of_another_category():
    days = ["2024-01-01", "2024-01-01 12:00"]
    assert "'time' stands in more than one row of its category in 2 of 2 rows" in refused("series", series(days))[0]
    assert validated("series", series(days, category=["a", "b"])).counts["categories"] == 2


def test_a_series_needs_numbers():
    told = refused("series", series(["2024-01-01"] * 3, ["", "x", "1e400"]))
    assert "'sales' is empty in 1 of 3 rows (first: row 1); " in told[0]
    assert "'sales' is not a number in 2 of 3 rows (first: row 2 'x'; row 3 '1e400'); " in told[1]
