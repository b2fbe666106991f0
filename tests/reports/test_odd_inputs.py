"""Parameters, notebooks and stores that nobody planned: the value that is meant, or a refusal in words."""

import json

import pytest
from nbformat.v4 import new_code_cell

from crmlab.cli.reports import pairs
from crmlab.contracts import InputError
from crmlab.reports import compare, manifest, parameters, store

from .conftest import write_notebook
from .test_store import publish


def typed(project, line, **given):
    write_notebook(project / "notebooks" / "02_odd.ipynb", parameters=line)
    return parameters.prepare(project, [("odd", given)])[0]


@pytest.mark.parametrize(
    ("line", "text", "value"),
    [
        ("x: Optional[int] = 1", "none", None),
        ("x: Optional[str] = 'a'", "none", None),
        ("x: Optional[list[int]] = None", "3,4", [3, 4]),
        ("x: list[date] = []", "2024-01-01,2024-02-01", ["2024-01-01", "2024-02-01"]),
        ("x: Literal[7, 30] = 7", "30", 30),
    ],
)
def test_text_becomes_the_value_it_says(project, line, text, value):
    job = typed(project, line, x=text)
    assert job.typed["x"] == value
    assert manifest.key(job, project)
    assert typed(project, line, **parameters.text(job.typed)).typed == job.typed


@pytest.mark.parametrize("line", ["x: Dataset | None = 'sales'", "x: Optional[Dataset] = 'sales'"])
def test_optional_data_are_validated_and_count_for_the_cache(project, line):
    before = manifest.key(typed(project, line), project)
    path = project / "data" / "sales.csv"
    path.write_text(path.read_text() + "00123,2024-03-21,5\n")
    assert manifest.key(typed(project, line), project) != before


@pytest.mark.parametrize(
    ("kind", "text"), [("Customers", "customer_id,reachable\n1,yes\n"), ("Products", "product_id,brand\n1,Ours\n")]
)
def test_a_file_listed_nowhere_is_read_as_what_its_parameter_holds(project, kind, text):
    (project / "bare.csv").write_text(text)
    line = f"x: Optional[{kind}] = None"
    assert typed(project, line, x=str(project / "bare.csv")).datasets["x"].findings.entry.contract == kind.lower()
    with pytest.raises(InputError, match=rf"sales holds TRANSACTIONS .* but this needs {kind.upper()}"):
        typed(project, line, x="sales")


def test_words_that_are_types_of_data_elsewhere_are_but_words_in_a_choice(project):
    assert typed(project, "x: Literal['Products', 'File'] = 'File'", x="Products").typed["x"] == "Products"


@pytest.mark.parametrize("kind", ["list[Dataset]", "list[File]", "Customers | Products", "File | int"])
def test_a_parameter_names_one_data_set_or_file(project, kind):
    with pytest.raises(InputError, match="a parameter names one data set or file, so that its content is known"):
        typed(project, f"x: {kind} = 'sales'")


@pytest.mark.parametrize(
    "line", ["x: int = '1'", "x: int = True", "x: int = 1.0", "x: bool = 'yes'", "x: list[int] = ['1']"]
)
def test_a_default_of_another_type_is_refused(project, line):
    with pytest.raises(InputError, match=r"02_odd.ipynb: parameters, line 1"):
        typed(project, line)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("x: int = 'a'", "x = 'a' is not of type int"),
        ("x: date = '1997-13-30'", "x = '1997-13-30' is not of type date"),
        ("x: Literal['a'] = 'b'", "x = 'b' is not of type Literal['a']"),
        ("x: int = f()", "f() is no plain value"),
        ("x: int = {1}", "{1} is no plain value"),
        ("x: int[str] = 1", "'int[str]' is not a type that parameters have (str, int, float, bool, date, Dataset, "
         "Customers, Products, Condition, File, Literal, Optional, list)"),
        ("x: 'text' = 1", "\"'text'\" is not a type that parameters have (str, int, float, bool, date, Dataset, "
         "Customers, Products, Condition, File, Literal, Optional, list)"),
        ("x: Literal = 1", "'Literal' is not a type that parameters have (str, int, float, bool, date, Dataset, "
         "Customers, Products, Condition, File, Literal, Optional, list)"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_declaration_is_told_in_our_own_words(project, line, told):
    with pytest.raises(InputError) as caught:
        typed(project, line)
    assert caught.value.breaches == (
        f"02_odd.ipynb: parameters, line 1: {told}; write `name: type = value  # meaning`",
    )


@pytest.mark.parametrize(
    "cell", ["x: int 1", "x: int = (1", '"open', "%matplotlib inline\nx: int = 1", "x: int[str] = 1", "x: Literal = 1"]
)
def test_a_parameters_cell_that_cannot_be_read_is_refused_in_words(project, cell):
    with pytest.raises(InputError, match=r"02_odd\.ipynb"):
        typed(project, cell)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"worksheets": []}'])
def test_a_file_that_is_no_notebook_is_refused_in_words(project, text):
    (project / "notebooks" / "02_odd.ipynb").write_text(text)
    with pytest.raises(InputError, match=r"02_odd\.ipynb"):
        parameters.reports(project)


def test_two_parameters_cells_are_refused(project):
    path = project / "notebooks" / "02_odd.ipynb"
    write_notebook(path)
    book = json.loads(path.read_text())
    book["cells"].append(new_code_cell("y: int = 1", id="two", metadata={"tags": ["parameters"]}))
    path.write_text(json.dumps(book))
    with pytest.raises(InputError, match="2 cells"):
        parameters.reports(project)


def test_a_parameter_given_twice_is_refused():
    _, breaches = pairs("-p", ["days=3", "days=4"])
    assert len(breaches) == 1


def test_data_given_by_a_path_from_elsewhere_are_the_same_data(project, monkeypatch):
    (project / "own.csv").write_text((project / "data" / "sales.csv").read_text())
    by_name = manifest.key(parameters.prepare(project, [("small", {"data": "own.csv"})])[0], project)
    monkeypatch.chdir(project / "notebooks")
    assert manifest.key(parameters.prepare(project, [("small", {"data": "../own.csv"})])[0], project) == by_name


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', "[]"])
def test_a_manifest_that_cannot_be_read_is_nobodys_latest_good_and_stops_nothing(tmp_path, text):
    good = publish(tmp_path, "20260101T000000Z-a")
    for report in ("small", "foreign"):
        (tmp_path / report / "20260201T000000Z-b").mkdir(parents=True)
        (tmp_path / report / "20260201T000000Z-b" / "manifest.json").write_text(text)
    store.update_links(tmp_path)
    assert (tmp_path / "small" / "latest-good").resolve() == good
    assert store.prune(tmp_path, keep=5) == []


def test_runs_that_failed_in_different_ways_are_not_equal(tmp_path):
    folders = [publish(tmp_path, f"2026010{n}T000000Z-a", state="failed") for n in (1, 2)]
    for n, folder in enumerate(folders):
        told = json.loads((folder / "manifest.json").read_text())
        told["error"] = {"cell": n + 1, "name": "ValueError", "message": str(n)}
        (folder / "manifest.json").write_text(json.dumps(told))
    assert not all(equal for _, equal, _ in compare.results(*folders))


def test_a_broken_notebook_binds_no_other_report(project):
    (project / "notebooks" / "09_broken.ipynb").write_text("{", "utf-8")
    assert parameters.prepare(project, [("small", {})])
    with pytest.raises(InputError, match=r"09_broken\.ipynb: no notebook that can be read"):
        parameters.prepare(project, [("broken", {})])


@pytest.mark.parametrize("name", ["db_pwd", "passphrase", "auth", "bearer", "accesskey", "API_KEY"])
def test_more_names_that_look_like_secrets_are_refused(project, name):
    with pytest.raises(InputError, match="looks like a secret"):
        parameters.prepare(project, [("small", {name: "x"})])


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("", ""), ("none", "none")])
def test_a_literal_that_is_nothing_much_can_be_given(project, text, value):
    assert typed(project, "x: Literal[0, 1, '', 'none'] = 1", x=text).typed["x"] == value


def test_a_range_that_does_not_fit_its_parameter_is_told(project):
    (project / "notebooks" / "suite.toml").write_text("[ranges.odd]\nx = { min = 1 }\n")
    with pytest.raises(InputError, match=r"the range of odd.x does not fit its type, str"):
        typed(project, "x: str = 'a'")


def test_a_file_is_found_from_the_project_and_its_content_counts_for_the_cache(project, monkeypatch):
    path = project / "data" / "survey.csv"
    path.write_text("a\n1\n")
    monkeypatch.chdir(project / "notebooks")
    line = "survey: File = 'data/survey.csv'"
    job = typed(project, line)
    assert job.typed["survey"] == "data/survey.csv"
    assert typed(project, line, survey=str(path)).typed == job.typed
    before = manifest.key(job, project)
    path.touch()
    assert manifest.key(typed(project, line), project) == before
    path.write_text("a\n2\n")
    assert manifest.key(typed(project, line), project) != before
    with pytest.raises(InputError, match=r"there is no file data/none\.csv"):
        typed(project, line, survey="data/none.csv")


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("[ranges.nosuch]\nx = { min = 1 }\n", r"there is no report 'nosuch'"),
        ("[ranges.odd]\nx = { within = 'nope' }\n", r"x is to lie within 'nope', which is no data set it takes"),
        ("[ranges.odd]\nx = { min = nan }\n", r"finite"),
    ],
)
def test_a_range_that_could_check_nothing_is_refused(project, toml, told):
    (project / "notebooks" / "suite.toml").write_text(toml)
    with pytest.raises(InputError, match=told):
        typed(project, "x: int = 1")


def test_a_run_is_found_by_something(project):
    with pytest.raises(InputError, match="the run is empty"):
        store.find(project / "reports", "")
    with pytest.raises(InputError, match="none yet"):
        store.find(project / "reports", "clv")


def test_no_link_is_left_where_no_run_is(tmp_path):
    folder = publish(tmp_path, "r1")
    store.update_links(tmp_path)
    assert (folder.parent / "latest").is_symlink()
    (folder / "manifest.json").unlink()
    store.update_links(tmp_path)
    assert not (folder.parent / "latest").is_symlink()


def test_two_notebooks_of_one_name_are_refused_and_hidden_ones_not_seen(project):
    write_notebook(project / "notebooks" / ".hidden.ipynb")
    assert list(parameters.reports(project)) == ["small"]
    write_notebook(project / "notebooks" / "09_small.ipynb")
    with pytest.raises(InputError, match=r"01_small\.ipynb and 09_small\.ipynb are both the report 'small'"):
        parameters.reports(project)
