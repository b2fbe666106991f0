"""How far runs are, on a terminal."""

from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console

from crmlab.reports.progress import show_progress

JOB = SimpleNamespace(report=SimpleNamespace(name="clv"), given={"model": "[bold]"})


def test_a_terminal_shows_a_bar_for_each_run_at_work():
    written = StringIO()
    console = Console(file=written, force_terminal=True, width=120)
    with show_progress(console) as started:
        started(JOB)(3, 8)
    assert "clv model=[bold]" in written.getvalue()
    assert "3/8" in written.getvalue()


def test_elsewhere_nothing_is_shown():
    written = StringIO()
    with show_progress(Console(file=written)) as started:
        started(JOB)(3, 8)
    assert written.getvalue() == ""


def test_an_interruption_ends_in_words():
    written = StringIO()
    with pytest.raises(SystemExit) as ended, show_progress(Console(file=written)):
        raise KeyboardInterrupt
    assert ended.value.code == 130
    assert written.getvalue() == "interrupted: what was running is ended and not kept\n"
