"""What a repeat-buying model needs to know of each customer, built lazily where the log lives."""

from datetime import date
from numbers import Real

import ibis
import pandas as pd
from ibis import _

from crmlab.contracts import InputError

SUFFICIENT_STATISTICS = ("frequency", "recency", "age")


def summarise(orders, end, acquired_from=None):
    """What a repeat-buying model needs to know of each customer, as of `end`.

    orders  : rows of the TRANSACTIONS contract; those after `end` are not seen
    end           : date, or its ISO text
    acquired_from : leave out customers whose first order is earlier, as a log that begins in
                    mid-life does not show when they were acquired
    returns       : lazy table, one row per customer_id
        frequency       days with a repeat order, count
        recency         first order to last order, days
        age             first order to `end`, days (T in the papers)
        repeat_spend    spent on repeat-order days, exact, in the currency of `amount`
        monetary_value  mean spend per repeat-order day; 0 without one
    """
    days = order_days(orders, end)
    life = days.group_by("customer_id").aggregate(
        acquired=_.day.min(),
        latest=_.day.max(),
        days=_.count(),
        spend=_.spend.sum(),
        first_spend=_.spend.argmin(_.day),
    )
    if acquired_from is not None:
        life = life.filter(life.acquired >= _day(acquired_from))
    known = life.select(
        "customer_id",
        frequency=life.days - 1,
        recency=life.latest.delta(life.acquired, unit="day"),
        age=_day(end).delta(life.acquired, unit="day"),
        repeat_spend=(life.spend - life.first_spend).cast("decimal(38, 4)"),
    )
    mean = known.repeat_spend.cast("float64") / known.frequency.nullif(0)
    return known.mutate(monetary_value=mean.fill_null(0.0))


def summarise_periods(orders, end, period_days, acquired_from=None):
    """What a model of opportunities needs to know of each customer, as of `end`: one opportunity a period.

    Periods are each customer's own: period k is days (k - 1) x period_days + 1 to k x period_days after the first
    order. What was
    ordered in the last one, unless it was whole by `end`, is not counted: neither as an order nor as spend.

    orders  : rows of the TRANSACTIONS contract; those after `end` are not seen
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
        days = days.filter(days.acquired >= _day(acquired_from))
    days = days.mutate(
        period=((days.day.delta(days.acquired, unit="day") + period_days - 1) // period_days).cast("int64"),
        age=(_day(end).delta(days.acquired, unit="day") // period_days).cast("int64"),
    )
    periods = days.filter(days.period <= days.age)
    known = periods.group_by("customer_id").aggregate(
        frequency=_.period.nunique() - 1,
        recency=_.period.max(),
        age=_.age.max(),
        repeat_spend=_.spend.sum(where=_.period > 0).fill_null(0).cast("decimal(38, 4)"),
    )
    mean = known.repeat_spend.cast("float64") / known.frequency.nullif(0)
    return known.mutate(monetary_value=mean.fill_null(0.0))


def with_holdout(customers, orders, split, until):
    """`customers` with what each customer did after `split`, to `until`: order days as `orders`, money as `spend`."""
    days = order_days(orders, until)
    later = days.filter(days.day > _day(split))
    later = later.group_by("customer_id").aggregate(orders=_.count(), spend=_.spend.sum())
    return customers.left_join(later, "customer_id").select(
        customers, orders=later.orders.fill_null(0), spend=later.spend.fill_null(0).cast("float64")
    )


def with_baseline_features(customers, orders, split, window_days):
    """`customers` with what rules of thumb go by, of what each customer did up to `split`.

    returns : `customers` and
        cohort       month of the first order, as 199703
        past_spend   spent so far, the first order included, in the currency of `amount`
        last_orders  repeat-order days among the last `window_days`, count
        last_spend   spent in the last `window_days`, the first order included, in the currency of `amount`
    """
    known = order_days(orders, split)
    known = known.mutate(acquired=known.day.min().over(group_by="customer_id"))
    last = _day(split).delta(known.day, unit="day") < window_days
    past = known.group_by("customer_id").aggregate(
        acquired=known.acquired.min(),
        past_spend=known.spend.sum().cast("float64"),
        last_orders=(last & (known.day > known.acquired)).sum(),
        last_spend=known.spend.sum(where=last).fill_null(0).cast("float64"),
    )
    return customers.left_join(past, "customer_id").select(
        customers,
        past.past_spend,
        past.last_orders,
        past.last_spend,
        cohort=past.acquired.year() * 100 + past.acquired.month(),
    )


def weekly_orders(orders, split, until, acquired_from=None):
    """Repeat-order days by week since the first acquisition, of the customers acquired by `split`: a frame.

    week   : 1 is the seven days that begin with the first acquisition; the last is the last whole one by `until`
    week_end : its last day
    orders : count
    """
    days = order_days(orders, until)
    days = days.mutate(acquired=days.day.min().over(group_by="customer_id"))
    days = days.filter(days.acquired <= _day(split))
    if acquired_from is not None:
        days = days.filter(days.acquired >= _day(acquired_from))
    daily = days.group_by("day").aggregate(orders=(days.day > days.acquired).sum()).execute()
    daily["day"] = pd.to_datetime(daily.day)
    week = (daily.day - daily.day.min()).dt.days // 7 + 1
    whole = ((pd.Timestamp(until) - daily.day.min()).days + 1) // 7
    weeks = pd.RangeIndex(1, whole + 1, name="week")
    counts = daily.orders.groupby(week).sum().reindex(weeks, fill_value=0)
    return pd.DataFrame({"week_end": daily.day.min() + pd.to_timedelta(weeks * 7 - 1, unit="D"), "orders": counts})


def first_interpurchase_times(orders, end, acquired_from=None):
    """The first two gaps between order days, of customers with three by `end`: a frame by customer_id.

    first_interpurchase_time, second_interpurchase_time : days
    """
    days = order_days(orders, end)
    nth = ibis.row_number().over(group_by="customer_id", order_by="day")
    first = days.mutate(nth=nth).filter(_.nth <= 2).group_by("customer_id")
    life = first.aggregate(acquired=_.day.min(), second=_.day.max(where=_.nth <= 1), third=_.day.max(), days=_.count())
    life = life.filter(life.days == 3)
    if acquired_from is not None:
        life = life.filter(life.acquired >= _day(acquired_from))
    gaps = life.select(
        "customer_id",
        first_interpurchase_time=life.second.delta(life.acquired, unit="day"),
        second_interpurchase_time=life.third.delta(life.second, unit="day"),
    )
    return gaps.order_by("customer_id").execute().set_index("customer_id")


def collapse(customers, *extra):
    """The distinct customers of a summary: its exit to pandas, a frame with `customers`, how many each row stands for.

    customers : lazy table of `summarise`, or what `with_holdout` made of it
    extra   : more columns that customers must share to fall together, such as "orders" or "monetary_value"
    returns : rows sorted by frequency, recency, age and `extra`; where monetary_value is not among `extra`,
              it is the mean over the row's customers, exact
    """
    keys = (*SUFFICIENT_STATISTICS, *extra)
    rows = customers.group_by(*keys).aggregate(customers=_.count(), repeat_spend=_.repeat_spend.sum())
    frame = rows.mutate(repeat_spend=_.repeat_spend.cast("float64")).order_by(*keys).execute()
    if "monetary_value" not in extra:
        orders = (frame.frequency * frame.customers).clip(lower=1)
        frame = frame.assign(monetary_value=frame.repeat_spend / orders)
    return frame.drop(columns="repeat_spend")


def order_days(orders, end):
    """One row per customer and day with an order, as known on `end`: customer_id, day, spend.

    Returns are set against the day they offset; a day returned whole is no order.
    """
    seen = orders.filter(orders.time.date() <= _day(end), orders.order_day.notnull())
    days = seen.group_by("customer_id", day=seen.order_day).aggregate(
        spend=_.amount.sum(), returned=(_.amount < 0).any()
    )
    return days.filter(~days.returned | (days.spend > 0)).drop("returned")


def _day(day):
    return ibis.literal(day if isinstance(day, date) else date.fromisoformat(day), type="date")
