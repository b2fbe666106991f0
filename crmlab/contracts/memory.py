"""Tables in memory, of pandas or of whatever gives Arrow, become raw lazy tables; those of Ibis are some already.

What is read is a copy: a frame may change afterwards.
"""

from typing import Any, Protocol, runtime_checkable

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from pandas.api.types import infer_dtype

from crmlab import engines
from crmlab.contracts import ROW, SHOWN, InputError
from crmlab.contracts.errors import repeated

STORE = "store numbers, text, days or times"


@runtime_checkable
class ArrowTable(Protocol):
    """A table that gives Arrow, such as one of polars or pyarrow."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...


def read(data: pd.DataFrame | ir.Table | ArrowTable, where: str) -> ir.Table:
    """The raw lazy table of one in memory, rows numbered from 1; an Ibis table as it is.

    Raises InputError with everything that makes it no table of plain columns.
    """
    if isinstance(data, ir.Table):
        return data
    arrow = _of_pandas(data, where) if isinstance(data, pd.DataFrame) else _of_arrow(data, where)
    columns, unreadable = {}, []
    for name, column in zip(arrow.column_names, arrow.columns, strict=True):
        try:
            columns[name] = _plain(column)
        except pa.ArrowException:
            unreadable.append(f"{where}: {name!r} is of a type that cannot be read, {column.type}; {STORE}")
    if unreadable:
        raise InputError(*unreadable)
    plain = pa.table(columns)
    return engines.stored(plain.append_column(ROW, pa.array(range(1, len(plain) + 1))))


def _of_pandas(frame, where):
    """A frame of pandas as Arrow; the levels of an index that has names are columns."""
    if frame.columns.nlevels > 1:
        advice = "join their names, as frame.columns = ['_'.join(map(str, names)) for names in frame.columns]"
        raise InputError(f"{where}: columns have names of {frame.columns.nlevels} levels, a MultiIndex; {advice}")
    levels = [level for level in frame.index.names if level is not None]
    if levels:
        if len(levels) < frame.index.nlevels or {*levels} & {*frame.columns}:
            raise InputError(
                f"{where}: its index {levels} has a level without a name, or one that is a column too; reset_index"
            )
        frame = frame.reset_index()
    frame = frame.set_axis(map(str, frame.columns), axis=1)
    _check_names(list(frame.columns), where)
    mixed = [breach for name in frame for breach in _mixed(frame[name], name, where)]
    if mixed:
        raise InputError(*mixed)
    columns, unreadable = {}, []
    for name, column in frame.items():
        column = column.dt.to_timestamp() if isinstance(column.dtype, pd.PeriodDtype) else column
        try:
            columns[name] = pa.array(column, from_pandas=True)
        except (pa.ArrowException, OverflowError) as problem:
            why = str(problem.args[0]).split("\n")[0]
            unreadable.append(f"{where}: {name!r} cannot be read ({why}); {STORE}")
    if unreadable:
        raise InputError(*unreadable)
    return pa.table(columns)


def _of_arrow(data, where):
    try:
        table = pa.table(data)
    except (pa.ArrowException, TypeError, ValueError) as problem:
        why = str(problem).split("\n")[0]
        raise InputError(f"{where}: it cannot be read as a table ({why}); give columns with names, {STORE}") from None
    _check_names(table.column_names, where)
    return table


def _check_names(names, where):
    if twice := repeated(names):
        raise InputError(
            f"{where}: {', '.join(map(repr, twice))} stand more than once among its columns; rename all but one"
        )


def _mixed(column, name, where):
    """The breach of a column of objects that are of several kinds; none where they are of one."""
    if column.dtype != object or infer_dtype(column, skipna=True) not in ("mixed", "mixed-integer", "datetime"):
        return []
    known = column[column.notna()]
    kinds = known.map(_kind)
    counts = kinds.value_counts()
    if len(counts) < 2:
        return []
    found = ", ".join(f"{kind} in {count:,}" for kind, count in counts.items())
    rarest = kinds[kinds == counts.index[-1]].index[:SHOWN]
    rows = [column.index.get_loc(at) for at in rarest] if column.index.is_unique else []
    first = f" (first: rows {', '.join(f'{row + 1:,}' for row in rows)})" if rows else ""
    advice = "make them one kind, such as text by astype(str)"
    return [f"{where}: {name!r} mixes kinds: {found} of {len(column):,} rows{first}; {advice}"]


def _kind(value):
    """The kind of a cell, in a word or two."""
    if getattr(value, "tzinfo", None) is not None:
        return "time with an offset"
    return type(value).__name__


def _plain_text(kind):
    """Text as all know it, of whatever layout; any other type as it is."""
    return pa.string() if pa.types.is_string_view(kind) or pa.types.is_large_string(kind) else kind


def _plain(column):
    """A column without dictionaries, and times by the microsecond, as engines have them."""
    if pa.types.is_dictionary(column.type):
        kind = _plain_text(column.type.value_type)
        column = pa.chunked_array([part.dictionary.cast(kind).take(part.indices) for part in column.chunks], kind)
    if pa.types.is_null(column.type):
        return column.cast(pa.string())
    if pa.types.is_float16(column.type):
        return column.cast(pa.float32())
    if pa.types.is_decimal256(column.type):
        return column.cast(pa.decimal128(38, column.type.scale))
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return column
