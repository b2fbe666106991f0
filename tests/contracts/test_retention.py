"""Retention: what is accepted, and what is said."""

from ..conftest import table
from .conftest import refused, rows, validated


def retention(customers, period=None, **columns):
    return table(period=period or [*map(str, range(len(customers)))], customers=customers, **columns)


def test_retention_is_whole_numbers_by_group_and_period():
    raw = retention(["10", "7.0", "4", "2"], ["0", "1", "0", "1"], group=["b", "b", "a", "a"])
    assert rows("retention", raw) == [("a", 0, 4), ("a", 1, 2), ("b", 0, 10), ("b", 1, 7)]
    assert rows("retention", retention(["3", "3"])) == [("all", 0, 3), ("all", 1, 3)]
    counts = validated("retention", raw).counts
    assert (counts["rows"], counts["customers"], counts["groups"], counts["periods"]) == (4, 14, 2, 1)


def test_every_breach_of_retention_is_told():
    told = "\n".join(refused("retention", retention(["100", "63.1", "-1", "", "x"], ["0", "1", "2", "3", "-1"])))
    assert "'customers' is not a whole number in 2 of 5 rows (first: row 2 '63.1'; row 5 'x'); give whole n" in told
    assert "'customers' is empty in 1 of 5 rows (first: row 4); " in told
    assert "'customers' is negative in 1 of 5 rows (first: row 3 '-1'); " in told
    assert "'period' is negative in 1 of 5 rows (first: row 5 '-1'); " in told
    assert "period before" not in told, "rows are not compared before each can be read"


def test_retention_that_rises_or_leaves_periods_out_is_refused():
    raw = retention(["9", "8", "9", "5"], ["0", "1", "2", "4"])
    assert [b.replace("file: ", "") for b in refused("retention", raw)] == [
        "'period' has no row for the period before it in its group in 1 of 4 rows (first: row 4 '4'); "
        "give every period, from 0 on",
        "'customers' is more than in the period before in 1 of 4 rows (first: row 3 '9'); "
        "give those left of the customers of period 0, without new ones",
    ]
    late = retention(["9", "8", "8"], ["0", "1", "2"], group=["a", "b", "b"])
    assert "'period' has no row for the period before it in its group in 1 of 3 rows" in refused("retention", late)[0]
    twice = retention(["9", "8", "7"], ["0", "1", "1"])
    assert "'period' stands in more than one row of its group in 2 of 3 rows" in refused("retention", twice)[0]
    assert "'customers' is 0 in period 0 in 1 of 1 rows" in refused("retention", retention(["0"]))[0]
