"""What was sold in each period, by category: the series that product life cycles are read from."""

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from crmlab.contracts import InputError
from crmlab.dataset import Data
from crmlab.days import as_date
from crmlab.lifecycle.tables.cohorts import check_every, first_day, is_over, need, period_number, what_fits
from crmlab.orders import all_orders, observed_orders, observed_span, rows

ALL, NONE = "all", "none"  # where the log has no categories, and where a row has none


def product_sales(data: Data | ir.Table, end: date | str | None = None, every: str = "month") -> pd.DataFrame:
    """What each product sold in each period: of a table of sales, or summed from orders by category.

    Parameters
    ----------
    data : Data or Ibis table
        Rows of the SERIES contract, or of TRANSACTIONS.
    end : date or str, optional
        Last day that the table sees, of orders; None takes the last day up to which they are complete.
    every : str
        Length of a period: "week" (from Monday), "month", "quarter" or "year".

    Returns
    -------
    DataFrame
        category, time (first day of the period), sales; sorted by category and time.

    Raises
    ------
    InputError
        Where `end` lies outside the orders, or no period of them is whole.

    Examples
    --------
    >>> import ibis
    >>> from crmlab import lifecycle
    >>> sold = ibis.memtable({"category": ["tea", "tea"], "time": ["2024-01-01", "2025-01-01"], "sales": [5.0, 8.0]})
    >>> lifecycle.product_sales(sold)
      category       time  sales
    0      tea 2024-01-01    5.0
    1      tea 2025-01-01    8.0
    """
    table = rows(data)
    if "sales" in table.columns:
        return sales_from_series(table)
    return sales_by_category(data, _last_day(data, table) if end is None else end, every)


def sales_by_category(orders: Data | ir.Table, end: date | str, every: str = "month") -> pd.DataFrame:
    """What each category sold in each whole calendar period, as known on `end`.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not seen. A return lowers the sales of the period of
        the order it offsets.
    end : date or str
        Last day that the table sees; from the first order to the last day up to which orders are complete.
    every : str
        Length of a period: "week" (from Monday), "month", "quarter" or "year". One that is not over by `end` is left
        out.

    Returns
    -------
    DataFrame
        Sorted by category and time, from the period of each category's first sale to the last whole one: category,
        text, "all" where the orders have no categories, "none" for rows without one; time, first day of the period;
        sales, in the currency of `amount`, 0 where nothing was sold, or where returns that could only be set against
        another category's order exceed it; of a log without amounts the number of orders, days of a customer.

    Raises
    ------
    InputError
        Where `end` lies outside the orders, or no period of them is whole.
    """
    placed = all_orders(orders)
    last, orders = _checked(placed, end, every), rows(placed)
    now = period_number(last + timedelta(days=1), every) - 1  # the last period that is over by `end`
    observed = observed_orders(orders, last)
    named = observed.category.nullif("").fill_null(NONE) if "category" in observed.columns else ibis.literal(ALL)
    by = {"category": named, "unit": period_number(observed.day, every).cast("int64")}
    days = observed.group_by("customer_id", "day", **by).aggregate(spend=_.amount.sum(), rows=_.count())
    count = days.customer_id.isnull().ifelse(days.rows, 1).sum()  # of unidentified customers, each row is an order
    sums = days.group_by("category", "unit").aggregate(sales=_.spend.sum(), orders=count).filter(_.unit <= now)
    sold = sums.sales.cast("float64").fill_null(sums.orders.cast("float64"))
    found = sums.select("category", "unit", sales=ibis.greatest(sold, 0.0)).execute()
    if found.empty:
        (begun, observed_until), needed = observed_span(orders), f"one whole calendar {every} is needed"
        closes = first_day(pd.Series([period_number(begun, every) + 1]), every)[0].date() - timedelta(days=1)
        offers = what_fits(every, lambda each: is_over(begun, last, each), closes, observed_until)
        raise InputError(f"no {every} with a sale is over by {last}, and {needed}; choose {offers}")
    return _without_gaps(found, now, every)


def sales_from_series(series: Data | ir.Table) -> pd.DataFrame:
    """A table of sales as a frame.

    Parameters
    ----------
    series : Data or Ibis table
        Rows of the SERIES contract.

    Returns
    -------
    DataFrame
        category, time, sales; sorted by category and time.

    Raises
    ------
    InputError
        Where the rows are no table of sales.
    """
    table = rows(series)
    advice = "; make a series of TRANSACTIONS with sales_by_category"
    need(table, "sales", "a product's life cycle needs SERIES (time, sales)", advice)
    frame = table.select("category", "time", "sales").order_by("category", "time").execute()
    return frame.assign(time=pd.to_datetime(frame.time))


def periods_per_year(sales: pd.DataFrame | pd.Series) -> int:
    """How many periods make a year: 1 where they are longer than that, or have no dates.

    Parameters
    ----------
    sales : DataFrame or Series
        category, time, sales, as from `product_sales`; or one product's sales by time.

    Returns
    -------
    int
        Periods a year, 1 or more.
    """
    if isinstance(sales, pd.DataFrame):
        steps = sales.groupby("category").time.diff()
    elif isinstance(sales.index, pd.DatetimeIndex):
        steps = sales.index.to_series().diff()
    else:
        return 1
    return max(round(365.25 / (steps.median() / pd.Timedelta(days=1))), 1) if steps.notna().any() else 1


def checked_periods(sales, given):
    """`given`, or `periods_per_year` of the dates. Raises InputError where it is no whole number above 0."""
    found = periods_per_year(sales) if given is None else given
    if not isinstance(found, (int, np.integer)) or found < 1:
        raise InputError(f"periods_per_year = {given!r}: choose a whole number, 1 or more")
    return found


def category_sales(sales: pd.DataFrame, category: str | None = None) -> pd.Series:
    """One category's sales by time.

    Parameters
    ----------
    sales : DataFrame
        category, time, sales, as from `product_sales`.
    category : str, optional
        Name of the category; None takes the one that sold most.

    Returns
    -------
    Series
        Sales by time, named as the category.

    Raises
    ------
    InputError
        Where there is no such category.
    """
    totals = sales.groupby("category").sales.sum()
    category = totals.idxmax() if category is None else category
    if category not in totals.index:
        known = ", ".join(map(repr, totals.sort_values(ascending=False).index[:5]))
        raise InputError(f"there is no category {category!r} among {len(totals):,} (the largest: {known}); name one")
    return sales[sales.category == category].set_index("time").sales.rename(str(category))


def _without_gaps(found, now, every):
    """Sums of periods as a frame, with the periods without a sale."""
    by = found.set_index("unit").groupby("category").sales
    parts = {name: sums.reindex(range(sums.index.min(), now + 1), fill_value=0.0) for name, sums in by}
    frame = pd.concat(parts, names=["category", "unit"]).reset_index()
    return frame.assign(time=first_day(frame.unit, every))[["category", "time", "sales"]]


def _last_day(data, table):
    if isinstance(data, Data):
        return data.findings.observed_until
    if "time" not in table.columns:
        return None
    return table.aggregate(last=table.time.date().max()).execute().iloc[0, 0]


def _checked(orders, end, every):
    """`end` as a date. Raises InputError with what is wrong with what was asked."""
    advice = "; where it is a SERIES already, use sales_from_series"
    need(rows(orders), "amount", "sales by category need TRANSACTIONS (customer_id, time, amount)", advice)
    check_every(every)
    (first, last), end = observed_span(orders), as_date(end)
    if first is None or not first <= end <= last:
        raise InputError(f"end {end}: the log runs from {first} to {last}; choose a day of that span")
    return end
