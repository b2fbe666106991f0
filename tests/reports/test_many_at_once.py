"""Many runs at once: none is lost or half seen."""

import os
import subprocess
import sys
import time

import pytest

from crmlab.cli.reports import index
from crmlab.reports import store

from .conftest import TINY, write_notebook
from .processes import assert_whole, within
from .test_store import publish

AT_ONCE = """
import os
import sys

from crmlab.cli import main
from crmlab.reports import compare, render, runner, site  # once, instead of in every process

sys.argv = ["crmlab", "run", "tiny", "--force"]
children = []
for _ in range(8):
    children.append(os.fork())
    if children[-1] == 0:
        main()
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children], file=sys.stderr)
"""


def assert_all_are_in_the_index(project, report, count):
    assert_whole(project)
    folders = store.folders(project / "reports")
    assert len(folders) == count
    index = (project / "reports" / "index.html").read_text()
    assert all(folder.name in index for folder in folders)
    assert (project / "reports" / report / "latest").resolve() == folders[0]


@pytest.mark.slow
def test_eight_processes_at_once_make_eight_whole_runs_in_the_index(project):
    write_notebook(project / "notebooks" / "02_tiny.ipynb", "days", **TINY)
    done = subprocess.run([sys.executable, "-c", AT_ONCE], cwd=project, capture_output=True, text=True)
    assert done.stderr == f"{[0] * 8}\n"
    assert_all_are_in_the_index(project, "tiny", 8)


def at_once(*works):
    """Exit codes of processes that do these works, none before all are there."""
    gate, opener = os.pipe()
    children = []
    for work in works:
        children.append(os.fork())
        if children[-1] == 0:
            try:
                os.close(opener)
                os.read(gate, 1)
                work()
            except BaseException:
                os._exit(1)
            os._exit(0)
    os.close(gate)
    os.close(opener)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def test_twenty_processes_that_publish_at_once_are_all_in_the_index(project):
    def work():
        publish(project / "reports")
        index()

    work()  # here too, so that nothing is left to load
    assert at_once(*[work] * 20) == [0] * 20
    assert_all_are_in_the_index(project, "small", 21)


def test_a_slow_index_is_not_written_over_one_that_knows_more(project, monkeypatch):
    listed, listed_once = store.folders, project / "listed"

    def slowly(*asked):
        found = listed(*asked)
        listed_once.touch()
        time.sleep(0.3)
        return found

    def slow():
        monkeypatch.setattr(store, "update_links", lambda reports: None)  # so that the page alone is slow
        monkeypatch.setattr(store, "folders", slowly)
        index()

    def quick():
        assert within(10, listed_once.exists)
        publish(project / "reports")
        index()

    publish(project / "reports")
    assert at_once(slow, quick) == [0, 0]
    assert_all_are_in_the_index(project, "small", 2)
