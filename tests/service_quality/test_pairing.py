"""Surveys in the styles and languages that they come in: what is guessed of each, and what is left to decide."""

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from crmlab.contracts import InputError
from crmlab.service_quality import draft_instrument, load_instrument, read_survey
from crmlab.service_quality.tables.cells import text

PEOPLE = 60
SCALE5, SCALE7, NPS = (1, 5), (1, 7), (0, 10)
WORDED = {"staff are polite": 1, "goods come on time": 2, "the shop looks inviting": 3}
SERVQUAL = {"tangibles": 4, "reliability": 5, "responsiveness": 4, "assurance": 4, "empathy": 5}


def answers(seed, ends):
    """Answers that use each number of a scale, in a random order."""
    low, high = ends
    each = np.resize(np.arange(low, high + 1), PEOPLE)
    return np.random.default_rng(seed).permutation(each)


def columns(names, ends):
    return {name: answers(i, ends) for i, name in enumerate(names)}


def written(tmp_path, table, wording=None):
    table = pd.DataFrame(table)
    if wording:
        labels = [wording.get(c, "") for c in table]
        pyreadstat.write_sav(table.astype(float), str(tmp_path / "s.sav"), column_labels=labels)
        return tmp_path / "s.sav"
    table.to_csv(tmp_path / "s.csv", index=False)
    return tmp_path / "s.csv"


def letters():
    names = [f"{a}{i}" for i in range(1, 23) for a in "EP"]
    table = {"id": range(PEOPLE)} | columns(names, SCALE7) | columns(["overall_satisfaction"], SCALE5)
    table |= columns(["nps"], NPS) | {"complained": ["yes", "no"] * 30}
    pairs = {f"Q{i}": {"expect": f"E{i}", "perceive": f"P{i}"} for i in range(1, 23)}
    outcomes = {"satisfaction": ("overall_satisfaction", SCALE5), "recommend": ("nps", NPS)}
    sizes, to_decide = SERVQUAL, ["[dimensions] # decide: as 22 items", "[items] # decide: by a letter in their names"]
    return table, {}, pairs, SCALE7, sizes, outcomes | {"complaint": ("complained", (0, 1))}, to_decide


def suffixes():
    items = ["REL1", "REL2", "TAN1", "TAN2"]
    table = {"respondent_id": range(PEOPLE)} | columns(
        [f"{i}_{w}" for i in items for w in ("exp", "per", "imp")], SCALE5
    )
    table |= columns(["repurchase"], SCALE7) | columns(["sat_1", "sat_2"], SCALE5)
    pairs = {i: {"expect": f"{i}_exp", "perceive": f"{i}_per", "importance": f"{i}_imp"} for i in items}
    outcomes = {"loyalty": ("repurchase", SCALE7), "satisfaction": (("sat_1", "sat_2"), SCALE5)}
    return table, {}, pairs, SCALE5, {"REL": 2, "TAN": 2}, outcomes, ['columns = ["sat_1", "sat_2"] # decide:']


def brackets():
    table = columns([f"{said} ({w})" for said in WORDED for w in ("expected", "perceived")], SCALE7)
    table |= columns(["How likely are you to recommend us?"], NPS)
    pairs = {f"Q{i}": {"expect": f"{s} (expected)", "perceive": f"{s} (perceived)"} for s, i in WORDED.items()}
    recommend = {"recommend": ("How likely are you to recommend us?", NPS)}
    to_decide = ["[dimensions] # decide: nothing says", "# [outcomes.satisfaction] # decide:"]
    return table, {}, pairs, SCALE7, {"service": 3}, recommend, to_decide


def numbered():
    table = columns([f"{i}-{side} {said}" for said, i in WORDED.items() for side in (1, 2)], SCALE5)
    table |= columns(["Overall satisfaction"], SCALE5)
    pairs = {f"Q{i}": {"expect": f"{i}-1 {s}", "perceive": f"{i}-2 {s}"} for s, i in WORDED.items()}
    to_decide = [
        "[dimensions] # decide:",
        "[items] # decide: by the numbers in their names, as 1-1 and 1-2; the first is",
    ]
    return table, {}, pairs, SCALE5, {"service": 3}, {"satisfaction": ("Overall satisfaction", SCALE5)}, to_decide


def labelled_halves():
    names = [f"V{i}" for i in range(1, 45)]
    table = columns(names, SCALE7) | columns(["V45"], SCALE5)
    wording = {name: f"Statement {'abcdefghijklmnopqrstuv'[i % 22]}" for i, name in enumerate(names)}
    wording["V45"] = "Overall, how satisfied are you?"
    pairs = {f"V{i}": {"expect": f"V{i}", "perceive": f"V{i + 22}"} for i in range(1, 23)}
    to_decide = ["[dimensions] # decide: as 22", "[items] # decide: by position, as they are worded alike"]
    return table, wording, pairs, SCALE7, SERVQUAL, {"satisfaction": ("V45", SCALE5)}, to_decide


def chinese():
    items = ["服务热情", "送货准时", "店面整洁"]
    table = {"编号": range(PEOPLE)}
    table |= columns([f"{item}（{w}）" for item in items for w in ("期望值", "实际感受", "重要性")], SCALE5)
    table |= columns(["总体满意度"], SCALE5) | columns(["推荐意愿"], NPS)
    pairs = {i: {"expect": f"{i}(期望值)", "perceive": f"{i}(实际感受)", "importance": f"{i}(重要性)"} for i in items}
    outcomes = {"satisfaction": ("总体满意度", SCALE5), "recommend": ("推荐意愿", NPS)}
    return table, {}, pairs, SCALE5, {"service": 3}, outcomes, ["[dimensions] # decide:"]


def german():
    items = ["Pünktlichkeit", "Freundlichkeit", "Sauberkeit"]
    table = {"Kundennummer": range(PEOPLE), "Filiale": ["Nord", "Süd"] * 30}
    table |= columns([f"{w}: {item}" for w in ("Erwartung", "Wahrnehmung", "Wichtigkeit") for item in items], SCALE7)
    table |= columns(["Gesamtzufriedenheit"], SCALE5) | columns(["Weiterempfehlung"], NPS)
    table |= columns(["Wiederkauf"], SCALE5) | {"Beschwerde": ["ja", "nein"] * 30}
    words = {"expect": "Erwartung", "perceive": "Wahrnehmung", "importance": "Wichtigkeit"}
    pairs = {item: {measure: f"{word}: {item}" for measure, word in words.items()} for item in items}
    outcomes = {"satisfaction": ("Gesamtzufriedenheit", SCALE5), "recommend": ("Weiterempfehlung", NPS)}
    outcomes |= {"loyalty": ("Wiederkauf", SCALE5), "complaint": ("Beschwerde", (0, 1))}
    return table, {}, pairs, SCALE7, {"service": 3}, outcomes, ["[dimensions] # decide:"]


def korean():
    asked = ["직원이 친절하다", "배송이 정확하다", "매장이 깨끗하다"]
    names = [f"Q{i}" for i in range(1, 7)]
    table = {"ID": range(PEOPLE)} | columns(names, SCALE7) | columns(["Q7", "Q8"], SCALE7) | columns(["Q9"], NPS)
    wording = {name: f"{asked[i % 3]} ({'기대' if i < 3 else '인지'})" for i, name in enumerate(names)}
    wording |= {"Q7": "전반적인 만족도", "Q8": "재구매 의향", "Q9": "추천 의향"}
    pairs = {f"Q{i}": {"expect": f"Q{i}", "perceive": f"Q{i + 3}"} for i in (1, 2, 3)}
    outcomes = {"satisfaction": ("Q7", SCALE7), "loyalty": ("Q8", SCALE7), "recommend": ("Q9", NPS)}
    return table, wording, pairs, SCALE7, {"service": 3}, outcomes, ["[dimensions] # decide:"]


@pytest.mark.parametrize(
    "survey",
    [letters, suffixes, brackets, numbered, labelled_halves, chinese, german, korean],
    ids=lambda f: f.__name__,
)
def test_a_survey_is_refused_until_what_is_doubtful_is_decided_and_then_read_rightly(tmp_path, survey):
    table, wording, pairs, scale, sizes, outcomes, to_decide = survey()
    path, toml = written(tmp_path, table, wording), tmp_path / "s.toml"
    draft, decisions = draft_instrument(path)
    toml.write_text(draft, "utf-8")
    with pytest.raises(InputError) as caught:
        read_survey(path, toml)
    assert len(caught.value.breaches) == decisions
    said = [breach.split(": ", 2)[2] for breach in caught.value.breaches]
    assert all(line.startswith(start) for line, start in zip(said, to_decide, strict=True)), said
    toml.write_text(draft.replace("decide:", ""), "utf-8")
    found = load_instrument(toml)
    assert {name: item.columns for name, item in found.items.items()} == pairs
    assert (found.scale.low, found.scale.high) == scale
    assert {name: len(items) for name, items in found.dimensions.items()} == sizes
    assert {n: (o.columns or o.column, (o.low, o.high)) for n, o in found.outcomes.items()} == outcomes
    read = read_survey(path, toml)
    assert read.perceive.shape == (PEOPLE, len(pairs))
    cells = pd.DataFrame(table).rename(columns=text)
    assert all(read.perceive[name].tolist() == cells[item["perceive"]].tolist() for name, item in pairs.items())


def drafted(tmp_path, table, wording=None):
    """The instrument drafted for a survey, once all is decided as proposed; and its text."""
    draft, _decisions = draft_instrument(written(tmp_path, table, wording))
    (tmp_path / "s.toml").write_text(draft.replace("decide:", ""), "utf-8")
    return load_instrument(tmp_path / "s.toml"), draft


def test_44_columns_without_words_are_proposed_as_two_halves(tmp_path):
    found, draft = drafted(tmp_path, columns([f"V{i}" for i in range(1, 45)], SCALE7))
    assert [(i.expect, i.perceive) for i in found.items.values()] == [(f"V{i}", f"V{i + 22}") for i in range(1, 23)]
    assert "[items] # decide: by position, as there are twice 22; the first half is taken for the expectations" in draft


@pytest.mark.parametrize(("form", "pairs"), [("Q{}a Q{}b", 5), ("V{}-1 V{}-2", 22)])
def test_columns_numbered_within_pairs_alone_are_proposed_as_pairs(tmp_path, form, pairs):
    names = [form.replace("{}", str(i)).split() for i in range(1, pairs + 1)]
    table = columns([name for both in names for name in both], SCALE5) | columns(["income"], SCALE5)
    found, draft = drafted(tmp_path, table)
    assert [[i.expect, i.perceive] for i in found.items.values()] == names
    assert "[items] # decide: by the ends of their names; the first is taken for the expectation" in draft


def test_two_numbered_columns_of_each_of_five_questions_are_dimensions_of_two_items(tmp_path):
    found, draft = drafted(tmp_path, columns([f"V{i}-{k}" for i in range(1, 6) for k in (1, 2)], SCALE5))
    assert found.dimensions == {f"V{i}": [f"V{i}-1", f"V{i}-2"] for i in range(1, 6)}
    assert "[items] # decide: no columns pair as expectation and perception" in draft


def test_100_items_are_never_taken_for_one_dimension_unasked(tmp_path):
    found, draft = drafted(tmp_path, columns([f"Q{i}" for i in range(1, 101)], SCALE5))
    assert len(found.dimensions["service"]) == 100
    assert "[dimensions] # decide: nothing says which items belong together" in draft
    assert "[items] # decide: no columns pair as expectation and perception; these are taken for perceptions" in draft


@pytest.mark.parametrize("second", ["{}.1", "{}_2", "{} (2)", "{}(2)"])
def test_headers_that_stand_twice_pair(tmp_path, second):
    names = ["polite", "punctual", "clean"]
    found, draft = drafted(tmp_path, columns([*names, *map(second.format, names)], SCALE5))
    assert {n: i.columns for n, i in found.items.items()} == {
        name: {"expect": name, "perceive": second.format(name)} for name in names
    }
    assert "[items] # decide: by position, as they are named alike; the first is taken for the expectation" in draft


def test_numbers_within_pairs_that_ask_different_things_are_no_pairs(tmp_path):
    names = ["1-1 staff are polite", "1-2 goods come on time", "2-1 the shop is clean", "2-2 prices are clear"]
    found, _draft = drafted(tmp_path, columns(names, SCALE5))
    assert [i.columns for i in found.items.values()] == [{"perceive": name} for name in names]


@pytest.mark.parametrize("items", [["speed", "price", "range"], [*WORDED]])
def test_importance_named_in_another_way_joins_its_items(tmp_path, items):
    names = [f"{item} ({word})" for item in items for word in ("expected", "perceived")]
    table = columns([*names, *(f"importance: {item}" for item in items)], SCALE5)
    found, _draft = drafted(tmp_path, table)
    assert [i.importance for i in found.items.values()] == [f"importance: {item}" for item in items]


def test_of_two_columns_that_are_called_the_same_measure_of_an_item_the_first_is_taken(tmp_path):
    found, draft = drafted(tmp_path, columns(["E1", "P1", "E2", "P2", "exp1"], SCALE5))
    assert [i.expect for i in found.items.values()] == ["E1", "E2"]
    assert 'segments = ["exp1"]' in draft


def test_columns_of_two_other_questions_are_no_battery_of_many_items(tmp_path):
    names = [f"{a}{i}" for i in range(1, 7) for a in "EP"]
    found, _draft = drafted(tmp_path, columns([*names, "S1", "S2"], SCALE5))
    assert {measure for item in found.items.values() for measure in item.columns} == {"expect", "perceive"}


@pytest.mark.parametrize(
    ("names", "remark"),
    [
        (["TAN points", "REL points"], "[points] # by the names of dimensions"),
        (["first", "second"], "[points] # decide: by position"),
    ],
)
def test_columns_that_sum_to_100_are_importance_points(tmp_path, names, remark):
    table = columns([f"{i}_{w}" for i in ("REL1", "REL2", "TAN1", "TAN2") for w in ("exp", "per")], SCALE5)
    table |= dict(zip(names, ([30, 45] * 30, [70, 55] * 30), strict=True))
    found, draft = drafted(tmp_path, table)
    named = {"REL": "REL points", "TAN": "TAN points"} if "REL points" in names else {"REL": "first", "TAN": "second"}
    assert found.points == named
    assert remark in draft


def test_a_date_of_few_days_is_the_wave_and_one_of_many_has_no_use(tmp_path):
    table = columns([f"{a}{i}" for i in (1, 2, 3) for a in "EP"], SCALE5)
    found, _draft = drafted(tmp_path, table | {"Datum": ["2024-01-05", "2024-06-05"] * 30})
    assert found.design.wave == "Datum"
    days = [*pd.date_range("2024-01-05", periods=PEOPLE).strftime("%Y-%m-%d")]
    for given in (days, days[:10] * 2 + [""] * 40):  # two answered on each of ten days
        found, draft = drafted(tmp_path, table | {"Datum": given})
        assert found.design.wave is None
        assert "# no use was found for Datum" in draft


def test_the_whole_service_among_the_statements_of_one_battery_is_an_outcome(tmp_path):
    names = [f"V{i}" for i in range(1, 6)]
    asked = [
        "Staff are polite",
        "Goods come on time",
        "Complaints are resolved",
        "Overall I am satisfied",
        "I recommend",
    ]
    found, _draft = drafted(tmp_path, columns(names, SCALE5), dict(zip(names, asked, strict=True)))
    assert [*found.items] == ["V1", "V2", "V3"]
    assert {n: o.column for n, o in found.outcomes.items()} == {"satisfaction": "V4", "recommend": "V5"}


@pytest.mark.parametrize(("ends", "used"), [(SCALE7, (1, 6)), (SCALE5, (2, 5)), (SCALE5, (1, 4))])
def test_ends_of_a_scale_that_nobody_used_are_to_be_decided(tmp_path, ends, used):
    table = {name: given.clip(*used) for name, given in columns(["E1", "P1", "E2", "P2"], ends).items()}
    _found, draft = drafted(tmp_path, table)
    assert "[scale] # decide: the ends that were printed, not those that were used" in draft


def test_a_battery_answered_in_words_is_found(tmp_path):
    words = {1: "매우 그렇지 않다", 2: "그렇지 않다", 3: "보통이다", 4: "그렇다", 5: "매우 그렇다"}
    table = {name: [words[n] for n in given] for name, given in columns(["Q1", "Q2", "Q3"], SCALE5).items()}
    found, _draft = drafted(tmp_path, table)
    assert found.scale.labels == {said: n for n, said in words.items()}
    assert [*found.items] == ["Q1", "Q2", "Q3"]
