"""The cohort triangle: three kinds of cell, calendar periods, and what it refuses."""

from datetime import date

import pandas as pd
import pytest

from crmlab import lifecycle
from crmlab.contracts import InputError

from .cohort_worlds import log, subscriptions

SMALL = (
    ("ann", "2024-01-10"),
    ("bob", "2024-01-31"),
    ("bob", "2024-02-01"),
    ("ann", "2024-03-05"),
    ("ann", "2024-03-09"),
    ("cat", "2024-02-15"),
    ("cat", "2024-03-10"),
)


def cells(table):
    """(cohort, period) -> (size, eligible, active, state)."""
    columns = table[["size", "eligible", "active", "state"]].itertuples(index=False)
    keys = zip(table.cohort.dt.strftime("%Y-%m-%d"), table.period, strict=True)
    return {key: tuple(None if pd.isna(v) else v for v in row) for key, row in zip(keys, columns, strict=True)}


def test_a_triangle_has_cells_observed_in_progress_and_not_yet():
    found = cells(lifecycle.cohort_triangle(log(*SMALL), "2024-03-10"))
    assert found == {
        ("2024-01-01", 0): (2, 2, 2, "observed"),
        ("2024-01-01", 1): (2, 2, 1, "observed"),
        ("2024-01-01", 2): (2, 2, 1, "in progress"),
        ("2024-02-01", 0): (1, 1, 1, "observed"),
        ("2024-02-01", 1): (1, 1, 1, "in progress"),
        ("2024-02-01", 2): (1, None, None, "not yet"),
    }


def test_a_period_is_observed_once_end_is_its_last_day():
    rows = (*SMALL, ("dan", "2024-03-30"), ("ann", "2024-03-31"))
    assert cells(lifecycle.cohort_triangle(log(*rows), "2024-03-31"))["2024-01-01", 2] == (2, 2, 1, "observed")
    assert cells(lifecycle.cohort_triangle(log(*rows), "2024-03-30"))["2024-01-01", 2] == (2, 2, 1, "in progress")


def test_a_cohort_that_is_still_being_acquired_is_in_progress_itself():
    assert cells(lifecycle.cohort_triangle(log(*SMALL), "2024-02-15"))["2024-02-01", 0] == (1, 1, 1, "in progress")


def test_what_is_unknown_is_na_and_what_is_under_way_has_no_interval():
    table = lifecycle.cohort_triangle(log(*SMALL), "2024-03-10").set_index(["cohort", "period"])
    unknown = table[table.state == "not yet"][["eligible", "active", "share", "ci_low", "ci_high"]]
    assert unknown.isna().all(axis=None)
    under_way = table[table.state == "in progress"]
    assert list(under_way.share) == [0.5, 1.0]
    assert under_way[["ci_low", "ci_high"]].isna().all(axis=None)
    assert table[table.state == "observed"].notna().all(axis=None)


@pytest.mark.parametrize(("n", "active", "ci_low", "ci_high"), [(29, 1, 0.0061, 0.1718), (20, 0, 0.0, 0.1611)])
def test_intervals_are_those_of_wilson(n, active, ci_low, ci_high):
    # Newcombe 1998, Table I, method 3
    rows = [(f"c{i}", "2024-01-10") for i in range(n)] + [(f"c{i}", "2024-02-10") for i in range(active)]
    table = lifecycle.cohort_triangle(log(*rows, ("new", "2024-03-01")), "2024-03-01").set_index("period").iloc[1]
    assert (table.eligible, table.active) == (n, active)
    assert (table.ci_low, table.ci_high) == (pytest.approx(ci_low, abs=5e-5), pytest.approx(ci_high, abs=5e-5))


def test_all_order_in_period_0_by_definition():
    table = lifecycle.cohort_triangle(log(*SMALL), "2024-03-10")
    own = table[(table.period == 0) & (table.state == "observed")]
    assert (own[["share", "ci_low", "ci_high"]] == 1).all(axis=None)


@pytest.mark.parametrize(
    ("every", "first_days", "periods"),
    [
        ("week", ["2023-12-25", "2024-01-01"], [0, 1, 14]),  # a Sunday, a Monday
        ("month", ["2023-12-01", "2024-01-01"], [0, 1, 4]),
        ("quarter", ["2023-10-01", "2024-01-01"], [0, 1, 2]),
        ("year", ["2023-01-01", "2024-01-01"], [0, 1]),
    ],
)
def test_periods_are_those_of_the_calendar(every, first_days, periods):
    rows = (("ann", "2023-12-31"), ("bob", "2024-01-01"), ("ann", "2024-01-03"), ("ann", "2024-04-07"))
    rows = (("eve", "2022-11-01"), *rows, ("bob", "2025-01-01"))
    table = lifecycle.cohort_triangle(log(*rows), "2024-12-31", every, acquired_from="2023-01-01")
    assert list(table.cohort.drop_duplicates()) == [pd.Timestamp(day) for day in first_days]
    of_ann = table[(table.cohort == first_days[0]) & (table.active > 0)]
    assert list(of_ann.period) == periods


def test_a_later_return_does_not_unplace_an_order():
    bought = (("ann", "2024-01-10"), ("ann", "2024-02-05"), ("bob", "2024-03-02"))
    returned = (("ann", "2024-02-20", "-1.00", "2024-02-05"), ("ann", "2024-03-01", "-1.00", "2024-01-10"))
    kept, undone = (lifecycle.cohort_triangle(log(*rows), "2024-03-02") for rows in (bought, (*bought, *returned)))
    pd.testing.assert_frame_equal(kept, undone)
    assert cells(undone)["2024-01-01", 1] == (1, 1, 1, "observed")


def test_a_zero_amount_is_an_order():
    rows = (("ann", "2024-01-10"), ("ann", "2024-02-05", "0.00", "2024-02-05"), ("bob", "2024-03-02"))
    assert cells(lifecycle.cohort_triangle(log(*rows), "2024-03-02"))["2024-01-01", 1][2] == 1


def test_later_rows_and_the_order_of_rows_change_nothing():
    known = [row for row in SMALL if row[1] <= "2024-03-05"]
    table = lifecycle.cohort_triangle(log(*known), "2024-03-05")
    pd.testing.assert_frame_equal(table, lifecycle.cohort_triangle(log(*SMALL), "2024-03-05"))
    pd.testing.assert_frame_equal(table, lifecycle.cohort_triangle(log(*reversed(known)), date(2024, 3, 5)))


def test_the_log_is_left_as_it_is():
    table = log(*SMALL)
    before = table.execute()
    lifecycle.cohort_triangle(table, "2024-03-10")
    pd.testing.assert_frame_equal(before, table.execute())


def test_customers_acquired_earlier_can_be_left_out():
    table = lifecycle.cohort_triangle(log(*SMALL), "2024-03-10", acquired_from="2024-01-11")
    assert cells(table)["2024-01-01", 0] == (1, 1, 1, "observed")
    assert cells(table)["2024-01-01", 2] == (1, 1, 0, "in progress")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"end": "2024-03-11"}, "after its last; choose a day"),
        ({"end": "2023-12-31"}, "before its first order; choose a day"),
        (
            {"end": "2024-01-31"},
            r"such a period \(31 days\) is longer than the log up to 2024-01-31 \(22 days\); the log runs from "
            "2024-01-10 to 2024-03-10: choose every = 'week', or an end from 2024-02-09 on",
        ),
        (  # the first quarter of 2024 has 91 days
            {"end": "2024-03-10", "every": "quarter"},
            r"\(91 days\) is longer than the log up to 2024-03-10 \(61 days\); .*: choose every = 'month', or "
            "observed_until = 2024-04-09 or later, if orders are complete to it",
        ),
        ({"end": "2024-01-12", "every": "week"}, r"\(3 days\); .*: choose an end from 2024-01-16 on"),
        ({"end": "2024-02-30"}, "end = '2024-02-30' is not a day; write it as 1997-09-30"),
        ({"end": "2024-03-10", "every": "day"}, "choose one of 'week', 'month', 'quarter', 'year'"),
        ({"end": "2024-03-10", "acquired_from": "2024-03-01"}, "no customer's first order lies from then"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_the_span(asked, message):
    with pytest.raises(InputError, match=message) as caught:
        lifecycle.cohort_triangle(log(*SMALL), **asked)
    if "day" not in asked.values() and "02-30" not in asked["end"] and "acquired_from" not in asked:
        assert "the log runs from 2024-01-10 to 2024-03-10" in str(caught.value)


def test_a_log_without_orders_is_refused():
    with pytest.raises(InputError, match="there is no order in them"):
        lifecycle.cohort_triangle(log(("ann", "2024-01-10", "-1.00", None)), "2024-01-10")


def test_contracts_are_refused_with_the_curve_to_use():
    with pytest.raises(InputError, match=r"needs TRANSACTIONS .*the end of one is observed: use the survival curve"):
        lifecycle.cohort_triangle(subscriptions(("2024-01-01", None)), "2024-03-01")


def test_what_is_no_table_is_refused():
    with pytest.raises(
        InputError, match=r"orders is of type DataFrame; give a Data, as a reader of crmlab\.catalog gives"
    ):
        lifecycle.cohort_triangle(pd.DataFrame({"customer_id": ["a"]}), "2024-03-01")
