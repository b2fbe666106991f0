"""Cells to answers: numbers on their scale, codes that are none, and what is neither, told and never clipped."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.contracts import SHOWN
from crmlab.service_quality.tables.reading import number, text

ANSWER, MISSING, NOT_APPLICABLE, OFF, PART, WORD = range(6)
FAULTS = {
    OFF: "off the scale {scale} and no declared code",
    PART: "not a whole number",
    WORD: "in words that no label explains",
}
REMEDIES = {
    OFF: "correct them, or declare the codes as missing or not_applicable; none is clipped",
    PART: "correct them; answers are whole numbers",
    WORD: "add the words to labels, missing or not_applicable",
}


@dataclass(frozen=True)
class Battery:
    """Columns of answers to one scale: their numbers, and which were not applicable.

    worded : how many answers were in words
    blank  : how many are missing of rows that answered some
    asked  : answers there might be in these rows
    """

    values: pd.DataFrame
    not_applicable: pd.DataFrame
    worded: int
    blank: int
    asked: int
    breaches: tuple[str, ...]


def battery(table, columns, scale, what, where, decimal="."):
    """The answers in `columns` (name -> column of `table`), with a breach for each kind of fault among them."""
    values, states, faulty, worded = {}, {}, [], 0
    for name, column in columns.items():
        codes, cells = pd.factorize(table[column].astype(object))
        read = [_read(cell, scale, decimal) for cell in cells] + [(np.nan, MISSING, False)]  # the last is code -1
        number_, state, word = (np.array(part)[codes] for part in zip(*read, strict=True))
        values[name], states[name] = number_.astype(float), state
        worded += int(word.sum())
        faulty += [(s, int(row), column, text(table[column].iat[row])) for row in np.flatnonzero(state > NOT_APPLICABLE)
                   for s in [int(state[row])]]  # fmt: skip
    index = table.index
    frame = pd.DataFrame(values, index=index, columns=list(columns), dtype=float)
    marked = pd.DataFrame({n: s == NOT_APPLICABLE for n, s in states.items()}, index=index, columns=list(columns))
    breaches = [_told(kind, faulty, len(table), len(columns), scale, what, where, table.index) for kind in FAULTS]
    state = np.array([*states.values()]).reshape(len(columns), len(table))
    answering = state[:, (state != MISSING).any(axis=0)]
    blank, asked = int((answering == MISSING).sum()), answering.size
    return Battery(frame, marked, worded, blank, asked, tuple(b for b in breaches if b))


def _read(cell, scale, decimal):
    """What a cell counts as: its number, its state, and whether it was put in words."""
    said = text(cell)
    if not said:
        return np.nan, MISSING, False
    folded = said.casefold()
    labels = {text(label).casefold(): n for label, n in scale.labels.items()}
    worded = folded in labels
    value = float(labels[folded]) if worded else number(cell, decimal)
    for codes, state in ((scale.missing, MISSING), (getattr(scale, "not_applicable", ()), NOT_APPLICABLE)):
        if any(code == value if isinstance(code, int) else text(code).casefold() == folded for code in codes or ()):
            return np.nan, state, worded
    if value is None:
        return np.nan, WORD, False
    if not value.is_integer():
        return np.nan, PART, False
    if value < scale.low or (scale.high is not None and value > scale.high):
        return np.nan, OFF, False
    return value, ANSWER, worded


def _told(kind, faulty, rows, columns, scale, what, where, index):
    """A breach for the faults of one kind; empty where there are none."""
    found = sorted((row, column, cell) for state, row, column, cell in faulty if state == kind)
    if not found:
        return ""
    counts = Counter(cell for *_, cell in found).most_common(SHOWN)
    first = "; ".join(f"{place(index[row])} {column} {cell!r}" for row, column, cell in found[:SHOWN])
    where_in = f"in {len({column for _, column, _ in found}):,} of {columns:,} columns" if columns > 1 else ""
    cells = ", ".join(times(cell, n) for cell, n in counts)
    return (
        f"{where}: {what}: {len(found):,} of {rows * columns:,} answers are {FAULTS[kind].format(scale=scale)}"
        f"{' ' if where_in else ''}{where_in}: {cells} (first: {first}); {REMEDIES[kind]}"
    )


def times(cell, count):
    """A cell and how often it is there."""
    return f"{cell!r} once" if count == 1 else f"{cell!r} {count:,} times"


def place(row):
    """Where an answer stands, as the user knows it: its row from 1, or its respondent."""
    return f"respondent {row}" if isinstance(row, str) else f"row {row + 1:,}"


def places(index, wrong):
    """How many rows are wrong, and the first five."""
    rows = index[np.asarray(wrong)]
    return f"{len(rows):,} of {len(index):,} rows (first: {'; '.join(place(row) for row in rows[:SHOWN])})"


def numbers(table, columns, decimal="."):
    """Columns of plain numbers: a frame with NaN where a cell is blank, and which cells are neither."""
    read, odd = {}, {}
    for name, column in columns.items():
        codes, cells = pd.factorize(table[column].astype(object))
        parsed = [number(cell, decimal) for cell in cells]
        wrong = [value is None and bool(text(cell)) for value, cell in zip(parsed, cells, strict=True)] + [False]
        read[name] = np.array([np.nan if value is None else value for value in parsed] + [np.nan])[codes]
        odd[name] = np.array(wrong)[codes]
    shape = {"index": table.index, "columns": list(columns)}
    return pd.DataFrame(read, **shape, dtype=float), pd.DataFrame(odd, **shape, dtype=bool)
