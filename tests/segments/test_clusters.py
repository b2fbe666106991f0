"""Clusters are schemes: found where they were planted, the same from run to run, assigned to other customers."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn import cluster
from sklearn.metrics import adjusted_rand_score

from crmlab.segments.models.clusters import GaussianMixture, Hierarchical, KMeans, fit_mixture, nearest_centre

from .logs import later_features, simulated
from .refusals import refused, unfitted
from .worlds import COLUMNS, one_kind, planted

SCHEMES = [KMeans, GaussianMixture, Hierarchical]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_planted_kinds_are_found(scheme):
    frame, kind = planted()  # the kinds simulated from
    labels = scheme.fit(frame, 3, COLUMNS).assign(frame)
    assert adjusted_rand_score(kind, labels) > 0.9
    mean = frame.spend.groupby(labels, observed=True).mean()
    assert mean.is_monotonic_decreasing
    assert labels.cat.ordered
    assert [*labels.cat.categories] == ["cluster 1", "cluster 2", "cluster 3"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_fit_is_the_same_from_run_to_run_and_leaves_its_argument_alone(scheme):
    frame = simulated(400)
    before = frame.copy(deep=True)
    assert scheme.fit(frame, 4) == scheme.fit(frame, 4)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_fitted_scheme_is_its_numbers_and_assigns_others(scheme):
    fitted = scheme.fit(simulated(400), 4)
    assert all(isinstance(getattr(fitted, f.name), (tuple, str)) for f in dataclasses.fields(fitted)[1:])
    labels = fitted.assign(later_features(300))
    assert labels.notna().all()
    assert labels.index.equals(later_features(300).index)
    assert labels.name == scheme.name


@pytest.mark.parametrize("scheme", SCHEMES)
def test_rules_tell_centres_in_the_units_of_the_features(scheme):
    frame, kind = planted(width=0.05)
    rules = scheme.fit(frame, 3, COLUMNS).rules()
    assert [*rules.index] == ["cluster 1", "cluster 2", "cluster 3"]
    middle = np.expm1(np.log1p(frame.spend[kind == 2]).mean())  # of the kind that spends most
    assert f"spend about {middle:.4g}" in rules.rule["cluster 1"]


def test_assignment_is_to_the_nearest_centre():
    frame = simulated(300)
    fitted = KMeans.fit(frame, 4)
    X = fitted.transform.transform(frame)
    by_hand = [int(np.argmin([((x - c) ** 2).sum() for c in np.array(fitted.centres)])) for x in X]
    assert [*fitted.assign(frame).cat.codes] == by_hand


def test_a_mixture_places_customers_as_scikit_learn_does():
    frame = simulated(300)
    fitted = GaussianMixture.fit(frame, 3)
    X = fitted.transform.transform(frame)
    both = pd.crosstab(fitted.assign(frame).to_numpy(), fit_mixture(X, 3, 1).predict(X))
    assert both.shape == (3, 3)
    assert np.count_nonzero(both) == 3, "the same clusters, under other names"


def test_trees_are_grown_on_a_sample_and_the_rest_go_to_the_nearest(monkeypatch):
    monkeypatch.setattr("crmlab.segments.models.clusters.SAMPLE", 60)
    frame, kind = planted()
    grown = []
    fit = cluster.AgglomerativeClustering.fit_predict
    monkeypatch.setattr(cluster.AgglomerativeClustering, "fit_predict", lambda s, X: grown.append(len(X)) or fit(s, X))
    labels = Hierarchical.fit(frame, 3, COLUMNS).assign(frame)
    assert grown == [60]
    assert adjusted_rand_score(kind, labels) > 0.9


def test_customers_of_the_sample_have_the_labels_of_the_tree_and_others_that_of_the_nearest_of_them():
    # two chains by single linkage: 0 to 8, and 9.5 to 10; the mean of the first is 4, of the second 9.75
    spend = [*range(9), 9.5, 10.0]
    frame = pd.DataFrame({"spend": [*map(float, spend)]}, [f"c{i:02d}" for i in range(11)])
    fitted = Hierarchical.fit(frame, 2, ["spend"], "raw", linkage="single")
    tree = cluster.AgglomerativeClustering(2, linkage="single").fit_predict(frame.to_numpy())
    assert len(set(zip(tree, fitted.assign(frame), strict=True))) == 2
    assert fitted.assign(frame).tolist() == ["cluster 2"] * 9 + ["cluster 1"] * 2
    others = pd.DataFrame({"spend": [7.6, 9.9, 100.0, -3.0]})
    assert fitted.assign(others).tolist() == [fitted.assign(frame)[c] for c in ("c08", "c10", "c10", "c00")]


def test_wards_tree_is_not_undone_by_its_means():
    frame = simulated(400)
    fitted = Hierarchical.fit(frame, 4)
    X = fitted.transform.transform(frame)
    tree = cluster.AgglomerativeClustering(4).fit_predict(X)
    assert len(set(zip(tree, fitted.assign(frame), strict=True))) == 4
    assert (nearest_centre(X, fitted.centres) != fitted.assign(frame).cat.codes).any()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_bad_input_is_named(scheme):
    assert "3 customers are fewer than the 4 that" in unfitted(scheme.fit, simulated(3), 4)
    assert "'spend' is 0 for all" in unfitted(scheme.fit, simulated(30).assign(spend=0.0), 3)
    assert "no column 'visits'" in unfitted(scheme.fit, simulated(30), 3, ["visits"])
    assert "choose a whole number" in refused(scheme.fit, simulated(30), 1)[0]
    twice = one_kind("uniform", 1, 40).assign(orders=[1, 2] * 20, spend=[1, 2] * 20)
    assert "2 distinct values of orders, spend" in unfitted(scheme.fit, twice, 3, COLUMNS)


def test_an_unknown_linkage_is_refused():
    assert "choose one of ward" in refused(Hierarchical.fit, simulated(30), 3, linkage="median")[0]
