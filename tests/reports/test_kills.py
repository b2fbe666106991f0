"""The runner is killed at any moment: no run half seen, nothing left over."""

import random
import subprocess
from contextlib import suppress

import pytest

from crmlab.reports import store

from .conftest import RESULT, write_notebook
from .processes import assert_whole, gone, left_over, start

SLOWLY = "import time\ntime.sleep(0.3)"
LONGEST = 8  # seconds from start to end of such a run, on a slow machine


@pytest.fixture
def slowly(project):
    write_notebook(project / "notebooks" / "01_small.ipynb", *[SLOWLY] * 4, RESULT.strip())
    return project


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
