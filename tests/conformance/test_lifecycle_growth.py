"""Growth curves and product stages against what was published, and against other programs."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import curve_fit

from crmlab.lifecycle import Bass, BassDensity, Gompertz, Logistic, life_cycle_stages

# Video recorders sold in the United States, thousands a year [Bass's data, in Cowpertwait & Metcalfe 2009]
VCR = pd.Series([840, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890], range(1980, 1990), dtype=float)


# Cowpertwait & Metcalfe 2009, section 3.3.4: R's nls, with standard errors and residual standard error as printed
def test_bass_by_its_density_is_that_of_nls():
    found = BassDensity.fit(VCR).parameters
    assert found.value.tolist() == pytest.approx([67_981, 0.00659, 0.6381], rel=1e-3)
    assert found.standard_error.tolist() == pytest.approx([3.13e3, 1.43e-3, 4.14e-2], rel=2e-3)
    fitted = BassDensity.fit(VCR)
    assert (fitted.uncertainty.sigma, fitted.uncertainty.df_resid) == (pytest.approx(727, abs=0.5), 7)


# Srinivasan & Mason 1986's form on the same sales, computed by two programs independently
def test_bass_by_its_increments_finds_the_known_numbers():
    fitted = Bass.fit(VCR)
    assert fitted.m == pytest.approx(67_660, abs=5)
    assert (fitted.p, fitted.q) == (pytest.approx(0.00879, abs=5e-6), pytest.approx(0.6422, abs=5e-5))


def bass(t, m, p, q):
    """Bass 1969, by F alone: what the increments are of."""
    share = lambda t: (1 - np.exp(-(p + q) * t)) / (1 + q / p * np.exp(-(p + q) * t))  # noqa: E731
    return m * (share(t) - share(t - 1))


def logistic(t, m, a, b):
    share = lambda t: 1 / (1 + a * np.exp(-b * t))  # noqa: E731
    return m * (share(t) - np.where(t > 1, share(t - 1), 0))


def gompertz(t, m, a, b):
    share = lambda t: np.exp(-a * np.exp(-b * t))  # noqa: E731
    return m * (share(t) - np.where(t > 1, share(t - 1), 0))


# scipy's Levenberg-Marquardt with numerical derivatives, its covariance scaled by the residuals
@pytest.mark.parametrize(
    ("cls", "formula", "start"),
    [
        (Bass, bass, (7e4, 0.01, 0.5)),
        (Logistic, logistic, (7e4, 60, 0.6)),
        (Gompertz, gompertz, (7e4, 10, 0.4)),
    ],
)
def test_curves_are_those_of_scipys_curve_fit(cls, formula, start):
    theirs, covariance = curve_fit(formula, np.arange(1.0, 11.0), VCR.to_numpy(), start)
    fitted = cls.fit(VCR)
    found = fitted.parameters
    assert found.value.to_numpy() == pytest.approx(theirs, rel=1e-4)
    assert found.standard_error.to_numpy() == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-3)
    assert fitted.sales(range(1, 11)).to_numpy() == pytest.approx(formula(np.arange(1.0, 11.0), *theirs), rel=1e-4)


# Hu Jian 1998: below 10 % introduction, above 10 % growth, 0 to 10 % inclusive maturity, below 0 decline. Read along
# the path: introduction only before the first growth that lasts two periods, maturity and decline only after it
@pytest.mark.parametrize(
    ("sales", "expected"),
    [
        ([100, 105, 110, 121, 140, 160], ["undetermined", *["introduction"] * 3, *["growth"] * 2]),
        ([100, 90, 120, 110, 130, 150], ["undetermined"] * 2 + ["introduction", "undetermined", "growth", "growth"]),
        ([100, 120, 150, 165, 181.5, 181.5, 190], ["undetermined", "growth", "growth", *["maturity"] * 4]),
        ([100, 120, 150, 150, 149, 140, 130], ["undetermined", "growth", "growth", "maturity", *["decline"] * 3]),
        ([100, 120, 150, 140, 170, 200], ["undetermined", *["growth"] * 5]),
        (
            [100, 120, 150, 140, 130, 120, 140, 170],
            ["undetermined", *["growth"] * 2, *["decline"] * 3, *["growth"] * 2],
        ),
    ],
)
def test_hu_jians_stages_are_read_along_the_path(sales, expected):
    assert life_cycle_stages(pd.Series(sales, dtype=float)).stage.tolist() == expected


# 10 % after 100, 30, 0.1 and 7 is 10 % exactly, although 110 / 100 - 1 is a little more in floating point
@pytest.mark.parametrize("start", [100.0, 30.0, 0.1, 7.0])
def test_0_and_10_percent_are_maturity(start):
    read = life_cycle_stages(pd.Series([start, start * 1.1, start * 1.1, start * 1.11 * 1.1])).period_stage
    assert read.iloc[1:].tolist() == ["maturity", "maturity", "growth"]
    assert read.isna().tolist() == [True, False, False, False]
