"""Rows of a survey that its instrument leaves out, by a condition on their cells."""

import ibis
import pandas as pd
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from crmlab.contracts import SHOWN, InputError, expressions
from crmlab.engines import connect
from crmlab.service_quality.tables.cells import folded, number, place, text
from crmlab.service_quality.tables.long import absent_columns

TYPES = {"text": "string", "number": "float64", "time": "timestamp"}


def left_out(table, instrument, codebook, where):
    """The table without the rows that the instrument's condition is true of; with the counts, in words.

    table    : cells of a file, a row a respondent, or an answer of a long survey
    codebook : of a file; a code is compared with text by its label, and one declared missing is empty
    Raises InputError where it is no condition on the columns, or no row is left.
    """
    condition = instrument.rows.leave_out
    if condition is None:
        return table, {}
    named = expressions.column_names(condition)
    if absent := {f"rows.leave_out, column {i}": c for i, c in enumerate(named, 1) if c not in table.columns}:
        raise InputError(*absent_columns(absent, table.columns, where))
    cells = codebook.blanked(table)[named]
    meant, unread = _meets(condition, cells, instrument.file.decimal, codebook, f"{where}: [rows] leave_out")
    out = meant.fillna(False).to_numpy(dtype=bool)
    if out.all():
        raise InputError(
            f"{where}: [rows] leave_out = {condition!r} is true of all {len(table):,} rows (first: "
            f"{'; '.join(place(row) for row in table.index[:SHOWN])}); correct it, as no row is left"
        )
    noted = f"{out.sum():,} of {len(table):,}, where {condition}"
    if unknown := int(meant.isna().sum()):
        noted += f"; {unknown:,} kept where it is neither true nor false, as a cell is empty{unread}"
    return table[~out], {"rows left out": noted}


def _meets(condition, cells, decimal, codebook, what):
    """Whether each row meets a condition: boolean, NA where a cell is empty; and, in words, which cells are unread."""
    readings = {
        "text": {c: cells[c].map(_labelled(codebook.of(c)[0])).map(folded).replace("", None) for c in cells},
        "number": {c: pd.to_numeric(cells[c].map(lambda cell: number(cell, decimal))) for c in cells},
        "time": {c: pd.to_datetime(cells[c].map(text), format="ISO8601", errors="coerce") for c in cells},
    }
    columns = {name if kind == "text" else f"crmlab_{kind}_{name}": (TYPES[kind], values)
               for kind, read in readings.items() for name, values in read.items()}  # fmt: skip
    frame = pd.DataFrame({name: values for name, (_type, values) in columns.items()}).assign(
        crmlab_row=range(len(cells))
    )
    schema = {name: of for name, (of, _values) in columns.items()} | {"crmlab_row": "int64"}
    lazy, used = ibis.memtable(frame, schema=schema), {}

    def reader(kind):
        def column(name):
            used[name] = readings[kind][name]
            return lazy[f"crmlab_{kind}_{name}"]

        return column

    readers = reader("number"), reader("time")
    expressions.condition(condition, lazy, *readers, what)  # as it is written, so that a fault shows it so
    met = expressions.condition(_folded(condition), lazy, *readers, what)
    found = connect().execute(lazy.select("crmlab_row", met=met).order_by("crmlab_row"))
    unread = {c: int((values.isna() & readings["text"][c].notna()).sum()) for c, values in used.items()}
    noted = ", ".join(f"{n:,} of {name!r}" for name, n in unread.items() if n)
    return found.met.astype("boolean"), f" or cannot be read as what it is compared with ({noted})" if noted else ""


def _labelled(labels):
    """What a cell says: the label that a file keeps for its code, else the cell."""
    return lambda cell: labels.get(text(cell), cell)


def _folded(condition):
    """A condition whose texts are folded, as cells are when they are compared."""
    try:
        tree = sqlglot.parse_one(condition, read="duckdb")
    except SqlglotError:
        return condition
    for literal in tree.find_all(exp.Literal):
        if literal.is_string:
            literal.set("this", folded(literal.this))
    return tree.sql(dialect="duckdb")
