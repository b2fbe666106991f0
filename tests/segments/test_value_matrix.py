"""The value matrix on customers whose place is plain to see, and on random ones."""

import numpy as np
import pandas as pd
import pytest

from crmlab import holdout
from crmlab.segments.checks import value_axes_distinct
from crmlab.segments.models.value_matrix import ValueMatrix

from .logs import later_features, simulated
from .refusals import refused, unfitted

FOUR = pd.DataFrame(
    {"window_spend": [100.0, 90.0, 10.0, 5.0], "expected_margin": [90.0, 40.0, 60.0, 5.0]},
    ["invests", "keeps", "rebuilds", "releases"],
)


def test_treatments_stand_for_high_and_low_value_now_and_to_come():
    labels = ValueMatrix(50, 20, margin=0.5).assign(FOUR)
    # current values are 50, 45, 5, 2.5, and potentials 40, -5, 55, 2.5
    assert labels.tolist() == ["rebuild", "release", "rebuild", "release"]
    assert ValueMatrix(40, 20, margin=0.5).assign(FOUR).tolist() == ["invest", "keep", "rebuild", "release"]
    assert labels.name == "value_matrix"
    assert labels.cat.categories.tolist() == ["invest", "keep", "rebuild", "release"]


def test_potential_is_expected_margin_less_the_current_one_with_what_else_is_declared():
    axes = ValueMatrix(0, 0, margin=0.5).axes(FOUR.assign(extra_potential=[0, 1, 2, 3]))
    assert axes.current.tolist() == [50, 45, 5, 2.5]
    assert axes.potential.tolist() == [40, -5 + 1, 55 + 2, 2.5 + 3]


def test_cuts_are_medians_unless_given():
    frame = simulated()
    scheme = ValueMatrix.fit(frame)
    axes = scheme.axes(frame)
    assert (scheme.current_cut, scheme.potential_cut) == (axes.current.median(), axes.potential.median())
    assert ValueMatrix.fit(frame, 0.3, 5, -2) == ValueMatrix(5.0, -2.0, 0.3)


def test_who_is_at_a_cut_is_low():
    frame = pd.DataFrame({"window_spend": [0.0, 0, 0, 8], "expected_margin": [0.0, 1, 2, 3]})
    assert ValueMatrix.fit(frame).current_cut == 0
    assert ValueMatrix.fit(frame).assign(frame).isin(["invest", "keep"]).tolist() == [False, False, False, True]


def test_rules_are_the_cuts():
    rules = ValueMatrix(50, 20).rules().rule
    assert rules["invest"] == "current value above 50, potential above 20"
    assert rules["rebuild"] == "current value up to 50, potential above 20"


def test_quadrants_show_each_class_the_empty_ones_too():
    table = ValueMatrix(40, -1000, margin=0.5).quadrants(FOUR.assign(spend=[6.0, 1, 2, 1]))
    assert table.customers.to_dict() == {"invest": 2, "keep": 0, "rebuild": 2, "release": 0}
    assert table.current["invest"] == 47.5
    assert sorted(table.value_share) == [0, 0, *sorted(table.value_share)[2:]]
    assert table.value_share.sum() == pytest.approx(1)
    assert not table.isna().any().any()


def test_later_features_and_other_customers_are_placed_by_the_same_cuts():
    scheme, other = ValueMatrix.fit(simulated()), later_features()
    assert scheme.assign(other).iloc[0] in ("invest", "keep")
    assert scheme.assign(other[::-1]).sort_index().equals(scheme.assign(other))


@pytest.mark.parametrize(("factor", "outcome"), [(3.0, "failed"), (1.0, "passed")])
def test_axes_that_go_together_fail(factor, outcome):
    frame = simulated()
    noise = frame.expected_margin.to_numpy() * (0.01 if factor > 1 else 50)
    frame = frame.assign(expected_margin=factor * frame.window_spend + noise)
    check = value_axes_distinct(ValueMatrix(0, 0).axes(frame))
    assert (check.id, check.kind, check.outcome) == ("segments.value_axes_distinct", "assumption", outcome)
    assert ("The axes are not distinct" in check.summary) is (outcome == "failed")
    assert check.recommendation == ("" if outcome == "passed" else "Use classes of one axis: ABC of expected margin.")


def test_axes_that_go_against_each_other_fail_too():
    frame = simulated()
    check = value_axes_distinct(ValueMatrix(0, 0).axes(frame.assign(expected_margin=0.1)))
    assert check.outcome == "failed"  # potential is then minus the current value
    assert "-1.000" in check.summary


def test_axes_are_not_distinct_at_a_large_correlation():
    rng = np.random.default_rng(1)
    z = rng.normal(size=(2, 2357))
    current = z[0]
    potential = -0.74 * z[0] + np.sqrt(1 - 0.74**2) * z[1]  # as of CDNOW
    check = value_axes_distinct(pd.DataFrame({"current": current, "potential": potential}))
    assert check.outcome == "failed"
    assert "Potential is the expected margin less the current value" in check.summary
    assert "Potential is" not in value_axes_distinct(pd.DataFrame({"current": current, "potential": current})).summary


def test_axes_are_undecided_where_the_interval_holds_the_limit_and_not_judged_where_there_is_no_matrix():
    frame = simulated(60)
    axes = ValueMatrix(0, 0).axes(frame)
    rank = abs(float(holdout.spearman(axes.potential, axes.current)))
    check = value_axes_distinct(axes, limit=rank)
    assert check.outcome == "undecided"
    assert check.claim.startswith("The axes of the value matrix are distinct: Spearman's correlation is within ±")
    assert check.recommendation.startswith("Read the matrix with care")
    none = ValueMatrix.fit(frame.drop(columns="expected_margin"))
    assert value_axes_distinct(none.axes(frame)).outcome == "not applicable"


def test_bad_input_is_named():
    bare = simulated().drop(columns=["expected_margin"])
    assert "no column 'expected_margin' (discounted margin of as long a time ahead" in unfitted(ValueMatrix.fit, bare)
    assert "3 customers are fewer than the 4 that" in unfitted(ValueMatrix.fit, simulated(3))
    none = simulated().assign(window_spend=0.0)
    assert "'current' is 0 for all 2,000 customers" in unfitted(ValueMatrix.fit, none)
    gone = simulated()
    gone.loc[gone.index[3], "expected_margin"] = np.nan
    assert "empty or infinite for 1 of 2,000" in unfitted(ValueMatrix.fit, gone)
    extra = simulated().assign(extra_potential=np.nan)
    assert "'extra_potential' is empty" in unfitted(ValueMatrix.fit, extra)
    for margin in (0, 1.5, np.nan):
        assert "margin" in refused(ValueMatrix.fit, simulated(), margin)[0]
    assert "potential_cut = nan" in refused(ValueMatrix.fit, simulated(), potential_cut=np.nan)[0]
