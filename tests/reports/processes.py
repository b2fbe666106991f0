"""Finding the processes of a test's own project."""

import os
import time
from pathlib import Path


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
