"""What all schemes share: features held to what a scheme needs, and several schemes fitted at once."""

import numpy as np
import pandas as pd
import pytest

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
from crmlab.segments.models.scheme import check_features, fit_schemes
from crmlab.segments.models.transforms import Transform
from crmlab.segments.models.value_matrix import ValueMatrix

from .logs import simulated
from .refusals import refused

FRAME = simulated(60)
MAKERS = {"abc": ABC.fit, "rfm": RFM.fit, "value_matrix": ValueMatrix.fit}


def test_a_column_of_text_is_named_with_every_other_breach():
    frame = FRAME.assign(spend="much", orders=np.nan)
    assert refused(check_features, frame, "abc", ["spend", "orders"]) == (
        "features: 'spend' holds no numbers, which abc needs; give it as numbers",
        "features: 'orders' is empty or infinite for 60 of 60 customers (first: customer 'c00000'); "
        "fill it, or leave them out of abc",
    )


@pytest.mark.parametrize("blank", [pd.NA, None])
def test_a_blank_of_any_kind_is_counted(blank):
    frame = FRAME.assign(orders=pd.array([blank, *FRAME.orders[1:]], dtype="Int64"))
    assert "is empty or infinite for 1 of 60 customers" in refused(check_features, frame, "abc", ["orders"])[0]


def test_a_scheme_that_cannot_be_fitted_is_left_out_with_its_reason():
    fitted, left_out = fit_schemes(MAKERS, FRAME.drop(columns="expected_margin"))
    assert list(fitted) == ["abc", "rfm"]
    assert fitted["abc"] == ABC.fit(FRAME)
    (told,) = left_out
    assert not told.passed
    assert told.claim.startswith("value_matrix ")
    assert "no column 'expected_margin'" in told.evidence


def test_a_scheme_that_is_needed_is_refused_by_name():
    frame = FRAME.assign(spend=0.0)
    assert "'spend' is 0 or less for all 60 customers" in refused(fit_schemes, MAKERS, frame, required=["abc"])[0]


def test_days_are_no_numbers():
    frame = FRAME.assign(spend=pd.Timestamp("2024-01-01"))
    assert refused(check_features, frame, "abc", ["spend"]) == (
        "features: 'spend' holds no numbers, which abc needs; give it as numbers",
    )


def test_no_customers_are_said_so():
    assert refused(check_features, FRAME[:0], "rfm", ["spend"], min_customers=5) == (
        "features: there are no customers, and rfm needs 5 at least; take more",
    )


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
        (said,) = refused(search, frame, k_values=(2, 3))
        assert "have 2 distinct values of orders, spend, days_since_last, fewer than the 3 clusters" in said


def test_labels_of_another_scheme_have_no_third_axis():
    matrix = ValueMatrix.fit(FRAME).assign(FRAME)
    assert "none of eight_classes" in refused(eight_classes.store_strength_ablation, matrix, pd.DataFrame())[0]


def test_nobody_has_no_profile():
    assert refused(profiles.segment_differences, FRAME.spend[:0], FRAME, ["orders"]) == (
        "labels: there are no customers; take some",
    )
