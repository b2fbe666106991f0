"""Profile intervals of growth curves: their ends found again by another search, and those that are open."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from crmlab import lifecycle
from crmlab.contracts import InputError
from crmlab.lifecycle import Bass, Gompertz, Logistic
from crmlab.model import Unfitted

from .rates import growth_held, sold

VCR = pd.Series([840.0, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890])
TIGHT = {"xatol": 1e-9, "fatol": 1e-3, "maxiter": 4000}


def squares(curve, sales):
    return np.square(curve.sales(range(1, len(sales) + 1)).to_numpy() - sales.to_numpy()).sum()


def least_with(cls, sales, start, **held):
    """The least sum of squares with one parameter held, by a search without derivatives."""
    free = [name for name in start if name not in held]

    def of(logs):
        return squares(cls(**held, **dict(zip(free, np.exp(np.clip(logs, -50, 50)), strict=True))), sales)

    at = np.log([start[name] for name in free])
    for _ in range(3):
        at = optimize.minimize(of, at, method="Nelder-Mead", options=TIGHT).x
    return of(at)


@pytest.mark.parametrize("cls", [Bass, Gompertz, Logistic])
def test_at_the_ends_the_least_sum_of_squares_has_risen_by_t_squared_s_squared(cls):
    curve = cls.fit(VCR, replicates=0)
    found = lifecycle.growth_parameters(curve, VCR)
    limit = squares(curve, VCR) * (1 + stats.t.ppf(0.975, 7) ** 2 / 7)
    for name, row in found.iterrows():
        for end in (row.ci_low, row.ci_high):
            assert least_with(cls, VCR, dict(found.value), **{name: end}) == pytest.approx(limit, rel=1e-4)
    assert (found.ci_low < found.value).all()
    assert (found.value < found.ci_high).all()


def test_at_the_ends_of_the_peak_too():
    curve, t = Bass.fit(VCR, replicates=0), stats.t.ppf(0.975, 7)
    peak = lifecycle.peak_after(curve, VCR)
    assert (peak.value, peak.unit) == (curve.peak, "periods")
    for end in (peak.ci_low, peak.ci_high):

        def of(logs, end=end):  # a peak at `end` and a rate p + q give p, and q / p
            rate, odds = np.exp(logs[1]), np.exp(np.exp(logs[1]) * end)
            return squares(Bass(np.exp(logs[0]), rate / (1 + odds), rate * odds / (1 + odds)), VCR)

        start = np.log([curve.m, curve.p + curve.q])
        best = optimize.minimize(
            of, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-3, "maxiter": 4000}
        )
        assert best.fun == pytest.approx(squares(curve, VCR) * (1 + t**2 / 7), rel=1e-4)


def test_another_level_has_its_own_t():
    curve = Bass.fit(VCR, replicates=0)
    found, wide = lifecycle.growth_parameters(curve, VCR, 0.5), lifecycle.growth_parameters(curve, VCR)
    assert (found.ci_low > wide.ci_low).all()
    assert (found.ci_high < wide.ci_high).all()
    end = found.ci_high["q"]
    limit = squares(curve, VCR) * (1 + stats.t.ppf(0.75, 7) ** 2 / 7)
    assert least_with(Bass, VCR, dict(found.value), q=end) == pytest.approx(limit, rel=1e-4)


def test_before_the_peak_the_market_may_be_open():
    early = VCR[:6]
    curve = Bass.fit(early, replicates=0)
    found, peak = lifecycle.growth_parameters(curve, early), lifecycle.peak_after(curve, early)
    assert found.ci_high["m"] == np.inf
    assert found.ci_low["p"] == 0
    assert found.ci_low["m"] > early.sum()
    assert peak.ci_high == np.inf
    limit = squares(curve, early) * (1 + stats.t.ppf(0.975, 3) ** 2 / 3)
    assert least_with(Bass, early, dict(found.value), m=1e12) < limit  # as near as that, however large the market
    table = lifecycle.growth_peaks({"Bass": curve}, early).loc["Bass"]
    assert (table.m_ci_high, table.peak_ci_high, table.summary) == (np.inf, np.inf, "peak past or to come")
    assert str(peak) == "6.888 periods (95 % confidence interval 5.598 to infinite)"


def test_an_open_end_hides_no_closed_one():
    # the same sales a period later: the market is known
    found = lifecycle.growth_parameters(Bass.fit(VCR[:7], replicates=0), VCR[:7])
    assert np.isfinite(found.to_numpy()).all()
    assert found.ci_low["p"] > 0


def test_sales_that_fit_no_worse_rescaled_have_the_same_intervals_rescaled():
    small = lifecycle.growth_parameters(Bass.fit(VCR, replicates=0), VCR)
    large = lifecycle.growth_parameters(Bass.fit(VCR * 1e6, replicates=0), VCR * 1e6)
    assert large.loc["m"].to_numpy() == pytest.approx(small.loc["m"].to_numpy() * 1e6, rel=1e-4)
    assert large.loc["q"].to_numpy() == pytest.approx(small.loc["q"].to_numpy(), rel=1e-4)


def test_sales_without_errors_leave_nothing_open():
    sales = sold(Bass(1000, 0.01, 0.4))
    found = lifecycle.growth_parameters(Bass.fit(sales), sales)
    assert found.ci_low.to_numpy() == pytest.approx(found.ci_high.to_numpy(), rel=1e-4)


def test_intervals_mostly_hold_what_sales_were_simulated_from():
    assert growth_held(5) >= 0.84


def test_without_a_fit_there_is_no_interval():
    curve = Bass(67_660, 0.0088, 0.642)
    found, peak = lifecycle.growth_parameters(curve, VCR), lifecycle.peak_after(curve, VCR)
    assert found.value.tolist() == [67_660, 0.0088, 0.642]
    assert found[["ci_low", "ci_high"]].isna().all(axis=None)
    assert (peak.value, peak.ci_low, peak.ci_high) == (curve.peak, None, None)
    unfitted = Unfitted(Bass, "no growth")
    assert lifecycle.growth_parameters(unfitted, VCR).attrs["reason"] == "no growth"
    assert lifecycle.peak_after(unfitted, VCR).reason == "no growth"


@pytest.mark.parametrize("other", [VCR[:9], VCR * 1.01])
def test_a_curve_that_was_fitted_to_other_sales_is_refused(other):
    curve = Bass.fit(VCR, replicates=0)
    with pytest.raises(InputError, match=f"Bass was fitted to others than these {len(other)} periods; give those"):
        lifecycle.growth_parameters(curve, other)
