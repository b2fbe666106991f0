"""Plots of schemes draw the frames they are given, on the axes they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from crmlab.segments.models.abc import ABC
from crmlab.segments.models.brand_loyalty import BrandLoyalty, nine_cells
from crmlab.segments.models.eight_classes import EightClasses, ablation
from crmlab.segments.models.rfm_audit import audit
from crmlab.segments.models.value_matrix import ValueMatrix
from crmlab.segments.plots import schemes

from ..figures import draws
from .logs import simulated
from .test_brand_loyalty import customers
from .test_eight_classes import playbook

FRAME = simulated()
TABLES = {
    "abc_curve": lambda: ABC.fit(FRAME).curve(FRAME),
    "rfm_audit": audit,
    "quadrants": lambda: ValueMatrix.fit(FRAME).quadrants(FRAME),
    "nine_cells": lambda: nine_cells(BrandLoyalty.fit(customers()).assign(customers())),
    "ablation": lambda: ablation(EightClasses.fit(FRAME).assign(FRAME), playbook(keep_weak_store="watch")),
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
    ax, texts = drawn("abc_curve", TABLES["abc_curve"]())
    assert texts == ["A", "B", "C"]
    assert np.allclose(ax.lines[0].get_ydata(), TABLES["abc_curve"]().value)


def test_cells_show_how_many_rules_claim_them():
    _, texts = drawn("rfm_audit", audit())
    assert list(map(int, texts)) == audit().claims.tolist()


def test_quadrants_stand_where_value_is_high():
    ax, _ = drawn("quadrants", TABLES["quadrants"]())
    at = {text.get_text(): text.xy for text in ax.texts}
    assert at["invest"][0] > at["rebuild"][0]
    assert at["invest"][1] > at["keep"][1]


def test_sameness_of_treatment_is_told():
    ax, _ = drawn("ablation", TABLES["ablation"]())
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert sum("same treatment" in label for label in labels) == 7
    assert "same treatment" not in next(label for label in labels if label.startswith("keep, weak"))
