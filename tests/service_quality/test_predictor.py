"""Which of gap, perception or both is said to matter, in worlds where one of them does."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from crmlab.service_quality.models.difference import difference_score_reliability
from crmlab.service_quality.models.predictor import PolynomialRegression
from crmlab.service_quality.models.reliability import cronbach_alpha

from .rates import USES, N, apart, gap_of_one_dimension_found, use_found
from .rates import predictor_world as world


@pytest.mark.parametrize("use", USES)
def test_the_use_is_mostly_right(use):
    assert use_found(use, 40) >= 0.85


def test_a_gap_of_one_dimension_is_not_mistaken_for_both():
    split, means = gap_of_one_dimension_found(30)
    assert split >= 0.9
    assert means < 0.8


def test_tests_by_dimension_are_those_of_one_regression():
    e, p, y = apart(1)
    found = PolynomialRegression.fit(e, p, y)
    fit = smf.ols("y ~ ea + eb + pa + pb", pd.DataFrame({"y": y, "ea": e.a, "eb": e.b, "pa": p.a, "pb": p.b}))
    test = fit.fit(cov_type="HC3", use_t=True).f_test("ea + pa = 0, eb + pb = 0")
    row = found.tests.set_index(["model", "question"]).loc[
        ("both by dimension", "b of expect is minus that of perceive")
    ]
    assert (row.F, row.df, row.p) == pytest.approx((float(test.fvalue), 2, float(test.pvalue)))
    assert "both by dimension" not in set(
        PolynomialRegression.fit(e[:50], p[:50], y[:50]).models.model
    )  # too few for two dimensions


def test_models_are_those_of_formulas():
    e, p, y = world(-0.3, 0.6, 2)
    found = PolynomialRegression.fit(e, p, y, middle=4)
    rows = pd.DataFrame({"e": e - 4, "p": p - 4, "y": y})
    plain = {
        "gap": smf.ols("y ~ I(p - e)", rows),
        "perception": smf.ols("y ~ p", rows),
        "both": smf.ols("y ~ e + p", rows),
        "quadratic": smf.ols("y ~ e + p + I(e**2) + e:p + I(p**2)", rows),
    }
    fits = {name: model.fit(cov_type="HC3", use_t=True) for name, model in plain.items()}
    assert dict(zip(found.models.model, found.models.r2, strict=True)) == pytest.approx(
        {name: fit.rsquared for name, fit in fits.items()}
    )
    assert list(found.models.r2_adjusted) == pytest.approx([fit.rsquared_adj for fit in fits.values()])
    both = found.coefficients[found.coefficients.model == "both"]
    assert list(both.b) == pytest.approx(list(fits["both"].params[["e", "p"]]))
    assert both[["ci_low", "ci_high"]].to_numpy() == pytest.approx(fits["both"].conf_int().loc[["e", "p"]].to_numpy())
    assert list(both.p) == pytest.approx(list(fits["both"].pvalues[["e", "p"]]))
    test = fits["both"].f_test("e + p = 0")
    row = found.tests.set_index("question").loc["b of expect is minus that of perceive"]
    assert (row.F, row.p) == pytest.approx((float(test.fvalue), float(test.pvalue)))
    slope = found.surface.set_index("line").loc["slope of falling short"]
    t_test = fits["quadratic"].t_test("e - p = 0")
    assert [slope.ci_low, slope.ci_high, slope.p] == pytest.approx([*t_test.conf_int()[0], float(t_test.pvalue)])
    surface = found.surface.set_index("line").b
    q = fits["quadratic"].params
    assert surface["slope of falling short"] == pytest.approx(q["e"] - q["p"])
    assert surface["curve of falling short"] == pytest.approx(q["I(e ** 2)"] - q["e:p"] + q["I(p ** 2)"])


def test_a_surface_planted_with_a_curve_is_found():
    rng = np.random.default_rng(3)
    e, p = (pd.Series(rng.uniform(1, 7, 2_000)) for _ in range(2))
    y = -0.5 * (p - e) ** 2 + pd.Series(rng.normal(size=2_000))
    surface = PolynomialRegression.fit(e, p, y, middle=4).surface.set_index("line")
    # (p - e)² has curve -.5 (1 + 2 + 1) along e = -p, and none where they agree
    assert surface.b["curve of falling short"] == pytest.approx(-2, abs=0.1)
    assert surface.ci_low["curve where they agree"] < 0 < surface.ci_high["curve where they agree"]


def test_equal_weights_change_nothing_and_others_do():
    e, p, y = world(-0.3, 0.6, 4)
    plain, alike = PolynomialRegression.fit(e, p, y, 4), PolynomialRegression.fit(e, p, y, 4, np.full(N, 3.0))
    pd.testing.assert_frame_equal(plain.coefficients, alike.coefficients, rtol=1e-9)
    weight = np.where(e > 5.6, 2.0, 1.0)
    heavy = PolynomialRegression.fit(e, p, y, 4, weight)
    assert heavy.n == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    assert not np.allclose(heavy.coefficients.b, plain.coefficients.b)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda e, p, y: (e[:20], p[:20], y[:20]), "20 respondents gave expectation, perception and outcome"),
        (lambda e, p, y: (e * 0 + 7, p, y), "no variance in expect"),
        (lambda e, p, y: (e, p, y * 0), "no variance in the outcome"),
        (lambda e, p, y: (e, e - 1, y), "expectation and perception go together wholly"),
    ],
)
def test_what_cannot_be_told_is_not(change, reason):
    found = PolynomialRegression.fit(*change(*world(-0.3, 0.6, 5)), middle=4)
    assert not found
    assert reason in found.reason
    assert found.coefficients.attrs["reason"] == str(found)


def batteries(n, seed, together=0.6):
    """Expectation and perception of four items, whose true scores correlate by `together`."""
    rng = np.random.default_rng(seed)
    true = rng.multivariate_normal([0, 0], [[1, together], [together, 1]], n)
    noise = rng.normal(size=(2, n, 4))
    return [pd.DataFrame(true[:, [i]] + noise[i], columns=list("abcd")) for i in range(2)]


def test_the_difference_of_sides_that_go_together_is_less_reliable():
    expect, perceive = batteries(50_000, 6)
    row = difference_score_reliability(expect, perceive, {"d": list("abcd")}).iloc[0]
    # true variances of the sums 16, 16, shared 9.6; noise 4 a side: sides 16 / 20, difference 12.8 / 20.8
    assert (row.expect, row.perceive) == pytest.approx((0.8, 0.8), abs=0.01)
    assert row.correlation == pytest.approx(9.6 / 20, abs=0.01)
    assert row.gap == pytest.approx(12.8 / 20.8, abs=0.01)
    assert row.gap_alpha == pytest.approx(cronbach_alpha((perceive - expect).cov()), rel=1e-9)
    assert row.gap_alpha == pytest.approx(row.gap, abs=0.02)


def test_a_difference_of_one_item_is_blank():
    expect, perceive = batteries(100, 7)
    found = difference_score_reliability(expect, perceive, {"two": ["a", "b"], "one": ["a"]}).set_index("dimension")
    assert found.reason["one"] == "1 item: at least 2 are needed"
    assert found.expect["two"] == pytest.approx(cronbach_alpha(expect[["a", "b"]].cov()))
    assert np.isfinite(found.gap["two"])
    still = difference_score_reliability(expect.assign(a=1.0), perceive, {"d": list("abc")})
    assert still.reason[0] == "no variance in an item"
