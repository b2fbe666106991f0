"""How tables are displayed: four significant figures, values escaped, customer ids masked."""

import hashlib
import hmac
import html
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_object_dtype, is_string_dtype

from crmlab.estimate import number, written

FIRST_ROWS = 5
FORMULA = r"^[=+\-@\t\r]"  # how text begins that a spreadsheet takes for a formula
NUMBER = r"^[+-]?[0-9.,]+([eE][+-]?[0-9]+)?$"
LONG = 60  # characters, beyond which a cell is prose


def words(name: Any) -> str:
    """A fact's or column's name as one reads it."""
    return str(name).replace("_", " ")


def mask(customer_id: Any) -> str:
    """A customer id as displays show it: the same for the same id and key, and no way back without the key.

    The key is `$CRMLAB_MASK_KEY`; without one, whoever has the list of ids can find them by trying.
    """
    key = os.environ.get("CRMLAB_MASK_KEY", "crmlab").encode()
    return "c-" + hmac.new(key, str(customer_id).encode(), hashlib.sha256).hexdigest()[:8]


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
        written_ = {name: shown[name].map(_writer(kinds.get(name))) for name in shown} if kinds else None
        self.frame = (shown.map(_cell) if written_ is None else pd.DataFrame(written_, shown.index)).rename(
            columns=words
        )

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


def _writer(kind: Any) -> Any:
    return _cell if kind is None else lambda value: written(value, kind)


def _cell(value: Any) -> str:
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


def write_table(table: Any, path: Path) -> None:
    """Write a frame, or let the engine write an Ibis table, as CSV with every digit.

    Text that a spreadsheet would take for a formula has an apostrophe before it, as a cell of a log may hold one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(table, pd.DataFrame):
        plain = table.rename(index=_no_formula, columns=_no_formula)
        for place, kind in enumerate(plain.dtypes):
            if is_object_dtype(kind) or is_string_dtype(kind):
                plain.isetitem(place, plain.iloc[:, place].map(_no_formula))
        plain.to_csv(path, index=table.index.name is not None or table.index.nlevels > 1)
        return
    text = [name for name, kind in table.schema().items() if kind.is_string()]
    formula = {name: table[name].re_search(FORMULA) & ~table[name].re_search(NUMBER) for name in text}
    table.mutate(**{name: found.ifelse("'" + table[name], table[name]) for name, found in formula.items()}).to_csv(path)


def _no_formula(cell):
    is_formula = isinstance(cell, str) and re.search(FORMULA, cell) and not re.search(NUMBER, cell)
    return f"'{cell}" if is_formula else cell
