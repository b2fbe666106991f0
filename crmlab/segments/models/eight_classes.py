"""Eight classes: the value matrix, parted by the strength of the store that serves the customer."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.estimate import number
from crmlab.model import Unfitted, needs_fit, or_unfitted
from crmlab.segments.models.scheme import Scheme, check_features, check_finite, require_features, require_fitted
from crmlab.segments.models.value_matrix import TREATMENTS, ValueMatrix

STORE_CLASSES = ("strong store", "weak store")
TREATMENT_FIELDS = ["principle", "owner", "success"]


@dataclass(frozen=True)
class EightClasses(Scheme):
    """Each class of the value matrix, at strong and at weak stores.

    Parameters
    ----------
    matrix : ValueMatrix
        The four classes.
    strength_cut : float
        A strong store is above it; 1 is an average store.
    """

    matrix: ValueMatrix
    strength_cut: float

    name, title = "eight_classes", "Eight classes"
    labels = tuple(f"{treatment}, {side}" for treatment in TREATMENTS for side in STORE_CLASSES)

    def __post_init__(self) -> None:
        check_finite(self, "strength_cut")

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that `assign` reads."""
        return (*self.matrix.columns, "store_strength")

    @classmethod
    @or_unfitted
    def fit(
        cls,
        features: pd.DataFrame,
        margin: float = 1.0,
        current_cut: float | None = None,
        potential_cut: float | None = None,
        strength_cut: float | None = None,
    ) -> "EightClasses | Unfitted":
        """Classes by cuts that are given, or are the medians of customers.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`; with `expected_margin`, `store_strength`, and `extra_potential`
            where it is known.
        margin : float
            Share of spend that is profit, above 0 and up to 1.
        current_cut, potential_cut : float, optional
            High is above these, in the currency of the data; None takes the median of customers.
        strength_cut : float, optional
            A strong store is above it, 1 an average store; None takes the median of customers.

        Returns
        -------
        EightClasses or Unfitted
            Unfitted where a feature is missing, an axis is the same for all, or customers are fewer than classes.

        Raises
        ------
        InputError
            Where the margin or a cut is not possible.
        """
        if strength_cut is not None and not np.isfinite(strength_cut):
            raise InputError(f"strength_cut = {strength_cut!r}: give a finite strength, or none for the median")
        strength = ["store_strength"]
        matrix = require_fitted(ValueMatrix.fit(features, margin, current_cut, potential_cut))
        require_features(features, cls.name, strength, varying=strength, min_customers=len(cls.labels))
        cut = features.store_strength.median() if strength_cut is None else strength_cut
        return cls(matrix, float(cut))

    def _places(self, features):
        check_features(features, self.name, ["store_strength"])
        weak = (features.store_strength <= self.strength_cut).to_numpy()
        return 2 * self.matrix.assign(features).cat.codes.to_numpy() + weak

    def _descriptions(self):
        cut = number(self.strength_cut)
        sides = (f"store strength above {cut}", f"store strength up to {cut}")
        return [f"{rule}, {side}" for rule in self.matrix.rules().rule for side in sides]


@needs_fit
def store_strength_ablation(labels: pd.Series, playbook: pd.DataFrame) -> pd.DataFrame:
    """What the third axis changes of how customers are treated.

    Parameters
    ----------
    labels : Series
        Of `EightClasses.assign`.
    playbook : DataFrame
        Treatment of each class by scheme and label, of `load_playbook`.

    Returns
    -------
    DataFrame
        By class, the empty ones too. customers, count; share of them; principle, owner, success of the class, and with
        _without those of its class in the value matrix; budget, budget_without, per customer in units of the mean
        customer's, 0 where the class is empty; treatment_changes, whether principle, owner or success is another.

    Raises
    ------
    InputError
        Where labels are not those of the eight classes, or the playbook lacks a class.
    """
    if [*getattr(labels.dtype, "categories", ())] != [*EightClasses.labels]:
        raise InputError("labels: they are not those of eight_classes; give those of `EightClasses.assign`")
    needed = [(scheme.name, label) for scheme in (EightClasses, ValueMatrix) for label in scheme.labels]
    if lacking := [key for key in needed if key not in playbook.index]:
        raise InputError(*(f"playbook: [{scheme}] lacks {label!r}; add it" for scheme, label in lacking))
    customers = labels.value_counts(sort=False).set_axis(pd.Index(EightClasses.labels, name="label"))
    of = customers.index.str.partition(", ").get_level_values(0)  # the class of the value matrix
    eight = playbook.xs(EightClasses.name, level="scheme").loc[customers.index]
    four = playbook.xs(ValueMatrix.name, level="scheme").loc[of].set_axis(customers.index)
    table = pd.DataFrame({"customers": customers, "share": customers / max(customers.sum(), 1)})
    for field in TREATMENT_FIELDS:
        table = table.assign(**{field: eight[field], f"{field}_without": four[field]})
    some = customers.where(customers > 0)
    without = customers.groupby(of).transform("sum").where(customers > 0)
    return table.assign(
        budget=(eight.budget_share * customers.sum() / some).fillna(0),
        budget_without=(four.budget_share * customers.sum() / without).fillna(0),
        treatment_changes=(eight[TREATMENT_FIELDS] != four[TREATMENT_FIELDS]).any(axis=1),
    )
