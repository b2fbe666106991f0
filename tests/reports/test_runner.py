import csv
import json
import re

import pytest

from crmlab.contracts import InputError
from crmlab.reports import parameters, runner, store, worker

from .conftest import TINY, lay_out, write_notebook


def run(project, report="small", progress=lambda done, cells: None, **given):
    (job,) = parameters.prepare(project, [(report, given)])
    return runner.run(job, project, project / "reports", progress)


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def rows(path):
    with path.open(newline="") as stream:
        return list(csv.reader(stream))


STEPS = []


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """Two runs of the report `small` that were given the same."""
    root = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRMLAB_ROOT", str(root))
        patch.chdir(root)
        lay_out(root)
        given = {"customer": "00123", "days": "31"}
        return run(root, progress=lambda *step: STEPS.append(step), **given), run(root, **given)


@pytest.fixture
def folder(twice):
    return twice[0]


def test_a_run_leaves_notebook_page_manifest_facts_and_tables(folder):
    assert files(folder) == [
        "facts.json", "manifest.json", "report.html", "report.ipynb",
        "tables/private/days.csv", "tables/private/rows.csv",
    ]  # fmt: skip
    manifest = store.read(folder)
    assert (manifest.state, manifest.error, manifest.title) == ("success", None, "Sales of 00123")
    assert manifest.facts["share"]["value"] == 1 / 3
    assert json.loads((folder / "facts.json").read_text()) == {"answer": manifest.answer, "facts": manifest.facts}
    assert list(manifest.facts) == ["rows", "share"]
    assert set(manifest.artefacts) == set(files(folder)) - {"manifest.json"}
    assert STEPS[-1] == (4, 4)
    assert not list((folder.parents[1] / store.STAGING).iterdir())


def test_the_manifest_tells_what_went_in(folder):
    manifest = store.read(folder)
    assert manifest.parameters_given == {"customer": "00123", "days": "31"}
    assert manifest.parameters == {"data": "sales", "days": 31, "split": None, "customer": "00123"}
    (source,) = manifest.data
    assert (source.name, source.nature, source.rows, source.customers) == ("sales", "simulated", 5, 3)
    assert (source.first, source.last) == ("2024-01-01", "2024-03-20")
    assert len(source.sha256) == len(manifest.code.sha256) == len(manifest.notebook_sha256) == 64
    assert manifest.environment.packages["papermill"]
    assert manifest.notebook == "notebooks/01_small.ipynb"


def test_ids_keep_their_zeros_from_the_file_to_the_tables(folder):
    assert [row[0] for row in rows(folder / "tables" / "private" / "days.csv")[1:]] == ["00007", "00042", "00123"]
    assert rows(folder / "tables" / "private" / "rows.csv")[1][0] == "00007"
    assert store.read(folder).parameters["customer"] == "00123"


def test_no_customer_but_the_one_given_is_named_in_the_page_or_the_notebook(folder):
    for name in ("report.html", "report.ipynb"):
        text = (folder / name).read_text()
        assert not re.search(r"(?<![\d.])(00007|00042)(?!\d|\.\d)", text), "an id by itself, not digits of a duration"
        assert "c-" in text


def test_a_run_keeps_no_path_of_the_machine(folder):
    for name in ("report.ipynb", "report.html", "manifest.json"):
        assert str(folder.parents[2]) not in (folder / name).read_text()


def test_two_runs_agree_in_every_fact_and_table(twice):
    one, two = twice
    assert one != two
    for name in ("facts.json", "tables/private/days.csv", "tables/private/rows.csv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_an_input_error_inside_the_notebook_leaves_nothing(project):
    write_notebook(project / "notebooks" / "02_late.ipynb", "from crmlab.contracts import InputError",
                   "raise InputError('one thing', 'another')", **TINY)  # fmt: skip
    with pytest.raises(InputError) as refused:
        run(project, "late")
    assert refused.value.breaches == ("one thing", "another")
    assert store.folders(project / "reports") == []
    assert not list((project / "reports" / store.STAGING).iterdir())


def test_a_child_that_cannot_start_is_told_of(project, monkeypatch):
    monkeypatch.setattr(worker, "START", "raise ImportError('papermill is broken')")
    manifest = store.read(run(project))
    assert manifest.state == "failed"
    assert "papermill is broken" in manifest.error.message
