"""How long customers have kept their contract, where the data say that and no days: as most files of churn do."""

from datetime import date

import pandas as pd

from crmlab.contracts import InputError
from crmlab.contracts.subscriptions import contracts_a_row
from crmlab.dataset import Data
from crmlab.lifecycle.tables.cohorts import check_every
from crmlab.lifecycle.tables.periods import IN_UNITS, UNCOUNTED, whole_tenures
from crmlab.orders import rows


def has_tenures(table):
    """Whether contracts are given by how long they have lasted, without days."""
    return "tenure" in table.columns and "start" not in table.columns


def tenure_durations(
    subscriptions: Data, end: date | str | None = None, every: str = "month", observed_from: date | str | None = None
) -> pd.DataFrame:
    """How many customers have kept their contract for how many whole periods, by its tenure.

    A contract that has lasted n periods and ended was lost at renewal n; one that ended at tenure 0 at the first. Where
    periods are longer than the unit of tenure, as many of those still running in one count as having renewed as make
    the share of those lost that of the product limit by the unit. Where the longest tenure ends within a period and
    fewer than MIN_THROUGH contracts were observed through it, those that ended in it count as held so far.

    Parameters
    ----------
    subscriptions : Data
        Rows of the SUBSCRIPTIONS contract that have tenure and churned, as from `catalog.subscriptions`.
    end : date or str, optional
        Means nothing here, as no days are known, and may not be given.
    every : str
        Length of a period, the unit of tenure or longer: "week", "month", "quarter" or "year".
    observed_from : date or str, optional
        As `end`.

    Returns
    -------
    DataFrame
        As `subscription_durations`, without observed_until.

    Raises
    ------
    InputError
        Where a day is given, or periods are shorter than the unit of tenure.

    References
    ----------
    Kaplan & Meier (1958), Nonparametric estimation from incomplete observations.
    """
    check_every(every)
    if not isinstance(subscriptions, Data):
        raise InputError("a table with tenure does not say in which unit; give what catalog.subscriptions returns")
    name, unit = subscriptions.findings.name, subscriptions.findings.entry.tenure_unit
    days = {"until": end, "observed_from": observed_from}
    breaches = [
        f"{name}: {what} = {day}: contracts given by tenure and churned know no days; leave it out"
        for what, day in days.items()
        if day is not None
    ]
    longer = IN_UNITS[unit]
    if every not in longer:
        choose = f"choose every = {' or '.join(map(repr, longer))}"
        breaches.append(f"{name}: every = {every!r}: tenure is in {unit}s, which know no {every}s; {choose}")
    if breaches:
        raise InputError(*breaches)
    table = rows(subscriptions)
    counts = table.group_by("group", "tenure", "churned").aggregate(customers=contracts_a_row(table).sum()).execute()
    found, uncounted = whole_tenures(counts, unit, every)
    lost = int(found.customers[found.churned].sum())
    held = int(found.customers.sum()) - lost - uncounted
    found.attrs["contracts"] = {"lost": lost, UNCOUNTED: uncounted, "held when last observed": held}
    return found
