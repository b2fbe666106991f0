"""A run in a process of its own, the processes of a test's own project, and what they leave."""

import os
import subprocess
import sys
import time
from pathlib import Path

from crmlab.reports import store
from crmlab.reports.manifest import sha256


def processes(marker, command=""):
    """Ids of processes that have `marker` in their environment, and `command` in their command line."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                environment, line = (process / "environ").read_bytes(), (process / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in environment and command.encode() in line:
                found.append(int(process.name))
    return found


def kernels(project):
    """Ids of the kernels at work for a project."""
    return processes(f"CRMLAB_STAGING={project}", "crmlab.reports.kernel")


def within(seconds, happened):
    """What `happened()` gives once it is something, or at last after so many seconds."""
    until = time.monotonic() + seconds
    while not (found := happened()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def gone(marker, seconds=10):
    """Whether all processes with `marker` end within `seconds`."""
    return within(seconds, lambda: not processes(marker))


def start(project, report):
    """A run of a report, in a process of its own."""
    code = "from crmlab.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, "run", report, "--force"],
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
    """What is in staging still."""
    staging = project / "reports" / store.STAGING
    return list(staging.iterdir()) if staging.is_dir() else []
