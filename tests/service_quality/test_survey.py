"""What the door of surveys refuses, counts and leaves alone."""

import re

import numpy as np
import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.service_quality import Instrument, validate_survey

PEOPLE = 40
DIMENSIONS = {"speed": ["Q1", "Q2", "Q3"], "people": ["Q4", "Q5", "Q6"]}


def instrument(**fields):
    given = {
        "scale": {"low": 1, "high": 7, "missing": [99, "k. A."], "not_applicable": [9]},
        "dimensions": DIMENSIONS,
        "items": {f"Q{i}": {"expect": f"E{i}", "perceive": f"P{i}"} for i in range(1, 7)},
        "design": {"respondent": "id"},
    }
    return Instrument.model_validate(given | fields)


def answers(people=PEOPLE, **columns):
    """A table of respondents whose perceptions agree within each dimension and fall short of expectations."""
    rng = np.random.default_rng(1)
    mood = rng.integers(2, 5, people)
    table = pd.DataFrame({"id": [f"{i:03d}" for i in range(1, people + 1)]}, dtype=object)
    for i in range(1, 7):
        table[f"E{i}"] = (mood + 1 + rng.integers(0, 2, people)).astype(object)
        table[f"P{i}"] = (mood - 1 + rng.integers(0, 2, people)).astype(object)
    return table.assign(**columns)


def put(table, *cells):
    """The table with other cells: (row from 1, column, cell)."""
    table = table.astype(object)
    for row, column, cell in cells:
        table.loc[row - 1, column] = cell
    return table


def refused(table, described=None):
    """Everything told against a table; each says what to do, and none is a traceback."""
    with pytest.raises(InputError) as caught:
        validate_survey(table, described or instrument(), "s.csv")
    told = caught.value.breaches
    assert all(breach.startswith("s.csv: ") and re.search(r"; \w", breach) for breach in told)
    assert not re.search(r"np\.|nan|None|Timestamp", str(told))
    return [breach.removeprefix("s.csv: ") for breach in told]


def test_answers_are_numbers_and_codes_are_none():
    survey = validate_survey(
        put(answers(), (1, "P1", "99"), (2, "P1", 9), (3, "P1", " "), (4, "P1", "k. a.")), instrument()
    )
    assert survey.perceive.Q1.isna().tolist() == [True, True, True, True] + [False] * 36
    assert survey.not_applicable.Q1.tolist() == [False, True] + [False] * 38
    assert survey.perceive.dtypes.eq(float).all()
    assert survey.findings["perceive"] == "236 answers; 3 missing; 1 not applicable"
    assert survey.adequate.shape == survey.points.shape == (PEOPLE, 0)
    assert survey.warnings == ()


def test_words_are_mapped_whatever_their_case_and_width():
    scale = {"low": 1, "high": 7, "labels": {"Strongly agree": 7, "非常满意": 7, "refused": 99}, "missing": [99]}
    cells = [
        (1, "P1", " strongly  AGREE"),
        (2, "P1", "非常满意"),
        (3, "P1", "６"),
        (4, "P1", "Refused"),
        (5, "P1", "7.0"),
    ]
    survey = validate_survey(put(answers(), *cells), instrument(scale=scale))
    assert survey.perceive.Q1[:5].fillna(-1).tolist() == [7, 7, 6, -1, 7]
    assert survey.findings["perceive"] == "239 answers; 1 missing; 3 in words"


def test_the_argument_is_untouched_and_the_order_of_rows_changes_nothing():
    table = answers()
    before, back = table.copy(), table[::-1].reset_index(drop=True)
    survey, turned = validate_survey(table, instrument()), validate_survey(back, instrument())
    pd.testing.assert_frame_equal(table, before)
    order = turned.people.sort_values("respondent").index
    pd.testing.assert_frame_equal(turned.expect.loc[order].reset_index(drop=True), survey.expect)


def test_every_faulty_answer_is_told_with_counts_and_never_clipped():
    cells = [(row, "E1", 8) for row in range(1, 8)] + [
        (3, "E2", 0),
        (4, "E2", "3.5"),
        (5, "P1", "often"),
        (6, "P2", "now"),
    ]
    off, part, word = refused(put(answers(), *cells))
    assert off == (
        "expect: 8 of 240 answers are off the scale 1 to 7 and no declared code in 2 of 6 columns: '8' 7 times, "
        "'0' once (first: row 1 E1 '8'; row 2 E1 '8'; row 3 E1 '8'; row 3 E2 '0'; row 4 E1 '8'); "
        "correct them, or declare the codes as missing or not_applicable; none is clipped"
    )
    assert part.startswith(
        "expect: 1 of 240 answers are not a whole number in 1 of 6 columns: '3.5' once (first: row 4"
    )
    assert "are in words that no label explains in 2 of 6 columns: 'often' once, 'now' once (first: row 5 P1" in word


def test_columns_people_points_and_answers_are_told_together():
    described = instrument(
        design={"respondent": "id", "weight": "w", "wave": "round", "audience": "who", "segments": ["region"]},
        points={"speed": "W1", "people": "W2"},
    )
    table = answers(w=1.0, round="1", who="customer", W1=60, W2=40).drop(columns="P6")
    cells = [(1, "id", " "), (3, "id", "002"), (4, "round", ""), (5, "who", "boss"), (6, "w", "-2"), (7, "w", "x")]
    cells += [(8, "w", ""), (9, "W1", 80), (10, "W1", -60), (11, "W1", "much"), (12, "E1", "8")]
    told = refused(put(table, *cells), described)
    heads = [
        "2 of the instrument's columns are not there ('P6' (items.Q6.perceive); 'region' (design.segments.0)); there",
        "'id' (respondent) is empty in 1 of 40 rows (first: row 1); fill or drop them",
        "'round' (wave) is empty in 1 of 40 rows (first: row 4); fill or drop them",
        "'who' (audience) is none of customer, manager, staff in 1 of 40 rows (first: row 5): 'boss' once; say",
        "a respondent stands in a wave again in 1 of 40 rows (first: row 3): '002'; keep one row of each",
        "'w' (weight) is not a number in 1 of 40 rows (first: row 7)",
        "'w' (weight) is empty in 1 of 40 rows (first: row 8)",
        "'w' (weight) is negative or without end in 1 of 40 rows (first: row 6)",
        "importance points are not numbers in 1 of 40 rows (first: row 11)",
        "importance points are negative in 1 of 40 rows (first: row 10)",
        "importance points do not sum to 100, give or take 1, but to 120, -20, 40, in 3 of 40 rows (first: row 9;",
        "expect: 1 of 240 answers are off the scale",
    ]
    assert len(told) == len(heads)
    assert all(map(str.startswith, told, heads)), told


def test_weights_that_are_all_zero_are_refused():
    described = instrument(design={"respondent": "id", "weight": "w"})
    (told,) = refused(answers(w=0), described)
    assert told.startswith("'w' (weight) is zero in all rows of customers")
    survey = validate_survey(answers(w=[0] * 39 + [2.5]), described)
    assert survey.findings["weights"] == "0 to 2.5, 39 of them zero"


def test_weights_that_managers_were_not_given_count_as_one():
    described = instrument(design={"respondent": "id", "weight": "w", "audience": "who"})
    who = ["customer"] * 38 + ["manager"] * 2
    survey = validate_survey(answers(w=[2.0] * 38 + ["", None], who=who), described)
    assert survey.select("manager").people.weight.tolist() == [1, 1]
    assert survey.findings["weights left empty"] == "2 rows of managers and staff, counted as 1"


def test_a_respondent_may_answer_once_a_wave_and_ids_keep_their_zeros():
    table = pd.concat([answers(round=wave) for wave in (1, 2)], ignore_index=True)
    (told,) = refused(table)
    assert told.startswith("a respondent stands in a wave again in 40 of 80 rows (first: row 41; ")
    survey = validate_survey(table, instrument(design={"respondent": "id", "wave": "round"}))
    assert survey.findings["respondents: customer"] == "40 (wave 1: 40, wave 2: 40)"
    second = survey.select(wave="2")
    assert second.people.wave.unique().tolist() == [2]
    assert second.people.index.tolist() == list(range(PEOPLE))
    assert second.people.respondent[0] == "001"
    assert survey.waves == [1, 2]
    assert second.expect.shape == (PEOPLE, 6)


def test_audiences_are_told_apart_by_the_values_the_file_names():
    who = ["Kunde"] * 30 + ["Filialleiter"] * 4 + ["Staff"] * 6
    described = {"respondent": "id", "audience": "who", "audiences": {"kunde": "customer", "Filialleiter": "manager"}}
    survey = validate_survey(answers(who=who), instrument(design=described))
    assert [len(survey.select(audience).people) for audience in ("customer", "manager", "staff")] == [30, 4, 6]
    assert len(survey.select(None, wave=1).people) == PEOPLE


def test_points_within_one_of_100_are_rescaled_and_empty_ones_beside_others_are_none():
    described = instrument(points={"speed": "W1", "people": "W2"})
    table = put(answers(W1=60, W2=40), (1, "W1", 61), (2, "W1", 100), (2, "W2", ""), (3, "W1", ""), (3, "W2", None))
    survey = validate_survey(table, described)
    assert survey.points.iloc[0].tolist() == pytest.approx([6100 / 101, 4000 / 101])
    assert survey.points.iloc[1].tolist() == [100, 0]
    assert survey.points.iloc[2].isna().all()
    told = "39 respondents; 1 rescaled to sum to 100; 1 left a dimension empty, counted as none"
    assert survey.findings["importance points"] == told


def test_reversed_items_are_turned_round_but_for_importance_and_extents():
    item = {"expect": "E1", "perceive": "P1", "importance": "I1", "standard": "S1", "promise": "R1", "reversed": True}
    items = instrument().model_dump()["items"] | {"Q1": item}
    scales = {"standard": {"low": 1, "high": 5, "extent": True}}
    table = answers(I1=2, S1=2, R1=2)
    plain, survey = validate_survey(table, instrument()), validate_survey(table, instrument(items=items, scales=scales))
    assert (survey.expect.Q1 == 8 - plain.expect.Q1).all()
    assert (survey.perceive.Q1 == 8 - plain.perceive.Q1).all()
    assert (survey.promise.Q1 == 6).all()
    assert (survey.importance.Q1 == 2).all()
    assert (survey.standard.Q1 == 2).all()
    assert survey.findings["items turned round"] == "Q1 (expect, perceive, promise)"


def test_an_item_that_runs_against_its_dimension_is_told_and_not_turned():
    table = answers()
    table["P2"] = 8 - table.P2
    survey = validate_survey(table, instrument())
    assert (table.P2.astype(float) == survey.perceive.Q2).all()
    (told,) = [w for w in survey.warnings if "Q2" in w]
    assert re.match(r"reversed\? perceive Q2 correlates -0\.\d\d with the rest of 'speed'; if its wording", told)


def test_expectations_below_perceptions_on_most_items_are_told_as_swapped():
    names = {f"{a}{i}": f"{b}{i}" for i in range(1, 7) for a, b in ("EP", "PE")}
    swapped = answers().rename(columns=names)
    (told,) = validate_survey(swapped, instrument()).warnings
    assert told.startswith("swapped? 6 of 6 items are perceived above expectation; see that")
    four = swapped.assign(E1=7, E2=7, P1=1, P2=2)
    assert not any("swapped" in w for w in validate_survey(four, instrument()).warnings), (
        "4 of 6 are not more than 80 %"
    )


def test_a_column_of_one_answer_is_told():
    (told,) = validate_survey(answers(E1=7), instrument()).warnings
    assert told == "zero variance: 1 of 6 columns of expect hold one answer: Q1 (7)"


def test_pairs_are_counted_and_an_item_of_too_few_is_dropped():
    cells = [(row, "P1", "") for row in range(1, 21)] + [(row, "P2", "") for row in range(1, 22)] + [(40, "E3", 99)]
    survey = validate_survey(put(answers(), *cells), instrument())
    assert survey.findings["pairs"] == (
        "198 expectations with a perception; left out of gaps: 41 without one, 1 perceptions without an expectation"
    )
    assert survey.dropped == {"Q2": "48% of its expectations and perceptions pair, fewer than 50%"}
    assert list(survey.instrument.items) == list(survey.perceive) == ["Q1", "Q3", "Q4", "Q5", "Q6"]
    assert survey.warnings[0].startswith("item Q2 is dropped: 48%")
    assert survey.warnings[1].startswith("dimension 'speed' has 2 items: its alpha rests on one correlation")


def test_a_survey_whose_every_item_is_dropped_is_refused():
    blank = {f"P{i}": "" for i in range(1, 7)}
    (told,) = refused(answers(**blank))
    assert told.startswith("no item is left, 6 are dropped (first: Q1: 0% of its expectations and perceptions pair")


def test_perceptions_alone_make_a_survey():
    items = {f"Q{i}": {"perceive": f"P{i}"} for i in range(1, 7)}
    survey = validate_survey(answers(), instrument(items=items))
    assert survey.expect.shape == (PEOPLE, 0)
    assert "pairs" not in survey.summary


def test_adequate_above_desired_is_counted():
    items = {
        name: item | {"adequate": name.replace("Q", "A")} for name, item in instrument().model_dump()["items"].items()
    }
    table = answers(**{f"A{i}": 2 for i in range(1, 7)})
    survey = validate_survey(
        put(table, (1, "A1", 7), (2, "A1", 99)), instrument(items=items, conventions={"desired": True})
    )
    assert survey.findings["adequate above desired"] == "1 of 239"
    assert "adequate lies above desired in 1 of 239 pairs of answers" in survey.warnings


@pytest.mark.parametrize("people", [0, 1])
def test_too_few_respondents_are_refused(people):
    told = refused(answers(people) if people else answers(2, who="manager").assign(who="manager"),
                   None if people else instrument(design={"respondent": "id", "audience": "who"}))  # fmt: skip
    assert told == [f"{people} customers answered; a gap and its interval need 2 or more"]


def test_a_column_spelt_otherwise_is_pointed_at():
    (told,) = refused(answers().rename(columns={"P5": "Perceive5", "P6": "p_6"}))
    assert "2 of the instrument's columns" in told
    assert "'P5' (items.Q5.perceive); 'P6'" in told, "what the instrument names elsewhere is not what was meant"
    (told,) = refused(answers().rename(columns={"P6": "p_6"}))
    assert "1 of the instrument's columns are not there ('P6' (items.Q6.perceive); did you mean 'p_6'?); there" in told


def test_an_item_that_nobody_answered_is_dropped_where_only_perceptions_were_asked():
    items = {f"Q{i}": {"perceive": f"P{i}"} for i in range(1, 7)}
    survey = validate_survey(answers(P2=""), instrument(items=items))
    assert survey.dropped == {"Q2": "no customer answered it"}
    assert list(survey.perceive) == ["Q1", "Q3", "Q4", "Q5", "Q6"]


def test_segments_keep_their_names_and_blanks():
    described = instrument(design={"respondent": "id", "segments": ["region", "tier"]})
    survey = validate_survey(put(answers(region="Nord", tier=1.0), (2, "region", " ")), described)
    assert survey.people.region.isna().tolist()[:3] == [False, True, False]
    assert survey.people.tier.unique().tolist() == ["1"]


def test_answers_with_decimals_of_0_are_whole_numbers_by_either_mark():
    cells = [
        (1, "P1", "5,0"),
        (2, "P1", "4.0"),
        (3, "P1", "５"),
        (4, "P1", " 5 "),
        (5, "P1", "9,0"),
        (6, "P1", "99.00"),
    ]
    for decimal in (".", ","):
        survey = validate_survey(put(answers(), *cells), instrument(file={"decimal": decimal}))
        assert survey.perceive.Q1.tolist()[:4] == [5, 4, 5, 5]
        assert survey.not_applicable.Q1.tolist()[4:6] == [True, False]
        assert survey.perceive.Q1.isna().tolist()[4:6] == [True, True]


def test_answers_between_whole_numbers_and_marks_of_thousands_are_refused():
    part, word = refused(put(answers(), (1, "P1", "4,5"), (2, "P2", "4.5"), (3, "P1", "1,000"), (4, "P1", "5,")))
    assert "2 of 240 answers are not a whole number in 2 of 6 columns: '4,5' once, '4.5' once" in part
    assert "2 of 240 answers are in words that no label explains in 1 of 6 columns: '1,000' once, '5,' once" in word
