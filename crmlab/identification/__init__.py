"""The identification rate: which orders, and how much money, bear a customer's id.

Where a shop knows only some of its customers (those with a card, or logged in), orders without an id are of customers
unknown. Customers who are known order without their id as well: their rates of ordering come out too low, and part of
their silence is an id that was not given.
"""

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis import _
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import PercentFormatter
from statsmodels.regression.linear_model import WLS

from crmlab.check import Judgement, Outcome, finding, judged
from crmlab.contracts import InputError
from crmlab.contracts.transactions import is_return
from crmlab.dataset import Data
from crmlab.estimate import Estimate
from crmlab.sentences import sentence, templates
from crmlab.style import ACTUAL, EXPECTED, axes, plot

KEYS = {"all": "all", "month": "month", "store": "store_id"}  # by -> column
MIN_MONTHS = 4  # of which a trend is made
MONTHS = 12  # in a year
POINTS, UNIT = 100, "percentage points"


def identification_rates(data: Data, by: str = "month") -> pd.DataFrame:
    """Count orders, and sum money, with and without a customer's id.

    Parameters
    ----------
    data : Data
        Orders that were read with missing_ids = "anonymous".
    by : str
        "all", "month" or "store".

    Returns
    -------
    DataFrame
        A row a month or store, in order: month (its first day) or store_id; orders, receipts where the log has
        order_id, else its rows, returns aside, count; identified_orders, those with an id, count; order_rate, their
        share; money, spent, returns aside, in the currency of the data; identified_money and money_rate alike.

    Raises
    ------
    InputError
        Where the data were read without anonymous orders, or have no store.

    Examples
    --------
    >>> from crmlab import catalog
    >>> log = pd.DataFrame({"customer_id": ["a", None, None, "b"], "time": "2024-03-01", "amount": [1, 2, 3, 4]})
    >>> rates = identification_rates(catalog.orders(log, missing_ids="anonymous"), "all")
    >>> rates[["orders", "identified_orders", "order_rate"]].to_numpy().tolist()
    [[4.0, 2.0, 0.5]]
    """
    if data.every is None:
        raise InputError(
            f"{data.findings.name}: no orders of unidentified customers; read it with missing_ids = 'anonymous'"
        )
    if by not in KEYS:
        raise InputError(f"by = {by!r}: choose one of {', '.join(KEYS)}")
    if by == "store" and "store_id" not in data.every.columns:
        raise InputError(f"{data.findings.name} has no store_id; choose by = 'month'")
    key = KEYS[by]
    lines = data.every.mutate(
        all=ibis.literal("all"),
        month=_.time.date().truncate("M"),
        known=_.customer_id.notnull(),
        back=is_return(_),
    )
    placed = _receipts(lines).group_by(key).aggregate(orders=_.count(), identified_orders=_.known.sum())
    spent = (
        lines.filter(~lines.back)
        .group_by(key)
        .aggregate(money=_.amount.sum().cast("float64"), identified_money=_.amount.sum(where=_.known).cast("float64"))
    )
    rates = placed.inner_join(spent, key).order_by(key).execute()
    rates["identified_orders"] = rates.identified_orders.fillna(0).astype("int64")
    rates["identified_money"] = rates.identified_money.where(rates.money.isna(), rates.identified_money.fillna(0))
    rates["order_rate"] = rates.identified_orders / rates.orders
    rates["money_rate"] = (rates.identified_money / rates.money).where(rates.money > 0)
    counts = ["orders", "identified_orders", "order_rate", "money", "identified_money", "money_rate"]
    return rates[counts if by == "all" else [key, *counts]]


def _receipts(lines: ir.Table) -> ir.Table:
    """A row an order, with whether any of its lines bears an id: lines of one order_id, store and day are one order."""
    placed = lines.filter(~lines.back)
    if "order_id" not in lines.columns:
        return placed
    placed = placed.mutate(named=placed.order_id.notnull() & (placed.order_id.strip() != "")).mutate(
        line=ibis.row_number()
    )
    alone = placed.named.ifelse(ibis.null("int64"), placed.line)
    same = {"receipt": placed.order_id, "alone": alone, "day": placed.time.date()}
    kept = [name for name in KEYS.values() if name in placed.columns]
    return placed.group_by(*kept, **same).aggregate(known=_.known.any())


def identification_trend(rates: pd.DataFrame) -> Estimate:
    """How much the share of orders with an id changes in a year: least squares over months, weighted by orders.

    Parameters
    ----------
    rates : DataFrame
        As from `identification_rates` by month.

    Returns
    -------
    Estimate
        Change in a year, percentage points, with its 95 % confidence interval; blank of fewer than 4 months.
    """
    if len(rates) < MIN_MONTHS:
        reason = f"a trend of the identification rate needs {MIN_MONTHS} months, of which there are {len(rates)}"
        return Estimate(None, unit=UNIT, reason=reason)
    months = pd.to_datetime(rates.month).dt.to_period("M").astype("int64").to_numpy()
    design = np.column_stack([np.ones(len(rates)), (months - months[0]) / MONTHS])
    fitted = WLS(POINTS * rates.order_rate.to_numpy(), design, rates.orders.to_numpy()).fit()
    low, high = fitted.conf_int()[1]
    return Estimate(fitted.params[1], low, high, n=len(rates), unit=UNIT)


@finding
def share_changes(trend: Estimate, rates: pd.DataFrame) -> Judgement:
    """Whether the share of orders with a customer's id changes over time.

    Parameters
    ----------
    trend : Estimate
        As from `identification_trend`.
    rates : DataFrame
        As from `identification_rates` by month.

    Returns
    -------
    Check
        Yes where the interval of the change in a year lies beyond 0; undecided else.
    """
    none = trend.ci_low is None or trend.ci_high is None or trend.ci_low <= 0 <= trend.ci_high
    outcome: Outcome = "undecided" if none else "yes"
    first, last = rates.iloc[0], rates.iloc[-1]
    ends = {"first_month": f"{first.month:%B %Y}", "last_month": f"{last.month:%B %Y}"}
    return judged(outcome, trend=trend, first=first.order_rate, last=last.order_rate, **ends)


def what_follows(rates: pd.DataFrame) -> str:
    """What follows for the report from orders without an id, in sentences.

    Parameters
    ----------
    rates : DataFrame
        As from `identification_rates` of all.
    """
    row = rates.iloc[0]
    values = {"orders": 1 - row.order_rate, "money": 1 - row.money_rate if pd.notna(row.money_rate) else np.nan}
    said = templates("crmlab.identification")["follows"]
    return sentence(said["both" if pd.notna(row.money_rate) else "orders"], values)


@plot
def identification_plot(rates: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the share of orders, and of money, with a customer's id, by month.

    Parameters
    ----------
    rates : DataFrame
        As from `identification_rates` by month.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Shares, 0 to 1, by month.
    """
    ax = axes(ax, height=3.0)
    ax.plot(rates.month, rates.order_rate, color=ACTUAL, marker="o", markersize=3, label="orders")
    if rates.money_rate.notna().any():
        ax.plot(rates.month, rates.money_rate, color=EXPECTED, marker="s", markersize=3, label="money")
    ax.set(xlabel="Month", ylabel="Share with a customer's id", ylim=(0, 1))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator(maxticks=8)))
    ax.legend(frameon=False)
    return ax
