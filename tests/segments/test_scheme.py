"""What all schemes share: features held to what a scheme needs, and several schemes fitted at once."""

import pickle

import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, segments
from crmlab.estimate import Estimate
from crmlab.segments.models import (
    actionable,
    eight_classes,
    how_many,
    null_model,
    portfolio,
    profiles,
    usefulness,
    weights,
)
from crmlab.segments.models.abc import ABC
from crmlab.segments.models.clusters import COLUMNS, KMeans
from crmlab.segments.models.eight_classes import EightClasses
from crmlab.segments.models.rfm import RFM, RFMTiers
from crmlab.segments.models.scheme import (
    Scheme,
    assign_schemes,
    check_features,
    feature_faults,
    first_scheme,
    fit_schemes,
    scheme_rules,
)
from crmlab.segments.models.transforms import Transform
from crmlab.segments.models.value_matrix import ValueMatrix

from .logs import simulated
from .refusals import blank, refused

FRAME = simulated(60)
MAKERS = {"abc": ABC.fit, "rfm": RFM.fit, "value_matrix": ValueMatrix.fit}


def test_a_column_of_text_is_named_with_every_other_breach():
    frame = FRAME.assign(spend="much", orders=np.nan)
    assert refused(check_features, frame, "abc", ["spend", "orders"]) == (
        "features: 'spend' holds no numbers, which abc needs; give it as numbers",
        "features: 'orders' is empty or infinite for 60 of 60 customers (first: customer c-98a997c2); "
        "fill it, or leave them out of abc",
    )


@pytest.mark.parametrize("blank", [pd.NA, None])
def test_a_blank_of_any_kind_is_counted(blank):
    frame = FRAME.assign(orders=pd.array([blank, *FRAME.orders[1:]], dtype="Int64"))
    assert "is empty or infinite for 1 of 60 customers" in refused(check_features, frame, "abc", ["orders"])[0]


def test_a_scheme_that_cannot_be_fitted_is_left_out_with_its_reason():
    frame = FRAME.drop(columns="expected_margin")
    fitted = fit_schemes(MAKERS, frame)
    assert list(fitted) == ["abc", "rfm", "value_matrix"]
    assert fitted["abc"] == ABC.fit(FRAME)
    assert not fitted["value_matrix"]
    assert "no column 'expected_margin'" in str(fitted["value_matrix"])
    assert list(assign_schemes(fitted, frame)) == ["abc", "rfm"]
    rules = scheme_rules(fitted)
    assert rules.reason[rules.scheme == "value_matrix"].tolist() == [str(fitted["value_matrix"])]
    assert rules.reason[rules.scheme == "abc"].eq("").all()
    assert rules.label[rules.scheme == "abc"].tolist() == ["A", "B", "C", "no value"]


def test_the_first_scheme_is_one_that_was_fitted_and_can_be_assigned():
    fitted = fit_schemes(MAKERS, FRAME)
    assert first_scheme(fitted, ("value_matrix", "abc"), FRAME) is fitted["value_matrix"]
    assert first_scheme(fitted, ("value_matrix", "abc"), FRAME.drop(columns="expected_margin")) is fitted["abc"]
    none = fit_schemes(MAKERS, FRAME[:1])
    assert first_scheme(none, ("value_matrix", "abc"), FRAME) is none["abc"]
    assert "there is no scheme 'cba'; take one of abc, rfm, value_matrix" in refused(first_scheme, fitted, ["cba"])[0]


def test_predictions_of_a_scheme_that_was_not_fitted_are_blank_with_the_reason():
    none = fit_schemes(MAKERS, FRAME[:1])
    for made in (
        none["abc"].assign(FRAME),
        none["abc"].pareto_curve(FRAME),
        none["rfm"].score(FRAME),
        none["value_matrix"].axes(FRAME),
        none["value_matrix"].quadrants(FRAME),
        none["abc"].rules(),
    ):
        assert "customers are fewer than" in made.attrs["reason"]


def test_all_schemes_of_the_report_are_defined_by_policy_and_scorecard():
    card = segments.load_scorecard(catalog.root() / "data" / "scorecard.toml")
    frame = simulated(300).assign(window_orders=np.arange(300) % 7, age=np.arange(300))
    schemes = segments.define_schemes(segments.Policy(), card, clusters=3, margin=0.5)
    fitted = fit_schemes(schemes, frame)
    assert all(fitted.values())
    assert fitted["value_matrix"].margin == 0.5
    assert len(fitted["k-means"].labels) == 3
    blank = fit_schemes(segments.define_schemes(segments.Policy(), card, Estimate(None, reason="none came")), frame)
    assert [name for name, scheme in blank.items() if not scheme] == ["k-means", "mixture", "hierarchical"]
    assert blank["mixture"].reason == "none came"
    assert "give a Policy, as segments.load_policy gives" in refused(segments.define_schemes, "playbook.toml", card)[0]


def test_every_fitted_scheme_survives_pickling_and_holds_no_data():
    card = segments.load_scorecard(catalog.root() / "data" / "scorecard.toml")
    frame = simulated(300).assign(window_orders=np.arange(300) % 7, age=np.arange(300))
    for scheme in fit_schemes(segments.define_schemes(segments.Policy(), card), frame).values():
        assert isinstance(scheme, Scheme)
        assert pickle.loads(pickle.dumps(scheme)) == scheme
        assert len(pickle.dumps(scheme)) < 10_000
        assert scheme.can_assign(frame)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ABC((1.0, 2.0), (0.8, 0.95)),
        lambda: ValueMatrix(np.nan, 1.0),
        lambda: ValueMatrix(1.0, 1.0, margin=-1),
        lambda: EightClasses(ValueMatrix(1.0, 1.0), np.inf),
        lambda: RFMTiers(None, (0, 0, 0), (1.0,)),
        lambda: segments.BrandLoyalty((5, 1)),
        lambda: segments.Weights(("a", "b"), (0.5, 0.6), "given"),
        lambda: KMeans(Transform("log", ("spend",), (0,), (1,), (0,), (1,)), ((1.0,),)),
        lambda: Transform("root", ("spend",), (0,), (1,), (0,), (1,)),
    ],
)
def test_impossible_parameters_are_refused(make):
    assert "give" in refused(make)[0]


def test_a_scheme_without_value_says_so():
    fitted = fit_schemes(MAKERS, FRAME.assign(spend=0.0))
    assert "'spend' is 0 or less for all 60 customers" in str(fitted["abc"])


def test_days_are_no_numbers():
    frame = FRAME.assign(spend=pd.Timestamp("2024-01-01"))
    assert refused(check_features, frame, "abc", ["spend"]) == (
        "features: 'spend' holds no numbers, which abc needs; give it as numbers",
    )


def test_no_customers_are_said_so():
    said = "features: there are no customers, and rfm needs {} at least; take more"
    assert refused(check_features, FRAME[:0], "rfm", ["spend"]) == (said.format(1),)
    assert feature_faults(FRAME[:0], "rfm", ["spend"], min_customers=5) == [said.format(5)]


@pytest.mark.parametrize("cuts", [("a", 0.9), None])
def test_cuts_that_are_no_numbers_are_named(cuts):
    assert refused(ABC.fit, FRAME, cuts) == (f"cuts = {cuts!r}: cuts must be numbers, above 0 and below 1",)


@pytest.mark.parametrize("bins", [1, 2.5, "x", 21])
def test_bins_are_a_whole_number_of_which_cells_can_be_listed(bins):
    for fit in (RFM.fit, RFMTiers.fit):
        assert refused(fit, FRAME, bins=bins) == (f"bins = {bins!r}: choose a whole number, 2 to 20",)


@pytest.mark.parametrize("columns", ["spend", (), ("spend", "spend")])
def test_columns_are_a_list_of_names_each_once(columns):
    said = refused(KMeans.fit, FRAME, 2, columns)
    assert said == (f"columns = {columns!r}: give a list of one column at least, each once",)
    assert refused(Transform.fit, FRAME, columns) == said


@pytest.mark.parametrize("cut", [np.nan, np.inf])
def test_a_strength_that_is_no_cut_is_named(cut):
    frame = simulated(60)
    assert refused(EightClasses.fit, frame, strength_cut=cut)[0].startswith(f"strength_cut = {cut!r}: give a finite")


def test_text_is_refused_wherever_amounts_are_needed():
    text = pd.Series("much", FRAME.index)
    labels = pd.Series("a", FRAME.index, name="s")
    frame, later = FRAME.assign(spend=text), pd.DataFrame({"spend": 1.0, "orders": 1, "active": 1}, FRAME.index)
    assert "no numbers" in refused(portfolio.value_concentration, text)[0]
    assert "no numbers" in refused(portfolio.segment_portfolio, labels, text)[0]
    assert "no numbers" in refused(actionable.kotler_criteria, {"s": labels}, frame, later)[0]
    assert "no numbers" in refused(usefulness.compare_schemes, {"abc": ABC.fit}, {"2024": (frame, later)})[0]
    assert "no numbers" in refused(weights.entropy_weights, text.to_frame("spend"))[0]


def test_reach_in_words_is_refused():
    labels = pd.Series(["a", "b"] * 30, FRAME.index, name="s")
    reachable = pd.Series("yes", FRAME.index)
    later = pd.DataFrame({"spend": 1.0}, FRAME.index)
    said = ("reachable: neither true, false nor empty for some customers; give it as these",)
    assert refused(actionable.kotler_criteria, {"s": labels}, FRAME.assign(reachable=reachable), later) == said
    assert refused(portfolio.idic, labels, FRAME.spend, None, reachable) == said


def test_customers_of_fewer_kinds_than_clusters_are_refused_before_the_search():
    frame = FRAME.assign(**{c: (np.arange(60) % 2).astype(float) for c in COLUMNS})
    for search in (how_many.validity_indices, null_model.null_comparison):
        assert "have 2 distinct values of orders, spend, days_since_last, fewer than the 3 clusters" in blank(
            search, frame, k_values=(2, 3)
        )


def test_labels_of_another_scheme_have_no_third_axis():
    matrix = ValueMatrix.fit(FRAME).assign(FRAME)
    assert "not those of eight_classes" in refused(eight_classes.store_strength_ablation, matrix, pd.DataFrame())[0]


def test_nobody_has_no_profile():
    assert refused(profiles.segment_differences, FRAME.spend[:0], FRAME, ["orders"]) == (
        "labels: there are no customers; take some",
    )
