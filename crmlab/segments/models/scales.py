"""How values of an indicator become 0, the worst, to 1: by straight lines through points, flat beyond the ends."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.model import Model
from crmlab.segments.models.scheme import format_amount, unfit
from crmlab.segments.tables.scorecard import Indicator

ENDS = {"minmax": (0.0, 1.0), "winsorised": (0.01, 0.99)}
POINTS = 101  # of a rank, at most


@dataclass(frozen=True)
class Scale(Model):
    """The points of one indicator."""

    indicator: str
    column: str
    direction: str
    normalisation: str
    values: tuple  # rising
    normalised: tuple  # 0 to 1, one each

    @classmethod
    def fit(cls, features: pd.DataFrame, name: str, indicator: Indicator) -> "Scale":
        """The points of an indicator among these customers. Raises FitError where it cannot part them."""
        column, how = indicator.column or name, indicator.normalisation
        values = features[column].to_numpy(float)
        if how == "rank":
            knots, normalised = _ranked(values)
        else:
            knots, normalised = np.quantile(values, ENDS[how]), np.array([0.0, 1.0])
            if knots[0] == knots[1]:
                raise unfit(
                    f"features: {column!r} of indicator {name!r} is {format_amount(knots[0])} for all but "
                    "a hundredth at either end, so 'winsorised' cannot part customers; take 'rank' or 'minmax'"
                )
        normalised = 1 - normalised if indicator.direction == "lower" else normalised
        return cls(name, column, indicator.direction, how, tuple(knots.tolist()), tuple(normalised.tolist()))

    @property
    def ends(self) -> tuple[float, float]:
        """The values of no points, and of all."""
        least, greatest = self.values[0], self.values[-1]
        return (greatest, least) if self.direction == "lower" else (least, greatest)

    def normalise(self, features: pd.DataFrame) -> np.ndarray:
        """Points of customers, 0 to 1."""
        return np.interp(features[self.column].to_numpy(float), self.values, self.normalised)


def _ranked(values):
    """Points of values, and the share of customers below each, half of those at it included, moved to 0 to 1."""
    lined = np.sort(values)
    knots = np.unique(lined)
    if len(knots) > POINTS:
        knots = np.unique(lined[np.round(np.linspace(0, len(lined) - 1, POINTS)).astype(int)])
    middle = (np.searchsorted(lined, knots) + np.searchsorted(lined, knots, side="right")) / 2
    return knots, (middle - middle[0]) / (middle[-1] - middle[0])
