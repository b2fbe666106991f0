"""A schedule from a shell: what is due is run and shown, and given to systemd and cron."""

import shutil
import subprocess

import pytest

from ..reports.conftest import TINY, TOLD, lay_out, project, write_notebook  # noqa: F401, a fixture
from ..shell import crmlab, missing

NIGHTLY = """
[[run]]
report = "tiny"
every = "day"
at = "03:15"
time_zone = "Europe/Berlin"

[[run]]
report = "small"
every = "week"
at = "mon 04:00"
needs = ["tiny"]

[notices]
command = ["sh", "-c", "cat >> told.txt"]
"""


@pytest.fixture
def planned(project):  # noqa: F811
    write_notebook(project / "notebooks" / "02_tiny.ipynb", TOLD, **TINY)
    (project / "notebooks" / "suite.toml").write_text(NIGHTLY)
    return project


def test_what_is_due_is_run_once_and_shown(planned):
    shown = crmlab("schedule", cwd=planned).stdout
    assert "tiny: next " in shown
    assert "Europe/Berlin\n  due now: 1 to run\n" in shown
    first = crmlab("run-due", "--as-of", "2026-11-30T05:00", cwd=planned)
    assert first.returncode == 0, first.stderr
    assert [line.split()[:4:3] for line in first.stdout.splitlines()[1:3]] == [["tiny", "UTC"], ["small", "UTC"]]
    assert first.stdout.count("done") == 2
    again = crmlab("run-due", "--as-of", "2026-11-30T05:00", cwd=planned)
    assert (again.returncode, again.stdout) == (0, "nothing is due\n")
    assert "  last: 2026-11-30 02:15 UTC done: " in crmlab("schedule", cwd=planned).stdout
    assert not (planned / "told.txt").exists()  # nothing to tell
    assert crmlab("verify", cwd=planned).returncode == 0


def test_a_run_that_fails_ends_with_one_and_somebody_is_told(planned):
    write_notebook(planned / "notebooks" / "02_tiny.ipynb", "raise KeyError('00123')", **TINY)
    done = crmlab("run-due", "--as-of", "2026-11-30T05:00", cwd=planned)
    assert done.returncode == 1
    told = (planned / "told.txt").read_text()
    assert told.startswith("crmlab: 1 run failed\n\ntiny (2026-11-30 02:15 UTC): failed\n  KeyError in cell 3\n")
    assert "00123" not in told


def test_refused_input_ends_with_two(planned):
    (planned / "notebooks" / "suite.toml").write_text(
        '[[run]]\nreport = "small"\nevery = "day"\nparameters = { data = "nowhere" }\n'
    )
    done = crmlab("run-due", cwd=planned)
    assert done.returncode == 2
    assert "rejected" in done.stdout


@pytest.mark.parametrize(
    ("suite", "said"),
    [
        ('[[run]]\nreport = "small"\n', "nothing is scheduled; write [[run]] with"),
        ('[[run]]\nreport = "small"\nevery = "0 0 1 1 * *"\n', "the five fields of cron"),
        ('[[run]]\nreport = "small"\nevery = "day"\ntime_zone = "Mars"\n', "is no time zone"),
    ],
)
def test_a_schedule_that_is_none_is_refused(planned, suite, said):
    (planned / "notebooks" / "suite.toml").write_text(suite)
    for command in ("run-due", "schedule"):
        done = crmlab(command, cwd=planned)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_cron_gets_a_line_whose_paths_are_quoted(planned):
    line = crmlab("schedule", "cron", cwd=planned).stdout
    assert line.startswith(f"*/5 * * * * cd {planned} && ")
    assert line.endswith(f"crmlab run-due >> {planned}/reports/due.log 2>&1\n")


@pytest.mark.parametrize("name", ["plain", "with blank", "100%", 'a "quote"'])
def test_systemd_takes_the_units_without_a_word(tmp_path, monkeypatch, name):
    if not shutil.which("systemd-analyze"):
        missing("systemd", "systemd-analyze is not installed; it comes with Debian's systemd")
    (tmp_path / name).mkdir()
    root = lay_out(tmp_path / name)
    (root / "notebooks" / "suite.toml").write_text('[[run]]\nreport = "small"\nevery = "day"\n')
    monkeypatch.setenv("CRMLAB_ROOT", str(root))
    done = crmlab("schedule", "systemd", "--to", str(tmp_path / "units"), cwd=root)
    assert done.returncode == 0, done.stderr
    assert "systemctl --user enable --now crmlab.timer" in done.stdout
    units = sorted((tmp_path / "units").iterdir())
    assert [unit.name for unit in units] == ["crmlab.service", "crmlab.timer"]
    assert "Persistent=true" in units[1].read_text()
    checked = subprocess.run(["systemd-analyze", "verify", *map(str, units)], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert units[0].read_text() in crmlab("schedule", "print", cwd=root).stdout
