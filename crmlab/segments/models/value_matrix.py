"""The value matrix: what customers bring now, by what more they may bring. Four classes, each with its treatment."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.model import Unfitted, or_unfitted, prediction
from crmlab.segments.models import scheme
from crmlab.segments.models.scheme import Scheme, check_features, check_finite, format_amount
from crmlab.segments.models.value import value_shares

TREATMENTS = ("invest", "keep", "rebuild", "release")
SIDES = (("above", "above"), ("above", "up to"), ("up to", "above"), ("up to", "up to"))  # of the cuts, for each


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

    current_cut: float
    potential_cut: float
    margin: float = 1.0

    name, title = "value_matrix", "Value matrix"
    labels, columns = TREATMENTS, ("window_spend", "expected_margin")

    def __post_init__(self) -> None:
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
        given = {"current": current_cut, "potential": potential_cut}
        if wrong := [axis for axis, cut in given.items() if cut is not None and not np.isfinite(cut)]:
            advice = "give a finite amount, or none for the median"
            raise InputError(*(f"{axis}_cut = {given[axis]!r}: {advice}" for axis in wrong))
        scheme.require_features(features, cls.name, _needed(features), min_customers=len(TREATMENTS))
        found = _axes(features, margin)
        if same := [axis for axis in found if found[axis].nunique() == 1]:
            raise scheme.unfit(*(scheme.constant_message(axis, found[axis].to_numpy(), cls.name) for axis in same))
        current, potential = (float(found[a].median() if cut is None else cut) for a, cut in given.items())
        return cls(current, potential, float(margin))

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

    def _places(self, features):
        found = self.axes(features)
        return (2 * (found.current <= self.current_cut) + (found.potential <= self.potential_cut)).to_numpy()

    def _descriptions(self):
        now, to_come = format_amount(self.current_cut), format_amount(self.potential_cut)
        return [f"current value {one} {now}, potential {other} {to_come}" for one, other in SIDES]

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
            By label, the empty ones too. customers, count; share of them; value_share, of `value_shares`; current,
            potential, means a customer, in the currency of the data.
        """
        found, labels = self.axes(features), self.assign(features).rename("label")
        check_features(features, self.name, ["spend"])
        groups = found.groupby(labels, observed=False)
        customers = groups.size()
        table = pd.DataFrame({"customers": customers, "share": customers / len(found)})
        table = table.assign(value_share=value_shares(labels, features.spend)).join(groups.mean()).fillna(0)
        return table.set_axis(pd.Index(TREATMENTS, name="label"))


def _check_margin(margin):
    if not 0 < margin <= 1:
        raise InputError(f"margin = {margin!r}: give the share of spend that is margin, above 0 and up to 1")


def _needed(features):
    return ["window_spend", "expected_margin", *(["extra_potential"] if "extra_potential" in features else [])]


def _axes(features, margin):
    current = features.window_spend * margin
    extra = features.get("extra_potential", 0.0)
    return pd.DataFrame({"current": current, "potential": features.expected_margin - current + extra})
