"""Rows that an instrument leaves out of a survey, by a condition on their cells."""

import pandas as pd
import pyreadstat
import pytest

from crmlab.service_quality import read_survey, validate_survey

from .test_survey import answers, instrument, put, refused


def without(condition, table, **fields):
    """The respondents that are left, and what is said of the others."""
    survey = validate_survey(table, instrument(rows={"leave_out": condition}, **fields), "s.csv")
    return survey.people.respondent.tolist(), survey.findings["rows left out"]


def asked():
    """40 respondents of 30 years who consent, but for five."""
    table = answers(consent="yes", age="30", day="2024-03-01")
    table = put(table, (1, "consent", " No"), (2, "age", "17"), (3, "age", "9"), (4, "consent", ""))
    return put(table, (5, "age", "unknown"), (5, "day", "2024-02-29"))


EVERYONE = [f"{i:03d}" for i in range(1, 41)]


@pytest.mark.parametrize(
    ("condition", "out", "noted"),
    [
        (
            "consent = 'no'",
            [1],
            "1 of 40, where consent = 'no'; 1 kept where it is neither true nor false, as a cell is empty",
        ),
        ("consent = 'NO' OR consent IS NULL", [1, 4], "2 of 40, where consent = 'NO' OR consent IS NULL"),
        (
            "age < 18",
            [2, 3],
            "2 of 40, where age < 18; 1 kept where it is neither true nor false, as a cell is empty or cannot be read "
            "as what it is compared with (1 of 'age')",
        ),
        ("age BETWEEN 10 AND 20 AND id <> '003'", [2], None),
        ("id IN ('001', '040')", [1, 40], "2 of 40, where id IN ('001', '040')"),
        ("day < '2024-03-01'", [5], "1 of 40, where day < '2024-03-01'"),
        ("consent LIKE 'N%'", [1], None),
        ("consent = 'never'", [], None),
    ],
)
def test_rows_are_left_out_by_a_condition_and_counted(condition, out, noted):
    left, said = without(condition, asked())
    assert left == [who for who in EVERYONE if int(who) not in out]
    assert said.startswith(f"{len(out)} of 40, where {condition}")
    assert noted is None or said == noted


def test_rows_that_are_left_out_need_not_be_right_and_others_keep_their_places():
    table = put(asked(), (1, "P1", "broken"), (40, "P1", "broken"))
    (said,) = refused(table, instrument(rows={"leave_out": "consent = 'no'"}))
    assert said.startswith("perceive: 1 of 234 answers are in words that no label explains")
    assert "(first: row 40 P1 'broken')" in said


def test_a_decimal_comma_and_columns_with_blanks_are_read():
    table = asked().assign(**{"mean age": "17,5"})
    table = put(table, (1, "mean age", "18,5"))
    left, _said = without('"mean age" > 18', table, file={"decimal": ","})
    assert left == EVERYONE[1:]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (
            "consnt = 'no'",
            "1 of the instrument's columns are not there ('consnt' (rows.leave_out, column 1); did you mean ",
        ),
        ("upper(consent) = 'NO'", "[rows] leave_out = \"upper(consent) = 'NO'\": "),
        ("consent = ", "[rows] leave_out = 'consent = ': it cannot be read"),
        ("age", "[rows] leave_out = 'age': it is no condition; write "),
        (
            "age > 0 OR age IS NULL OR age = 'unknown'",
            "[rows] leave_out = \"age > 0 OR age IS NULL OR age = 'unknown'\" is true of all 40 rows",
        ),
    ],
)
def test_a_condition_that_cannot_be_judged_is_refused(condition, said):
    (found,) = refused(asked(), instrument(rows={"leave_out": condition}))
    assert found.startswith(said)


def test_a_code_is_compared_by_its_number_or_its_label_and_one_declared_missing_is_empty(tmp_path):
    table = answers().drop(columns="id").astype(float).assign(consent=[2.0, 9.0, *[1.0] * 38])
    labels = {"consent": {1.0: "Yes", 2.0: "No", 9.0: "Refused"}}
    path = tmp_path / "s.sav"
    pyreadstat.write_sav(table, str(path), variable_value_labels=labels, missing_ranges={"consent": [9.0]})
    for condition, left in {"consent = 'no'": 39, "consent = 2": 39, "consent = 2 OR consent IS NULL": 38}.items():
        survey = read_survey(path, instrument(rows={"leave_out": condition}, design={}))
        assert len(survey.people) == left


def test_answers_of_a_long_survey_are_left_out_one_by_one():
    wide = asked()
    long = wide.melt(id_vars=["id", "consent"], value_vars=[c for c in wide if c[0] in "EP"])
    design = {"respondent": "id", "long": {"item": "variable", "answer": "value"}}
    survey = validate_survey(
        long, instrument(rows={"leave_out": "consent = 'no' OR (id = '002' AND variable = 'P1')"}, design=design)
    )
    assert survey.findings["rows left out"].startswith("13 of 480, where ")
    assert len(survey.people) == 39
    assert survey.perceive.Q1.isna().sum() == 1


def test_nothing_is_said_where_no_row_is_to_be_left_out():
    assert "rows left out" not in validate_survey(pd.DataFrame(asked()), instrument()).findings
