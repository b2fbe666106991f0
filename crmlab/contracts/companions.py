"""The doors of all contracts but TRANSACTIONS: what rows have to keep, each and among themselves.

Past them, days are dates, `group` and `category` are "all" where the source has none, and attributes are numbers
where all their cells are, else text.
"""

from collections.abc import Callable
from dataclasses import dataclass

import ibis

from crmlab.contracts import attributes, door
from crmlab.contracts.terms import CONTRACTS, InputError, Validated
from crmlab.readings import Rule

ALL = "all"
DAYS = ("time", "start", "end")
STEPS = {
    (1, "days"): "day",
    (7, "days"): "week",
    (1, "months"): "month",
    (3, "months"): "quarter",
    (12, "months"): "year",
}


@dataclass(frozen=True)
class Constraints:
    """What a contract asks of its rows, beyond what each cell has to keep.

    key    : columns that no two rows may share
    duplicate_remedy : what to do where some do
    empty_message : how few rows there may be, in words
    row_rules : table and policy -> rules that a row keeps by itself
    table_rules : table -> the table with more columns, rules on them, and more to count; asked once all was read and
             no key was twice there
    counts : table and policy -> what there is to count
    """

    key: tuple
    duplicate_remedy: str
    empty_message: str
    row_rules: Callable = lambda t, policy: []
    table_rules: Callable = lambda t: (t, [], {})
    counts: Callable = lambda t, policy: {}


def validate(raw, where, policy, faults):
    """The checked table behind a raw one. Raises InputError with every breach."""
    contract, kind = CONTRACTS[policy.contract], CONSTRAINTS[policy.contract]
    others = attributes.read_attributes(raw, contract, policy)
    reading = door.read(raw, where, policy, contract, {kept.internal_name: kept.value for kept in others})
    breaches, t = [*faults, *reading.breaches], _completed(reading.typed, contract)
    if breaches:
        rows, broken = door.count(t, reading.rules, {})
        raise InputError(
            *breaches, *([] if faults else door.describe_breaches(reading, t, broken, rows["rows"], kind.empty_message))
        )
    shared = t.mutate(crmlab_shared=t.count().over(group_by=list(kind.key)))
    strict = [*reading.rules, _unique_key(kind)]
    counts, broken = door.count(shared, strict + kind.row_rules(t, policy), kind.counts(shared, policy))
    breaches = door.describe_breaches(reading, shared, broken, counts["rows"], kind.empty_message)
    if counts["rows"] and not any(rule in broken for rule in strict):
        lined, rules, more = kind.table_rules(t)
        breaches += door.describe_breaches(reading, lined, door.count(lined, rules, {})[1], counts["rows"])
        counts |= more
    if breaches:
        raise InputError(*breaches)
    names = [c.name for c in contract.columns if c.name in t.columns]
    counts["attributes"] = {kept.name: kept.kind for kept in others}
    return Validated(t.select(*names, **{kept.name: t[kept.internal_name] for kept in others}), counts)


def _completed(t, contract):
    """A typed table with days as dates, and `group` and `category` where a whole column of them may be left out."""
    days = {name: t[name].date() for name in DAYS if name in t.columns}
    absent = [c.name for c in contract.columns if not (c.required or c.nullable or c.name in t.columns)]
    return t.mutate(**days, **{name: ibis.literal(ALL) for name in absent})


def _unique_key(kind):
    """The rule that no two rows share the key of their kind."""
    *others, last = kind.key
    message = f"stands in more than one row{f' of its {others[0]}' if others else ''}"

    def shared(t):
        named = ibis.and_(*(t[name].cast("string").re_search(r"\S") for name in kind.key))
        return (t.crmlab_shared > 1) & named

    return Rule(last, message, shared, kind.duplicate_remedy, f"raw_{last}")


def _negative(*columns):
    return [Rule(name, "is negative", lambda t, n=name: t[n] < 0, "correct them", f"raw_{name}") for name in columns]


def _subscription_rules(t, policy):
    rules = [Rule("end", "comes before the start", lambda t: t.end < t.start, "correct either", "raw_end")]
    if policy.until:
        message, remedy = (
            f"comes after {policy.until}, the last day seen",
            "correct them, or until in data/catalog.toml",
        )
        rules.append(Rule("start", message, lambda t: t.start > policy.until, remedy, "raw_start"))
    return rules


def _subscriptions(t, policy):
    latest = ibis.literal(policy.until, "date") if policy.until else t.end.max()
    return {
        "customers": t.count(),
        "groups": t.group.nunique(),
        "ended": t.end.notnull().sum(),
        "running": t.end.isnull().sum(),
        "first": t.start.min(),
        "last": ibis.greatest(t.start.max(), latest.fill_null(t.start.max())),
    }


def _retention_rules(t, policy):
    none = Rule("customers", "is 0 in period 0", lambda t: (t.period == 0) & (t.customers == 0), "leave them out")
    return [*_negative("period", "customers"), none]


def _retention_table_rules(t):
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


def _retention(t, policy):
    start = t.customers.sum(where=t.period == 0)
    return {"customers": start, "groups": t.group.nunique(), "periods": t.period.max()}


def _series_table_rules(t):
    """Times an even step apart: days, or months where that fits."""
    line = {"group_by": "category", "order_by": "time"}
    month = t.time.year() * 12 + t.time.month()
    before = t.time.lag().over(**line)
    t = t.mutate(crmlab_days=t.time.delta(before, unit="day"), crmlab_months=month - month.lag().over(**line))
    days, months = t.crmlab_days, t.crmlab_months
    steps = door.first(t.aggregate(days=days.min(), widest=days.max(), months=months.min(), most=months.max()))
    if steps["days"] is None:
        return t, [], {"every": None}
    even = steps["days"] == steps["widest"] and steps["months"] != steps["most"]
    column = "crmlab_days" if steps["days"] < 28 or steps["months"] < 1 or even else "crmlab_months"
    size, unit = steps[column.removeprefix("crmlab_")], column.removeprefix("crmlab_")
    every = STEPS.get((size, unit), f"{size} {unit}")
    message = f"comes more than {'a ' if (size, unit) in STEPS else ''}{every} after the one before it"
    remedy = "give every period, with 0 where nothing was sold"
    return t, [Rule("time", message, lambda t: t[column] > size, remedy, "raw_time")], {"every": every}


def _series(t, policy):
    return {"categories": t.category.nunique(), "first": t.time.min(), "last": t.time.max(), "sales": t.sales.sum()}


def _customers(t, policy):
    return {"customers": t.count()} | _yes_no_counts(t, "reachable")


def _products(t, policy):
    named = {name: t[name].nunique() for name in ("category", "brand") if name in t.columns}
    return named | _yes_no_counts(t, "own_label")


def _yes_no_counts(t, name):
    """How many rows say yes and no, where they may."""
    if name not in t.columns:
        return {}
    return {name: t[name].sum().fill_null(0), f"not_{name}": (~t[name]).sum().fill_null(0)}


CONSTRAINTS = {
    "subscriptions": Constraints(
        ("customer_id",),
        "keep one contract of each, or give every contract an id of its own",
        "a table of contracts needs at least one",
        row_rules=_subscription_rules,
        counts=_subscriptions,
    ),
    "retention": Constraints(
        ("group", "period"),
        "keep one row a group and period",
        "a table of retention needs at least period 0",
        row_rules=_retention_rules,
        table_rules=_retention_table_rules,
        counts=_retention,
    ),
    "series": Constraints(
        ("category", "time"),
        "keep one row a category and period, with the sum of its sales",
        "a series needs at least one period",
        row_rules=lambda t, policy: _negative("sales"),
        table_rules=_series_table_rules,
        counts=_series,
    ),
    "customers": Constraints(
        ("customer_id",),
        "keep one row a customer",
        "a table of customers needs at least one",
        counts=_customers,
    ),
    "products": Constraints(
        ("product_id",),
        "keep one row a product",
        "a table of products needs at least one",
        counts=_products,
    ),
    "stores": Constraints(("store_id",), "keep one row a store", "a table of stores needs at least one"),
}
