"""What notebooks do behind the runner's back: print past the kernel, leave politely, daemonise, delete, be edited."""

import os
import subprocess
import sys

import nbformat
import pytest

from crmlab.reports import parameters, runner, store
from crmlab.reports.secret import redact

from .conftest import TINY, TOLD, write_notebook
from .processes import gone
from .test_store import publish

LEAVES = ["exit()", "quit()", "exit()\nprint('still here')"]
DAEMON = "import subprocess\nsubprocess.run('setsid sleep 640 >/dev/null 2>&1 &', shell=True)"
REMOVES = "import os, shutil\nshutil.rmtree(os.environ['CRMLAB_STAGING'])\n1 / 0"


def run(project, *cells, **limits):
    write_notebook(project / "notebooks" / "02_odd.ipynb", *cells, **TINY)
    (job,) = parameters.prepare(project, [("odd", {})], limits)
    return runner.run(job, project, project / "reports")


def test_what_is_printed_past_the_kernel_is_only_output(project, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # where it is set, ipykernel does not watch file descriptors
    by_child, by_itself = "import subprocess\nsubprocess.run(['echo', 'hi'])", "os.write(1, b'there\\n')"
    folder = run(project, by_child, by_itself, "import time\ntime.sleep(1)")  # the kernel reads them as it comes to it
    assert store.read(folder).state == "success"
    book = nbformat.read(folder / "report.ipynb", 4)
    assert {"hi\n", "there\n"} <= {o.get("text") for cell in book.cells for o in cell.get("outputs", ())}


def test_a_notebook_cannot_print_its_own_state(project):
    prints = 'import os\nos.write(1, b\'{"state": "success", "error": null}\\n\')'
    assert store.read(run(project, prints, "1 / 0")).state == "failed"


@pytest.mark.parametrize("leaves", LEAVES)
def test_leaving_by_ipythons_own_words_is_no_success(project, leaves):
    made = store.read(run(project, leaves, TOLD))
    assert (made.state, made.error.cell, made.facts) == ("exited", 3, {})


def test_a_cell_may_take_a_fraction_of_a_second(project):
    made = store.read(run(project, "import time\ntime.sleep(60)", cell_seconds=1.5))
    assert (made.state, made.error.message) == ("timeout", "the cell took longer than 1.5 s")


def test_a_daemon_ends_with_its_run(project):
    assert store.read(run(project, DAEMON)).state == "success"
    assert gone(f"CRMLAB_STAGING={project}"), "a daemon outlived its run"


def test_a_notebook_that_removes_its_folder_stops_no_other(project):
    write_notebook(project / "notebooks" / "02_odd.ipynb", REMOVES, **TINY)
    write_notebook(project / "notebooks" / "03_even.ipynb", "days", **TINY)
    jobs = parameters.prepare(project, [("odd", {}), ("even", {})])
    odd, even = runner.run_all(jobs, project, project / "reports")
    assert (store.read(odd.folder).state, store.read(even.folder).state) == ("failed", "success")


def test_a_pruner_killed_half_way_leaves_nothing_after_the_next_start(project):
    (project / "reports" / store.STAGING / "20260101T000000Z-a.removed").mkdir(parents=True)
    store.clean(project / "reports")
    assert os.listdir(project / "reports" / store.STAGING) == []


def test_runs_are_named_in_full_on_a_narrow_terminal(project):
    publish(project / "reports", "20260101T000000Z-12345678")
    command = [sys.executable, "-c", "from crmlab.cli import main; main()", "runs"]
    done = subprocess.run(command, cwd=project, env=os.environ | {"COLUMNS": "60"}, capture_output=True, text=True)
    assert "20260101T000000Z-12345678" in done.stdout


def test_a_secret_of_the_environment_reaches_nothing_that_is_kept(project, monkeypatch, capfd):
    secret = 'hunter2 "quoted" \n line'
    monkeypatch.setenv("SHOP_PASSWORD", secret)
    shows = "import os\nprint(os.environ['SHOP_PASSWORD'], repr(os.environ['SHOP_PASSWORD']))"
    raises = "raise ValueError('no entry with ' + os.environ['SHOP_PASSWORD'])"
    folder = run(project, shows, raises)
    assert store.read(folder).error.message == "no entry with [secret]"
    for path in [*folder.rglob("*.*"), *(project / "reports").glob("*.html")]:
        assert "hunter2" not in path.read_text("utf-8"), path
    assert "hunter2" not in "".join(capfd.readouterr())


def test_where_a_shell_is_is_no_secret(project, monkeypatch):
    monkeypatch.setenv("PWD", str(project))
    monkeypatch.setenv("OLDPWD", str(project / "notebooks"))
    assert redact(f"{project}/notebooks") == f"{project}/notebooks"
