"""What Stata and SPSS keep on codes is heeded: labels are words, and what they declare missing is no answer."""

import tomllib

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from crmlab.contracts import InputError
from crmlab.service_quality import Instrument, draft_instrument, load_instrument, read_survey

PEOPLE = 40
LABELS = {1.0: "strongly disagree", 5.0: "strongly agree", 8.0: "Not applicable", 9.0: "Refused"}


def instrument(**fields):
    given = {
        "scale": {"low": 1, "high": 5},
        "dimensions": {"all": ["Q1", "Q2", "Q3"]},
        "items": {f"Q{i}": {"expect": f"E{i}", "perceive": f"P{i}"} for i in (1, 2, 3)},
        "design": {"respondent": "id", "segments": ["region"]},
    }
    return Instrument.model_validate(given | fields)


def table():
    rng = np.random.default_rng(2)
    columns = {f"{a}{i}": rng.integers(1, 6, PEOPLE).astype(float) for i in (1, 2, 3) for a in "EP"}
    people = {"id": [f"r{i}" for i in range(PEOPLE)], "region": [1.0, 2.0] * (PEOPLE // 2)}
    asked = {"complained": [1.0, 2.0, 2.0, 2.0] * (PEOPLE // 4)}
    return pd.DataFrame(people | columns | asked)


def spss(tmp_path, cells=table, **more):
    """A file of SPSS with 9 declared missing in all answers, 8 to 97 in P2, and 3 among regions."""
    given = cells()
    given.loc[:2, "P1"], given.loc[3, "P2"], given.loc[0, "region"] = [9.0, 9.0, 8.0], 8.0, 3.0
    batteries = [c for c in given if c[0] in "EP"]
    labels = dict.fromkeys(batteries, LABELS) | {
        "region": {1.0: "North", 2.0: "South", 3.0: "unknown"},
        "complained": {1.0: "Yes", 2.0: "No"},
    }
    missing = {c: [9.0] for c in batteries} | {"P2": [{"lo": 8.0, "hi": 97.0}], "region": [3.0]}
    pyreadstat.write_sav(given, str(tmp_path / "s.sav"), variable_value_labels=labels, missing_ranges=missing | more)
    return tmp_path / "s.sav"


def test_what_spss_declares_missing_is_missing_and_counted(tmp_path):
    survey = read_survey(spss(tmp_path), instrument(scale={"low": 1, "high": 5, "not_applicable": [8]}))
    assert survey.perceive.Q1.isna().tolist() == [True] * 3 + [False] * (PEOPLE - 3)
    assert survey.not_applicable.Q1.tolist() == [False, False, True] + [False] * (PEOPLE - 3)
    assert survey.not_applicable.Q2[3], "the instrument's word on a code goes before the file's"
    assert survey.findings["perceive"] == "116 answers; 2 missing; 2 not applicable"
    told = survey.findings["declared missing in the file"]
    assert told == "4 cells of 3 columns: '9' 2 times (Refused); '3' once (unknown); '8' once (Not applicable)"
    assert survey.people.region.fillna("").tolist()[:3] == ["", "South", "North"]


def test_a_code_on_the_scale_that_spss_declares_missing_is_no_answer(tmp_path):
    survey = read_survey(spss(tmp_path, E1=[5.0]), instrument(scale={"low": 1, "high": 5, "not_applicable": [8]}))
    assert survey.expect.Q1.isna().sum() == (table().E1 == 5).sum() > 0
    assert survey.expect.Q1.max() == 4


def test_a_label_that_the_instrument_knows_stands_for_the_code(tmp_path):
    scale = {"low": 1, "high": 5, "not_applicable": ["not applicable"]}
    asked = {"complained": {"column": "complained", "kind": "complaint", "low": 0, "high": 1}}
    asked["complained"]["labels"] = {"yes": 1, "no": 0}
    survey = read_survey(spss(tmp_path), instrument(scale=scale, outcomes=asked))
    assert survey.outcomes.complained.tolist() == [1, 0, 0, 0] * (PEOPLE // 4)
    assert survey.not_applicable.sum().sum() == 2
    with pytest.raises(InputError, match="P1 '8'"):
        read_survey(spss(tmp_path), instrument())


def test_the_extended_missing_values_of_stata_are_missing(tmp_path):
    given = table().drop(columns="complained").astype({"P1": object})
    given.loc[:2, "P1"] = ["a", "b", "a"]
    path = tmp_path / "s.dta"
    pyreadstat.write_dta(
        given,
        str(path),
        missing_user_values={"P1": ["a", "b"]},
        variable_value_labels={"P1": {1: "never", "a": "Refused", "b": "Not applicable"}},
    )
    survey = read_survey(path, instrument(scale={"low": 1, "high": 5, "not_applicable": ["not applicable"]}))
    assert survey.perceive.Q1.isna().tolist() == [True] * 3 + [False] * (PEOPLE - 3)
    assert survey.not_applicable.Q1.tolist()[:3] == [False, True, False]
    assert survey.findings["declared missing in the file"].startswith(
        "3 cells of 1 columns: '.a' 2 times (Refused); '.b'"
    )
    by_letter = read_survey(path, instrument(scale={"low": 1, "high": 5, "not_applicable": [".a"]}))
    assert by_letter.not_applicable.Q1.tolist()[:3] == [True, False, True]


def test_a_long_file_heeds_what_is_declared_of_its_answers(tmp_path):
    long = table().melt(id_vars=["id", "region"], value_vars=[f"{a}{i}" for a in "EP" for i in (1, 2, 3)])
    long.loc[:1, "value"] = 9.0
    pyreadstat.write_sav(long, str(tmp_path / "s.sav"), missing_ranges={"value": [9.0]})
    design = {"respondent": "id", "long": {"item": "variable", "answer": "value"}}
    assert read_survey(tmp_path / "s.sav", instrument(design=design)).expect.Q1.isna().sum() == 2


def test_labels_tell_a_scaffold_the_ends_that_were_printed_and_what_is_no_answer(tmp_path):
    def few():
        return table().assign(**{f"{a}{i}": [2.0, 4.0] * (PEOPLE // 2) for i in (1, 2, 3) for a in "EP"})

    path = spss(tmp_path, few)
    text, _decisions = draft_instrument(path)
    found = Instrument.model_validate(tomllib.loads(text))
    assert ((found.scale.low, found.scale.high), found.scale.missing, found.scale.not_applicable) == ((1, 5), {9}, {8})
    assert found.outcomes["complaint"].labels == {"Yes": 1, "No": 0}
    (tmp_path / "s.toml").write_text(text.replace("decide:", ""), "utf-8")
    survey = read_survey(path, load_instrument(tmp_path / "s.toml"))
    assert survey.outcomes.complaint.mean() == 0.25
