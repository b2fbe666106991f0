"""Groups of few people, which a table may not show: which of its rows are withheld, and how."""

import itertools
import re
from typing import Any

import numpy as np
import pandas as pd

COUNTS = r"(.+_)?customers|respondents|n(_.+)?|size|eligible|at_risk"  # names of columns that count people
COUNTED = "n"  # in the attrs of a frame: what its column n counts, where that is not people
PEOPLE = "people"  # in the attrs of a frame whose cells are shares: of how many people


def withheld(counts: Any, groups: pd.DataFrame, smallest: int) -> np.ndarray:
    """Which groups are withheld: those of fewer than `smallest`, and those by which these could be worked out.

    Wherever the groups of a total are known but for one, or but for fewer than `smallest` people, the next smallest
    is withheld too: in the whole, and where several columns name a group, along each of them. Groups of nobody are
    shown.

    Parameters
    ----------
    counts : array-like
        How many people are in each group; NaN where that is unknown.
    groups : DataFrame
        The columns that name each group.
    smallest : int
        How many people a group must have to be shown.

    Returns
    -------
    numpy.ndarray of bool

    Notes
    -----
    Primary and secondary cell suppression: Hundepool et al. (2012), Statistical Disclosure Control, chapter 4.

    Examples
    --------
    >>> withheld([120, 3, 8, 40], pd.DataFrame({"segment": list("abcd")}), 5).tolist()
    [False, True, True, False]
    """
    counted = pd.to_numeric(pd.Series(np.ravel(counts)), errors="coerce").to_numpy(float)
    hidden = (counted > 0) & (counted < smallest)
    lines = list(_lines(groups.reset_index(drop=True)))
    while hidden.any():
        before = hidden.sum()
        for line in lines:
            among, shown = line[hidden[line]], line[~hidden[line] & (counted[line] > 0)]
            if len(among) and len(shown) and (len(among) == 1 or counted[among].sum() < smallest):
                hidden[shown[counted[shown].argmin()]] = True
        if hidden.sum() == before:
            break
    return hidden


def _lines(groups):
    """The rows of each total that a reader may know: of all where one column names them, else along each column."""
    names = [name for name in groups if groups[name].nunique(dropna=False) > 1]
    if len(names) < 2:
        yield np.arange(len(groups))
        return
    for along in names:
        others = [name for name in names if name != along]
        yield from groups.groupby(others, dropna=False, sort=False).indices.values()


def without_small(frame: pd.DataFrame, smallest: int) -> tuple[pd.DataFrame, int]:
    """A frame whose groups of few people are blank, with the reason in each row, and how many cells that are.

    Columns that count people are known by their names, as "customers" or "n"; what stands before the first of them
    names the group, and all that follows is blanked.
    """
    if PEOPLE in frame.attrs:
        return _without_small_cells(frame, smallest)
    columns = list(map(str, frame.columns))
    of_people = [bool(re.fullmatch(COUNTS, name)) and not (name == "n" and COUNTED in frame.attrs) for name in columns]
    first = next((place for place, counts in enumerate(of_people) if counts), None)
    if first is None or frame.empty:
        return frame, 0
    named = frame.iloc[:, :first]
    if frame.index.name or frame.index.nlevels > 1:
        named = pd.concat([frame.index.to_frame(index=False), named.reset_index(drop=True)], axis=1)
    named = named.set_axis(range(named.shape[1]), axis=1)
    small, hidden = np.zeros(len(frame), bool), np.zeros(len(frame), bool)
    for place in range(first, len(columns)):
        if of_people[place]:
            counts = pd.to_numeric(frame.iloc[:, place], errors="coerce").to_numpy(float)
            small |= (counts > 0) & (counts < smallest)
            hidden |= withheld(counts, named, smallest)
    if not hidden.any():
        return frame, 0
    blanked, cells = frame.copy(), 0
    for place in range(first, len(columns)):
        if columns[place] != "reason":
            values = frame.iloc[:, place]
            cells += int((values.notna().to_numpy() & hidden).sum())
            blanked.isetitem(place, _blanked(values, hidden))
    reasons = np.where(small, few(smallest), np.where(hidden, COMPLEMENT, ""))
    before = frame["reason"].fillna("").to_numpy() if "reason" in columns else ""
    blanked["reason"] = np.where(hidden, reasons, before)
    return blanked, cells


COMPLEMENT = "withheld, as a smaller group could be worked out from it"


def few(smallest: int) -> str:
    """Why what is said of a group is blank."""
    return f"fewer than {smallest} customers"


def _without_small_cells(frame, smallest):
    """The same of a frame whose cells are shares of so many people."""
    values = frame.apply(pd.to_numeric, errors="coerce") * frame.attrs[PEOPLE]
    rows, columns = zip(*itertools.product(range(values.shape[0]), range(values.shape[1])), strict=True)
    groups = pd.DataFrame({"row": rows, "column": columns})
    hidden = withheld(values.to_numpy().round(6), groups, smallest).reshape(values.shape)
    if not hidden.any():
        return frame, 0
    blanked = pd.DataFrame({name: _blanked(frame[name], hidden[:, place]) for place, name in enumerate(frame)})
    blanked["reason"] = np.where(hidden.any(axis=1), f"cells withheld: {few(smallest)}, or their complements", "")
    return blanked.set_index(frame.index), int(hidden.sum())


def _blanked(values, hidden):
    """A column with blanks in place of some cells, whole numbers still whole."""
    if pd.api.types.is_bool_dtype(values):
        return values.astype("boolean").mask(hidden)
    if pd.api.types.is_integer_dtype(values):
        return values.astype("Int64").mask(hidden)
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return values.mask(hidden)
    return values.astype(object).mask(hidden, "")
