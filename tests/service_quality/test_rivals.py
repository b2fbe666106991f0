"""Declared dimensions beside simpler structures, and how many factors parallel analysis keeps."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import service_quality as sq
from crmlab.service_quality.models.rivals import retained_factors, rival_structures
from crmlab.service_quality.models.structure import rmsea, srmr

from .test_reliability import DIMENSIONS, ITEMS, answers

checks = sq.checks


@pytest.fixture(scope="module")
def school():
    examples = pytest.importorskip("semopy.examples", reason="semopy is not installed")
    found = examples.holzinger39.get_data()
    return found[[f"x{i}" for i in range(1, 10)]].astype(float)


SCHOOL = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]}


def theirs(table, description):
    """chi-squared and degrees of freedom by semopy."""
    import semopy

    model = semopy.Model(description)
    model.fit(table)
    found = semopy.calc_stats(model).iloc[0]
    return found["chi2"], found["DoF"]


def test_rivals_are_those_of_semopy(school):
    found = rival_structures(school, SCHOOL).set_index("structure")
    assert list(found.index) == [
        "declared", "one factor", "visual and textual as one", "visual and speed as one", "textual and speed as one",
    ]  # fmt: skip
    one = theirs(school, "f =~ x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9")  # by lavaan 312.264 on 27
    two = theirs(school, "f =~ x1 + x2 + x3 + x7 + x8 + x9\ng =~ x4 + x5 + x6")
    for name, (chi2, df) in {"one factor": one, "visual and speed as one": two}.items():
        row = found.loc[name]
        assert [row.chi2, row.df] == pytest.approx([chi2, df], rel=1e-4)
        # less lavaan's 85.306 on 24
        apart = chi2 - 85.306
        assert [row.chi2_difference, row.df_difference] == pytest.approx([apart, df - 24], abs=0.01)
        assert row.p_difference == pytest.approx(stats.chi2.sf(apart, df - 24), rel=0.01)
    assert found.loc["one factor", "chi2"] == pytest.approx(312.264, abs=5e-4)
    assert found.p_adjusted.max() == pytest.approx(found.p_difference.max(), rel=1e-12)  # Holm leaves the last
    assert found.p_adjusted.min() == pytest.approx(4 * found.p_difference.min(), rel=1e-12)


def test_the_rmsea_and_its_interval_by_hand():
    # χ² of 50 on 25 in 201: √(25 / (25 × 201)). By R, qchisq of the noncentrality: pchisq(50, 25, ncp) = .95 and .05
    value, low, high = rmsea(50, 25, 201)
    assert value == pytest.approx(np.sqrt(25 / 25 / 201))
    assert [stats.ncx2.cdf(50, 25, end**2 * 25 * 201) for end in (low, high)] == pytest.approx([0.95, 0.05])
    value, low, high = rmsea(20, 25, 201)
    assert (value, low) == (0, 0)
    assert stats.ncx2.cdf(20, 25, high**2 * 25 * 201) == pytest.approx(0.05)
    assert rmsea(10, 25, 201) == (0, 0, 0)  # so near that none is above
    assert np.isnan(rmsea(0, 0, 201)).all()


def test_the_srmr_by_hand():
    # of three residuals, in correlations: 0 and 0 of the variances, .1 of 4 × 1: .2 / (2 × 1)
    seen, implied = np.array([[4, 1.0], [1, 1]]), np.array([[4, 0.8], [0.8, 1]])
    assert srmr(seen, implied) == pytest.approx(np.sqrt(0.1**2 / 3))


def test_a_merged_pair_is_nearest_where_it_is_one():
    rng = np.random.default_rng(4)
    own = rng.normal(size=(1_500, 2))
    one = {f"{d}{i}": 0.7 * own[:, int(d != "A")] + 0.7 * rng.normal(size=1_500) for d in "ABC" for i in range(1, 5)}
    found = rival_structures(pd.DataFrame(one), DIMENSIONS)
    check = checks.dimensions_distinct(found)
    assert (check.outcome, check.values["nearest"], check.values["rejected"]) == ("undecided", "B and C as one", 3)
    assert check.recommendation == "Report B and C as one beside the declared dimensions."
    assert "1,500 customers answered all items" in check.summary


def test_planted_dimensions_fit_are_several_and_as_many_as_declared():
    held = answers(600, 7, general=0.4, group=0.7)
    rivals, counted = rival_structures(held, DIMENSIONS), retained_factors(held, DIMENSIONS, replicates=100)
    fit = checks.dimensions_fit(rivals)
    assert (fit.outcome, fit.id) == ("passed", "service_quality.dimensions_fit")
    assert checks.dimensions_fit(rivals, limit=float(rivals.rmsea[0])).outcome == "undecided"
    assert checks.dimensions_distinct(rivals).outcome == "yes"
    assert checks.factors_as_declared(counted).outcome == "passed"
    assert list(counted.retained) == [3, 3]
    assert (
        "Parallel analysis keeps 3; in samples of the 3 declared dimensions"
        in checks.factors_as_declared(counted).summary
    )


def test_dimensions_that_are_not_there_fail():
    held = answers(600, 7, general=0.4, group=0.7)
    mixed = {"x": ["A1", "A2", "B1", "C1"], "y": ["A3", "B2", "B3", "C2"], "z": ["A4", "B4", "C3", "C4"]}
    check = checks.dimensions_fit(rival_structures(held, mixed))
    assert (check.outcome, bool(check.recommendation)) == ("failed", True)
    counted = retained_factors(held, {"AB": ITEMS[:8], "C": ITEMS[8:]}, replicates=100)
    failed = checks.factors_as_declared(counted)
    assert (failed.outcome, failed.recommendation) == (
        "failed", "Look at the exploratory factors, and declare other dimensions.",
    )  # fmt: skip


def test_parallel_analysis_of_dimensions_that_correlate_is_undecided():
    # three dimensions that correlate by .9: it keeps one, of them and of one factor alike
    held = answers(300, 9, general=np.sqrt(0.54), group=np.sqrt(0.06))
    counted = retained_factors(held, DIMENSIONS, replicates=100)
    check = checks.factors_as_declared(counted)
    assert (list(counted.retained), check.outcome) == ([1, 1], "undecided")


def test_what_samples_of_a_structure_keep_by_another_route():
    # respondents drawn from the planted structure, instead of their covariances from the fitted one
    from crmlab.service_quality.models.factors import parallel_analysis

    counted = retained_factors(answers(20_000, 1, general=0.6, group=0.45), DIMENSIONS, replicates=100).iloc[0]
    assert (counted.expected, counted.expected_pi_low, counted.expected_pi_high) == (3, 3, 3)
    few = retained_factors(answers(100, 2, general=0.6, group=0.4), DIMENSIONS, replicates=200).iloc[0]
    kept = [parallel_analysis(answers(100, s, 0.6, 0.4), replicates=100, seed=s).retained.sum() for s in range(60)]
    assert few.expected == pytest.approx(np.mean(kept), abs=0.4)


@pytest.mark.parametrize("of", [rival_structures, retained_factors])
def test_what_cannot_be_compared_is_blank_and_not_judged(of):
    held = answers(20, 1)
    table = of(held, DIMENSIONS)
    assert table.attrs["reason"] == "20 respondents answered all items: more than 24 are needed"
    assert table.reason.tolist() == [table.attrs["reason"]]
    for check in (
        (checks.dimensions_fit, checks.dimensions_distinct) if of is rival_structures else (checks.factors_as_declared,)
    ):
        assert (check(table).outcome, check(table).summary) == (
            "not applicable",
            f"Not judged: {table.attrs['reason']}.",
        )


def test_one_dimension_has_no_rival():
    held = answers(300, 1)
    alone = {"A": DIMENSIONS["A"]}
    for check in (
        checks.dimensions_distinct(rival_structures(held, alone)),
        checks.factors_as_declared(retained_factors(held, alone)),
    ):
        assert (check.outcome, check.summary) == ("not applicable", "Not judged: there is one dimension.")
    three = checks.dimensions_fit(rival_structures(held, {"A": DIMENSIONS["A"][:3]}))
    assert (three.outcome, three.summary) == (
        "not applicable",
        "Not judged: with as many parameters as moments any answers fit.",
    )


def test_dimensions_of_the_example_fit_and_are_several():
    customers = sq.read_survey("data/example_survey.csv", "data/example_survey.toml").as_of().select("customer")
    found = sq.dimensionality(customers)
    assert (len(found), found.respondents[0]) == (12, 168)
    assert checks.dimensions_fit(found).outcome == "passed"
    assert checks.dimensions_distinct(found).outcome == "yes"
    assert checks.factors_as_declared(sq.number_of_factors(customers, replicates=100)).outcome == "undecided"
    unasked = sq.dimensionality(customers, "importance")
    assert unasked.attrs["reason"] == "ratings of importance were not asked"
