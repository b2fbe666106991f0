"""Frames of cells, as workbooks and files of statistics programs hold them, become raw tables."""

from datetime import date, datetime

import pandas as pd
import pyarrow as pa

from crmlab import engines
from crmlab.contracts import FILE, ROW, SHOWN, InputError
from crmlab.contracts.errors import repeated


def headed(rows, header, where):
    """Names of columns, and the rows below them; columns without a name that hold nothing are left out."""
    names = list(header or map(_written, rows[0] if rows else ()))
    rows = rows if header else rows[1:]
    if not any(names):
        raise InputError(
            f"{where}: the row where the header should be is empty; begin it with the names of the columns"
        )
    if header and rows and len(rows[0]) != len(header):
        raise InputError(f"{where}: there are {len(rows[0]):,} columns, and header names {len(header):,}; name each")
    held = [i for i, name in enumerate(names) if name or any(row[i] not in (None, "") for row in rows)]
    return named([names[i] for i in held], where), [[row[i] for i in held] for row in rows]


def raw_table(parts, files, folder, decimal, where):
    """The raw table of frames of cells, one a file, their index the numbers of rows."""
    names = [*parts[0].columns]
    unlike = [file.name for file, part in zip(files, parts, strict=True) if [*part.columns] != names]
    if unlike:
        raise InputError(
            f"{where}: the header of {files[0].name} is not that of {len(unlike):,} of {len(files):,} files (first: "
            f"{', '.join(unlike[:SHOWN])}); give all the same columns in the same order"
        )
    table = pd.concat(parts)
    columns = {name: _column(table[name], decimal) for name in names}
    if folder:
        columns[FILE] = pa.array([file.name for file, part in zip(files, parts, strict=True) for _row in part.index])
    columns[ROW] = pa.array(table.index, "int64")
    return engines.stored(pa.table(columns))


def _column(cells, decimal):
    """A column of cells of one kind as that; of several, as text."""
    cells = [None if pd.isna(cell) or cell == "" else cell for cell in cells]
    kinds = {_kind_of_cell(cell) for cell in cells if cell is not None}
    if kinds == {float}:
        whole = all(cell is None or (float(cell).is_integer() and abs(cell) < 2**53) for cell in cells)
        return pa.array([cell if cell is None else int(cell) for cell in cells] if whole else cells,
                        "int64" if whole else "float64")  # fmt: skip
    if kinds == {datetime}:
        return pa.array([None if cell is None else pd.Timestamp(cell) for cell in cells], pa.timestamp("us"))
    if kinds == {bool}:
        return pa.array(cells, "bool")
    return pa.array([None if cell is None else _written(cell, decimal) for cell in cells], "string")


def _kind_of_cell(cell):
    if isinstance(cell, bool):
        return bool
    return float if isinstance(cell, (int, float)) else datetime if isinstance(cell, date) else str


def _written(cell, decimal="."):
    """A cell as text: 13085.0 as 13085, a date without its midnight."""
    if cell is None:
        return ""
    if isinstance(cell, float) and not isinstance(cell, bool):
        return str(int(cell)) if cell.is_integer() else repr(float(cell)).replace(".", decimal)
    return str(cell).removesuffix(" 00:00:00") if isinstance(cell, datetime) else str(cell)


def named(names, where):
    """The names of columns, of which those without one are numbered. Raises InputError for one that stands twice."""
    names = [name or f"unnamed {i}" for i, name in enumerate(names, 1)]
    if twice := repeated(names):
        raise InputError(f"{where}: its header names {', '.join(map(repr, twice))} more than once; rename all but one")
    return names
