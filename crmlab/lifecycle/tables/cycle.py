"""How long customers wait from one order to the next, counted where the log lives."""

import ibis
from ibis import _

from crmlab.contracts import InputError
from crmlab.days import as_date, day_literal

POOLED_FROM = 4  # orders by which a customer's own mean gap is known; from here on order numbers are counted together
STEPS = 20  # gaps in a customer's own mean gaps are counted to a twentieth, rounded up


def interpurchase_times(orders, end, acquired_from=None):
    """Waits for the next order, as of `end`: a frame of counts.

    orders        : rows of the TRANSACTIONS contract; those after `end` are not seen
    end           : date, or its ISO text; from the first to the last day with an order
    acquired_from : leave out customers whose first order is earlier, as theirs are not the first orders they placed
    returns
        order_number  the order that the wait began with, 1 is the first; POOLED_FROM and more together
        gap           days, up to the next order day, or to `end`
        observed      whether the next order came
        customers     count
    """
    return _counted(_waits(orders, end, acquired_from), gap=_.gap)


def relative_interpurchase_times(orders, end, acquired_from=None):
    """Waits of customers with POOLED_FROM orders and more, in own mean gaps until then: as `interpurchase_times`.

    A customer with several such waits is counted with each; order_number is POOLED_FROM in all rows, and gap a number
    of mean gaps, to the next twentieth.
    """
    waits = _waits(orders, end, acquired_from).filter(_.order_number == POOLED_FROM)
    mean = (waits.day - waits.first) / (waits.orders - 1)
    return _counted(waits, gap=(waits.gap * STEPS / mean).ceil() / STEPS)


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


def daily_orders(orders, end, acquired_from=None):
    """One row per customer and day with an order or a return, lazily: customer_id, day, orders (1 or 0), spend.

    An order counts on the day it was placed, and a return on the day it came back, so that later rows change nothing.
    """
    seen = orders.filter(orders.time.date() <= day_literal(end), orders.order_day.notnull())
    days = seen.group_by("customer_id", day=seen.time.date()).aggregate(
        orders=(_.amount >= 0).any().cast("int32"), spend=_.amount.sum()
    )
    if acquired_from is None:
        return days
    days = days.mutate(acquired=days.day.min().over(group_by="customer_id"))
    return days.filter(days.acquired >= day_literal(acquired_from)).drop("acquired")


def order_span(orders, end):
    """The day of the first order, and `end`, as dates. Raises InputError where `end` lies outside the log."""
    if "amount" not in orders.columns:
        raise InputError(
            f"waits between orders need TRANSACTIONS (customer_id, time, amount); this table has "
            f"{', '.join(orders.columns)}; where customers have contracts, see `tables.contracts`"
        )
    orders = orders.filter(orders.amount >= 0)
    day = orders.time.date()
    first, last = orders.aggregate(first=day.min(), last=day.max()).to_pyarrow().to_pylist()[0].values()
    if first is None:
        raise InputError("orders: there is no order in them; waits need at least one")
    end = as_date(end)
    if not first <= end <= last:
        raise InputError(f"end = {end} lies outside the log, which runs from {first} to {last}; choose a day of it")
    return first, end


def day_number(day):
    """Days since 1970: a whole number."""
    return day.delta(day_literal("1970-01-01"), unit="day").cast("int32")
