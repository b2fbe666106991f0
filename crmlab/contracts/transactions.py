"""Orders: returns set against what they return, zero amounts, and order days."""

import ibis
from ibis import _

from crmlab.contracts.contract import Column, Contract, Validated
from crmlab.contracts.errors import InputError
from crmlab.contracts.validation import first

ZEROS = {"order": "counted as orders", "drop": "dropped"}


def _counts(t, policy):
    """What there is to count of amounts before any row is dropped."""
    return {
        "zero_amounts": (t.amount == 0).sum(),
        "returns": (t.amount < 0).sum(),
        "returned": (-t.amount.sum(where=t.amount < 0)).fill_null(0),
        "rounded_amounts": t.rounded.sum(),
        "within_months": (t.time.day() != 1).sum(),
    }


def _complete(validated, policy, where):
    """The log under its policy, and what is left of it as orders. Raises InputError where no order is."""
    table = _apply(validated.table, policy)
    counts = validated.counts | first(_order_counts(table))
    if not counts["order_days"]:
        dropped = policy.zero == "drop" and counts["zero_amounts"]
        keep_zeros = "state zero = 'order' in data/catalog.toml, " if dropped else ""
        raise InputError(
            f"{where}: no order is left; rows: {counts['rows']:,}, zero amounts: {counts['zero_amounts']:,} "
            f"(zero = {policy.zero!r}), returns: {counts['returns']:,} (returns = {policy.returns!r}); "
            f"{keep_zeros}add orders with amounts above 0, or correct the sign of those that are orders"
        )
    return Validated(table, counts)


def _apply(t, policy):
    """The log without the rows that its policy drops, each with its `order_day`."""
    if policy.zero == "drop":
        t = t.filter(t.amount != 0)
    if policy.returns == "drop":
        t = t.filter(t.amount >= 0)
    return t.mutate(order_day=_order_time(t).date() if policy.returns == "net" else t.time.date())


def _order_counts(kept):
    """What is left of the rows, counted as order days."""
    days = kept.group_by("customer_id", "order_day").aggregate(
        rows=_.count(), bought=(_.amount >= 0).sum(), spend=_.amount.sum(), returned=(_.amount < 0).any()
    )
    dated, gone = days.order_day.notnull(), days.returned & (days.spend <= 0)
    orders = dated & ~gone
    return days.aggregate(
        customers=days.customer_id.nunique(where=orders),
        order_days=orders.sum().fill_null(0),
        first=days.order_day.min(where=orders),
        last=days.order_day.max(where=orders),
        spend=days.spend.sum(where=orders).fill_null(0),
        merged_rows=(days.bought - 1).sum(where=dated & (days.bought > 1)).fill_null(0),
        returned_out_days=(dated & gone).sum().fill_null(0),
        returns_beyond_order=days.spend.sum(where=dated & (days.spend < 0)).fill_null(0),
        returns_without_order=days.rows.sum(where=~dated).fill_null(0),
    )


def _order_time(t):
    """The time of the order each row belongs to: a return's is the same `order_id`'s, else the customer's
    latest earlier one; null where there is none. No later row is looked at.
    """
    bought = (t.amount > 0).ifelse(t.time, ibis.null("timestamp"))
    so_far = {"order_by": t.time, "range": (None, 0)}  # by range, so that rows of one instant see each other
    offset = bought.max().over(ibis.window(group_by=t.customer_id, **so_far))
    if "order_id" in t.columns:
        same = bought.min().over(ibis.window(group_by=[t.customer_id, t.order_id], **so_far))
        named = t.order_id.notnull() & (t.order_id.strip() != "")
        offset = ibis.coalesce(named.ifelse(same, ibis.null("timestamp")), offset)
    return (t.amount < 0).ifelse(offset, t.time)


def _words(c, entry):
    coarse = c["first"] != c["last"] and not c["within_months"]
    return {
        "customers": f"{c['customers']:,}",
        "first to last order": f"{c['first']} to {c['last']}",
        "order days": f"{c['order_days']:,} (one a customer and day; {c['merged_rows']:,} rows merged into them)",
        "spend": f"{c['spend']:,.2f}{entry.unit}",
        "zero amounts": f"{c['zero_amounts']:,} ({ZEROS[entry.zero]})",
        "returns": _returns(c, entry),
        "amounts rounded to 4 decimals": f"{c['rounded_amounts']:,}",
        **({"days": f"times fall on first days of months only, all {c['rows']:,}"} if coarse else {}),
    }


def _returns(c, entry):
    if not c["returns"]:
        return "0"
    text = f"{c['returns']:,} rows, {c['returned']:,.2f}{entry.unit}"
    if entry.returns == "drop":
        return f"{text}: dropped"
    return (
        f"{text}: netted (order days returned whole: {c['returned_out_days']:,}; rows without an earlier order, left "
        f"out: {c['returns_without_order']:,}; beyond what was bought: {-c['returns_beyond_order']:,.2f}{entry.unit})"
    )


TRANSACTIONS = Contract(
    kind="transactions",
    description="orders, a row each or a row a line",
    columns=(
        Column("customer_id", "text", "who bought; text, never a number"),
        Column("time", "time", "when, on the clock of the shop"),
        Column("amount", "money", "what was paid; a return is negative"),
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
