"""Growth curves: what they predict, what they find in sales of known curves, and when there is none."""

import pickle
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from crmlab import lifecycle, likelihood
from crmlab.contracts import InputError
from crmlab.lifecycle import Bass, BassDensity, Gompertz, Logistic
from crmlab.lifecycle.models import growth, growth_forecasts
from crmlab.model import Unfitted

from .rates import later_sales_held, sold

KNOWN = [
    Bass(1000, 0.01, 0.4),
    BassDensity(1000, 0.01, 0.4),
    Logistic(1000, 60, 0.5),
    Gompertz(1000, 8, 0.35),
    Bass(1000, 0.3, 0.1),
]
PERIODS = np.arange(1, 21)


@pytest.mark.parametrize("curve", KNOWN, ids=lambda c: f"{c.title} {c.m}")
def test_derivatives_are_those_of_small_steps(curve):
    exact = curve._increments(PERIODS.astype(float))[1]
    for column, name in enumerate(likelihood.parameter_names(curve)):
        up, down = (replace(curve, **{name: getattr(curve, name) * np.exp(h)}) for h in (1e-6, -1e-6))
        slope = (up.sales(PERIODS) - down.sales(PERIODS)) / 2e-6
        assert exact[:, column] == pytest.approx(slope.to_numpy(), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("curve", KNOWN[:1] + KNOWN[2:], ids=lambda c: f"{c.title} {c.m}")
def test_sales_sum_to_what_is_sold_so_far_and_in_the_end_to_m(curve):
    assert list(np.cumsum(curve.sales(PERIODS))) == pytest.approx(list(curve.cumulative(PERIODS)))
    assert curve.cumulative(400)[400] == pytest.approx(curve.m)


@pytest.mark.parametrize("curve", KNOWN, ids=lambda c: f"{c.title} {c.m}")
def test_the_peak_is_where_the_rate_of_sales_is_highest(curve):
    at = np.linspace(0, 20, 20_001)
    rate = np.gradient(curve.cumulative(at).to_numpy(), at)
    assert curve.peak == pytest.approx(at[rate.argmax()], abs=0.01)


@pytest.mark.parametrize("curve", KNOWN, ids=lambda c: f"{c.title} {c.m}")
def test_a_curve_is_found_again_in_sales_without_errors(curve):
    fitted = type(curve).fit(sold(curve))
    assert [getattr(fitted, n) for n in likelihood.parameter_names(curve)] == pytest.approx(
        [getattr(curve, n) for n in likelihood.parameter_names(curve)], rel=1e-6
    )


def test_rescaled_sales_rescale_m_and_nothing_else():
    sales = sold(KNOWN[0], 15, 0.05)
    small, large = Bass.fit(sales), Bass.fit(sales * 1e6)
    assert (large.m, large.p, large.q) == pytest.approx((small.m * 1e6, small.p, small.q), rel=1e-6)


@pytest.mark.parametrize("fewer", [0, 1, 2, 3])
def test_of_too_few_periods_there_is_no_curve(fewer):
    for cls in growth.CURVES:
        found = cls.fit(pd.Series(range(fewer), dtype=float))
        assert found == Unfitted(cls, f"{fewer} of the 4 periods needed were observed")


def test_sales_that_cannot_be_are_refused_all_at_once():
    sales = pd.Series([1, -2, np.nan, -4, np.inf], pd.date_range("2024-01-01", periods=5, freq="MS"))
    with pytest.raises(InputError) as caught:
        Bass.fit(sales)
    assert caught.value.breaches == (
        "sales are missing or not finite in 2 of 5 periods (first: 2024-03-01; 2024-05-01); correct them",
        "sales are negative in 2 of 5 periods (first: 2024-02-01; 2024-04-01); correct them",
    )


@pytest.mark.parametrize("sales", [[5] * 6, [0] * 6])
def test_constant_sales_show_no_growth(sales):
    reason = Logistic.fit(pd.Series(sales, dtype=float)).reason
    assert "sales are the same in all 6 periods, so there is no growth" in reason


@pytest.mark.parametrize("sales", [[1, 2, 4, 8, 16, 32], [0, 0, 0, 5, 0, 0, 1]])
def test_of_sales_that_leave_the_curve_open_there_is_none(sales):
    reason = Bass.fit(pd.Series(sales, dtype=float)).reason
    assert reason.startswith("no Bass curve is clearly the nearest to these")


def test_a_minimum_too_flat_to_say_anything_is_none():
    early = pd.Series([840.0, 1470, 2110, 4000, 7590])  # video recorders, five years: a log of m would err by 12
    assert "no Gompertz curve is clearly the nearest to these 5 periods" in Gompertz.fit(early).reason


def test_curves_that_could_not_be_fitted_stand_beside_those_that_could():
    sales = pd.Series([1.0, 2, 4, 8, 16, 32])
    fitted = lifecycle.fit_growth_curves(sales)
    assert list(fitted) == ["Bass", "Gompertz", "logistic"]
    assert isinstance(fitted["Bass"], Unfitted)
    table = lifecycle.growth_peaks(fitted, sales)
    assert table.m["Bass":"Bass"].isna().all()
    assert table.reason["Bass"].startswith("no Bass curve is clearly the nearest")
    assert table.summary["Bass"] == ""
    assert np.isnan(fitted["Bass"].peak)


def test_a_curve_is_numbers_with_draws():
    fitted = Bass.fit(sold(KNOWN[0], 15, 0.05))
    again = pickle.loads(pickle.dumps(fitted))
    assert again == fitted
    assert again.uncertainty.draws.shape == (growth.REPLICATES, 3)
    assert [f.name for f in fields(again.uncertainty)] == [
        "covariance", "draws", "log_likelihood", "prior", "bin_error", "sigma", "df_resid",
    ]  # fmt: skip
    assert repr(fitted).startswith("Bass(m=")
    assert " ± " in repr(fitted)
    with pytest.raises(InputError, match="Bass: p = 0; choose a finite number above 0"):
        Bass(1000, 0, 0.4)


def test_a_curve_made_of_numbers_has_no_interval():
    sales = sold(KNOWN[0], 12, 0.05)
    fitted = Bass.fit(sales)
    for curve in (Bass(1000, 0.01, 0.4), replace(fitted, m=1000.0)):
        path = lifecycle.growth_path(curve, sales, 2)
        assert path.expected.notna().all()
        assert path[[name for name in path if name.endswith(("low", "high"))]].isna().all(axis=None)
        assert lifecycle.growth_peaks({"Bass": curve}, sales).summary["Bass"].startswith("peak")
    by_hand = Bass(fitted.m, fitted.p, fitted.q).with_covariance(fitted.covariance)
    path = lifecycle.growth_path(by_hand, sales, 2)
    assert path.expected_ci_low.notna().all()
    assert path.expected_pi_low.isna().all()


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: Bass.fit("sales"), "sales: they are numbers, one a period; this is str"),
        (lambda: KNOWN[0].sales("ten"), "periods = 'ten': choose numbers, 1 for the first period"),
        (lambda: lifecycle.growth_path("Bass", sold(KNOWN[0])), "model is of type str .*; give a GrowthCurve"),
        (
            lambda: lifecycle.growth_path(KNOWN[0], sold(KNOWN[0]), -1),
            "periods_ahead = -1: choose a whole number, 0 or",
        ),
        (lambda: lifecycle.backtest_growth(sold(KNOWN[0]), 0), "periods_ahead = 0: choose a whole number, 1 or more"),
        (lambda: lifecycle.life_cycle_stages(sold(KNOWN[0]), 0), "periods_per_year = 0: choose a whole number, 1 or"),
    ],
)
def test_what_makes_no_sense_is_refused(ask, words):
    with pytest.raises(InputError, match=words):
        ask()


def test_a_path_holds_sales_so_far_and_none_to_come():
    sales = sold(KNOWN[0], 12, 0.05)
    growth_path = lifecycle.growth_path(Bass.fit(sales), sales, 3)
    assert growth_path.index[-3:].year.tolist() == [2012, 2013, 2014]
    assert growth_path.sales.notna().tolist() == [True] * 12 + [False] * 3
    assert growth_path.cumulative_sales.iloc[11] == pytest.approx(sales.sum())
    ordered = growth_path[
        ["expected_pi_low", "expected_ci_low", "expected", "expected_ci_high", "expected_pi_high"]
    ].to_numpy()
    assert (np.diff(ordered, axis=1) > -1e-9).all()
    assert (growth_path.expected_cumulative_ci_low <= growth_path.expected_cumulative).all() & (
        growth_path.expected_cumulative <= growth_path.expected_cumulative_ci_high
    ).all()
    again = lifecycle.growth_path(Bass.fit(sales), sales, 3)
    pd.testing.assert_frame_equal(growth_path, again)


def test_predictive_intervals_hold_most_of_later_sales():
    assert later_sales_held(4) > 0.85


def test_peaks_have_intervals_and_dates():
    sales = sold(KNOWN[0], 20, 0.03, seed=1)
    table = lifecycle.growth_peaks({"Bass": Bass.fit(sales)}, sales)
    row = table.loc["Bass"]
    assert row.m_ci_low < 1000 < row.m_ci_high
    assert row.peak_ci_low < KNOWN[0].peak < row.peak_ci_high
    assert row.peak_time == sales.index[int(np.ceil(row.peak)) - 1]
    assert row.summary == "peak past"
    early = sales[:7]
    assert lifecycle.growth_peaks({"Bass": Bass.fit(early)}, early).summary["Bass"] not in ("peak past", "")


def test_a_curve_below_what_was_sold_is_said_not_to_hold():
    sales = pd.Series([100.0, 600, 900, 600, 200, *[15] * 40])
    table = lifecycle.growth_peaks(lifecycle.fit_growth_curves(sales), sales)
    assert "more was sold than it holds possible" in " ".join(table.summary)


@pytest.mark.parametrize(
    ("freq", "last"),
    [("YS", "2005-01-01"), ("QS", "2001-04-01"), ("MS", "2000-06-01"), ("W-MON", "2000-02-07"), ("D", "2000-01-06")],
)
def test_periods_to_come_keep_the_step_of_those_before(freq, last):
    past = pd.date_range("2000-01-01" if freq != "W-MON" else "2000-01-03", periods=4, freq=freq)
    assert growth_forecasts.future_times(past, 2)[-1] == pd.Timestamp(last)
    assert len(growth_forecasts.future_times(past, 0)) == 0


def test_of_a_single_period_nothing_is_predicted_with_the_reason():
    sales = pd.Series([12.5], pd.DatetimeIndex(["2024-01-01"]))
    path = lifecycle.growth_path(lifecycle.LastPeriod.fit(sales), sales, 5)
    assert path.sales.tolist() == [12.5]
    assert path.expected.isna().all()
    assert path.reason.tolist() == ["a single period does not say how far apart periods are; two are needed"]
    bass = lifecycle.growth_paths(lifecycle.fit_growth_curves(sales), sales, 5)
    assert set(bass.reason) == {"1 of the 4 periods needed were observed"}
    # a count of periods has its step: five follow the first
    counted = pd.Series([12.5], [1])
    ahead = lifecycle.growth_path(lifecycle.LastPeriod.fit(counted), counted, 5)
    assert ahead.index.tolist() == [1, 2, 3, 4, 5, 6]
    assert ahead.expected.tolist()[1:] == [12.5] * 5


def test_a_fit_without_draws_has_intervals_by_its_covariance():
    fitted = Bass.fit(sold(KNOWN[0], 15, 0.05), replicates=0)
    by_hand = Bass(fitted.m, fitted.p, fitted.q).with_covariance(fitted.covariance)
    pd.testing.assert_frame_equal(fitted.parameters, by_hand.parameters)
