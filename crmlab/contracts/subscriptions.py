"""Contracts of customers: their ends are observed."""

import ibis

from crmlab.contracts.contract import Column, Contract, Rule


def _row_rules(t, policy):
    rules = [Rule("end", "comes before the start", lambda t: t.end < t.start, "correct either", "raw_end")]
    if policy.until:
        message = f"comes after {policy.until}, the last day observed"
        remedy = "correct them, or until in data/catalog.toml"
        rules.append(Rule("start", message, lambda t: t.start > policy.until, remedy, "raw_start"))
    return rules


def _counts(t, policy):
    latest = ibis.literal(policy.until, "date") if policy.until else t.end.max()
    return {
        "customers": t.count(),
        "groups": t.group.nunique(),
        "ended": t.end.notnull().sum(),
        "running": t.end.isnull().sum(),
        "first": t.start.min(),
        "last": ibis.greatest(t.start.max(), latest.fill_null(t.start.max())),
    }


def _words(c, entry):
    return {
        "customers": f"{c['customers']:,}",
        "groups": f"{c['groups']:,}",
        "contracts ended": f"{c['ended']:,}",
        "contracts running": f"{c['running']:,}",
        "first start to last day observed": f"{c['first']} to {c['last']}",
    }


SUBSCRIPTIONS = Contract(
    kind="subscriptions",
    description="contracts of customers, from their start to their end",
    columns=(
        Column("customer_id", "text", "whose contract it is; text, never a number"),
        Column("start", "day", "first day of the contract"),
        Column("end", "day", "the day it was ended; empty while it runs", nullable=True),
        Column("group", "text", "what customers are compared by", required=False),
    ),
    empty_message="a table of contracts needs at least one",
    key=("customer_id",),
    duplicate_remedy="keep one contract of each, or give every contract an id of its own",
    inferable=True,
    row_rules=_row_rules,
    counts=_counts,
    words=_words,
)
