"""What schemes of segmentation go by, one row a customer, built lazily where the log lives.

Only returns known by `end` count, each against the day of the order that it offsets. A day, a category or a store of
which a customer returned everything is none of that customer's.
"""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from crmlab.contracts import MONEY
from crmlab.dataset import Data
from crmlab.days import day_literal
from crmlab.orders import observed_orders, order_days, rows

COUNT_COLUMNS = ("orders", "days_since_last", "age", "window_orders", "categories", "stores")


def customer_features(orders: Data | ir.Table, end: date | str, window_days: int = 365) -> ir.Table:
    """What is known of each customer as of a day.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not used.
    end : date or str
        Last day that counts, a date or its ISO text.
    window_days : int
        Length of the window that ends with `end`, days.

    Returns
    -------
    Ibis table
        Lazy, one row a customer with an order by `end`. customer_id; orders, days with an order, the first included,
        count; spend, so far, and mean_spend of an order day, in the currency of `amount`; days_since_last, last order
        to `end`, days; age, first order to `end`, days; window_orders, days with an order in the window, count;
        window_spend, in the currency of `amount`; where the log has `category`, categories, distinct ones bought,
        count; where it has `store_id`, stores, distinct ones bought at, count, and home_store, the one with most spend,
        of equals the one visited latest, then the first by its id, "" where none is known. Spend is null in a log
        without amounts.

    Examples
    --------
    >>> from crmlab import catalog, segments
    >>> features = segments.customer_features(catalog.orders("cdnow_sample"), "1997-09-30", window_days=182)
    >>> segments.collect(features).orders.head(3).to_dict()
    {'00004': 3, '00018': 1, '00021': 2}
    """
    orders = rows(orders)
    days = order_days(orders, end)
    life = joined = _lifetime(days.mutate(recent=days_before(days.day, end) < window_days), end)
    more = [count(orders, end, window_days) for column, count in OPTIONAL_COLUMNS.items() if column in orders.columns]
    for table in more:
        joined = joined.left_join(table, life.customer_id == table.customer_id)
    found = {name: table[name] for table in more for name in table.columns if name != "customer_id"}
    filled = {name: column.fill_null("" if column.type().is_string() else 0) for name, column in found.items()}
    return joined.select(life, **filled) if more else life


def collect(lazy: ir.Table, *more: ir.Table) -> pd.DataFrame:
    """A table of one row a customer as a frame, its exit to pandas.

    Parameters
    ----------
    lazy : Ibis table
        One row a customer, such as of `customer_features`.
    *more : Ibis table
        Further tables of one row a customer, such as of `store_strength`, whose other columns are joined on the engine;
        customers who are not in one of them have NaN there.

    Returns
    -------
    DataFrame
        By customer_id, sorted.
    """
    for table in more:
        new = [name for name in table.columns if name not in lazy.columns]
        lazy = lazy.left_join(table.select("customer_id", *new), "customer_id").drop("customer_id_right")
    frame = lazy.order_by("customer_id").execute()
    return frame.astype({name: "int64" for name in COUNT_COLUMNS if name in frame}).set_index("customer_id")


def join_reachable(features: pd.DataFrame, customers: Data | ir.Table | None) -> pd.DataFrame:
    """Features with the column `reachable`, where data of customers have it; else as they are.

    Parameters
    ----------
    features : DataFrame
        One row a customer, of `customer_features`.
    customers : Data or Ibis table, optional
        Rows of the CUSTOMERS contract.

    Returns
    -------
    DataFrame
        By customer_id; reachable is true, false or empty.
    """
    if customers is None or "reachable" not in (table := rows(customers)).columns:
        return features
    return features.join(table.select("customer_id", "reachable").execute().set_index("customer_id"))


def holdout_activity(orders: Data | ir.Table, end: date | str, until: date | str) -> ir.Table:
    """What customers with an order by a day did after it.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `until` are not used.
    end : date or str
        Last day of calibration, a date or its ISO text.
    until : date or str
        Last day of the holdout, a date or its ISO text.

    Returns
    -------
    Ibis table
        Lazy, one row a customer. customer_id; spend on order days of the holdout, returns known by `until` deducted, in
        the currency of `amount`; orders, days with an order, count; active, 1 with an order, else 0.
    """
    orders = rows(orders)
    customers = order_days(orders, end).select("customer_id").distinct()
    days = order_days(orders, until)
    days = days.filter(days.day > day_literal(end))
    after = days.group_by("customer_id").aggregate(spend=_.spend.sum(), orders=_.count())
    return customers.left_join(after, customers.customer_id == after.customer_id).select(
        customers.customer_id,
        spend=after.orders.isnull().ifelse(0, after.spend).cast("float64"),
        orders=after.orders.fill_null(0),
        active=after.orders.notnull().ifelse(1, 0).cast("int64"),
    )


def window_spend_by(orders, end, by, window_days=365):
    """What each customer bought of each `by`: lazy, one row per customer and `by`.

    by      : a column of text; rows where it is empty are left out
    returns : customer_id, `by`, spend; latest, the last day of it; and of the window, window_spend, never below 0
    """
    text = orders[by]
    filled = (text >= "!").ifelse(True, text.strip() != "")  # most texts need no stripping, which is slow
    observed = observed_orders(orders.filter(filled), end)
    found = observed.group_by("customer_id", by).aggregate(
        spend=_.amount.sum(),
        least=_.amount.min().cast(MONEY),
        latest=_.day.max(),
        window_spend=_.amount.sum(where=days_before(observed.day, end) < window_days),
    )
    found = found.filter(((found.least >= 0) | (found.spend > 0)).fill_null(True)).drop("least")
    none = found.spend.notnull().ifelse(0, ibis.null(found.window_spend.type()))  # spent in a window without orders
    return found.mutate(window_spend=(found.window_spend > 0).ifelse(found.window_spend, none))


def with_home_store(visits):
    """Rows of `window_spend_by` by "store_id" with `home`: whether the store is the customer's home store."""
    best = [visits.spend.desc(), visits.latest.desc(), visits.store_id]
    return visits.mutate(home=ibis.row_number().over(group_by="customer_id", order_by=best) == 0)


def days_before(when, end):
    """Days from `when` to `end`."""
    return day_literal(end).delta(when, unit="day")


def _categories(orders, end, window_days):
    return window_spend_by(orders, end, "category", window_days).group_by("customer_id").aggregate(categories=_.count())


def _stores(orders, end, window_days):
    visits = with_home_store(window_spend_by(orders, end, "store_id", window_days))
    return visits.group_by("customer_id").aggregate(stores=_.count(), home_store=_.store_id.max(where=_.home))


OPTIONAL_COLUMNS = {"category": _categories, "store_id": _stores}


def _lifetime(days, end):
    spend = days.spend.sum().cast("float64")
    in_window = days.spend.sum(where=days.recent).fill_null(0).cast("float64")
    return days.group_by("customer_id").aggregate(
        orders=days.count(),
        spend=spend,
        mean_spend=spend / days.count(),
        days_since_last=days_before(days.day.max(), end),
        age=days_before(days.day.min(), end),
        window_orders=days.recent.sum().cast("int64"),
        window_spend=spend.notnull().ifelse(in_window, ibis.null("float64")),
    )
