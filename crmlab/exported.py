"""How tables leave a run: as CSV that no spreadsheet runs, and without groups that are too small to be shown."""

import csv
import numbers
import os
import re
import sys
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pandas.api.types import (
    is_bool_dtype,
    is_datetime64_any_dtype,
    is_numeric_dtype,
    is_timedelta64_dtype,
)
from pydantic import BaseModel, ConfigDict, Field

from crmlab.contracts import formulas

SETTINGS = ".inputs/tables.json"  # within a run's staging
REPLICATES = "tables/private/replicates.csv"  # of a run: deviations of its facts in bootstrap replicates


class Tables(BaseModel):
    """How the tables of runs are written, `[tables]` in suite.toml.

    csv            : "safe" puts an apostrophe before text that a spreadsheet would run, "raw" leaves it
    smallest_group : how many customers a group must have to be shown; None shows all
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    csv: Literal["safe", "raw"] = "safe"
    smallest_group: int | None = Field(None, ge=2, le=1000)


def settings() -> Tables:
    """How the tables of this run are written; the defaults elsewhere."""
    staging = os.environ.get("CRMLAB_STAGING")
    path = Path(staging) / SETTINGS if staging else None
    return Tables.model_validate_json(path.read_bytes()) if path and path.is_file() else Tables()


def write_table(table: Any, path: Path, safe: bool = True) -> int:
    """Write a frame, or let the engine write an Ibis table, as CSV with every digit.

    safe : text that a spreadsheet would take for a formula has an apostrophe before it, as a cell of a log may hold one
    Returns how many cells have one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(table, pd.DataFrame):
        how = csv.QUOTE_NONNUMERIC if _has_returns(table) else csv.QUOTE_MINIMAL  # a bare one would end a line
        indexed = table.index.name is not None or table.index.nlevels > 1
        (_plain(table) if safe else table).to_csv(path, index=indexed, quoting=how, errors="replace")
    else:
        (_without_formulas(table) if safe else table).to_csv(path)
    return _changed(path) if safe else 0


def _texts(table):
    """Places of the columns that may hold text."""
    known = (is_numeric_dtype, is_bool_dtype, is_datetime64_any_dtype, is_timedelta64_dtype)
    return [place for place, kind in enumerate(table.dtypes) if not any(is_kind(kind) for is_kind in known)]


def _plain(table):
    """A frame whose text no spreadsheet runs, in its cells and in the names of columns and index."""
    written = table.rename(index=_cell, columns=_cell).rename_axis(index=_cell, columns=_cell)
    for place in _texts(table):
        written.isetitem(place, written.iloc[:, place].astype(object).map(_cell))
    return written


def _cell(value):
    """A cell that no spreadsheet runs; of what is neither text nor number, as a path, the text is what is written."""
    if isinstance(value, str) or value is None or isinstance(value, (numbers.Number, date)):
        return formulas.plain(value)
    text = str(value)
    plain = formulas.plain(text)
    return value if plain == text else plain


def _has_returns(table):
    """Whether text of a frame, its index or the names of its columns holds a carriage return."""
    texts = [table.iloc[:, place] for place in _texts(table)]
    texts += [pd.Series(list(map(str, table.columns)), dtype=object)]
    texts += [table.index.get_level_values(level).to_series() for level in range(table.index.nlevels)]
    return any("\r" in str(cell) for each in texts for cell in each if not isinstance(cell, numbers.Number))


def _without_formulas(table):
    text = [name for name, kind in table.schema().items() if kind.is_string()]
    formula = {
        name: (table[name].re_search(formulas.FORMULA) & ~table[name].re_search(formulas.NUMBER))
        | table[name].re_search(formulas.RISKY)
        for name in text
    }
    return table.mutate(**{name: found.ifelse("'" + table[name], table[name]) for name, found in formula.items()})


def _changed(path):
    """How many cells of a file have an apostrophe that was put there."""
    if b"'" not in path.read_bytes():
        return 0
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        return sum(bool(re.search(formulas.RISKY, cell)) for row in csv.reader(stream) for cell in row)


def read_table(path: str | Path) -> pd.DataFrame:
    """A table of a run, its text as it was before it was written; ids stay text, columns of numbers are numbers.

    Parameters
    ----------
    path : str or Path
        A CSV file below `tables/` or `figures/` of a run.

    Returns
    -------
    DataFrame
        Columns of ids are text, with their zeros in front.

    Raises
    ------
    FileNotFoundError
        Where there is no such file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "winners.csv").write_text("customer_id,orders\\n00123,3\\n")
    ...     read_table(Path(folder, "winners.csv"))
      customer_id  orders
    0       00123       3
    """
    path = Path(path)
    names = pd.read_csv(path, nrows=0).columns
    ids = {name: str for name in names if name.endswith("_id")}
    table = pd.read_csv(path, dtype=ids, keep_default_na=False, na_values=[""])
    return as_it_was(table, path)


def as_it_was(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """A table that was read from a file of a run, its text as it was before it was written."""
    if not formulas.are_plain(path.resolve()):
        return table
    for place in _texts(table):
        table.isetitem(place, table.iloc[:, place].map(formulas.original))
    return table.rename(columns=formulas.original)
