"""Orders of many customers: time and peak resident memory from the log to totals and to scores.

The log is of a Pareto/NBD world with Gamma-Gamma spend, whose shapes are whole numbers, so that SQL draws it; its rows
are ordered by time, as those of a shop are. Each path is measured in a process of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np

from .clock import QUICK, Measured

SIZES = (10_000, 30_000, 100_000) if QUICK else (100_000, 1_000_000, 10_000_000)
FRAME = 20_000 if QUICK else 360_000  # customers whose log has about a million rows
MEMORY = "1GB"
END = "2023-12-31"
# r = s = 1 makes counts of orders geometric and lives of customers Pareto; p = 4 and q = 3 are sums of exponentials
LOG = """
COPY (
    WITH customers AS (
        SELECT i, floor(random() * 90) AS acquired, 50 * (1 / random() - 1) AS life,
               -ln(random() * random() * random()) / 60 AS nu
        FROM range({customers}) AS r(i)
    ),
    observed AS (SELECT *, least(life, 365 - acquired) AS active FROM customers),
    counted AS (SELECT *, floor(ln(random()) / ln(active / (54 + active)))::BIGINT AS repeats FROM observed),
    placed AS (SELECT *, unnest(range(repeats + 1)) AS place FROM counted)
    SELECT 'c' || lpad(((i * 7919) % {customers})::VARCHAR, 9, '0') AS customer_id,
           TIMESTAMP '2023-01-01' + to_seconds(
               CASE WHEN place = 0 THEN acquired * 86400 ELSE floor((acquired + random() * active) * 86400) END
           ) AS time,
           greatest(round(-ln(random() * random() * random() * random()) / nu, 2), 0.01) AS amount
    FROM placed ORDER BY time
) TO '{path}' (FORMAT parquet)
"""


def measure():
    """Every figure of this file, as they come."""
    with tempfile.TemporaryDirectory(prefix="crmlab-bench-") as folder:
        logs = {size: log(Path(folder), size) for size in SIZES}
        yield from totals(logs)
        yield from scores(logs[SIZES[-1]], Path(folder))
        yield from frame(log(Path(folder), FRAME))


def log(folder, customers):
    """The Parquet file of orders of so many customers, written a block at a time."""
    path = folder / f"orders_{customers}.parquet"
    if not path.exists():
        with duckdb.connect() as engine:
            engine.execute(f"SET threads = 1; SET memory_limit = '1GB'; SET temp_directory = '{folder}/spilled'")
            engine.execute("SELECT setseed(0.5)")
            engine.execute(LOG.format(customers=customers, path=path))
    return path


def totals(logs):
    """From the log to totals at each size, the exponent of growth, and the largest within a stated memory."""
    found = {size: stages("totals", path) for size, path in logs.items()}
    rows = [found[size][0]["rows"] for size in SIZES]
    for name in [stage["stage"] for stage in found[SIZES[0]]]:
        of_size = [next(s for s in found[size] if s["stage"] == name)["seconds"] for size in SIZES]
        how = ", ".join(f"{seconds:.3g} s" for seconds in of_size)
        slope = float(np.polyfit(np.log(rows), np.log(of_size), 1)[0])
        yield Measured(f"{name}: exponent of time against rows", slope, 1.1, how=how)
    size = SIZES[-1]
    of_work = f"{size:,} customers, {rows[-1]:,} rows"
    yield from whole(f"log to totals, {of_work}", found[size], 45, 2)
    yield from whole(f"the same, memory = {MEMORY}", stages("totals", logs[size], CRMLAB_MEMORY=MEMORY), np.inf, 1.2)


def whole(what, found, seconds, gigabytes):
    """The time and the peak memory of a path."""
    each = ", ".join(f"{s['stage']} {s['seconds']:.3g} s, {s['peak']:.2f} GB" for s in found)
    yield Measured(f"{what}: seconds", sum(s["seconds"] for s in found), seconds, how=each)
    yield Measured(f"{what}: peak GB", max(s["peak"] for s in found), gigabytes)


def scores(path, folder):
    for kind, memory in (("default", {}), (f"memory = {MEMORY}", {"CRMLAB_MEMORY": MEMORY})):
        found = stages("score", path, str(folder / f"scores {kind}"), **memory)
        scored = [stage for stage in found if stage["stage"] == "score"]
        yield from whole(f"scores as Parquet, {kind}", scored, np.inf if memory else 60, 1.2 if memory else 2)


def frame(path):
    """A DataFrame of pandas beside the same rows as Parquet."""
    by_kind = {kind: stages(kind, path)[-1] for kind in ("parquet", "frame")}
    more = by_kind["frame"]["seconds"] - by_kind["parquet"]["seconds"]
    how = ", ".join(f"{kind} {s['seconds']:.3g} s, {s['peak']:.2f} GB" for kind, s in by_kind.items())
    yield Measured(f"validation of a DataFrame, {by_kind['frame']['rows']:,} rows: more seconds", more, 2, how=how)


def stages(path_taken, *given, **environment):
    """What a path costs, stage by stage: seconds, and the peak of resident memory up to its end, GB."""
    command = [sys.executable, "-m", "tests.bench.scale_path", path_taken, *map(str, given)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{path_taken} {given}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
