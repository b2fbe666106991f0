"""One cell of a survey file: its text, its number, and how a row is named to the user."""

import re
import unicodedata

import numpy as np
import pandas as pd

from crmlab.contracts import SHOWN

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
WITH_DECIMALS = re.compile("[+-]?[0-9]+[.,][0-9]{1,2}")  # with three behind it, a mark may be of thousands


def text(cell):
    """A cell as plain text: full-width forms narrowed, blanks trimmed, 7.0 as 7; empty where it holds nothing."""
    if cell is None or cell is pd.NaT or cell is pd.NA or cell != cell:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(unicodedata.normalize("NFKC", str(cell)).split())


def folded(cell):
    """A cell as text to compare by: case does not count, nor do blanks about it and full-width forms."""
    return text(cell).casefold()


def number(cell, decimal="."):
    """A cell as a number; None where it is none."""
    said = text(cell).replace(decimal, ".") if decimal != "." else text(cell)
    if isinstance(cell, bool) or said in ("True", "False"):
        return float(said == "True") if not isinstance(cell, str) else None
    return float(said) if NUMBER.fullmatch(said) else None


def answer(cell, decimal="."):
    """An answer on a scale of whole numbers as a number, with either mark of decimals; None where it is none."""
    said = text(cell)
    return float(said.replace(",", ".")) if WITH_DECIMALS.fullmatch(said) else number(cell, decimal)


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


def clashes(words):
    """Words that are read alike but mean different things: a text a clash, of pairs (word, meaning)."""
    alike: dict[str, dict[str, str]] = {}
    for word, meaning in words:
        alike.setdefault(folded(word), {}).setdefault(str(meaning), word)
    for meant in alike.values():
        if len(meant) > 1:
            noted = " and ".join(f"{word!r} = {meaning}" for meaning, word in meant.items())
            yield f"{noted} are read alike, as case, blanks around and full-width forms do not count; keep one"
