"""Customers left of a group, period by period."""

from crmlab.contracts.contract import Column, Contract, Rule, negative


def _row_rules(t, policy):
    none = Rule("customers", "is 0 in period 0", lambda t: (t.period == 0) & (t.customers == 0), "leave them out")
    return [*negative("period", "customers"), none]


def _table_rules(t):
    """Periods from 0 without gaps, and customers that never become more."""
    line = {"group_by": "group", "order_by": "period"}
    t = t.mutate(crmlab_before=t.period.lag().over(**line).fill_null(-1), crmlab_left=t.customers.lag().over(**line))
    gap, left = "has no row for the period before it in its group", "is more than in the period before"
    remedy = "give those left of the customers of period 0, without new ones"
    rules = [
        Rule("period", gap, lambda t: t.period - t.crmlab_before > 1, "give every period, from 0 on", "raw_period"),
        Rule("customers", left, lambda t: t.customers > t.crmlab_left, remedy, "raw_customers"),
    ]
    return t, rules, {}


def _counts(t, policy):
    start = t.customers.sum(where=t.period == 0)
    return {"customers": start, "groups": t.group.nunique(), "periods": t.period.max()}


def _words(c, entry):
    return {
        "customers in period 0": f"{c['customers']:,}",
        "groups": f"{c['groups']:,}",
        "periods": f"0 to {c['periods']:,}",
    }


RETENTION = Contract(
    kind="retention",
    description="customers left of a group, period by period",
    columns=(
        Column("group", "text", "whose customers they are", required=False),
        Column("period", "whole", "periods since all began, from 0"),
        Column("customers", "whole", "how many are left"),
    ),
    empty_message="a table of retention needs at least period 0",
    key=("group", "period"),
    duplicate_remedy="keep one row a group and period",
    inferable=True,
    row_rules=_row_rules,
    table_rules=_table_rules,
    counts=_counts,
    words=_words,
)
