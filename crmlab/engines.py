"""Where tables live: DuckDB embedded by default, any other engine by its URI."""

import os
from functools import cache

import ibis
import ibis.expr.types as ir
from ibis.backends import BaseBackend


@cache
def connect(uri: str | None = None) -> BaseBackend:
    """An Ibis connection, one per URI and process; None is the embedded DuckDB, in memory.

    Its clock is UTC, so that days do not depend on the machine. `CRMLAB_THREADS` limits its threads.
    `${NAME}` in a URI is taken from the environment, so that no secret is written down.
    """
    if uri is not None:
        return ibis.connect(os.path.expandvars(uri))
    connection = ibis.duckdb.connect()
    connection.raw_sql("SET TimeZone = 'UTC'")
    if threads := os.environ.get("CRMLAB_THREADS"):
        connection.raw_sql(f"SET threads = {int(threads)}")
    return connection


def is_embedded(expression: ir.Expr) -> bool:
    """Whether an expression is run by the embedded engine, as are tables that are on none."""
    backends = {backend.name for backend in expression._find_backends()[0]}
    return backends <= {"duckdb"}
