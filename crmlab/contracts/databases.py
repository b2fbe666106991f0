"""Tables of SQLite files, copied to the embedded DuckDB, whose readers of text they go through.

SQLite knows neither dates nor decimals, and a column may hold anything: one is whole numbers, numbers or bytes where
all its cells are, else text.
"""

import sqlite3
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa

from crmlab import engines
from crmlab.contracts.errors import InputError

ROWS = 65_536  # copied at a time


def read_sqlite(place: Path, name: str) -> ir.Table:
    """A table or view of a SQLite file, opened to be read alone. Raises InputError where it cannot be read."""
    file = None
    try:
        file = sqlite3.connect(f"{place.as_uri()}?mode=ro", uri=True, check_same_thread=False)
        return _copied(file, _found(file, name))
    except sqlite3.Error as problem:
        remedy = "it may be damaged, or another program is writing to it; make it anew, or try again"
        raise InputError(f"cannot be read ({problem}); {remedy}") from None
    finally:
        if file is not None:
            file.close()


def _found(file, name):
    """The name of a table or view as the file has it, in quotes."""
    schema, _dot, last = name.rpartition(".")
    if schema.casefold() not in ("", "main"):
        raise InputError(engines.absent("schema", schema, ["main"]))
    there = [each for (each,) in file.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
    known = {each.casefold(): each for each in there}
    if last.casefold() not in known:
        raise InputError(engines.absent("table", last, there))
    return _quoted(known[last.casefold()])


def _copied(file, table):
    names = [column[0] for column in file.execute(f"SELECT * FROM {table} LIMIT 0").description]
    schema = pa.schema([(name, kind) for name, kind in zip(names, _kinds(file, table, names), strict=True)])
    rows = file.execute(f"SELECT * FROM {table}")
    return engines.stored(pa.RecordBatchReader.from_batches(schema, _batches(rows, schema)))


def _kinds(file, table, names):
    """The type of each column, by what its cells are."""
    kinds = ("integer", "real", "text", "blob")
    asked = ", ".join(f"max(typeof({_quoted(name)}) = '{kind}')" for name in names for kind in kinds)
    found = iter(file.execute(f"SELECT {asked} FROM {table}").fetchone())
    for _name in names:
        whole, real, text, blob = (next(found) for _kind in kinds)
        if blob:
            yield pa.binary()
        elif text or not (whole or real):
            yield pa.string()
        else:
            yield pa.float64() if real else pa.int64()


def _batches(rows, schema):
    while found := rows.fetchmany(ROWS):
        columns = zip(*found, strict=True)
        arrays = [_array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        yield pa.record_batch(arrays, schema=schema)


def _array(cells, kind):
    if pa.types.is_string(kind):
        cells = [None if cell is None else str(cell) for cell in cells]
    elif pa.types.is_binary(kind):
        cells = [cell if cell is None or isinstance(cell, bytes) else str(cell).encode() for cell in cells]
    elif pa.types.is_floating(kind):
        cells = [None if cell is None else float(cell) for cell in cells]
    return pa.array(cells, kind)


def _quoted(name):
    return '"' + name.replace('"', '""') + '"'
