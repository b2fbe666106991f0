"""Eight classes: each customer in one, empty ones shown, and what the third axis changes."""

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.checks import store_strength_changes_treatment
from crmlab.segments.models.eight_classes import EightClasses, store_strength_ablation
from crmlab.segments.models.value_matrix import TREATMENTS, ValueMatrix

from .logs import later_features, simulated
from .refusals import refused, unfitted


def playbook(**principles):
    """Treatments of both schemes: each class as its quarter, but for those named."""
    rows = {("value_matrix", t): (t, 0.25) for t in TREATMENTS}
    for label in EightClasses.labels:
        quarter = label.split(",")[0]
        rows["eight_classes", label] = (principles.get(label.replace(", ", "_").replace(" ", "_"), quarter), 0.125)
    index = pd.MultiIndex.from_tuples(rows, names=["scheme", "label"])
    frame = pd.DataFrame(rows.values(), index, ["principle", "budget_share"])
    return frame.assign(owner="o", success="s")


def test_each_customer_is_in_the_class_of_the_matrix_and_of_the_store():
    frame = simulated()
    scheme = EightClasses.fit(frame)
    labels, four = scheme.assign(frame), scheme.matrix.assign(frame)
    assert labels.name == "eight_classes"
    assert labels.cat.categories.tolist() == list(EightClasses.labels)
    assert (labels.str.split(", ").str[0] == four.astype(str)).all()
    strong = frame.store_strength > scheme.strength_cut
    assert (labels.str.endswith("strong store") == strong).all()
    assert labels.notna().all()


def test_the_matrix_is_that_of_its_own():
    frame = simulated()
    assert EightClasses.fit(frame, 0.4, 3, 5, 1.5) == EightClasses(ValueMatrix(3.0, 5.0, 0.4), 1.5)
    assert EightClasses.fit(frame).matrix == ValueMatrix.fit(frame)
    assert EightClasses.fit(frame).strength_cut == frame.store_strength.median()


def test_empty_classes_are_shown():
    frame = simulated().assign(store_strength=[0.5, 0.7] * 1000)
    labels = EightClasses.fit(frame, strength_cut=1.0).assign(frame)
    customers = labels.value_counts()
    assert len(customers) == 8
    assert (customers[customers.index.str.endswith("strong store")] == 0).all()


def test_rules_are_the_cuts():
    rules = EightClasses(ValueMatrix(50, 20), 1.25).rules().rule
    assert list(rules.index) == list(EightClasses.labels)
    assert rules["keep, weak store"] == "current value above 50, potential up to 20, store strength up to 1.250"


def test_later_features_and_other_customers_are_placed_by_the_same_cuts():
    scheme, other = EightClasses.fit(simulated()), later_features()
    assert scheme.assign(other[::-1]).sort_index().equals(scheme.assign(other))


def test_ablation_counts_who_is_treated_otherwise():
    frame = simulated()
    labels = EightClasses.fit(frame).assign(frame)
    table = store_strength_ablation(labels, playbook(keep_weak_store="watch"))
    assert table.treatment_changes[table.treatment_changes].index.tolist() == ["keep, weak store"]
    assert table.loc["keep, weak store", ["principle", "principle_without"]].tolist() == ["watch", "keep"]
    moved = (labels == "keep, weak store").sum()
    assert table.customers[table.treatment_changes].sum() == moved
    check = store_strength_changes_treatment(table, min_share=0.05)
    assert (check.id, check.kind) == ("segments.store_strength_changes_treatment", "finding")
    assert check.outcome == "yes"  # some 12 % of 2,000 customers, and the interval lies above 5 %
    assert check.values["share"].value == pytest.approx(moved / len(frame))
    assert f"keep, weak store {moved:,}" in check.summary
    assert store_strength_changes_treatment(table, min_share=moved / len(frame)).outcome == "undecided"


def test_the_third_axis_that_changes_nothing_is_a_no():
    frame = simulated()
    table = store_strength_ablation(EightClasses.fit(frame).assign(frame), playbook())
    check = store_strength_changes_treatment(table)
    assert check.outcome == "no"
    assert "another for 0 % (95 % confidence interval 0 % to 0.19 %) of 2,000 customers (none)" in check.summary
    assert check.recommendation == "Use the four classes of the value matrix."
    none = EightClasses.fit(frame.drop(columns="store_strength"))
    ablation = store_strength_ablation(none.assign(frame), playbook())
    assert store_strength_changes_treatment(ablation).outcome == "not applicable"


def test_budgets_of_customers_sum_to_the_budget_with_and_without_the_third_axis():
    frame = simulated()
    table = store_strength_ablation(EightClasses.fit(frame).assign(frame), playbook())
    assert (table.budget * table.customers).sum() == pytest.approx(len(frame))
    assert (table.budget_without * table.customers).sum() == pytest.approx(len(frame))
    assert table.budget_without.groupby(table.index.str.split(",").str[0]).nunique().eq(1).all()


def test_ablation_shows_empty_classes():
    frame = simulated().assign(store_strength=[0.5, 0.7] * 1000)
    table = store_strength_ablation(EightClasses.fit(frame, strength_cut=1.0).assign(frame), playbook())
    assert table.customers["invest, strong store"] == 0
    assert table.budget["invest, strong store"] == 0
    assert not table.isna().any().any()


def test_a_playbook_that_lacks_a_class_is_refused():
    frame = simulated()
    labels, whole = EightClasses.fit(frame).assign(frame), playbook()
    assert refused(
        store_strength_ablation, labels, whole.drop([("eight_classes", "keep, weak store"), ("value_matrix", "keep")])
    ) == (
        "playbook: [eight_classes] lacks 'keep, weak store'; add it",
        "playbook: [value_matrix] lacks 'keep'; add it",
    )


def test_bad_input_is_named():
    frame = simulated()
    bare = frame.drop(columns="store_strength")
    assert unfitted(EightClasses.fit, bare) == (
        "the data name no store, whose strength eight_classes needs; map store_id in data/catalog.toml"
    )
    assert "no column 'store_strength' (strength of the home store" in unfitted(
        EightClasses.fit, bare.assign(home_store="s1")
    )
    assert "'store_strength' is 1.100 for all" in unfitted(EightClasses.fit, frame.assign(store_strength=1.1))
    assert "7 customers are fewer than the 8 that" in unfitted(EightClasses.fit, frame.iloc[:7])
    unknown = frame.assign(store_strength=frame.store_strength.where(frame.store_strength > 1, np.nan))
    assert "'store_strength' is empty or infinite" in unfitted(EightClasses.fit, unknown)
