"""How long customers wait from one order to the next, counted where the log lives."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from crmlab.contracts import InputError
from crmlab.dataset import Data
from crmlab.days import as_date, day_literal
from crmlab.lifecycle.tables.cohorts import need
from crmlab.model import needs_fit
from crmlab.orders import daily_orders, observed_span, rows

POOLED_FROM = 4  # orders by which a customer's own mean gap is known; from here on order numbers are counted together
WIDTHS = 1, 7, 14, 28, 91, 182, 364  # days, of the bins of a histogram
MOST_BINS = 40  # of which the narrowest are taken that need so many at most
STEPS = 20  # gaps in a customer's own mean gaps are counted to a twentieth, rounded up


def interpurchase_times(
    orders: Data | ir.Table, end: date | str, acquired_from: date | str | None = None
) -> pd.DataFrame:
    """Waits for the next order, as of `end`, counted.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not seen.
    end : date or str
        Last day that the table sees; from the first to the last day with an order.
    acquired_from : date or str, optional
        Leaves out customers whose first order is earlier; None keeps all. The first order in a log need not be a
        customer's first.

    Returns
    -------
    DataFrame
        - order_number: the order that the wait began with, 1 is the first; POOLED_FROM and more together
        - gap: days, up to the next order day, or to `end`
        - observed: whether the next order came
        - customers: count

    Raises
    ------
    InputError
        Where `end` lies outside the log, or the rows are no orders.

    Examples
    --------
    >>> from crmlab import catalog, lifecycle
    >>> waits = lifecycle.interpurchase_times(catalog.orders("cdnow_sample"), "1997-09-30")
    >>> int(waits.customers[waits.order_number == 1].sum())
    2357
    """
    return _counted(_waits(orders, end, acquired_from), gap=_.gap)


def relative_interpurchase_times(
    orders: Data | ir.Table, end: date | str, acquired_from: date | str | None = None
) -> pd.DataFrame:
    """Waits of customers with POOLED_FROM orders and more, in multiples of their own mean gap until then.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not seen.
    end : date or str
        Last day that the table sees; from the first to the last day with an order.
    acquired_from : date or str, optional
        Leaves out customers whose first order is earlier; None keeps all.

    Returns
    -------
    DataFrame
        As of `interpurchase_times`, but order_number is POOLED_FROM in all rows, and gap a number of mean gaps, rounded
        up to the next twentieth. A customer with several such waits counts with each.

    Raises
    ------
    InputError
        Where `end` lies outside the log, or the rows are no orders.
    """
    waits = _waits(orders, end, acquired_from).filter(_.order_number == POOLED_FROM)
    mean = (waits.day - waits.first) / (waits.orders - 1)
    return _counted(waits, gap=(waits.gap * STEPS / mean).ceil() / STEPS)


@needs_fit
def interpurchase_time_histogram(interpurchase_times: pd.DataFrame, bin_days: int | None = None) -> pd.DataFrame:
    """Count the times between orders by their length.

    Waits that were still open are counted beside them: they may end with an order in any later bin, so that long times
    are fewer here than they will be.

    Parameters
    ----------
    interpurchase_times : DataFrame
        Waits in days, as from `interpurchase_times`.
    bin_days : int, optional
        Width of a bin, days; None takes the narrowest of 1, 7, 14, 28, 91, 182 and 364 days that makes 40 bins at most.

    Returns
    -------
    DataFrame
        - order_number: the order that the wait began with, 1 is the first; POOLED_FROM and more together
        - days_from, days_to: the bin, both days included
        - gaps: waits of that length that ended with an order, count
        - open: waits that were so long on the last day, without an order, count

    Raises
    ------
    InputError
        Where `bin_days` is below 1.

    Examples
    --------
    >>> from crmlab import lifecycle
    >>> waits = pd.DataFrame({"order_number": 1, "gap": [3, 9, 20], "observed": [True, True, False], "customers": 5})
    >>> lifecycle.interpurchase_time_histogram(waits, 7)[["days_from", "days_to", "gaps", "open"]].values.tolist()
    [[1, 7, 5, 0], [8, 14, 5, 0], [15, 21, 0, 5]]
    """
    longest = max(int(interpurchase_times.gap.max()), 1)
    if bin_days is None:
        bin_days = next((width for width in WIDTHS if longest <= width * MOST_BINS), WIDTHS[-1])
    if bin_days < 1:
        raise InputError(f"bin_days = {bin_days!r}: choose how many days a bin has, 1 or more")
    place = (interpurchase_times.gap.clip(lower=1) - 1) // bin_days
    numbers = sorted(interpurchase_times.order_number.unique())
    cells = pd.MultiIndex.from_product([numbers, range((longest - 1) // bin_days + 1)], names=["order_number", "bin"])
    counts = (
        interpurchase_times.assign(bin=place).groupby(["order_number", "bin", "observed"]).customers.sum().unstack()
    )
    counts = counts.reindex(cells).reindex(columns=[True, False]).fillna(0).astype("int64")
    counts.columns = ["gaps", "open"]
    frame = counts.reset_index()
    frame.insert(1, "days_from", frame.bin * bin_days + 1)
    frame.insert(2, "days_to", (frame.bin + 1) * bin_days)
    return frame.drop(columns="bin")


def _counted(waits, gap):
    """Waits as counts, sorted: a frame."""
    keys = "order_number", "gap", "observed"
    return waits.mutate(gap=gap).group_by(*keys).aggregate(customers=_.count()).order_by(*keys).execute()


def _waits(orders, end, acquired_from):
    """One row per order day, lazily: order_number; orders so far; gap; observed; day and first, numbers."""
    end = order_span(orders, end)[1]
    days = daily_orders(orders, end, acquired_from).filter(_.orders > 0).select("customer_id", day=day_number(_.day))
    in_turn = {"group_by": "customer_id", "order_by": "day"}
    known = days.mutate(
        orders=ibis.row_number().over(**in_turn) + 1,
        following=_.day.lead().over(**in_turn),
        first=_.day.min().over(group_by="customer_id"),
    )
    return known.mutate(
        order_number=ibis.least(known.orders, POOLED_FROM),
        observed=known.following.notnull(),
        gap=known.following.fill_null(day_number(day_literal(end))) - known.day,
    )


def order_span(orders, end):
    """The day of the first order, and `end`, as dates. Raises InputError where `end` lies outside the log."""
    advice = "; where customers have contracts, use their durations"
    need(rows(orders), "amount", "waits between orders need TRANSACTIONS (customer_id, time, amount)", advice)
    first, last = observed_span(orders)
    if first is None:
        raise InputError("orders: there is no order in them; waits need at least one")
    end = as_date(end, "end")
    if not first <= end <= last:
        raise InputError(f"end = {end} lies outside the log, which runs from {first} to {last}; choose a day of it")
    return first, end


def day_number(day):
    """Days since 1970: a whole number."""
    return day.delta(day_literal("1970-01-01"), unit="day").cast("int32")
