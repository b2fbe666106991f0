"""What an order is, and on which day: one meaning for all domains, built lazily where the orders are stored.

Rows below zero are returns. `order_day` is the day of the order that a row belongs to: a return's is that of the order
it offsets, and null where there is none. Every function takes validated data or their lazy table.
"""

from dataclasses import replace
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from crmlab import engines
from crmlab.contracts import InputError
from crmlab.contracts.transactions import is_return
from crmlab.dataset import Data
from crmlab.days import day_literal
from crmlab.model import FitError

NO_AMOUNTS = "the data hold no amounts", 'name their column, as amount = "Paid", for what is said of money'


def rows(data: Data | ir.Table) -> ir.Table:
    """The lazy table of validated data, or a table as it is. Raises InputError where it is neither."""
    table = data.table if isinstance(data, Data) else data
    if not isinstance(table, ir.Table):
        raise InputError(f"rows: {type(data).__name__} is no validated data; give what crmlab.catalog returns")
    return table


def need_amounts(spend: pd.Series | np.ndarray) -> None:
    """Raises FitError where spend is empty in all rows, as it is of a log that holds no amounts."""
    if len(spend) and pd.isna(spend).all():
        raise FitError(*NO_AMOUNTS)


def all_orders(data: Data | ir.Table) -> Data | ir.Table:
    """Orders with those of unidentified customers, where the data hold such; else the data as they are."""
    return data if not isinstance(data, Data) or data.every is None else replace(data, table=data.every)


def observed_orders(orders: Data | ir.Table, end: date | str) -> ir.Table:
    """The rows known on `end`, with the `day` of the order that each belongs to: lazy."""
    table = rows(orders)
    observed = table.filter(table.time.date() <= day_literal(end), table.order_day.notnull())
    return observed.rename(day="order_day")


def order_days(orders: Data | ir.Table, end: date | str) -> ir.Table:
    """One row per customer and day with an order, as known on `end`: lazy; customer_id, day, spend.

    orders : rows of the TRANSACTIONS contract; those after `end` are not seen
    end    : date, or its ISO text
    Returns are set against the day they offset; a day returned whole is no order.
    """
    days = (
        observed_orders(orders, end)
        .group_by("customer_id", "day")
        .aggregate(spend=_.amount.sum(), returned=is_return(_).any())
    )
    return days.filter(~days.returned | (days.spend > 0)).drop("returned")


def exact_sum(amounts: ir.NumericColumn) -> ir.FloatingScalar:
    """The sum of amounts, or of their squares, to eight decimals: the same in whatever order rows are added."""
    return amounts.cast("decimal(38, 8)").sum().cast("float64")


def first_spend(days: ir.Table) -> ir.DecimalScalar:
    """What was spent on the earliest day of a group of order days; on DuckDB without the sort that Ibis asks for."""
    return _arg_min(days.spend, days.day) if engines.is_embedded(days) else days.spend.argmin(days.day)


@ibis.udf.agg.builtin(name="arg_min", signature=(("decimal(38, 4)", "date"), "decimal(38, 4)"))
def _arg_min(value, by):
    """DuckDB's."""


def placed_orders(orders: Data | ir.Table) -> ir.Table:
    """Each order with the day it was placed: lazy; customer_id, day. One returned later was placed all the same."""
    table = rows(orders)
    return table.filter(~is_return(table)).select("customer_id", day=_.time.date())


def observed_span(orders: Data | ir.Table) -> tuple[date, date] | tuple[None, None]:
    """Day of the first order, and the last day up to which orders are complete; None where there is no order.

    That of validated data may come after the last order; of a table, it is the day of the last order.
    """
    days = placed_orders(orders).aggregate(first=_.day.min(), last=_.day.max())
    first, last = days.to_pyarrow().to_pylist()[0].values()
    if isinstance(orders, Data) and last is not None:
        return first, max(last, orders.findings.observed_until or last)
    return first, last


def daily_orders(orders: Data | ir.Table, end: date | str, acquired_from: date | str | None = None) -> ir.Table:
    """One row per customer and day with an order or a return: lazy; customer_id, day, orders (1 or 0), spend.

    An order counts on the day it was placed, and a return on the day it came back, so that later rows change nothing.
    """
    observed = observed_orders(orders, end)
    days = observed.group_by("customer_id", day=observed.time.date()).aggregate(
        orders=(~is_return(_)).any().cast("int32"), spend=_.amount.sum()
    )
    if acquired_from is None:
        return days
    days = days.mutate(acquired=days.day.min().over(group_by="customer_id"))
    return days.filter(days.acquired >= day_literal(acquired_from)).drop("acquired")
