"""Who of each cohort came back in each calendar period, and which of that is not known yet."""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from crmlab.contracts import InputError
from crmlab.dataset import Data
from crmlab.days import as_date, day_literal
from crmlab.orders import observed_span, placed_orders, rows
from crmlab.stats.shares import wilson_interval

MONTHS = {"month": 1, "quarter": 3, "year": 12}  # how many a period has
EVERY = ("week", *MONTHS)
ORIGIN = date(1900, 1, 1)  # a Monday; periods are numbered from the one that it begins
OBSERVED, IN_PROGRESS, NOT_YET = "observed", "in progress", "not yet"


def cohort_triangle(
    orders: Data | ir.Table, end: date | str, every: str = "month", acquired_from: date | str | None = None
) -> pd.DataFrame:
    """Who of each cohort placed an order in each calendar period since its own, as known on `end`.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not seen.
    end : date or str
        Last day that the table sees; from the first to the last day with an order.
    every : str
        Length of a period: "week" (from Monday), "month", "quarter" or "year".
    acquired_from : date or str, optional
        Leaves out customers whose first order is earlier; None keeps all.

    Returns
    -------
    DataFrame
        A row for each cohort with customers and each period up to the oldest cohort's last:

        - cohort: first day of the calendar period of the first order
        - period: calendar periods since then; 0 is the cohort's own
        - size: customers in the cohort
        - eligible: of them, those whose period has begun, of whom `share` is
        - active: of them, those who placed an order in it; an order that was returned later counts
        - share: active / eligible, 0 to 1
        - ci_low, ci_high: its 95 % confidence interval (Wilson); both 1 in period 0, in which all order by definition
        - state: "observed"; "in progress" where the calendar period is not over by `end`, with numbers so far and no
          interval; "not yet" where it has not begun, and eligible, active and share are NA, never 0

    Raises
    ------
    InputError
        Where `end` lies outside the log, or no period fits into it.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.

    Examples
    --------
    >>> from crmlab import catalog, lifecycle
    >>> triangle = lifecycle.cohort_triangle(catalog.orders("cdnow_sample"), "1997-12-31")
    >>> triangle.loc[triangle.period == 1, ["size", "active", "state"]].values.tolist()
    [[781, 124, 'observed'], [857, 134, 'observed'], [719, 87, 'observed']]
    """
    advice = ". Where customers have contracts, the end of one is observed: use the survival curve of their durations"
    need(rows(orders), "amount", "a cohort triangle of orders needs TRANSACTIONS (customer_id, time, amount)", advice)
    placed = placed_orders(orders)
    last = _checked(orders, end, every)
    counts = _counts(placed, last, every, acquired_from).execute()
    if counts.empty:
        nobody = f"no customer's first order lies from then to {last}"
        raise InputError(f"acquired_from {acquired_from}: {nobody}; choose an earlier day")
    return _cells(counts, last, every)


def need(table, column, needs, advice):
    """Raises InputError unless a table has a column, with what is needed, what it has, and what to do."""
    if column not in table.columns:
        raise InputError(f"{needs}; this table has {', '.join(table.columns)}{advice}")


def check_every(every):
    """Raises InputError unless calendar periods may be so long."""
    if every not in EVERY:
        raise InputError(f"every = {every!r}: choose one of {', '.join(map(repr, EVERY))}")


def period_number(day, every):
    """Which calendar period a day lies in, counted from 1900: of a date, or of a column of dates."""
    if every == "week":
        weeks = day.delta(ORIGIN, unit="day") if isinstance(day, ibis.Value) else (day - ORIGIN).days
        return weeks // 7
    year, month = (day.year(), day.month()) if isinstance(day, ibis.Value) else (day.year, day.month)
    months = (year - ORIGIN.year) * 12 + month - 1
    return months // MONTHS[every]


def first_day(numbers, every):
    """The first day of each calendar period, from its number: a Series of dates."""
    if every == "week":
        return pd.Timestamp(ORIGIN) + pd.to_timedelta(numbers * 7, unit="D")
    months = numbers * MONTHS[every]
    return pd.to_datetime({"year": ORIGIN.year + months // 12, "month": months % 12 + 1, "day": 1})


def _counts(placed, last, every, acquired_from):
    """Customers with an order, by cohort and period: a lazy table, of the cells with any."""
    known = placed.filter(placed.day <= last)
    units = known.group_by("customer_id", unit=period_number(known.day, every).cast("int64")).aggregate(day=_.day.min())
    whole = ibis.window(group_by="customer_id")
    units = units.mutate(cohort=units.unit.min().over(whole), acquired=units.day.min().over(whole))
    if acquired_from is not None:
        units = units.filter(units.acquired >= day_literal(acquired_from))
    return units.group_by("cohort", period=units.unit - units.cohort).aggregate(active=_.count())


def _cells(counts, last, every):
    """The frame of `cohort_triangle` from the cells with orders."""
    now = period_number(last, every)
    over = period_number(last + timedelta(days=1), every) > now  # whether the period of `end` is over by it
    cohorts = sorted(counts.cohort.unique())
    cells = pd.MultiIndex.from_product([cohorts, range(now - cohorts[0] + 1)], names=["cohort", "period"])
    active = counts.set_index(["cohort", "period"]).active.reindex(cells, fill_value=0).astype("Int64")
    frame = active.reset_index()
    at = frame.cohort + frame.period
    frame["state"] = OBSERVED
    frame["state"] = frame.state.mask(at > now, NOT_YET).mask((at == now) & (not over), IN_PROGRESS)
    begun, done = frame.state != NOT_YET, frame.state == OBSERVED
    frame["size"] = frame.groupby("cohort").active.transform("first")  # all of a cohort order in its period 0
    frame["eligible"], frame["active"] = frame["size"].where(begun), frame.active.where(begun)
    frame["share"] = (frame.active / frame.eligible).astype("Float64")
    counts = frame[["active", "eligible"]].fillna(1).to_numpy(dtype=float).T
    for side, ends in zip(("ci_low", "ci_high"), wilson_interval(*counts), strict=True):
        frame[side] = pd.Series(ends, frame.index, dtype="Float64").mask(frame.period == 0, 1.0).where(done)
    frame["cohort"] = first_day(frame.cohort, every)
    return frame[["cohort", "period", "size", "eligible", "active", "share", "ci_low", "ci_high", "state"]]


def _checked(orders, end, every):
    """`end` as a date. Raises InputError with all that is wrong with what was asked."""
    check_every(every)
    first, last = observed_span(orders)
    if first is None:
        raise InputError("orders: there is no order in them; a triangle needs at least one")
    end = as_date(end, "end")
    extent = f"the log runs from {first} to {last}"
    if not first <= end <= last:
        what = "before its first order" if end < first else "after its last"
        raise InputError(f"end {end}: {extent}, and end lies {what}; choose a day of that span")
    days, length = (end - first).days + 1, _length(first, every)
    if days < length:
        longer = f"such a period ({length} days) is longer than the log up to {end} ({days:,} days)"
        offers = what_fits(every, lambda each: _length(first, each) <= days, first + timedelta(length - 1), last)
        raise InputError(f"every = {every!r}: {longer}; {extent}: choose {offers}")
    return end


def _length(day, every):
    """Length of the calendar period that a day lies in, days."""
    opens, closes = first_day(period_number(day, every) + pd.Series([0, 1]), every)
    return (closes - opens).days


def is_over(day, end, every):
    """Whether the calendar period that a day lies in is over by `end`."""
    return period_number(day, every) < period_number(end + timedelta(days=1), every)


def what_fits(every, fits, day, last):
    """What to choose where a period is too long: the longest shorter one that `fits`, or an end from `day` on.

    last : up to which the orders are complete; an end after it takes saying that they are up to then
    """
    shorter = [f"every = {each!r}" for each in EVERY[: EVERY.index(every)] if fits(each)]
    later = f"an end from {day} on" if day <= last else f"observed_until = {day} or later, if orders are complete to it"
    return ", or ".join([*shorter[-1:], later])
