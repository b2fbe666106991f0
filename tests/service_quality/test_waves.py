"""Waves stand in their order, and audiences that were not asked in one stand with the nearest in which they were."""

import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.service_quality import validate_survey
from crmlab.service_quality.tables.waves import ordered_waves

from .test_survey import answers, instrument


@pytest.mark.parametrize(
    ("seen", "order", "by"),
    [
        (["W10", "W9", "W10"], ["W9", "W10"], "their numbers"),
        ([10, 9], [9, 10], "their numbers"),
        (["Q4 2023", "Q1 2024", "Q2 2023"], ["Q2 2023", "Q4 2023", "Q1 2024"], "their numbers"),
        (["2024-02", "2023-11"], ["2023-11", "2024-02"], "their numbers"),
        (["before", "after"], ["before", "after"], "first appearance"),
        (["spring 2024", "autumn 2023"], ["spring 2024", "autumn 2023"], "first appearance"),
        (["01.03.2024", "15.02.2024"], ["01.03.2024", "15.02.2024"], "first appearance"),
        (["W1", "W01"], ["W1", "W01"], "first appearance"),
    ],
)
def test_waves_stand_in_their_natural_order(seen, order, by):
    assert ordered_waves(seen) == (order, by)


def of_waves(**audiences):
    """A survey of audiences, each answering in some waves, the rows of the last wave first."""
    parts = [
        answers(4).assign(id=[f"{who}{i}" for i in range(4)], who=who, round=wave)
        for who, waves in audiences.items()
        for wave in waves[::-1]
    ]
    design = {"respondent": "id", "wave": "round", "audience": "who"}
    return validate_survey(pd.concat(parts, ignore_index=True), instrument(design=design))


def test_the_last_wave_is_w10_and_not_w9():
    survey = of_waves(customer=["W9", "W10"])
    assert survey.waves == ["W9", "W10"]
    assert survey.findings["waves"] == "W9, W10, in order of their numbers"
    assert survey.findings["respondents: customer"] == "4 (wave W9: 4, wave W10: 4)"
    with pytest.raises(InputError, match="wave 'W11': there are W9, W10; choose one of them"):
        survey.as_of("W11")


def test_waves_told_as_1_and_01_and_1_0_are_one():
    survey = of_waves(customer=["1.0", "02"])
    assert survey.waves == [1, 2]
    with pytest.raises(InputError, match="a respondent stands in a wave again in 4 of 8 rows"):
        of_waves(customer=["1", "01"])


def test_managers_asked_before_stand_with_their_latest_word_and_it_is_said():
    survey = of_waves(customer=["W8", "W9", "W10"], manager=["W2", "W8", "W9"], staff=["W10"])
    now = survey.as_of()
    assert {who: now.select(who).people.wave.unique().tolist() for who in ("customer", "manager", "staff")} == {
        "customer": ["W10"],
        "manager": ["W9"],
        "staff": ["W10"],
    }
    told = "W9, the latest before W10 in which they answered, as in W10 they did not"
    assert now.findings["wave of managers"] == told
    assert now.warnings == (*survey.warnings, f"wave of managers: {told}")
    assert survey.as_of("W9").warnings[-1].startswith("wave of staff: W10, the first after W9 in which they answered")
    assert survey.as_of("W8").select("manager").people.wave.unique().tolist() == ["W8"]


def test_an_audience_that_was_never_asked_is_not_spoken_of():
    survey = of_waves(customer=["W1", "W2"])
    now = survey.as_of("W1")
    assert len(now.people) == 4
    assert now.warnings == survey.warnings
    assert "wave of managers" not in now.summary
