"""Scores of customers as files: written aside, a block of customers at a time, and shown at once when all are there."""

import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import ibis.expr.types as ir
import pyarrow.parquet as pq

from crmlab import engines
from crmlab.contracts import InputError

BLOCK = 250_000  # customers in memory at once
ROWS_PER_FILE = 2_000_000


def write_scores(
    scored: ir.Table, to: str | Path, progress: Callable[[int], object] = lambda customers: None
) -> list[Path]:
    """Write the table of `score` as a Parquet dataset: a folder of files, which is there when all are written.

    Parameters
    ----------
    scored : Ibis table
        The table of `score`.
    to : str or Path
        The folder to make; there must be nothing of that name.
    progress : function
        Called with the number of customers written so far, after each block of 250,000 at most.

    Returns
    -------
    list of Path
        The files, in the order of customer_id.

    Raises
    ------
    InputError
        Where there is something of that name, or the folder cannot be written.
    """
    to = new_folder(to)
    with _aside(to) as folder:
        _write(scored, folder, progress)
        os.rename(folder, to)
    return sorted(to.iterdir())


def new_folder(to: str | Path) -> Path:
    """The absolute path of a folder that can be made. Raises InputError where it cannot."""
    to = Path(to).expanduser().absolute()
    if to.exists() or to.is_symlink():
        raise InputError(f"{to}: there is something of that name; name a folder that is not there yet, or remove it")
    if not to.parent.is_dir():
        raise InputError(f"{to}: there is no folder {to.parent}; make it, or name another")
    return to


@contextmanager
def _aside(to: Path) -> Iterator[Path]:
    """A hidden folder beside `to`, which is gone in the end; those that a killed process left are removed first."""
    prefix = f".{to.name}."
    try:
        _remove_left(to.parent, prefix)
        with tempfile.NamedTemporaryFile(dir=to.parent, prefix=prefix, suffix=".lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            folder = Path(lock.name).with_suffix(".scores")
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as problem:
        reason = str(problem).split("\n")[0].rstrip(".")
        advice = "free some space, or name a folder on another disk that you may write to"
        raise InputError(f"{to}: cannot be written ({reason}); {advice}") from problem


def _remove_left(parent: Path, prefix: str) -> None:
    for path in parent.glob(f"{prefix}*.lock"):
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # of a process at work
            shutil.rmtree(path.with_suffix(".scores"), ignore_errors=True)
            path.unlink(missing_ok=True)


def _write(scored, folder, progress):
    count, in_file, numbers, writer = 0, 0, itertools.count(), None
    try:
        with closing(engines.batches(scored, BLOCK)) as batches:
            for batch in batches:
                if writer is None or in_file >= ROWS_PER_FILE:
                    if writer:
                        writer.close()
                    path, in_file = folder / f"part-{next(numbers):05}.parquet", 0
                    writer = pq.ParquetWriter(path, batch.schema, compression="zstd")
                writer.write_batch(batch)
                count, in_file = count + batch.num_rows, in_file + batch.num_rows
                progress(count)
    finally:
        if writer:
            writer.close()
