"""How tables leave runs: text that a spreadsheet would run, groups too small to be shown, and what reads them again."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from crmlab import catalog, exported
from crmlab.contracts import InputError, formulas
from crmlab.reports import forget, integrity, ledger, parameters, runner, store
from crmlab.reports.suite import load_suite

from .conftest import write_notebook

CELLS = ["=1+2", "'=1", "-5", "'-5", "@a", "\ttab", "plain", "", "'x", "+49 30", "''+x"]
WRITTEN = ["'=1+2", "''=1", "-5", "''-5", "'@a", "'\ttab", "plain", "", "'x", "'+49 30", "'''+x"]


def executed(project, *cells, settings=""):
    suite = project / "notebooks" / "suite.toml"
    suite.write_text(f'{settings}\n[[run]]\nreport = "small"\n')
    imports = "import pandas as pd\nfrom crmlab.report import Report\nfrom crmlab.estimate import Estimate"
    report = "report = Report('Tables')"
    write_notebook(
        project / "notebooks" / "01_small.ipynb", report, *cells, "report", parameters="days: int = 30", imports=imports
    )
    (job,) = parameters.prepare(project, [("small", {})])
    return runner.run(job, project, project / "reports")


def test_every_cell_comes_back_as_it_was():
    assert [formulas.plain(cell) for cell in CELLS] == WRITTEN
    assert [formulas.original(cell) for cell in WRITTEN] == CELLS


SHOW = f"report.show(pd.DataFrame({{'customer_id': {CELLS!r}, 'note': {CELLS!r}}}), name='notes')"


def test_a_run_says_which_cells_bear_an_apostrophe_and_what_reads_it_takes_that_off(project):
    folder = executed(project, SHOW)
    path = folder / "tables" / "private" / "notes.csv"
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert raw.note.tolist() == raw.customer_id.tolist() == WRITTEN
    assert store.read(folder).exported.model_dump() == {
        "csv": "safe", "smallest_group": None, "plain": {"tables/private/notes.csv": 14}, "withheld": {}
    }  # fmt: skip
    read = exported.read_table(path)
    assert read.note.fillna("").tolist() == CELLS
    assert "14 cells bear an apostrophe" in (folder / "report.html").read_text()


def test_a_table_of_a_run_that_the_catalog_names_is_read_as_it_was(project):
    rows = "pd.DataFrame({'customer_id': ['=a', '-5', \"'=b\"], 'time': ['2024-01-01'] * 3, 'amount': [1.0, 2.0, 3.0]})"
    folder = executed(project, f"report.show({rows}, name='log')")
    path = folder / "tables" / "private" / "log.csv"
    assert {"=a", "-5", "'=b"} == set(catalog.orders(path).table.customer_id.execute())
    beside = project / "elsewhere.csv"
    beside.write_bytes(path.read_bytes())
    assert {"'=a", "-5", "''=b"} == set(catalog.orders(beside).table.customer_id.execute())


def test_raw_leaves_text_as_it_is_and_the_manifest_says_so(project):
    folder = executed(project, SHOW, settings='[tables]\ncsv = "raw"')
    path = folder / "tables" / "private" / "notes.csv"
    assert pd.read_csv(path, dtype=str, keep_default_na=False).note.tolist() == CELLS
    assert store.read(folder).exported.csv == "raw"
    assert store.read(folder).exported.plain == {}
    assert exported.read_table(path).note.fillna("").tolist() == CELLS
    forget.forget(project / "reports", "'=1")
    assert pd.read_csv(path, dtype=str, keep_default_na=False).customer_id.tolist() == [c for c in CELLS if c != "'=1"]
    assert integrity.standing(folder, ledger.read(project / "reports"), whole=True).is_intact


BARS = """@style.plot
def bars(frame, ax=None):
    ax = style.axes(ax)
    ax.bar(frame.segment, frame["mean"])
    return ax"""


def test_lines_end_only_where_rows_do_and_every_kind_of_text_is_made_plain(tmp_path):
    frame = pd.DataFrame(
        {
            "=a": ["a\r=1+2", "b\n=3"],
            "kind": pd.Categorical(["=1+2", "'=x"]),
            "path": [Path("=x"), Path("y")],
            "n": [1, -2],
        },
        pd.Index(["@i", "j"], name="=index"),
    )
    assert exported.write_table(frame, tmp_path / "t.csv") == 6
    with (tmp_path / "t.csv").open(newline="") as stream:
        rows = [*csv.reader(stream)]
    assert rows == [
        ["'=index", "'=a", "kind", "path", "n"],
        ["'@i", "a\r=1+2", "'=1+2", "'=x", "1"],
        ["j", "b\n=3", "''=x", "y", "-2"],
    ]


def test_what_reads_as_nothing_elsewhere_is_text(tmp_path):
    exported.write_table(pd.DataFrame({"note": ["NA", "null", None]}), tmp_path / "t.csv")
    assert exported.read_table(tmp_path / "t.csv").note.fillna("-").tolist() == ["NA", "null", "-"]


GROUPS = "pd.DataFrame({'segment': ['a', 'b', 'c'], 'customers': [120, 3, 8], 'mean': [71.5, 92.25, 83.125]})"
SMALL = "[tables]\nsmallest_group = 5"


def test_groups_that_are_too_small_leave_by_no_door(project):
    folder = executed(
        project,
        f"groups = {GROUPS}",
        "report.show(groups, name='groups')",
        "report.keep(groups, 'kept', 'a table')",
        "report.fact('seldom', Estimate(92.25, n=3))",
        "report.fact('rare', Estimate(3, unit='customers', kind='count'))",
        "report.fact('many', Estimate(71.5, n=120))",
        "from crmlab import style",
        BARS,
        "report.figure(bars(groups), 'Means by segment')",
        settings=SMALL,
    )
    run = store.read(folder)
    assert run.exported.withheld == {"tables/groups.csv": 4, "tables/kept.csv": 4}
    assert all(run.facts[name]["reason"].startswith("withheld: fewer than 5 customers") for name in ("seldom", "rare"))
    assert run.facts["many"]["value"] == 71.5
    assert run.figures == []
    page = (folder / "report.html").read_text()
    assert "“Means by segment” is withheld: it draws groups of fewer than 5 customers" in page
    assert "8 cells of groups too small are withheld" in page
    outputs = json.loads((folder / "report.ipynb").read_text())["cells"]
    shown = json.dumps([cell.get("outputs") for cell in outputs])
    for path in folder.rglob("*.csv"):
        shown += path.read_text()
    assert [mean in shown for mean in ("71.5", "92.25", "83.12")] == [True, False, False]


def test_without_the_setting_all_groups_are_shown(project):
    folder = executed(project, f"report.show({GROUPS}, name='groups')")
    assert "92.25" in (folder / "tables" / "groups.csv").read_text()
    assert store.read(folder).exported.withheld == {}


def test_another_setting_is_another_run(project):
    executed(project, f"report.show({GROUPS}, name='groups')")
    for settings in (SMALL, '[tables]\ncsv = "raw"'):
        suite = project / "notebooks" / "suite.toml"
        suite.write_text(f'{settings}\n[[run]]\nreport = "small"\n')
        jobs = parameters.prepare(project, [("small", {})])
        (outcome,) = runner.run_all(jobs, project, project / "reports")
        assert not outcome.reused
        (outcome,) = runner.run_all(jobs, project, project / "reports")
        assert outcome.reused


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('csv = "sure"', "csv"),
        ("smallest_group = 1", "smallest_group"),
        ("smallest_group = 2.5", "smallest_group"),
        ('smallest = "5"', "smallest"),
    ],
)
def test_settings_that_are_none_are_refused(tmp_path, settings, words):
    (tmp_path / "suite.toml").write_text(f"[tables]\n{settings}\n")
    with pytest.raises(InputError, match=rf"suite.toml: .*{words}"):
        load_suite(tmp_path / "suite.toml")
