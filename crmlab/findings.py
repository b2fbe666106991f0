"""What a door found and changed, in plain words."""

from crmlab.contracts import CONTRACTS

NATURES = {
    "real": "real data",
    "demonstration": "demonstration data, not real",
    "simulated": "simulated data, not real",
    "own": "your own data",
}
ZEROS = {"order": "counted as orders", "drop": "dropped"}


def describe(name, entry, counts):
    """What was found, line by line: text by what it says."""
    describe_contract = _transactions if entry.contract == "transactions" else _companion
    return {"data": f"{name} ({NATURES[entry.nature]})"} | describe_contract(entry, counts)


def _transactions(entry, c):
    unit = _unit(entry)
    return {
        "rows": f"{c['rows']:,}",
        "customers": f"{c['customers']:,}",
        "first to last order": f"{c['first']} to {c['last']}",
        "order days": f"{c['order_days']:,} (one a customer and day; {c['merged_rows']:,} rows merged into them)",
        "spend": f"{c['spend']:,.2f}{unit}",
        "zero amounts": f"{c['zero_amounts']:,} ({ZEROS[entry.zero]})",
        "returns": _returns(c, entry, unit),
        "amounts rounded to 4 decimals": f"{c['rounded_amounts']:,}",
    }


def _returns(c, entry, unit):
    if not c["returns"]:
        return "0"
    text = f"{c['returns']:,} rows, {c['returned']:,.2f}{unit}"
    if entry.returns == "drop":
        return f"{text}: dropped"
    return (
        f"{text}: netted (order days returned whole: {c['returned_out_days']:,}; rows without an earlier order, "
        f"left out: {c['returns_without_order']:,}; beyond what was bought: {-c['returns_beyond_order']:,.2f}{unit})"
    )


def _companion(entry, c):
    contract = CONTRACTS[entry.contract]
    found = {"contract": f"{contract.name}: {contract.description}", "rows": f"{c['rows']:,}"}
    found |= BY_CONTRACT[entry.contract](entry, c)
    if contract.attributes:
        kept = ", ".join(f"{name} ({kind})" for name, kind in c["attributes"].items())
        found["other columns"] = kept or "none"
    return found


def _subscriptions(entry, c):
    return {
        "customers": f"{c['customers']:,}",
        "groups": f"{c['groups']:,}",
        "contracts ended": f"{c['ended']:,}",
        "contracts running": f"{c['running']:,}",
        "first start to last day seen": f"{c['first']} to {c['last']}",
    }


def _retention(entry, c):
    return {
        "customers in period 0": f"{c['customers']:,}",
        "groups": f"{c['groups']:,}",
        "periods": f"0 to {c['periods']:,}",
    }


def _series(entry, c):
    every = f"one every {c['every']}" if c["every"] else "a single one"
    return {
        "categories": f"{c['categories']:,}",
        "first to last period": f"{c['first']} to {c['last']}, {every}",
        "sales": f"{c['sales']:,.10g}{_unit(entry)}",
    }


def _customers(entry, c):
    return {"customers": f"{c['customers']:,}"} | _yes_and_no(c, "reachable")


def _products(entry, c):
    named = {words: f"{c[name]:,}" for name, words in (("category", "categories"), ("brand", "brands")) if name in c}
    return named | _yes_and_no(c, "own_label")


def _yes_and_no(c, name):
    if name not in c:
        return {}
    unknown = c["rows"] - c[name] - c[f"not_{name}"]
    return {name.replace("_", " "): f"yes {c[name]:,}, no {c[f'not_{name}']:,}, unknown {unknown:,}"}


def _stores(entry, c):
    return {"stores": f"{c['rows']:,}"}


BY_CONTRACT = {
    "subscriptions": _subscriptions,
    "retention": _retention,
    "series": _series,
    "customers": _customers,
    "products": _products,
    "stores": _stores,
}


def _unit(entry):
    return f" {entry.currency}".rstrip()
