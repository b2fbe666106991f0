"""What running costs: a sweep beside papermill's command line, the runner over an idle notebook, and the cache."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from crmlab.reports import store

from .clock import QUICK, Measured

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
RUNS, CALLS, IDLE_RUNS, STORED = (2, 1, 4, 1000) if QUICK else (30, 30, 30, 1000)
REPORT, NOTEBOOK = ("retention", "01_retention") if QUICK else ("clv", "02_clv")
IDLE = "from crmlab.report import Report\n\nreport = Report('idle')\nreport.fact('n', 1)\nreport"


def measure():
    """Every figure of this file, as they come."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for part in ("notebooks", "data"):
            shutil.copytree(ROOT / part, root / part)
        yield sweep(root)
        yield overhead(root)
        yield cache(root)


def sweep(root):
    """One report for each of many seeds: a sweep, two at a time, beside as many papermill command lines.

    With QUICK=1 one of these is timed, and taken for all.
    """
    seeds = [str(seed) for seed in range(1, RUNS + 1)]
    ours = timed(root, "crmlab", "run", REPORT, "--sweep", "seed=" + ",".join(seeds), "--jobs", "2")
    notebook, output = f"notebooks/{NOTEBOOK}.ipynb", "output.ipynb"
    papermill = ["papermill", notebook, output, "--cwd", "notebooks", "-p", "seed"]
    theirs = sum(timed(root, *papermill, seed) for seed in seeds[:CALLS]) * RUNS / CALLS
    return Measured(
        f"a sweep of {RUNS} {REPORT} runs over {RUNS} papermill calls",
        ours / theirs,
        1 / 3,
        f"{ours:.0f} s to {theirs:.0f} s",
    )


def overhead(root):
    """Seconds that one more report takes in a suite whose notebooks do nothing, two at a time."""
    parameters = nbformat.v4.new_code_cell("n: int = 1  # which", metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(IDLE)])
    nbformat.write(notebook, root / "notebooks" / "99_idle.ipynb")
    many = timed(root, "crmlab", "run", "idle", "--sweep", f"n={','.join(map(str, range(IDLE_RUNS)))}", "--jobs", "2")
    few = timed(root, "crmlab", "run", "idle", "--sweep", "n=-1,-2", "--jobs", "2")
    return Measured("the runner's own seconds a report, warm", (many - few) / (IDLE_RUNS - 2), 1.0)


def cache(root):
    """Seconds to look a run up among many stored ones."""
    reports = root / "reports"
    first = store.folders(reports, "idle")[0]
    made = json.loads((first / "manifest.json").read_text())
    for n in range(STORED):
        folder = first.with_name(f"20240101T000000Z-{n:08x}")
        folder.mkdir()
        (folder / "manifest.json").write_text(json.dumps(made | {"key": f"{n:064x}", "run": folder.name}))
    begun = time.perf_counter()
    assert store.find_reusable(reports, "idle", "f" * 64) is None
    return Measured(f"seconds to look a run up among {STORED:,}", time.perf_counter() - begun, 0.3)


def timed(root, command, *arguments):
    """Seconds a command takes in the project at `root`."""
    environment = os.environ | {"CRMLAB_ROOT": str(root), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    begun = time.perf_counter()
    ended = subprocess.run([BIN / command, *arguments], cwd=root, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return time.perf_counter() - begun
