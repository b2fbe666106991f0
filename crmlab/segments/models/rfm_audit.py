"""Names for cells of recency, frequency and money: what a list of rules leaves open, and how that is settled.

A rule is a box of cells. A cell may lie in several boxes, or in none. Here the narrowest box has the cell, of equals
the first in the list; a cell in none goes to the nearest box, counting steps of score, of equals the narrowest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.model import needs_fit

MAX_BINS = 20  # scores an axis: their cells are as many to the third
OTHERS = "Others"  # what the list's own program calls cells without a name


@dataclass(frozen=True)
class RFMRule:
    """A name, and the lowest and highest score of its cells on each axis.

    Parameters
    ----------
    name : str
        What the segment is called.
    recency, frequency, money : tuple of int
        Lowest and highest score.
    """

    name: str
    recency: tuple
    frequency: tuple
    money: tuple

    @property
    def box(self) -> np.ndarray:
        """Lowest and highest scores: an array of 3 axes by 2."""
        return np.array([self.recency, self.frequency, self.money])

    @property
    def cells(self) -> int:
        """How many cells the box has."""
        return int(np.prod(self.box[:, 1] - self.box[:, 0] + 1))


# the list in the manual and tests of R's package rfm, up to 0.2.2, copied widely since
RFM_RULES = (
    RFMRule("Champions", (4, 5), (4, 5), (4, 5)),
    RFMRule("Loyal Customers", (2, 5), (3, 5), (3, 5)),
    RFMRule("Potential Loyalist", (3, 5), (1, 3), (1, 3)),
    RFMRule("New Customers", (4, 5), (1, 1), (1, 1)),
    RFMRule("Promising", (3, 4), (1, 1), (1, 1)),
    RFMRule("Need Attention", (2, 3), (2, 3), (2, 3)),
    RFMRule("About To Sleep", (2, 3), (1, 2), (1, 2)),
    RFMRule("At Risk", (1, 2), (2, 5), (2, 5)),
    RFMRule("Can't Lose Them", (1, 1), (4, 5), (4, 5)),
    RFMRule("Lost", (1, 2), (1, 2), (1, 2)),
)


@needs_fit
def rfm_rule_audit(
    rules: Sequence[RFMRule] = RFM_RULES, bins: int = 5, scores: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Every cell of recency, frequency and money, and which rules claim it.

    Parameters
    ----------
    rules : sequence of RFMRule
        Names and their boxes of cells, in order.
    bins : int
        Scores an axis, 2 to 20.
    scores : DataFrame, optional
        r, f and m of each customer, of `RFM.score`, to count how many a cell holds.

    Returns
    -------
    DataFrame
        One row a cell. r, f, m, scores from 1; n_rules, rules that claim it, count; names of these, in order;
        first_rule, which has it by the order of the list, "Others" where none claims it; segment, which has it here;
        resolution, "one name", "several: the narrowest" or "none: the nearest"; customers, count, where `scores` are
        given.

    Raises
    ------
    InputError
        Where bins are not possible, or rules are none, twice the same or beyond the scores.

    Examples
    --------
    >>> from crmlab import segments
    >>> segments.rfm_rule_audit().resolution.value_counts().tolist()
    [50, 39, 36]
    """
    _check(rules, bins)
    cells = np.array(list(product(range(1, bins + 1), repeat=3)))
    boxes = np.stack([rule.box for rule in rules])
    beyond = np.maximum(boxes[:, :, 0] - cells[:, None], cells[:, None] - boxes[:, :, 1]).clip(min=0).sum(axis=2)
    n_rules = beyond == 0
    size = np.array([rule.cells for rule in rules])
    best = [np.lexsort((np.arange(len(rules)), size, away))[0] for away in beyond]
    count, names = n_rules.sum(axis=1), np.array([rule.name for rule in rules])
    found = pd.DataFrame(cells, columns=["r", "f", "m"]).assign(
        n_rules=count,
        names=["; ".join(names[held]) for held in n_rules],
        first_rule=np.where(count > 0, names[n_rules.argmax(axis=1)], OTHERS),
        segment=names[best],
        resolution=np.select([count == 1, count > 1], ["one name", "several: the narrowest"], "none: the nearest"),
    )
    return found if scores is None else found.assign(customers=np.bincount(rfm_cell(scores, bins), minlength=bins**3))


def rfm_cell(scores: pd.DataFrame, bins: int = 5) -> np.ndarray:
    """The row of `rfm_rule_audit` that each customer's scores stand in.

    Parameters
    ----------
    scores : DataFrame
        r, f and m of each customer, of `RFM.score`.
    bins : int
        Scores an axis, 2 to 20.

    Returns
    -------
    ndarray of int
        A place from 0 for each customer.
    """
    r, f, m = (scores[axis].to_numpy() - 1 for axis in "rfm")
    return (r * bins + f) * bins + m


def check_bins(bins: int) -> None:
    """Raise InputError where there cannot be so many scores an axis."""
    if not (isinstance(bins, int | np.integer) and 2 <= bins <= MAX_BINS):
        raise InputError(f"bins = {bins!r}: choose a whole number, 2 to {MAX_BINS}")


def _check(rules, bins):
    check_bins(bins)
    names = [rule.name for rule in rules]
    breaches = []
    for place, rule in enumerate(rules):
        if rule.name in names[:place]:
            breaches.append(f"rules: {rule.name!r} is there more than once; name each once")
        for axis, (low, high) in zip(("recency", "frequency", "money"), rule.box.tolist(), strict=True):
            if not 1 <= low <= high <= bins:
                breaches.append(
                    f"rules: {axis} of {rule.name!r} runs from {low} to {high}; scores run from 1 to {bins}, in order"
                )
    if breaches or not rules:
        raise InputError(*breaches or ["rules: there are none; give a Rule a name"])
