"""Orders: returns set against what they return, zero amounts, and order days."""

from datetime import UTC, date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis import _

from crmlab.contracts.blanks import holds
from crmlab.contracts.contract import Column, Contract, Validated, first, in_rows
from crmlab.contracts.errors import InputError

OF_RETURNS = (
    *("returned_out_days", "returns_beyond_order", "returns_without_order"),
    *("returns_by_order", "returns_by_product", "returns_by_customer"),
)
SUMMED = ("order_days", "spend", "merged_rows", *OF_RETURNS)  # over customers
MOST_COMPARED = 5_000_000  # rows that are compared with each other, which holds all of them in memory
FEW_ALIKE = 0.01  # share of rows alike that may be two equal purchases on a day, where orders have no number
PLACEHOLDERS = (date(1900, 1, 1), date(1970, 1, 1))  # days that programs write where none is known
WITHOUT_AMOUNTS = (
    "none: what is said of money is blank, and trends and sales are those of numbers of orders; name their column, as "
    'columns.amount = "Paid", for money'
)
ZEROS = {"order": "counted as orders", "drop": "dropped"}


def _counts(t, policy):
    """What there is to count of amounts before any row is dropped."""
    return {
        "amounts": t.amount.notnull().any(),
        "order_ids": t.order_id.notnull().any() if "order_id" in t.columns else ibis.literal(False),
        "zero_amounts": (t.amount == 0).sum().fill_null(0),
        "returns": (t.amount < 0).sum().fill_null(0),
        "returned": (-t.amount.sum(where=t.amount < 0)).fill_null(0),
        "rounded_amounts": t.rounded.sum() if "rounded" in t.columns else ibis.literal(0),
        "placeholder_days": t.time.date().isin([ibis.date(day) for day in PLACEHOLDERS]).sum(),
        "later_than_today": (t.time > ibis.literal(datetime.now(UTC).replace(tzinfo=None), "timestamp")).sum(),
        "within_months": (t.time.day() != 1).sum(),
    }


def _complete(validated, policy, where):
    """The log under its policy, and what is left of it as orders. Raises InputError where no order is."""
    applied = _apply(validated.table, policy)
    every = applied.drop("offset_by")
    table, counted = (
        t.filter(t.customer_id.notnull()) if policy.missing_ids == "anonymous" else t for t in (every, applied)
    )
    returns = validated.counts["returns"] and policy.returns != "drop"
    counts = validated.counts | (_order_counts if returns else _counts_without_returns)(counted)
    counts |= _repeated(validated)
    if not counts["order_days"]:
        dropped = policy.zero == "drop" and counts["zero_amounts"]
        keep_zeros = "state zero = 'order' in data/catalog.toml, " if dropped else ""
        raise InputError(
            f"{where}: no order is left; rows: {counts['rows']:,}, zero amounts: {counts['zero_amounts']:,} "
            f"(zero = {policy.zero!r}), returns: {counts['returns']:,} (returns = {policy.returns!r}); "
            f"{_without_ids(counts)}{keep_zeros}"
            "add orders with amounts above 0, or correct the sign of those that are orders"
        )
    return Validated(table, counts, every if policy.missing_ids == "anonymous" else None)


def _repeated(validated):
    """How many rows are alike another in all columns that are read; not counted of very many."""
    if validated.counts["rows"] > MOST_COMPARED:
        return {"repeated_rows": None}
    alike = validated.table.group_by(validated.table.columns).aggregate(n=_.count())
    return first(alike.aggregate(repeated_rows=(_.n - 1).sum().fill_null(0)))


def _without_ids(counts):
    missing = counts.get("missing_ids")
    return f"rows without a customer's id: {missing:,}; " if missing else ""


def _apply(t, policy):
    """The log without the rows that its policy drops, each with its `order_day`, and by what a return is offset."""
    if policy.zero == "drop":
        t = t.filter((t.amount != 0).fill_null(True))
    if policy.returns == "drop":
        t = t.filter(~is_return(t))
    if policy.returns != "net":
        return t.mutate(order_day=t.time.date(), offset_by=ibis.null("string"))
    offsets = _offsets(t)
    by = ibis.cases(*((time.notnull(), name) for name, time in offsets.items()))
    return t.mutate(
        order_day=is_return(t).ifelse(ibis.coalesce(*offsets.values()), t.time).date(),
        offset_by=is_return(t).ifelse(by, ibis.null("string")),
    )


def is_return(t: Any) -> ir.BooleanValue:
    """Which rows are returns; none where a log holds no amounts."""
    return (t.amount < 0).fill_null(False)


def _counts_without_returns(kept):
    """What `_order_counts` counts of rows none of which is a return, in less time: nothing is summed by customer."""
    by_customer = kept.select("customer_id", "order_day").distinct().group_by("customer_id").aggregate(days=_.count())
    customers = first(by_customer.aggregate(known_customers=_.count(), order_days=_.days.sum().fill_null(0)))
    day, spend = kept.order_day, kept.amount.sum().fill_null(0)
    rows = first(kept.aggregate(rows=_.count(), spend=spend, first=day.min(), last=day.max()))
    merged = {"customers": customers["known_customers"], "merged_rows": rows.pop("rows") - customers["order_days"]}
    return rows | customers | merged | dict.fromkeys(OF_RETURNS, 0)


def _order_counts(kept):
    """What is left of the rows, counted as order days."""
    days = kept.group_by("customer_id", "order_day").aggregate(
        rows=_.count(),
        bought=(~is_return(_)).sum(),
        spend=_.amount.sum(),
        returned=is_return(_).any(),
        by_order=(_.offset_by == "order").sum().fill_null(0),
        by_product=(_.offset_by == "product").sum().fill_null(0),
        by_customer=(_.offset_by == "customer").sum().fill_null(0),
    )
    dated, gone = days.order_day.notnull(), days.returned & (days.spend <= 0).fill_null(False)
    orders = dated & ~gone
    by_customer = days.group_by("customer_id").aggregate(  # groups spill to disk, where distinct counts do not
        order_days=orders.sum(),
        first=days.order_day.min(where=orders),
        last=days.order_day.max(where=orders),
        spend=days.spend.sum(where=orders),
        merged_rows=(days.bought - 1).sum(where=dated & (days.bought > 1)),
        returned_out_days=(dated & gone).sum(),
        returns_beyond_order=days.spend.sum(where=dated & (days.spend < 0)),
        returns_without_order=days.rows.sum(where=~dated),
        returns_by_order=days.by_order.sum(),
        returns_by_product=days.by_product.sum(),
        returns_by_customer=days.by_customer.sum(),
    )
    totals = by_customer.aggregate(
        customers=(_.order_days > 0).sum().fill_null(0),
        known_customers=_.customer_id.count(),
        first=_["first"].min(),
        last=_["last"].max(),
        **{name: by_customer[name].sum().fill_null(0) for name in SUMMED},
    )
    return first(totals)


def _offsets(t):
    """Times of the order that a return offsets, by what names it, the first that is not null: the same `order_id`'s,
    else the customer's latest earlier purchase of the same `product_id`, else the customer's latest earlier order. That
    of an unidentified customer is its own. No later row is looked at.
    """
    bought = (t.amount > 0).fill_null(True).ifelse(t.time, ibis.null("timestamp"))
    known = t.customer_id.notnull()
    found = {}

    def so_far(*same):  # by range, so that rows of one instant see each other
        return ibis.window(group_by=[t.customer_id, *same], order_by=t.time, range=(None, 0))

    if "order_id" in t.columns:
        time = bought.min().over(so_far(t.order_id))
        found["order"] = holds(t.order_id).ifelse(time, ibis.null("timestamp"))
    if "product_id" in t.columns:
        time = bought.max().over(so_far(t.product_id))
        found["product"] = (known & holds(t.product_id)).ifelse(time, ibis.null("timestamp"))
    return found | {"customer": known.ifelse(bought.max().over(so_far()), t.time)}


def _words(c, entry):
    days = f"{c['order_days']:,} (one a customer and day; {c['merged_rows']:,} rows merged into them)"
    whose = " of identified customers" if entry.missing_ids == "anonymous" else ""
    placed = {
        "customers": f"{c['customers']:,}",
        f"first to last order{whose}": f"{c['first']} to {c['last']}",
        f"order days{whose}": days,
    }
    if not c["amounts"]:
        return placed | {"amounts": WITHOUT_AMOUNTS} | _odd_days(c)
    return placed | {
        f"spend{whose}": f"{c['spend']:,.2f}{entry.unit}",
        "zero amounts": f"{c['zero_amounts']:,} ({ZEROS[entry.zero]})",
        "returns": _returns(c, entry),
        **_offset(c, entry),
        "amounts rounded to 4 decimals": f"{c['rounded_amounts']:,}",
        **_odd_days(c),
    }


def _odd_days(c):
    """Days that are hardly those of orders, in words; nothing where there are none."""
    found, leave_out = {}, "leave them out by where"
    if c["repeated_rows"] and (c["order_ids"] or c["repeated_rows"] > FEW_ALIKE * c["rows"]):
        alike = "the same as another in all columns that are read: counted; see that no file is there twice"
        found["repeated rows"] = f"{in_rows(c['repeated_rows'])} {alike}"
    if c["first"] != c["last"] and not c["within_months"]:
        found["days"] = f"times fall on first days of months only, all {c['rows']:,}"
    if c["placeholder_days"]:
        listed = " or ".join(map(str, PLACEHOLDERS))
        found["placeholder dates"] = f"{in_rows(c['placeholder_days'])} on {listed}: counted; {leave_out}"
    if c["later_than_today"]:
        found["orders later than today"] = f"{in_rows(c['later_than_today'])}: counted; {leave_out} if they are planned"
    return found


def _returns(c, entry):
    if not c["returns"]:
        return "0"
    text = f"{in_rows(c['returns'])}, {c['returned']:,.2f}{entry.unit}"
    if entry.returns == "drop":
        return f"{text}: dropped"
    gone = c["known_customers"] - c["customers"]
    return (
        f"{text}: netted (customers left without an order: {gone:,}; "
        f"order days returned whole: {c['returned_out_days']:,}; rows without an earlier order, left "
        f"out: {c['returns_without_order']:,}; beyond what was bought: {-c['returns_beyond_order']:,.2f}{entry.unit})"
    )


def _offset(c, entry):
    """What returns were set against, in words; nothing where none is netted."""
    if entry.returns != "net" or not c["returns"]:
        return {}
    latest = f"the latest earlier purchase of the same product {c['returns_by_product']:,}"
    other = f"the customer's latest earlier order {c['returns_by_customer']:,}"
    return {"returns set against": f"the same order {c['returns_by_order']:,}, {latest}, {other}"}


TRANSACTIONS = Contract(
    kind="transactions",
    description="orders, a row each or a row a line",
    columns=(
        Column("customer_id", "id", "who bought; text, never a number"),
        Column("time", "time", "when, on the clock of the shop"),
        Column("amount", "money", "what was paid; a return is negative", required=False),
        Column("order_id", "text", "which order the row belongs to", required=False, nullable=True),
        Column("product_id", "text", "what was bought", required=False, nullable=True),
        Column("category", "text", "the kind of product", required=False, nullable=True),
        Column("store_id", "text", "where", required=False, nullable=True),
        Column("quantity", "number", "how many", required=False, nullable=True),
    ),
    empty_message="a log needs at least one order",
    inferable=True,
    counts=_counts,
    complete=_complete,
    words=_words,
)
