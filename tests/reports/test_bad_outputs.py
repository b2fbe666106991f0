"""What a notebook puts out that cannot be shown: its run is kept all the same, and its page says what is missing."""

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output

from crmlab.reports import parameters, render, runner, store

from .conftest import TINY, write_notebook
from .samples import text_of

REPORT = "from crmlab.report import Report\nreport = Report('Tiny', answer='clv.value')\nreport.fact('days', days)"
BAD_FIGURE = """
import matplotlib.pyplot as plt
from crmlab.style import axes
ax = axes()
ax.set_title("$\\\\frac{$")
report.figure(ax, "Orders")
"""
BAD_IMAGE = """
from IPython.display import display
display({"image/png": "A", "text/plain": "x"}, raw=True)
"""
BAD_REPR = """
class Bad:
    def __repr__(self):
        raise RuntimeError("no words")
    _repr_html_ = __repr__
Bad()
"""


def run(project, *cells):
    write_notebook(project / "notebooks" / "02_odd.ipynb", *cells, **TINY)
    (job,) = parameters.prepare(project, [("odd", {})])
    folder = runner.run(job, project, project / "reports")
    return folder, store.read(folder), BeautifulSoup((folder / "report.html").read_text("utf-8"), "html.parser")


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    project = tmp_path_factory.mktemp("project")
    (project / "notebooks").mkdir()
    lines = "print('a line of some length' * 1000)\n"
    huge = f"for _ in range(200):\n    {lines}"
    return run(project, REPORT, BAD_FIGURE, BAD_IMAGE, huge, "report")


def test_the_run_is_kept_with_what_it_found(odd):
    _, made, _ = odd
    assert (made.state, made.error) == ("success", None)
    assert made.facts["days"]["value"] == 30


def test_an_answer_whose_facts_are_missing_says_what_there_is(odd):
    _, made, soup = odd
    assert made.answer
    assert text_of(soup, "header .answer p") == made.answer
    assert "{" not in " ".join(made.answer)


def test_the_page_says_what_could_not_be_drawn(odd):
    _, _, soup = odd
    text = soup.select_one("article").get_text()
    assert "Figure “Orders” could not be drawn: ValueError: " in text
    assert "[image that cannot be drawn: Figure: " in text


def test_a_cell_whose_result_has_no_words_ends_the_run_which_is_kept(tmp_path):
    (tmp_path / "notebooks").mkdir()
    _, made, soup = run(tmp_path, REPORT, BAD_REPR)
    assert (made.state, made.error.message, made.facts["days"]["value"]) == ("failed", "no words", 30)
    assert "RuntimeError: no words" in soup.select_one(".banner").get_text()


def test_what_is_printed_beyond_the_limit_is_a_file(odd):
    folder, _, soup = odd
    assert (folder / "outputs" / "cell-6.txt").stat().st_size > 4_000_000
    assert (folder / "report.html").stat().st_size < 1_500_000
    assert [link["href"] for link in soup.select("article a[href^=outputs]")] == ["outputs/cell-6.txt"]


def test_a_page_that_cannot_be_made_leaves_the_run_with_a_page_without_argument(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    real = render.page

    def page(notebook, manifest, kept=None):
        if notebook.cells:
            raise RecursionError("too deep")
        return real(notebook, manifest)

    monkeypatch.setattr(render, "page", page)
    _, made, soup = run(tmp_path, REPORT, "report")
    assert made.facts["days"]["value"] == 30
    assert "The notebook could not be drawn as a page (RecursionError: too deep)" in soup.get_text()


@pytest.mark.parametrize("left", ["x", {"facts": [{"x": 1}]}, {"facts": 3}, {"checks": [{"id": "a"}]}, [1]])
def test_metadata_of_another_program_cost_nothing(left):
    outputs = [new_output("display_data", {"text/plain": "x"}, metadata={"crmlab": each}) for each in
               ({"facts": [{"name": "days", "value": 30}]}, left)]  # fmt: skip
    found = runner.reported(new_notebook(cells=[new_code_cell("x", outputs=outputs)]))
    assert (list(found["facts"]), found["checks"]) == (["days"], [])


@pytest.mark.parametrize("late", ["report.show(3, 'x')", "from crmlab import catalog\ncatalog.orders('no_such')"])
def test_input_that_is_refused_after_something_was_found_keeps_the_run(tmp_path, late):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "catalog.toml").write_text("")
    _, made, _ = run(tmp_path, REPORT, late)
    assert (made.state, made.error.name, made.facts["days"]["value"]) == ("failed", "InputError", 30)
