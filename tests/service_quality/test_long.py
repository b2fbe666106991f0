"""Surveys of one answer a row say the same as wide ones."""

import pandas as pd
import pytest

from crmlab.service_quality import validate_survey

from .test_outcomes import outcomes
from .test_survey import PEOPLE, answers, instrument, refused


def longer(table, kind):
    """The table of one answer a row."""
    parts = []
    for column in (c for c in table if c[0] in "EP" and c[1:].isdigit()):
        named = {"question": column[1:] if kind else column, "answer": table[column]}
        named |= {"asked": {"E": "Soll", "P": "Ist"}[column[0]]} if kind else {}
        parts.append(pd.DataFrame({"id": table.id} | named))
    return pd.concat(parts, ignore_index=True).sample(frac=1, random_state=1).reset_index(drop=True)


def long_instrument(kind):
    long = {"item": "question", "answer": "answer"}
    if not kind:
        return instrument(design={"respondent": "id", "long": long})
    items = {f"Q{i}": {"expect": str(i), "perceive": str(i)} for i in range(1, 7)}
    long |= {"kind": "asked", "kinds": {"expect": "Soll", "perceive": "ist"}}
    return instrument(items=items, design={"respondent": "id", "long": long})


@pytest.mark.parametrize("kind", [True, False])
def test_a_long_survey_says_the_same_as_a_wide_one(kind):
    wide, long = (
        validate_survey(answers(), instrument()),
        validate_survey(longer(answers(), kind), long_instrument(kind)),
    )
    order = long.people.sort_values("respondent").index
    for frame in ("expect", "perceive"):
        pd.testing.assert_frame_equal(getattr(long, frame).loc[order].reset_index(drop=True), getattr(wide, frame))
    assert long.findings["answers"] == "480, one a row"


def test_outcomes_and_points_of_a_long_survey_may_stand_beside_its_answers():
    table = longer(answers(), False)
    table = table.assign(sat=4, W1=70, W2=30).astype({"sat": object})
    table.loc[table.index[table.id == "003"][1:], "sat"] = ""  # said in the first row alone
    described = {"respondent": "id", "long": {"item": "question", "answer": "answer"}}
    described = instrument(
        design=described, outcomes={"sat": outcomes()["sat"]}, points={"speed": "W1", "people": "W2"}
    )
    survey = validate_survey(table, described)
    assert survey.outcomes.sat.tolist() == [4] * PEOPLE
    assert survey.points.speed.eq(70).all()
    table.loc[table.index[table.id == "004"][0], "sat"] = 2
    (told,) = refused(table, described)
    assert "'sat' is not the same for all answers of a respondent in 11 of 480 rows" in told


def test_an_item_called_as_a_column_about_people_is_told():
    table = longer(answers(), False)
    table.loc[table.question == "E1", "question"] = "id"
    design = {"respondent": "id", "long": {"item": "question", "answer": "answer"}}
    items = instrument().model_dump()["items"] | {"Q1": {"expect": None, "perceive": "P1"}}
    assert len(validate_survey(table, instrument(design=design, items=items)).people) == PEOPLE, (
        "nobody asks for that item"
    )
    asked = {"other": {"column": "region", "low": 1, "high": 7}}
    table.loc[table.question == "id", "question"] = "region"
    (told,) = refused(table.assign(region="N"), instrument(design=design | {"segments": ["region"]}, items=items,
                                                          outcomes=asked))  # fmt: skip
    assert told == "'region' are both items and columns about respondents; rename either"


def test_faults_of_a_long_survey_are_told_by_respondent():
    table = longer(answers(), True)
    twice = pd.concat([table, table[:3]], ignore_index=True)
    (told,) = refused(twice, long_instrument(True))
    assert told.startswith(
        "an item is answered twice by a respondent in 3 of 483 rows (first: row 481; row 482; row 483)"
    )
    row = table.index[(table.question == "2") & (table.asked == "Ist") & (table.id == "007")][0]
    (told,) = refused(
        table.assign(answer=table.answer.astype(object).where(table.index != row, 77)), long_instrument(True)
    )
    assert "'77' once (first: respondent 007 2 (perceive) '77')" in told
    (told,) = refused(table[(table.question != "2") | (table.asked != "Ist")], long_instrument(True))
    assert "1 of the instrument's columns are not there ('2 (perceive)' (items.Q2.perceive))" in told
    (told,) = refused(table.drop(columns="answer"), long_instrument(True))
    assert "'answer' (design.long.answer)" in told


def test_what_is_told_of_a_person_must_be_the_same_in_all_their_rows():
    design = {"respondent": "id", "weight": "w", "long": {"item": "question", "answer": "answer"}}
    table = longer(answers(), False).assign(w=1.0)
    assert validate_survey(table, instrument(design=design)).people.weight.eq(1).all()
    table.loc[5, "w"] = 3.0
    (told,) = refused(table, instrument(design=design))
    assert "'w' is not the same for all answers of a respondent in " in told
