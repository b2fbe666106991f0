"""Plots of clusters and of comparisons draw the frames they are given, on the axes they are given."""

from functools import partial

import matplotlib.pyplot as plt
import pytest

from crmlab.segments.models import how_many, null_model, profiles, stability, transforms, usefulness
from crmlab.segments.models.abc import ABC
from crmlab.segments.models.clusters import KMeans
from crmlab.segments.plots import clusters, comparison

from ..figures import draws
from .logs import simulated
from .test_usefulness import SCHEMES, world
from .worlds import COLUMNS, one_kind, planted

FRAME = simulated(300)
TABLES = {
    clusters.transform_comparison: lambda: transforms.transform_comparison(FRAME, COLUMNS),
    clusters.validity_indices: lambda: how_many.validity_indices(
        planted()[0], COLUMNS, k_values=(2, 3), replicates=2, splits=1
    ),
    clusters.null_comparison: lambda: null_model.null_comparison(
        one_kind("uniform", 1, 60), COLUMNS, "raw", (2, 3), 19, 60
    ),
    clusters.bootstrap_stability: lambda: stability.bootstrap_stability(
        {"abc": ABC.fit, "k": partial(KMeans.fit, k=3)}, FRAME, 3
    ),
    clusters.jitter_stability: lambda: stability.jitter_stability({"abc": ABC.fit(FRAME)}, FRAME, replicates=2),
    clusters.segment_differences: lambda: profiles.segment_differences(
        ABC.fit(FRAME).assign(FRAME), FRAME, ["spend"], replicates=5
    ),
    partial(clusters.segment_means, standard_deviations=FRAME.std()): lambda: profiles.segment_means(
        ABC.fit(FRAME).assign(FRAME), FRAME
    ),
    comparison.compare_schemes: lambda: usefulness.compare_schemes(SCHEMES, {"2024": world(1, 200)}, replicates=5)[0],
    comparison.scheme_differences: lambda: usefulness.compare_schemes(SCHEMES, {"2024": world(1, 200)}, replicates=5)[
        0
    ],
}


@pytest.mark.parametrize("draw", TABLES, ids=lambda draw: getattr(draw, "__name__", "segment_means"))
def test_a_plot_returns_the_axes_it_was_given_and_leaves_its_frame_alone(draw):
    draws(draw, TABLES[draw]())


def test_schemes_of_a_comparison_are_side_by_side_at_their_number_of_segments():
    table = TABLES[comparison.compare_schemes]()
    ax = comparison.compare_schemes(table)
    held = usefulness.baseline_differences(table).set_index("model")
    points = ax.collections[-1].get_offsets()
    assert sorted(points[:, 1]) == pytest.approx(sorted(held.value[list(SCHEMES)]))
    assert points[:, 0].prod() ** (1 / 3) == pytest.approx(3)  # all have three segments: side by side about it
    assert len(set(points[:, 0])) == 3
    said = {text.get_text() for text in ax.texts}
    assert {*SCHEMES, "past spend", "recency"} <= said
    plt.close(ax.figure)
