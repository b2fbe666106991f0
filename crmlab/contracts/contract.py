"""What a contract is: one object that carries its columns, what its rows have to keep, its counts and its words."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import ibis.expr.types as ir

from crmlab.contracts import written

OUTLINE = "outline_"  # begins the name of a column of what stands around the digits of numbers
FILE, ROW = "crmlab_file", "crmlab_row"  # where a row stands: its file in a folder, its number in the file from 1


@dataclass(frozen=True)
class Column:
    """One column of a contract.

    kind     : how its cells are read, a name of READERS
    meaning  : what it holds, in a few words
    required : whether it must be there; where an optional one is absent, "all" stands in for it unless it is nullable
    nullable : whether its cells may be empty
    """

    name: str
    kind: str
    meaning: str
    required: bool = True
    nullable: bool = False


@dataclass(frozen=True)
class Rule:
    """A named condition that no valid row meets; what to do may depend on the rows that do."""

    column: str
    message: str
    broken: Callable[[ir.Table], ir.BooleanColumn]
    remedy: str | Callable[[ir.Table], str]
    example_column: str | None = None  # the column quoted beside the row number


@dataclass(frozen=True)
class Validated:
    """A valid table.

    table  : lazy; the contract's columns. Those of TRANSACTIONS with `amount` as DECIMAL(18, 4), and `order_day`, the
             day of the order that a row belongs to: its own, or for a return that of the order it offsets, null
             without one
    counts : what was counted in validating it, by name
    every  : the same table with the rows of customers without an id, where these are anonymous; else None
    """

    table: ir.Table
    counts: dict = field(hash=False)
    every: ir.Table | None = None


@dataclass(frozen=True)
class Contract:
    """What a valid table is, and all that is said of one.

    kind             : what the catalog calls it
    description      : what its rows are, in a few words
    columns          : its Columns
    forms            : where its rows may be given in more than one way, the Columns of each; a source keeps one of them
    empty_message    : how few rows there may be, in words
    key              : columns that no two rows may share, where a source has them
    duplicate_remedy : what to do where some do
    attributes       : whether the source's other columns are kept too
    inferable        : whether a source that the catalog does not list is known for it by the names of its columns
    row_rules        : table and policy -> rules that a row keeps by itself
    table_rules      : table -> the table with more columns, rules on them, and more to count; asked once all was read
                       and no key was twice there
    counts           : table and policy -> what there is to count, by name; how many rows say yes or no where a column
                       asks that is counted besides
    complete         : Validated, policy and the source's name -> the Validated that is handed out
    words            : counts and the catalog's entry -> what was counted, in words, by what it is about
    """

    kind: str
    description: str
    columns: tuple[Column, ...]
    empty_message: str
    forms: tuple[tuple[Column, ...], ...] = ()
    key: tuple[str, ...] = ()
    duplicate_remedy: str = ""
    attributes: bool = False
    inferable: bool = False
    row_rules: Callable = lambda t, policy: []
    table_rules: Callable = lambda t: (t, [], {})
    counts: Callable = lambda t, policy: {}
    complete: Callable = lambda validated, policy, where: validated
    words: Callable = lambda counts, entry: {}

    @property
    def name(self):
        """What messages call it."""
        return self.kind.upper()

    def fits(self, names):
        """Whether all that it requires, in any of its forms, is among the names of columns."""
        return any(all(c.name in names for c in form if c.required) for form in self.forms or (self.columns,))

    def in_form(self, form, names):
        """The contract as a source of these columns keeps it in one of its forms."""
        return replace(self, columns=form, key=self.key if {*self.key} <= {*names} else ())

    def all_counts(self, t, policy):
        """What there is to count of a table, by name."""
        found = self.counts(t, policy)
        for column in self._yes_or_no(t.columns):
            found |= {column: t[column].sum().fill_null(0), f"not_{column}": (~t[column]).sum().fill_null(0)}
        return found

    def describe(self, counts, entry):
        """What was found in a table and changed, line by line: text by what it is about."""
        found = {"rows": f"{counts['rows']:,}"} | _left_out(counts, entry) | self.words(counts, entry)
        for name, seen in counts.get("written", {}).items():
            found[f"{name} as written"] = written.describe(seen)
        for column in self._yes_or_no(counts):
            yes, no = counts[column], counts[f"not_{column}"]
            unknown = counts["rows"] - yes - no
            found[column.replace("_", " ")] = f"yes {yes:,}, no {no:,}, unknown {unknown:,}"
        if self.attributes:
            kept = ", ".join(f"{name} ({kind})" for name, kind in counts["attributes"].items())
            found["other columns"] = kept or "none"
            if away := counts["not_kept"]:
                found["columns left out"] = ", ".join(f"{name} ({kind})" for name, kind in away.items())
        return found

    def _yes_or_no(self, names):
        return [column.name for column in self.columns if column.kind == "yes" and column.name in names]


def _left_out(counts, entry):
    """What a condition left out, in words; nothing where there is none."""
    if "left_out" not in counts:
        return {}
    unknown = counts["left_out_unknown"]
    why = f", {unknown:,} of them as a cell that it needs is empty" if unknown else ""
    return {"rows left out": f"{counts['left_out']:,} of {counts['left_out_of']:,}, by where = {entry.where!r}{why}"}


def first(table):
    """The first row of a lazy table, as plain Python values by name."""
    return table.limit(1).to_pyarrow().to_pylist()[0]


def in_rows(n: int) -> str:
    """A number of rows, in words."""
    return f"{n:,} {'row' if n == 1 else 'rows'}"


def negative(*columns: str) -> list[Rule]:
    """Rules that numbers are 0 or more."""
    return [Rule(name, "is negative", lambda t, n=name: t[n] < 0, "correct them", f"raw_{name}") for name in columns]  # type: ignore[misc]
