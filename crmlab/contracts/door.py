"""What every door does: read the columns of a contract, count in one pass what breaks a rule, and say so."""

import re
from dataclasses import dataclass

from crmlab.contracts.terms import FILE, ROW
from crmlab.readings import READERS, was_rounded

SHOWN = 5


@dataclass(frozen=True)
class Reading:
    """A raw table as a contract reads it.

    typed    : beside each reading of a column, the cell it came from as raw_...
    present  : the columns of the contract that the source has
    names    : the name in the source, of each column of the contract
    rules    : what the cells of each column have to keep
    breaches : columns that are missing, or that no reading fits
    """

    where: str
    typed: object
    present: list
    names: dict
    rules: list
    breaches: list


def read(raw, where, policy, contract, more=()):
    """The Reading of a raw table; `more` are columns to carry along, as (name, expression)."""
    names = {column.name: policy.columns.get(column.name, column.name) for column in contract.columns}
    present = [column for column in contract.columns if names[column.name] in raw.columns]
    breaches = [
        _missing(raw, column, names[column.name], where)
        for column in contract.columns
        if column not in present and (column.required or column.name in policy.columns)
    ]
    typed, rules, wrong_types = _typed(raw, present, names, policy, where, more)
    return Reading(where, typed, present, names, rules, breaches + wrong_types)


def count(typed, rules, counts):
    """`counts` of a typed table, its rows, and the rules that are broken, by how many rows: one pass."""
    broken = {f"rule_{i}": rule.broken(typed).sum().fill_null(0) for i, rule in enumerate(rules)}
    found = first(typed.aggregate(rows=typed.count(), **broken, **counts))
    return found, {rule: n for i, rule in enumerate(rules) if (n := found.pop(f"rule_{i}"))}


def describe_breaches(reading, typed, broken, rows, empty_message="a log needs at least one order"):
    """A breach for each rule that some rows do not keep, or `empty_message` for a table without rows."""
    if not rows:
        return [f"{reading.where}: there are no rows; {empty_message}"]
    return [
        f"{reading.where}: {_user_name(rule.column, reading.names)} {rule.message} in {n:,} of {rows:,} rows"
        f"{_examples(typed, rule)}; {rule.remedy or 'correct them'}"
        for rule, n in broken.items()
    ]


def first(table):
    """The first row of a lazy table, as plain Python values by name."""
    return table.limit(1).to_pyarrow().to_pylist()[0]


def _missing(raw, column, name, where):
    meaning = f"{column.name}: {column.meaning}" if name != column.name else column.meaning
    found = ", ".join(repr(c) for c in raw.columns if c not in (FILE, ROW))
    return (
        f"{where}: no column {name!r} ({meaning}); its columns are {found}; rename one, or map it in data/catalog.toml"
    )


def _user_name(name, names):
    """A contract's column as the user knows it."""
    return repr(name) if names[name] == name else f"{names[name]!r} ({name})"


def _typed(raw, present, names, policy, where, more):
    """Raw columns beside their typed readings, the rules to hold them to, and columns no reading fits."""
    columns, rules, wrong = {name: raw[name] for name in (FILE, ROW) if name in raw.columns}, [], []
    for column in present:
        source = raw[names[column.name]]
        try:
            columns[column.name], kept = READERS[column.kind](source, column, policy)
        except TypeError as misfit:
            wrong.append(f"{where}: {_user_name(column.name, names)} is stored as {source.type()}, {misfit}")
            continue
        columns[f"raw_{column.name}"] = source.cast("string")
        if column.kind == "money":
            columns["rounded"] = was_rounded(source, columns[column.name])
        rules += kept
    columns |= more
    return raw.select(**columns) if columns else raw, rules, wrong


def _examples(typed, rule):
    """The first rows that break a rule: where they stand, and what they hold."""
    place = [name for name in (FILE, ROW) if name in typed.columns]
    if not place and rule.column != "customer_id" and "customer_id" in typed.columns:
        place = ["customer_id"]
    shown = [rule.example_column] if rule.example_column in typed.columns and rule.example_column not in place else []
    if not place + shown:
        return ""
    found = typed.filter(rule.broken(typed)).select(*place, *shown)
    lines = found.order_by(*place, *shown).limit(SHOWN).to_pyarrow().to_pylist()
    return f" (first: {'; '.join(_example(line) for line in lines)})"


def _example(line):
    forms = {ROW: "row {:,}", "customer_id": "customer {}"}
    quoted = {name: value if name in (FILE, ROW) else _short(value) for name, value in line.items()}
    *place, last = parts = [forms.get(name, "{}").format(value) for name, value in quoted.items()]
    return f"{' '.join(place)}, {last}" if place and last.startswith("customer") else " ".join(parts)


def _short(cell):
    cell = cell or ""
    if re.fullmatch(r"-?[0-9]+\.[0-9]{9,}", cell):
        cell = f"{float(cell):.10g}"
    return repr(cell if len(cell) <= 40 else f"{cell[:40]}…")
