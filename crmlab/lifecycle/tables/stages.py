"""Which stage of the relation each customer is in, period by period, built lazily where the log lives.

A label is made of what is known of the customer by the end of the period, and of nothing later.
"""

from datetime import timedelta
from itertools import combinations

import ibis
import pandas as pd
from ibis import _

from crmlab.contracts import InputError
from crmlab.lifecycle.tables.cohorts import check_every, first_day, period_number
from crmlab.lifecycle.tables.cycle import POOLED_FROM, daily_orders, day_number, order_span

STAGES = ("establishment", "growth", "maturity", "decline")
TRIAL = (
    POOLED_FROM - 1
)  # order days up to which a relation is being established: the customer's own pace is not known yet
WINDOW = {"week": 8, "month": 8, "quarter": 4, "year": 3}  # periods that tell the trend; before them, no maturity
MIN_CHANGE = 0.05  # of mean spend a period, by which spend must rise or fall a period between two to count
MIN_PAIRS = 0.5  # of all pairs of periods, between more than which spend must rise or fall so for there to be a trend
MIN_CONCORDANT = 0.8  # of these, more than which must be rises, or falls
MIN_PERIODS = 3  # periods without which there is no trend
UNITS = 10_000  # of spend, in one of its currency: the door keeps four decimals
MERGED_UP_TO = 2  # order days up to which first and last day tell all of them


def customer_stages(orders, end, every, thresholds, acquired_from=None):
    """The stage of each customer in each calendar period that ended by `end`, from that of the first order on: lazy.

    orders        : rows of the TRANSACTIONS contract; those after `end` are not seen
    end           : date, or its ISO text; from the first to the last day with an order
    every         : "week" (from Monday), "month", "quarter" or "year"
    thresholds    : the waits beyond which customers are overdue (`OverdueThresholds`): days, by order number below
                    POOLED_FROM; own_gap_multiple, own mean gaps from then on. Fitted up to an earlier day, nothing in
                    a label of a later period is known later than its end
    acquired_from : leave out customers whose first order is earlier
    returns       : customer_id and, as of the period's end,
        period   its first day
        orders   order days so far
        days_since_order   since the last one
        overdue_after      days of waiting beyond which the customer is overdue
        trend    1 where spend rose over the last periods, -1 where it fell, else 0; see `stage_definitions`
        stage    one of STAGES
        spend    in the period, returns deducted
    Raises InputError where `end` lies outside the log, or no period ended by it.
    """
    periods = complete_periods(orders, end, every)
    known = _so_far(_active(orders, periods, every, acquired_from), periods)
    labelled = _labelled(known, periods, thresholds, WINDOW[every])
    kept = "customer_id", "period", "orders", "days_since_order", "overdue_after", "trend", "spend"
    stage = ibis.cases(*((labelled.place == place, name) for place, name in enumerate(STAGES)))
    return labelled.select(*kept, stage=stage)


def stage_transitions(orders, end, every, thresholds, acquired_from=None):
    """How many customers moved between stages, period by period: a frame of counts. Arguments as of `customer_stages`.

    period           first day of the period
    before_previous, previous   stage two periods and one period earlier; "" before the first order
    stage            in the period
    customers        count
    spend, spend_squares   of these customers in the period: sum, and sum of squares
    """
    periods = complete_periods(orders, end, every)
    known = _so_far(_active(orders, periods, every, acquired_from), periods)
    labelled = _labelled(_merged(known), periods, thresholds, WINDOW[every])
    labelled = labelled.select("customer_id", "number", "place", "customers", "spend", "spend_squares")
    earlier = ibis.window(group_by=labelled.customer_id, order_by=labelled.number)
    moved = labelled.mutate(before_previous=_.place.lag(2).over(earlier), previous=_.place.lag(1).over(earlier))
    keys = ["number", "before_previous", "previous", "place"]
    counted = moved.group_by(*keys).aggregate(
        customers=_.customers.sum(), spend=_.spend.sum(), spend_squares=_.spend_squares.sum()
    )
    frame = counted.execute().fillna({"before_previous": -1, "previous": -1}).sort_values(keys, ignore_index=True)
    names = dict(enumerate(STAGES)) | {-1: ""}
    labels = {"period": frame.number.map(pd.to_datetime(periods.period))}
    labels |= {
        "before_previous": frame.before_previous.map(names),
        "previous": frame.previous.map(names),
        "stage": frame.place.map(names),
    }
    return pd.DataFrame(labels).join(frame[["customers", "spend", "spend_squares"]])


def latest_stages(stages, customer_ids):
    """The latest stage of some customers, out of `customer_stages`: a Series by customer_id.

    customer_ids : of those asked for; those who never ordered are left out
    """
    wanted = ibis.memtable(pd.DataFrame({"customer_id": pd.unique(pd.Series(customer_ids, dtype="string"))}))
    latest = stages.semi_join(wanted, "customer_id").group_by("customer_id").aggregate(stage=_.stage.argmax(_.period))
    return latest.order_by("customer_id").execute().set_index("customer_id").stage


def complete_periods(orders, end, every):
    """The calendar periods from that of the first order to the last one over by `end`: a frame.

    number from 0; period and closes: its first and last day
    """
    begun, end = order_span(orders, end)
    check_every(every)
    zero, over = period_number(begun, every), period_number(end + timedelta(days=1), every)
    opens = first_day(pd.Series(range(zero, over + 1)), every)
    if over == zero:
        close = first_day(pd.Series([zero + 1]), every)[0].date() - timedelta(days=1)
        raise InputError(
            f"every = {every!r}: that of the first order, on {begun}, was not over by {end}; "
            f"choose a shorter period, or an end from {close} on"
        )
    closes = opens.shift(-1) - pd.Timedelta(days=1)
    found = pd.DataFrame({"number": opens.index.astype("int32"), "period": opens.dt.date, "closes": closes.dt.date})
    return found.iloc[:-1]


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


def _so_far(active, periods):
    """`active`, spend but for the period's own, as of the period's end: orders so far, first and last day of one.

    joined, until : numbers of the first period, and of the next in which something happened
    total, least, ended : orders in all, in the period of the fewest, and the last day of one
    """
    life = {"group_by": "customer_id", "order_by": "number"}
    so_far, whole = life | {"rows": (None, 0)}, life | {"rows": (None, None)}
    return active.mutate(
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
        spend=known.spend.sum(),
        spend_squares=known.spend_squares.sum(),
        **alike,
    )


def _labelled(known, periods, thresholds, window):
    """Customers period by period, from that of the first order to the last, each with the `place` of its stage."""
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
    known = known.mutate(spend=now.ifelse(known.spend, 0.0), spend_squares=now.ifelse(known.spend_squares, 0.0))
    table = ibis.memtable(periods)
    return known.drop("at").inner_join(table.mutate(closes=day_number(table.closes)), "number")


def _with_trend(grid, window):
    """`grid` with trend: 1 where spend rose over the last `window` periods, -1 where it fell, else 0.

    To rise is to rise by MIN_CHANGE of mean spend for every period between the two. The slopes are those of which the
    median is the robust slope [Theil 1950; Sen 1968]; here their signs are counted, so that how far a spike goes is no
    matter. Periods count that came after that of the first order, which holds one by definition.
    """
    grid = grid.mutate(known=ibis.least(grid.number - grid.joined, window))
    units = (grid.spend * UNITS).round()  # whole numbers, whose sums and products are exact
    grid = grid.mutate(counted=(grid.number > grid.joined).ifelse(units, ibis.null("float64")))
    in_turn = {"group_by": grid.customer_id, "order_by": grid.number}
    earlier, recent = ibis.window(**in_turn), ibis.window(**in_turn, preceding=window - 1, following=0)
    spend = {f"spend_{k}": grid.counted.lag(k).over(earlier) if k else grid.counted for k in range(window)}
    grid = grid.mutate(**spend, scale=grid.counted.abs().sum().over(recent), weight=grid.known / MIN_CHANGE)
    pairs = [
        ((grid[f"spend_{i}"] - grid[f"spend_{j}"]) * grid.weight, (j - i) * grid.scale)
        for i, j in combinations(range(window), 2)
    ]
    up = sum(ibis.ifelse(rise > limit, 1, 0) for rise, limit in pairs)
    down = sum(ibis.ifelse(rise < -limit, 1, 0) for rise, limit in pairs)
    grid = grid.mutate(up=up, down=down)
    both = grid.up + grid.down
    has_trend = (grid.known >= MIN_PERIODS) & (both > MIN_PAIRS * grid.known * (grid.known - 1) / 2)
    rising, falling = has_trend & (grid.up > MIN_CONCORDANT * both), has_trend & (grid.down > MIN_CONCORDANT * both)
    return grid.mutate(trend=ibis.cases((rising, 1), (falling, -1), else_=0))
