"""What an accepted table is, and the door that checks it.

A contract names columns, the rules their values keep, and what the door may do about returns and
zero amounts. Past the door, code trusts its input: names, types and values are as stated here.
"""

import difflib
import re
import zoneinfo
from dataclasses import dataclass, field
from typing import Literal

import ibis
import ibis.expr.types as ir
from ibis import _
from pydantic import BaseModel, ConfigDict, field_validator

from crmlab.readings import MONEY as MONEY
from crmlab.readings import READERS, was_rounded

FILE, ROW = "crmlab_file", "crmlab_row"  # where a row stands: its file in a folder, its number in the file from 1
SHOWN = 5
TIME_FORMAT = r"([^%]|%-?[aAbBcdfgGHIjmMnpSuUVwWxXyYzZ%])+"


class InputError(ValueError):
    """What the user gave cannot be used. `breaches` lists everything found wrong, not the first."""

    def __init__(self, *breaches):
        self.breaches = tuple(breaches)
        super().__init__("\n".join(self.breaches))

    def _render_traceback_(self):
        """In a notebook: the breaches, not where in our code they were noticed."""
        return ["InputError:", *(f"  {breach}" for breach in self.breaches)]


class Column(BaseModel):
    """One column of a contract: its name, how it is read, and what it means."""

    model_config = ConfigDict(frozen=True)
    name: str
    kind: Literal["text", "time", "money", "number"]
    required: bool
    meaning: str


class Contract(BaseModel):
    """The columns of an accepted table."""

    model_config = ConfigDict(frozen=True)
    name: str
    columns: tuple[Column, ...]


TRANSACTIONS = Contract(
    name="TRANSACTIONS",
    columns=(
        Column(name="customer_id", kind="text", required=True, meaning="who bought; text, never a number"),
        Column(name="time", kind="time", required=True, meaning="when, on the clock of the shop"),
        Column(name="amount", kind="money", required=True, meaning="what was paid; a return is negative"),
        Column(name="order_id", kind="text", required=False, meaning="which order the row belongs to"),
        Column(name="product_id", kind="text", required=False, meaning="what was bought"),
        Column(name="category", kind="text", required=False, meaning="the kind of product"),
        Column(name="store_id", kind="text", required=False, meaning="where"),
        Column(name="quantity", kind="number", required=False, meaning="how many"),
    ),
)


class Policy(BaseModel):
    """How to read a source onto a contract."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    columns: dict[str, str] = {}  # contract name = the name in the source, where the two differ
    time_format: str | None = None  # strptime pattern of text times; None reads ISO text
    time_zone: str | None = None  # days are counted on this clock where times carry an offset
    decimal: Literal[".", ","] = "."  # decimal mark of text amounts
    returns: Literal["error", "drop", "net"] = "error"  # what negative amounts are
    zero: Literal["order", "drop"] = "order"  # what zero amounts are

    @field_validator("columns")
    @classmethod
    def _of_the_contract(cls, columns):
        known = [column.name for column in TRANSACTIONS.columns]
        if unknown := [name for name in columns if name not in known]:
            raise ValueError(f"no column {', '.join(map(repr, unknown))} in the contract, which has {', '.join(known)}")
        return columns

    @field_validator("time_format")
    @classmethod
    def _of_strptime(cls, pattern):
        if pattern is not None and not re.fullmatch(TIME_FORMAT, pattern, re.DOTALL):
            raise ValueError("not a strptime pattern; write one such as '%d.%m.%Y'")
        return pattern

    @field_validator("time_zone")
    @classmethod
    def _of_the_world(cls, zone):
        if zone is not None and zone not in (known := zoneinfo.available_timezones()):
            near = difflib.get_close_matches(zone, known, n=1) or ["Europe/Berlin"]
            raise ValueError(f"no such time zone; write it as {near[0]!r}")
        return zone


@dataclass(frozen=True)
class Entered:
    """A table past the door.

    table  : lazy; the contract's columns, `amount` as DECIMAL(18, 4), and `order_day`, the day of the order
             that a row belongs to: its own, or for a return that of the order it offsets, null without one
    counts : what the door counted, by name
    """

    table: ir.Table
    counts: dict = field(hash=False)


def admit(raw, where, policy=None, faults=(), contract=TRANSACTIONS):
    """The checked table behind a raw one, with what the door counted.

    raw    : lazy table, its columns text or typed; FILE and ROW, where it has them, say where a row stands
    where  : the name of the source, as the user knows it
    faults : breaches found in reading it; rows are then not to be told apart, and only columns are checked
    Raises InputError with every breach: what, where, how many rows, the first five, what to do.
    """
    policy = policy or Policy()
    names = {column.name: policy.columns.get(column.name, column.name) for column in contract.columns}
    present = [column for column in contract.columns if names[column.name] in raw.columns]
    breaches = [*faults]
    for column in contract.columns:
        if column not in present and (column.required or column.name in policy.columns):
            breaches.append(_missing(raw, column, names[column.name], where))
    typed, rules, wrong_types = _typed(raw, present, names, policy, where)
    breaches += wrong_types
    counts, broken = _count(typed, rules)
    if not faults:
        breaches += _told(typed, broken, counts["rows"], names, where)
    if breaches:
        raise InputError(*breaches)
    kept = _apply(typed, present, policy)
    counts |= _first(_order_counts(kept))
    if not counts["order_days"]:
        raise InputError(
            f"{where}: no order is left; rows: {counts['rows']:,}, zero amounts: {counts['zero_amounts']:,} "
            f"(zero = {policy.zero!r}), returns: {counts['returns']:,} (returns = {policy.returns!r}); "
            "state another policy in data/catalog.toml, or add orders"
        )
    return Entered(kept, counts)


def _missing(raw, column, name, where):
    told = f"{column.name}: {column.meaning}" if name != column.name else column.meaning
    found = ", ".join(repr(c) for c in raw.columns if c not in (FILE, ROW))
    return f"{where}: no column {name!r} ({told}); its columns are {found}; rename one, or map it in data/catalog.toml"


def _called(name, names):
    """A contract's column as the user knows it."""
    return repr(name) if names[name] == name else f"{names[name]!r} ({name})"


def _typed(raw, present, names, policy, where):
    """Raw columns beside their typed readings, the rules to hold them to, and columns no reading fits."""
    columns, rules, wrong = {name: raw[name] for name in (FILE, ROW) if name in raw.columns}, [], []
    for column in present:
        source = raw[names[column.name]]
        try:
            columns[column.name], more = READERS[column.kind](source, column, policy)
        except TypeError as misfit:
            wrong.append(f"{where}: {_called(column.name, names)} is stored as {source.type()}, {misfit}")
            continue
        columns[f"raw_{column.name}"] = source.cast("string")
        if column.kind == "money":
            columns["rounded"] = was_rounded(source, columns[column.name])
        rules += more
    return raw.select(**columns) if columns else raw, rules, wrong


def _count(typed, rules):
    """What the door counts before it changes anything, and the rules that are broken, by how many rows: one pass."""
    counts = {f"rule_{i}": rule.broken(typed).sum().fill_null(0) for i, rule in enumerate(rules)}
    if "amount" in typed.columns:
        counts |= {
            "zero_amounts": (typed.amount == 0).sum(),
            "returns": (typed.amount < 0).sum(),
            "returned": (-typed.amount.sum(where=typed.amount < 0)).fill_null(0),
            "rounded_amounts": typed.rounded.sum(),
        }
    counts = _first(typed.aggregate(rows=typed.count(), **counts))
    return counts, {rule: n for i, rule in enumerate(rules) if (n := counts.pop(f"rule_{i}"))}


def _told(typed, broken, rows, names, where):
    """A breach for each rule that some rows do not keep, or for a table without rows."""
    if not rows:
        return [f"{where}: there are no rows; a log needs at least one order"]
    return [
        f"{where}: {_called(rule.column, names)} {rule.says} in {count:,} of {rows:,} rows"
        f"{_examples(typed, rule)}; {rule.remedy or 'correct them'}"
        for rule, count in broken.items()
    ]


def _examples(typed, rule):
    """The first rows that break a rule: where they stand, and what they hold."""
    place = [name for name in (FILE, ROW) if name in typed.columns]
    if not place and rule.column != "customer_id" and "customer_id" in typed.columns:
        place = ["customer_id"]
    shown = [rule.shows] if rule.shows in typed.columns and rule.shows not in place else []
    if not place + shown:
        return ""
    found = typed.filter(rule.broken(typed)).select(*place, *shown)
    lines = found.order_by(*place, *shown).limit(SHOWN).to_pyarrow().to_pylist()
    return f" (first: {'; '.join(_example(line) for line in lines)})"


def _example(line):
    said = {ROW: "row {:,}", "customer_id": "customer {}"}
    quoted = {name: value if name in (FILE, ROW) else _short(value) for name, value in line.items()}
    *place, last = parts = [said.get(name, "{}").format(value) for name, value in quoted.items()]
    return f"{' '.join(place)}, {last}" if place and last.startswith("customer") else " ".join(parts)


def _short(cell):
    cell = cell or ""
    if re.fullmatch(r"-?[0-9]+\.[0-9]{9,}", cell):
        cell = f"{float(cell):.10g}"
    return repr(cell if len(cell) <= 40 else f"{cell[:40]}…")


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


def _first(table):
    """The first row of a lazy table, as plain Python values by name."""
    return table.limit(1).to_pyarrow().to_pylist()[0]
