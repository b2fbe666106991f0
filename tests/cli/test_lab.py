"""crmlab in a notebook: what cells show, what is offered to complete, and a run from within."""

import os
import re
import subprocess
import sys

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

import crmlab
from crmlab.cli import lab
from crmlab.contracts import InputError

from ..public import DOMAINS, PARTS
from ..reports.conftest import TINY, TOLD, write_notebook

SETUP = """
%load_ext crmlab
import crmlab
from crmlab import catalog, clv, lifecycle, segments, service_quality
orders = catalog.orders("cdnow_sample")
customers = clv.summarise(orders, "1997-09-30")
fitted = clv.fit(customers, "bg_nbd")
"""


@pytest.fixture(scope="module")
def shell():
    shell = InteractiveShell()
    shell.run_cell(SETUP).raise_error()
    yield shell
    InteractiveShell.clear_instance()


def shown(shell, cell):
    return shell.display_formatter.format(shell.ev(cell))[0]


def test_a_table_of_an_engine_shows_its_first_rows_and_counts(shell):
    found = shown(shell, "customers")
    assert found["text/plain"].splitlines()[0] == "2,357 rows, 6 columns; the first rows"
    assert len(found["text/plain"].splitlines()) == 7
    assert found["text/html"].count("<tr>") == 5
    assert re.search(r"c-[0-9a-f]{8}", found["text/html"])  # whose rows come first is the engine's


def test_data_show_what_was_found_and_their_first_rows(shell):
    found = shown(shell, "orders")
    for kind in ("text/plain", "text/html"):
        assert "cdnow_sample (real data)" in found[kind]
        assert "6,919 rows, 5 columns" in found[kind]


def test_a_fit_shows_estimates_with_standard_errors(shell):
    found = shown(shell, "fitted")
    assert found["text/plain"].startswith("BGNBD(r=0.2426 ± 0.013")
    for part in ("BG/NBD", "standard error", "0.243", "0.70"):
        assert part in found["text/html"]
    blank = shown(shell, "clv.fit(clv.new_customers(3), 'bg_nbd')")
    assert "<b>BG/NBD</b> could not be fitted: BG/NBD needs repeat orders" in blank["text/html"]


def test_a_check_shows_its_card(shell):
    found = shown(shell, "clv.checks.model_can_be_fitted(clv.Choice('bg_nbd'), customers)")
    assert "✓ Passed" in found["text/html"]
    assert 'class="assumption passed"' in found["text/html"]


NAMED = [f"{domain}{part}" for domain in DOMAINS for part in PARTS] + ["catalog", "crmlab"]


@pytest.mark.parametrize(("name", "jedi"), [*((name, False) for name in NAMED), ("clv", True), ("catalog", True)])
def test_completion_lists_public_names_alone(shell, name, jedi):
    shell.Completer.use_jedi = jedi
    text = f"{name}."
    with provisionalcompleter():
        offered = {found.text.lstrip(".") for found in shell.Completer.completions(text, len(text))}
    public = crmlab.PUBLIC if name == "crmlab" else shell.ev(name).__all__
    assert {each for each in offered if not each.startswith("_")} == set(public)


@pytest.mark.parametrize(
    ("line", "given"),
    [("", ({}, False)), ("--force -p a=1 --parameter 'b=x y'", ({"a": "1", "b": "x y"}, True))],
)
def test_parameters_of_a_run_are_read_as_in_a_shell(line, given):
    assert lab._given(line) == given


@pytest.mark.parametrize(
    ("line", "message"),
    [("clv", "'clv' is not understood; write %crmlab_run"), ("-p a", "-p 'a': write it as name=value")],
)
def test_a_line_that_is_not_understood_says_what_to_write(line, message):
    with pytest.raises(InputError, match=message):
        lab._given(line)


def test_a_notebook_runs_as_a_report_and_links_its_page(tmp_path):
    for folder in ("notebooks", "data"):
        (tmp_path / folder).mkdir()
    (tmp_path / "data" / "catalog.toml").write_text("")
    path = tmp_path / "notebooks" / "02_tiny.ipynb"
    write_notebook(path, TOLD, **TINY)
    code = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("%load_ext crmlab").raise_error()
shell.run_cell("%crmlab_run -p days=7").raise_error()
print(shell.display_formatter.format(shell.user_ns["_"])[0]["text/html"])
"""
    environment = os.environ | {"JPY_SESSION_NAME": str(path), "CRMLAB_ROOT": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", code], cwd=path.parent, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "success: tiny " in ran.stdout
    assert 'target="_blank">../reports/tiny/' in ran.stdout
    (page,) = (tmp_path / "reports" / "tiny").glob("2*/report.html")
    assert "days = 7" in page.read_text()
    assert (tmp_path / "reports" / "index.html").exists()


@pytest.mark.parametrize("name", [None, "elsewhere.ipynb"])
def test_a_notebook_that_is_no_report_is_told_apart(tmp_path, monkeypatch, name):
    monkeypatch.setenv("CRMLAB_ROOT", str(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "catalog.toml").write_text("")
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    if name:
        monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / name))
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: InteractiveShell())
    message = r"is no report; save the notebook in" if name else "does not say which notebook it serves"
    with pytest.raises(InputError, match=message):
        lab.crmlab_run("")
