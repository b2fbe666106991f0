"""Where tables live: DuckDB embedded by default, database files and any other engine by their URI."""

import atexit
import hashlib
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends import BaseBackend
from ibis.common.exceptions import OperationNotDefinedError
from pydantic import TypeAdapter, ValidationError

from crmlab import uris
from crmlab.contracts.errors import InputError, suggest
from crmlab.contracts.sizes import WRITE_MEMORY, Memory

CONNECT_SECONDS = 10  # to wait for a server that does not answer
MEMORY = 1_500_000_000  # bytes, unless others are stated: with fits beside them, a process stays below 2 GB
BESIDE = 350_000_000  # of them, at most half, for Python, its libraries and what DuckDB does not count
stated_limits: list[int] = []  # bytes that data read by this process have stated
SHOWN = 5  # names that are listed where another is not there
CONNECTING = {  # what PostgreSQL's library says of a connection that fails -> in words, and what to do
    r"password|authentication|role .* does not exist|pg_hba": (
        "it refuses the login",
        "correct the user, or the password that the environment holds",
    ),
    r"database .* does not exist": ("it has no such database", "correct the uri"),
    r"[Tt]imeout": ("it does not answer in time", "see that host and port are right and no firewall is between"),
    r"resolve|translate host|not known|Name or service": ("no host has that name", "correct the uri"),
    r"refused|No such file|unreachable|No route": ("no server answers there", "start it, or correct the uri"),
    r"too many|remaining connection": ("it has no connection to spare", "try again later"),
}


def connect(uri: str | None = None) -> BaseBackend:
    """An Ibis connection, one per URI and process; None is the embedded DuckDB, in memory.

    Its clock is UTC, so that days do not depend on the machine. `CRMLAB_THREADS` limits its threads, `CRMLAB_MEMORY`
    its memory, as does `limit_memory`; what it cannot hold lies in a temporary folder, which goes with the process.
    A connection to PostgreSQL that was lost is made anew. Raises InputError where there is none.
    """
    if uri is None:
        return _embedded()
    backend = _connected(whole := uris.expand(uri))
    if backend.name == "postgres" and backend.con.closed:
        try:
            backend.reconnect()
            _set_session(backend)
        except Exception as problem:
            raise _unconnected(problem, whole) from None
    return backend


@cache
def _embedded():
    connection = ibis.duckdb.connect()
    connection.raw_sql("SET TimeZone = 'UTC'")
    if (stated := _stated_memory()) is not None:
        stated_limits.append(stated)
    _hold_to(connection, stated or MEMORY)
    connection.raw_sql(f"SET temp_directory = '{_temporary_folder()}'")
    if threads := os.environ.get("CRMLAB_THREADS"):
        if not re.fullmatch(r"[1-9][0-9]{0,2}", threads):
            raise InputError(f"CRMLAB_THREADS = {threads!r}; write how many threads there are to be, from 1 to 999")
        connection.raw_sql(f"SET threads = {threads}")
    return connection


def limit_memory(stated: int) -> None:
    """Hold the embedded DuckDB to so many bytes; of all that a process and `CRMLAB_MEMORY` state, the least count."""
    connection = connect()
    stated_limits.append(int(stated))
    _hold_to(connection, min(stated_limits))


def _hold_to(connection, size):
    connection.raw_sql(f"SET memory_limit = '{max(size - BESIDE, size // 2)}B'").fetchall()


def stored(rows: pa.Table | pa.RecordBatchReader) -> ir.Table:
    """A table of the embedded engine with rows of Arrow; it is dropped with the last use of it."""
    engine, name = connect(), ibis.util.gen_name("stored")
    aside = engine.con.cursor()  # beside whatever the connection is doing, as is the end of the copy
    aside.register("given", rows)
    aside.execute(f'CREATE TABLE "{name}" AS FROM given').fetchall()
    aside.unregister("given")
    table = engine.table(name)
    weakref.finalize(table.op(), _drop, aside, name)
    return table


def _drop(aside, name):
    aside.execute(f'DROP TABLE IF EXISTS "{name}"').fetchall()
    aside.close()


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


@cache
def _connected(uri):
    try:
        backend = ibis.connect(uri, **_options(uri))
        _set_session(backend)
        return backend
    except Exception as problem:  # each engine raises errors of its own
        raise _unconnected(problem, uri) from None


def _options(uri):
    """What is said to an engine's library beside the URI."""
    parts = uris.URI.fullmatch(uri)
    if parts is None or parts["scheme"] not in ("postgres", "postgresql"):
        return {}
    options: dict[str, Any] = {} if parts["port"] else {"port": None}  # so that PGPORT and PGSERVICE are heard
    if parts["user"]:
        options["user"] = unquote(parts["user"].partition(":")[0])
    if "connect_timeout" not in (parts["query"] or "") and "PGCONNECT_TIMEOUT" not in os.environ:
        options["connect_timeout"] = CONNECT_SECONDS
    return options


def _set_session(backend):
    if backend.name == "postgres":  # compiling a query of many columns takes minutes, running it a second
        backend.raw_sql("SET jit = off")


def _unconnected(problem, uri):
    """The InputError of a connection that fails, in our words, as an engine's own may repeat the URI."""
    scheme = uri.partition("://")[0].replace("postgresql", "postgres")
    if scheme not in {each.name for each in entry_points(group="ibis.backends")}:
        return InputError(f"no connection, as Ibis knows no engine {scheme!r}; correct the uri")
    if isinstance(problem, ImportError):
        extra = "crmlab[postgres]" if scheme == "postgres" else f"ibis-framework[{scheme}]"
        return InputError(
            f"no connection, as the package {problem.name or scheme} is not installed; pip install '{extra}'"
        )
    found = (words for pattern, words in CONNECTING.items() if re.search(pattern, str(problem)))
    unknown = f"of a {type(problem).__name__}", "correct the uri, or see that the engine runs"
    reason, remedy = next(found, unknown)
    return InputError(f"no connection, as {reason}; {remedy}")


def table(backend: BaseBackend, name: str, catalog: str | None = None) -> ir.Table:
    """A table of an engine by its name, or schema.name. Raises InputError where there is none."""
    schema, _dot, last = name.rpartition(".")
    database: Any = schema or None
    if catalog is not None:
        database = catalog, schema or "main"
    try:
        return backend.table(last, database=database)
    except Exception as problem:  # each engine raises errors of its own
        try:
            schemas, there = _names(backend, schema, catalog)
        except Exception:
            raise InputError("cannot be read ({}); {}".format(*failure(problem))) from None
        if schema not in ("", *schemas):
            raise InputError(absent("schema", schema, schemas)) from None
        if last not in there:
            raise InputError(absent("table", last, there)) from None
        raise InputError("cannot be read ({}); {}".format(*failure(problem))) from None


def _names(backend, schema, catalog):
    """The schemas of an engine, and the tables and views of one."""
    if catalog is not None:
        listed = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = ?"
        found = backend.con.execute(listed, [catalog]).fetchall()
        return sorted({each for each, _name in found}), [name for each, name in found if each == (schema or "main")]
    schemas = [each for each in backend.list_databases() if not each.startswith("pg_")] if schema else []
    return schemas, backend.list_tables(database=schema or None) if schema in ("", *schemas) else []


def absent(what: str, name: str, there: list[str]) -> str:
    """What to say of a schema or table that is not there."""
    few = ", ".join(sorted(there)[:SHOWN]) + (", …" if len(there) > SHOWN else "")
    return f"no {what} {name!r} (there: {few or 'none'}); {suggest(name, there, 'correct table')}"


def attach(path: Path) -> str:
    """The name under which the embedded DuckDB has a DuckDB file, opened to be read alone."""
    name, engine = f"file_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}", connect()
    engine.raw_sql(f"DETACH DATABASE IF EXISTS {name}")
    written = str(path).replace("'", "''")
    try:
        engine.raw_sql(f"ATTACH '{written}' AS {name} (TYPE duckdb, READ_ONLY)")
    except duckdb.Error as problem:
        remedy = "it may be damaged, or another program has it open to write; make it anew, or end that program"
        raise InputError(f"cannot be read ({failure(problem)[0].replace(f'{path.parent}/', '')}); {remedy}") from None
    return name


DOWN = "see that the server runs"  # what is advised where another try may do


def failure(problem: Exception) -> tuple[str, str]:
    """What an engine says of a query that fails, in a line, and what to do about it."""
    said = re.sub(r"^[\w ]+ Error: ", "", str(problem).split("\n")[0]).rstrip(".") or type(problem).__name__
    kind = type(problem).__name__
    if isinstance(problem, OperationNotDefinedError):
        return "text cannot be read there cell by cell", "give a view that casts it to dates, timestamps and numbers"
    if kind == "InsufficientPrivilege":
        return said, "have the right to SELECT from it granted"
    if lost(problem):
        return said, f"{DOWN}, and begin again"
    return said, "store times as dates or timestamps, and amounts as numbers"


def lost(problem: BaseException) -> bool:
    """Whether a query failed as the connection to its server was lost."""
    module = type(problem).__module__.partition(".")[0]
    return module == "psycopg" and any(
        base.__name__ in ("OperationalError", "InterfaceError") for base in type(problem).__mro__
    )


def is_embedded(expression: ir.Expr) -> bool:
    """Whether an expression is run by the embedded engine, as are tables that are on none."""
    backends = {backend.name for backend in expression._find_backends()[0]}
    return backends <= {"duckdb"}
