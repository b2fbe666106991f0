"""Validation against any contract: read its columns, count in one pass what breaks a rule, and say all of it."""

import re
from dataclasses import dataclass

import ibis
from ibis import _

from crmlab import masks
from crmlab.contracts import ids, numbers, written
from crmlab.contracts.attributes import not_kept, read_attributes
from crmlab.contracts.computed import Operands, selected
from crmlab.contracts.contract import FILE, OUTLINE, ROW, Rule, Validated, first
from crmlab.contracts.errors import InputError
from crmlab.contracts.expressions import calculation_fault, is_calculated
from crmlab.contracts.names import guess
from crmlab.contracts.numbers import MONEY
from crmlab.contracts.readings import NUMBERS, READERS

SHOWN = 5
INTERNAL = "crmlab_"  # begins the names of columns that are no user's
COMPUTED = {"number": "calculation", "whole": "calculation", "money": "calculation", "yes": "condition"}
ALL = "all"  # what stands in for a column that may be left out as a whole, such as `group`


@dataclass(frozen=True)
class Reading:
    """A raw table as a contract reads it.

    typed    : beside each reading of a column, the cell it came from as raw_...
    names    : what the user calls each column, for messages
    rules    : what the cells of each column have to keep
    breaches : columns that are missing, or that no reading fits
    computed : columns that are calculated from others, whose cells have rules of their own
    """

    where: str
    typed: object
    names: dict
    rules: list
    breaches: list
    computed: frozenset = frozenset()


def validate(contract, raw, where, policy, faults=()):
    """The Validated table behind a raw one. Raises InputError with every breach.

    Rules among rows are asked only where every cell was read and no key is there twice. See `contracts.validate`.
    """
    raw, left_out = _selected(raw, where, policy, contract)
    contract, unclear = _in_form(contract, raw, where, policy)
    others = read_attributes(raw, contract, policy)
    reading = read(raw, where, policy, contract, {kept.internal_name: kept.value for kept in others})
    if breaches := [*faults, *unclear, *reading.breaches]:
        raise InputError(*breaches, *([] if faults else _broken_cells(reading, contract)))
    found_ids, with_ids = _ids(reading, contract, policy)
    t = _completed(with_ids, contract)
    strict = [*reading.rules, *_unique_key(contract)]
    marked = {name: t[name].count() for name in t.columns if name.startswith(OUTLINE)}
    counts, broken = count(t, strict + contract.row_rules(t, policy), contract.all_counts(t, policy) | marked)
    counts |= left_out | found_ids
    if any(rule.column.startswith(INTERNAL) for rule in broken):  # of which what is computed only follows
        broken = {rule: n for rule, n in broken.items() if rule.column not in reading.computed}
    breaches = describe_breaches(reading, t, broken, counts["rows"], contract.empty_message)
    found, rules = _as_written(t, [name for name in marked if counts.pop(name)], policy)
    breaches += describe_breaches(reading, t, count(t, rules, {})[1], counts["rows"]) if rules else []
    if counts["rows"] and not any(rule in broken for rule in strict):
        lined, rules, more = contract.table_rules(t)
        counts |= more
        if rules:
            breaches += describe_breaches(reading, lined, count(lined, rules, {})[1], counts["rows"])
    if breaches:
        raise InputError(*breaches)
    if contract.attributes:
        counts["attributes"] = {kept.name: kept.kind for kept in others}
        counts["not_kept"] = not_kept(raw, contract, policy)
        found |= {kept.name: {"percent": kept.percentages} for kept in others if kept.percentages}
    if found:
        counts["written"] = found
    names = [column.name for column in contract.columns if column.name in t.columns]
    table = t.select(*names, **{kept.name: t[kept.internal_name] for kept in others})
    return contract.complete(Validated(table, counts), policy, where)


def _in_form(contract, raw, where, policy):
    """The contract in the form that a source has, one that `columns` names before others; or why it is in none."""
    if not contract.forms:
        return contract, []
    own = [[c for c in form if c.required and not _in_all(c.name, contract)] for form in contract.forms]
    named = [i for i, form in enumerate(own) if any(c.name in policy.columns for c in form)]
    there = {c.name for c in contract.columns if c.name in policy.columns or c.name in raw.columns}
    among = named if len(named) == 1 else range(len(own))
    complete = [i for i in among if all(c.name in there for c in own[i])]
    free = [name for name in raw.columns if name not in (FILE, ROW)]
    matches = {i: sum(c.name in there or guess(c.name, free) is not None for c in own[i]) for i in among}
    if len(complete) == 1 or (not complete and any(matches.values())):
        form = complete[0] if complete else max(matches, key=lambda i: matches[i])
        return contract.in_form(contract.forms[form], there), []
    forms = [" and ".join(repr(c.name) for c in form) for form in own]
    if complete:
        fault = f"has both {', and '.join(forms)}, which are two forms of the same"
        remedy = f"columns of one in data/catalog.toml, as columns = {{ {own[0][0].name} = {own[0][0].name!r} }}"
        breach = f"{where}: {fault}; state the {remedy}"
    else:
        fault = f"no columns {', nor '.join(forms)}; its columns are {', '.join(map(repr, free))}"
        breach = f"{where}: {fault}; rename some, or name them in data/catalog.toml"
    common = tuple(c for c in contract.columns if _in_all(c.name, contract))
    return contract.in_form(common, there), [breach]


def _in_all(name, contract):
    """Whether a column belongs to all forms of a contract."""
    return all(name in [c.name for c in form] for form in contract.forms)


def _ids(reading, contract, policy):
    """What was counted of customers' ids; and the typed table, without rows that the policy drops as they lack one."""
    named = [column.name for column in contract.columns if column.kind == "id" and column.name in reading.typed.columns]
    if not named:
        return {}, reading.typed
    (name,) = named
    found = ids.counts(reading.typed, name)
    kept = reading.typed.filter(reading.typed[name].notnull()) if policy.missing_ids == "drop" else reading.typed
    return found, kept


def _selected(raw, where, policy, contract):
    """The rows that the policy's condition is true of, and how many it leaves out. Raises InputError as it breaks."""
    if policy.where is None:
        return raw, {}
    operands = Operands(raw, policy, where)
    rows, lined = selected(raw, operands)
    reading = Reading(where, lined, operands.names, operands.rules, [])
    counts, broken = count(lined, operands.rules, {"kept": lined.kept.sum(), "unknown": lined.kept.isnull().sum()})
    if broken:
        raise InputError(*describe_breaches(reading, lined, broken, counts["rows"]))
    if counts["rows"] and not counts["kept"]:
        none = f"no row of {counts['rows']:,} meets where = {policy.where!r}"
        raise InputError(f"{where}: {none}; correct it, or leave it out")
    left_out = counts["rows"] - (counts["kept"] or 0)
    return rows, {"left_out": left_out, "left_out_unknown": counts["unknown"], "left_out_of": counts["rows"]}


def read(raw, where, policy, contract, more=()):
    """The Reading of a raw table; `more` are columns to carry along, as (name, expression)."""
    names = {column.name: policy.columns.get(column.name, column.name) for column in contract.columns}
    operands, sources, breaches = Operands(raw, policy, where), {}, []
    for column in contract.columns:
        name = names[column.name]
        if name in raw.columns:
            sources[column] = raw[name]
        elif column.kind in COMPUTED and is_calculated(name):
            try:
                sources[column] = getattr(operands, COMPUTED[column.kind])(name, column.name)
            except InputError as wrong:
                breaches += wrong.breaches
        elif column.required or column.name in policy.columns or _is_misnamed(column, raw, policy):
            breaches.append(_missing(raw, column, name, where))
    typed, rules, wrong_types = _typed(raw, sources, names, policy, where, operands.columns | dict(more))
    computed = frozenset(column.name for column in sources if names[column.name] not in raw.columns)
    called = {name: _user_name(name, names) for name in names} | operands.names
    return Reading(where, typed, called, operands.rules + rules, breaches + wrong_types, computed)


def count(typed, rules, counts):
    """`counts` of a typed table, its rows, and the rules that are broken, by how many rows: one pass."""
    broken = {f"rule_{i}": rule.broken(typed).sum().fill_null(0) for i, rule in enumerate(rules)}
    found = first(typed.aggregate(rows=typed.count(), **broken, **counts))
    return found, {rule: n for i, rule in enumerate(rules) if (n := found.pop(f"rule_{i}"))}


def describe_breaches(reading, typed, broken, rows, empty_message=""):
    """A breach for each rule that some rows do not keep, or `empty_message` for a table without rows."""
    if not rows:
        return [f"{reading.where}: there are no rows; {empty_message}"]
    return [
        f"{reading.where}: {reading.names[rule.column]} {rule.message} in {n:,} of {rows:,} rows"
        f"{_examples(typed, rule)}; {(rule.remedy(typed) if callable(rule.remedy) else rule.remedy) or 'correct them'}"
        for rule, n in broken.items()
    ]


def _as_written(t, outlines, policy):
    """How numbers that are not plain are written, column -> what in how many cells; and the rules on currencies."""
    found, rules = {}, []
    for outline in outlines:
        name = outline.removeprefix(OUTLINE)
        known = t.filter(t[name].notnull() & t[outline].notnull()).group_by(outline).aggregate(n=_.count())
        outlined = {line[outline]: line["n"] for line in known.to_pyarrow().to_pylist()}
        rules += numbers.currency_rules(name, outlined, policy.currency)
        if seen := written.counted(outlined):
            found[name.removeprefix(f"{INTERNAL}number_")] = seen
    return found, rules


def _broken_cells(reading, contract):
    """A breach for each rule on cells that is broken in a table that lacks columns."""
    counts, broken = count(reading.typed, reading.rules, {})
    return describe_breaches(reading, reading.typed, broken, counts["rows"], contract.empty_message)


def _completed(t, contract):
    """A typed table with the columns that may be left out as a whole, and in how many rows the key of each stands."""
    absent = [c for c in contract.columns if not (c.required or c.nullable or c.name in t.columns)]
    t = t.mutate(**{c.name: ibis.null(MONEY) if c.kind == "money" else ibis.literal(ALL) for c in absent})
    return t.mutate(crmlab_shared=t.count().over(group_by=list(contract.key))) if contract.key else t


def _unique_key(contract):
    """The rule that no two rows share the key of their contract; none where it has no key."""
    if not contract.key:
        return []
    *others, last = contract.key
    message = f"stands in more than one row{f' of its {others[0]}' if others else ''}"

    def shared(t):
        named = ibis.and_(*(t[name].cast("string").re_search(r"\S") for name in contract.key))
        return (t.crmlab_shared > 1) & named

    return [Rule(last, message, shared, contract.duplicate_remedy, f"raw_{last}")]


def _is_misnamed(column, raw, policy):
    """Whether money would be left out while a column that may hold it goes by another name."""
    free = [name for name in raw.columns if name not in (FILE, ROW, *policy.columns.values())]
    return column.kind == "money" and guess(column.name, free) is not None


def _missing(raw, column, name, where):
    meaning = f"{column.name}: {column.meaning}" if name != column.name else column.meaning
    found = ", ".join(repr(c) for c in raw.columns if c not in (FILE, ROW))
    fault = calculation_fault(name) if column.kind in COMPUTED and name != column.name else ""
    calculation = f", nor a calculation: {fault}; its columns" if fault else "; its columns"
    found_as = guess(column.name, [c for c in raw.columns if c not in (FILE, ROW)])
    example = f", as columns.{column.name} = {found_as!r}" if found_as and name == column.name else ""
    without = ", or leave it out for a log without amounts" if found_as and not column.required else ""
    advice = f"rename one, or name it in data/catalog.toml{example}{without}"
    return f"{where}: no column {name!r} ({meaning}){calculation} are {found}; {advice}"


def _user_name(name, names):
    """A contract's column as the user knows it."""
    return repr(name) if names[name] == name else f"{names[name]!r} ({name})"


def _typed(raw, sources, names, policy, where, more):
    """Raw columns beside their typed readings, the rules to hold them to, and columns no reading fits."""
    columns, rules, wrong = {name: raw[name] for name in (FILE, ROW) if name in raw.columns}, [], []
    for column, source in sources.items():
        try:
            columns[column.name], kept = READERS[column.kind](source, column, policy)
        except TypeError as misfit:
            wrong.append(f"{where}: {_user_name(column.name, names)} is stored as {source.type()}, {misfit}")
            continue
        columns[f"raw_{column.name}"] = source
        if column.kind in NUMBERS and source.type().is_string():
            columns[f"{OUTLINE}{column.name}"] = numbers.outline(source, policy)
        if column.kind == "money":
            columns["rounded"] = numbers.was_rounded(source, columns[column.name], policy)
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
    found = typed.filter(rule.broken(typed)).select(*place, *(typed[name].cast("string").name(name) for name in shown))
    lines = found.order_by(*place, *shown).limit(SHOWN).to_pyarrow().to_pylist()
    return f" (first: {'; '.join(_example(line) for line in lines)})"


def _example(line):
    forms = {ROW: "row {:,}", "customer_id": "customer {}"}
    quoted = {name: _quoted(name, value) for name, value in line.items()}
    *place, last = parts = [forms.get(name, "{}").format(value) for name, value in quoted.items()]
    return f"{' '.join(place)}, {last}" if place and last.startswith("customer") else " ".join(parts)


def _quoted(name, value):
    if name in (FILE, ROW):
        return value
    return masks.in_message(value) if name == "customer_id" and value else _short(value)


def _short(cell):
    cell = cell or ""
    if re.fullmatch(r"-?[0-9]+\.[0-9]{9,}", cell):
        cell = f"{float(cell):.10g}"
    return repr(cell if len(cell) <= 40 else f"{cell[:40]}…")
