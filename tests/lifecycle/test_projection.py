"""Projections with intervals, and what they would have missed: each from the first periods alone."""

import numpy as np
import pandas as pd
import pytest

from crmlab import lifecycle
from crmlab.contracts import InputError
from crmlab.lifecycle import BDW, SBG, censor_at, checks, discount_per_period, retention_durations, survival_curve
from crmlab.lifecycle import backtest_retention as backtest_of
from crmlab.lifecycle.models import backtest, projection

from .cohort_worlds import HIGH_END, REGULAR, retention
from .rates import projections_held

TWO = retention_durations(retention(High=HIGH_END, Regular=REGULAR))
HIGH = TWO[TWO.group == "High"]
STAYING = pd.DataFrame({"group": ["never"], "renewals": [12], "churned": [False], "customers": [50]})
BACKTEST = backtest_of(TWO)


def test_a_projection_is_what_the_fitted_models_expect():
    found = (
        projection.projected_survival(TWO, 14, seed=1, calibration_periods=7)
        .set_index(["group", "model", "period"])
        .sort_index()
    )
    censored = censor_at(HIGH, 7)
    for model in (SBG.fit(censored), BDW.fit(censored)):
        rows = found.loc["High", model.title]
        assert list(rows.survival) == pytest.approx(list(model.survival(np.arange(15))))
        assert list(rows.retention[1:]) == pytest.approx(list(model.retention(np.arange(1, 15))))
        assert rows.retention[0] is pd.NA
        assert list(rows.in_calibration) == [True] * 8 + [False] * 7
        assert ((rows.ci_low <= rows.survival) & (rows.survival <= rows.ci_high)).all()


def test_a_projection_sees_only_the_first_periods():
    later = TWO.assign(renewals=TWO.renewals.where(TWO.renewals <= 7, 12), churned=TWO.churned & (TWO.renewals <= 7))
    later = later.groupby(["group", "renewals", "churned"], as_index=False).customers.sum()
    one, other = (projection.projected_survival(rows, 12, seed=1, calibration_periods=7) for rows in (TWO, later))
    pd.testing.assert_frame_equal(one, other)


def test_a_projection_is_the_same_each_time():
    pd.testing.assert_frame_equal(
        projection.projected_survival(TWO, 9, seed=4), projection.projected_survival(TWO, 9, seed=4)
    )


def test_the_interval_of_a_projection_holds_the_truth_in_most_worlds():
    assert projections_held(12) >= 0.8


def test_payments_to_come_are_those_of_the_fitted_models():
    found = (
        projection.residual_lifetimes(TWO, 0.1, "quarter", seed=1)
        .set_index(["group", "model", "renewals"])
        .sort_index()
    )
    expected = BDW.fit(HIGH).residual_lifetime(np.arange(13), discount_per_period(0.1, "quarter"))
    rows = found.loc["High", "BdW"]
    assert list(rows.payments) == pytest.approx(list(expected))
    assert ((rows.ci_low < rows.payments) & (rows.payments < rows.ci_high)).all()


def test_a_group_that_cannot_be_projected_has_its_reason_beside_the_others():
    both = pd.concat([HIGH, STAYING])
    for frame in (projection.projected_survival(both, 5), projection.residual_lifetimes(both, 0.1, "year")):
        blank = frame[frame.group == "never"]
        assert blank.reason.str.contains("none of 50 customers was lost").all()
        assert blank.iloc[:, 3:6].isna().all(axis=None)
        assert (frame[frame.group == "High"].reason == "").all()
    table = projection.retention_parameters(both).set_index(["group", "model"]).sort_index()
    assert list(table.loc[("High", "BdW"), "parameter"]) == ["alpha", "beta", "c"]
    assert table.loc[("never", "sBG"), "value"] is pd.NA
    assert table.loc[("never", "sBG"), "reason"].startswith("none of 50 customers was lost")


def test_a_projection_of_no_period_is_refused():
    with pytest.raises(InputError, match="periods = 0: choose how many renewals to look at"):
        projection.projected_survival(TWO, 0)


def test_a_backtest_projects_every_later_period_from_each_origin():
    rows = BACKTEST[(BACKTEST.group == "High") & (BACKTEST.model == "sBG")]
    expected = [(origin, period) for origin in range(4, 12) for period in range(origin + 1, 13)]
    assert list(zip(rows.origin, rows.period, strict=True)) == expected
    assert list(rows.horizon) == [period - origin for origin, period in expected]
    assert list(rows.actual) == pytest.approx([HIGH_END[period] / 1000 for _, period in expected])
    assert list(rows.error) == pytest.approx(list(rows.expected - rows.actual))
    assert set(BACKTEST.model[BACKTEST.is_baseline]) == {"linear", "exponential", "quadratic"}


def test_a_backtest_sees_nothing_of_what_it_projects():
    later = [*HIGH_END[:8], *(v - 100 for v in HIGH_END[8:])]
    other = backtest_of(retention_durations(retention(High=later)))
    one = BACKTEST[(BACKTEST.group == "High") & (BACKTEST.origin <= 7)].reset_index(drop=True)
    other = other[other.origin <= 7].reset_index(drop=True)
    pd.testing.assert_series_equal(one.expected, other.expected)
    assert (one.actual != other.actual).any()


def judged(table):
    """What is concluded of a backtest: a check a model, by its name."""
    found = checks.retention_beats_baselines(lifecycle.compare_projections(table))
    return {check.id.removeprefix("lifecycle.retention_beats_baselines."): check for check in found}


def test_a_backtest_that_cannot_be_made_says_why():
    short = retention_durations(retention(a=HIGH_END[:5]))
    (row,) = backtest_of(short).itertuples()
    assert row.reason == "4 of the 5 periods that a backtest needs were observed"
    found = judged(backtest_of(short))
    assert {name: check.outcome for name, check in found.items()} == {"sBG": "not applicable", "BdW": "not applicable"}
    assert found["sBG"].summary == f"sBG was not judged: {row.reason}."
    assert lifecycle.projection_errors(backtest_of(short)).empty
    assert lifecycle.final_period_errors(backtest_of(short)).attrs["reason"] == row.reason


def test_models_that_cannot_be_fitted_stand_in_a_backtest_with_their_reason():
    found = backtest_of(STAYING)
    fitted = found[~found.is_baseline]
    assert fitted.expected.isna().all()
    assert fitted.reason.str.contains("none of 50 customers was lost").all()
    assert (found[found.is_baseline].error.abs() < 1e-12).all()
    assert {check.outcome for check in judged(found).values()} == {"not applicable"}


def test_no_exponential_is_drawn_through_0():
    gone = retention_durations(retention(a=[100, 50, 25, 12, 0]))
    known = pd.concat([gone, retention_durations(retention(a=[100] * 7))])
    lost = known[~((known.renewals == 6) & ~known.churned)]
    assert backtest_of(lost).reason.str.contains("of the 5 periods that a backtest needs").any()
    seen = np.array([1.0, 0.5, 0.0, 0.0])
    titles = {title: reason for title, _, reason in backtest._expected(gone, seen, 2)}
    assert titles["exponential"] == "nobody is left, and an exponential curve never falls to 0"


def test_errors_are_means_by_horizon():
    found = lifecycle.projection_errors(BACKTEST).loc["High", "linear", 8]
    row = BACKTEST[(BACKTEST.group == "High") & (BACKTEST.model == "linear") & (BACKTEST.horizon == 8)].iloc[0]
    assert (found.n, found.bias, found.mae) == (1, row.error, abs(row.error))
    found = lifecycle.projection_errors(BACKTEST).loc["High", "sBG", 1]
    rows = BACKTEST[(BACKTEST.group == "High") & (BACKTEST.model == "sBG") & (BACKTEST.horizon == 1)]
    assert (found.n, found.bias) == (8, pytest.approx(rows.error.mean()))


def test_a_model_beats_curves_where_customers_differ():
    table, found = lifecycle.compare_projections(BACKTEST), judged(BACKTEST)
    assert table.index.tolist() == ["BdW", "sBG", "exponential", "linear", "quadratic"]
    assert table.mae.round(2).tolist() == [0.34, 1.59, 9.17, 35.01, 51.48]  # points
    assert (table.n == 72).all()
    assert table.outcome.tolist() == ["better", "better", "reference", "worse", "worse"]
    assert {name: check.outcome for name, check in found.items()} == {"BdW": "passed", "sBG": "passed"}
    assert found["BdW"].kind == "comparison"
    assert found["BdW"].recommendation == ""
    assert found["BdW"].summary.startswith(
        "BdW missed the share retained by 0.337 percentage points on average over 72 projections, the best "
        "baseline, the exponential curve, by 9.17; the difference is -8.83 percentage points (95 % confidence interval "
    )


def test_a_curve_that_projects_more_closely_is_named():
    nearer = BACKTEST.assign(expected=BACKTEST.expected.where(BACKTEST.model != "linear", BACKTEST.actual + 0.0001))
    found = judged(nearer)["sBG"]
    assert (found.outcome, found.recommendation) == ("failed", "Use the linear curve, which has no interval.")
    assert "over 72 projections, the best baseline, the linear curve, by 0.01000" in found.summary


def test_a_difference_that_may_be_of_luck_is_undecided():
    # the observed share lies 0.1 points from the model, and 0.2 on the other side from the curve; its error is 1.5
    table = BACKTEST[(BACKTEST.group == "High") & (BACKTEST.origin == 11)]
    expected = table.actual + np.where(table.model == "sBG", 0.001, np.where(table.is_baseline, -0.002, 0.3))
    found = judged(table.assign(expected=expected.astype("Float64")))
    assert found["sBG"].outcome == "undecided"
    assert found["sBG"].recommendation == "Wait for more periods before relying on sBG."
    assert found["BdW"].outcome == "failed"


def test_the_interval_of_a_difference_is_that_of_the_shares_lost():
    # one projection of one group: expected shares on either side, so that the difference is linear in what is observed
    table = BACKTEST[(BACKTEST.group == "High") & (BACKTEST.origin == 11)]
    expected = table.actual + np.where(table.is_baseline, -0.2, 0.1)
    row = lifecycle.compare_projections(table.assign(expected=expected.astype("Float64")), replicates=4000).loc["sBG"]
    # 416 at risk of 1000 (0.409 left): an error of 2 x 0.409 sqrt(q (1 - q) / 409), q = 15 / 409 lost
    q, at_risk, left = 15 / 409, 409, 0.409
    reach = 1.96 * 100 * 2 * left * np.sqrt(q * (1 - q) / at_risk)
    assert row.difference == pytest.approx(-10)
    assert (row.difference - row.difference_ci_low, row.difference_ci_high - row.difference) == (
        pytest.approx(reach, rel=0.1), pytest.approx(reach, rel=0.1),
    )  # fmt: skip


def test_a_straight_line_has_no_model_of_renewals():
    found = judged(backtest_of(retention_durations(retention(a=range(1000, 400, -50)))))
    assert found["sBG"].outcome == "not applicable"
    assert "the likelihood of sBG has no clear maximum" in found["sBG"].summary


def test_a_model_is_named_or_the_nearest_name_is():
    assert projection.retention_model("bdw") is BDW
    with pytest.raises(InputError, match="model = 'sbgg': there is no such retention model; did you mean 'sBG'"):
        lifecycle.retention_decomposition(TWO, model="sbgg")


def test_a_projection_is_fitted_to_just_past_half_unless_asked():
    assert lifecycle.split_period(TWO) == 7
    assert lifecycle.split_period(TWO, 5) == 5
    with pytest.raises(InputError, match="calibration_periods = 12: 12 periods were observed; choose 1 up to 11"):
        lifecycle.split_period(TWO, 12)


def test_durations_are_left_as_they_are():
    before = TWO.copy()
    projection.projected_survival(TWO, 5, calibration_periods=5)
    backtest_of(TWO)
    pd.testing.assert_frame_equal(TWO, before)
    assert survival_curve(TWO).survival.max() == 1
