import json
from datetime import date

import pytest

from crmlab.contracts import InputError
from crmlab.reports import manifest, parameters, suite

from .conftest import write_notebook

TYPES = """
word: str = "a"  # a word
count: int = 1
share: float = 0.5
yes: bool = False
day: date = "2024-01-31"
maybe: int | None = None
kind: Literal["fast", "exact"] = "fast"
many: list[int] = [1, 2]
words: list[str] = ["a"]
"""


def prepare(project, report="small", **given):
    return parameters.prepare(project, [(report, given)])[0]


def breaches(project, given, report="small"):
    with pytest.raises(InputError) as refused:
        parameters.prepare(project, [(report, given)])
    return refused.value.breaches


@pytest.fixture
def typed(project):
    write_notebook(project / "notebooks" / "02_typed.ipynb", parameters=TYPES)
    return project


def test_a_report_is_named_by_its_stem_without_the_number(project):
    assert list(parameters.reports(project)) == ["small"]


def test_a_parameter_has_type_default_meaning_and_range(project):
    days = parameters.reports(project)["small"].parameters["days"]
    assert (days.annotation, days.default, days.meaning) == ("int", 30, "how far ahead")
    assert str(days.range) == "1 to 365"
    assert (str(suite.Range(min=0.0)), str(suite.Range(max=9))) == ("0.0 or more", "9 or less")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("word", "00123", "00123"),
        ("word", "none", "none"),
        ("word", "", ""),
        ("word", 'it\'s "q"\n{x}', 'it\'s "q"\n{x}'),
        ("count", "7", 7),
        ("share", "1e-3", 0.001),
        ("yes", "true", True),
        ("day", "2024-02-29", "2024-02-29"),
        ("maybe", "3", 3),
        ("maybe", "none", None),
        ("kind", "exact", "exact"),
        ("many", "[3, 4]", [3, 4]),
        ("many", "3,4", [3, 4]),
        ("words", "00123,b", ["00123", "b"]),
    ],
)
def test_text_becomes_a_value_of_the_parameters_type(typed, name, text, value):
    assert prepare(typed, "typed", **{name: text}).typed[name] == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("count", "abc"),
        ("count", "1.5"),
        ("count", ""),
        ("share", "nan"),
        ("share", "inf"),
        ("yes", "maybe"),
        ("day", "2024-02-30"),
        ("day", "31.01.2024"),
        ("day", "1706745600"),
        ("day", "20240131"),
        ("day", "none"),
        ("maybe", "x"),
        ("many", "[1, 2"),
        ("many", '["a"]'),
    ],
)
def test_a_wrong_type_is_refused_by_name_value_and_type(typed, name, text):
    annotation = parameters.reports(typed)["typed"].parameters[name].annotation
    assert breaches(typed, {name: text}, "typed") == (f"typed: {name} = {text!r} is not of type {annotation}",)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("slow", "write one of these"),
        ("exakt", "did you mean 'exact'?"),
        ("FAST", "did you mean 'fast'?"),
        ("", "write one of these"),
    ],
)
def test_a_value_that_is_none_of_those_allowed_is_refused_with_them(typed, text, advice):
    breach = f"typed: kind = {text!r}: none of fast, exact; {advice}"
    assert breaches(typed, {"kind": text}, "typed") == (breach,)


def test_the_values_allowed_of_an_optional_literal_are_named_with_none(project):
    line = 'kind: Literal["fast", "exact", 3] | None = None'
    write_notebook(project / "notebooks" / "02_typed.ipynb", parameters=line)
    for given in ("slow", 4):
        breach = f"typed: kind = {given!r}: none of fast, exact, 3, none; write one of these"
        assert breaches(project, {"kind": given}, "typed") == (breach,)
    assert prepare(project, "typed", kind="3").typed["kind"] == 3


def test_values_from_a_suite_keep_their_own_types(typed):
    given = {"count": 2, "day": date(2024, 1, 1), "share": 1, "yes": True, "words": ["a", "b"]}
    assert prepare(typed, "typed", **given).typed | {"day": "2024-01-01"} == prepare(typed, "typed", **given).typed
    assert breaches(typed, {"count": "2.5", "yes": 1}, "typed")


def test_what_was_given_is_kept_as_text(typed):
    job = prepare(typed, "typed", count="07", day=date(2024, 1, 1), words=["a", "b"])
    assert job.given == {"count": "07", "day": "2024-01-01", "words": '["a", "b"]'}


def test_an_unknown_parameter_names_the_known_and_suggests_the_nearest(project):
    (breach,) = breaches(project, {"dais": "3"})
    assert breach == (
        "small: there is no parameter 'dais'; there are data, days, split, customer; did you mean 'days'?"
    )


@pytest.mark.parametrize("name", ["x y", "a-b", "x;import os", "1st", "days\n"])
def test_a_parameter_name_that_is_no_identifier_is_refused(project, name):
    (breach,) = breaches(project, {name: "3"})
    assert "must be a Python identifier" in breach


def test_an_unknown_report_names_the_known_and_suggests_the_nearest(project):
    assert breaches(project, {}, "smal") == ("there is no report 'smal'; there are small; did you mean 'small'?",)


def test_a_value_out_of_range_names_the_range(project):
    assert breaches(project, {"days": "366"}) == ("small: days = 366 is out of range, which is 1 to 365",)
    assert breaches(project, {"days": "0"}) == ("small: days = 0 is out of range, which is 1 to 365",)
    assert prepare(project, days="365").typed["days"] == 365


def test_a_day_outside_the_data_names_its_span(project):
    (breach,) = breaches(project, {"split": "2023-12-31"})
    assert breach == "small: split = 2023-12-31 lies outside sales, which runs from 2024-01-01 to 2024-03-20"
    assert prepare(project, split="2024-01-01").typed["split"] == "2024-01-01"


def test_data_is_validated_before_any_kernel(project):
    (project / "data" / "sales.csv").write_text("customer_id,time,amount\n,2024-01-01,x\n")
    assert len(breaches(project, {})) == 2


def test_everything_wrong_is_named_at_once(project):
    (project / "bad.csv").write_text("customer,time,amount\na,2024-01-01,-1\n")
    with pytest.raises(InputError) as refused:
        parameters.prepare(
            project, [("smal", {}), ("small", {"days": "x", "dais": "1", "a b": "1", "data": "bad.csv"})]
        )
    told = "\n".join(refused.value.breaches)
    for part in ("no report 'smal'", "days = 'x'", "no parameter 'dais'", "'a b' is not", "'customer_id'", "negative"):
        assert part in told


def test_a_path_given_as_data_holds_from_any_folder(project):
    (project / "own.csv").write_text("customer_id,time,amount\n1,2024-01-01,1\n")
    assert prepare(project, data="own.csv").typed["data"] == str(project / "own.csv")


@pytest.mark.parametrize(
    "line", ["x = 1", "x: set = 1", "x: __import__('os') = 1", "x: int = 'a'", "import os", "x: int = f()", "x: int"]
)
def test_a_line_that_declares_no_parameter_is_refused(project, line):
    write_notebook(project / "notebooks" / "03_bad.ipynb", parameters=line)
    with pytest.raises(InputError, match=r"03_bad.ipynb: parameters, line 1"):
        parameters.reports(project)


def test_ranges_of_unknown_parameters_are_refused(project):
    (project / "notebooks" / "suite.toml").write_text("[ranges.small]\ndais = { min = 1 }\n")
    with pytest.raises(InputError, match="dais"):
        parameters.reports(project)


def suite_breaches(path, text):
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        suite.load_suite(path)
    return refused.value.breaches


@pytest.mark.parametrize(
    ("text", "breach"),
    [
        ("[limits]\ncell_seconds = -1", "limits.cell_seconds = -1; write more than 0"),
        ("[limits]\ncell_seconds = nan", "limits.cell_seconds = nan; write more than 0"),
        ("[limits]\nrun_seconds = 'x'", "limits.run_seconds = 'x'; write a number"),
        ("limits = 3", "limits = 3; write a table, as { a = 1 }"),
        ("ranges.small = 3", "ranges.small = 3; write a table, as { a = 1 }"),
        ("run = 3", "run = 3; write a list, as [1, 2]"),
        ("run = [3]", "run.0 = 3; write a table, as { a = 1 }"),
        ("[[run]]\nreport = 3", "run.0.report = 3; write a text in quotes"),
        (
            "[[run]]\nreport = 'small'\nparameters = 4",
            "run.0.parameters = 4; write a table, as { a = 1 }",
        ),
        ("[[run]]\nparameters = {}", "lacks 'run.0.report'; add it"),
        ("[limit]", "has no field 'limit'; did you mean 'limits'?"),
        ("[limits]\nrun_secnds = 3", "has no field 'limits.run_secnds'; did you mean 'run_seconds'?"),
        ("colour = 1", "has no field 'colour'; drop it"),
        (
            "[[run]]\nreport = 'small'\nparametrs = {}",
            "has no field 'run.0.parametrs'; did you mean 'parameters'?",
        ),
        ("[ranges.small]\ndays = 3", "ranges.small.days = 3; write a table, as { a = 1 }"),
        ("[ranges.small]\ndays = { mim = 1 }", "has no field 'ranges.small.days.mim'; did you mean 'min'?"),
        (
            "[ranges.small]\ndays = { min = 'a' }",
            "ranges.small.days.min = 'a'; write a number or a day, as 1997-09-30",
        ),
        ("[ranges.int]\ndate = { max = [1] }", "ranges.int.date.max = [1]; write a number or a day, as 1997-09-30"),
        (
            "[ranges.small]\ndays = { min = nan }",
            "ranges.small.days.min = nan; write a finite number or a day, as 1997-09-30",
        ),
        (
            "[ranges.small]\ndays = { min = 5, max = 1 }",
            "ranges.small.days: min = 5 and max = 1 leave no value between them; write a min that is no more than max",
        ),
        (
            "[ranges.small]\ndays = { min = 2024-01-01, max = 1 }",
            "ranges.small.days: min = 2024-01-01 and max = 1 are a day and a number; write two of a kind",
        ),
    ],
)
def test_a_wrong_value_of_a_suite_is_refused_by_place_and_value(project, text, breach):
    assert suite_breaches(project / "notebooks" / "suite.toml", text) == (f"suite.toml: {breach}",)


def test_a_faulty_suite_names_every_fault(project):
    path = project / "notebooks" / "suite.toml"
    text = '[[run]]\nreprt = "small"\n\n[ranges.small]\ndays = { least = 1 }\n'
    assert suite_breaches(path, text) == (
        "suite.toml: lacks 'run.0.report'; add it",
        "suite.toml: has no field 'run.0.reprt'; did you mean 'report'?",
        "suite.toml: has no field 'ranges.small.days.least'; drop it",
    )
    path.write_text("run = [")
    with pytest.raises(InputError, match=r"suite\.toml"):
        suite.load_suite(path)
    with pytest.raises(InputError, match="no suite"):
        suite.load_suite(project / "none.toml")


def test_a_notebook_without_parameters_is_a_report_without_any(project):
    path = project / "notebooks" / "04_plain.ipynb"
    write_notebook(path)
    book = json.loads(path.read_text())
    book["cells"] = [c for c in book["cells"] if "tags" not in c["metadata"]]
    path.write_text(json.dumps(book))
    assert parameters.reports(project)["plain"].parameters == {}


@pytest.fixture
def narrowed(project):
    lines = 'data: Dataset = "sales"  # what to read\nwhere: Condition | None = None  # rows that count'
    write_notebook(project / "notebooks" / "02_part.ipynb", parameters=lines)
    return project


def test_a_condition_selects_rows_of_the_data_before_a_run(narrowed):
    whole, part = prepare(narrowed, "part"), prepare(narrowed, "part", where="customer_id = '00123' AND amount < 20")
    assert [job.datasets["data"].findings.counts["rows"] for job in (whole, part)] == [5, 1]
    made = manifest.source("data", "sales", part.datasets["data"])
    assert made.entry["where"] == "customer_id = '00123' AND amount < 20"
    assert manifest.source("data", "sales", whole.datasets["data"]).entry.get("where") is None


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("", "it is empty; write one, or leave it out"),
        ("custmer_id = '1'", "no column 'custmer_id'"),
        ("customer_id = '9'", "no row of 5 meets where"),
        ("amount > 1; amount < 2", "more than one expression"),
    ],
)
def test_a_condition_that_selects_nothing_is_refused_before_a_run(narrowed, where, said):
    (breach,) = breaches(narrowed, {"where": where}, "part")
    assert said in breach


def test_a_parameter_called_where_of_another_type_selects_nothing(project):
    lines = 'data: Dataset = "sales"  # what to read\nwhere: str = "Berlin"  # a place'
    write_notebook(project / "notebooks" / "02_place.ipynb", parameters=lines)
    job = prepare(project, "place", where="Paris")
    assert (job.datasets["data"].findings.counts["rows"], job.typed["where"]) == (5, "Paris")
