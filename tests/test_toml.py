"""Files of settings: read alike wherever they are, or refused in words."""

import pytest

from crmlab import toml
from crmlab.catalog import entries
from crmlab.contracts import InputError
from crmlab.reports.suite import load_suite


def test_a_file_as_windows_writes_it_is_read(tmp_path):
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xef\xbb\xbf[limits]\r\nrun_seconds = 60\r\n")
    assert toml.read(path, "") == {"limits": {"run_seconds": 60}}
    assert load_suite(path).limits.run_seconds == 60


def test_a_catalog_as_windows_writes_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("CRMLAB_ROOT", str(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "catalog.toml").write_bytes(b'\xef\xbb\xbf[a]\r\npath = "a.csv"\r\nnature = "simulated"\r\n')
    assert list(entries()) == ["a"]


@pytest.mark.parametrize("content", [b"[a", b"a = '\xff'"])
def test_what_is_no_toml_is_refused_by_name(tmp_path, content):
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"own\.toml: cannot be read as TOML \(.*\); correct it"):
        toml.read(path, "")


def test_what_is_not_there_is_refused_as_its_reader_says(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere.toml"):
        with pytest.raises(InputError, match="there is no playbook; give one"):
            toml.read(place, "there is no playbook; give one")
