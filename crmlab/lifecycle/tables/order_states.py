"""How customers move between states of buying: periods since the last order, and repeat orders of late."""

from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from crmlab.contracts import InputError
from crmlab.dataset import Data
from crmlab.lifecycle.tables import stages
from crmlab.model import needs_fit
from crmlab.orders import exact_sum

OPEN = 11  # periods since the last order, the last class: so many or more
RECENT = 6  # periods in which repeat orders are counted; orders so far never fall, the pace of customers does
MOST = 3  # repeat orders in them, the last class
KEYS = ("before_previous", "previous", "state")


@needs_fit
def state_transitions(
    orders: Data | ir.Table,
    end: date | str,
    every: str,
    thresholds: Any,
    periods_ahead: int = 6,
    acquired_from: date | str | None = None,
) -> pd.DataFrame:
    """How many customers moved between states of buying, period by period, and what they spent.

    A state is the number of periods since the last order, and of repeat orders in the last 6 periods. Both fix when a
    customer would be late, so that unlike a stage a state does not pool those just overdue with those long gone.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not seen.
    end : date or str
        Last day that the table sees; from the first to the last day with an order.
    every : str
        Length of a period: "week" (from Monday), "month", "quarter" or "year".
    thresholds : OverdueThresholds or Unfitted
        Waits beyond which customers are overdue, as from `OverdueThresholds.fit`; they decide the stage.
    periods_ahead : int
        Periods after each over which spend is summed, 1 or more.
    acquired_from : date or str, optional
        Leaves out customers whose first order is earlier; None keeps all.

    Returns
    -------
    DataFrame
        - period, as_of: first and last day of the period
        - before_previous, previous: state two periods and one period earlier, as `state`; -1 before the first order
        - state: periods since the last order (to 11, which stands for more) times 4, plus repeat orders (to 3)
        - stage: in the period
        - customers: count
        - spend, spend_squares: of these customers in the period: sum, and sum of squares
        - spend_ahead: of these customers in the next `periods_ahead`; NaN where they were not over by `end`

    Raises
    ------
    InputError
        Where `end` lies outside the log, no period ended by it, or `periods_ahead` is no count.

    Examples
    --------
    >>> from crmlab import catalog, lifecycle
    >>> orders, thresholds = catalog.orders("cdnow_sample"), lifecycle.OverdueThresholds((205, 173, 117), 4.9)
    >>> moves = lifecycle.state_transitions(orders, "1997-12-31", "month", thresholds)
    >>> int(moves.customers[moves.period == moves.period.max()].sum())
    2357
    """
    if periods_ahead < 1:
        raise InputError(f"periods_ahead = {periods_ahead}: choose a whole number, 1 or more")
    periods, grid = stages.labelled_periods(orders, end, every, thresholds, acquired_from)
    kept = "customer_id", "number", "place", "orders", "customers", "spend", "spend_squares"
    grid = with_state(grid.select(*kept), "number")
    grid = grid.mutate(state=(grid.since * (MOST + 1) + grid.recent).cast("int64"))
    life = {"group_by": "customer_id", "order_by": "number"}
    ahead = ibis.window(**life, rows=(1, periods_ahead))
    moved = grid.mutate(
        before_previous=_.state.lag(2).over(**life).fill_null(-1),
        previous=_.state.lag(1).over(**life).fill_null(-1),
        spend_ahead=(_.number + periods_ahead < len(periods)).ifelse(_.spend.sum().over(ahead), ibis.null("float64")),
    )
    keys = ["number", *KEYS, "place"]
    amounts = ("spend", "spend_squares", "spend_ahead")
    sums = {"customers": _.customers.sum()} | {name: exact_sum(_[name]) for name in amounts}
    frame = moved.group_by(*keys).aggregate(**sums).execute().sort_values(keys, ignore_index=True)
    frame.insert(1, "as_of", frame.number.map(pd.to_datetime(periods.closes)))
    frame["number"] = frame.number.map(pd.to_datetime(periods.period))
    frame["place"] = frame.place.map(dict(enumerate(stages.STAGES)))
    return frame.rename(columns={"number": "period", "place": "stage"}).astype(dict.fromkeys(KEYS, "int64"))


def with_state(grid, period):
    """`grid`, a row a customer and period with `orders` so far; with `since` and `recent`, the state at its end."""
    life = {"group_by": grid.customer_id, "order_by": grid[period]}
    grid = grid.mutate(at=ibis.row_number().over(**life), repeat=ibis.greatest(grid.orders - 1, 0))
    ordered = grid.orders > grid.orders.lag(1).over(**life).fill_null(0)
    grid = grid.mutate(ordered=ordered.ifelse(grid["at"], ibis.null("int64")))
    grid = grid.mutate(
        since=grid["at"] - grid.ordered.max().over(**life, rows=(None, 0)).fill_null(0),
        recent=grid.repeat - grid.repeat.lag(RECENT).over(**life).fill_null(0),
    )
    since, recent = ibis.least(grid.since, OPEN), ibis.least(grid.recent, MOST)
    return grid.mutate(since=since, recent=recent).drop("at", "repeat", "ordered")


def state_name(state, more=""):
    """A state, as `state_transitions` gives it, in words."""
    since, recent = divmod(int(state), MOST + 1)
    periods = "period" if since == 1 and not more else "periods"
    orders = "order" if recent == 1 else "orders"
    return f"{since}{more} {periods} since, {recent}{'+' * (recent == MOST)} repeat {orders}"
