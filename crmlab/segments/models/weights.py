"""Weights of indicators: from judgements of pairs (AHP), from how unlike customers are (entropy), equal, or given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.estimate import number
from crmlab.model import Model
from crmlab.segments.models.scheme import to_floats
from crmlab.stats.threads import one_thread

Matrix: TypeAlias = pd.DataFrame | np.ndarray | Sequence[Sequence[float]]
# mean consistency index of random judgements, of 1 to 15 indicators [Saaty 1980]
RANDOM_INDEX = (0, 0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)
MAX_CONSISTENCY_RATIO = 0.1
RECIPROCAL_TOLERANCE = 0.05  # relative; 0.13 for 1/8 is a reciprocal
ALIKE = 1e-6
SHOWN = 5
VARIANTS = ("sum", "minmax")


@dataclass(frozen=True)
class Weights(Model):
    """What each indicator counts for.

    Parameters
    ----------
    names : tuple of str
        Indicators.
    values : tuple of float
        Weights, which sum to 1.
    method : str
        How they were found, in words.
    consistency_ratio : float, optional
        Of AHP, 0 where no judgement contradicts another; None for other methods.
    """

    names: tuple
    values: tuple
    method: str
    consistency_ratio: float | None = None

    title = "Indicator weights"

    def __post_init__(self) -> None:
        sound = all(0 <= value <= 1 + ALIKE for value in self.values) and abs(sum(self.values) - 1) <= ALIKE
        if len(self.names) != len(self.values) or not sound:
            raise InputError(f"Weights: values = {self.values!r}; give one for each of {self.names!r}, 1 in all")


def equal_weights(names: Sequence[str]) -> Weights:
    """The same weight for each indicator.

    Parameters
    ----------
    names : sequence of str
        Indicators.

    Returns
    -------
    Weights
        One weight for each indicator; they sum to 1.
    """
    return Weights(tuple(names), (1 / len(names),) * len(names), "equal")


def given_weights(weights: Mapping[str, float], names: Sequence[str]) -> Weights:
    """Weights as they are given.

    Parameters
    ----------
    weights : mapping
        Indicator -> weight, 0 to 1.
    names : sequence of str
        Indicators.

    Returns
    -------
    Weights
        One weight for each indicator; they sum to 1.

    Raises
    ------
    InputError
        Where an indicator has no weight, or weights do not sum to 1.
    """
    breaches = [f"weights: unknown indicator {n!r}; take {', '.join(names)}" for n in weights if n not in names]
    breaches += [f"weights: none for indicator {name!r}; give one" for name in names if name not in weights]
    breaches += [f"weights: {n} = {w!r} is no weight; give 0 to 1" for n, w in weights.items() if not 0 <= w <= 1]
    if not breaches and abs((total := sum(weights.values())) - 1) > ALIKE:
        breaches.append(f"weights: they sum to {total:g}; let the indicators share 1")
    if breaches:
        raise InputError(*breaches)
    return Weights(tuple(names), tuple(float(weights[name]) for name in names), "given")


def ahp_weights(matrix: Matrix, limit: float = MAX_CONSISTENCY_RATIO) -> Weights:
    """Weights from pairwise judgements by AHP, the principal eigenvector of their matrix.

    Parameters
    ----------
    matrix : DataFrame or array
        Indicators by indicators: how many times as important that of the row is as that of the column.
    limit : float
        Greatest consistency ratio that is accepted.

    Returns
    -------
    Weights
        One weight for each indicator; they sum to 1.

    Raises
    ------
    InputError
        Where the matrix is not square, positive and reciprocal (reciprocals may be rounded), and where its consistency
        ratio is beyond `limit`: it then names the judgement that agrees least with all others.

    References
    ----------
    Saaty (1980), The Analytic Hierarchy Process.
    """
    if not limit > 0:
        raise InputError(f"limit = {limit!r}: choose a consistency ratio above 0, such as {MAX_CONSISTENCY_RATIO}")
    frame = _checked(matrix)
    weights, ratio = _eigen(frame.to_numpy())
    if ratio > limit:
        raise InputError(_contradiction(ahp_judgements(frame), ratio, limit))
    method = f"AHP, consistency ratio {number(ratio, 2)}"
    return Weights(tuple(frame.index), tuple(weights.tolist()), method, ratio)


def ahp_judgements(matrix: Matrix) -> pd.DataFrame:
    """Each pairwise judgement beside what all together imply, of inconsistent judgements too.

    Parameters
    ----------
    matrix : DataFrame or array
        Indicators by indicators: how many times as important that of the row is as that of the column.

    Returns
    -------
    DataFrame
        A row for each pair, the worst first. first, second, indicators; judged, how many times as important the first
        is as the second; implied, ratio of their weights; discrepancy, factor between the two, 1 or more;
        consistency_ratio_without, the ratio if the implied value stood for the judgement.

    Raises
    ------
    InputError
        Where the matrix is not square, positive and reciprocal.

    References
    ----------
    Saaty (1980), The Analytic Hierarchy Process.
    """
    frame = _checked(matrix)
    names, cells = list(frame.index), frame.to_numpy()
    weights, rows = _eigen(cells)[0], []
    for i, j in combinations(range(len(names)), 2):
        judged, implied = cells[i, j], weights[i] / weights[j]
        corrected = cells.copy()
        corrected[i, j], corrected[j, i] = implied, 1 / implied
        discrepancy = max(judged / implied, implied / judged)
        rows.append((names[i], names[j], judged, implied, discrepancy, _eigen(corrected)[1]))
    columns = ["first", "second", "judged", "implied", "discrepancy", "consistency_ratio_without"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("discrepancy", ascending=False, kind="stable", ignore_index=True)


def entropy_weights(values: pd.DataFrame, variant: str = "sum", lower: Iterable[str] = ()) -> Weights:
    """Weights from how unlike customers are: 1 less the entropy of each indicator's shares, over the sum of these.

    Parameters
    ----------
    values : DataFrame
        Customers x indicators.
    variant : str
        Of which shares: "sum", each value over the sum of all; "minmax", each first moved to 0 to 1 by the least and
        the greatest. The two differ much.
    lower : iterable of str
        Indicators of which less is better, which matters to "minmax" alone.

    Returns
    -------
    Weights
        One weight for each indicator; they sum to 1.

    Raises
    ------
    InputError
        Where values are empty, the same for all or, of "sum", negative, and where a name is unknown.

    References
    ----------
    Hwang & Yoon (1981), Multiple Attribute Decision Making: the variant "sum".
    """
    breaches = [f"lower: unknown indicator {name!r}; take {', '.join(values)}" for name in lower if name not in values]
    if variant not in VARIANTS:
        breaches.append(f"variant = {variant!r}: choose 'sum' or 'minmax'")
    breaches += entropy_faults(values, variant)
    if breaches:
        raise InputError(*breaches)
    cells = values.to_numpy(float)
    if variant == "minmax":
        cells = (cells - cells.min(axis=0)) / np.ptp(cells, axis=0)
        turned = values.columns.isin(lower)
        cells[:, turned] = 1 - cells[:, turned]
    shares = cells / cells.sum(axis=0)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    divergence = 1 + (shares * logs).sum(axis=0) / np.log(len(shares))
    return Weights(tuple(values), tuple((divergence / divergence.sum()).tolist()), f"entropy, variant {variant}")


def entropy_faults(values: pd.DataFrame, variant: str = "sum") -> list[str]:
    """Why entropy cannot weigh indicators, a line each."""
    return [fault for name, column in values.items() if (fault := _unfit(name, column, variant))]


def _unfit(name, column, variant):
    """Why entropy cannot weigh an indicator, in words; empty where it can."""
    if (values := to_floats(column)) is None:
        return f"indicator {name!r} holds no numbers; take another column"
    if bad := int((~np.isfinite(values)).sum()):
        return f"indicator {name!r} is empty or infinite for {bad:,} of {len(values):,} customers; fill it"
    if len(values) < 2 or (values == values[0]).all():
        return f"indicator {name!r} is the same for all {len(values):,} customers, so it cannot part them; drop it"
    if variant == "sum" and (bad := int((values < 0).sum())):
        return f"indicator {name!r} is negative for {bad:,} customers, which have no shares; take 'minmax'"
    return ""


def _checked(matrix):
    """Judgements as a reciprocal frame. Raises InputError with everything wrong."""
    try:
        frame = pd.DataFrame(matrix)
    except ValueError:
        raise InputError("comparisons: rows are of unequal length; write a number for each indicator") from None
    rows, columns = frame.shape
    if not rows or rows != columns:
        raise InputError(f"comparisons: {rows} rows by {columns} columns are not square; compare each with each")
    if list(frame.index) != list(frame.columns) or frame.index.has_duplicates:
        names = ", ".join(map(str, frame.index)), ", ".join(map(str, frame.columns))
        raise InputError(f"comparisons: rows are {names[0]}, columns {names[1]}; give both the same names, each once")
    if rows > len(RANDOM_INDEX):
        raise InputError(f"comparisons: {rows} indicators are more than {len(RANDOM_INDEX)}; judge groups first")
    cells = frame.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    if breaches := _wrong_cells(frame, cells) or _not_reciprocal(frame.index, cells):
        raise InputError(*breaches)
    # halfway between a judgement and its reciprocal, where one is rounded
    return pd.DataFrame(np.sqrt(cells / cells.T), frame.index, frame.columns)


def _wrong_cells(frame, cells):
    """What is wrong with single judgements, in words."""
    wrong = [
        f"comparisons: {_pair(frame.index, i, j)} is {_said(frame.iat[i, j])}; write a number above 0"
        for i, j in np.argwhere(~(np.isfinite(cells) & (cells > 0)))
    ]
    wrong += [
        f"comparisons: {_pair(frame.index, i, i)} is {cells[i, i]:g}; write 1"
        for i in range(len(cells))
        if cells[i, i] > 0 and abs(cells[i, i] - 1) > ALIKE
    ]
    return _first(wrong)


def _not_reciprocal(names, cells):
    """Pairs of which the one judgement is not the reciprocal of the other, in words."""
    off = np.abs(np.log(cells * cells.T)) > np.log1p(RECIPROCAL_TOLERANCE)
    return _first(
        f"comparisons: not reciprocal: {_pair(names, i, j)} is {number(cells[i, j])}, so {_pair(names, j, i)} must be "
        f"{number(1 / cells[i, j])}, not {number(cells[j, i])}"
        for i, j in np.argwhere(np.triu(off, 1))
    )


def _contradiction(table, ratio, limit):
    worst = table.iloc[0]
    return (
        f"comparisons: judgements contradict each other: consistency ratio {number(ratio, 3)} is above {limit:g}; the "
        f"worst is {worst['first']!r} to {worst.second!r}, judged {number(worst.judged)} where all together imply "
        f"{number(worst.implied, 3)}, with which the ratio would be "
        f"{number(worst.consistency_ratio_without, 3)}; judge it anew"
    )


def _eigen(cells):
    """Weights that sum to 1, and Saaty's consistency ratio."""
    n = len(cells)
    with one_thread():
        values, vectors = np.linalg.eig(cells)
    first = np.argmax(values.real)
    weights = np.abs(vectors[:, first].real)
    index = max(values[first].real - n, 0) / max(n - 1, 1)
    return weights / weights.sum(), float(index / RANDOM_INDEX[n - 1]) if n > 2 else 0.0


def _said(cell):
    return repr(cell) if isinstance(cell, str) else str(cell)


def _pair(names, i, j):
    return f"{names[i]!r} to {names[j]!r}"


def _first(breaches):
    """The first few breaches, and how many more there are."""
    breaches = list(breaches)
    more = [f"comparisons: {len(breaches) - SHOWN} more like these"] if len(breaches) > SHOWN else []
    return breaches[:SHOWN] + more
