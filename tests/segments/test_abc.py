"""ABC on customers whose shares are plain to see, and on random ones."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.segments.models.abc import ABC

from .logs import later_features, simulated
from .refusals import refused, unfitted


def spends(*values):
    return pd.DataFrame({"spend": map(float, values)}, [f"c{i}" for i in range(len(values))])


def classes(frame, **options):
    return "".join(label[0] for label in ABC.fit(frame, **options).assign(frame))


def test_a_cut_is_reached_by_the_last_customer_of_its_class():
    # of 100: 50 + 30 reach 80 %, 50 + 30 + 10 + 5 reach 95 %
    assert classes(spends(10, 50, 30, 3, 5, 2)) == "BAACBC"


def test_the_customer_who_passes_a_cut_is_still_of_the_class():
    assert classes(spends(90, 6, 4)) == "ABC"


def test_equal_values_are_never_parted():
    assert classes(spends(40, 20, 20, 20, 1)) == "AAAAC"


def test_customers_of_no_value_are_a_class_of_their_own_and_no_part_of_the_shares():
    frame = spends(50, 30, 15, 5, 0, -1000)
    assert classes(frame) == "AABCnn"


def test_cuts_are_parameters():
    assert ABC.fit(spends(4, 3, 2, 1), cuts=(0.4,)) == ABC((4.0,), (0.4,))
    assert classes(spends(4, 3, 2, 1), cuts=(0.3, 0.6, 0.8)) == "ABCD"


def test_labels_are_ordered_with_the_best_first():
    frame = simulated()
    labels = ABC.fit(frame).assign(frame)
    assert labels.name == "abc"
    assert labels.cat.ordered
    assert labels.cat.categories.tolist() == ["A", "B", "C", "no value"]
    means = frame.spend.groupby(labels, observed=True).mean()
    assert means.is_monotonic_decreasing


def test_what_was_learned_fits_later_features_and_other_customers():
    scheme, other = ABC.fit(simulated()), later_features()
    assert scheme.assign(other)[other.spend >= scheme.lower_bounds[0]].eq("A").all()
    assert scheme.assign(other[::-1]).sort_index().equals(scheme.assign(other))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(-3, 40), min_size=3, max_size=30).filter(lambda v: max(v) > 0 and len(set(v)) > 1))
def test_a_class_reaches_its_share_and_without_its_last_customers_does_not(values):
    frame = spends(*values)
    scheme = ABC.fit(frame)
    labels, total = scheme.assign(frame), frame.spend[frame.spend > 0].sum()
    for cut, kinds in ((0.8, ["A"]), (0.95, ["A", "B"])):
        held = frame.spend[labels.isin(kinds)]
        assert held.sum() >= cut * total * (1 - 1e-9)
        assert held[held > held.min()].sum() < cut * total * (1 + 1e-9)


def test_the_curve_rises_to_each_cut_where_its_class_ends():
    frame = spends(*[50, 30, 10, 5, 3, 2] * 50)
    pareto_curve = ABC.fit(frame).pareto_curve(frame)
    assert pareto_curve.value_share.iloc[[0, -1]].tolist() == pytest.approx([0, 1])
    ends = pareto_curve.drop_duplicates("label", keep="last").set_index("label")
    assert ends.value_share.to_dict() == pytest.approx({"A": 0.8, "B": 0.95, "C": 1.0}, abs=0.01)
    assert (pareto_curve.value_share.diff().iloc[1:] >= -1e-12).all()


def test_the_curve_falls_over_customers_of_negative_value():
    frame = spends(60, 40, 0, -20)
    pareto_curve = ABC.fit(frame).pareto_curve(frame)
    assert pareto_curve.value_share.iloc[-1] == pytest.approx(0.8)
    assert pareto_curve.value_share.max() == pytest.approx(1.0)


def test_rules_are_the_values_of_each_class():
    rules = ABC.fit(spends(50, 30, 10, 5, 3, 2)).rules().rule.to_dict()
    assert rules == {
        "A": "spend at least 30",
        "B": "spend at least 5, below 30",
        "C": "spend above 0, below 5",
        "no value": "spend of 0 or less; no part of the shares",
    }


@pytest.mark.parametrize("cuts", [(0.95, 0.8), (0.8, 0.8), (0.0, 0.5), (0.5, 1.0), (), (np.nan,)])
def test_cuts_out_of_order_are_refused(cuts):
    assert "cuts must rise" in refused(ABC.fit, simulated(), cuts=cuts)[0]


def test_too_many_cuts_are_refused():
    assert "more than there are letters" in refused(ABC.fit, simulated(), cuts=np.arange(1, 30) / 31)[0]


def test_bad_features_are_named():
    assert "'spend' is 0 or less for all 4" in unfitted(ABC.fit, spends(0, 0, 0, -1))
    assert "'spend' is 7 for all 3 customers, so abc cannot part them" in unfitted(ABC.fit, spends(7, 7, 7))
    assert "2 customers are fewer than the 3 that abc needs" in unfitted(ABC.fit, spends(7, 8))
    assert "no column 'margin', which abc needs" in unfitted(ABC.fit, spends(1, 2, 3), value="margin")
    broken = spends(1, 2, 3).assign(spend=[1, np.nan, np.inf])
    assert "'spend' is empty or infinite for 2 of 3 customers (first: customer c-82d39fc1)" in unfitted(ABC.fit, broken)
    assert refused(ABC.fit(spends(1, 2, 3)).assign, broken)
