"""What tests of settings share."""

import pytest


@pytest.fixture
def write(tmp_path):
    """Writes a file of settings, and says where."""

    def written(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, "utf-8")
        return path

    return written
