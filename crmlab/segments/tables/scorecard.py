"""Which indicators a customer's grade is made of: the scorecard, checked.

A scorecard is TOML; what is marked * must be there, the rest may be left out:

    name, title                    what labels and the report call it
    weighting*                     "equal", "given", "ahp", "entropy sum" or "entropy minmax"
    [indicators.NAME] direction*   "higher" or "lower": which is better
        column                     of features; without it, the indicator's name
        normalisation              how values become 0 to 1: "minmax" (so taken), by the least and the greatest;
                                   "winsorised", by the 1st and the 99th of a hundred; "rank", by the share of
                                   customers with less
        weight                     where weights are given: for each indicator, and 1 in all
        text                       what it means, a sentence
    [comparisons]                  spend = [1, 3, 5]; orders = ["1/3", 1, 2]: how many times as important the indicator
                                   of the row is as each, in the order of [indicators]; numbers or fractions as text
"""

from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import pandas as pd
from pydantic import BaseModel, Field

from crmlab.contracts import InputError
from crmlab.contracts.settings import read_settings, read_toml

ALIKE = 1e-6
FRACTIONS = "a list of numbers, or fractions such as '1/3', for each"
Weighting = Literal["equal", "given", "ahp", "entropy sum", "entropy minmax"]
WEIGHTINGS = get_args(Weighting)


class Indicator(BaseModel, frozen=True, extra="forbid"):
    """One thing that customers are graded by.

    Parameters
    ----------
    column : str
        Feature that is read; empty where it has the name of the indicator.
    direction : str
        "higher" or "lower", which is better.
    normalisation : str
        How values become 0 to 1: "minmax", "winsorised" or "rank".
    weight : float, optional
        Weight where weights are given.
    text : str
        What it means, a sentence.
    """

    column: str = ""
    direction: Literal["higher", "lower"]
    normalisation: Literal["minmax", "winsorised", "rank"] = "minmax"
    weight: float | None = Field(None, ge=0, allow_inf_nan=False)
    text: str = ""


class Scorecard(BaseModel, frozen=True, extra="forbid"):
    """Indicators by name, and how their weights are found.

    Parameters
    ----------
    name, title : str
        What labels and the report call it.
    weighting : str
        "equal", "given", "ahp", "entropy sum" or "entropy minmax".
    indicators : dict
        Name -> Indicator.
    comparisons : dict
        Name -> how many times as important the indicator is as each, numbers or fractions as text.
    """

    given_by: ClassVar[str] = "segments.load_scorecard"
    name: str = "index_system"
    title: str = ""
    weighting: Weighting
    indicators: dict[str, Indicator] = Field(min_length=1, description="a table for each, as [indicators.spend]")
    comparisons: dict[str, tuple[float | str, ...]] = Field({}, description=FRACTIONS)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the indicators, in order."""
        return tuple(self.indicators)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of features, an indicator each."""
        return tuple(indicator.column or name for name, indicator in self.indicators.items())

    @property
    def lower(self) -> tuple[str, ...]:
        """Names of the indicators of which less is better."""
        return tuple(name for name, indicator in self.indicators.items() if indicator.direction == "lower")

    @property
    def given_weights(self) -> dict[str, float]:
        """Name -> weight, of those that have one."""
        return {name: i.weight for name, i in self.indicators.items() if i.weight is not None}

    @property
    def matrix(self) -> pd.DataFrame:
        """The comparisons as a frame, indicators by indicators."""
        rows = [[float(Fraction(cell)) for cell in self.comparisons[name]] for name in self.names]
        return pd.DataFrame(rows, list(self.names), list(self.names))


def load_scorecard(path: str | Path) -> Scorecard:
    """The scorecard of a file, checked.

    Parameters
    ----------
    path : str or Path
        A TOML file.

    Returns
    -------
    Scorecard
        Indicators, and how their weights are found.

    Raises
    ------
    InputError
        Where TOML, fields, weights or comparisons are wrong; with everything at once.
    """
    absent = f"there is no scorecard {path}; give the path of one, such as data/scorecard.toml"
    return read_scorecard(read_toml(Path(path), absent), Path(path).name)


def read_scorecard(settings: dict[str, Any], where: str = "scorecard") -> Scorecard:
    """The scorecard of a dict, checked.

    Parameters
    ----------
    settings : dict
        As TOML gives it.
    where : str
        What messages call it.

    Returns
    -------
    Scorecard
        Indicators, and how their weights are found.

    Raises
    ------
    InputError
        Where fields, weights or comparisons are wrong; with everything at once.
    """
    card = read_settings(Scorecard, settings, where)
    if breaches := [*_columns(card), *_weights(card), *_comparisons(card)]:
        raise InputError(*(f"{where}: {breach}" for breach in breaches))
    return card


def _columns(card):
    """What is wrong with the columns."""
    for column in dict.fromkeys(card.columns):
        names = [name for name, other in zip(card.names, card.columns, strict=True) if other == column]
        if len(names) > 1:
            yield f"indicators {_listed(names)} are of one column, {column!r}, which would count twice; keep one"


def _weights(card):
    """What is wrong with the weights, where there are any or must be."""
    if not card.given_weights and card.weighting != "given":
        return
    if lacking := [name for name in card.names if name not in card.given_weights]:
        yield f"no weight for {_listed(lacking)}; give each indicator one, or none"
    elif abs((total := sum(card.given_weights.values())) - 1) > ALIKE:
        yield f"weights sum to {total:g}; let the indicators share 1"


def _comparisons(card):
    """What is wrong with the shape of comparisons; `ahp_weights` reads them."""
    if not card.comparisons:
        if card.weighting == "ahp":
            yield "weighting is 'ahp', but there are no [comparisons]; write a row for each indicator"
        return
    if strange := [name for name in card.comparisons if name not in card.names]:
        yield f"[comparisons] has unknown indicators {_listed(strange)}; take those of [indicators]"
    if lacking := [name for name in card.names if name not in card.comparisons]:
        yield f"[comparisons] lacks {_listed(lacking)}; write a row for each indicator"
    for name, row in card.comparisons.items():
        if len(row) != len(card.names):
            yield f"[comparisons] {name} has {len(row)} numbers for {len(card.names)} indicators; write one for each"
        if wrong := [cell for cell in row if not _is_fraction(cell)]:
            yield f"[comparisons] {name} holds {_listed(wrong)}; write numbers, or fractions such as '1/3'"


def _is_fraction(cell):
    try:
        float(Fraction(cell))
    except (ValueError, ZeroDivisionError, OverflowError):
        return False
    return True


def _listed(names):
    return ", ".join(map(repr, names))
