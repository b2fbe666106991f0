"""The value matrix: what customers bring now, by what more they may bring. Four classes, each with its treatment."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.model import Unfitted, or_unfitted, prediction
from crmlab.segments.models.scheme import (
    Scheme,
    check_features,
    check_finite,
    constant_message,
    format_amount,
    require_features,
    to_labels,
    unfit,
)

TREATMENTS = ("invest", "keep", "rebuild", "release")


@dataclass(frozen=True)
class ValueMatrix(Scheme):
    """Four classes: invest, high now and to come; keep, high now; rebuild, high to come; release, neither.

    Current value is the margin of the window. Potential is `expected_margin` of as long a time ahead, less the current
    value, and `extra_potential` where features have it (categories not yet bought, referral, ...).

    Parameters
    ----------
    current_cut, potential_cut : float
        High is above these, in the currency of the data.
    margin : float
        Share of spend that is profit, above 0 and up to 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab import segments
    >>> features = pd.DataFrame({"window_spend": [90.0, 80, 5, 1], "expected_margin": [99.0, 10, 80, 2]})
    >>> segments.ValueMatrix(current_cut=50, potential_cut=5).assign(features).tolist()
    ['invest', 'keep', 'rebuild', 'release']
    """

    current_cut: float  # high is above it; in the currency of the data
    potential_cut: float  # likewise
    margin: float = 1.0  # share of spend that is margin

    name: ClassVar = "value_matrix"
    title: ClassVar = "Value matrix"
    labels: ClassVar = TREATMENTS
    columns: ClassVar = ("window_spend", "expected_margin")

    def __post_init__(self):
        check_finite(self, "current_cut", "potential_cut")
        _check_margin(self.margin)

    @classmethod
    @or_unfitted
    def fit(
        cls,
        features: pd.DataFrame,
        margin: float = 1.0,
        current_cut: float | None = None,
        potential_cut: float | None = None,
    ) -> "ValueMatrix | Unfitted":
        """Classes by cuts that are given, or are the medians of customers.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`; with `expected_margin`, and `extra_potential` where it is known.
        margin : float
            Share of spend that is profit, above 0 and up to 1.
        current_cut, potential_cut : float, optional
            High is above these, in the currency of the data; None takes the median of customers.

        Returns
        -------
        ValueMatrix or Unfitted
            Unfitted where a feature is missing, an axis is the same for all, or customers are fewer than classes.

        Raises
        ------
        InputError
            Where the margin or a cut is not possible.
        """
        _check_margin(margin)
        given = {"current_cut": current_cut, "potential_cut": potential_cut}
        if wrong := [n for n, cut in given.items() if cut is not None and not np.isfinite(cut)]:
            raise InputError(
                *(f"{name} = {given[name]!r}: give a finite amount, or none for the median" for name in wrong)
            )
        require_features(features, cls.name, _needed(features), min_customers=len(TREATMENTS))
        found = _axes(features, margin)
        if same := [constant_message(axis, v.to_numpy(), cls.name) for axis, v in found.items() if v.nunique() == 1]:
            raise unfit(*same)
        cuts = [float(found[n[:-4]].median() if cut is None else cut) for n, cut in given.items()]
        return cls(*cuts, float(margin))

    @prediction
    def axes(self, features: pd.DataFrame) -> pd.DataFrame:
        """Current value and potential of each customer.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        DataFrame
            By customer. current, potential, in the currency of the data.
        """
        check_features(features, self.name, _needed(features))
        return _axes(features, self.margin)

    @prediction
    def assign(self, features: pd.DataFrame) -> pd.Series:
        """The class of each customer.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        Series
            Ordered categories of `labels`, the best first, by customer; named for the scheme.

        Raises
        ------
        InputError
            Where a feature is missing, or empty for a customer.
        """
        found = self.axes(features)
        places = 2 * (found.current <= self.current_cut) + (found.potential <= self.potential_cut)
        return to_labels(places.to_numpy(), self, features.index)

    @prediction
    def rules(self) -> pd.DataFrame:
        """Which customers each class holds, in words.

        Returns
        -------
        DataFrame
            By label, the best first; column rule, a sentence.
        """
        sides = [("above", "above"), ("above", "up to"), ("up to", "above"), ("up to", "up to")]
        now, to_come = format_amount(self.current_cut), format_amount(self.potential_cut)
        descriptions = [f"current value {a} {now}, potential {b} {to_come}" for a, b in sides]
        return pd.DataFrame({"rule": descriptions}, pd.Index(self.labels, name="label"))

    @prediction
    def quadrants(self, features: pd.DataFrame) -> pd.DataFrame:
        """What each class brings.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        DataFrame
            By label, the empty ones too. customers, count; share of them; current, potential, means a customer, in the
            currency of the data; current_share, potential_share of the sums of what is above 0.
        """
        found, labels = self.axes(features), self.assign(features)
        groups = found.groupby(labels, observed=False)
        sums = found.clip(lower=0).groupby(labels, observed=False).sum()
        shares = sums / sums.sum().where(lambda total: total > 0, 1)
        customers = groups.size()
        table = pd.DataFrame({"customers": customers, "share": customers / len(found)})
        table = table.join(groups.mean().fillna(0)).join(shares.add_suffix("_share"))
        return table.set_axis(pd.Index(map(str, table.index), name="label"))


def _check_margin(margin):
    if not 0 < margin <= 1:
        raise InputError(f"margin = {margin!r}: give the share of spend that is margin, above 0 and up to 1")


def _needed(features):
    return ["window_spend", "expected_margin", *(["extra_potential"] if "extra_potential" in features else [])]


def _axes(features, margin):
    current = features.window_spend * margin
    extra = features.extra_potential if "extra_potential" in features else 0.0
    return pd.DataFrame({"current": current, "potential": features.expected_margin - current + extra})
