"""Sales, period by period, an even step apart."""

from crmlab.contracts.contract import Column, Contract, Rule, first, negative

STEPS = {
    (1, "days"): "day",
    (7, "days"): "week",
    (1, "months"): "month",
    (3, "months"): "quarter",
    (12, "months"): "year",
}


def _table_rules(t):
    """Times an even step apart: days, or months where that fits."""
    line = {"group_by": "category", "order_by": "time"}
    month = t.time.year() * 12 + t.time.month()
    before = t.time.lag().over(**line)
    t = t.mutate(crmlab_days=t.time.delta(before, unit="day"), crmlab_months=month - month.lag().over(**line))
    days, months = t.crmlab_days, t.crmlab_months
    steps = first(t.aggregate(days=days.min(), widest=days.max(), months=months.min(), most=months.max()))
    if steps["days"] is None:
        return t, [], {"every": None}
    even = steps["days"] == steps["widest"] and steps["months"] != steps["most"]
    column = "crmlab_days" if steps["days"] < 28 or steps["months"] < 1 or even else "crmlab_months"
    size, unit = steps[column.removeprefix("crmlab_")], column.removeprefix("crmlab_")
    every = STEPS.get((size, unit), f"{size} {unit}")
    message = f"comes more than {'a ' if (size, unit) in STEPS else ''}{every} after the one before it"
    remedy = "give every period, with 0 where nothing was sold"
    return t, [Rule("time", message, lambda t: t[column] > size, remedy, "raw_time")], {"every": every}


def _counts(t, policy):
    return {"categories": t.category.nunique(), "first": t.time.min(), "last": t.time.max(), "sales": t.sales.sum()}


def _words(c, entry):
    every = f"one every {c['every']}" if c["every"] else "a single one"
    return {
        "categories": f"{c['categories']:,}",
        "first to last period": f"{c['first']} to {c['last']}, {every}",
        "sales": f"{c['sales']:,.10g}{entry.unit}",
    }


SERIES = Contract(
    kind="series",
    description="sales, period by period",
    columns=(
        Column("time", "period", "the period: a day in it, the same in each, or its name, as 2001-Q4"),
        Column("sales", "number", "what was sold in it"),
        Column("category", "text", "of which kind of product", required=False),
    ),
    empty_message="a series needs at least one period",
    key=("category", "time"),
    duplicate_remedy="keep one row a category and period, with the sum of its sales",
    inferable=True,
    row_rules=lambda t, policy: negative("sales"),
    table_rules=_table_rules,
    counts=_counts,
    words=_words,
)
