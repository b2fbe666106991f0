"""How features are put on scales that can be compared: raw, log or winsorised, each standardised.

Clusters depend on this choice as much as on the customers, so that it is declared, and shown beside the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.contracts import InputError
from crmlab.model import Model, Unfitted, blank_of, or_unfitted
from crmlab.segments.models.scheme import require_features, to_tuples, unfit

COLUMNS = ("orders", "spend", "days_since_last")  # that customers are clustered by
KINDS = ("raw", "log", "winsorised")
TAIL = 0.01  # share of customers at each end that winsorising draws in


@dataclass(frozen=True)
class Transform(Model):
    """Columns of features on a common scale: mean 0 and standard deviation 1 among the customers it was fitted to.

    Parameters
    ----------
    kind : str
        "raw", as they are; "log", `signed_log`, which separates refunds from spend; "winsorised", values beyond `low`
        and `high` taken as these.
    columns : tuple of str
        Names of the features.
    low, high : tuple of float
        Of each column, in its own units; infinite unless winsorised.
    mean, standard_deviation : tuple of float
        Of each column, once transformed.
    """

    kind: str
    columns: tuple
    low: tuple
    high: tuple
    mean: tuple
    standard_deviation: tuple

    title = "Transform"

    def __post_init__(self) -> None:
        sizes = {len(v) for v in (self.columns, self.low, self.high, self.mean, self.standard_deviation)}
        if self.kind not in KINDS or len(sizes) != 1 or not all(d > 0 for d in self.standard_deviation):
            raise InputError(
                f"Transform: kind = {self.kind!r}, standard_deviation = {self.standard_deviation!r}; give a kind of "
                f"{', '.join(KINDS)}, and for each column ends, a mean and a deviation above 0"
            )

    @classmethod
    @or_unfitted
    def fit(
        cls,
        features: pd.DataFrame,
        columns: Sequence[str],
        kind: str = "log",
        tail: float = TAIL,
    ) -> "Transform | Unfitted":
        """Scales learned from features.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.
        columns : sequence of str
            Features that are scaled.
        kind : str
            "raw", "log" or "winsorised".
        tail : float
            Share of customers at each end that winsorising draws in, above 0 and below 0.5.

        Returns
        -------
        Transform or Unfitted
            Unfitted where a column is missing, empty or the same for all.

        Raises
        ------
        InputError
            Where the kind, the tail or the columns are not possible.
        """
        columns = column_names(columns)
        if kind not in KINDS or not 0 < tail < 0.5:
            kinds = ", ".join(KINDS)
            raise InputError(
                f"kind = {kind!r}, tail = {tail!r}: choose a kind of {kinds}, and a tail above 0 and below .5"
            )
        require_features(features, f"a {kind} transform", columns, columns)
        X = features[list(columns)].to_numpy(float)
        ends = np.quantile(X, [tail, 1 - tail], axis=0) if kind == "winsorised" else np.array([[-np.inf], [np.inf]])
        low, high = to_tuples(np.broadcast_to(ends, (2, len(columns))))
        found = cls(kind, columns, low, high, (0.0,) * len(columns), (1.0,) * len(columns)).transform(features)
        mean, deviation = found.mean(axis=0), found.std(axis=0)
        if (alike := deviation <= 1e-12 * np.maximum(np.abs(mean), 1)).any():
            same = "transformed, is the same for nearly all customers; take another transform"
            raise unfit(*(f"features: {column!r}, {kind} {same}" for column in np.array(columns)[alike].tolist()))
        return cls(kind, columns, low, high, to_tuples(mean), to_tuples(deviation))

    def transform(self, features: pd.DataFrame) -> np.ndarray:
        """Each customer on these scales.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        ndarray
            Customers x columns, in standard deviations from the mean.
        """
        X = np.clip(features[list(self.columns)].to_numpy(float), self.low, self.high)
        X = signed_log(X) if self.kind == "log" else X
        return (X - np.array(self.mean)) / np.array(self.standard_deviation)

    def inverse_transform(self, scaled: np.ndarray) -> np.ndarray:
        """Points on these scales in the units of the features.

        Parameters
        ----------
        scaled : array
            Points x columns, in standard deviations from the mean.

        Returns
        -------
        ndarray
            Points x columns, in the units of the features.
        """
        X = np.asarray(scaled) * np.array(self.standard_deviation) + np.array(self.mean)
        return signed_exp(X) if self.kind == "log" else X


def signed_log(x):
    """log(1 + x), and −log(1 − x) below 0."""
    return np.sign(x) * np.log1p(np.abs(x))


def signed_exp(x):
    """What `signed_log` is the logarithm of."""
    return np.sign(x) * np.expm1(np.abs(x))


def column_names(columns: Sequence[str]) -> tuple[str, ...]:
    """Names of columns as a tuple. Raises InputError where there are none, one stands twice, or they are one text."""
    if isinstance(columns, str) or not len(columns) or len(set(columns)) < len(columns):
        raise InputError(f"columns = {columns!r}: give a list of one column at least, each once")
    return tuple(columns)


def transform_comparison(features: pd.DataFrame, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """What each transform makes of each column.

    Parameters
    ----------
    features : DataFrame
        One row a customer, of `customer_features`.
    columns : sequence of str
        Features that customers are clustered by.

    Returns
    -------
    DataFrame
        A row for each column and transform. skewness, 0 where values are symmetric; max_abs_z, the value farthest from
        the mean, in standard deviations; top_share, share of the sum of squares that the farthest hundredth of
        customers makes up, 0 to 1. Blank where `Transform.fit` is Unfitted.

    Raises
    ------
    InputError
        Where columns are none, or one is there twice.
    """
    rows = []
    for kind in KINDS:
        if not (scale := Transform.fit(features, columns, kind)):
            return blank_of(pd.DataFrame, str(scale))
        scaled = scale.transform(features)
        for column, x in zip(columns, scaled.T, strict=True):
            squares = np.sort(x**2)[::-1]
            top = squares[: max(round(len(x) / 100), 1)].sum() / squares.sum()
            row = {"skewness": stats.skew(x), "max_abs_z": np.sqrt(squares[0]), "top_share": top}
            rows.append({"column": column, "transform": kind} | row)
    return pd.DataFrame(rows).sort_values("column", kind="stable", key=lambda c: c.map(list(columns).index))
