"""What a run is called when it did not end well, and what is left of it."""

import json
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from crmlab.reports import parameters, runner, store

from .conftest import TINY, TOLD, write_notebook
from .processes import gone

DONE = "done = 6 * 7\ndone"
SLEEP = "import time\ntime.sleep(600)"
FAULTS = {
    "failed": ("1 / 0", "ZeroDivisionError"),
    "killed": ("os.kill(os.getpid(), 9)", "DeadKernelError"),
    "out_of_memory": ("hoard = bytearray(10**16)", "MemoryError"),
    "exited": ("import sys\nsys.exit(0)", "SystemExit"),
    "timeout": (SLEEP, "CellTimeoutError"),
}


def run(project, report, **limits):
    (job,) = parameters.prepare(project, [(report, {})], limits)
    return runner.run(job, project, project / "reports")


def cells(folder):
    return [c for c in nbformat.read(folder / "report.ipynb", 4).cells if c.cell_type == "code"]


def outputs(folder):
    return [o.get("data", {}).get("text/plain") for c in cells(folder) for o in c.outputs]


@pytest.mark.parametrize("state", FAULTS)
def test_each_end_has_a_state_of_its_own_and_leaves_what_was_done(project, state):
    code, name = FAULTS[state]
    write_notebook(project / "notebooks" / "02_ends.ipynb", DONE, code, TOLD, **TINY)
    folder = run(project, "ends", cell_seconds=2 if state == "timeout" else 60)
    made = store.read(folder)
    assert (made.state, made.error.name, made.error.cell) == (state, name, 4)
    assert "42" in outputs(folder)
    assert [c.metadata.papermill["status"] for c in cells(folder)] == [*["completed"] * 3, "failed", "pending"]
    assert made.facts == {}
    page = (folder / "report.html").read_text()
    assert name in page
    assert not list((project / "reports" / store.STAGING).iterdir())
    assert gone(str(folder.parent.parent / store.STAGING))


def test_a_run_that_dies_keeps_what_it_had_reported(project):
    first = TOLD.removesuffix("\nreport")
    write_notebook(project / "notebooks" / "02_dies.ipynb", first, "report.note('so far')", "1 / 0", "report", **TINY)
    folder = run(project, "dies")
    made = store.read(folder)
    assert (made.state, made.facts["days"]["value"], made.notes) == ("failed", 30, ["so far"])
    assert json.loads((folder / "facts.json").read_text())["facts"]["days"]["value"] == 30
    page = (folder / "report.html").read_text()
    assert "What follows is what had been computed by then" in page


def test_a_run_that_takes_too_long_ends_with_all_it_started(project):
    starts = "import subprocess\nsubprocess.Popen(['sleep', '601'])\nimport time\ntime.sleep(600)"
    write_notebook(project / "notebooks" / "02_slow.ipynb", DONE, starts, **TINY)
    folder = run(project, "slow", run_seconds=8)
    made = store.read(folder)
    assert (made.state, made.error.name) == ("timeout", "RunTimeout")
    assert "longer than 8 s" in made.error.message
    assert "42" in outputs(folder)
    assert gone(str(project / "reports" / store.STAGING))


def start(project, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", "from crmlab.cli import main; main()", *arguments],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # in the background of a shell it is ignored
    )  # fmt: skip


def wait_for_cells(project, seconds=60):
    until = time.monotonic() + seconds
    while not list((project / "reports").glob(".staging/*/report.ipynb")):
        assert time.monotonic() < until, "the run never began"
        time.sleep(0.05)


def test_interrupting_is_clean(project):
    write_notebook(project / "notebooks" / "02_slow.ipynb", DONE, SLEEP, **TINY)
    process = start(project, "run", "slow")
    wait_for_cells(project)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "interrupted" in said
    assert store.folders(project / "reports") == []
    assert not list((project / "reports" / store.STAGING).iterdir())
    assert gone(str(project / "reports" / store.STAGING))


def test_what_a_killed_runner_leaves_is_cleaned_at_the_next_start(project):
    write_notebook(project / "notebooks" / "02_slow.ipynb", DONE, SLEEP, **TINY)
    process = start(project, "run", "slow")
    wait_for_cells(project)
    process.kill()
    process.communicate()
    assert gone(str(project / "reports" / store.STAGING)), "its kernel outlived it"
    assert list((project / "reports" / store.STAGING).iterdir())
    assert store.folders(project / "reports") == []
    store.clean(project / "reports")
    assert not list((project / "reports" / store.STAGING).iterdir())


def test_cleaning_leaves_a_living_runner_alone(project):
    staged = store.Staged(project / "reports")
    store.clean(project / "reports")
    assert staged.folder.is_dir()
    staged.discard()
    assert not list((project / "reports" / store.STAGING).iterdir())
