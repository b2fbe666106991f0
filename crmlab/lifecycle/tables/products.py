"""What was sold in each period, by category: the series that product life cycles are read from."""

from datetime import timedelta

import ibis
import pandas as pd
from ibis import _

from crmlab.contracts import InputError
from crmlab.days import as_date
from crmlab.lifecycle.tables.cohorts import check_every, first_day, period_number

ALL, NONE = "all", "none"  # where the log has no categories, and where a row has none


def sales_by_category(orders, end, every="month"):
    """What each category sold in each whole calendar period, as known on `end`: a frame, category by category.

    orders       : rows of the TRANSACTIONS contract; those after `end` are not seen, and a return lowers the sales of
                   the period of the order it offsets
    end          : date, or its ISO text; from the first to the last day of the log
    every        : "week" (from Monday), "month", "quarter" or "year"; one that is not over by `end` is left out
    returns      : sorted by category and time, from the period of each category's first sale to the last whole one
        category  text; "all" where the log has no categories, "none" for rows without one
        time      first day of the period
        sales     in the currency of `amount`; 0 where nothing was sold, or where returns that could only be set against
                  another category's order exceed it
    Raises InputError where `end` lies outside the log, or no period of it is whole.
    """
    last = _checked(orders, end, every)
    now = period_number(last + timedelta(days=1), every) - 1  # the last period that is over by `end`
    seen = orders.filter(orders.time.date() <= last, orders.order_day.notnull())
    named = seen.category.nullif("").fill_null(NONE) if "category" in seen.columns else ibis.literal(ALL)
    units = seen.select(category=named, unit=period_number(seen.order_day, every).cast("int64"), amount=seen.amount)
    sums = units.filter(units.unit <= now).group_by("category", "unit").aggregate(sales=_.amount.sum())
    found = sums.mutate(sales=ibis.greatest(_.sales.cast("float64"), 0.0)).execute()
    if found.empty:
        raise InputError(f"no {every} with a sale is over by {end}; choose a shorter period or a later end")
    return _without_gaps(found, now, every)


def sales_from_series(table):
    """A SERIES table as a frame: category, time, sales, sorted by category and time."""
    if "sales" not in table.columns:
        raise InputError(
            f"a product's life cycle needs SERIES (time, sales); this table has {', '.join(table.columns)}; "
            "make a series of TRANSACTIONS with sales_by_category"
        )
    frame = table.select("category", "time", "sales").order_by("category", "time").execute()
    return frame.assign(time=pd.to_datetime(frame.time))


def periods_per_year(frame):
    """How many periods of a frame of category, time, sales make a year, count: 1 where they are longer than that."""
    steps = frame.groupby("category").time.diff().dropna()
    return 1 if steps.empty else max(round(365.25 / (steps.median() / pd.Timedelta(days=1))), 1)


def category_sales(frame, category=None):
    """One category's sales by time: a Series; of the category that sold most where none is named."""
    totals = frame.groupby("category").sales.sum()
    category = totals.idxmax() if category is None else category
    if category not in totals.index:
        known = ", ".join(map(repr, totals.sort_values(ascending=False).index[:5]))
        raise InputError(f"there is no category {category!r} among {len(totals):,} (the largest: {known}); name one")
    return frame[frame.category == category].set_index("time").sales.rename(str(category))


def _without_gaps(found, now, every):
    """Sums of periods as a frame, with the periods without a sale."""
    parts = [
        group.set_index("unit").sales.reindex(range(group.unit.min(), now + 1), fill_value=0.0).rename_axis("unit")
        for _name, group in found.sort_values("category").groupby("category")
    ]
    names = sorted(found.category.unique())
    frame = pd.concat(parts, keys=names, names=["category", "unit"]).reset_index()
    return frame.assign(time=first_day(frame.unit, every))[["category", "time", "sales"]]


def _checked(orders, end, every):
    """`end` as a date. Raises InputError with what is wrong with what was asked."""
    if "amount" not in orders.columns:
        raise InputError(
            f"sales by category need TRANSACTIONS (customer_id, time, amount); this table has "
            f"{', '.join(orders.columns)}; where it is a SERIES already, use sales_from_series"
        )
    check_every(every)
    day = orders.time.date()
    span = orders.aggregate(first=day.min(), last=day.max()).to_pyarrow().to_pylist()[0]
    end = as_date(end)
    if span["first"] is None or not span["first"] <= end <= span["last"]:
        raise InputError(f"end {end}: the log runs from {span['first']} to {span['last']}; choose a day of that span")
    return end
