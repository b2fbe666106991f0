"""The runner is killed in every phase, and at every step of publishing: no run half seen, nothing left over."""

import itertools
import os
import random
import shutil
import signal
import sys
import time

import pytest

from crmlab.cli.reports import index
from crmlab.reports import store

from .conftest import TINY, write_notebook
from .processes import assert_whole, gone, kernels, left_over, start, within
from .test_store import publish

SLOWLY = "import time\ntime.sleep(0.3)"
PHASES = {  # of a run: what shows that it is reached, and seconds within which the blow falls then
    "it starts": (lambda project: True, 0.5),
    "a place is made": (lambda project: left_over(project), 0.5),
    "its kernel starts": (kernels, 0.5),
    "cells are executed": (lambda project: list(project.glob("reports/.staging/*/report.ipynb")), 1.0),
    "its page is made": (lambda project: list(project.glob("reports/.staging/*/facts.json")), 0.1),
    "it is published": (lambda project: list(project.glob("reports/tiny/*/manifest.json")), 0.1),
}
DISK = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "shutil.rmtree"}


def assert_nothing_half_done(project):
    assert_whole(project)
    assert {store.read(f).state for f in store.folders(project / "reports")} <= {"success"}
    store.clean(project / "reports")
    assert not left_over(project)


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
def test_a_runner_killed_in_any_phase_leaves_nothing_half_done(project, phase):
    write_notebook(project / "notebooks" / "02_tiny.ipynb", *[SLOWLY] * 4, **TINY)
    reached, seconds = PHASES[phase]
    process = start(project, "tiny")
    assert within(120, lambda: reached(project)), "the phase never came"
    time.sleep(random.Random(phase).uniform(0, seconds))
    process.kill()
    process.wait()
    assert gone(f"CRMLAB_STAGING={project}"), "a process outlived its runner"
    assert_nothing_half_done(project)
    assert bool(store.folders(project / "reports")) == (phase == "it is published")


def killed_at(step, work, folder):
    """Whether a process that does `work` is killed before it does its so many-th thing to the `folder`."""
    child = os.fork()
    if child == 0:
        steps = itertools.count(1)

        def strike(event, arguments):
            if event in DISK and str(folder) in "".join(map(str, arguments)) and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(strike)
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_a_publisher_killed_before_any_of_its_steps_leaves_nothing_half_done(project):
    reports, pages = project / "reports", set()

    def work():
        publish(reports)
        index()

    work()  # here too, so that nothing is left to load
    before, step = project / "before", 1
    shutil.copytree(reports, before, symlinks=True)
    while killed_at(step, work, reports):
        step += 1
        assert_nothing_half_done(project)
        assert (reports / "index.html").read_text("utf-8").rstrip().endswith("</html>")
        assert (reports / "small" / "latest").resolve() in store.folders(reports)
        pages.add(len(store.folders(reports)))
        shutil.rmtree(reports)
        shutil.copytree(before, reports, symlinks=True)  # so that no step is put off by the runs of those before
    assert step > 20
    assert pages == {1, 2}, "it was killed both before and after its run could be seen"
    work()
    assert (reports / "small" / "latest").resolve() == store.folders(reports)[0]
