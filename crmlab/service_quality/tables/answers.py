"""Cells to answers: numbers on their scale, codes that are none, and what is neither, listed and never clipped."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.contracts import SHOWN
from crmlab.service_quality.tables.cells import answer, folded, number, place, text, times
from crmlab.service_quality.tables.labelled import Codebook

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
    n_worded: int
    n_missing: int
    n_cells: int
    breaches: tuple[str, ...]


def read_battery(table, columns, scale, what, where, decimal=".", codebook=Codebook()):  # noqa: B008, frozen
    """The answers in `columns` (name -> column of `table`), with a breach for each kind of fault among them."""
    values, states, faulty, n_worded = {}, {}, [], 0
    for name, column in columns.items():
        codes, cells = pd.factorize(table[column].astype(object))
        known = _known(scale, *codebook.of(column))
        read = [_read(cell, scale, known, decimal) for cell in cells] + [(np.nan, MISSING, False)]  # the last: code -1
        number_, state, word = (np.array(part)[codes] for part in zip(*read, strict=True))
        values[name], states[name] = number_.astype(float), state
        n_worded += int(word.sum())
        faulty += [(int(state[row]), int(row), column, text(table[column].iat[row]))
                   for row in np.flatnonzero(state > NOT_APPLICABLE)]  # fmt: skip
    index = table.index
    frame = pd.DataFrame(values, index=index, columns=list(columns), dtype=float)
    marked = pd.DataFrame({n: s == NOT_APPLICABLE for n, s in states.items()}, index=index, columns=list(columns))
    breaches = [_breach(kind, faulty, len(table), len(columns), scale, what, where, table.index) for kind in FAULTS]
    state = np.array([*states.values()]).reshape(len(columns), len(table))
    answering = state[:, (state != MISSING).any(axis=0)]
    n_missing, n_cells = int((answering == MISSING).sum()), answering.size
    return Battery(frame, marked, n_worded, n_missing, n_cells, tuple(b for b in breaches if b))


@dataclass(frozen=True)
class _Known:
    """What may stand in a column beside plain answers, folded; labels and missing codes are those of the file."""

    words: dict
    codes: dict
    labels: dict
    missing: frozenset


def _known(scale, labels, missing):
    codes = {folded(code): MISSING for code in scale.missing or ()}
    codes |= {folded(code): NOT_APPLICABLE for code in getattr(scale, "not_applicable", ())}
    words = {folded(label): value for label, value in scale.labels.items()}
    return _Known(
        words, codes, {folded(c): folded(said) for c, said in labels.items()}, frozenset(map(folded, missing))
    )


def _read(cell, scale, known, decimal):
    """What a cell counts as: its number, its state, and whether it was put in words."""
    said = folded(cell)
    if not said:
        return np.nan, MISSING, False
    readings = (said, known.labels.get(said, ""))  # as it stands, and as the file labels it
    worded = next((known.words[word] for word in readings if word in known.words), None)
    value = answer(cell, decimal) if worded is None else float(worded)
    whole = folded(value) if value is not None else ""
    for word in (*readings, whole):
        if word in known.codes:
            return np.nan, known.codes[word], worded is not None
    if said in known.missing and worded is None:
        return np.nan, MISSING, False
    if value is None:
        return np.nan, WORD, False
    if not value.is_integer():
        return np.nan, PART, False
    if value < scale.low or (scale.high is not None and value > scale.high):
        return np.nan, OFF, False
    return value, ANSWER, worded is not None


def _breach(kind, faulty, rows, columns, scale, what, where, index):
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
