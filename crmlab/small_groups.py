"""Groups of few people, which no table, fact or check may show: primary and complementary suppression."""

import itertools
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype

from crmlab.check import Check
from crmlab.estimate import Estimate

PEOPLE_OF = "customers|respondents|people|persons|buyers|users|households|members"
COUNTS = rf"(.+[_ ])?({PEOPLE_OF})([_ ].+)?|count|n([_ ].+)?|size|eligible|at_risk"  # of columns that count people
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
    counted = np.array([_number(each) for each in pd.Series(np.ravel(counts)).array], float)
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


def _number(value):
    """A count as a float; NaN of what is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan
    except OverflowError:
        return np.inf


def _lines(groups):
    """The rows of each total that a reader may know: of all, by each column that names groups, and along each."""
    yield np.arange(len(groups))
    names = [name for name in groups if groups[name].nunique() > 1]
    for name in names if len(names) > 1 else ():
        yield from groups.groupby(name, sort=False).indices.values()
        others = [other for other in names if other != name]
        if len(others) > 1:
            yield from groups.groupby(others, sort=False).indices.values()


def without_small(frame: pd.DataFrame, smallest: int) -> tuple[pd.DataFrame, int]:
    """A frame whose groups of few people are blank, with the reason in each row, and how many cells that are.

    Columns that count people are known by their names, as "customers" or "n". What stands before the first of them and
    is no measure names the group; all else is blanked.
    """
    if frame.empty:
        return frame, 0
    if PEOPLE in frame.attrs:
        return _without_small_cells(frame, smallest)
    if any(_counts_people(name, frame.attrs) for name in frame.index.names if name is not None):
        attrs, frame = frame.attrs, frame.reset_index(allow_duplicates=True)
        frame.attrs = attrs
    of_people = [_counts_people(name, frame.attrs) for name in frame.columns]
    if not any(of_people):
        return frame, 0
    first = of_people.index(True)
    labels = [place for place in range(first) if not is_float_dtype(frame.dtypes.iloc[place])]
    named = frame.index.to_frame(index=False).set_axis(range(-frame.index.nlevels, 0), axis=1)
    named = named if frame.index.name is not None or frame.index.nlevels > 1 else named.iloc[:, :0]
    groups = {name: values.map(str).to_numpy() for name, values in named.items()}
    groups |= {place: frame.iloc[:, place].map(str).to_numpy() for place in labels}
    hidden = np.zeros(len(frame), bool)
    for place in range(first, len(of_people)):
        if of_people[place]:
            hidden |= withheld(frame.iloc[:, place], pd.DataFrame(groups, index=range(len(frame))), smallest)
    if not hidden.any():
        return frame, 0
    blanked, cells = frame.copy(), 0
    reasons = [place for place, name in enumerate(frame.columns) if name == "reason"]
    for place in range(len(of_people)):
        if place not in labels and place not in reasons:
            values = frame.iloc[:, place]
            cells += int((values.notna().to_numpy() & hidden).sum())
            blanked.isetitem(place, _blanked(values, hidden))
    before = frame.iloc[:, reasons[0]].fillna("").to_numpy() if reasons else ""
    said = np.where(hidden, why_withheld(smallest), before)
    if reasons:
        blanked.isetitem(reasons[0], said)
    else:
        blanked["reason"] = said
    return blanked, cells


def _counts_people(name, attrs):
    """Whether a column of this name, or of these levels of names, counts people."""
    parts = [str(part) for part in (name if isinstance(name, tuple) else (name,))]
    return any(map(counts_people, parts)) and not (name == "n" and COUNTED in attrs)


def counts_people(name: str) -> bool:
    """Whether what has this name counts people."""
    return re.fullmatch(COUNTS, name, re.IGNORECASE) is not None


def few(smallest: int) -> str:
    """A group that is too small, in words."""
    return f"fewer than {smallest} customers"


def why_withheld(smallest: int) -> str:
    """Why a row or a fact is blank: one reason for both kinds, which does not say that this group is the small one."""
    return f"withheld: {few(smallest)}, or such a group could be worked out from it"


def facts_without_small(facts: dict[str, Estimate], whole: str, smallest: int | None) -> dict[str, Estimate]:
    """Facts, blank those of fewer than `smallest` customers and those by which they could be worked out.

    whole : the name of the fact that is no part of what the others add up to
    """
    if not smallest:
        return facts
    small = {name for name, fact in facts.items() if any(0 < n < smallest for n in _people(name, fact))}
    parts = {name: part for name, fact in facts.items() if name != whole and (part := _part(fact)) is not None}
    if small & parts.keys():
        hidden = withheld([*parts.values()], pd.DataFrame({"part": [*parts]}), smallest)
        small |= {name for name, is_hidden in zip(parts, hidden, strict=True) if is_hidden}
    reason = why_withheld(smallest)
    return {
        name: Estimate(None, unit=fact.unit, kind=fact.kind, reason=reason) if name in small else fact
        for name, fact in facts.items()
    }


def _people(name, fact):
    """How many people a fact is of, or says that there are."""
    if fact.value is None:
        return []
    found = [] if fact.n is None else [float(fact.n)]
    if fact.kind == "count" and counts_people(fact.unit.partition(" ")[0].rstrip(",") or name):
        found.append(fact.value)
    if fact.kind == "share" and fact.n is not None and 0 < fact.value < 1:
        found += [round(fact.n * share, 6) for share in (fact.value, 1 - fact.value)]
    return found


def _part(fact):
    """How many of a whole a fact is: a count, or a share of so many; None of anything else."""
    if fact.kind == "count":
        return fact.value
    return round(fact.n * fact.value, 6) if fact.kind == "share" and fact.n and fact.value is not None else None


def check_without_small(check: Check, smallest: int | None) -> Check:
    """A check, its numbers withheld where one of them counts fewer customers than may be shown."""
    counts = [v for name, v in check.values.items() if counts_people(name) and isinstance(v, (int, float))]
    if not smallest or not any(0 < count < smallest for count in counts):
        return check
    return replace(check, withheld=f"Withheld: it is of {few(smallest)}.")


def _without_small_cells(frame, smallest):
    """The same of a frame whose cells are shares of so many people."""
    values = frame.apply(pd.to_numeric, errors="coerce") * frame.attrs[PEOPLE]
    rows, columns = zip(*itertools.product(range(values.shape[0]), range(values.shape[1])), strict=True)
    groups = pd.DataFrame({"row": rows, "column": columns}).astype(str)
    hidden = withheld(values.to_numpy().round(6), groups, smallest).reshape(values.shape)
    if not hidden.any():
        return frame, 0
    blanked = frame.copy()
    for place in range(frame.shape[1]):
        blanked.isetitem(place, _blanked(frame.iloc[:, place], hidden[:, place]))
    blanked["reason"] = np.where(hidden.any(axis=1), f"cells withheld: {few(smallest)}, or their complements", "")
    return blanked, int(hidden.sum())


def _blanked(values, hidden):
    """A column with blanks in place of some cells, whole numbers still whole."""
    if pd.api.types.is_bool_dtype(values):
        return values.astype("boolean").mask(hidden)
    if pd.api.types.is_integer_dtype(values):
        return values.astype("Int64").mask(hidden)
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return values.mask(hidden)
    return values.astype(object).mask(hidden, "")
