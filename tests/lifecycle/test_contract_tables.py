"""Durations of contracts: whole periods kept, who is lost when, and what is refused."""

from datetime import date, timedelta

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.contracts import CONTRACTS, InputError
from crmlab.dataset import Data, Findings
from crmlab.entry import Entry
from crmlab.lifecycle.tables import contracts

from .cohort_worlds import log, retention, subscriptions

END = "2024-04-30"


def kept(start, end=None, every="month", until=END):
    """(length, ended) of one contract."""
    (row,) = contracts.subscription_durations(subscriptions((start, end)), until, every).itertuples()
    return row.renewals, row.churned


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2024-01-01", None, (3, False)),
        ("2024-01-01", "2024-01-31", (0, True)),  # the last day with a contract
        ("2024-01-01", "2024-02-01", (0, True)),  # the day of the renewal: the first day without
        ("2024-01-01", "2024-02-02", (1, True)),
        ("2024-01-01", "2024-01-01", (0, True)),
        ("2024-01-01", "2024-04-20", (3, False)),  # the fourth month is not over: others may keep it or not
        ("2024-01-01", "2025-04-20", (3, False)),  # an end not seen yet
        ("2024-01-31", None, (2, False)),  # April has no 31st
        ("2024-04-30", None, (0, False)),
    ],
)
def test_a_contract_counts_its_whole_months(start, end, found):
    assert kept(start, end) == found


@pytest.mark.parametrize(
    ("every", "found"), [("week", (15, True)), ("month", (3, True)), ("quarter", (1, True)), ("year", (0, True))]
)
def test_a_contract_counts_its_periods_from_its_own_start(every, found):
    # 2024-01-10 to 2024-04-26 are 107 days: 15 weeks and 2 days
    assert kept("2024-01-10", "2024-04-26", every, "2025-01-10") == found


def test_like_customers_are_counted_together_by_group():
    rows = ("2024-01-01", None), ("2024-01-05", None), ("2024-01-01", "2024-02-10"), ("2024-01-01", None)
    table = subscriptions(*rows, ("2024-05-01", None), group=["a", "a", "a", None, "b"])
    found = contracts.subscription_durations(table, END)
    assert found.to_dict("list") == {
        "group": ["a", "a", "no group"],
        "entry": [0, 0, 0],
        "renewals": [1, 3, 3],
        "churned": [True, False, False],
        "customers": [1, 2, 1],
        "observed_until": [pd.Timestamp(END)] * 3,
    }
    assert list(contracts.subscription_durations(table.drop("group"), END).group.unique()) == ["all"]


DAYS = st.integers(0, 120)


def on(day):
    return date(2023, 11, 15) + timedelta(days=day)


def months(start, day):
    """Whole months from start to day: how many anniversaries lie up to it, by a loop."""
    count = 0
    while True:
        month = start.month - 1 + count + 1
        year, month = start.year + month // 12, month % 12 + 1
        after = (year, month, start.day)  # February 30 lies after the 29th and before March 1
        if after > (day.year, day.month, day.day):
            return count
        count += 1


@settings(max_examples=15, deadline=None, derandomize=True)
@given(rows=st.lists(st.tuples(DAYS, st.one_of(st.none(), DAYS)), min_size=1, max_size=8), end=DAYS)
def test_durations_are_what_a_loop_counts(rows, end):
    rows = [(on(s), None if d is None else on(s + d)) for s, d in [(0, None), *rows]]
    expected = []
    for start, ended in rows:
        if start <= on(end):
            seen = months(start, on(end))
            lasted = seen if ended is None or ended == start else months(start, ended - timedelta(days=1))
            lasted = 0 if ended == start else lasted
            expected.append((min(lasted, seen), lasted < seen))
    table = subscriptions(*((s.isoformat(), e and e.isoformat()) for s, e in rows))
    found = contracts.subscription_durations(table, on(end))
    assert sorted(expected) == [(row.renewals, row.churned) for row in found.itertuples() for _ in range(row.customers)]


def test_later_ends_and_the_order_of_rows_change_nothing():
    rows = [("2024-01-01", None), ("2024-01-15", "2024-03-02"), ("2024-02-01", "2024-06-01"), ("2024-05-01", None)]
    known = [(s, e if e and e <= END else None) for s, e in rows if s <= END]
    found = contracts.subscription_durations(subscriptions(*rows), END)
    pd.testing.assert_frame_equal(found, contracts.subscription_durations(subscriptions(*reversed(known)), END))


def test_durations_of_retention_are_the_losses_and_those_left():
    found = contracts.retention_durations(retention(b=[10, 10], a=[100, 63, 63, 40]))
    assert found.to_dict("list") == {
        "group": ["a", "a", "a", "b"],
        "renewals": [0, 2, 3, 1],
        "churned": [True, True, False, False],
        "customers": [37, 23, 40, 10],
    }


def test_durations_of_retention_take_a_lazy_table_and_leave_a_frame_alone():
    frame = retention(a=[10, 4])
    before = frame.copy()
    pd.testing.assert_frame_equal(
        contracts.retention_durations(ibis.memtable(frame)), contracts.retention_durations(frame)
    )
    pd.testing.assert_frame_equal(frame, before)


def test_retention_with_a_gap_is_refused():
    frame = retention(a=[10, 4, 2])
    with pytest.raises(InputError, match=r"do not run 0, 1, 2 … \(first: group 'a', period 2\)"):
        contracts.retention_durations(frame[frame.period != 1])


@pytest.mark.parametrize(
    ("table", "asked", "said"),
    [
        (subscriptions(("2024-01-01", None)), {"every": "day"}, "choose one of 'week', 'month', 'quarter', 'year'"),
        (subscriptions(("2024-06-01", None)), {}, "none of them starts by 2024-04-30; choose a later end"),
        (log(("ann", "2024-01-01")), {}, r"Customers without a contract leave unobserved.*use the P\(alive\) curve"),
    ],
)
def test_what_has_no_durations_is_refused(table, asked, said):
    with pytest.raises(InputError, match=said):
        contracts.subscription_durations(table, END, **asked)


def test_a_table_of_subscriptions_or_of_what_was_left_of_them_is_read_as_what_it_is():
    sold, left = subscriptions(("2024-01-01", None), ("2024-01-01", "2024-02-10")), retention(all=[10, 7, 5])
    assert contracts.durations(sold, END, "month").equals(contracts.subscription_durations(sold, END, "month"))
    assert contracts.durations(left).equals(contracts.retention_durations(left))


def test_the_last_day_seen_is_the_catalogs_else_the_last_in_the_data():
    sold = subscriptions(("2024-01-01", None), ("2024-01-15", "2024-03-02"))
    until_march = contracts.subscription_durations(sold, "2024-03-02")
    found = contracts.durations(sold)
    assert found.equals(until_march)
    assert contracts.censoring_note(found).startswith(
        "Contracts are observed up to 2024-03-02; those without an end are taken to run then."
    )
    assert contracts.censoring_note(contracts.durations(retention(all=[10, 7, 5]))) == ""
    found = [
        contracts.durations(
            Data(sold, CONTRACTS["subscriptions"], Findings("sold", Entry(path="x", until=until), counts))
        )
        for until, counts in ((date(2024, 4, 30), {}), (None, {"last": date(2024, 3, 2)}))
    ]
    assert found[0].equals(contracts.subscription_durations(sold, END))
    assert found[1].equals(until_march)


@pytest.mark.parametrize("given", ["fader_hardie_2007", 3, None])
def test_what_holds_no_rows_is_refused(given):
    with pytest.raises(InputError, match="is no validated data; give what"):
        contracts.durations(given)


def test_contracts_of_which_no_renewal_was_observed_are_refused():
    later = "a later until, the last day observed, if they were observed to it"
    for start, every, offers in (  # observed for 15 days, and for 4
        ("2024-04-15", "quarter", f"every = 'week', or {later}"),
        ("2024-04-15", "month", f"every = 'week', or {later}"),
        ("2024-04-26", "month", later),
        ("2024-04-26", "week", later),
    ):
        why = f"by 2024-04-30 no contract was observed for a whole {every}, so that nothing is known of renewals"
        with pytest.raises(InputError, match=f"^{why}; choose {offers}$"):
            contracts.durations(subscriptions((start, None)), END, every)
    with pytest.raises(
        InputError, match=r"^retention: of period 0 alone nothing is known of renewals; add the periods"
    ):
        contracts.durations(retention(all=[10]))
