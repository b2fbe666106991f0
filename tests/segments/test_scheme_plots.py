"""Plots of schemes draw the frames they are given, on the axes they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from crmlab.segments.models.abc import ABC
from crmlab.segments.models.brand_loyalty import BrandLoyalty, usage_by_loyalty
from crmlab.segments.models.eight_classes import EightClasses, store_strength_ablation
from crmlab.segments.models.rfm_audit import rfm_rule_audit
from crmlab.segments.models.value_matrix import ValueMatrix
from crmlab.segments.plots import schemes

from ..figures import draws
from .logs import simulated
from .test_brand_loyalty import customers
from .test_eight_classes import playbook

FRAME = simulated()
TABLES = {
    "pareto_curve": lambda: ABC.fit(FRAME).pareto_curve(FRAME),
    "rfm_rule_audit": rfm_rule_audit,
    "quadrants": lambda: ValueMatrix.fit(FRAME).quadrants(FRAME),
    "usage_by_loyalty": lambda: usage_by_loyalty(BrandLoyalty.fit(customers()).assign(customers())),
    "store_strength_ablation": lambda: store_strength_ablation(
        EightClasses.fit(FRAME).assign(FRAME), playbook(keep_weak_store="watch")
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_plot_returns_the_axes_it_was_given_and_leaves_its_frame_alone(name):
    draws(getattr(schemes, name), TABLES[name]())


def drawn(name, table):
    ax = getattr(schemes, name)(table)
    texts = [text.get_text() for text in ax.texts]
    plt.close(ax.figure)
    return ax, texts


def test_classes_of_the_curve_are_named():
    ax, texts = drawn("pareto_curve", TABLES["pareto_curve"]())
    assert texts == ["A", "B", "C"]
    assert np.allclose(ax.lines[0].get_ydata(), TABLES["pareto_curve"]().value_share)


def test_cells_show_how_many_rules_claim_them():
    _, texts = drawn("rfm_rule_audit", rfm_rule_audit())
    assert list(map(int, texts)) == rfm_rule_audit().n_rules.tolist()


def test_quadrants_stand_where_value_is_high():
    ax, _ = drawn("quadrants", TABLES["quadrants"]())
    at = {text.get_text(): text.xy for text in ax.texts}
    assert at["invest"][0] > at["rebuild"][0]
    assert at["invest"][1] > at["keep"][1]


def test_sameness_of_treatment_is_told():
    ax, _ = drawn("store_strength_ablation", TABLES["store_strength_ablation"]())
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert sum("same treatment" in label for label in labels) == 7
    assert "same treatment" not in next(label for label in labels if label.startswith("keep, weak"))
