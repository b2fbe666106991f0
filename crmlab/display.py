"""How tables are displayed: four significant figures, values escaped, customer ids masked."""

import html
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype

from crmlab.estimate import number, shared_decimals, written
from crmlab.masks import mask

FIRST_ROWS = 5
KINDS = {  # names of columns, as patterns -> how their numbers are written
    r"p|p_adjusted|p_value": "p",
    r"(.+_)?share": "share",
    r"p_alive|p_active|probability": "probability",
    r"(.+_)?customers": "count",
}
LONG = 60  # characters, beyond which a cell is prose


def words(name: Any) -> str:
    """A fact's or column's name as one reads it."""
    return str(name).replace("_", " ")


def masked(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame with a named index as columns, and masks in place of customer ids."""
    plain = frame.reset_index() if _is_named(frame.index) else frame
    ids = [name for name in plain if str(name).endswith("customer_id")]
    return plain.assign(**{name: plain[name].map(mask) for name in ids}) if ids else plain


def _is_named(index):
    return bool(index.name) or index.nlevels > 1


class Shown:
    """A frame as a notebook displays it.

    `frame.attrs["kinds"]` may say of columns how their numbers are written: name -> kind, as "p" or "share".
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.reason = frame.attrs.get("reason", "") if frame.empty else ""
        shown = masked(frame)
        self.indexed = not _is_named(frame.index) and not isinstance(frame.index, pd.RangeIndex)
        kinds = frame.attrs.get("kinds", {})
        columns = [_column(values, kinds.get(name) or _kind(name)) for name, values in shown.items()]
        self.frame = pd.DataFrame(dict(enumerate(columns)), shown.index).set_axis(map(words, shown.columns), axis=1)

    def __repr__(self) -> str:
        if self.reason:
            return f"blank: {self.reason}"
        return self.frame.to_string(index=self.indexed)

    def _repr_html_(self) -> str:
        if self.reason:
            return f'<p class="crmlab-blank">blank: {html.escape(self.reason)}</p>'
        numeric = self.frame.map(lambda text: text[:1] in "-+0123456789" or text == "").all()
        table = self.frame.to_html(index=self.indexed, escape=True, border=0, classes="crmlab", justify="left")
        longest = self.frame.map(len).max()
        columns = [("n" if n else "l" if wide > LONG else "t") for n, wide in zip(numeric, longest, strict=True)]
        kinds = "".join((["t"] if self.indexed else []) + columns)
        return table.replace('class="dataframe crmlab"', f'class="crmlab" data-kinds="{kinds}"')


def show(frame: pd.DataFrame) -> Shown:
    """How a notebook displays a frame: four significant figures, values escaped, customer ids masked."""
    return Shown(frame)


def select_columns(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Some columns of a frame, those that hold anything, and `reason` last where a row has one.

    Of a frame with a reason of its own, as it has no numbers, an empty one that bears the reason.
    """
    if frame.attrs.get("reason"):
        return frame.iloc[:0, :0]
    held = frame[list(columns)]
    held = held.loc[:, ~(held.isna() | (held == "")).all()] if len(held) else held
    return held.assign(reason=frame.reason) if "reason" in frame and frame.reason.fillna("").any() else held


def _kind(name: Any) -> str | None:
    """How numbers of a column of this name are written wherever it stands; None where its name does not say."""
    return next((kind for pattern, kind in KINDS.items() if re.fullmatch(pattern, str(name))), None)


def _column(values: pd.Series, kind: Any) -> list[str]:
    """The cells of a column; numbers that lie within four powers of ten of each other with equally many decimals."""
    if kind is not None:
        return [written(value, kind) for value in values]
    numbers = is_float_dtype(values) or any(isinstance(value, Decimal) for value in values)
    decimals = shared_decimals(values) if numbers else None
    if decimals is None:
        return [_cell(value) for value in values]
    return ["" if pd.isna(value) else f"{value:,.{decimals}f}" for value in values]


def _cell(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat() if value == value.normalize() else value.isoformat(" ")
    return number(value)


def names_customers(table: Any) -> bool:
    """Whether a frame, or an Ibis table, has customer ids in a column or in its index."""
    index = table.index.names if isinstance(table, (pd.DataFrame, pd.Series)) else []
    return any(str(name).endswith("customer_id") for name in [*getattr(table, "columns", []), *index])


def first_rows(table: Any) -> pd.DataFrame:
    """The first rows of a frame, or of an Ibis table."""
    head = table.head(FIRST_ROWS)
    return head if isinstance(head, pd.DataFrame) else head.execute()
