"""Eight classes: the value matrix, parted by the strength of the store that serves the customer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.estimate import number
from crmlab.model import FitError, Unfitted, needs_fit, or_unfitted, prediction
from crmlab.segments.models.scheme import Scheme, check_features, check_finite, require_features, to_labels
from crmlab.segments.models.value_matrix import TREATMENTS, ValueMatrix

STORE_CLASSES = ("strong store", "weak store")
TREATMENT_FIELDS = ("principle", "owner", "success")


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
    strength_cut: float  # a strong store is above it; 1 is an average store

    name: ClassVar = "eight_classes"
    title: ClassVar = "Eight classes"
    labels: ClassVar = tuple(f"{treatment}, {side}" for treatment in TREATMENTS for side in STORE_CLASSES)

    def __post_init__(self):
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
        require_features(
            features, cls.name, ["store_strength"], varying=["store_strength"], min_customers=len(cls.labels)
        )
        if not (matrix := ValueMatrix.fit(features, margin, current_cut, potential_cut)):
            raise FitError(matrix.reason, matrix.recommendation)
        cut = features.store_strength.median() if strength_cut is None else strength_cut
        return cls(matrix, float(cut))

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
        check_features(features, self.name, ["store_strength"])
        weak = (features.store_strength <= self.strength_cut).to_numpy()
        return to_labels(2 * self.matrix.assign(features).cat.codes.to_numpy() + weak, self, features.index)

    @prediction
    def rules(self) -> pd.DataFrame:
        """Which customers each class holds, in words.

        Returns
        -------
        DataFrame
            By label, the best first; column rule, a sentence.
        """
        cut = number(self.strength_cut)
        sides = (f"store strength above {cut}", f"store strength up to {cut}")
        descriptions = [f"{rule}, {side}" for rule in self.matrix.rules().rule for side in sides]
        return pd.DataFrame({"rule": descriptions}, pd.Index(self.labels, name="label"))


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
    eight, four = (playbook.xs(scheme, level="scheme") for scheme in (EightClasses.name, ValueMatrix.name))
    of = pd.Series([label.partition(", ")[0] for label in EightClasses.labels], list(EightClasses.labels))
    customers = labels.value_counts(sort=False).set_axis(EightClasses.labels)
    without = customers.groupby(of).transform("sum")
    table = pd.DataFrame({"customers": customers, "share": customers / max(customers.sum(), 1)})
    for field in TREATMENT_FIELDS:
        table[field] = eight[field].reindex(table.index)
        table[f"{field}_without"] = four[field].reindex(of).to_numpy()
    budget, budget_without = eight.budget_share.reindex(table.index), four.budget_share.reindex(of).set_axis(of.index)
    some = customers.where(customers > 0)
    table["budget"] = (budget * customers.sum() / some).fillna(0)
    table["budget_without"] = (budget_without * customers.sum() / without.where(customers > 0)).fillna(0)
    table["treatment_changes"] = [
        any(row[f] != row[f"{f}_without"] for f in TREATMENT_FIELDS) for _, row in table.iterrows()
    ]
    return table.rename_axis("label")
