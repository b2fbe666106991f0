"""Contracts known by the day, as whole periods: who was at risk at which renewal, and who was lost at it.

In each period the product-limit estimate by the day gives the probability to be lost. Where every contract was observed
through the period, that is a plain share. Of those observed through a part of it, running ones of an unfinished period
and those that came under observation within it, as many count as at risk as make that share of those lost.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crmlab.lifecycle.tables.cohorts import MONTHS

MIN_THROUGH = 10  # contracts observed through a period, with fewer of which those observed in part say nothing
UNCOUNTED = f"ended in a period that fewer than {MIN_THROUGH} were observed through, held so far"
MONTH = 365.25 / 12
IN_UNITS: dict[str, Mapping[str, float]] = {  # how many units of tenure a period has
    "day": {"week": 7, "month": MONTH, "quarter": 3 * MONTH, "year": 12 * MONTH},
    "month": MONTHS,
    "year": {"year": 1},
}
KEYS = ["group", "entry", "renewals", "churned"]


def whole_periods(contracts, until, observed_from, every):
    """(durations, how many contracts ended in a period that too few were observed through).

    contracts : group, start, ended (NaT where not by `until`), customers; numpy days
    """
    return _whole_periods(pd.DataFrame(_placed(contracts, until, observed_from, every)))


def whole_tenures(contracts, unit, every):
    """(durations, how many are uncounted) of contracts of which is known how long they have lasted.

    contracts : group, tenure, churned, customers; a contract that lasted so many periods and ended was lost at the
                renewal then, and one that ended at tenure 0 at the first; the longest tells which period is over
    unit      : of tenure, a key of IN_UNITS; a month is a twelfth of 365.25 days
    """
    length = IN_UNITS[unit][every]
    periods = contracts.tenure / length
    lost = np.maximum(np.ceil(periods) - 1, 0)
    renewals = lost.where(contracts.churned, np.floor(periods)).astype(int)
    over = (renewals + 1) * length <= contracts.tenure.max()
    placed = {"renewals": renewals, "leaves": periods - renewals, "over": over}
    return _whole_periods(contracts.assign(**placed, late=False, entry=0, enters=-1.0))


def _whole_periods(frame):
    """(durations, how many are uncounted) of placed contracts, group by group."""
    parts, uncounted = [], 0
    for group, rows in frame.groupby("group"):
        counted, more = _counted(rows.reset_index(drop=True))
        parts.append(counted.assign(group=group))
        uncounted += more
    found = pd.concat(parts).groupby(KEYS, as_index=False).customers.sum()
    return found[found.customers > 0].sort_values(
        ["group", "renewals", "churned", "entry"], ignore_index=True
    ), uncounted


def _placed(contracts, until, observed_from, every):
    """Where each contract's observation begins and ends: whole periods before, and the share of the next."""
    start, ended = contracts.start.to_numpy("M8[D]"), contracts.ended.to_numpy("M8[D]")
    until = np.datetime64(until)
    lost = ~np.isnat(ended)
    leaves = np.where(lost, ended, until)
    seen = _whole(start, np.full_like(start, until), every)
    renewals = np.where(lost, _whole(start, leaves, every, reached=False), seen)
    late, entry, enters = np.zeros(len(start), bool), np.zeros(len(start), int), np.full(len(start), -1.0)
    if observed_from is not None:
        since = np.full_like(start, np.datetime64(observed_from))
        late = start < since
        entry = np.where(late, _whole(start, since, every, reached=False), 0)
        enters = np.where(late, _part(start, since, entry, every, 0.5), -1.0)
    return {
        "group": contracts.group, "customers": contracts.customers, "churned": lost, "over": seen > renewals,
        "renewals": renewals, "leaves": _part(start, leaves, renewals, every), "late": late, "entry": entry,
        "enters": enters,
    }  # fmt: skip


def _counted(rows):
    """The contracts of one group by whole periods, and how many of the ended are not counted as such."""
    rows, uncounted = rows.assign(kept=rows.renewals), 0
    for period in range(1, int(rows.renewals.max()) + 2):
        last, came = rows.renewals == period - 1, rows.late & (rows.entry == period - 1)
        stayed, gone = came & (rows.renewals >= period), last & rows.churned
        through = rows.customers[~came & (rows.entry < period) & (rows.renewals >= period)].sum()
        partly = gone & (came | ~rows.over)
        rows.loc[came, "late"] = False
        enough = through + rows.customers[gone & ~partly].sum() >= MIN_THROUGH
        if not (enough and gone.any()):
            uncounted += rows.customers[partly].sum()
            rows.loc[partly, "churned"] = False
            rows.loc[stayed, "entry"] = period
            continue
        lost = rows.customers[gone].sum()
        share = _probability(rows[stayed], rows[last].assign(enters=rows.enters.where(came, -1.0)), through)
        rows, left = _moved(rows, stayed, round(lost / share) - lost - through, "entry", period, others=True)
        running = (rows.renewals == period - 1) & ~rows.churned
        rows, _ = _moved(rows, running, left, "kept", period)
    return rows.assign(renewals=rows.kept), int(uncounted)


def _probability(stayed, last, through):
    """Probability to be lost in a period by the product limit: a loss counts among those at risk on its day."""
    gone = last[last.churned]
    at, which = np.unique(gone.leaves, return_inverse=True)
    there = (
        through + _before(stayed.enters, stayed, at) + _before(last.enters, last, at) - _before(last.leaves, last, at)
    )
    return 1 - np.prod(1 - np.bincount(which, gone.customers) / there)


def _before(when, rows, at):
    """How many customers came, or left, before each time."""
    order = np.argsort(when.to_numpy())
    return np.append(0, rows.customers.to_numpy()[order].cumsum())[np.searchsorted(when.to_numpy()[order], at)]


def _moved(rows, among, count, column, value, others=False):
    """`rows`, in which the first `count` customers of `among`, or all `others` of them, get a `value`; how many remain.

    Where `count` falls within a row, that is divided.
    """
    customers = rows.customers.where(among, 0)
    first = (max(count, 0) - (customers.cumsum() - customers)).clip(0, customers)
    changed = customers - first if others else first
    kept, moved = (rows.assign(customers=part) for part in (rows.customers - changed, changed))
    both = pd.concat([kept, moved.assign(**{column: value})], ignore_index=True)
    return both[both.customers > 0].reset_index(drop=True), count - int(first.sum())


def _whole(start, day, every, reached=True):
    """Whole periods from `start` to `day`, count; without `reached`, those that were over before it."""
    if every == "week":
        return np.maximum((day - start).astype(int) - (not reached), 0) // 7
    months = (_month(day) - _month(start)).astype(int)
    short = _of_month(day) < _of_month(start) if reached else _of_month(day) <= _of_month(start)
    return np.maximum(months - short, 0) // MONTHS[every]


def _part(start, day, periods, every, before=0.0):
    """The share of a period between the last of so many since `start` and `day`, less `before` days."""
    begins, ends = _anniversary(start, periods, every), _anniversary(start, periods + 1, every)
    return ((day - begins).astype(int) - before) / (ends - begins).astype(int)


def _anniversary(start, periods, every):
    """The first day of the period after so many: that of a 31st is the 1st where a month has none."""
    if every == "week":
        return start + 7 * periods
    month = _month(start) + MONTHS[every] * periods
    return np.minimum(month.astype("M8[D]") + _of_month(start), (month + 1).astype("M8[D]"))


def _month(day):
    return day.astype("M8[M]")


def _of_month(day):
    """Days since the first of the month."""
    return (day - _month(day).astype("M8[D]")).astype(int)
