"""What shape a product's sales have had so far: classic, growth-slump-maturity, cycle-recycle, scalloped, or ambiguous.

Not every life cycle is one S and one fall. [Swan & Rink 1982; Cox 1967 for cycle-recycle] Sales are drawn by straight
pieces, joined end to end, their joints chosen by BIC; each piece rises, falls or lies flat, and a shape is a sequence:

classic                  at most one rise, then at most one fall; a flat part between, before or after
growth-slump-maturity    a rise, a fall, and then a flat part well above nothing
cycle-recycle            a fall between two rises
scalloped                rises, one after the other, with flat parts between them

Where sales err by a tenth of their highest, steps and slumps hide in a line that is straight enough: what is then
called classic may have been scalloped.
"""

from dataclasses import dataclass
from itertools import groupby
from typing import Self

import numpy as np
import pandas as pd

from crmlab.lifecycle.models.growth import no_growth_reason, validated_sales
from crmlab.lifecycle.tables import products
from crmlab.model import FitError, Model, Unfitted, or_unfitted, prediction
from crmlab.sentences import sentence, templates
from crmlab.stats.threads import one_thread

CLASSIC, SLUMP, RECYCLE = "classic", "growth-slump-maturity", "cycle-recycle"
SCALLOPED, AMBIGUOUS = "scalloped", "ambiguous"
RISES, FALLS, FLAT, UNCLEAR = "rises", "falls", "is flat", "unclear"
MIN_PERIODS = 8  # periods
JOINTS = 9  # at most
PENALTIES = (0.6, 0.8, 1.1)  # times ln n for each joint: a shape that changes with it is ambiguous
MOVED = 0.12  # share of the whole range, below which a rise or a fall is none
CLEAR = 3.0  # standard errors that a move, or a pause, has to be beyond noise
SLOW = 0.3  # of the mean speed of the pieces that move, below which a piece lies flat
HELD = 0.3  # of the highest sales: the least at which a product that slumped lives on
EXPLAINED = 0.5  # of the variance: pieces that explain less draw no shape


@dataclass(frozen=True)
class Shape(Model):
    """The shape of a life cycle so far, and where the pieces of the line it was read from begin and end.

    Parameters
    ----------
    name : str
        One of the shapes above, or "ambiguous".
    summary : str
        The moves observed, in words, or what it could be.
    knots : tuple of int
        Periods of the moving mean at which pieces begin or end, ascending from 0.
    heights : tuple of float
        Where the line stands at each of them, in the unit of the data.
    periods_per_year : int
        Periods over which the moving mean was taken.
    """

    title = "Shape of a life cycle"
    name: str
    summary: str
    knots: tuple[int, ...]
    heights: tuple[float, ...]
    periods_per_year: int = 1

    def __str__(self) -> str:
        return f"{self.name}: {self.summary}"

    @classmethod
    @or_unfitted
    def fit(cls, sales: pd.Series, periods_per_year: int | None = None) -> Self:
        """The shape of sales so far, as `life_cycle_shape`.

        Parameters
        ----------
        sales : Series
            Sales of each period in order, from launch; none missing, none negative.
        periods_per_year : int, optional
            Periods in a year, over which a moving mean is taken first; None takes it from the dates of `sales`.

        Returns
        -------
        Shape or Unfitted
            Unfitted where there is none to read.
        """
        validated_sales(sales)
        periods_per_year = products.checked_periods(sales, periods_per_year)
        smooth = _smooth(sales, periods_per_year)
        if reason := _no_shape_reason(sales, smooth, periods_per_year):
            raise FitError(reason)
        y = smooth.to_numpy()
        with one_thread():
            pieces = Pieces(y)
            found = pieces.found()
            lines = [pieces.line(_best(found, len(y), penalty)) for penalty in PENALTIES]
        (named, summary), *others = [_named(joints, line, y) for joints, line in lines]
        joints, line = lines[0]
        share = 1 - np.square(y - line).sum() / np.square(y - y.mean()).sum()
        names = dict.fromkeys([named, *(name for name, _ in others)])
        if share < EXPLAINED:
            named, summary = AMBIGUOUS, f"no line of few pieces explains more than {share:.0%} of its variance"
        elif len(names) > 1:
            named, summary = AMBIGUOUS, f"{' or '.join(names)}, depending on how fine a line is drawn"
        knots = (0, *map(int, joints), len(y) - 1)
        return cls(named, summary, knots, tuple(line[list(knots)].tolist()), periods_per_year)

    @prediction
    def line(self, sales: pd.Series) -> pd.DataFrame:
        """The line beside the sales that it was read from.

        Parameters
        ----------
        sales : Series
            Sales of each period in order, those that the shape was read from.

        Returns
        -------
        DataFrame
            By time, where the moving mean is known: sales; line; joint, whether two pieces meet there; shape, the name.
        """
        index = _smooth(sales, self.periods_per_year).index
        at = np.arange(len(index))
        columns = {"line": np.interp(at, self.knots, self.heights), "joint": np.isin(at, self.knots[1:-1])}
        return pd.DataFrame({"sales": sales[index]} | columns, index).assign(shape=self.name)


def life_cycle_shape(sales: pd.Series, periods_per_year: int | None = None) -> Shape | Unfitted:
    """The shape of sales so far.

    Parameters
    ----------
    sales : Series
        Sales of each period in order, from launch; none missing, none negative.
    periods_per_year : int, optional
        Periods in a year, over which a moving mean is taken first, so that seasons are no cycles; None takes it from
        the dates of `sales`.

    Returns
    -------
    Shape or Unfitted
        Unfitted where there is none to read, as of too few periods.

    Raises
    ------
    InputError
        Where sales are missing, not finite or negative, or `periods_per_year` is no whole number above 0.

    References
    ----------
    Swan & Rink (1982), Fitting market strategy to varying product life cycles; Cox (1967), Product life cycles as
    marketing models.

    Examples
    --------
    >>> vcr = pd.Series([840.0, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890])
    >>> print(life_cycle_shape(vcr))
    classic: rises for 5, then falls for 4 periods
    """
    return Shape.fit(sales, periods_per_year)


def shape_note(shape: Shape | Unfitted) -> str:
    """The shape of sales so far, or why there is none to read, in a sentence.

    Parameters
    ----------
    shape : Shape or Unfitted
        As from `life_cycle_shape`.

    Returns
    -------
    str
        A sentence.
    """
    said = templates("crmlab.lifecycle")["life_cycle_shape"]
    if isinstance(shape, Unfitted):
        return sentence(said["unfitted"], {"reason": str(shape)})
    return sentence(said["fitted"], {"shape": str(shape)})


def _smooth(sales, periods_per_year):
    """The moving mean over a year, where it is known."""
    return sales.rolling(periods_per_year, center=True).mean().dropna()


def _no_shape_reason(sales, smooth, periods_per_year):
    """Why no shape can be read; empty where one can."""
    if reason := no_growth_reason(sales.to_numpy(dtype=float)):
        return reason
    seasons = f" after a moving mean over {periods_per_year}" if periods_per_year > 1 else ""
    if len(smooth) < MIN_PERIODS:
        return f"{len(smooth):,} of the {MIN_PERIODS} periods a shape needs at least{seasons}"
    if np.ptp(smooth) <= 1e-9 * smooth.max():
        return f"sales are the same in all {len(smooth):,} periods{seasons}"
    return ""


class Pieces:
    """Straight lines joined end to end, nearest to `y` for any joints; many sets of joints are tried at once."""

    def __init__(self, y):
        self.n = len(y)
        at = np.linspace(0, 1, self.n)
        self.basis = np.column_stack([np.ones(self.n), at, *(np.maximum(at - at[k], 0) for k in range(1, self.n - 1))])
        self.centre = y.mean()
        self.y = y - self.centre
        self.gram, self.along, self.size = self.basis.T @ self.basis, self.basis.T @ self.y, self.y @ self.y

    def errors(self, sets):
        """Squared error of each of these sets of as many joints each, places from 1 to n - 2."""
        columns = np.column_stack([np.zeros(len(sets), int), np.ones(len(sets), int), np.array(sets, int) + 1])
        gram = self.gram[columns[:, :, None], columns[:, None, :]]
        along = self.along[columns]
        ridge = 1e-12 * np.eye(columns.shape[1])
        return self.size - (along * np.linalg.solve(gram + ridge, along[..., None])[..., 0]).sum(axis=1)

    def line(self, joints):
        """These joints, and where the lines that meet there stand at every period."""
        columns = [0, 1, *(k + 1 for k in joints)]
        weights = np.linalg.lstsq(self.basis[:, columns], self.y, rcond=None)[0]
        return joints, self.basis[:, columns] @ weights + self.centre

    def found(self):
        """The nearest joints found for each number of them, from none: a list of (squared error, joints)."""
        most = min(JOINTS, self.n // 3)
        growing: list[int] = []
        shrinking = [int(k) for k in np.linspace(1, self.n - 2, most + 4)[1:-1]]
        tried = [growing]
        for _count in range(most):
            growing = self._settled(self._least([*growing, k] for k in self._free(growing)))
            tried.append(growing)
        while len(shrinking) > 1:
            shrinking = self._settled(self._least(shrinking[:i] + shrinking[i + 1 :] for i in range(len(shrinking))))
            tried.append(shrinking)
        errors = [(self.errors(np.array([joints]))[0], sorted(joints)) for joints in tried if len(joints) <= most]
        by_count = groupby(sorted(errors, key=lambda end: (len(end[1]), end[0])), key=lambda end: len(end[1]))
        return [next(ends) for _count, ends in by_count]

    def _least(self, sets):
        sets = list(sets)
        return sets[int(np.argmin(self.errors(sets)))]

    def _free(self, taken):
        return [k for k in range(1, self.n - 1) if all(abs(k - other) > 1 for other in taken)]

    def _settled(self, joints):
        """Joints, each moved to where it serves best while the others stay, until none moves."""
        for _round in range(5):
            before = sorted(joints)
            for place in range(len(before)):
                joints = sorted(joints)
                others = joints[:place] + joints[place + 1 :]
                places = self._free(others) or joints[place : place + 1]  # many joints may leave no place to go
                joints = self._least([*others, k] for k in places)
            if sorted(joints) == before:
                break
        return joints


def _best(found, n, penalty):
    """Joints by BIC, one counting two parameters: its place, and how the line bends there."""
    least = 1e-9 * found[0][0]
    scores = [n * np.log(max(error, least)) + penalty * 2 * len(joints) * np.log(n) for error, joints in found]
    return found[int(np.argmin(scores))][1]


def _named(joints, line, y):
    """The shape of a line through `y`, and its moves in words."""
    sigma = np.sqrt(np.square(y - line).sum() / max(len(y) - 2 * len(joints) - 2, 1))
    knots = [0, *joints, len(y) - 1]
    moves = _deviations(line[knots], np.diff(knots), sigma)
    kinds = [kind for kind, _ in moves]
    summary = ", then ".join(f"{kind} for {periods}" for kind, periods in moves) + " periods"
    directions = [kind for kind in kinds if kind != FLAT]
    if FALLS in directions and RISES in directions[directions.index(FALLS) :]:
        return (RECYCLE if directions[0] == RISES else AMBIGUOUS), summary
    if directions.count(RISES) > 1:
        return (SCALLOPED if FALLS not in directions else AMBIGUOUS), summary
    if RISES in kinds and kinds[-2:] == [FALLS, FLAT] and line[-1] >= HELD * line.max():
        return SLUMP, summary
    return CLASSIC, summary


def _deviations(heights, length, sigma):
    """Pieces as rises, falls and flat parts, neighbours of a kind taken together: a list of (kind, periods).

    Those too short or too slight to say anything lengthen a neighbour that goes their way, else they are left out.
    """
    change = np.diff(heights)
    clear = np.maximum(MOVED * np.ptp(heights), CLEAR * sigma * np.sqrt(4 / (length + 1)))
    moving, speed = np.abs(change) >= clear, np.abs(change) / length
    usual = np.abs(change)[moving].sum() / max(length[moving].sum(), 1)
    flat = (speed < SLOW * usual) & (usual * length - np.abs(change) >= clear)
    ways = [RISES if delta > 0 else FALLS for delta in change]
    kinds = [FLAT if f else way if m else UNCLEAR for f, m, way in zip(flat, moving, ways, strict=True)]
    beside = [(*kinds[max(i - 1, 0) : i], *kinds[i + 1 : i + 2]) for i in range(len(kinds))]
    kinds = [w if k == UNCLEAR and w in near else k for k, w, near in zip(kinds, ways, beside, strict=True)]
    parts = [(kind, int(periods)) for kind, periods in zip(kinds, length, strict=True)]
    clear_parts = [part for part in parts if part[0] != UNCLEAR] or [(FLAT, int(length.sum()))]
    alike = groupby(clear_parts, key=lambda part: part[0])
    return [(kind, sum(periods for _, periods in group)) for kind, group in alike]
