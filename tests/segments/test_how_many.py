"""Indices of how many clusters, each against another program or by hand; their disagreement is a finding."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_score

from crmlab.segments.checks import indices_agree
from crmlab.segments.models import how_many
from crmlab.segments.models.clusters import fit_mixture, k_means
from crmlab.segments.models.transforms import Transform

from .logs import simulated
from .refusals import blank, refused
from .worlds import COLUMNS, one_kind, planted

K_VALUES = (2, 3, 4)
KINDS = ("uniform", "gaussian")


@pytest.fixture(scope="module")
def found():
    return how_many.validity_indices(planted()[0], COLUMNS, k_values=K_VALUES, replicates=5, splits=2)


def test_planted_kinds_are_counted_by_every_index(found):
    chosen = how_many.suggested_k(found)
    assert [*chosen.k] == [3] * 6
    check = indices_agree(chosen)
    assert (check.id, check.kind, check.outcome) == ("segments.indices_agree", "finding", "yes")
    assert check.summary.startswith("They choose 3 by silhouette, ")


def test_indices_are_those_of_scikit_learn(found):
    X = Transform.fit(planted()[0], COLUMNS, "log").transform(planted()[0])
    codes = k_means(X, 4, 1)[1]
    assert found.silhouette[4] == pytest.approx(silhouette_score(X, codes))
    assert found.bic[2] == pytest.approx(fit_mixture(X, 2, 1).bic(X))


def test_the_gap_of_one_cluster_is_that_of_the_squares_about_the_mean():
    X = np.random.default_rng(5).gamma(2, size=(30, 2))
    found = how_many.validity_indices_of(X, k_values=(2,), replicates=4, splits=1, seed=3)
    squares = lambda rows: np.log(((rows - rows.mean(axis=0)) ** 2).sum())  # noqa: E731
    rng = np.random.default_rng([3, 0])
    uniform = [squares(rng.uniform(X.min(axis=0), X.max(axis=0), X.shape)) for _ in range(4)]
    assert found.gap[1] == pytest.approx(np.mean(uniform) - squares(X))
    assert found.gap_standard_error[1] == pytest.approx(np.std(uniform) * np.sqrt(1 + 1 / 4))


def test_a_cluster_of_one_has_a_silhouette_of_zero():
    # by hand: mean distances within are 1.5, 1 and 1.5, to the other 50, 49 and 48; who is alone has 0
    X, codes = np.array([[0.0], [1], [2], [50]]), np.array([0, 0, 0, 1])
    each = [1 - 1.5 / 50, 1 - 1 / 49, 1 - 1.5 / 48, 0]
    assert how_many.silhouette(cdist(X, X), codes) == pytest.approx(sum(each) / 4)


def test_a_cluster_that_nobody_of_a_sample_is_in_changes_no_silhouette():
    X = np.array([[0.0], [1], [9], [10]])
    distances = cdist(X, X)
    assert how_many.silhouette(distances, np.array([0, 0, 2, 2])) == pytest.approx(
        how_many.silhouette(distances, np.array([0, 0, 1, 1]))
    )
    assert np.isnan(how_many.silhouette(distances, np.array([1, 1, 1, 1])))


def test_one_cluster_has_no_silhouette_but_can_be_chosen(found):
    assert np.isnan(found.silhouette[1])
    assert (found.reason != "").tolist() == found.isna().any(axis=1).tolist() == [True, *[False] * (len(found) - 1)]
    uniform, normal = (how_many.validity_indices(one_kind(kind, 4), COLUMNS, "raw", K_VALUES, 10, 3) for kind in KINDS)
    assert how_many.suggested_k(uniform).k["gap"] == 1  # simulated as one kind, of the gap's own null
    assert how_many.suggested_k(normal).k["BIC of a mixture"] == 1  # and as one part of a mixture


def test_prediction_strength_is_the_share_of_pairs_kept_together():
    # by hand: of cluster 0's 3 pairs one is kept, of cluster 1's only pair all
    assert how_many._kept(np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1]), 2) == pytest.approx(1 / 3)
    assert how_many._kept(np.array([0, 0, 2, 2]), np.array([0, 0, 2, 2]), 3) == 0  # a cluster of nobody keeps no pair


def test_disagreement_names_which_index_chooses_what():
    table = how_many.validity_indices(simulated(300), ("orders", "spend"), "raw", K_VALUES, 3, 2)
    check = indices_agree(how_many.suggested_k(table))
    assert check.outcome == "no"
    assert all(title in check.summary for title, _ in how_many.INDICES.values())
    assert check.recommendation.startswith("Choose no number of clusters yet")


def test_the_gap_is_chosen_within_a_standard_error(found):
    table = found.assign(gap=[0.1, 0.5, 0.55, 0.9], gap_standard_error=0.06)
    assert how_many.suggested_k(table).k["gap"] == 2  # .5 ≥ .55 − .06, by hand


def test_the_table_is_the_same_from_run_to_run(found):
    again = how_many.validity_indices(planted()[0], COLUMNS, k_values=K_VALUES, replicates=5, splits=2)
    assert again.equals(found)


def test_bad_input_is_named():
    assert "numbers of clusters, 2 or more" in refused(how_many.validity_indices, simulated(50), k_values=(1, 2))[0]
    assert "give 1 of each" in refused(how_many.validity_indices, simulated(50), replicates=0)[0]
    reason = blank(how_many.validity_indices, simulated(12))
    few = "features: 12 customers are fewer than the 16 that a search for up to 8 clusters needs; search for fewer"
    assert reason == f"{few} (k_values), or take more customers"
    check = indices_agree(how_many.suggested_k(how_many.validity_indices(simulated(12))))
    assert (check.outcome, check.summary) == ("not applicable", f"Not judged: {reason}.")
