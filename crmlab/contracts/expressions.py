"""Expressions on the columns of a table, such as "Quantity * Price" or "Country = 'UK' AND Status <> 'void'".

They know columns, literals, + - * /, comparisons, AND, OR, NOT, IN, BETWEEN, LIKE and IS NULL, as SQL writes them: no
functions and no subqueries. sqlglot parses them; they become expressions of Ibis, and are never run as code. A name
with blanks or signs stands in double quotes, text in single ones.
"""

import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from crmlab.contracts.errors import InputError, suggest

KNOWN = "+ - * /, comparisons, AND, OR, NOT, IN, BETWEEN, LIKE and IS NULL"
ARITHMETIC = {exp.Add: "__add__", exp.Sub: "__sub__", exp.Mul: "__mul__", exp.Div: "__truediv__"}
EQUALITY = {exp.EQ: "__eq__", exp.NEQ: "__ne__"}
ORDER = {exp.LT: "__lt__", exp.LTE: "__le__", exp.GT: "__gt__", exp.GTE: "__ge__"}
QUOTES = {"'": "text stands in single quotes", '"': "a column's name stands in double quotes"}
Reader = Callable[[str], ir.Value]  # a column's name -> its cells as numbers, or as times


class _ExpressionError(ValueError):
    """What is wrong in an expression, and what to do."""


def column_names(text: str) -> list[str]:
    """The columns that an expression names, in its order; none where it cannot be parsed."""
    try:
        tree = _parse(text)
    except _ExpressionError:
        return []
    return list(dict.fromkeys(column.name for column in tree.find_all(exp.Column, bfs=False)))


def is_calculated(text: str) -> bool:
    """Whether a text is more than a name: it can be parsed, and calculates or compares."""
    try:
        return bool(_parse(text).find(exp.Binary, exp.Neg, exp.Is, exp.In, exp.Between, exp.Func))
    except _ExpressionError:
        return False


def calculation_fault(text: str) -> str:
    """What is wrong with a text that holds signs of a calculation but is none; empty for others."""
    try:
        _parse(text)
    except _ExpressionError as fault:
        return str(fault).split("; ")[0] if re.search("[-+*/]", text) else ""
    return ""


def condition(text: str, table: ir.Table, number: Reader, time: Reader, what: str) -> ir.BooleanValue:
    """The rows that meet a condition: true, false, or null where a cell that it needs is empty.

    table  : of the columns that it may name, text or typed
    number : reads a column of text as numbers, where it is compared with one
    time   : reads one as times, where it is compared with a day
    what   : what messages call the expression, such as "orders.csv: where"
    Raises InputError where it is no condition on these columns.
    """
    return _read(text, table, number, time, what, "truth", "a condition, such as Country = 'UK'")


def calculation(text: str, table: ir.Table, number: Reader, time: Reader, what: str) -> ir.NumericValue:
    """The number that each row gives, null where a cell that it needs is empty. Parameters as of `condition`."""
    return _read(text, table, number, time, what, "number", "a calculation, such as Quantity * Price")


def _read(text, table, number, time, what, wanted, example):
    try:
        tree = _parse(text)
        _check_names(tree, table.columns)
        value, kind = _Reading(table, number, time).value(tree)
        if kind == "cell" and wanted == "number":
            value, kind = number(tree.unnest().name), "number"
        if kind != wanted:  # a column alone, or the like
            raise _ExpressionError(f"it is no {example.split(',')[0].split()[-1]}; write {example}")
    except _ExpressionError as fault:
        raise InputError(f"{what} = {text!r}: {fault}") from None
    except RecursionError:
        fewer = "write fewer parentheses, and IN for many values"
        raise InputError(f"{what} = {text[:40]!r}…: it is nested too deep; {fewer}") from None
    return value.cast("float64") if wanted == "number" else value


def _parse(text):
    """The one expression that a text is."""
    if not text.strip():
        raise _ExpressionError("it is empty; write one, or leave it out")
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except SqlglotError as problem:
        raise _ExpressionError(_unparsed(text, problem)) from None
    if len(trees) != 1 or trees[0] is None:
        raise _ExpressionError("it holds more than one expression; leave out the semicolon and what follows")
    return trees[0]


def _unparsed(text, problem):
    for quote, meaning in QUOTES.items():
        others = {"'": '"[^"]*"', '"': "'[^']*'"}[quote]
        if re.sub(others, "", text).count(quote) % 2:
            return f"a quote is left open ({meaning}); close it"
    found = getattr(problem, "errors", None)
    place = f" at sign {found[0]['col']:,}" if found and found[0].get("col") else ""
    words = "names that hold blanks or are words of SQL, such as When, stand in double quotes"
    return f"it cannot be read{place}; write columns, numbers and texts with {KNOWN}; {words}"


def _check_names(tree, columns):
    if not tree.find(exp.Column):
        raise _ExpressionError("it names no column; name one, or leave it out")
    unknown = [name for name in _named(tree) if name not in columns]
    if unknown:
        listed = ", ".join(map(repr, unknown))
        known = ", ".join(repr(c) for c in columns if not c.startswith("crmlab_"))
        quoted = any(column.this.quoted for column in tree.find_all(exp.Column) if column.name in unknown)
        text = f"text stands in single quotes, as '{unknown[0]}'"
        meant = text if quoted else suggest(unknown[0], columns, f"name columns of the table; {text}")
        raise _ExpressionError(f"no column {listed}; its columns are {known}; {meant}")


def _named(tree: exp.Expression) -> Iterable[str]:
    return dict.fromkeys(column.name for column in tree.find_all(exp.Column) if column.name)


class _Reading:
    """Reads a tree onto a table: each node is a value with its kind, cell (text), text, number, time or truth."""

    def __init__(self, table, number, time):
        self.table, self.number, self.time = table, number, time

    def value(self, node: Any) -> tuple[Any, str]:
        """The value of a node, and its kind."""
        if isinstance(node, exp.Paren):
            return self.value(node.this)
        if isinstance(node, exp.Column) and not node.table:
            return self._column(node)
        if isinstance(node, exp.Literal):
            return (node.this, "text") if node.is_string else (ibis.literal(_number(node.this)), "number")
        if isinstance(node, exp.Boolean):
            return ibis.literal(node.this), "truth"
        if isinstance(node, exp.Neg):
            return -self._as_number(node.this), "number"
        if type(node) in ARITHMETIC:
            left, right = self._as_number(node.left), self._as_number(node.right)
            right = right.nullif(0) if isinstance(node, exp.Div) else right  # nothing can be divided by it
            return getattr(left, ARITHMETIC[type(node)])(right), "number"
        if isinstance(node, (exp.And, exp.Or)):
            left, right = self._as_truth(node.left), self._as_truth(node.right)
            return (left & right if isinstance(node, exp.And) else left | right), "truth"
        if isinstance(node, exp.Not):
            return ~self._as_truth(node.this), "truth"
        if type(node) in EQUALITY or type(node) in ORDER:
            return self._compare(node.left, node.right, {**EQUALITY, **ORDER}[type(node)]), "truth"
        if isinstance(node, exp.Between):
            low = self._compare(node.this, node.args["low"], "__ge__")
            return low & self._compare(node.this, node.args["high"], "__le__"), "truth"
        if isinstance(node, exp.In) and node.expressions and not node.args.get("query"):
            each = [self._compare(node.this, item, "__eq__") for item in node.expressions]
            return reduce(lambda one, other: one | other, each), "truth"
        if isinstance(node, exp.Like):
            return self._like(node), "truth"
        if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
            return self._is_null(node.this), "truth"
        raise _ExpressionError(_unsupported(node))

    def _column(self, node):
        column = self.table[node.name]
        kind = column.type()
        if kind.is_string():
            return column, "cell"
        if kind.is_boolean():
            return column, "truth"
        if kind.is_numeric():
            return column.cast("float64"), "number"
        if kind.is_timestamp() or kind.is_date():
            return self.time(node.name), "time"
        raise _ExpressionError(
            f"{node.name!r} is stored as {kind}, which is neither text, number, time nor truth; leave it out"
        )

    def _as_number(self, node):
        value, kind = self.value(node)
        if kind == "cell":
            return self.number(node.unnest().name)
        if kind != "number":
            raise _ExpressionError(f"{_shown(node)} is no number; calculate with columns of numbers")
        return value

    def _as_truth(self, node):
        value, kind = self.value(node)
        if kind != "truth":
            raise _ExpressionError(f"{_shown(node)} is no condition; compare it, as {_shown(node)} = 1")
        return value

    def _compare(self, left, right, how):
        if _is_empty(left) or _is_empty(right):
            raise _ExpressionError("an empty cell equals nothing; write IS NULL or IS NOT NULL")
        (one, kind), (other, against) = self.value(left), self.value(right)
        kinds, order = {kind, against}, how not in EQUALITY.values()
        shown = f"{_shown(left)} and {_shown(right)}"
        if not (left.find(exp.Column) or right.find(exp.Column)):
            raise _ExpressionError(f"{shown} are both given; compare with a column")
        if "number" in kinds and kinds <= {"number", "cell"}:
            one, other = (
                self.number(side.unnest().name) if of == "cell" else value
                for side, of, value in ((left, kind, one), (right, against, other))
            )
        elif kinds == {"cell"} and order:
            raise _ExpressionError(
                f"{shown} are text, which has no order of numbers or days; compare with a number or a day"
            )
        elif "time" in kinds or (kinds == {"cell", "text"} and order):
            one, other = self._moment(left, one, kind), self._moment(right, other, against)
        elif len(kinds) > 1 and kinds != {"cell", "text"}:
            raise _ExpressionError(f"{shown} are of different kinds; compare numbers with numbers and text with 'text'")
        one = one if isinstance(one, ir.Value) else ibis.literal(one)
        return getattr(one, how)(other)

    def _moment(self, node, value, kind):
        """A side of a comparison of times."""
        if kind == "time":
            return value
        if kind == "cell":
            return self.time(node.unnest().name)
        try:
            moment = datetime.fromisoformat(value) if kind == "text" else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo:
            raise _ExpressionError(
                f"{_shown(node)} is no day; write days as '2024-12-31', and compare numbers without quotes"
            )
        return ibis.literal(moment, "timestamp")

    def _like(self, node):
        pattern = node.expression
        value, kind = self.value(node.this)
        if kind != "cell" or not (isinstance(pattern, exp.Literal) and pattern.is_string):
            raise _ExpressionError(f"{_shown(node)}: LIKE is of a column of text and a 'pattern', where % is any text")
        found = value.like(pattern.this)
        return ~found if node.args.get("negate") else found

    def _is_null(self, node):
        value, kind = self.value(node)
        if not isinstance(value, ir.Value):
            raise _ExpressionError(f"{_shown(node)} IS NULL is of no column; name one")
        return value.isnull() | ~value.re_search(r"\S") if kind == "cell" else value.isnull()


def _is_empty(node):
    return isinstance(node, exp.Null) or (isinstance(node, exp.Literal) and node.is_string and not node.this.strip())


def _number(text):
    value = float(text)
    if not math.isfinite(value):
        raise _ExpressionError(f"{text} is too large a number; write a smaller one")
    return value


def _shown(node):
    return node.sql(dialect="duckdb")


def _unsupported(node):
    """What to say of a node that expressions do not know."""
    if isinstance(node, (exp.Query, exp.Subquery)) or node.find(exp.Query):
        return f"a query stands in it; write one under sql, or use columns, literals, {KNOWN}"
    if isinstance(node, exp.Null):
        return "an empty cell equals nothing; write IS NULL or IS NOT NULL"
    if isinstance(node, exp.Alias):
        names = "names that hold blanks stand in double quotes"
        return f"two names stand side by side, {_shown(node.this)} and {node.alias}; {names}"
    if isinstance(node, exp.Func) and not isinstance(node, exp.Connector):
        return f"{_shown(node)} calls a function, which is not known here; use columns, literals, {KNOWN}"
    return f"{_shown(node)} is not known here; use columns, literals, {KNOWN}"
