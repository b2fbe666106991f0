"""The kernel is killed at any moment: no run is misnamed, nothing left over."""

import os
import random
import signal
import time
from contextlib import suppress

import pytest

from crmlab.reports import store

from .conftest import RESULT, write_notebook
from .processes import assert_whole, gone, left_over, processes, start

SLOWLY = "import time\ntime.sleep(0.3)"


@pytest.mark.slow
def test_a_kernel_killed_at_any_moment_is_never_called_a_success(project):
    write_notebook(project / "notebooks" / "01_small.ipynb", *[SLOWLY] * 4, RESULT.strip())
    moments, seen = random.Random(7), []
    for _ in range(10):
        process = start(project)
        kernels, until = [], time.monotonic() + 30
        while not kernels and time.monotonic() < until:
            kernels = processes(f"CRMLAB_STAGING={project}", "ipykernel_launcher")
        time.sleep(moments.uniform(0, 4))
        struck = [k for k in kernels if k in processes(f"CRMLAB_STAGING={project}", "ipykernel_launcher")]
        for kernel in struck:
            with suppress(ProcessLookupError):
                os.kill(kernel, signal.SIGKILL)
        process.wait(180)
        assert_whole(project)
        made = store.read(store.folders(project / "reports")[0])
        seen.append(made.state)
        assert (made.state == "success") == (made.facts != {})
        assert made.state in ("success", "killed")
        assert (process.returncode == 0) == (made.state == "success")
        assert gone(f"CRMLAB_STAGING={project}")
        assert not left_over(project)
    assert len(store.folders(project / "reports")) == 10
    assert "killed" in seen
