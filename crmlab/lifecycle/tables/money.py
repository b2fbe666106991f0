"""What each cohort spent in each calendar period, and which of that is not known yet."""

from datetime import date

import ibis.expr.types as ir
import pandas as pd
from ibis import _

from crmlab.dataset import Data
from crmlab.lifecycle.tables.cohorts import cohort_triangle, first_day, period_number
from crmlab.orders import daily_orders, need_amounts


def cohort_spend(
    orders: Data | ir.Table, end: date | str, every: str = "month", acquired_from: date | str | None = None
) -> pd.DataFrame:
    """What the customers of each cohort spent in each calendar period since its own, as known on `end`.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract; those after `end` are not seen.
    end : date or str
        Last day that the table sees; from the first to the last day with an order.
    every : str
        Length of a period: "week" (from Monday), "month", "quarter" or "year".
    acquired_from : date or str, optional
        Leaves out customers whose first order is earlier; None keeps all.

    Returns
    -------
    DataFrame
        The cells of `cohort_triangle`:

        - cohort, period, size, state: as there; period 0 is the cohort's own
        - spend: of the whole cohort in the period, in the currency of the data; a return is deducted in the period in
          which it came back
        - spend_per_customer: of each customer of the cohort, whether or not the customer ordered
        - cumulative_spend: of each customer of the cohort, from the first order to the end of the period

        What is "in progress" holds the spend so far; where a period has not begun, spend is NA, never 0. Blank where
        the data hold no amounts.

    Raises
    ------
    InputError
        Where `end` lies outside the log, or no period fits into it.

    Examples
    --------
    >>> from crmlab import catalog, lifecycle
    >>> spend = lifecycle.cohort_spend(catalog.orders("cdnow_sample"), "1997-12-31")
    >>> spend.spend_per_customer[spend.period == 1].round(2).tolist()
    [8.97, 7.49, 5.71]
    """
    cells = cohort_triangle(orders, end, every, acquired_from)
    days = daily_orders(orders, end, acquired_from)
    units = days.group_by("customer_id", unit=period_number(days.day, every).cast("int64"))
    units = units.aggregate(orders=_.orders.sum(), spend=_.spend.sum())
    ordered = (units.orders > 0).ifelse(units.unit, None)
    units = units.mutate(cohort=ordered.min().over(group_by="customer_id"))
    sums = units.group_by("cohort", period=units.unit - units.cohort).aggregate(spend=_.spend.sum().cast("float64"))
    found = sums.execute()
    need_amounts(found.spend)
    found["cohort"] = first_day(found.cohort, every)
    frame = cells[["cohort", "period", "size", "state"]].merge(found, "left", ["cohort", "period"])
    begun = cells.eligible.notna().to_numpy()
    frame["spend"] = frame.spend.fillna(0.0).astype("Float64").where(begun)
    frame["spend_per_customer"] = frame.spend / frame["size"]
    frame["cumulative_spend"] = frame.groupby("cohort").spend_per_customer.cumsum()
    return frame[["cohort", "period", "size", "spend", "spend_per_customer", "cumulative_spend", "state"]]
