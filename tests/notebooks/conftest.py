"""A copy of the project's notebooks and data, whose reports a test may run and spoil."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = tmp_path_factory.mktemp("project")
    for folder in ("notebooks", "data"):
        shutil.copytree(ROOT / folder, project / folder)
    return project
