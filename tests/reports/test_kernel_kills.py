"""The kernel is killed in every phase: no run is misnamed, nothing left over."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from crmlab.reports import store

from ..shell import crmlab
from .conftest import TINY, TOLD, write_notebook
from .processes import assert_whole, gone, kernels, left_over, within

HERE = "import pathlib, time\npathlib.Path(os.environ['CRMLAB_ROOT'], 'here').touch()\n"
WAITS = HERE + "time.sleep(600)"
PHASES = {  # the cells of a notebook, in or after which the blow falls
    "it starts": ["time.sleep(600)", TOLD],
    "its first cell": [WAITS, TOLD],
    "a cell between others": ["done = 1", WAITS, TOLD],
    "the cell that has shown its report": [f"{TOLD.removesuffix('report')}display(report)\n{WAITS}"],
    "the end of its last cell": [HERE + TOLD],
}


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
def test_a_kernel_killed_in_any_phase_is_never_called_a_success(project, phase):
    write_notebook(project / "notebooks" / "02_tiny.ipynb", *PHASES[phase], **TINY)
    reached = (project / "here").exists if "cell" in phase else lambda: True
    with ThreadPoolExecutor(1) as thread:
        run = thread.submit(crmlab, "run", "tiny", "--force", cwd=project)
        assert within(60, lambda: kernels(project)), "no kernel came"
        assert within(60, reached), "the phase never came"
        time.sleep(0.05)
        for kernel in kernels(project):
            with suppress(ProcessLookupError):
                os.kill(kernel, signal.SIGKILL)
        done = run.result()
    assert_whole(project)
    (folder,) = store.folders(project / "reports")
    made = store.read(folder)
    assert made.state == "killed" or (made.state, phase) == ("success", "the end of its last cell")
    assert (made.state == "success") == (done.returncode == 0)
    assert gone(f"CRMLAB_STAGING={project}")
    assert not left_over(project)
