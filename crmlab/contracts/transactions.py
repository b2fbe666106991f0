"""The door of TRANSACTIONS: returns set against what they return, zero amounts, and order days."""

import ibis
from ibis import _

from crmlab.contracts import door
from crmlab.contracts.terms import TRANSACTIONS, InputError, Validated


def validate(raw, where, policy, faults):
    """The checked log behind a raw one. Raises InputError with every breach."""
    reading = door.read(raw, where, policy, TRANSACTIONS)
    typed, breaches = reading.typed, [*faults, *reading.breaches]
    counts, broken = door.count(typed, reading.rules, _amounts(typed))
    if not faults:
        breaches += door.describe_breaches(reading, typed, broken, counts["rows"])
    if breaches:
        raise InputError(*breaches)
    kept = _apply(typed, reading.present, policy)
    counts |= door.first(_order_counts(kept))
    if not counts["order_days"]:
        raise InputError(
            f"{where}: no order is left; rows: {counts['rows']:,}, zero amounts: {counts['zero_amounts']:,} "
            f"(zero = {policy.zero!r}), returns: {counts['returns']:,} (returns = {policy.returns!r}); "
            "state another policy in data/catalog.toml, or add orders"
        )
    return Validated(kept, counts)


def _amounts(typed):
    """What the door counts of amounts before it changes anything."""
    if "amount" not in typed.columns:
        return {}
    return {
        "zero_amounts": (typed.amount == 0).sum(),
        "returns": (typed.amount < 0).sum(),
        "returned": (-typed.amount.sum(where=typed.amount < 0)).fill_null(0),
        "rounded_amounts": typed.rounded.sum(),
    }


def _apply(typed, present, policy):
    """The accepted table under its policy."""
    kept = typed
    if policy.zero == "drop":
        kept = kept.filter(kept.amount != 0)
    if policy.returns == "drop":
        kept = kept.filter(kept.amount >= 0)
    kept = kept.select(*(column.name for column in present))
    return kept.mutate(order_day=_order_time(kept).date() if policy.returns == "net" else kept.time.date())


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
