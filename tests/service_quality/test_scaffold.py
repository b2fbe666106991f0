"""What an instrument file is guessed to be from a survey's columns, and what is left to decide."""

import re
import tomllib

import numpy as np
import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.contracts.settings import undecided
from crmlab.service_quality import Instrument, draft_instrument, load_instrument, read_survey
from crmlab.service_quality.models.scores import incomparable_reason
from crmlab.simulate.survey import World, simulate_survey

PEOPLE = 60


def answers(seed, high=5, low=1):
    return np.random.default_rng(seed).integers(low, high + 1, PEOPLE).astype(object)


def file(tmp_path, name="s.csv", **columns):
    table = pd.DataFrame({"id": range(PEOPLE)} | columns)
    table.to_csv(tmp_path / name, index=False)
    return tmp_path / name


def guessed(path):
    """The instrument guessed for a survey, which must be one, and its text."""
    text, decisions = draft_instrument(path)
    assert decisions == len([*undecided(text)])
    return Instrument.model_validate(tomllib.loads(text)), text


@pytest.mark.parametrize(
    ("expect", "perceive"),
    [
        ("E{}", "P{}"),
        ("e_{}", "p_{}"),
        ("{}_e", "{}_p"),
        ("exp_{}", "perc_{}"),
        ("Expectation {}", "Perception {}"),
        ("{}.expected", "{}.perceived"),
        ("期望{}", "感知{}"),
        ("{}_E", "{}_P"),
    ],
)
def test_pairs_are_told_by_what_their_names_begin_or_end_with(tmp_path, expect, perceive):
    columns = {form.format(i): answers(10 * i + k) for i in (1, 2, 3) for k, form in enumerate((expect, perceive))}
    found, _text = guessed(file(tmp_path, **columns))
    assert [(i.expect, i.perceive) for i in found.items.values()] == [
        (expect.format(i), perceive.format(i)) for i in (1, 2, 3)
    ]
    assert (found.scale.low, found.scale.high) == (1, 5)


def test_satisfaction_of_a_name_nobody_knows_is_left_to_be_named(tmp_path):
    columns = {f"{a}{i}": answers(i) for i in (1, 2, 3) for a in "EP"} | {"Tevreden": answers(9)}
    found, text = guessed(file(tmp_path, **columns))
    assert found.outcomes == {}
    form = [line[2:] for line in text.split("# [outcomes.satisfaction]")[1].splitlines()[1:5]]
    given = text + "\n".join(["", "[outcomes.satisfaction]", *form]).replace('column = ""', 'column = "Tevreden"')
    assert Instrument.model_validate(tomllib.loads(given)).outcomes["satisfaction"].kind == "satisfaction"
    columns |= {"satisfaction": columns.pop("Tevreden")}
    assert "# [outcomes.satisfaction]" not in guessed(file(tmp_path, **columns))[1]


def test_named_items_make_dimensions_of_what_they_begin_with(tmp_path):
    names = ["speed1", "speed2", "people1", "people2"]
    columns = {f"{a}_{n}": answers(i) for i, (n, a) in enumerate((n, a) for n in names for a in ("exp", "perc"))}
    found, _text = guessed(file(tmp_path, **columns))
    assert found.dimensions == {"speed": ["speed1", "speed2"], "people": ["people1", "people2"]}


@pytest.mark.parametrize(("low", "high"), [(1, 5), (1, 7), (0, 10), (1, 10), (-2, 2), (1, 4)])
def test_the_scale_is_the_narrowest_that_holds_the_answers_and_the_rest_are_codes(tmp_path, low, high):
    columns = {f"{a}{i}": answers(i, high, low) for i in range(1, 6) for a in "EP"}
    columns["E1"][:2] = 99
    found, text = guessed(file(tmp_path, **columns))
    assert (found.scale.low, found.scale.high) == (low, high)
    assert found.scale.missing == {99}
    assert "99 (2 times)" in text


def test_a_customary_code_is_no_end_of_the_scale_however_often_it_is_there(tmp_path):
    columns = {f"{a}{i}": answers(i) for i in range(1, 6) for a in "EP"}
    for column in columns.values():
        column[:4] = 9
    found, _text = guessed(file(tmp_path, **columns))
    assert ((found.scale.low, found.scale.high), found.scale.missing) == ((1, 5), {9})


def test_well_known_words_get_their_numbers_and_unknown_ones_are_left_to_decide(tmp_path):
    words = np.array(["strongly disagree", "disagree", "neutral", "agree", "strongly agree", "hm", "N/A"], dtype=object)
    columns = {f"{a}{i}": words[answers(i, 6, 0).astype(int)] for i in (1, 2, 3) for a in "EP"}
    path = file(tmp_path, **columns)
    found, text = guessed(path)
    assert found.scale.labels == dict(zip(words[:5], range(1, 6), strict=True))
    assert (found.scale.missing, found.scale.not_applicable) == (frozenset(), {"N/A"})
    assert re.search(r'not_applicable = \["N/A"\] # the question did not apply, seen N/A \(\d+ times\)', text)
    assert "missing = []\n" in text, "nothing to decide where nothing was seen"
    assert "# hm = ... # decide: what it counts as" in text
    with pytest.raises(InputError, match="in words that no label explains in 3 of 3 columns: 'hm'"):
        read_survey(path, found)


def test_one_decides_on_codes_in_numbers_and_words_with_their_counts(tmp_path):
    columns = {f"{a}{i}": answers(i) for i in (1, 2, 3) for a in "EP"}
    columns["E1"][:3] = ["99", "99", "don't know"]
    found, text = guessed(file(tmp_path, "my_survey-2024.csv", **columns))
    assert found.scale.missing == {99, "don't know"}
    assert "# decide: no answers, seen 99 (2 times), don't know (once)" in text
    assert found.title == "My survey 2024"
    assert "seen \n" not in text


def test_a_question_of_recommending_keeps_the_range_it_was_asked_in(tmp_path):
    columns = {f"q{i}": answers(i) for i in (1, 2, 3)}
    some = [(answers(4), (1, 5)), (answers(4, 7), (1, 7)), (answers(4, 9, 3), (0, 10)), (answers(4, 4, 0), (0, 10))]
    for given, ends in [*some, (np.where(answers(4) > 4, 99, answers(4, 10, 0)), (0, 10))]:
        found, _text = guessed(file(tmp_path, **columns, recommend=given))
        assert (found.outcomes["recommend"].low, found.outcomes["recommend"].high) == ends
        assert read_survey(tmp_path / "s.csv", found).outcomes.recommend.between(*ends).any()


def test_a_count_loses_none_of_its_answers_to_the_codes_of_the_scale(tmp_path):
    columns = {f"{a}{i}": answers(i) for i in (1, 2, 3) for a in "EP"}
    columns["E1"][:4] = 9
    path = file(tmp_path, **columns, told=[9, 0, 1, 2, 3] + [0, 1, 2, 3, 1] * 11)
    found, _text = guessed(path)
    assert found.scale.missing == {9}
    assert read_survey(path, found).outcomes.word_of_mouth.max() == 9


def test_complaints_coded_1_and_2_are_taken_for_yes_and_no_and_left_to_decide(tmp_path):
    columns = {f"q{i}": answers(i) for i in (1, 2, 3)} | {"complained": [1, 2, 2] * (PEOPLE // 3)}
    found, text = guessed(path := file(tmp_path, **columns))
    assert "[outcomes.complaint.labels] # decide: are these the right numbers?" in text
    assert read_survey(path, found).outcomes.complaint.mean() == pytest.approx(1 / 3)


@pytest.mark.parametrize("column", ["complained", "resolved", "satisfaction", "told", "recommend", "P9"])
@pytest.mark.parametrize(
    "given", [[3], [2, 5, 9], ["hm", "yes"], [""], ["n/a"], [1.5], [99], [True, False], ["2024-01-01"]]
)
def test_whatever_a_column_holds_what_is_guessed_can_be_loaded(tmp_path, column, given):
    columns = {f"{a}{i}": answers(i) for i in (1, 2, 3) for a in "EP"} | {column: (given * PEOPLE)[:PEOPLE]}
    guessed(file(tmp_path, **columns))


def test_complaints_of_unknown_answers_are_left_to_decide(tmp_path):
    columns = {f"q{i}": answers(i) for i in (1, 2, 3)} | {"resolved": answers(5)}
    found, text = guessed(file(tmp_path, **columns))
    assert not found.outcomes
    assert "# decide: which answer is yes, by labels, and low = 0, high = 1" in text


def test_a_segment_is_never_called_as_what_respondents_have_already(tmp_path):
    columns = {f"q{i}": answers(i) for i in (1, 2, 3)} | {"round": [1, 2] * (PEOPLE // 2), "wave": ["a", "b"] * 30}
    found, text = guessed(file(tmp_path, **columns))
    assert found.design.wave == "round"
    assert found.design.segments == ()
    assert "# no use was found for wave" in text


@pytest.mark.parametrize(("name", "measure"), [("E{}", "expect"), ("expect_{}", "expect"), ("P{}", "perceive")])
def test_one_battery_alone_is_what_its_columns_say(tmp_path, name, measure):
    found, _text = guessed(file(tmp_path, **{name.format(i): answers(i) for i in (1, 2, 3)}))
    assert [list(item.columns) for item in found.items.values()] == [[measure]] * 3


def test_perceptions_alone_are_taken_as_such(tmp_path):
    found, _text = guessed(file(tmp_path, age=answers(9, 90, 18), **{f"q{i}": answers(i) for i in (1, 2, 3)}))
    assert [(i.expect, i.perceive) for i in found.items.values()] == [(None, "q1"), (None, "q2"), (None, "q3")]


def test_who_answered_and_what_else_was_asked_is_told_by_name(tmp_path):
    rng = np.random.default_rng(0)
    columns = {f"{a}{i}": answers(i) for i in (1, 2, 3) for a in "EP"}
    columns |= {"Weight": 1.5, "round": 1, "role": rng.choice(["Customer", "Store manager", "Extern"], PEOPLE)}
    columns |= {"region": rng.choice(["N", "S"], PEOPLE), "overall_satisfaction": answers(7), "nps": answers(8, 9, 2)}
    columns |= {
        "satisfied_with_price": answers(5),
        "comment": [f"c{i}" for i in range(PEOPLE)],
    }
    found, text = guessed(file(tmp_path, **columns))
    d = found.design
    assert (d.respondent, d.weight, d.wave, d.audience, d.segments) == (("id", "Weight", "round", "role", ("region",)))
    assert d.audiences == {"Store manager": "manager"}, "Customer is one already"
    assert '# Extern = "customer"' in text
    assert "# no use was found for comment" in text
    assert found.outcomes["satisfaction"].column == "overall_satisfaction"
    assert found.outcomes["satisfied_with_price"].kind == "satisfaction"
    assert (found.outcomes["recommend"].low, found.outcomes["recommend"].high) == (0, 10)


def test_the_simulated_survey_is_read_by_the_instrument_guessed_for_it(tmp_path):
    table, truth = simulate_survey(World(), 80, 5, 5, 2, seed=3)
    table.to_csv(tmp_path / "s.csv", index=False)
    text, _decisions = draft_instrument(tmp_path / "s.csv")
    (tmp_path / "s.toml").write_text(text.replace("decide:", ""), "utf-8")
    found = read_survey(tmp_path / "s.csv", tmp_path / "s.toml")
    asked = load_instrument(tmp_path / "s.toml")
    assert [len(names) for names in asked.dimensions.values()] == [4, 5, 4, 4, 5]
    assert list(asked.points.values()) == ["W1", "W2", "W3", "W4", "W5"]
    assert incomparable_reason(asked, "standard", "expect"), "unless someone decides that it is no rating of extent"
    assert len(found.select("manager").people) == 5
    (warning,) = found.warnings
    assert warning.startswith("adequate lies above expected")
    assert {o.kind for o in asked.outcomes.values()} >= {
        "satisfaction",
        "loyalty",
        "recommend",
        "complaint",
        "resolved",
    }
    assert "# [outcomes.buying]" in text, "its words are not known"
    assert len(truth.items) == 44


@pytest.mark.parametrize("kind", [True, False])
def test_a_long_survey_is_seen_to_be_one(tmp_path, kind):
    parts = []
    for i in (1, 2, 3):
        for letter, name in (("E", "expected"), ("P", "perceived")):
            told = {"item": f"q{i}", "measure": name} if kind else {"item": f"{letter}{i}"}
            parts.append(pd.DataFrame({"respondent": range(PEOPLE), "answer": answers(i)} | told))
    path = tmp_path / "s.csv"
    pd.concat(parts).to_csv(path, index=False)
    found, _text = guessed(path)
    assert found.design.long.item == "item"
    assert found.design.long.kinds == ({"expect": "expected", "perceive": "perceived"} if kind else {})
    names = [(i.expect, i.perceive) for i in found.items.values()]
    assert names == ([("q1", "q1"), ("q2", "q2"), ("q3", "q3")] if kind else [("E1", "P1"), ("E2", "P2"), ("E3", "P3")])
    assert read_survey(path, found).expect.shape == (PEOPLE, 3)


def test_what_stands_beside_the_answers_of_a_long_survey_is_kept(tmp_path):
    wide = pd.DataFrame({"respondent": range(PEOPLE), "region": ["N", "S"] * 30, "satisfaction": answers(9)})
    wide = wide.assign(**{f"{a}{i}": answers(i) for i in (1, 2, 3) for a in "EP"})
    long = wide.melt(id_vars=["respondent", "region", "satisfaction"], var_name="item", value_name="answer")
    long = long.assign(minute=range(len(long)))
    long.to_csv(tmp_path / "s.csv", index=False)
    found, text = guessed(tmp_path / "s.csv")
    assert found.design.segments == ("region",)
    assert found.outcomes["satisfaction"].column == "satisfaction"
    assert "# no use was found for minute" in text
    survey = read_survey(tmp_path / "s.csv", found)
    assert survey.outcomes.satisfaction.tolist() == answers(9).tolist()
    assert survey.people.region.tolist() == ["N", "S"] * 30


def test_the_wording_that_spss_keeps_is_taken(tmp_path):
    import pyreadstat

    table = pd.DataFrame({f"{a}{i}": answers(i).astype(float) for i in (1, 2, 3) for a in "EP"})
    wording = ["Goods come on time", *[""] * 5]
    pyreadstat.write_sav(table, str(tmp_path / "s.sav"), column_labels=wording)
    found, _text = guessed(tmp_path / "s.sav")
    assert next(iter(found.items.values())).text == "Goods come on time"


def test_a_file_without_answers_to_a_scale_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"s.csv: no column looks like answers to a scale; there are 'id', 'who'; name "
    ):
        draft_instrument(file(tmp_path, who=[f"n{i}" for i in range(PEOPLE)]))
