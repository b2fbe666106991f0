"""Every check for every outcome: ids that never change, and sentences that say the number and what to do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crmlab import service_quality as sq
from crmlab.model import Unfitted

from .gap_worlds import answers, survey
from .rates import apart
from .rates import predictor_world as predicted
from .rates import satisfied_and_loyal as loyal_survey
from .test_careless import SIZES

checks = sq.checks


def test_checks_and_their_kinds():
    kinds = {name: getattr(checks, name).check_kind for name in checks.__all__}
    assert kinds == {
        "answers_rose": "finding",
        "dimensions_distinct": "finding",
        "dimensions_fit": "assumption",
        "factors_as_declared": "assumption",
        "gap_predicts_satisfaction": "finding",
        "robust_to_careless_responding": "assumption",
        "shortfall_larger_where_important": "finding",
        "top_box_more_loyal": "finding",
        "waves_comparable": "assumption",
    }


@pytest.mark.parametrize(
    ("b_expect", "b_perceive", "case", "outcome", "recommendation"),
    [
        (-0.6, 0.6, "gap", "yes", ""),
        (0, 0.6, "perception", "no", "Use the perceptions alone (SERVPERF) to predict satisfaction."),
        (-0.25, 0.7, "both", "no", "Use expectation and perception side by side, each with a weight of its own."),
        (0, 0, "undecided", "undecided", "Use expectation and perception side by side, as nothing shows that the gap "
         "would do."),
    ],
)  # fmt: skip
def test_what_predicts_satisfaction_is_found(b_expect, b_perceive, case, outcome, recommendation):
    model = sq.PolynomialRegression.fit(*predicted(b_expect, b_perceive, 1), middle=4)
    check = checks.gap_predicts_satisfaction(model)
    assert check.id == "service_quality.gap_predicts_satisfaction"
    assert (check.case, check.outcome, check.recommendation) == (case, outcome, recommendation)
    assert "(n = 400)" in check.summary


def test_the_summary_of_what_predicts_satisfaction_holds_its_numbers():
    check = checks.gap_predicts_satisfaction(sq.PolynomialRegression.fit(*predicted(-0.6, 0.6, 1), middle=4))
    assert check.summary.startswith("Satisfaction changes by -0.63")
    assert "that it weighs as in a gap p .6" in check.summary
    several = checks.gap_predicts_satisfaction(sq.PolynomialRegression.fit(*apart(1)))
    assert "tested in all dimensions at once, that expectation does not matter has p < .001" in several.summary


def test_a_gap_that_is_not_rejected_is_not_thereby_shown():
    model = sq.PolynomialRegression.fit(*predicted(-0.6, 0.6, 3, n=100), middle=4)
    both = model.coefficients[model.coefficients.model == "both"]
    assert model.departure_from_gap.b[0] == pytest.approx(both.b.sum())
    check = checks.gap_predicts_satisfaction(model)
    assert (model.recommended, check.case, check.outcome) == ("gap", "wide", "undecided")
    assert "is not rejected, but neither is it shown" in check.summary
    assert check.recommendation.endswith("as nothing shows that the gap would do.")
    assert checks.gap_predicts_satisfaction(model, tolerance=0.5).outcome == "yes"


def test_the_departure_from_a_gap_is_of_all_dimensions_at_once():
    e, p, y = apart(1)
    model = sq.PolynomialRegression.fit(e, p, y)
    change = y + 0.3 * (e.sum(axis=1) + p.sum(axis=1))  # four terms, each .3 more
    moved = sq.PolynomialRegression.fit(e, p, change)
    assert moved.departure_from_gap.b[0] - model.departure_from_gap.b[0] == pytest.approx(1.2)


def test_what_was_not_fitted_predicts_nothing():
    check = checks.gap_predicts_satisfaction(Unfitted(sq.PolynomialRegression, "satisfaction was not asked"))
    assert (check.outcome, check.summary) == ("not applicable", "Not judged: satisfaction was not asked.")
    assert check.claim.startswith("The gap is the right predictor of satisfaction")


@pytest.fixture(scope="module")
def honest():
    rng = np.random.default_rng(6)
    return answers(rng, 400, 22, 5), answers(rng, 400, 22, 5)


def sensitivity(expect, perceive):
    return sq.careless_sensitivity(survey(SIZES, expect=expect, perceive=perceive), replicates=100)


def test_gaps_stand_without_careless_answers(honest):
    check = checks.robust_to_careless_responding(sensitivity(*honest))
    assert check.id == "service_quality.robust_to_careless_responding"
    assert (check.outcome, check.recommendation) == ("passed", "")
    assert check.summary.startswith("Of 400 customers 0 gave one answer to all perceptions")
    assert "changes no conclusion" in check.claim


def test_gaps_that_careless_answers_made_are_named(honest):
    expect, perceive = honest
    lazy = perceive.copy()
    lazy[:80] = 1
    check = checks.robust_to_careless_responding(sensitivity(expect, lazy))
    named = " and ".join([*SIZES, "overall"])
    assert check.outcome == "failed"
    assert f"the conclusion on {named} changes" in check.summary
    assert check.recommendation == f"Report `gap_without` and its interval for {named}."


def test_a_conclusion_that_turns_on_few_is_undecided(honest):
    table = sensitivity(*honest)
    ends = {"gap": 0.1, "conclusion_changes": True}
    ends |= {"gap_without_simultaneous_ci_low": -0.01, "gap_without_simultaneous_ci_high": 0.11}
    held = table.assign(**{name: table[name].mask(table.dimension == "empathy", end) for name, end in ends.items()})
    check = checks.robust_to_careless_responding(held)
    assert (check.outcome, check.case) == ("undecided", "within")
    assert "the simultaneous interval of empathy comes to hold 0" in check.summary
    assert check.recommendation.endswith("and empathy as one that few customers decide.")
    beyond = held.assign(gap=held.gap.mask(held.dimension == "empathy", 0.12))
    assert checks.robust_to_careless_responding(beyond).outcome == "failed"


def test_gaps_that_cannot_be_had_without_the_careless_leave_it_open(honest):
    table = sensitivity(*honest)
    some = table.assign(gap_without=table.gap_without.where(table.dimension != "empathy"))
    check = checks.robust_to_careless_responding(some)
    assert (check.outcome, check.recommendation) == ("undecided", "Report the gaps as answered, but those of empathy.")
    assert "empathy cannot be estimated" in check.summary
    none = checks.robust_to_careless_responding(table.assign(gap_without=np.nan, reason="fewer than 2 pairs"))
    assert (none.outcome, none.summary) == (
        "not applicable", "Not judged: without them there are no gaps (fewer than 2 pairs).",
    )  # fmt: skip


@pytest.mark.parametrize(("tilt", "outcome"), [(-1.5, "yes"), (1.5, "no"), (0, "undecided")])
def test_who_cares_more_and_sees_a_larger_shortfall_is_found(tilt, outcome):
    rng = np.random.default_rng(2)
    care = rng.normal(size=(400, 2)) / 2
    expect, perceive = np.full((400, 4), 5.0), 4.5 + np.repeat(tilt * care, 2, axis=1) + rng.normal(size=(400, 4))
    points = 100 * np.exp(care) / np.exp(care).sum(axis=1, keepdims=True)
    held = survey({"a": 2, "b": 2}, expect=expect, perceive=perceive, points=points)
    check = checks.shortfall_larger_where_important(sq.weighted_gap_scores(held))
    assert check.id == "service_quality.shortfall_larger_where_important"
    assert check.outcome == outcome
    assert "weighted by importance points" in check.summary
    said = {"yes": "see a larger shortfall in it.", "no": "see a smaller shortfall in it.", "undecided": "it may be 0."}
    assert check.summary.endswith(said[outcome])
    assert bool(check.recommendation) == (outcome != "undecided")


@pytest.mark.parametrize(
    ("p4", "p5", "minimum_ratio", "outcome"),
    [(0.1, 0.6, 1.0, "yes"), (0.6, 0.1, 1.0, "no"), (0.3, 0.3, 1.0, "undecided"), (0.1, 0.6, 6.0, "undecided")],
)
def test_the_top_box_is_judged_by_its_whole_interval(p4, p5, minimum_ratio, outcome):
    levels = sq.loyal_share_by_level(*loyal_survey(p4, p5, 200, 3))
    check = checks.top_box_more_loyal(levels, minimum_ratio)
    assert check.id == "service_quality.top_box_more_loyal"
    assert check.outcome == outcome
    assert f"more than {minimum_ratio:g} times that of" in check.claim
    assert "of 200 customers are loyal, at 4" in check.summary
    assert check.recommendation.startswith("Manage the share" if outcome == "yes" else "Manage the mean")


def test_a_ratio_without_end_may_lie_above_and_levels_without_answers_cannot():
    check = checks.top_box_more_loyal(sq.loyal_share_by_level(*loyal_survey(0.0, 0.6, 200, 3)))
    assert check.outcome == "yes"
    assert "the ratio has no upper end" in check.summary
    alone = checks.top_box_more_loyal(sq.loyal_share_by_level(pd.Series([5.0]), pd.Series([1.0])))
    assert (alone.outcome, alone.summary) == (
        "not applicable", "Not judged: nobody answered one of the two highest levels.",
    )  # fmt: skip


def test_a_check_of_a_blank_frame_bears_its_reason(honest):
    held = survey(SIZES, expect=honest[0], perceive=honest[1])
    blank = sq.careless_sensitivity(replace(held, expect=held.expect.iloc[:, :0]), replicates=100)
    for check in (
        checks.robust_to_careless_responding(blank),
        checks.shortfall_larger_where_important(sq.weighted_gap_scores(held)),
        checks.top_box_more_loyal(sq.loyalty_by_satisfaction(held)),
    ):
        assert check.outcome == "not applicable"
        assert "not asked" in check.summary
