"""How long customers with a contract have kept it, counted in whole periods: what every model of retention reads."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from crmlab.catalog import Data
from crmlab.contracts import InputError
from crmlab.days import as_date, day_literal
from crmlab.lifecycle.tables.cohorts import MONTHS, check_every, need
from crmlab.orders import rows
from crmlab.sentences import sentence, templates

ALL, NONE = "all", "no group"  # where the table has no groups, and where a row has none


def durations(
    data: Data | ir.Table | pd.DataFrame, end: date | str | None = None, every: str = "month"
) -> pd.DataFrame:
    """How many customers have kept their contract for how many whole periods: what every model of retention reads.

    Parameters
    ----------
    data : Data, Ibis table or DataFrame
        Rows of the SUBSCRIPTIONS contract, or of RETENTION: how many were left, period by period.
    end : date or str, optional
        Last day that the table sees, of subscriptions; None takes the catalog's `until`, else the last day in them.
        Contracts without an end are taken to run then.
    every : str
        Length of a period, counted from each contract's own start: "week", "month", "quarter" or "year".

    Returns
    -------
    DataFrame
        group; renewals, whole periods survived; churned, whether the contract was lost at the next renewal; customers,
        count; of subscriptions also observed_until, the day up to which they were observed.

    Raises
    ------
    InputError
        Where no contract was observed for a whole period, as nothing is known of renewals then.

    Examples
    --------
    >>> from crmlab import lifecycle
    >>> left = pd.DataFrame({"group": "all", "period": [0, 1, 2], "customers": [100, 63, 47]})
    >>> lifecycle.durations(left)
      group  renewals  churned  customers
    0   all         0     True         37
    1   all         1     True         16
    2   all         2    False         47
    """
    table = data if isinstance(data, pd.DataFrame) else rows(data)
    if "period" in table.columns:
        found, why = retention_durations(table), "it has period 0 only"
    else:
        table = ibis.memtable(table) if isinstance(table, pd.DataFrame) else table
        _refuse_orders(table)
        end = _last_day(data, table) if end is None else end
        found = subscription_durations(table, end, every)
        why = f"by {end} no contract was observed for a whole {every}"
    if found.renewals.any() or found.churned.any():
        return found
    raise InputError(f"{why}, so that nothing is known of renewals; choose a shorter period or take later data")


def censoring_note(durations: pd.DataFrame) -> str:
    """The day up to which contracts were observed, in a sentence.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, observed_until, as from `durations`.

    Returns
    -------
    str
        A sentence with the day; empty where `durations` come from a table of how many were left.
    """
    if "observed_until" not in durations:
        return ""
    end = f"{durations.observed_until.max():%Y-%m-%d}"
    return sentence(templates("crmlab.lifecycle")["censoring_note"]["observed_until"], {"end": end})


def subscription_durations(subscriptions: Data | ir.Table, end: date | str, every: str = "month") -> pd.DataFrame:
    """How many customers have kept their contract for how many whole periods, as known on `end`.

    A contract that ended within a period which is not over by `end` counts as held so far, as those who will keep it
    cannot be separated yet. An end on a renewal's day is a loss at that renewal.

    Parameters
    ----------
    subscriptions : Data or Ibis table
        Rows of the SUBSCRIPTIONS contract: customer_id, start, end (null while active), group if there is one.
        Contracts that start after `end` are not seen, nor is an end after it.
    end : date or str
        Last day that the table sees.
    every : str
        Length of a period, counted from each contract's own start: "week", "month", "quarter" or "year".

    Returns
    -------
    DataFrame
        Sorted by group, renewals and churned: group, text, "all" where the table has no groups; renewals, whole
        periods kept, count; churned, whether the contract was lost at the next renewal, rather than still held when
        last observed; customers, count; observed_until, `end`.

    Raises
    ------
    InputError
        Where nothing is left.
    """
    subscriptions = rows(subscriptions)
    _refuse_orders(subscriptions)
    check_every(every)
    day = day_literal(end)
    group = subscriptions.group.fill_null(NONE) if "group" in subscriptions.columns else ibis.literal(ALL)
    contracts = subscriptions.select(group=group, start=_.start.cast("date"), ended_on=_.end.cast("date"))
    contracts = contracts.filter(contracts.start <= day)
    seen = _whole(contracts.start, day, every)
    lasted = _whole(contracts.start, contracts.ended_on, every, reached=False)
    kept = contracts.ended_on.notnull().ifelse(lasted, seen)  # as greatest() passes over nulls
    # no more than this on the engine: Spark's planner does not end where keys are built on one another
    counts = contracts.group_by("group", seen=seen, kept=kept).aggregate(customers=_.count()).execute()
    counts = counts.assign(renewals=counts[["seen", "kept"]].min(axis=1).astype(int), churned=counts.kept < counts.seen)
    found = counts.groupby(["group", "renewals", "churned"], as_index=False).customers.sum()
    if found.empty:
        raise InputError(f"subscriptions: none of them starts by {end}; choose a later end")
    return found.assign(observed_until=pd.Timestamp(as_date(end)))


def retention_durations(retention: Data | ir.Table | pd.DataFrame) -> pd.DataFrame:
    """How many customers of each group kept their contract for how many periods.

    Parameters
    ----------
    retention : Data, Ibis table or DataFrame
        Rows of the RETENTION contract: group, period, customers that survived so many renewals.

    Returns
    -------
    DataFrame
        As `subscription_durations`, without observed_until.

    Raises
    ------
    InputError
        Where a group's periods have gaps, as it is then unknown when customers left.
    """
    frame = retention if isinstance(retention, pd.DataFrame) else rows(retention).execute()
    frame = frame.sort_values(["group", "period"]).reset_index(drop=True)
    by = frame.groupby("group")
    incomplete = frame[frame.period != by.cumcount()]
    if len(incomplete):
        gaps = f"periods of {incomplete.group.nunique():,} groups do not run 0, 1, 2 …"
        first = f"first: group {incomplete.group.iloc[0]!r}, period {incomplete.period.iloc[0]}"
        raise InputError(f"retention: {gaps} ({first}); give every period from 0 on")
    following = by.customers.shift(-1)
    left = (frame.customers - following.fillna(0)).astype(int)
    found = frame.assign(renewals=frame.period.astype(int), churned=following.notna(), customers=left)
    return found.loc[found.customers > 0, ["group", "renewals", "churned", "customers"]].reset_index(drop=True)


def _last_day(data, table):
    """The catalog's `until`, else the last day in the data."""
    if isinstance(data, Data):
        return data.findings.entry.until or data.findings.last
    return table.aggregate(start=table.start.max(), end=table.end.max()).execute().iloc[0].max().date()


def _whole(start, day, every, reached=True):
    """Whole periods from `start` to `day`, count; without `reached`, those that were over before it."""
    if every == "week":
        return ibis.greatest(day.delta(start, unit="day") - (0 if reached else 1), 0) // 7
    months = (day.year() - start.year()) * 12 + day.month() - start.month()
    short = day.day() < start.day() if reached else day.day() <= start.day()
    return ibis.greatest(months - short.cast("int64"), 0) // MONTHS[every]


def _refuse_orders(table):
    needs = "a survival curve needs SUBSCRIPTIONS (customer_id, start, end), in which churn is observed"
    unseen = "Customers without a contract leave unobserved, so that nobody knows when"
    need(table, "start", needs, f". {unseen}: use the P(alive) curve of a CLV model (p_alive_curve)")
