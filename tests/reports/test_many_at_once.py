"""Many runs at once: none is lost or half seen."""

import pytest

from crmlab.reports import store

from .conftest import RESULT, write_notebook
from .processes import assert_whole, start


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
