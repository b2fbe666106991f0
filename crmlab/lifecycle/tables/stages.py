"""Which stage of the relationship each customer is in, period by period, computed where the log lives.

A label uses what is known of the customer by the end of the period, and nothing later.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from crmlab.contracts import InputError
from crmlab.dataset import Data
from crmlab.lifecycle.tables.cohorts import check_every, first_day, is_over, period_number, what_fits
from crmlab.lifecycle.tables.cycle import POOLED_FROM, day_number, order_span
from crmlab.model import blank_of, needs_fit, why_blank
from crmlab.orders import daily_orders, exact_sum, observed_span, rows

STAGES = ("establishment", "growth", "maturity", "decline")
TRIAL = POOLED_FROM - 1  # order days up to which a relationship is being established: their pace is not known yet
WINDOW = {"week": 8, "month": 8, "quarter": 4, "year": 3}  # periods that a trend is read from; no maturity before
MIN_CHANGE = 0.05  # of mean spend a period, by which spend must rise or fall a period between two to count
MIN_PAIRS = 0.5  # of all pairs of periods, between more than which spend must rise or fall so for there to be a trend
MIN_CONCORDANT = 0.8  # of these, more than which must be rises, or falls
MIN_PERIODS = 3  # periods without which there is no trend
UNITS = 10_000  # of spend, in one of its currency: validation keeps four decimals
MERGED_UP_TO = 2  # order days up to which the first and the last day determine all


def customer_stages(
    orders: Data | ir.Table, end: date | str, every: str, thresholds: Any, acquired_from: date | str | None = None
) -> ir.Table | pd.DataFrame:
    """The stage of each customer in each calendar period that ended by `end`, from that of the first order on.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not seen.
    end : date or str
        Last day that the table sees; from the first to the last day with an order.
    every : str
        Length of a period: "week" (from Monday), "month", "quarter" or "year".
    thresholds : OverdueThresholds or Unfitted
        Waits beyond which customers are overdue, as from `OverdueThresholds.fit`. Where they were fitted up to an
        earlier day, a label of a later period rests on nothing that came after its end.
    acquired_from : date or str, optional
        Leaves out customers whose first order is earlier; None keeps all.

    Returns
    -------
    Ibis table
        Lazy, sorted by customer_id and period; a blank frame with the reason where there are no thresholds:

        - customer_id, period: who, and the first day of the period
        - as_of: its last day, to which what follows refers
        - orders: order days so far
        - days_since_order: days since the last one
        - overdue_after: days of waiting beyond which the customer is overdue
        - trend: 1 where spend rose over the last periods, -1 where it fell, else 0; see `stage_definitions`. Of a log
          without amounts it is that of order days
        - spend: in the period, returns deducted; null in a log without amounts
        - stage: establishment, growth, maturity or decline

    Raises
    ------
    InputError
        Where `end` lies outside the log, or no period ended by it.

    References
    ----------
    Dwyer, Schurr & Oh (1987), Developing buyer-seller relationships, Journal of Marketing 51 (2).

    Examples
    --------
    >>> from crmlab import catalog, lifecycle
    >>> orders, thresholds = catalog.orders("cdnow_sample"), lifecycle.OverdueThresholds((205, 173, 117), 4.9)
    >>> stages = lifecycle.customer_stages(orders, "1997-12-31", "month", thresholds)
    >>> stages.columns[-1], stages.count().execute()
    ('stage', 25989)
    """
    if reason := why_blank(thresholds):
        return blank_of(pd.DataFrame, reason)
    periods, known = _so_far(orders, end, every, acquired_from)
    labelled = _labelled(known, periods, thresholds, WINDOW[every])
    kept = "customer_id", "period", "as_of", "orders", "days_since_order", "overdue_after", "trend", "spend"
    stage = ibis.cases(*((labelled.place == place, name) for place, name in enumerate(STAGES)))
    return labelled.select(*kept, stage=stage).order_by("customer_id", "period")


@needs_fit
def stage_transitions(
    orders: Data | ir.Table, end: date | str, every: str, thresholds: Any, acquired_from: date | str | None = None
) -> pd.DataFrame:
    """How many customers moved between stages, period by period.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not seen.
    end : date or str
        Last day that the table sees; from the first to the last day with an order.
    every : str
        Length of a period: "week" (from Monday), "month", "quarter" or "year".
    thresholds : OverdueThresholds or Unfitted
        Waits beyond which customers are overdue, as from `OverdueThresholds.fit`.
    acquired_from : date or str, optional
        Leaves out customers whose first order is earlier; None keeps all.

    Returns
    -------
    DataFrame
        - period: first day of the period
        - before_previous, previous: stage two periods and one period earlier; "" before the first order
        - stage: in the period
        - customers: count
        - spend, spend_squares: of these customers in the period: sum, and sum of squares

    Raises
    ------
    InputError
        Where `end` lies outside the log, or no period ended by it.

    Examples
    --------
    >>> from crmlab import catalog, lifecycle
    >>> orders, thresholds = catalog.orders("cdnow_sample"), lifecycle.OverdueThresholds((205, 173, 117), 4.9)
    >>> transitions = lifecycle.stage_transitions(orders, "1997-12-31", "month", thresholds)
    >>> int(transitions.customers[transitions.period == transitions.period.max()].sum())
    2357
    """
    periods, labelled = labelled_periods(orders, end, every, thresholds, acquired_from)
    labelled = labelled.select("customer_id", "number", "place", "customers", "spend", "spend_squares")
    earlier = ibis.window(group_by=labelled.customer_id, order_by=labelled.number)
    moved = labelled.mutate(before_previous=_.place.lag(2).over(earlier), previous=_.place.lag(1).over(earlier))
    keys = ["number", "before_previous", "previous", "place"]
    sums = {"customers": _.customers.sum()} | {name: exact_sum(_[name]) for name in ("spend", "spend_squares")}
    frame = moved.group_by(*keys).aggregate(**sums).execute()
    frame = frame.fillna({"before_previous": -1, "previous": -1}).sort_values(keys, ignore_index=True)
    frame["number"] = frame.number.map(pd.to_datetime(periods.period))
    frame[keys[1:]] = frame[keys[1:]].apply(lambda place: place.map(dict(enumerate(STAGES)) | {-1: ""}))
    return frame.rename(columns={"number": "period", "place": "stage"})


@needs_fit
def latest_stages(stages: ir.Table, customer_ids: pd.Series | pd.Index | Sequence[str]) -> pd.Series:
    """The latest stage of some customers.

    Parameters
    ----------
    stages : Ibis table or blank frame
        Stages by customer and period, as from `customer_stages`.
    customer_ids : Series or Index
        Of those asked for; customers who never ordered are left out. A Series that is indexed by customer_id, such as
        that of `satisfaction_answers`, asks for those of its index.

    Returns
    -------
    Series
        Stage by customer_id.
    """
    if isinstance(customer_ids, pd.Series) and customer_ids.index.name == "customer_id":
        customer_ids = customer_ids.index
    wanted = ibis.memtable(pd.DataFrame({"customer_id": pd.unique(pd.Series(customer_ids, dtype="string"))}))
    latest = stages.semi_join(wanted, "customer_id").group_by("customer_id").aggregate(stage=_.stage.argmax(_.period))
    return latest.order_by("customer_id").execute().set_index("customer_id").stage


def customers_by(transitions, by, stage="stage"):
    """Customers by the values of a column of `stage_transitions` (rows) and by stage (columns)."""
    counts = transitions.pivot_table("customers", by, stage, "sum", fill_value=0)
    return counts.reindex(columns=list(STAGES), fill_value=0)


def labelled_periods(orders, end, every, thresholds, acquired_from):
    """The complete periods; and customers period by period, each with the place of its stage, like ones in one."""
    periods, known = _so_far(orders, end, every, acquired_from)
    return periods, _labelled(_merged(known), periods, thresholds, WINDOW[every])


def complete_periods(orders, end, every):
    """The calendar periods from that of the first order to the last one over by `end`: a frame.

    number from 0; period and closes: its first and last day
    """
    begun, end = order_span(orders, end)
    check_every(every)
    zero, over = period_number(begun, every), period_number(end + timedelta(days=1), every)
    opens = first_day(pd.Series(range(zero, max(over, zero + 1) + 1)), every).dt.date
    closes = opens.shift(-1).iloc[:-1] - timedelta(days=1)
    if over == zero:
        offers = what_fits(every, lambda each: is_over(begun, end, each), closes[0], observed_span(orders)[1])
        raise InputError(
            f"every = {every!r}: that of the first order, on {begun}, was not over by {end}; choose {offers}"
        )
    return pd.DataFrame({"number": closes.index.astype("int32"), "period": opens.iloc[:-1], "closes": closes})


def _active(orders, periods, every, acquired_from):
    """One row per customer and period with an order or a return: number of it, orders and spend in it, first, last."""
    days = daily_orders(orders, periods.closes.iloc[-1], acquired_from)
    zero = period_number(periods.period.iloc[0], every)
    days = days.mutate(number=(period_number(days.day, every) - zero).cast("int32"), day=day_number(days.day))
    ordered = days.orders > 0
    return days.group_by("customer_id", "number").aggregate(
        orders=days.orders.sum().cast("int32"),
        spend=days.spend.sum().cast("float64"),
        first=days.day.min(where=ordered),
        last=days.day.max(where=ordered),
    )


def _so_far(orders, end, every, acquired_from):
    """The complete periods; and `_active`, spend but for the period's own, as of its end: orders, first and last day.

    joined, until : numbers of the first period, and of the next in which something happened
    total, least, ended : orders in all, in the period of the fewest, and the last day of one
    """
    orders = rows(orders)
    periods = complete_periods(orders, end, every)
    life = {"group_by": "customer_id", "order_by": "number"}
    so_far, whole = life | {"rows": (None, 0)}, life | {"rows": (None, None)}
    return periods, _active(orders, periods, every, acquired_from).mutate(
        orders=_.orders.sum().over(**so_far).cast("int32"),
        first=_["first"].min().over(**so_far),
        last=_["last"].max().over(**so_far),
        joined=_.number.min().over(**so_far),
        until=_.number.lead().over(**life).fill_null(len(periods)).cast("int32"),
        total=_.orders.sum().over(**whole).cast("int32"),
        least=_.orders.min().over(**whole),
        ended=_["last"].max().over(**whole),
        spend_squares=_.spend**2,
    )


def _merged(known):
    """`known`, of `_so_far`, with customers of at most MERGED_UP_TO orders on the same days in one: of the same stages.

    customer_id is that of one of them; customers, how many they are; spend and squares, their sums
    """
    alone = (known.total > MERGED_UP_TO) | (known.least == 0)  # 0 where there is a period of returns alone
    known = known.mutate(alone=alone.ifelse(known.customer_id, ibis.null("string")))
    alike = {name: known[name].max() for name in ("orders", "last", "joined", "until")}
    return known.group_by("alone", "first", "ended", "number").aggregate(
        customer_id=known.customer_id.min(),
        customers=known.count().cast("int32"),
        spend=exact_sum(known.spend),
        spend_squares=exact_sum(known.spend_squares),
        **alike,
    )


def _labelled(known, periods, thresholds, window):
    """Customers period by period, from that of the first order to the last, each with the `place` of its stage."""
    if not hasattr(thresholds, "days") or not hasattr(thresholds, "own_gap_multiple"):
        raise InputError(f"thresholds = {thresholds!r} are no OverdueThresholds; fit them with OverdueThresholds.fit")
    grid = _with_trend(_every_period(known, periods), window)
    few = [(grid.orders == number, wait) for number, wait in enumerate(thresholds.days, 1)]
    mean_gap = (grid["last"] - grid["first"]) / (grid.orders - 1).nullif(0)
    many = thresholds.days[-1] if thresholds.own_gap_multiple is None else thresholds.own_gap_multiple * mean_gap
    grid = grid.mutate(
        days_since_order=grid.closes - grid["last"], overdue_after=ibis.cases(*few, else_=many).cast("float64")
    )
    establishment, growth, maturity, decline = range(len(STAGES))
    place = ibis.cases(
        (grid.days_since_order > grid.overdue_after, decline),
        (grid.orders <= TRIAL, establishment),
        (grid.trend < 0, decline),
        ((grid.trend > 0) | (grid.known < window), growth),
        else_=maturity,
    )
    return grid.mutate(place=place.cast("int8"))


def _every_period(known, periods):
    """`known`, of `_so_far`, with the periods in which nothing happened."""
    known = known.mutate(at=known.number, number=ibis.range(known.number, known.until).unnest())
    now = known.at == known.number
    none = known.spend.notnull().ifelse(0.0, ibis.null("float64"))  # spent in a period without orders
    known = known.mutate(spend=now.ifelse(known.spend, none), spend_squares=now.ifelse(known.spend_squares, none))
    table = ibis.memtable(periods)
    return known.drop("at").inner_join(table.mutate(as_of=table.closes, closes=day_number(table.closes)), "number")


def _with_trend(grid, window):
    """`grid` with trend: 1 where spend, or orders of a log without amounts, rose over the last `window` periods, -1
    where it fell, else 0.

    To rise is to rise by MIN_CHANGE of mean spend for every period between the two. The slopes are those of which the
    median is the robust slope [Theil 1950; Sen 1968]; here their signs are counted, so that how far a spike goes is no
    matter. Periods count that came after that of the first order, which holds one by definition.
    """
    grid = grid.mutate(known=ibis.least(grid.number - grid.joined, window))
    before = grid.orders.lag(1).over(group_by=grid.customer_id, order_by=grid.number).fill_null(0)
    measured = grid.spend.fill_null((grid.orders - before).cast("float64"))
    units = (measured * UNITS).round()  # whole numbers, whose sums and products are exact
    grid = grid.mutate(counted=(grid.number > grid.joined).ifelse(units, ibis.null("float64")))
    in_turn = {"group_by": grid.customer_id, "order_by": grid.number}
    earlier, recent = ibis.window(**in_turn), ibis.window(**in_turn, preceding=window - 1, following=0)
    spend = {f"spend_{k}": grid.counted.lag(k).over(earlier) if k else grid.counted for k in range(window)}
    grid = grid.mutate(**spend, scale=grid.counted.abs().sum().over(recent), weight=grid.known / MIN_CHANGE)
    rise = {(i, j): (grid[f"spend_{i}"] - grid[f"spend_{j}"]) * grid.weight for i, j in combinations(range(window), 2)}
    up = sum(ibis.ifelse(rise[i, j] > (j - i) * grid.scale, 1, 0) for i, j in rise)
    down = sum(ibis.ifelse(rise[i, j] < -(j - i) * grid.scale, 1, 0) for i, j in rise)
    grid = grid.mutate(up=up, down=down)
    both = grid.up + grid.down
    has_trend = (grid.known >= MIN_PERIODS) & (both > MIN_PAIRS * grid.known * (grid.known - 1) / 2)
    rising, falling = has_trend & (grid.up > MIN_CONCORDANT * both), has_trend & (grid.down > MIN_CONCORDANT * both)
    return grid.mutate(trend=ibis.cases((rising, 1), (falling, -1), else_=0))
