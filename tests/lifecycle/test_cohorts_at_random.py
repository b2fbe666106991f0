"""What the triangle says of random logs, against a loop that counts, and however early the log is cut off."""

import calendar
from datetime import date, timedelta

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab import lifecycle

from .cohort_worlds import log

SPAN = 100
ROWS = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, SPAN)), min_size=1, max_size=14)
RANDOM = settings(max_examples=15, deadline=None, derandomize=True)


def on(day):
    return date(2023, 12, 11) + timedelta(days=day)


def ordered(rows):
    """A log of these orders and of one on the first and the last day, so that a period fits into it."""
    rows = [("first", 0), *rows, ("last", SPAN)]
    return [(customer, on(day)) for customer, day in rows]


def built(rows):
    return log(*((customer, day.isoformat()) for customer, day in rows))


def unit(day, every):
    """A period as (its last day, its number)."""
    if every == "week":
        return day + timedelta(days=6 - day.weekday()), (day.toordinal() - 1) // 7
    return date(day.year, day.month, calendar.monthrange(day.year, day.month)[1]), day.year * 12 + day.month


def counted(rows, end, every):
    """(number of cohort, period) -> (size, active, state), counted in a loop; active is None where not yet."""
    seen = [(customer, day) for customer, day in rows if day <= end]
    own = {customer: min(unit(d, every)[1] for c, d in seen if c == customer) for customer, _ in seen}
    closes, now = unit(end, every)
    found = {}
    for cohort in set(own.values()):
        members = {customer for customer, number in own.items() if number == cohort}
        for period in range(now - min(own.values()) + 1):
            active = {c for c, d in seen if c in members and unit(d, every)[1] == cohort + period}
            state = "not yet" if cohort + period > now else "observed" if cohort + period < now or end == closes else ""
            found[cohort, period] = (len(members), None if state == "not yet" else len(active), state or "in progress")
    return found


@RANDOM
@given(rows=ROWS, end=st.integers(31, SPAN), every=st.sampled_from(["week", "month"]))
def test_the_triangle_is_what_a_loop_counts(rows, end, every):
    rows = ordered(rows)
    table = lifecycle.cohort_triangle(built(rows), on(end), every)
    found = {
        (unit(line.cohort.date(), every)[1], line.period): (
            line.size,
            None if pd.isna(line.active) else line.active,
            line.state,
        )
        for line in table.itertuples()
    }
    assert found == counted(rows, on(end), every)


@RANDOM
@given(rows=ROWS, cut=st.integers(31, SPAN), every=st.sampled_from(["week", "month"]))
def test_a_log_cut_off_never_knows_more_and_what_was_observed_stays(rows, cut, every):
    rows = ordered(rows)
    known = [row for row in rows if row[1] <= on(cut)]
    end = max(day for _, day in known)
    if (end - on(0)).days < 31:
        known.append(("late", end := on(cut)))
        rows.append(("late", end))
    early = lifecycle.cohort_triangle(built(known), end, every).set_index(["cohort", "period"])
    late = lifecycle.cohort_triangle(built(rows), on(SPAN), every).set_index(["cohort", "period"])
    observed = early[early.state == "observed"]
    pd.testing.assert_frame_equal(observed, late.loc[observed.index])
    unknown = early[early.state == "not yet"]
    assert unknown[["eligible", "active", "share", "ci_low", "ci_high"]].isna().all(axis=None)
    rank = {"not yet": 0, "in progress": 1, "observed": 2}
    assert (early.state.map(rank) <= late.loc[early.index].state.map(rank)).all()
