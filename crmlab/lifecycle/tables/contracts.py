"""How long customers with a contract have kept it, counted in whole periods: what every model of retention reads."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from crmlab.contracts import InputError
from crmlab.contracts.subscriptions import last_day_observed
from crmlab.dataset import Data
from crmlab.days import as_date, day_literal
from crmlab.lifecycle.tables.cohorts import EVERY, check_every, need
from crmlab.lifecycle.tables.periods import MIN_THROUGH, UNCOUNTED, whole_periods
from crmlab.lifecycle.tables.tenures import has_tenures, tenure_durations
from crmlab.model import blank_of
from crmlab.orders import rows
from crmlab.sentences import sentence, templates

ALL, NONE = "all", "no group"  # where the table has no groups, and where a row has none


def durations(
    data: Data | ir.Table | pd.DataFrame,
    end: date | str | None = None,
    every: str = "month",
    observed_from: date | str | None = None,
) -> pd.DataFrame:
    """How many customers have kept their contract for how many whole periods: what every model of retention reads.

    Parameters
    ----------
    data : Data, Ibis table or DataFrame
        Rows of the SUBSCRIPTIONS contract, or of RETENTION: how many were left, period by period. Contracts given by
        tenure and churned come as Data, which know the unit of their tenure.
    end : date or str, optional
        Last day that the table sees, of subscriptions; None takes the catalog's `until`, else the last day in them that
        can have been observed. Contracts without an end are taken to run then.
    every : str
        Length of a period, counted from each contract's own start: "week", "month", "quarter" or "year".
    observed_from : date or str, optional
        First day from which the end of every contract is in subscriptions; None takes the catalog's, else the first
        start.

    Returns
    -------
    DataFrame
        group; renewals, whole periods survived; churned, whether the contract was lost at the next renewal; customers,
        count; of subscriptions also entry, renewals that came before it was observed, and observed_until, the day up to
        which they were.

    Raises
    ------
    InputError
        Where no contract was observed for a whole period, as nothing is known of renewals then; and where `end` or
        `observed_from` is given, or periods shorter than its unit, of contracts given by tenure and churned.

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
        if _knows_renewals(found := retention_durations(table)):
            return found
        raise InputError("retention: of period 0 alone nothing is known of renewals; add the periods after it")
    if has_tenures(table):
        if _knows_renewals(found := tenure_durations(data, end, every, observed_from)):
            return found
        why = f"no contract has lasted for a whole {every}, so that nothing is known of renewals"
        raise InputError(f"{data.findings.name}: {why}; choose shorter periods, or correct tenure_unit")
    table, end, observed_from = observed(data, table, end, observed_from)
    if _knows_renewals(found := subscription_durations(table, end, every, observed_from)):
        return found
    known = {each: subscription_durations(table, end, each, observed_from) for each in EVERY[: EVERY.index(every)]}
    shorter = [f"every = {each!r}" for each, durations in known.items() if _knows_renewals(durations)]
    why = f"by {end} no contract was observed for a whole {every}, so that nothing is known of renewals"
    later = "a later until, the last day observed, if they were observed to it"
    raise InputError(f"{why}; choose {', or '.join([*shorter[-1:], later])}")


def _knows_renewals(durations):
    """Whether any contract was renewed, or lost at a renewal."""
    return durations.renewals.any() or durations.churned.any()


def censoring_note(durations: pd.DataFrame) -> str:
    """The day up to which contracts were observed, and how many of the ended are not counted as lost.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, observed_until, as from `durations`.

    Returns
    -------
    str
        A few sentences; of contracts given by tenure, that no day is known. Empty where `durations` come from a table
        of how many were left.
    """
    uncounted = durations.attrs.get("contracts", {}).get(UNCOUNTED, 0)
    if "observed_until" not in durations:
        case = "tenures_some_uncounted" if uncounted else "tenures"
        values = {"uncounted": uncounted, "few": MIN_THROUGH}
        by_tenure = "contracts" in durations.attrs
        return sentence(templates("crmlab.lifecycle")["censoring_note"][case], values) if by_tenure else ""
    values = {"end": f"{durations.observed_until.max():%Y-%m-%d}", "uncounted": uncounted, "few": MIN_THROUGH}
    case = "some_uncounted" if uncounted else "observed_until"
    return sentence(templates("crmlab.lifecycle")["censoring_note"][case], values)


def contract_totals(durations: pd.DataFrame) -> pd.DataFrame:
    """What became of all contracts of a table, by what `durations` count them as: the lines add up to all of them.

    Parameters
    ----------
    durations : DataFrame
        As from `durations`.

    Returns
    -------
    DataFrame
        contracts, count, by what became of them; blank where `durations` come from a table of how many were left.
    """
    if "contracts" not in durations.attrs:
        return blank_of(pd.DataFrame, "the data count customers by period, and know no single contract")
    return pd.DataFrame({"contracts": durations.attrs["contracts"]}).rename_axis("became")


def subscription_durations(
    subscriptions: Data | ir.Table, end: date | str, every: str = "month", observed_from: date | str | None = None
) -> pd.DataFrame:
    """How many customers have kept their contract for how many whole periods, as known on `end`.

    An end on a renewal's day is a loss at that renewal. A contract that ended within a period which is not over by
    `end` is lost; of those still running in it, as many count as having renewed as make the share of those lost that of
    the product limit by the day. Where fewer than MIN_THROUGH contracts were observed through a period, those that
    ended in it before it was over count as held so far.

    Parameters
    ----------
    subscriptions : Data or Ibis table
        Rows of the SUBSCRIPTIONS contract: customer_id, start, end (null while active), group if there is one.
        Contracts that start after `end` are not seen, nor is an end after it.
    end : date or str
        Last day that the table sees.
    every : str
        Length of a period, counted from each contract's own start: "week", "month", "quarter" or "year".
    observed_from : date or str, optional
        First day from which the end of every contract is there. Contracts that ended before are left out, and earlier
        ones at risk from then on. None takes the first start.

    Returns
    -------
    DataFrame
        Sorted by group, renewals, churned and entry: group, text, "all" where the table has no groups; entry, renewals
        that came before the contract was observed; renewals, whole periods kept, count; churned, whether the contract
        was lost at the next renewal, rather than still held when last observed; customers, count; observed_until,
        `end`.

    Raises
    ------
    InputError
        Where nothing is left, or `observed_from` comes after `end`.

    References
    ----------
    Kaplan & Meier (1958), Nonparametric estimation from incomplete observations, for the product limit; Klein &
    Moeschberger (2003), Survival Analysis, 4.6, for late entry.
    """
    check_every(every)
    end, since = as_date(end, "end"), None if observed_from is None else as_date(observed_from, "observed_from")
    counts, later, before = seen_contracts(rows(subscriptions), end, since)
    if (later | before).all():
        none = f"starts by {end}" if later.all() else f"was observed from {since} to {end}"
        raise InputError(f"subscriptions: none of them {none}; choose a later end")
    found, uncounted = whole_periods(counts[~(later | before)], end, since, every)
    lost = int(found.customers[found.churned].sum())
    found.attrs["contracts"] = {
        "lost": lost,
        UNCOUNTED: uncounted,
        "held on the last day observed": int(found.customers.sum()) - lost - uncounted,
        "ended before observation began": int(counts.customers[before].sum()),
        "started after the last day observed": int(counts.customers[later].sum()),
    }
    return found.assign(observed_until=pd.Timestamp(end))


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


def observed(data, table, end, observed_from):
    """Subscriptions, and the days between which they are complete: as given, else the catalog's or their own."""
    table = ibis.memtable(table) if isinstance(table, pd.DataFrame) else table
    _refuse_orders(table)
    entry = data.findings.entry if isinstance(data, Data) else None
    if end is None:
        end = entry.until or data.findings.last if entry else last_day_observed(table)
    return table, end, entry.observed_from if entry and observed_from is None else observed_from


def seen_contracts(subscriptions, end, since):
    """group, start, ended (NaT where not by `end`), customers; which start later, and which ended before `since`."""
    _refuse_orders(subscriptions)
    if since and since > end:
        raise InputError(f"observed_from = {since} comes after {end}, the last day seen; choose one before")
    group = subscriptions.group.fill_null(NONE) if "group" in subscriptions.columns else ibis.literal(ALL)
    contracts = subscriptions.select(group=group, start=_.start.cast("date"), ended=_.end.cast("date"))
    contracts = contracts.mutate(ended=(_.ended <= day_literal(end)).ifelse(_.ended, ibis.null("date")))
    counts = contracts.group_by("group", "start", "ended").aggregate(customers=_.count()).execute()
    counts = counts.assign(start=pd.to_datetime(counts.start), ended=pd.to_datetime(counts.ended))
    before = pd.Series(False, counts.index) if since is None else counts.ended < pd.Timestamp(since)
    return counts, counts.start > pd.Timestamp(end), before


def _refuse_orders(table):
    needs = "a survival curve needs SUBSCRIPTIONS (start and end, or tenure and churned), in which churn is observed"
    unseen = "Customers without a contract leave unobserved, so that nobody knows when"
    need(table, "start", needs, f". {unseen}: use the P(alive) curve of a CLV model (p_alive_curve)")
