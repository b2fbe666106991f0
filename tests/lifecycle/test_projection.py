"""Projections with intervals, and what they would have missed: each from the first periods alone."""

import numpy as np
import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.lifecycle.metrics import cohorts as metrics
from crmlab.lifecycle.models import backtest, projection
from crmlab.lifecycle.models.sbg import BDW, SBG, discount_per_period
from crmlab.lifecycle.models.survival import censor_at, survival_curve
from crmlab.lifecycle.tables.contracts import retention_durations

from .cohort_worlds import HIGH_END, REGULAR, renewals, retention

TWO = retention_durations(retention(High=HIGH_END, Regular=REGULAR))
HIGH = TWO[TWO.group == "High"]
STAYING = pd.DataFrame({"group": ["never"], "renewals": [12], "churned": [False], "customers": [50]})
BACKTEST = backtest.backtest_retention(TWO)


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


def test_a_projection_knows_only_the_first_periods():
    later = TWO.assign(renewals=TWO.renewals.where(TWO.renewals <= 7, 12), churned=TWO.churned & (TWO.renewals <= 7))
    later = later.groupby(["group", "renewals", "churned"], as_index=False).customers.sum()
    one, other = (projection.projected_survival(rows, 12, seed=1, calibration_periods=7) for rows in (TWO, later))
    pd.testing.assert_frame_equal(one, other)


def test_a_projection_is_the_same_each_time():
    pd.testing.assert_frame_equal(
        projection.projected_survival(TWO, 9, seed=4), projection.projected_survival(TWO, 9, seed=4)
    )


def test_the_interval_of_a_projection_holds_the_truth_nineteen_times_in_twenty():
    # 60 worlds of 800 customers seen for 6 periods, at period 12; chances to leave are Beta(.8, 2.5)
    truth, inside = float(SBG(0.8, 2.5).survival(12)), []
    at = pd.RangeIndex(12, 13)
    for seed in range(60):
        model = SBG.fit(renewals(800, 6, 0.8, 2.5, seed=seed))
        row = projection._with_interval(model, lambda one: one.survival(at), "survival", at, seed=1).iloc[0]
        inside.append(row.ci_low <= truth <= row.ci_high)
    assert np.mean(inside) >= 0.88


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
    for frame in (projection.projected_survival(both, 5, 1), projection.residual_lifetimes(both, 0.1, "year", 1)):
        blank = frame[frame.group == "never"]
        assert blank.reason.str.contains("cannot be estimated: none of 50 customers was lost").all()
        assert blank.iloc[:, 3:6].isna().all(axis=None)
        assert (frame[frame.group == "High"].reason == "").all()
    table = projection.retention_parameters(both).set_index(["group", "model"]).sort_index()
    assert list(table.loc[("High", "BdW"), "parameter"]) == ["alpha", "beta", "c"]
    assert table.loc[("never", "sBG"), "value"] is pd.NA
    assert table.loc[("never", "sBG"), "reason"].startswith("sBG cannot be estimated")


def test_a_projection_of_no_period_is_refused():
    with pytest.raises(InputError, match="periods = 0: choose how many renewals to look at"):
        projection.projected_survival(TWO, 0, 1)


def test_a_backtest_projects_every_later_period_from_each_number_of_known_ones():
    rows = BACKTEST[(BACKTEST.group == "High") & (BACKTEST.model == "sBG")]
    expected = [(origin, period) for origin in range(4, 12) for period in range(origin + 1, 13)]
    assert list(zip(rows.origin, rows.period, strict=True)) == expected
    assert list(rows.horizon) == [period - origin for origin, period in expected]
    assert list(rows.actual) == pytest.approx([HIGH_END[period] / 1000 for _, period in expected])
    assert list(rows.error) == pytest.approx(list(rows.expected - rows.actual))
    assert set(BACKTEST.model[BACKTEST.is_baseline]) == {"linear", "exponential", "quadratic"}


def test_a_backtest_knows_nothing_of_what_it_projects():
    later = [*HIGH_END[:8], *(v - 100 for v in HIGH_END[8:])]
    other = backtest.backtest_retention(retention_durations(retention(High=later)))
    one = BACKTEST[(BACKTEST.group == "High") & (BACKTEST.origin <= 7)].reset_index(drop=True)
    other = other[other.origin <= 7].reset_index(drop=True)
    pd.testing.assert_series_equal(one.expected, other.expected)
    assert (one.actual != other.actual).any()


def test_a_backtest_that_cannot_be_made_says_why():
    short = retention_durations(retention(a=HIGH_END[:5]))
    (row,) = backtest.backtest_retention(short).itertuples()
    assert row.reason == "cannot be estimated: nothing was seen after period 4, and a projection from 4 needs it"
    verdict = metrics.retention_beats_baselines(backtest.backtest_retention(short))
    assert (verdict.passed, verdict.evidence) == (False, row.reason)
    assert metrics.projection_errors(backtest.backtest_retention(short)).empty
    assert metrics.final_period_errors(backtest.backtest_retention(short)).empty


def test_models_that_cannot_be_fitted_stand_in_a_backtest_with_their_reason():
    found = backtest.backtest_retention(STAYING)
    fitted = found[~found.is_baseline]
    assert fitted.expected.isna().all()
    assert fitted.reason.str.contains("cannot be estimated").all()
    assert (found[found.is_baseline].error.abs() < 1e-12).all()
    assert not metrics.retention_beats_baselines(found).passed


def test_no_exponential_is_drawn_through_0():
    gone = retention_durations(retention(a=[100, 50, 25, 12, 0]))
    known = pd.concat([gone, retention_durations(retention(a=[100] * 7))])
    lost = known[~((known.renewals == 6) & ~known.churned)]
    assert backtest.backtest_retention(lost).reason.str.contains("cannot be estimated").any()
    seen = np.array([1.0, 0.5, 0.0, 0.0])
    titles = {title: reason for title, _, reason in backtest._expected(gone, seen, 2)}
    assert titles["exponential"] == "cannot be estimated: nobody is left, and an exponential curve never falls to 0"


def test_errors_are_means_by_horizon():
    found = metrics.projection_errors(BACKTEST).loc["High", "linear", 8]
    row = BACKTEST[(BACKTEST.group == "High") & (BACKTEST.model == "linear") & (BACKTEST.horizon == 8)].iloc[0]
    assert (found.n, found.bias, found.mae) == (1, row.error, abs(row.error))
    found = metrics.projection_errors(BACKTEST).loc["High", "sBG", 1]
    rows = BACKTEST[(BACKTEST.group == "High") & (BACKTEST.model == "sBG") & (BACKTEST.horizon == 1)]
    assert (found.n, found.bias) == (8, pytest.approx(rows.error.mean()))


def test_a_model_beats_curves_where_customers_differ_and_does_not_on_a_straight_line():
    assert metrics.retention_beats_baselines(BACKTEST).passed


def test_a_curve_that_projects_more_closely_is_named():
    known = BACKTEST.assign(error=BACKTEST.error.where(BACKTEST.model != "linear", 0.0001))
    verdict = metrics.retention_beats_baselines(known)
    assert not verdict.passed
    assert verdict.instead == "the linear curve, and no intervals"
    assert "72 projections were off by, on average, in points of survival: linear 0.01, BdW 0.34" in verdict.evidence


def test_a_straight_line_has_no_model_of_renewals():
    straight = backtest.backtest_retention(retention_durations(retention(a=range(1000, 400, -50))))
    verdict = metrics.retention_beats_baselines(straight)
    assert not verdict.passed
    assert "sBG cannot be estimated" in verdict.evidence


def test_durations_are_left_as_they_are():
    before = TWO.copy()
    projection.projected_survival(TWO, 5, 1, calibration_periods=5)
    backtest.backtest_retention(TWO)
    pd.testing.assert_frame_equal(TWO, before)
    assert survival_curve(TWO).survival.max() == 1
