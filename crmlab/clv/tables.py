"""What a repeat-buying model needs to know of each customer, built lazily where the orders are stored."""

from datetime import date
from numbers import Real
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from crmlab.catalog import Data
from crmlab.contracts import InputError
from crmlab.days import day_literal
from crmlab.orders import order_days

SUFFICIENT_STATISTICS = ("frequency", "recency", "age")


def summarise(orders: Data | ir.Table, end: date | str, acquired_from: date | str | None = None) -> ir.Table:
    """Summarise what a repeat-buying model needs to know of each customer, as of `end`.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not used.
    end : date or str
        Last day, or its ISO text.
    acquired_from : date or str, optional
        Leave out customers whose first order is earlier, as data that begin later do not show when they were acquired.

    Returns
    -------
    Ibis table
        One row per customer_id: frequency, days with a repeat order, count; recency, first order to last order, days;
        age, first order to `end`, days (T in the papers); repeat_spend, spent on repeat-order days, exact, in the
        currency of `amount`; monetary_value, mean spend per repeat-order day, 0 without one.

    Examples
    --------
    >>> from crmlab import catalog, clv
    >>> customers = clv.summarise(catalog.orders("cdnow_sample"), "1997-09-30")
    >>> int(clv.collapse(customers).customers.sum())
    2357
    """
    days = order_days(orders, end)
    life = days.group_by("customer_id").aggregate(
        acquired=_.day.min(), latest=_.day.max(), days=_.count(), spend=_.spend.sum(), first_spend=_.spend.argmin(_.day)
    )
    if acquired_from is not None:
        life = life.filter(life.acquired >= day_literal(acquired_from))
    features = life.select(
        "customer_id",
        frequency=life.days - 1,
        recency=life.latest.delta(life.acquired, unit="day"),
        age=day_literal(end).delta(life.acquired, unit="day"),
        repeat_spend=(life.spend - life.first_spend).cast("decimal(38, 4)"),
    )
    mean = features.repeat_spend.cast("float64") / features.frequency.nullif(0)
    return features.mutate(monetary_value=mean.fill_null(0.0))


def summarise_periods(
    orders: Data | ir.Table, end: date | str, period_days: int, acquired_from: date | str | None = None
) -> ir.Table:
    """Summarise what a model of opportunities needs to know of each customer, as of `end`: one opportunity a period.

    Periods are each customer's own: period k is days (k - 1) x period_days + 1 to k x period_days after the first
    order. What was
    ordered in the last one, unless it was whole by `end`, is not counted: neither as an order nor as spend.

    orders  : rows of the TRANSACTIONS contract; those after `end` are not used
    end           : date, or its ISO text
    period_days   : length of a period, days; a whole number of them
    acquired_from : leave out customers whose first order is earlier
    returns       : lazy table, one row per customer_id, which `collapse` takes as it takes that of `summarise`
        frequency       whole periods with an order, count
        recency         the number of the last of them; 0 without one
        age             whole periods by `end`, count (n in the papers)
        repeat_spend    spent in those with an order, exact, in the currency of `amount`
        monetary_value  mean spend per period with an order; 0 without one
    Raises InputError where a period is no whole number of days, or none.
    """
    if not (isinstance(period_days, Real) and period_days >= 1 and period_days % 1 == 0):
        raise InputError(f"period_days = {period_days!r}: choose the days a period has, a whole number of 1 or more")
    period_days = int(period_days)
    days = order_days(orders, end)
    days = days.mutate(acquired=days.day.min().over(group_by="customer_id"))
    if acquired_from is not None:
        days = days.filter(days.acquired >= day_literal(acquired_from))
    days = days.mutate(
        period=((days.day.delta(days.acquired, unit="day") + period_days - 1) // period_days).cast("int64"),
        age=(day_literal(end).delta(days.acquired, unit="day") // period_days).cast("int64"),
    )
    periods = days.filter(days.period <= days.age)
    features = periods.group_by("customer_id").aggregate(
        frequency=_.period.nunique() - 1,
        recency=_.period.max(),
        age=_.age.max(),
        repeat_spend=_.spend.sum(where=_.period > 0).fill_null(0).cast("decimal(38, 4)"),
    )
    mean = features.repeat_spend.cast("float64") / features.frequency.nullif(0)
    return features.mutate(monetary_value=mean.fill_null(0.0))


def with_holdout(customers: ir.Table, orders: Data | ir.Table, split: date | str, until: date | str) -> ir.Table:
    """`customers` with what each customer did after `split`, to `until`: order days as `orders`, money as `spend`."""
    days = order_days(orders, until)
    after = days.filter(days.day > day_literal(split))
    after = after.group_by("customer_id").aggregate(orders=_.count(), spend=_.spend.sum())
    return customers.left_join(after, "customer_id").select(
        customers, orders=after.orders.fill_null(0), spend=after.spend.fill_null(0).cast("float64")
    )


def with_baseline_features(
    customers: ir.Table, orders: Data | ir.Table, split: date | str, window_days: int
) -> ir.Table:
    """`customers` with what baselines rest on, of what each customer did up to `split`.

    returns : `customers` and
        cohort       month of the first order, as 199703
        past_spend   spent so far, the first order included, in the currency of `amount`
        last_orders  repeat-order days among the last `window_days`, count
        last_spend   spent in the last `window_days`, the first order included, in the currency of `amount`
    """
    days = order_days(orders, split)
    days = days.mutate(acquired=days.day.min().over(group_by="customer_id"))
    last = day_literal(split).delta(days.day, unit="day") < window_days
    past = days.group_by("customer_id").aggregate(
        acquired=days.acquired.min(),
        past_spend=days.spend.sum().cast("float64"),
        last_orders=(last & (days.day > days.acquired)).sum(),
        last_spend=days.spend.sum(where=last).fill_null(0).cast("float64"),
    )
    return customers.left_join(past, "customer_id").select(
        customers,
        past.past_spend,
        past.last_orders,
        past.last_spend,
        cohort=past.acquired.year() * 100 + past.acquired.month(),
    )


def weekly_orders(
    orders: Data | ir.Table, split: date | str, until: date | str, acquired_from: date | str | None = None
) -> pd.DataFrame:
    """Count repeat-order days by week since the first acquisition, of the customers acquired by `split`.

    week   : 1 is the seven days that begin with the first acquisition; the last is the last whole one by `until`
    week_end : its last day
    orders : count
    """
    days = order_days(orders, until)
    days = days.mutate(acquired=days.day.min().over(group_by="customer_id"))
    days = days.filter(days.acquired <= day_literal(split))
    if acquired_from is not None:
        days = days.filter(days.acquired >= day_literal(acquired_from))
    daily = days.group_by("day").aggregate(orders=(days.day > days.acquired).sum()).execute()
    daily["day"] = pd.to_datetime(daily.day)
    week = (daily.day - daily.day.min()).dt.days // 7 + 1
    whole = ((pd.Timestamp(until) - daily.day.min()).days + 1) // 7
    weeks = pd.RangeIndex(1, whole + 1, name="week")
    counts = daily.orders.groupby(week).sum().reindex(weeks, fill_value=0)
    return pd.DataFrame({"week_end": daily.day.min() + pd.to_timedelta(weeks * 7 - 1, unit="D"), "orders": counts})


def first_interpurchase_times(
    orders: Data | ir.Table, end: date | str, acquired_from: date | str | None = None
) -> pd.DataFrame:
    """The first two times between order days, of customers with three by `end`: a frame by customer_id.

    first_interpurchase_time, second_interpurchase_time : days
    """
    days = order_days(orders, end)
    nth = ibis.row_number().over(group_by="customer_id", order_by="day")
    first = days.mutate(nth=nth).filter(_.nth <= 2).group_by("customer_id")
    life = first.aggregate(acquired=_.day.min(), second=_.day.max(where=_.nth <= 1), third=_.day.max(), days=_.count())
    life = life.filter(life.days == 3)
    if acquired_from is not None:
        life = life.filter(life.acquired >= day_literal(acquired_from))
    gaps = life.select(
        "customer_id",
        first_interpurchase_time=life.second.delta(life.acquired, unit="day"),
        second_interpurchase_time=life.third.delta(life.second, unit="day"),
    )
    return gaps.order_by("customer_id").execute().set_index("customer_id")


def collapse(customers: ir.Table, *extra: str) -> pd.DataFrame:
    """The distinct customers of a summary: a frame with `customers`, how many each row stands for.

    Parameters
    ----------
    customers : Ibis table
        The table of `summarise`, or what `with_holdout` made of it.
    *extra : str
        More columns that customers must share to be in one row, such as "orders" or "monetary_value".

    Returns
    -------
    DataFrame
        Sorted by frequency, recency, age and `extra`; where monetary_value is not among `extra`, it is the mean over
        the row's customers, exact.
    """
    keys = (*SUFFICIENT_STATISTICS, *extra)
    alike = customers.group_by(*keys).aggregate(customers=_.count(), repeat_spend=_.repeat_spend.sum())
    frame = alike.mutate(repeat_spend=_.repeat_spend.cast("float64")).order_by(*keys).execute()
    if "monetary_value" not in extra:
        orders = (frame.frequency * frame.customers).clip(lower=1)
        frame = frame.assign(monetary_value=frame.repeat_spend / orders)
    return frame.drop(columns="repeat_spend")


def collapsed(customers: Any, *extra: str) -> Any:
    """The frame of `collapse` of a lazy table; anything else as it is."""
    return collapse(customers, *extra) if isinstance(customers, ir.Table) else customers
