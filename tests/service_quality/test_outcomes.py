"""Answers to the questions beside the batteries keep to ranges and codes of their own."""

import numpy as np
import pytest

from crmlab.service_quality import validate_survey

from .test_survey import answers, instrument, put, refused


def outcomes():
    return {
        "sat": {"column": "sat", "kind": "satisfaction", "low": 1, "high": 5},
        "told": {"column": "told", "kind": "word_of_mouth", "low": 0},
        "resolved": {"column": "res", "kind": "resolved", "low": 0, "high": 1, "labels": {"ja": 1, "nein": 0}},
    }


def test_outcomes_keep_to_scales_of_their_own():
    table = put(
        answers(sat=5, told=12, res="nein"), (1, "sat", 99), (2, "res", "Ja"), (3, "res", ""), (4, "told", "k. A.")
    )
    survey = validate_survey(table, instrument(outcomes=outcomes()))
    assert survey.outcomes.sat.isna().sum() == 1
    assert survey.outcomes.told.tolist()[:5] == pytest.approx([12, 12, 12, np.nan, 12], nan_ok=True)
    assert survey.outcomes.resolved.tolist()[:4] == pytest.approx([0, 1, np.nan, 0], nan_ok=True)
    told = refused(
        put(table, (5, "sat", 6), (6, "told", -1), (7, "res", "vielleicht")), instrument(outcomes=outcomes())
    )
    assert [t.split(":")[0] for t in told] == ["outcomes.sat", "outcomes.told", "outcomes.resolved"]
    assert "off the scale 0 or more" in told[1]


def test_common_codes_are_missing_in_counts_too_unless_told_otherwise():
    table = put(answers(told=3), (1, "told", 99), (2, "told", 9), (3, "told", "k. a."))
    described = {"column": "told", "kind": "word_of_mouth", "low": 0}
    survey = validate_survey(table, instrument(outcomes={"told": described}))
    assert survey.outcomes.told.tolist()[:4] == pytest.approx([np.nan, 9, np.nan, 3], nan_ok=True)
    assert survey.findings["outcomes.told: codes"] == (
        "'99' once, missing as on the scale; missing = [] under outcomes.told makes them counts"
    )
    survey = validate_survey(table.drop(index=2), instrument(outcomes={"told": described | {"missing": []}}))
    assert survey.outcomes.told.tolist()[:2] == [99, 9]
    assert "outcomes.told: codes" not in survey.summary


def test_codes_off_the_scale_of_an_outcome_are_told_with_counts():
    table = put(answers(sat=4), (1, "sat", 88), (2, "sat", 88), (3, "sat", 0))
    (told,) = refused(table, instrument(outcomes={"sat": outcomes()["sat"]}))
    assert told.startswith(
        "outcomes.sat: 3 of 40 answers are off the scale 1 to 5 and no declared code: '88' 2 times, '0' once"
    )
