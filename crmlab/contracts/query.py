"""One SELECT over files: joins of orders, payments and customers, run by DuckDB on a connection that sees these alone.

Each file is a table under the path that the query names it by, read as any other file: text stays text. The connection
has no files, network or settings of its own, so that no query can read what it does not name.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import duckdb
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from crmlab import engines
from crmlab.contracts import ROW, InputError
from crmlab.contracts.contract import FILE
from crmlab.contracts.errors import repeated, suggest

BATCH = 100_000  # rows
LOCKED = (
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def check(sql: str, named: list[str]) -> None:
    """Raises ValueError where a text is not one SELECT, or names none of its sources, or others."""
    try:
        trees = [tree for tree in sqlglot.parse(sql, read="duckdb") if tree is not None]
    except SqlglotError as problem:
        found = (getattr(problem, "errors", None) or [{}])[0]
        place = f" (line {found['line']:,}, sign {found['col']:,})" if found.get("line") else ""
        raise ValueError(f"it cannot be read as SQL{place}; write one SELECT, its quotes closed") from None
    except RecursionError:
        raise ValueError("it is nested too deep; write fewer SELECTs within each other") from None
    if len(trees) != 1:
        raise ValueError(f"it holds {len(trees):,} statements; write one SELECT")
    if not isinstance(trees[0], exp.Query):
        raise ValueError("it is no SELECT; write one, as SELECT … FROM 'raw/orders.csv'")
    own = {cte.alias for cte in trees[0].find_all(exp.CTE)}
    tables = {table.name for table in trees[0].find_all(exp.Table) if isinstance(table.this, exp.Identifier)} - own
    strange, idle = sorted(tables - {*named}), [name for name in named if name not in tables]
    if strange:
        listed = ", ".join(map(repr, strange))
        raise ValueError(f"it reads {listed}, not among its sources; {suggest(strange[0], named, 'list it there')}")
    if idle:
        raise ValueError(f"it does not read {', '.join(map(repr, idle))} of its sources; leave out what is not read")


def read(sql: str, tables: Mapping[str, ir.Table], files: Mapping[str, Path], where: str) -> ir.Table:
    """The result of a query as a raw table.

    tables : source -> its raw table
    files  : source -> its file, of those that are Parquet: these are not copied
    Raises InputError where the query cannot be run.
    """
    with duckdb.connect() as alone:
        for name, table in tables.items():
            held = f'"{name.replace(chr(34), chr(34) * 2)}"'
            if name in files:
                path = str(files[name]).replace("'", "''")
                alone.execute(f"CREATE VIEW {held} AS FROM read_parquet('{path}')")
                continue
            rows = table.drop(*(column for column in (FILE, ROW) if column in table.columns))
            given = pa.RecordBatchReader.from_batches(rows.schema().to_pyarrow(), engines.batches(rows, BATCH))
            alone.register("given", given)
            alone.execute(f"CREATE TABLE {held} AS FROM given").fetchall()
            alone.unregister("given")
        alone.execute(f"SET allowed_paths = {[str(path) for path in files.values()]}")
        for setting in LOCKED:
            alone.execute(setting)
        try:
            found = alone.sql(sql).to_arrow_reader(BATCH)
            if twice := repeated(found.schema.names):
                listed = ", ".join(map(repr, twice))
                raise InputError(f"{where}: sql gives {listed} more than once; rename all but one by AS")
            return engines.stored(found)
        except duckdb.Error as problem:
            raise InputError(f"{where}: sql: {_reason(problem)}") from None


def _reason(problem):
    """What DuckDB says of a query, with what to do."""
    said = str(problem).split("\n")[0].removeprefix("reading the stream registered as 'given' failed: ")
    reason = re.sub(r"^[\w ]+ Error: ", "", said).rstrip(".!")
    if isinstance(problem, duckdb.PermissionException):
        return "it reads a file by itself; name files in sources, and read them as FROM 'raw/orders.csv'"
    if "Could not convert" in said:
        return f"{reason}; correct these cells, or leave such empty by TRY_CAST"
    if re.search("Cannot (mix|compare)|No function matches", said):
        return f"{reason}; columns of text files are text: CAST them, as CAST(Price AS DECIMAL(18, 4))"
    return f"{reason}; correct it"
