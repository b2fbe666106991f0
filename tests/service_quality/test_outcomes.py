"""Answers to the questions beside the batteries keep to ranges and codes of their own."""

import re

import numpy as np
import pytest
from pydantic import ValidationError

from crmlab.service_quality import item_analysis, loyalty_by_satisfaction, scale_reliability, validate_survey

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


def combined(**fields):
    return {"sat": {"columns": ["S1", "S2", "S3"], "kind": "satisfaction", "low": 1, "high": 5} | fields}


def several():
    """Answers of 5, 4, 3, of 5 and 4, of 5 alone, of nothing, and of 2, 2, 2 from 36 others."""
    table = answers(S1=2, S2=2, S3=2)
    table = put(table, (1, "S1", 5), (1, "S2", 4), (1, "S3", 3), (2, "S1", 5), (2, "S2", 4), (2, "S3", ""))
    return put(table, (3, "S1", 5), (3, "S2", 99), (3, "S3", ""), (4, "S1", ""), (4, "S2", ""), (4, "S3", ""))


@pytest.mark.parametrize(
    ("fields", "found", "noted"),
    [
        (
            {},
            [4, np.nan, np.nan, np.nan, 2],
            "mean of S1, S2, S3, where all 3 are answered: 37 rows; 2 with fewer answers are missing",
        ),
        (
            {"answered": 2},
            [4, 4.5, np.nan, np.nan, 2],
            "mean of S1, S2, S3, where 2 or more of 3 are answered: 38 rows; 1 with fewer answers are missing",
        ),
        (
            {"answered": 1, "combine": "max"},
            [5, 5, 5, np.nan, 2],
            "max of S1, S2, S3, where 1 or more of 3 are answered: 39 rows; 0 with fewer answers are missing",
        ),
    ],
)
def test_an_outcome_is_combined_from_several_columns(fields, found, noted):
    survey = validate_survey(several(), instrument(outcomes=combined(**fields)))
    assert survey.outcomes.sat.tolist()[:5] == pytest.approx(found, nan_ok=True)
    assert survey.findings["outcomes.sat"] == noted
    assert survey.findings["outcomes"] == "114 answers; 3 missing", "of the 39 who answered any"
    assert survey.outcome_answers.iloc[0].to_dict() == {"S1": 5, "S2": 4, "S3": 3}


def test_columns_of_an_outcome_keep_to_its_scale_and_must_be_there():
    (said,) = refused(put(several(), (5, "S2", 6)), instrument(outcomes=combined()))
    assert said.startswith("outcomes.sat: 1 of 120 answers are off the scale 1 to 5 and no declared code in 1 of 3")
    (said,) = refused(several().drop(columns="S2"), instrument(outcomes=combined()))
    assert said.startswith("1 of the instrument's columns are not there ('S2' (outcomes.sat.1)); there are")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"column": "S4"}, "names both column and columns; keep one"),
        ({"columns": []}, "names no column; add column, or columns where it is of several"),
        ({"columns": ["S1"]}, "columns names one alone; write column"),
        ({"columns": ["S1", "S1"]}, "columns names 'S1' more than once; keep one"),
        ({"answered": 4}, "answered = 4 is more than its 3 columns; write that or less"),
        ({"columns": [], "column": "S1", "answered": 1}, "answered is for several columns, and there is one; drop it"),
    ],
)
def test_what_makes_no_sense_of_several_columns_is_refused(fields, said):
    with pytest.raises(ValidationError, match=re.escape(said)):
        instrument(outcomes=combined(**fields))


def test_the_alpha_of_a_combined_outcome_is_that_of_its_columns_by_hand():
    table = answers(S1=1, S2=1, S3=1)
    for row in range(1, 21):  # half answer 1, 1, 1, half 5, 5, 3: variances v, v, v / 4, covariances v, v / 2, v / 2
        table = put(table, (row, "S1", 5), (row, "S2", 5), (row, "S3", 3))
    survey = validate_survey(table, instrument(outcomes=combined()))
    found = scale_reliability(survey)
    (row,) = found[found.battery == "outcomes.sat"].to_dict("records")
    assert (row["dimension"], row["items"], row["n"]) == ("sat", 3, 40)
    assert row["alpha"] == pytest.approx(3 / 2 * (1 - 2.25 / 6.25))
    assert item_analysis(survey).query("battery == 'outcomes.sat'").item.tolist() == ["S1", "S2", "S3"]
    highest = instrument(outcomes=combined(combine="max"))
    assert "outcomes.sat" not in set(scale_reliability(validate_survey(table, highest)).battery)


def test_a_mean_of_several_columns_counts_at_the_nearest_level_of_satisfaction():
    table = put(
        answers(S1=4, S2=4, S3=4, back=5), (1, "S1", 5), (1, "S2", 5), (2, "S1", 3), (2, "S2", 3), (3, "back", 1)
    )
    loyal = {"back": {"column": "back", "kind": "loyalty", "low": 1, "high": 5}}
    survey = validate_survey(table, instrument(outcomes=combined() | loyal))
    found = loyalty_by_satisfaction(survey).set_index("satisfaction")
    assert found.n.to_dict() == {1: 0, 2: 0, 3: 1, 4: 38, 5: 1}
    assert found.loyal.to_dict() == {1: 0, 2: 0, 3: 1, 4: 37, 5: 1}


def test_a_column_of_a_combined_outcome_has_no_other_use():
    with pytest.raises(
        ValidationError, match=r"column 'P1' is used 2 times \(items.Q1.perceive, outcomes.sat\); keep one"
    ):
        instrument(outcomes=combined(columns=["S1", "P1"]))


def test_columns_of_an_outcome_stand_beside_the_answers_of_a_long_survey():
    wide = put(several(), (3, "S2", ""))
    long = wide.melt(id_vars=["id", "S1", "S2", "S3"], value_vars=[c for c in wide if c[0] in "EP"])
    design = {"respondent": "id", "long": {"item": "variable", "answer": "value"}}
    survey = validate_survey(long, instrument(outcomes=combined(answered=2), design=design))
    assert survey.outcomes.sat.tolist()[:5] == pytest.approx([4, 4.5, np.nan, np.nan, 2], nan_ok=True)
