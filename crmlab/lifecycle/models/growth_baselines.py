"""What follows from the last sales alone: the baselines that growth curves must beat."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.contracts import InputError
from crmlab.lifecycle.models.growth import validated_sales
from crmlab.model import Model, prediction


@dataclass(frozen=True)
class LastPeriod(Model):
    """Sales stay as in the last period, and change at random: a random walk.

    Parameters
    ----------
    last : float
        Sales of the last period, in the unit of the data.
    change : float
        What each period to come adds to that.
    sigma : float
        Standard deviation of what a period departs from its forecast a period before; NaN of too few periods.
    df : int
        How many departures that rests on.

    References
    ----------
    Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice, sections 5.2 and 5.5.

    Examples
    --------
    >>> LastPeriod.fit(pd.Series([5.0, 8, 6])).sales_ahead(2).round(2).values.tolist()
    [[6.0, 0.0, 16.97], [6.0, 0.0, 21.51]]
    """

    title: ClassVar[str] = "last period again"
    last: float
    change: float = 0.0
    sigma: float = np.nan
    df: int = 0

    @classmethod
    def fit(cls, sales: pd.Series) -> Self:
        """The baseline of these sales.

        Parameters
        ----------
        sales : Series
            Sales of each period in order, one at least; none missing, none negative.

        Returns
        -------
        LastPeriod
            Its forecast; one without an interval where there are too few periods.

        Raises
        ------
        InputError
            Where sales are missing, not finite or negative, or there are none.
        """
        y = validated_sales(sales)
        if not len(y):
            raise InputError("sales: there are none; give one period at least")
        found = cls._departures(y)
        return cls(y[-1], cls._change(y), np.sqrt(np.square(found).mean()) if len(found) else np.nan, len(found))

    @prediction
    def sales_ahead(self, periods_ahead: int, level: float = 0.95) -> pd.DataFrame:
        """What will be sold in each of the next periods.

        Parameters
        ----------
        periods_ahead : int
            How many periods.
        level : float
            Level of the prediction intervals, 0 to 1.

        Returns
        -------
        DataFrame
            By step, 1 for the next period: expected, with pi_low and pi_high, not below 0, by Student's t; errors of
            successive periods are taken as independent.
        """
        steps = np.arange(1, periods_ahead + 1)
        expected = np.maximum(self.last + self.change * steps, 0)
        reach = (stats.t.ppf((1 + level) / 2, self.df) if self.df else np.nan) * self.sigma * self._growth(steps)
        columns = {"expected": expected, "pi_low": np.maximum(expected - reach, 0), "pi_high": expected + reach}
        return pd.DataFrame(columns, pd.Index(steps, name="step"), dtype=float)

    @staticmethod
    def _change(y: Any) -> float:
        return 0.0

    @staticmethod
    def _departures(y: Any) -> Any:
        return np.diff(y)

    @staticmethod
    def _growth(steps: Any) -> Any:
        """How the standard deviation grows with the steps ahead."""
        return np.sqrt(steps)


@dataclass(frozen=True)
class LastChange(LastPeriod):
    """Sales go on changing by what they changed last, not below 0."""

    title: ClassVar[str] = "last change again"

    @staticmethod
    def _change(y: Any) -> float:
        return float(y[-1] - y[-2]) if len(y) > 1 else 0.0

    @staticmethod
    def _departures(y: Any) -> Any:
        return np.diff(y, 2)

    @staticmethod
    def _growth(steps: Any) -> Any:
        return np.sqrt(steps * (steps + 1) * (2 * steps + 1) / 6)


BASELINES = (LastPeriod, LastChange)
