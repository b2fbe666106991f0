"""A run's record is true: what ran, and what was read, is what is recorded, whatever is edited meanwhile."""

import json
import os
import resource
import subprocess
import sys
import threading
import time

import pytest

from crmlab.contracts import InputError
from crmlab.reports import inputs, ledger, manifest, parameters, runner, snapshot, store, worker
from crmlab.reports.manifest import sha256

from .conftest import TINY, TOLD, write_notebook
from .processes import within

WAIT = "import time\nfrom crmlab import catalog\nwhile not (catalog.root() / 'go').exists():\n    time.sleep(0.02)"
READS = "report = Report('Read')\nreport.fact('rows', catalog.orders(data).table.count().execute())\nreport"


def prepared(project, report="odd"):
    (job,) = parameters.prepare(project, [(report, {})])
    return job


def run(project, job, meanwhile=lambda: None):
    """A run of a job, and what is done once its first cell is at work: its folder."""

    def change():
        if within(60, lambda: list((project / "reports").glob(".staging/*/report.ipynb"))):
            meanwhile()
        (project / "go").touch()

    other = threading.Thread(target=change, daemon=True)
    other.start()
    folder = runner.run(job, project, project / "reports")
    other.join()
    return folder


@pytest.mark.parametrize(
    "changes", ["notebooks/02_odd.ipynb", "data/sales.csv", "data/catalog.toml", "notebooks/ours.py"]
)
def test_an_edit_while_a_run_is_made_does_not_reach_it(project, changes):
    (project / "notebooks" / "ours.py").write_text("days = 7\n")
    write_notebook(
        project / "notebooks" / "02_odd.ipynb", WAIT, "import ours", READS, "report.fact('days', ours.days)\nreport"
    )
    path = project / changes
    before, hashes = path.read_text(), {p: sha256(project / p) for p in ("notebooks/02_odd.ipynb", "data/sales.csv")}
    edits = {
        "notebooks/02_odd.ipynb": before.replace("Read", "Changed"),
        "data/sales.csv": before + "00123,2024-03-21,5\n",
        "data/catalog.toml": before + 'where = "amount > 6"\n',
        "notebooks/ours.py": "days = 8\n",
    }
    folder = run(project, prepared(project), lambda: path.write_text(edits[changes]))
    made = store.read(folder)
    assert path.read_text() != before
    assert (made.state, made.title, made.changed) == ("success", "Read", [])
    assert (made.facts["rows"]["value"], made.facts["days"]["value"]) == (5, 7)
    assert (made.notebook_sha256, made.data[0].sha256) == tuple(hashes.values())
    assert made.data[0].rows == 5
    assert not list(folder.glob("**/sales.csv"))
    assert store.find_reusable(project / "reports", "odd", manifest.key(prepared(project), project)) is None
    path.write_text(before)
    assert store.find_reusable(project / "reports", "odd", manifest.key(prepared(project), project)) == folder


@pytest.mark.parametrize("changes", ["data/sales.csv", "notebooks/02_odd.ipynb"])
def test_an_edit_between_validation_and_the_run_is_what_the_run_reads_and_records(project, changes):
    write_notebook(project / "notebooks" / "02_odd.ipynb", READS)
    job, path = prepared(project), project / changes
    text = path.read_text()
    path.write_text(text.replace("Read", "Changed") if changes.endswith("ipynb") else text + "00123,2024-03-21,5\n")
    made = store.read(runner.run(job, project, project / "reports"))
    rows = 5 if changes.endswith("ipynb") else 6
    assert (made.facts["rows"]["value"], made.data[0].rows, made.data[0].last) == (
        rows, rows, "2024-03-20" if rows == 5 else "2024-03-21",
    )  # fmt: skip
    assert made.notebook_sha256 == sha256(project / "notebooks" / "02_odd.ipynb")
    assert made.data[0].sha256 == sha256(project / "data" / "sales.csv")
    assert made.title == ("Changed" if changes.endswith("ipynb") else "Read")


def test_data_that_no_longer_validate_when_the_run_begins_are_refused(project):
    write_notebook(project / "notebooks" / "02_odd.ipynb", READS)
    job = prepared(project)
    (project / "data" / "sales.csv").write_text("customer_id,time,amount\n1,never,2\n")
    with pytest.raises(InputError, match="never"):
        runner.run(job, project, project / "reports")
    assert store.folders(project / "reports") == []


def test_a_file_too_large_to_copy_that_is_written_to_is_named_and_the_run_answers_for_nothing(project, monkeypatch):
    monkeypatch.setattr(inputs, "MOST_COPIED", 50)
    write_notebook(project / "notebooks" / "02_odd.ipynb", WAIT, READS)
    path = project / "data" / "sales.csv"
    folder = run(project, prepared(project), lambda: path.write_text(path.read_text() + "00123,2024-03-21,5\n"))
    made = store.read(folder)
    assert made.changed == ["the file sales.csv was written to or replaced while the run read it"]
    assert made.key == ""
    page = (folder / "report.html").read_text()
    assert "Changed while it ran." in page
    assert "The file sales.csv was written to or replaced while the run read it." in page


def test_a_folder_of_data_is_compared_before_and_after(project):
    (project / "data" / "log").mkdir()
    (project / "data" / "sales.csv").rename(project / "data" / "log" / "sales.csv")
    (project / "data" / "catalog.toml").write_text('[sales]\npath = "log"\n')
    write_notebook(project / "notebooks" / "02_odd.ipynb", WAIT, READS)
    more = project / "data" / "log" / "more.csv"
    whole = store.read(run(project, prepared(project)))
    assert whole.changed == []
    (project / "go").unlink()
    made = store.read(
        run(project, prepared(project), lambda: more.write_text("customer_id,time,amount\n1,2024-01-01,2\n"))
    )
    assert made.changed == ["the folder log was written to or replaced while the run read it"]


def test_a_file_that_is_being_written_while_it_is_copied_is_named(project, monkeypatch):
    copyfile, path = inputs.shutil.copyfile, project / "data" / "sales.csv"

    def slowly(source, to, **how):
        copyfile(source, to, **how)
        if source.name == "sales.csv":
            path.write_text(path.read_text() + "00123,2024-03-21,5\n")

    write_notebook(project / "notebooks" / "02_odd.ipynb", READS)
    monkeypatch.setattr(inputs.shutil, "copyfile", slowly)
    made = store.read(runner.run(prepared(project), project, project / "reports"))
    assert made.changed == ["the file sales.csv was being written while it was copied"]
    assert (made.facts["rows"]["value"], made.data[0].rows, made.key) == (7, 7, "")  # the third copy


def test_a_worker_started_before_an_edit_of_the_code_is_given_up(project):
    (project / "notebooks" / "ours.py").write_text("days = 7\n")
    for name in ("one", "two"):
        write_notebook(
            project / "notebooks" / f"02_{name}.ipynb",
            "import ours",
            TOLD + "\nreport.fact('days', ours.days)\nreport",
            **TINY,
        )
    jobs = parameters.prepare(project, [("one", {}), ("two", {})])

    def started(job):
        if job.report.name == "one":
            (project / "notebooks" / "ours.py").write_text("days = 8\n")
        return lambda done, cells: None

    one, two = (store.read(o.folder) for o in runner.run_all(jobs, project, project / "reports", started=started))
    assert (one.facts["days"]["value"], two.facts["days"]["value"]) == (7, 8)
    assert one.code.modules != two.code.modules
    for made in (one, two):
        kept = project / "reports" / snapshot.FOLDER / made.code.snapshot / "notebooks" / "ours.py"
        assert made.code.modules == {"ours.py": sha256(kept)}
    assert not list((project / "reports" / store.STAGING).iterdir())


def test_a_copy_of_the_code_that_was_edited_is_made_anew(project):
    (project / "notebooks" / "ours.py").write_text("days = 7\n")
    found, place = snapshot.taken(project, project / "reports")
    (place / "notebooks" / "ours.py").write_text("days = 8\n")
    assert snapshot.taken(project, project / "reports") == (found, place)
    assert (place / "notebooks" / "ours.py").read_text() == "days = 7\n"


def test_a_stale_compiled_module_is_not_copied(project):
    """One whose source was rewritten within the second, to the same length."""
    import py_compile

    path = project / "notebooks" / "ours.py"
    path.write_text("days = 7\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    compiled = py_compile.compile(str(path))
    os.utime(compiled, (1_700_000_000, 1_700_000_000))
    path.write_text("days = 8\n")
    os.utime(path, ns=(1_700_000_000 * 10**9, 1_700_000_000 * 10**9 + 5))
    _, place = snapshot.taken(project, project / "reports")
    assert not list((place / "notebooks").rglob("*.pyc"))


LEAKS = {
    "IPYTHONDIR": ("profile_default/startup/00.py", "import builtins\nbuiltins.days = 999"),
    "PYTHONSTARTUP": ("start.py", "import builtins\nbuiltins.days = 999"),
    "PYTHONPATH": ("sitecustomize.py", "import builtins\nbuiltins.days = 999"),
    "JUPYTER_PATH": (
        "kernels/python3/kernel.json",
        json.dumps({"argv": ["false"], "display_name": "x", "language": "python"}),
    ),
    "MATPLOTLIBRC": ("matplotlibrc", "figure.dpi: 999"),
    "MPLCONFIGDIR": ("matplotlibrc", "figure.dpi: 999"),
}


@pytest.mark.parametrize("variable", LEAKS)
def test_start_up_files_of_a_user_reach_no_run(project, tmp_path, monkeypatch, variable):
    name, text = LEAKS[variable]
    path = tmp_path / "home" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    monkeypatch.setenv(variable, str(path if variable in ("PYTHONSTARTUP", "MATPLOTLIBRC") else tmp_path / "home"))
    asks = (
        "import builtins, matplotlib\n"
        "leaked = hasattr(builtins, 'days') or matplotlib.rcParams['figure.dpi'] == 999\n"
        "report.fact('leaked', int(leaked))\nreport"
    )
    write_notebook(project / "notebooks" / "02_odd.ipynb", TOLD, asks, **TINY)
    made = store.read(runner.run(prepared(project), project, project / "reports"))
    assert (made.state, made.facts["leaked"]["value"]) == ("success", 0)


def test_what_python_runs_when_it_starts_is_part_of_what_a_run_is_made_from(project, tmp_path, monkeypatch):
    job, custom = prepared(project, "small"), tmp_path / "sitecustomize.py"
    before = manifest.key(job, project)
    custom.write_text("x = 1\n")
    monkeypatch.setattr(manifest, "_start_files", lambda: [custom])
    first = manifest.key(job, project)
    custom.write_text("x = 2\n")
    assert len({before, first, manifest.key(job, project)}) == 3


def test_a_matplotlibrc_beside_the_notebook_is_part_of_what_a_run_is_made_from(project):
    before = manifest.key(prepared(project, "small"), project)
    (project / "notebooks" / "matplotlibrc").write_text("figure.dpi: 99\n")
    assert manifest.key(prepared(project, "small"), project) != before


def test_a_run_whose_clock_jumped_is_the_newest_and_lasted_as_long_as_it_did(project, monkeypatch):
    write_notebook(project / "notebooks" / "02_odd.ipynb", TOLD, **TINY)
    monkeypatch.setattr(store, "new_run", lambda: "20400101T000000Z-00000000")
    runner.run(prepared(project), project, project / "reports")
    monkeypatch.undo()
    monkeypatch.setenv("CRMLAB_ROOT", str(project))
    folder = runner.run(prepared(project), project, project / "reports")
    assert store.latest(project / "reports", "odd") == folder
    assert store.prune(project / "reports", keep=1) == [project / "reports" / "odd" / "20400101T000000Z-00000000"]
    made = store.read(folder)
    assert 0 < (made.ended - made.started).total_seconds() < 60


def test_links_and_pipes_are_left_out_and_said_and_a_linked_file_becomes_the_runs_own(project, tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_text("a\n1\n")
    makes = (
        "staging = os.environ['CRMLAB_STAGING']\n"
        "os.symlink('/etc/hosts', f'{staging}/tables/hosts.csv')\n"
        "os.mkfifo(f'{staging}/pipe')\n"
        f"os.link({str(mine)!r}, f'{{staging}}/tables/mine.csv')"
    )
    write_notebook(project / "notebooks" / "02_odd.ipynb", makes, TOLD, **TINY)
    folder = runner.run(prepared(project), project, project / "reports")
    made = store.read(folder)
    assert made.notes[-1] == "Left out of the run, as they are no files of it: pipe, tables/hosts.csv."
    assert made.notes[-1] in (folder / "report.html").read_text()
    mine.write_text("a\n2\n")
    assert (folder / "tables" / "mine.csv").read_text() == "a\n1\n"
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
    assert there == {*made.artefacts, "manifest.json"}


@pytest.mark.parametrize("stem", ["../../x", "/tmp/x", "a/b", "private/../x", "", ".x"])
def test_a_table_stays_within_its_run(project, stem):
    tries = f"import pandas as pd\nreport.show(pd.DataFrame({{'a': [1]}}), name={stem!r})\nreport"
    write_notebook(project / "notebooks" / "02_odd.ipynb", TOLD, tries, **TINY)
    made = store.read(runner.run(prepared(project), project, project / "reports"))
    assert made.tables == []
    assert not list(project.rglob("x.csv"))


def test_reports_on_another_file_system_are_published_there(project, monkeypatch):
    rename = os.rename

    def across(source, to, **how):
        if f"/{store.STAGING}/" in str(source) and f"/{store.STAGING}/" not in str(to):
            raise OSError(18, "Invalid cross-device link")
        rename(source, to, **how)

    monkeypatch.setattr(os, "rename", across)
    write_notebook(project / "notebooks" / "02_odd.ipynb", TOLD, **TINY)
    folder = runner.run(prepared(project), project, project / "reports")
    assert store.folders(project / "reports") == [folder]
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_a_long_folder_of_temporary_files_is_no_matter(project, tmp_path, monkeypatch):
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(worker.tempfile, "tempdir", str(long))
    write_notebook(project / "notebooks" / "02_odd.ipynb", TOLD, **TINY)
    assert store.read(runner.run(prepared(project), project, project / "reports")).state == "success"


def test_runs_keep_no_file_open(project):
    write_notebook(project / "notebooks" / "02_odd.ipynb", TOLD, **TINY)

    def opened():
        return len(os.listdir("/proc/self/fd"))

    jobs = [prepared(project)] * 3
    runner.run_all(jobs, project, project / "reports", force=True)
    before = opened()
    runner.run_all(jobs, project, project / "reports", force=True)
    assert opened() == before


def test_too_few_file_descriptors_cost_those_runs_alone(project):
    write_notebook(project / "notebooks" / "02_odd.ipynb", TOLD, **TINY)
    jobs = [prepared(project)] * 3
    held, limits = [], resource.getrlimit(resource.RLIMIT_NOFILE)

    def started(job):
        if not held:  # while the first run is made there is nothing left to start the next with
            resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 8, limits[1]))
            held.append(job)
        elif len(held) == 1:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            held.append(job)
        return lambda done, cells: None

    try:
        outcomes = runner.run_all(jobs, project, project / "reports", force=True, started=started)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert isinstance(outcomes[-1], runner.Outcome), outcomes
    assert not any(isinstance(o, IndexError) for o in outcomes)


def test_a_runner_that_was_killed_leaves_no_sockets_and_a_line_in_the_ledger(project, tmp_path):
    write_notebook(project / "notebooks" / "02_odd.ipynb", WAIT, TOLD, **TINY)
    environment = os.environ | {"TMPDIR": str(tmp_path / "t")}
    (tmp_path / "t").mkdir()
    code = "from crmlab.cli import main; main()"
    process = subprocess.Popen([sys.executable, "-c", code, "run", "odd"], cwd=project, env=environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    assert within(60, lambda: list((project / "reports").glob(".staging/*/report.ipynb")))
    process.kill()
    process.wait()
    time.sleep(0.5)
    store.clean(project / "reports")
    assert [(e.event, e.report) for e in ledger.read(project / "reports").events] == [("tried", "odd")]
    assert not list((tmp_path / "t").glob("crmlab-*"))


def test_a_run_leaves_no_temporary_folder(project, tmp_path, monkeypatch):
    """Not even that of the engine in its kernel, which is killed at the end."""
    write_notebook(project / "notebooks" / "02_odd.ipynb", READS)
    job = prepared(project)  # by the engine of this process, whose own folder lasts as long as that
    (tmp_path / "t").mkdir()
    monkeypatch.setattr(worker.tempfile, "tempdir", str(tmp_path / "t"))
    assert store.read(runner.run(job, project, project / "reports")).state == "success"
    assert list((tmp_path / "t").iterdir()) == []
