"""Where tables live: DuckDB embedded by default, any other engine by its URI."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends import BaseBackend
from pydantic import TypeAdapter, ValidationError

from crmlab.contracts.errors import InputError
from crmlab.contracts.sizes import WRITE_MEMORY, Memory

MEMORY = 1_500_000_000  # bytes, unless others are stated: with fits beside them, a process stays below 2 GB
SHARE = 0.8  # of them that DuckDB is held to; Python, its libraries and what DuckDB does not count take the rest
stated_limits: list[int] = []  # bytes that data read by this process have stated


@cache
def connect(uri: str | None = None) -> BaseBackend:
    """An Ibis connection, one per URI and process; None is the embedded DuckDB, in memory.

    Its clock is UTC, so that days do not depend on the machine. `CRMLAB_THREADS` limits its threads, `CRMLAB_MEMORY`
    its memory, as does `limit_memory`; what it cannot hold lies in a temporary folder, which goes with the process.
    `${NAME}` in a URI is taken from the environment, so that no secret is written down.
    """
    if uri is not None:
        return ibis.connect(os.path.expandvars(uri))
    connection = ibis.duckdb.connect()
    connection.raw_sql("SET TimeZone = 'UTC'")
    if (stated := _stated_memory()) is not None:
        stated_limits.append(stated)
    _hold_to(connection, stated or MEMORY)
    connection.raw_sql(f"SET temp_directory = '{_temporary_folder()}'")
    if threads := os.environ.get("CRMLAB_THREADS"):
        connection.raw_sql(f"SET threads = {int(threads)}")
    return connection


def limit_memory(stated: int) -> None:
    """Hold the embedded DuckDB to so many bytes; of all that a process and `CRMLAB_MEMORY` state, the least count."""
    connection = connect()
    stated_limits.append(int(stated))
    _hold_to(connection, min(stated_limits))


def _hold_to(connection, size):
    connection.raw_sql(f"SET memory_limit = '{int(SHARE * size)}B'").fetchall()


@contextmanager
def held(table: ir.Table) -> Iterator[ir.Table]:
    """The rows of a lazy table, computed once where several steps read them; on another engine, the table as it is."""
    if not is_embedded(table):
        yield table
        return
    engine, name = connect(), ibis.util.gen_name("held")
    rows = engine.create_table(name, table, temp=True)
    try:
        yield rows
    finally:
        engine.raw_sql(f'DROP TABLE IF EXISTS "{name}"').fetchall()


def batches(table: ir.Table, rows: int) -> Generator[pa.RecordBatch, None, None]:
    """A lazy table as Arrow, at most so many rows at once."""
    if not is_embedded(table):
        yield from table.to_pyarrow_batches(chunk_size=rows)
        return
    engine = connect()
    engine._run_pre_execute_hooks(table)  # tables in memory; Ibis' own batches ask DuckDB for a method that it lacks
    with engine.con.sql(engine.compile(table)).to_arrow_reader(rows) as reader:
        yield from reader


def _stated_memory():
    """What `CRMLAB_MEMORY` states, bytes; None where it states nothing. Raises InputError where it is no size."""
    if not (stated := os.environ.get("CRMLAB_MEMORY")):
        return None
    try:
        return int(TypeAdapter(Memory).validate_python(stated))
    except ValidationError:
        raise InputError(f"CRMLAB_MEMORY = {stated!r}; write {WRITE_MEMORY}") from None


def _temporary_folder():
    folder = tempfile.mkdtemp(prefix="crmlab-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def is_embedded(expression: ir.Expr) -> bool:
    """Whether an expression is run by the embedded engine, as are tables that are on none."""
    backends = {backend.name for backend in expression._find_backends()[0]}
    return backends <= {"duckdb"}
