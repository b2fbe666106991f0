"""ABC: few customers bring most. Classes by the share of all value that customers bring together, best first."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from string import ascii_uppercase

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.model import Unfitted, or_unfitted, prediction
from crmlab.segments.models import scheme
from crmlab.segments.models.scheme import Scheme, check_features, check_rising

NO_VALUE = "no value"
ALIKE = 1e-12  # relative; a share that is a cut but for rounding has reached it


@dataclass(frozen=True)
class ABC(Scheme):
    """Classes A, B, C: the customers who, best first, bring the first 80 %, the next 15 % and the rest of all value.

    Customers of no value, or of negative value by returns, are a class of their own, and no part of the shares.

    Parameters
    ----------
    lower_bounds : tuple of float
        Least value of each class but the last, in the currency of the data, falling.
    cuts : tuple of float
        Shares of all value that classes reach together, 0 to 1, rising.
    value : str
        Feature that value is.
    """

    lower_bounds: tuple
    cuts: tuple
    value: str = "spend"

    name, title = "abc", "ABC"

    def __post_init__(self) -> None:
        cuts = check_rising(self.cuts, 0, 1, "cuts")
        falls = all(a >= b > 0 for a, b in pairwise([np.inf, *self.lower_bounds]))
        if len(cuts) != len(self.lower_bounds) or not falls:
            raise InputError(f"ABC: lower_bounds = {self.lower_bounds!r}; give a value above 0 for each cut, falling")

    @classmethod
    @or_unfitted
    def fit(cls, features: pd.DataFrame, cuts: Sequence[float] = (0.8, 0.95), value: str = "spend") -> "ABC | Unfitted":
        """Classes whose least values are learned from features.

        The customer with whom a cut is reached is the last of the class; customers of equal value are of one class.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.
        cuts : sequence of float
            Shares of all value that classes reach together, 0 to 1, rising.
        value : str
            Feature that value is.

        Returns
        -------
        ABC or Unfitted
            Unfitted where value is 0 or less for all, or the same for all, or customers are fewer than classes.

        Raises
        ------
        InputError
            Where cuts are out of order, or more than 25.
        """
        cuts = check_rising(cuts, 0, 1, "cuts")
        if len(cuts) >= len(ascii_uppercase):
            raise InputError(f"cuts: {len(cuts)} are more than there are letters for classes; give 25 or fewer")
        scheme.require_features(features, cls.name, [value], min_customers=len(cuts) + 1)
        values = features[value].to_numpy(float)
        best = np.sort(values[values > 0])[::-1]
        if not best.size:
            raise scheme.unfit(
                f"features: {value!r} is 0 or less for all {len(values):,} customers; abc needs some of value"
            )
        if (values == values[0]).all():
            raise scheme.unfit(scheme.constant_message(value, values, cls.name))
        so_far = np.cumsum(best)
        reached = np.searchsorted(so_far, np.array(cuts) * so_far[-1] * (1 - ALIKE))
        return cls(tuple(best[reached].tolist()), cuts, value)

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names, the best first."""
        return (*ascii_uppercase[: len(self.cuts) + 1], NO_VALUE)

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that `assign` reads."""
        return (self.value,)

    def _places(self, features):
        check_features(features, self.name, self.columns)
        values = features[self.value].to_numpy(float)
        places = (values[:, None] < np.array(self.lower_bounds)).sum(axis=1)
        return np.where(values > 0, places, len(self.labels) - 1)

    def _descriptions(self):
        ends = pairwise([np.inf, *self.lower_bounds, 0.0])
        spans = [scheme.format_range(low, high, "at least" if low else "above", "below") for high, low in ends]
        return [f"{self.value} {span}" for span in (*spans, "of 0 or less; no part of the shares")]

    @prediction
    def pareto_curve(self, features: pd.DataFrame) -> pd.DataFrame:
        """The share of all value that the best customers bring.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        DataFrame
            101 rows, a hundredth of the customers apart. customer_share, of all customers, 0 to 1; value_share, of all
            positive value, which falls where customers are of negative value; label, the class of the last of them.
        """
        check_features(features, self.name, self.columns)
        values = np.sort(features[self.value].to_numpy(float))[::-1]
        shares = np.concatenate([[0], np.cumsum(values)]) / values[values > 0].sum()
        at = np.linspace(0, 1, 101)
        customers = np.arange(len(values) + 1) / len(values)
        last = values[np.clip(np.ceil(at * len(values) - 1e-9).astype(int) - 1, 0, None)]
        labels = self.assign(pd.DataFrame({self.value: last})).to_numpy()
        return pd.DataFrame({"customer_share": at, "value_share": np.interp(at, customers, shares), "label": labels})
