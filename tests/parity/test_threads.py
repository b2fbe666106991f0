"""Tables are the same to the last bit however many threads DuckDB has, and in whatever order they read."""

from decimal import Decimal

import ibis
import numpy as np
import pyarrow as pa
import pytest

from crmlab import clv

SPLIT, UNTIL = "2024-09-30", "2024-12-30"


@pytest.fixture(scope="module")
def rows():
    """250,000 rows of 5,000 customers, some of them returns: DuckDB gives a thread 122,880 at a time."""
    rng = np.random.default_rng(1)
    size = 250_000
    day = np.datetime64("2024-01-01") + rng.integers(0, 365, size)
    cents = rng.integers(1, 10_000_000, size) * np.where(rng.random(size) < 0.05, -1, 1)
    return pa.table(
        {
            "customer_id": pa.array(rng.integers(0, 5_000, size)).cast("string"),
            "time": pa.array(day.astype("datetime64[us]")),
            "amount": pa.array([Decimal(c) / 100 for c in cents.tolist()], pa.decimal128(18, 4)),
            "order_day": pa.array(np.where(cents < 0, day - 3, day).astype("datetime64[D]")),
        }
    )


def tables(rows, threads):
    connection = ibis.duckdb.connect()
    connection.raw_sql(f"SET threads = {threads}")
    log = connection.create_table("log", ibis.memtable(rows))
    summary = clv.summarise(log, SPLIT)
    later = clv.with_holdout(summary, log, SPLIT, UNTIL)
    return [
        later.order_by("customer_id").to_pyarrow(),
        pa.Table.from_pandas(clv.collapse(later, "orders")),
        pa.Table.from_pandas(clv.collapse(summary, "monetary_value")),
        pa.Table.from_pandas(clv.weekly_orders(log, SPLIT, UNTIL)),
    ]


def test_threads_and_row_order_change_no_bit(rows):
    one = tables(rows, 1)
    shuffled = rows.take(np.random.default_rng(2).permutation(len(rows)))
    assert len(one[0]) == 5_000
    for others in (tables(rows, 2), tables(shuffled, 2)):
        for left, right in zip(one, others, strict=True):
            assert left.equals(right)
