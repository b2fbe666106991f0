"""Eight classes: the value matrix, parted by the strength of the store that serves the customer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.result import Verdict, number
from crmlab.segments.models.scheme import check_features, to_labels
from crmlab.segments.models.value_matrix import TREATMENTS, ValueMatrix

STORE_CLASSES = ("strong store", "weak store")
TREATMENT_FIELDS = ("principle", "owner", "success")


@dataclass(frozen=True)
class EightClasses:
    """Each class of the value matrix, at strong and at weak stores."""

    matrix: ValueMatrix
    strength_cut: float  # a strong store is above it; 1 is an average store

    name: ClassVar = "eight_classes"
    labels: ClassVar = tuple(f"{treatment}, {side}" for treatment in TREATMENTS for side in STORE_CLASSES)

    @classmethod
    def fit(cls, features, margin=1.0, current_cut=None, potential_cut=None, strength_cut=None):
        """Cuts given, or the medians over customers.

        features : as for `ValueMatrix.fit`, and `store_strength`
        Raises InputError as that does, and where store_strength is missing or the same for all.
        """
        check_features(
            features, cls.name, ["store_strength"], varying=["store_strength"], min_customers=len(cls.labels)
        )
        matrix = ValueMatrix.fit(features, margin, current_cut, potential_cut)
        cut = features.store_strength.median() if strength_cut is None else strength_cut
        if not np.isfinite(cut):
            raise InputError(f"strength_cut = {cut!r}: give a finite strength, or none for the median")
        return cls(matrix, float(cut))

    def assign(self, features):
        """The class of each customer: an ordered Series."""
        check_features(features, self.name, ["store_strength"])
        weak = (features.store_strength <= self.strength_cut).to_numpy()
        return to_labels(2 * self.matrix.assign(features).cat.codes.to_numpy() + weak, self, features.index)

    def rules(self):
        """Which values each class has: a frame by label."""
        cut = number(self.strength_cut)
        sides = (f"store strength above {cut}", f"store strength up to {cut}")
        descriptions = [f"{rule}, {side}" for rule in self.matrix.rules().rule for side in sides]
        return pd.DataFrame({"rule": descriptions}, pd.Index(self.labels, name="label"))


def store_strength_ablation(labels, playbook):
    """What the third axis changes of how customers are treated: a frame by class, the empty ones too.

    labels   : of `EightClasses.assign`
    playbook : frame of `tables.playbook.load`, with the treatments of eight_classes and of value_matrix
    returns
        customers, share
        principle, owner, success       of the class, and with _without those of its class in the value matrix
        budget, budget_without          per customer, in the mean customer's budget; 0 where the class is empty
        treatment_changes               whether principle, owner or success is another
    Raises InputError where the playbook lacks a class.
    """
    if [*getattr(labels.dtype, "categories", ())] != [*EightClasses.labels]:
        raise InputError("labels: they are none of eight_classes; give those of `EightClasses.assign`")
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


def store_strength_changes_treatment(ablation, min_share=0.05):
    """Whether the strength of stores changes how enough customers are treated: a Verdict.

    ablation : of `store_strength_ablation`; min_share : share of customers
    """
    moved = ablation.customers[ablation.treatment_changes]
    share = moved.sum() / max(ablation.customers.sum(), 1)
    message = ", ".join(f"{label} {count:,}" for label, count in moved[moved > 0].items()) or "nobody"
    return Verdict(
        f"Store strength changes the treatment of at least {100 * min_share:g} % of customers",
        bool(share >= min_share),
        f"another treatment for {number(100 * share, 3)} % of {ablation.customers.sum():,} customers ({message})",
        "the four classes of the value matrix",
    )
