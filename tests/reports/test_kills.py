"""The runner, or the kernel, is killed at any moment: no run half seen, none misnamed, nothing left over."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from crmlab.reports import store
from crmlab.reports.manifest import sha256

from .conftest import RESULT, write_notebook
from .processes import gone, processes

SLOWLY = "import time\ntime.sleep(0.3)"
LONGEST = 8  # seconds from start to end of such a run, on a slow machine


@pytest.fixture
def slowly(project):
    write_notebook(project / "notebooks" / "01_small.ipynb", *[SLOWLY] * 4, RESULT.strip())
    return project


def start(project):
    code = "from crmlab.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "run", "small", "--force"],
        cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def assert_whole(project):
    """Every run that can be seen has all its files, as its manifest says."""
    for folder in store.folders(project / "reports"):
        made = store.read(folder)
        assert {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} == {
            *made.artefacts,
            "manifest.json",
        }
        assert all(sha256(folder / path) == hashed for path, hashed in made.artefacts.items())


def left_over(project):
    staging = project / "reports" / store.STAGING
    return list(staging.iterdir()) if staging.is_dir() else []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_runner_killed_at_any_moment_leaves_nothing_half_done(slowly, seed):
    moments = random.Random(seed)
    for _ in range(10):
        process = start(slowly)
        with suppress(subprocess.TimeoutExpired):
            process.wait(moments.uniform(0, LONGEST))
        process.kill()
        process.wait()
        assert_whole(slowly)
        assert {store.read(f).state for f in store.folders(slowly / "reports")} <= {"success"}
        assert gone(f"CRMLAB_STAGING={slowly}"), "a process outlived its runner"
        store.clean(slowly / "reports")
        assert not left_over(slowly)


@pytest.mark.slow
def test_a_kernel_killed_at_any_moment_is_never_called_a_success(slowly):
    moments, seen = random.Random(7), []
    for _ in range(10):
        process = start(slowly)
        kernels, until = [], time.monotonic() + 30
        while not kernels and time.monotonic() < until:
            kernels = processes(f"CRMLAB_STAGING={slowly}", "ipykernel_launcher")
        time.sleep(moments.uniform(0, 4))
        struck = [k for k in kernels if k in processes(f"CRMLAB_STAGING={slowly}", "ipykernel_launcher")]
        for kernel in struck:
            with suppress(ProcessLookupError):
                os.kill(kernel, signal.SIGKILL)
        process.wait(180)
        assert_whole(slowly)
        made = store.read(store.folders(slowly / "reports")[0])
        seen.append(made.state)
        assert (made.state == "success") == (made.facts != {})
        assert made.state in ("success", "killed")
        assert (process.returncode == 0) == (made.state == "success")
        assert gone(f"CRMLAB_STAGING={slowly}")
        assert not left_over(slowly)
    assert len(store.folders(slowly / "reports")) == 10
    assert "killed" in seen


@pytest.mark.slow
def test_twenty_runs_at_once_are_twenty_whole_folders_in_the_index(project):
    write_notebook(project / "notebooks" / "01_small.ipynb", RESULT.strip())
    started = [start(project) for _ in range(20)]
    assert [process.wait(400) for process in started] == [0] * 20
    assert_whole(project)
    folders = store.folders(project / "reports")
    assert len(folders) == 20
    index = (project / "reports" / "index.html").read_text()
    assert all(folder.name in index for folder in folders)
    assert (project / "reports" / "small" / "latest").resolve() == folders[0]
