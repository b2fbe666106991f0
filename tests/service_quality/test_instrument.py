"""What an instrument file may say, and how everything wrong in one is told at once."""

import pytest
from pydantic import ValidationError

from crmlab.contracts import InputError
from crmlab.service_quality import Instrument, Item, Scale, load_instrument
from crmlab.service_quality.models.scores import incomparable_reason

WHOLE = """
title = "A survey"
[scale]
low = 1
high = 7
missing = [99, "keine Angabe"]
not_applicable = [9]
labels = { "strongly agree" = 7, "非常满意" = 7 }
[scales.importance]
low = 0
high = 10
[scales.standard]
low = 1
high = 7
extent = true
[dimensions]
speed = ["S2", "S1"]
people = ["P1"]
[items]
P1 = { expect = "E3", perceive = "P3", reversed = true }
S1 = { text = "Goods come on time", expect = "E1", perceive = "P1", adequate = "A1", importance = "I1" }
S2 = { perceive = "P2", standard = "X2", promise = "R2" }
[points]
speed = "W1"
people = "W2"
[outcomes.told]
column = "told"
kind = "word_of_mouth"
low = 0
[outcomes.nps]
column = "nps"
kind = "recommend"
low = 0
high = 10
[design]
respondent = "id"
wave = "round"
audience = "who"
segments = ["region"]
audiences = { Filialleiter = "manager" }
[conventions]
desired = true
"""


def written(tmp_path, toml):
    path = tmp_path / "bank.toml"
    path.write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    return path


def wrong(tmp_path, toml):
    with pytest.raises(InputError) as caught:
        load_instrument(written(tmp_path, toml))
    return [breach.removeprefix("bank.toml: ") for breach in caught.value.breaches]


def small(**fields):
    given = {"scale": Scale(low=1, high=5), "dimensions": {"all": ["Q1"]}, "items": {"Q1": Item(perceive="P1")}}
    return Instrument(**given | fields)


def test_an_instrument_file_says_all_there_is_to_a_survey(tmp_path):
    read = load_instrument(written(tmp_path, WHOLE))
    assert read.name == "bank"
    assert read.data_kind == "real"
    assert list(read.items) == ["S2", "S1", "P1"], "in the order of the dimensions"
    assert [item.dimension for item in read.items.values()] == ["speed", "speed", "people"]
    assert read.measure_columns("expect") == {"S1": "E1", "P1": "E3"}
    assert read.items["P1"].reversed
    assert read.scale.labels["非常满意"] == 7
    assert read.scale.missing == {99, "keine Angabe"}
    assert read.outcomes["told"].high is None
    assert read.design.audiences == {"Filialleiter": "manager"}
    assert read.conventions.gap == "P-E"


def test_a_byte_order_mark_is_no_key(tmp_path):
    assert load_instrument(written(tmp_path, b"\xef\xbb\xbf" + WHOLE.strip().encode())).title == "A survey"


def test_everything_wrong_is_told_at_once_each_by_its_key(tmp_path):
    toml = """
titel = "x"
data_kind = "fake"
[scale]
low = 1
high = "x"
missing = [1.5]
[scales.importanc]
low = 1
high = 2
[dimensions]
a = ["x", "y"]
b = ["y", "z"]
c = []
[items]
x = { expct = "E", perceive = "P" }
y = { perceive = "P" }
w = { text = "t" }
[outcomes.s]
column = "S"
low = 5
high = 1
[points]
a = "W"
[conventions]
gap = "E-P"
"""
    assert set(wrong(tmp_path, toml)) == {
        "data_kind = 'fake'; write 'real', 'simulated' or 'demonstration'",
        "scale.high = 'x'; write a whole number",
        "scale.missing.0 = 1.5; write a whole number or a text in quotes",
        "has no field 'scales.importanc'; did you mean 'importance'?",
        "has no field 'items.x.expct'; did you mean 'expect'?",
        "outcomes.s: low = 5 is not below high = 1",
        "conventions.gap = 'E-P'; write 'P-E'",
        "has no field 'titel'; did you mean 'title'?",
        "items.y: stands in 2 dimensions (a, b); keep it in one",
        "items.w: stands in no dimension; add it to one of a, b, c",
        "items.w: has no column; give it expect or perceive",
        "dimensions.b: names 'z', which [items] does not have; add or drop them",
        "dimensions.c: has no items; list some, or drop it",
        "points: [points] and [dimensions] differ in 'b', 'c'; give each dimension its points",
        "column 'P' is used 2 times (items.x.perceive, items.y.perceive); keep one",
    }


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("high = 7", "high = 7.5", "scale.high = 7.5; write a whole number"),
        ("high = 7", "high = true", "scale.high = True; write a whole number"),
        ('missing = [99, "keine Angabe"]', "missing = 99", "scale.missing = 99; write a list, as [1, 2]"),
        (
            'missing = [99, "keine Angabe"]',
            "missing = [true]",
            "scale.missing.0 = True; write a whole number or a text in quotes",
        ),
        ('title = "A survey"', "title = 4", "title = 4; write a text in quotes"),
        ('people = ["P1"]', 'people = "P1"', "dimensions.people = 'P1'; write a list, as [1, 2]"),
        ("desired = true", 'desired = "maybe"', "conventions.desired = 'maybe'; write true or false"),
    ],
)
def test_what_is_of_another_kind_is_told_in_plain_words_and_alone(tmp_path, old, new, told):
    assert wrong(tmp_path, WHOLE.replace(old, new, 1)) == [told]


def test_items_that_are_no_table_are_told(tmp_path):
    toml = "items = 3\n[scale]\nlow = 1\nhigh = 5\n[dimensions]\na = ['Q1']\n"
    assert wrong(tmp_path, toml) == ["items = 3; write a table, as { a = 1 }"]


def test_what_is_missing_is_told_by_its_key(tmp_path):
    assert wrong(tmp_path, "[scale]\nlow = 1\n") == [
        "lacks 'scale.high'; add it",
        "lacks 'dimensions'; add it",
        "lacks 'items'; add it",
    ]


def test_relations_are_told_where_every_part_is_sound(tmp_path):
    (told,) = wrong(tmp_path, WHOLE.replace('people = ["P1"]', 'people = ["P1", "S1"]'))
    assert told == "items.S1: stands in 2 dimensions (speed, people); keep it in one"


@pytest.mark.parametrize("toml", ["scale = [", b"title = '\xff'"])
def test_what_is_no_toml_is_said_to_be_none(tmp_path, toml):
    (told,) = wrong(tmp_path, toml)
    assert told.startswith("cannot be read as TOML (")


def test_no_file_is_told_with_the_way_to_one(tmp_path):
    with pytest.raises(InputError, match="`crmlab new instrument SURVEY` writes one"):
        load_instrument(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"low": 5, "high": 5}, "low = 5 is not below high = 5"),
        ({"missing": [5]}, "the codes 5 are answers of the scale 1 to 5"),
        ({"missing": [9], "not_applicable": [9]}, "the codes 9 are both missing and not_applicable"),
        ({"labels": {"often": 6}}, "labels 'often' = 6 lie off the scale 1 to 5 and are no codes"),
    ],
)
def test_a_scale_without_sense_is_refused(fields, told):
    with pytest.raises(ValidationError, match=told):
        Scale(**{"low": 1, "high": 5} | fields)


def test_a_label_may_stand_for_a_code():
    assert Scale(low=1, high=5, missing=[9], labels={"refused": 9}).labels == {"refused": 9}


def test_a_battery_without_a_scale_of_its_own_has_the_common_one(tmp_path):
    read = load_instrument(written(tmp_path, WHOLE))
    assert read.scale_of("expect") is read.scale
    assert read.scale_of("standard").labels == read.scale.labels, "the same range, so the same words"
    own = read.scale_of("importance")
    assert (own.low, own.high, own.labels) == (0, 10, {})
    assert (own.missing, own.not_applicable) == ({99, "keine Angabe"}, frozenset()), "9 is an answer of 0 to 10"


def test_only_levels_on_the_common_scale_may_be_subtracted(tmp_path):
    read = load_instrument(written(tmp_path, WHOLE))
    alike = [m for m in ("expect", "promise", "standard", "importance") if not incomparable_reason(read, "perceive", m)]
    assert alike == ["expect", "promise"]


def test_codes_that_are_answers_to_an_outcome_are_no_codes_there(tmp_path):
    read = load_instrument(written(tmp_path, WHOLE))
    assert read.outcome_with_codes("nps").missing == {99, "keine Angabe"}
    assert read.outcome_with_codes("told").missing == {99, "keine Angabe"}, "9 did not apply, so may be a count"


def test_a_count_keeps_its_zeros_and_may_say_that_no_number_is_a_code():
    told = {"column": "T", "kind": "word_of_mouth", "low": 0}
    scale = Scale(low=1, high=5, missing=[0, 99])
    assert small(scale=scale, outcomes={"told": told}).outcome_with_codes("told").missing == {99}
    assert small(scale=scale, outcomes={"told": told | {"missing": []}}).outcome_with_codes("told").missing == set()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "satisfaction"}, "outcomes.o: high is missing; satisfaction is an answer to a scale"),
        ({"kind": "recommend"}, "outcomes.o: high is missing; recommend is an answer to a scale"),
        ({"kind": "resolved", "high": 5}, "outcomes.o: resolved is asked as yes or no: low = 0, high = 1"),
        ({"high": 5, "missing": [3]}, "outcomes.o: the codes 3 are answers of the scale 0 to 5; choose others"),
        ({"high": 5, "labels": {"often": 8}}, "outcomes.o: labels 'often' = 8 lie off the scale 0 to 5"),
        ({"high": 5, "labels": {"Good": 5, "good ": 4}}, "outcomes.o: 'Good' = 5 and 'good ' = 4 are read alike"),
    ],
)
def test_an_outcome_without_sense_is_refused(tmp_path, fields, told):
    rows = "".join(f"{k} = {str(v).replace(': ', ' = ')}\n" if isinstance(v, dict) else f"{k} = {v!r}\n"
                   for k, v in fields.items())  # fmt: skip
    toml = "titel = 'x'\n[scale]\nlow = 1\nhigh = 7\n[dimensions]\na = ['Q']\n[items]\nQ = {perceive = 'P'}\n"
    found = wrong(tmp_path, toml + f"[outcomes.o]\ncolumn = 'O'\nlow = 0\n{rows}")
    assert any(line.startswith(told) for line in found), found
    assert "has no field 'titel'; did you mean 'title'?" in found, "beside all else that is wrong"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"labels": {"Agree": 4, "agree": 5}}, "'Agree' = 4 and 'agree' = 5 are read alike"),
        ({"labels": {"Agree": 4, " ａgree": 5}}, "'Agree' = 4 and ' ａgree' = 5 are read alike"),
        ({"missing": ["k. A."], "not_applicable": ["K. a."]}, "'k. A.' = missing and 'K. a.' = not_applicable are"),
        ({"missing": ["none"], "labels": {"None": 1}}, "'None' = 1 and 'none' = missing are read alike"),
    ],
)
def test_words_that_are_read_alike_may_not_mean_different_things(fields, told):
    with pytest.raises(ValidationError, match=told):
        Scale(**{"low": 1, "high": 5} | fields)


def test_words_that_are_read_alike_may_mean_the_same():
    assert len(Scale(low=1, high=5, labels={"Agree": 4, "agree": 4}).labels) == 2


@pytest.mark.parametrize(
    ("design", "told"),
    [
        ({"segments": ["wave", "weight"]}, "segments names 'weight', which respondents have already"),
        ({"segments": ["region", "region"]}, "segments names 'region' more than once"),
        ({"audience": "who", "audiences": {"Boss": "manager", "boss": "staff"}}, "audiences: 'Boss' = manager and"),
        ({"long": {"item": "i", "answer": "a", "kinds": {"expect": "E", "perceive": "e"}}}, "kinds: 'E' = expect and"),
    ],
)
def test_a_design_without_sense_is_refused(design, told):
    with pytest.raises(ValidationError, match=told):
        small(design=design)


def test_columns_are_named_as_validation_reads_them():
    assert small(items={"Q1": Item(perceive=" Ｐ１ ")}).items["Q1"].perceive == "P1"


def test_a_column_may_serve_two_batteries_where_rows_say_which():
    item = {"Q1": {"expect": "1", "perceive": "1"}}
    long = {"respondent": "id", "long": {"item": "q", "answer": "a"}}
    with pytest.raises(ValidationError, match="column '1' is used 2 times"):
        small(items=item, design=long)
    assert small(items=item, design=long | {"long": long["long"] | {"kind": "k"}}).items["Q1"].expect == "1"


def test_dropped_items_leave_no_empty_dimension_and_no_points(tmp_path):
    read = load_instrument(written(tmp_path, WHOLE)).drop_items({"P1"})
    assert read.dimensions == {"speed": ["S2", "S1"]}
    assert list(read.items) == ["S2", "S1"]
    assert read.points == {}


def test_comments_that_ask_to_decide_are_refused_line_by_line_with_all_else_that_is_wrong(tmp_path):
    toml = WHOLE.replace("low = 0\nhigh = 10\n[scales", "low = 10 # decide: the ends\nhigh = 10\n[scales")
    toml = toml.replace("[design]", "# x = 'gold' # decide: its column\n[design] # decided: no\n")
    at = [i for i, line in enumerate(toml.split("\n"), 1) if "decide:" in line]
    found = wrong(tmp_path, toml)
    assert found[:2] == [
        f"line {at[0]}: low = 10 # decide: the ends; correct the line if need be, and remove the word `decide:`",
        f"line {at[1]}: # x = 'gold' # decide: its column; correct the line if need be, and remove the word `decide:`",
    ]
    assert found[2].startswith("scales.importance: low = 10 is not below high = 10")
    assert len(found) == 3
    read = load_instrument(written(tmp_path, WHOLE.replace("low = 1\n", "low = 1 # the ends\n", 1)))
    assert (read.scale.low, read.scale.high) == (1, 7)


@pytest.mark.parametrize(
    "string",
    [
        '"# decide: no"',
        "'# decide: no'",
        '"a \\" # decide: no"',
        '"""\n"x" # decide: no"""',
        "'''\n# decide: no'''",
        '"""a \\""" # decide: no""""',
    ],
)
def test_what_looks_like_a_comment_in_a_string_is_none(tmp_path, string):
    toml = WHOLE.replace('title = "A survey"', f"title = {string} # a title")
    assert "decide: no" in load_instrument(written(tmp_path, toml)).title
    (found,) = wrong(tmp_path, toml.replace("# a title", "# decide: a title"))
    assert found.endswith("# decide: a title; correct the line if need be, and remove the word `decide:`")
