"""What a repeat-buying model needs to know of each customer, built lazily where the orders are stored."""

import weakref
from datetime import date
from numbers import Real
from typing import Any, TypeAlias

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _

from crmlab import masks
from crmlab.contracts import InputError
from crmlab.dataset import Data
from crmlab.days import day_literal
from crmlab.orders import first_spend, need_amounts, order_days
from crmlab.stats import poisson_bootstrap

SUFFICIENT_STATISTICS = ("frequency", "recency", "age")
MOST_KEPT = 100_000  # rows of a collapsed table that are kept beside it
MOST_MEANS = 200_000  # repeat buyers whose mean spends are fitted one by one, which takes seconds; of more, in bins
BIN_WIDTH = 0.005  # of logs of mean spend; a twelfth of its square is the variance within bins, 2e-6
Orders: TypeAlias = Data | ir.Table
Customers: TypeAlias = ir.Table | pd.DataFrame
Day: TypeAlias = date | str
_collapsed: dict[int, dict[tuple[str, ...], pd.DataFrame]] = {}  # id of a table that lives -> what it collapsed to


def summarise(orders: Orders, end: Day, acquired_from: Day | None = None) -> ir.Table:
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
        acquired=_.day.min(),
        latest=_.day.max(),
        days=_.count(),
        spend=_.spend.sum(),
        first_spend=first_spend(days),
    )
    life = _acquired_from(life, acquired_from)
    features = life.select(
        "customer_id",
        frequency=_.days - 1,
        recency=_.latest.delta(_.acquired, unit="day"),
        age=day_literal(end).delta(life.acquired, unit="day"),
        repeat_spend=(_.spend - _.first_spend).cast("decimal(38, 4)"),
    )
    return _with_mean_spend(features)


def summarise_periods(orders: Orders, end: Day, period_days: int, acquired_from: Day | None = None) -> ir.Table:
    """Summarise what a model of opportunities needs to know of each customer, as of `end`: one opportunity a period.

    Periods are each customer's own: period k is days (k - 1) x period_days + 1 to k x period_days after the first
    order. What was ordered in the last one, unless it was whole by `end`, is not counted: neither as an order nor as
    spend.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not used.
    end : date or str
        Last day, or its ISO text.
    period_days : int
        Length of a period, days.
    acquired_from : date or str, optional
        Leave out customers whose first order is earlier, as data that begin later do not show when they were acquired.

    Returns
    -------
    Ibis table
        One row per customer_id, which `collapse` takes as it takes that of `summarise`: frequency, whole periods with
        an order, count; recency, number of the last of them, 0 without one; age, whole periods by `end`, count (n in
        the papers); repeat_spend, spent in periods with an order, exact, in the currency of `amount`; monetary_value,
        mean spend per period with an order, 0 without one.

    Raises
    ------
    InputError
        Where `period_days` is no whole number of 1 or more.
    """
    if not (isinstance(period_days, Real) and period_days >= 1 and period_days % 1 == 0):
        raise InputError(f"period_days = {period_days!r}: choose the days a period has, a whole number of 1 or more")
    days, length = _acquired_days(orders, end, acquired_from), int(period_days)
    periods = days.mutate(
        period=((_.day.delta(_.acquired, unit="day") + length - 1) // length).cast("int64"),
        age=(day_literal(end).delta(days.acquired, unit="day") // length).cast("int64"),
    ).filter(_.period <= _.age)
    features = periods.group_by("customer_id").aggregate(
        frequency=_.period.nunique() - 1,
        recency=_.period.max(),
        age=_.age.max(),
        repeat_spend=(_.spend.sum() - _.spend.sum(where=_.period == 0)).cast("decimal(38, 4)"),
    )
    return _with_mean_spend(features)


def with_holdout(customers: ir.Table, orders: Orders, split: Day, until: Day) -> ir.Table:
    """Join what each customer did after `split`, to `until`.

    Parameters
    ----------
    customers : Ibis table
        The table of `summarise`, as of `split`.
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `until` are not used.
    split : date or str
        Last day of calibration, or its ISO text.
    until : date or str
        Last day of the holdout, or its ISO text.

    Returns
    -------
    Ibis table
        `customers` with orders, days with an order, count; and spend, in the currency of `amount`.
    """
    after = order_days(orders, until).filter(_.day > day_literal(split)).group_by("customer_id")
    after = after.aggregate(orders=_.count(), spend=_.spend.sum())
    return customers.left_join(after, "customer_id").select(
        customers, orders=after.orders.fill_null(0), spend=_spend(after).cast("float64")
    )


def with_baseline_features(customers: ir.Table, orders: Orders, split: Day, window_days: int) -> ir.Table:
    """Join what baselines rest on: what each customer did up to `split`.

    Parameters
    ----------
    customers : Ibis table
        The table of `summarise`, as of `split`.
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `split` are not used.
    split : date or str
        Last day of calibration, or its ISO text.
    window_days : int
        Length of the window of last_orders and last_spend, which ends on `split`, days.

    Returns
    -------
    Ibis table
        `customers` with past_spend, spent so far, the first order included; last_orders, repeat-order days in the
        window, count; last_spend, spent in the window, the first order included; cohort, month of the first order, as
        199703. Spend is in the currency of `amount`.
    """
    days = _acquired_days(orders, split)
    last = day_literal(split).delta(days.day, unit="day") < window_days
    past = days.group_by("customer_id").aggregate(
        acquired=_.acquired.min(),
        past_spend=_.spend.sum().cast("float64"),
        last_orders=(last & (days.day > days.acquired)).sum(),
        last_spend=last.any().ifelse(days.spend.sum(where=last), 0).cast("float64"),
    )
    cohort = past.acquired.year() * 100 + past.acquired.month()
    joined = customers.left_join(past, "customer_id")
    return joined.select(customers, past.past_spend, past.last_orders, past.last_spend, cohort=cohort)


def weekly_orders(orders: Orders, split: Day, until: Day, acquired_from: Day | None = None) -> pd.DataFrame:
    """Count repeat-order days by week since the first acquisition, of the customers acquired by `split`.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `until` are not used.
    split : date or str
        Last day of calibration, or its ISO text.
    until : date or str
        Last day of the holdout, or its ISO text.
    acquired_from : date or str, optional
        Leave out customers whose first order is earlier, as data that begin later do not show when they were acquired.

    Returns
    -------
    DataFrame
        By week, of which 1 is the seven days that begin with the first acquisition, and the last is the last whole one
        by `until`: week_end, its last day; orders, count.
    """
    days = _acquired_days(orders, until, acquired_from).filter(_.acquired <= day_literal(split))
    daily = days.group_by("day").aggregate(orders=(_.day > _.acquired).sum()).execute()
    day = pd.to_datetime(daily.day)
    weeks = pd.RangeIndex(1, ((pd.Timestamp(until) - day.min()).days + 1) // 7 + 1, name="week")
    counts = daily.orders.groupby((day - day.min()).dt.days // 7 + 1).sum().reindex(weeks, fill_value=0)
    return pd.DataFrame({"week_end": day.min() + pd.to_timedelta(weeks * 7 - 1, unit="D"), "orders": counts})


def first_interpurchase_times(orders: Orders, end: Day, acquired_from: Day | None = None) -> pd.DataFrame:
    """Find the first two times between order days, of customers with at least three by `end`.

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
    DataFrame
        By customer_id: first_interpurchase_time and second_interpurchase_time, days.
    """
    days, following = _acquired_days(orders, end, acquired_from), ibis.window(group_by="customer_id", order_by="day")
    days = days.mutate(second=_.day.lead(1).over(following), third=_.day.lead(2).over(following))
    times = days.filter(_.day == _.acquired, _.third.notnull()).select(
        "customer_id",
        first_interpurchase_time=_.second.delta(_.day, unit="day"),
        second_interpurchase_time=_.third.delta(_.second, unit="day"),
    )
    return times.order_by("customer_id").execute().set_index("customer_id")


def collapse(customers: ir.Table, *extra: str) -> pd.DataFrame:
    """Collapse a summary to its distinct customers, with how many each row stands for.

    Parameters
    ----------
    customers : Ibis table
        The table of `summarise`, or what `with_holdout` made of it.
    *extra : str
        More columns that customers must share to be in one row, such as "orders" or "monetary_value".

    Returns
    -------
    DataFrame
        frequency, recency, age and `extra`, sorted by them; customers, count; where monetary_value is not among
        `extra`, it is the mean over the row's customers, exact. A table is collapsed once, while it lives.
    """
    if id(customers) not in _collapsed:
        _collapsed[id(customers)] = {}
        weakref.finalize(customers, _collapsed.pop, id(customers))
    kept = _collapsed[id(customers)]
    frame = kept[extra] if extra in kept else _collapse(customers, extra)
    if len(frame) <= MOST_KEPT:
        kept[extra] = frame
    return frame.copy()


def _collapse(customers, extra):
    keys = (*SUFFICIENT_STATISTICS, *extra)
    alike = customers.group_by(*keys).aggregate(customers=_.count(), repeat_spend=_.repeat_spend.sum())
    frame = alike.mutate(repeat_spend=_.repeat_spend.cast("float64")).order_by(*keys).execute()
    if "monetary_value" not in extra:
        frame["monetary_value"] = frame.repeat_spend / (frame.frequency * frame.customers).clip(lower=1)
    return frame.drop(columns="repeat_spend")


def reweighted(customers: Any, *extra: str) -> tuple[pd.DataFrame, np.ndarray] | None:
    """The frame of `collapse`, and how many customers each row has more, or fewer, in each bootstrap replicate.

    None of what is no lazy table with ids, and of more than `MOST_KEPT` customers. A table is reweighted once, while it
    lives.
    """
    if not isinstance(customers, ir.Table) or "customer_id" not in customers.columns:
        return None
    frame, keys = collapse(customers, *extra), [*SUFFICIENT_STATISTICS, *extra]
    if frame.customers.sum() > MOST_KEPT:
        return None
    kept, name = _collapsed[id(customers)], ("reweighted", *extra)
    if name not in kept:
        each = customers.select("customer_id", *keys).execute()
        rows = pd.MultiIndex.from_frame(frame[keys].astype(float))
        place = rows.get_indexer(pd.MultiIndex.from_frame(each[keys].astype(float)))
        change = np.zeros((len(frame), poisson_bootstrap.REPLICATES))
        np.add.at(change, place, poisson_bootstrap.weights(each.customer_id, masks.key()) - 1.0)
        kept[name] = pd.DataFrame(change)
    return frame, kept[name].to_numpy()


def mean_spends(customers: Customers) -> pd.DataFrame:
    """What a model of spend rests on: frequency and monetary_value of repeat buyers, with how many share them.

    Of a lazy table of more than `MOST_MEANS` repeat buyers who spent something, means are grouped where they are
    stored: those of one frequency within a bin of `BIN_WIDTH` become their geometric mean, which keeps the sums of
    logs. Then the frame has the number of each `bin`, and `attrs["bin_width"]`.
    """
    if not isinstance(customers, ir.Table):
        return with_age(customers)
    buyers = customers.filter(customers.frequency > 0, customers.monetary_value > 0)
    logs = buyers.select("frequency", log=buyers.monetary_value.log().cast("decimal(18, 12)"))  # sums are exact
    bins = logs.group_by("frequency", bin=(logs.log.cast("float64") / BIN_WIDTH).floor().cast("int64"))
    bins = bins.aggregate(customers=_.count(), log=_.log.sum().cast("float64"))
    frame = bins.order_by("frequency", "bin").execute()
    if frame.customers.sum() <= MOST_MEANS:
        return collapse(customers, "monetary_value")
    return with_geometric_means(frame, BIN_WIDTH)


def with_geometric_means(bins: pd.DataFrame, width: float) -> pd.DataFrame:
    """Bins with the geometric mean of each as monetary_value, in place of the sum of its logs."""
    frame = bins.assign(monetary_value=np.exp(bins.log / bins.customers)).drop(columns="log")
    frame.attrs["bin_width"] = width
    return frame


def histories(orders: Orders, early: Day, late: Day, acquired_from: Day | None = None) -> pd.DataFrame:
    """What customers had done by two days: the frame of `collapse` as of `late`, sorted, with the same as of `early`.

    frequency_early, recency_early and age_early are missing for those acquired in between.
    """
    names = ("customer_id", *SUFFICIENT_STATISTICS)
    before, after = (summarise(orders, day, acquired_from).select(*names) for day in (early, late))
    keys = [*SUFFICIENT_STATISTICS, *(f"{name}_early" for name in SUFFICIENT_STATISTICS)]
    both = after.left_join(before, "customer_id", rname="{name}_early")
    return both.group_by(keys).aggregate(customers=_.count()).order_by(keys).execute()


def as_of_early(both: pd.DataFrame) -> pd.DataFrame:
    """Of the frame of `histories`, the customers known on the early day, as they were then."""
    known = both[both.frequency_early.notna()].drop(columns=[*SUFFICIENT_STATISTICS])
    return known.rename(columns={f"{name}_early": name for name in SUFFICIENT_STATISTICS})


def collapsed(customers: Any, *extra: str) -> Any:
    """The frame of `collapse` of a lazy table; anything else as it is, its T as age."""
    return collapse(customers, *extra) if isinstance(customers, ir.Table) else with_age(customers)


def collapsed_spend(customers: Any) -> Any:
    """The same by monetary_value. Raises FitError where the data hold no amounts."""
    frame = collapsed(customers, "monetary_value")
    need_amounts(frame.monetary_value)
    return frame


def with_age(customers: Any) -> Any:
    """A frame whose `age` may be called T, as in the papers and in lifetimes; anything else as it is."""
    if isinstance(customers, pd.DataFrame) and "T" in customers and "age" not in customers:
        return customers.rename(columns={"T": "age"})
    return customers


def _acquired_days(orders, end, acquired_from=None):
    """Order days as of `end`, with the day on which each customer was `acquired`."""
    days = order_days(orders, end)
    return _acquired_from(days.mutate(acquired=days.day.min().over(group_by="customer_id")), acquired_from)


def _acquired_from(table, day):
    """The rows of customers acquired on a day or later; all where it is None."""
    return table if day is None else table.filter(table.acquired >= day_literal(day))


def _spend(after):
    """What was spent by customers some of whom did not order: 0 by these; null where a log holds no amounts."""
    return after.orders.isnull().ifelse(0, after.spend)


def _with_mean_spend(features):
    mean = features.repeat_spend.cast("float64") / features.frequency.nullif(0)
    known = features.repeat_spend.notnull()  # of a log that holds amounts
    return features.mutate(monetary_value=known.ifelse(mean.fill_null(0.0), ibis.null("float64")))
