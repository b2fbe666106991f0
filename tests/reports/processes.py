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


def gone(marker, seconds=10):
    """Whether all processes with `marker` end within `seconds`."""
    until = time.monotonic() + seconds
    while processes(marker) and time.monotonic() < until:
        time.sleep(0.05)
    return not processes(marker)


def start(project):
    """A run of the notebook `small`, in a process of its own."""
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
    """What is in staging still."""
    staging = project / "reports" / store.STAGING
    return list(staging.iterdir()) if staging.is_dir() else []
