"""How long customers with a contract have kept it, counted in whole periods: what every model of retention reads."""

import ibis
import pandas as pd
from ibis import _

from crmlab.contracts import InputError
from crmlab.days import day_literal
from crmlab.lifecycle.tables.cohorts import MONTHS, check_every

ALL, NONE = "all", "no group"  # where the table has no groups, and where a row has none


def contract_durations(table, end, every="month"):
    """`subscription_durations` of a table of the SUBSCRIPTIONS contract, `retention_durations` of one of RETENTION.

    Raises InputError where no contract was seen for a whole period, as nothing is known of renewals then.
    """
    found = retention_durations(table) if "period" in table.columns else subscription_durations(table, end, every)
    if found.renewals.any() or found.churned.any():
        return found
    until = f"by {end} no contract was seen for a whole {every}" if "start" in table.columns else "it has period 0 only"
    raise InputError(f"{until}, so that nothing is known of renewals; choose a shorter period or take later data")


def subscription_durations(subscriptions, end, every="month"):
    """How many customers have kept their contract for how many whole periods, as known on `end`: a frame.

    subscriptions : rows of the SUBSCRIPTIONS contract: customer_id, start, end (null while active), group if there is
                    one; contracts that start after `end` are not seen, nor is an end after it
    end           : date, or its ISO text
    every         : length of a period, counted from each contract's own start: "week", "month", "quarter" or "year"
    returns       : sorted by group, renewals, churned
        group      text; "all" where the table has no groups
        renewals   whole periods kept: renewals survived, count
        churned    whether the contract was lost at the next renewal, rather than still held when last seen
        customers  count
    A contract that ended within a period which is not over by `end` counts as held so far, as those who will keep it
    cannot be told yet. An end on a renewal's day is a loss at that renewal. Raises InputError where nothing is left.
    """
    _refuse_orders(subscriptions)
    check_every(every)
    day = day_literal(end)
    group = subscriptions.group.fill_null(NONE) if "group" in subscriptions.columns else ibis.literal(ALL)
    contracts = subscriptions.select(group=group, start=_.start.cast("date"), ended_on=_.end.cast("date"))
    contracts = contracts.filter(contracts.start <= day)
    seen, lasted = (
        _whole(contracts.start, day, every),
        _whole(contracts.start, contracts.ended_on, every, reached=False),
    )
    kept = contracts.ended_on.notnull().ifelse(lasted, seen)  # as greatest() passes over nulls
    # no more than this on the engine: Spark's planner does not end where keys are built on one another
    counts = contracts.group_by("group", seen=seen, kept=kept).aggregate(customers=_.count()).execute()
    counts = counts.assign(renewals=counts[["seen", "kept"]].min(axis=1).astype(int), churned=counts.kept < counts.seen)
    found = counts.groupby(["group", "renewals", "churned"], as_index=False).customers.sum()
    if found.empty:
        raise InputError(f"subscriptions: none of them starts by {end}; choose a later end")
    return found


def retention_durations(retention):
    """How many customers of each group kept their contract for how many periods: as `subscription_durations`.

    retention : table or frame of the RETENTION contract: group, period, customers that survived so many renewals
    Raises InputError where a group's periods have gaps, as it is then unknown when customers left.
    """
    frame = retention if isinstance(retention, pd.DataFrame) else retention.execute()
    frame = frame.sort_values(["group", "period"]).reset_index(drop=True)
    by = frame.groupby("group")
    incomplete = frame[frame.period != by.cumcount()]
    if len(incomplete):
        raise InputError(
            f"retention: periods of {incomplete.group.nunique():,} groups do not run 0, 1, 2 … (first: group "
            f"{incomplete.group.iloc[0]!r}, period {incomplete.period.iloc[0]}); give every period from 0 on"
        )
    following = by.customers.shift(-1)
    churned = following.notna()
    found = frame.assign(
        renewals=frame.period.astype(int),
        churned=churned,
        customers=(frame.customers - following.where(churned, 0)).astype(int),
    )
    return found.loc[found.customers > 0, ["group", "renewals", "churned", "customers"]].reset_index(drop=True)


def _whole(start, day, every, reached=True):
    """Whole periods from `start` to `day`, count; without `reached`, those that were over before it."""
    if every == "week":
        return ibis.greatest(day.delta(start, unit="day") - (0 if reached else 1), 0) // 7
    months = (day.year() - start.year()) * 12 + day.month() - start.month()
    short = day.day() < start.day() if reached else day.day() <= start.day()
    return ibis.greatest(months - short.cast("int64"), 0) // MONTHS[every]


def _refuse_orders(table):
    if "start" in table.columns:
        return
    raise InputError(
        "a survival curve needs SUBSCRIPTIONS (customer_id, start, end), in which a goodbye is seen; this table has "
        f"{', '.join(table.columns)}. Customers without a contract leave unseen, so that nobody knows when: use the "
        "P(alive) curve of a CLV model (p_alive_curve) and the cohort triangle"
    )
