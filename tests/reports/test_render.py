import base64
import copy
import re
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_markdown_cell, new_notebook, new_output

from crmlab.reports import render
from crmlab.reports.manifest import STATES

from . import samples
from .samples import text_of


def parsed(notebook, manifest):
    return BeautifulSoup(render.page(notebook, manifest), "html.parser")


@pytest.fixture(scope="module")
def good():
    return parsed(samples.good_notebook(), samples.manifest())


@pytest.fixture(scope="module")
def failed():
    return parsed(samples.failed_notebook(), samples.failed_manifest())


def test_the_page_opens_with_the_answer(good):
    assert good.title.string == "Customer value over 180 days (clv, 22 Nov 2026, 01:10 UTC)"
    assert text_of(good, "h1") == ["Customer value over 180 days"]
    assert [tag.get("id") or tag.name for tag in good.select("main > *")][:2] == ["section", "nav"]
    assert text_of(good, "header .answer p") == samples.REPORTED["answer"]
    assert text_of(good, ".short h3") == ["Facts", "Checks", "Notes"]
    assert text_of(good, "footer h2") == ["Parameters", "Provenance", "Cite this run", "Approvals"]
    assert not good.select(".banner")


def test_facts_come_in_order_by_kind_with_each_interval_in_its_own_column(good):
    heads = text_of(good, ".short .facts thead th")
    assert heads == ["Fact", "Value", "Unit", "95 % confidence interval", "95 % prediction interval"]
    cells = [
        [re.sub(r"\s+", " ", c.get_text(" ", strip=True)) for c in row(["th", "td"])]
        for row in good.select(".facts tbody tr")
    ]
    assert cells == [
        ["customers", "2,357", "", "", ""],
        ["orders expected", "1,671", "orders", "", "1,602 to 1,744"],
        ["mean value", "29.38", "USD", "27.12 to 31.90", ""],
        ["share gone", "50.0 %", "", "", ""],
        ["fifth", "blank: there are no repeat buyers"],
    ]


def test_a_column_of_intervals_that_no_fact_has_is_left_out():
    facts = {"customers": {"value": 7, "kind": "count"}}
    soup = parsed(new_notebook(), samples.manifest(facts=facts))
    assert text_of(soup, ".facts thead th") == ["Fact", "Value", "Unit"]


def test_facts_beyond_the_headline_fold():
    many = {f"fact_{number}": {"value": number} for number in range(render.HEADLINE + 2)}
    soup = parsed(new_notebook(), samples.manifest(facts=many))
    assert len(soup.select(".facts tbody tr")) == len(many)
    assert text_of(soup, "details.more summary, details.more tbody th") == ["2 more facts", "fact 8", "fact 9"]
    del many["fact_9"]
    assert text_of(parsed(new_notebook(), samples.manifest(facts=many)), "details.more summary") == ["1 more fact"]


def test_parameters_say_which_were_given(good):
    assert text_of(good, ".parameters li") == [
        "data = cdnow_sample", "split = none", "horizon_days = 180 given", "discount_annual = 0.1",
    ]  # fmt: skip


def test_checks_are_counted_and_grouped_by_kind_and_say_what_to_do(good):
    assert text_of(good, ".counted") == ["1 passed, 1 failed; 1 finding"]
    assert text_of(good, ".short h4") == [
        "Assumptions of the models", "Comparisons against baselines", "Findings",
    ]  # fmt: skip
    assert text_of(good, ".short .checks li") == [
        "✗ Failed Spend is independent The correlation is 0.4000. Use the joint model.",
        "✓ Passed Closer than the past rate The error is lower by 0.2000.",
        "● Yes Retention rises It rises by heterogeneity.",
    ]
    assert [tag["class"][1] for tag in good.select(".short .checks .state")] == ["bad", "good", "neutral"]


def test_checks_that_failed_come_first_within_their_kind():
    empty = {"kind": "assumption", "summary": "", "recommendation": "", "values": {}}
    outcomes = ("not applicable", "passed", "undecided", "failed")
    made = [{"id": f"clv.{outcome}", "outcome": outcome, "claim": outcome} | empty for outcome in outcomes]
    soup = parsed(new_notebook(), samples.manifest(checks=made))
    assert text_of(soup, ".short .checks strong") == ["failed", "undecided", "passed", "not applicable"]
    assert text_of(soup, ".counted") == ["1 passed, 1 failed, 1 undecided, 1 not applicable"]


@pytest.mark.parametrize(
    ("nature", "told"), [("real", "real data"), ("simulated", "simulated data, not real"), ("of another kind",) * 2]
)
def test_data_say_what_they_are_and_of_when(nature, told):
    soup = parsed(new_notebook(), samples.manifest(data=[samples.source(nature=nature)]))
    span = "6,919 rows of 2,357 customers, 1 Jan 1997 to 30 Jun 1998."
    assert text_of(soup, ".data")[0].startswith(f"{told} cdnow_sample : {span}")


@pytest.mark.parametrize(
    ("kind", "outcome", "colour"),
    [
        ("assumption", "failed", "bad"),
        ("comparison", "failed", "bad"),
        ("comparison", "passed", "good"),
        ("assumption", "undecided", "neutral"),
        ("comparison", "not applicable", "neutral"),
        ("finding", "no", "neutral"),
        ("finding", "yes", "neutral"),
        ("older", "failed", "neutral"),
    ],
)
def test_red_are_failed_assumptions_and_lost_comparisons_alone(kind, outcome, colour):
    check = {"id": "", "kind": kind, "outcome": outcome, "claim": "c", "summary": "s", "recommendation": ""}
    soup = parsed(new_notebook(), samples.manifest(checks=[check]))
    assert soup.select_one(".short .checks .state")["class"][1:] == [colour]


def test_intervals_of_several_levels_each_name_theirs():
    facts = {
        "orders": {"value": 7, "ci_low": 6, "ci_high": 8, "level": 0.9},
        "value": {"value": 7, "ci_low": 6, "ci_high": 8, "level": 0.95},
    }
    soup = parsed(new_notebook(), samples.manifest(facts=facts))
    assert text_of(soup, ".facts thead th")[-1] == "Confidence interval"
    assert text_of(soup, ".facts td:last-child") == ["6 to 8 (90 %)", "6 to 8 (95 %)"]
    del facts["value"]
    soup = parsed(new_notebook(), samples.manifest(facts=facts))
    assert text_of(soup, ".facts thead th, .facts td")[3:] == ["90 % confidence interval", "7", "", "6 to 8"]


def test_what_an_interval_bounds_is_said_once():
    many = {f"fact_{number}": {"value": 1, "ci_low": 0, "ci_high": 2} for number in range(render.HEADLINE + 2)}
    soup = parsed(new_notebook(), samples.manifest(facts=many))
    assert soup.get_text().count("interval bounds the") == 1


@pytest.mark.parametrize("title", ["Customer value", ""])
def test_a_title_that_the_notebook_opens_with_is_said_once(title):
    soup = parsed(samples.good_notebook(), samples.manifest(title=title))
    assert text_of(soup, "h1, article h2") == ["Customer value", "Load", "Load"]
    assert [(a["href"], a.parent["class"]) for a in soup.select("nav.contents a")] == [
        ("#h-load", ["level-2"]), ("#h-deep", ["level-3"]), ("#h-load-2", ["level-2"]),
    ]  # fmt: skip


def test_the_report_is_lifted_and_its_tables_stay(good):
    assert not good.select(".crmlab-report")
    assert good.select(".cell")[-1].find("a", href="#in-short")
    assert text_of(good, "article .stem") == ["Table 1", "Table 2", "Table 3", "Table 4: calibration", "Table 5: value"]
    assert [stem["id"] for stem in good.select("article .stem")] == [f"table-{number}" for number in range(1, 6)]


def test_data_that_the_catalog_does_not_know_of_bear_their_nature_too():
    asked = {"name": "survey.csv", "nature": "simulated", "about": "Customers of a shop: survey.csv."}
    soup = parsed(new_notebook(), samples.manifest(data=[], sources=[asked]))
    assert text_of(soup, "header .data") == ["simulated data, not real Customers of a shop: survey.csv."]
    assert soup.select_one("header .badge")["class"] == ["badge", "simulated"]


def test_a_report_that_was_not_lifted_stays_where_it_is():
    soup = parsed(samples.good_notebook(), samples.failed_manifest())
    assert len(soup.select(".crmlab-report")) == 1


def test_a_run_of_the_older_form_says_so():
    soup = parsed(new_notebook(), samples.manifest(schema_version=1))
    assert "older form" in soup.select_one("header").get_text()


def test_the_contents_lead_to_every_heading(good):
    links = [a["href"][1:] for a in good.select("nav.contents a")]
    assert links == ["h-customer-value", "h-load", "h-deep", "h-load-2"]
    assert [good.find(id=link).name for link in links] == ["h2", "h3", "h4", "h3"]
    ids = [tag["id"] for tag in good.select("[id]")]
    assert len(ids) == len(set(ids))


def test_every_link_within_a_page_leads_somewhere(good, failed):
    for soup in (good, failed):
        ids = {tag["id"] for tag in soup.select("[id]")}
        assert {a["href"][1:] for a in soup.select("a[href^='#']")} <= ids


def test_code_folds_and_cells_are_numbered_without_blank_ones(good):
    assert text_of(good, "details.code summary")[:3] == [
        "Code of cell 1: parameters", "Code of cell 2: parameters of this run", "Code of cell 3",
    ]  # fmt: skip
    assert [cell["id"] for cell in good.select(".cell")] == [f"cell-{n}" for n in range(1, 8)]
    assert not good.select("details.code[open]")
    assert good.select(".highlight .c1")


def test_figures_have_words_a_size_and_no_object_beside_them(good):
    figures = good.select("figure img")
    assert [img["alt"] for img in figures] == [
        "Figure: Orders against Week ending",
        "Figure: Gains of 'A' & \"B\", Share of orders against Share of customers",
    ]
    assert {(img["width"], img["height"]) for img in figures} == {("691", "384")}
    assert "<Axes" not in good.get_text()
    assert "<Figure" not in good.get_text()


@pytest.mark.parametrize(
    ("shown", "alt"),
    [
        ("<Axes: xlabel='a'>", "Figure: a"),
        ("<PolarAxes: title={'left': 'L', 'right': 'R'}>", "Figure: L, R"),
        ("<Axes: >", "Figure"),
        ("<Axes: xlabel=__import__('os')>", "Figure"),
        ("<Axes: xlabel='a'), f('>", "Figure"),
        ("<seaborn.axisgrid.FacetGrid at 0x7f>", "Figure"),
    ],
)
def test_a_figure_s_words_are_read_and_never_run(shown, alt):
    axes, figure = samples.drawn()
    axes.data["text/plain"] = shown
    (image,) = parsed(new_notebook(cells=[samples.code("x", axes, figure)]), samples.manifest()).select("img")
    assert image["alt"] == alt


def test_an_axes_without_its_figure_is_shown():
    soup = parsed(new_notebook(cells=[samples.code("x", samples.drawn()[0])]), samples.manifest())
    assert "<Axes: xlabel='Week ending'" in soup.article.get_text()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ({"image/png": "AAAA"}, "it is no image"),
        ({"image/png": "A"}, "Invalid base64-encoded string: number of data characters (1) cannot be 1 more than"),
        ({"image/jpeg": "AAA"}, "Incorrect padding"),
        ({"image/png": base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"junk" * 9).decode()}, ""),
    ],
)
def test_a_picture_that_cannot_be_read_leaves_words(data, fault):
    soup = parsed(new_notebook(cells=[samples.code("x", new_output("display_data", data))]), samples.manifest())
    assert not soup.select("figure img")
    assert text_of(soup, ".cell > pre")[0].startswith(f"[image that cannot be drawn: Figure: {fault}")


def test_a_figure_has_its_title_as_caption_and_links_to_its_files_alone():
    files = ["figures/orders.svg", "figures/orders.csv", "../secret.csv", "figures/../a.svg", 5]
    about = {"alt": "Orders rise from 1 to 3.", "title": "Orders", "files": files}
    (_, figure) = samples.drawn()
    figure.metadata = about
    soup = parsed(new_notebook(cells=[samples.code("x", figure)]), samples.manifest(figures=["Orders"]))
    assert text_of(soup, "article figcaption") == ["Figure 1: Orders SVG data"]
    assert [link["href"] for link in soup.select("article figcaption a")] == files[:2]
    assert text_of(soup, "#headline-figure figcaption") == ["Figure 1: Orders SVG data"]
    assert [image["alt"] for image in soup("img")] == ["Orders rise from 1 to 3."] * 2
    assert not soup.select("[data-files], [data-title]")
    page = render.page(new_notebook(cells=[samples.code("x", figure)]), samples.manifest(), {"figures/orders.svg"})
    soup = BeautifulSoup(page, "html.parser")
    assert [link["href"] for link in soup.select("article figcaption a")] == ["figures/orders.svg"]


def test_several_figures_of_a_cell_are_counted():
    cell = samples.code("x", *samples.drawn(), samples.drawn()[1])
    soup = parsed(new_notebook(cells=[cell]), samples.manifest())
    assert [img["alt"] for img in soup("img")] == ["Figure 1 of 2", "Figure 2 of 2"]


def test_numbers_stand_right_and_words_left(good):
    for row in good.select("table.crmlab")[0]("tr"):  # customer_id, mean_spend
        assert [cell.get("class") for cell in row(["td", "th"])] == [None, ["n"]]


def test_every_table_scrolls_in_a_box_that_the_keyboard_reaches(good):
    boxes = [table.parent for table in good("table")]
    assert {(box["class"][0], box["tabindex"], box["role"]) for box in boxes} == {("scroll", "0", "region")}
    labels = [box["aria-label"] for box in boxes]
    assert len(set(labels)) == len(labels)
    assert "Table 4: calibration" in labels


def test_the_footer_says_what_the_run_was_made_from(good):
    footer = " ".join(text_of(good, "footer"))
    hashes = ("cd" * 32, "ab" * 32, "e" * 40, "f" * 64, "1" * 64)
    words = (
        "20261122T011030Z-0a1b2c3d",
        "12.3 s (execute 12.0 s)",
        "with changes not committed",
        "Python 3.11.2",
        "Seed 7",
    )
    assert [told for told in (*hashes, *words, "crmlab 0.1.0", "notebooks/02_clv.ipynb") if told not in footer] == []


def test_what_is_not_known_is_said():
    code = samples.Code(commit=None, dirty=None, sha256="f" * 64)
    lockless = samples.Environment(python="3.11", platform="linux", lock_sha256=None, packages={})
    run = samples.manifest(code=code, environment=lockless, seed=None, data=[samples.source(sha256=None)])
    footer = " ".join(text_of(parsed(new_notebook(), run), "footer"))
    for told in (
        "no content hash: a table on an engine",
        "no commit known",
        "Lock none found",
        "Seed none",
        "version not known",
    ):
        assert told in footer


def test_files_are_linked_and_private_tables_never():
    stems = ["calibration", "private/value", "x/../private/y", "../../secret", "Private/z", "a b#c"]
    links = [a["href"] for a in parsed(samples.good_notebook(), samples.manifest(tables=stems)).select(".files a")]
    assert links == ["report.ipynb", "manifest.json", "facts.json", "tables/calibration.csv", "tables/a%20b%23c.csv"]


@pytest.mark.parametrize("state", [s for s in STATES if s != "success"])
def test_a_run_that_did_not_succeed_says_so_first(state):
    soup = parsed(samples.failed_notebook(), samples.failed_manifest(state=state))
    told = render.environment().globals["states"][state][0]
    assert soup.title.string.startswith(f"{told}: ")
    assert text_of(soup, "main > *")[0].startswith(f"✗ {told} : ")
    assert text_of(soup, ".state.stopped") == [f"✗ {told}"]
    assert not soup.select("header .state, .state.bad")


def test_the_banner_names_the_error_and_leads_to_its_cell(failed):
    (banner,) = text_of(failed, ".banner")
    assert f"ValueError : no orders left {samples.HOSTILE}" in banner
    (link,) = failed.select(".banner a")
    cell = failed.find(id=link["href"][1:])
    assert "failed" in cell["class"]
    assert cell.details.has_attr("open")
    assert "fit(orders)" in cell.get_text()
    assert text_of(failed, "h1") == ["Customer value"]
    assert "The run ended before it reached a result." in failed.select_one(".short").get_text()


def test_an_error_without_a_cell_has_no_link():
    died = samples.Error(cell=None, name="DeadKernelError", message="")
    soup = parsed(new_notebook(), samples.failed_manifest(error=died))
    assert not soup.select(".banner a")


def test_an_error_shows_its_message_and_folds_its_traceback(failed, good):
    (error,) = failed.select(".error")
    assert text_of(error, ".message") == [f"ValueError : no orders left {samples.HOSTILE}"]
    assert "Traceback (most recent call last)" in error.details.pre.get_text()
    assert "\x1b" not in str(failed)
    assert text_of(good, "pre.stderr") == ["a warning"]


def test_what_papermill_says_of_an_error_is_left_out(failed):
    assert "An Exception was encountered" not in failed.get_text()


def test_an_attached_picture_is_shown():
    cell = new_markdown_cell("![seen](attachment:a.png)", attachments={"a.png": {"image/png": "AAAA"}})
    (image,) = parsed(new_notebook(cells=[cell]), samples.manifest()).select("img")
    assert (image["src"], image["alt"]) == ("data:image/png;base64,AAAA", "seen")


def test_no_number_has_seventeen_digits(good):
    good = copy.copy(good)
    for tag in good(["style", "script", "footer"]):
        tag.decompose()
    assert not re.findall(r"\d\.\d{9,}", good.get_text())


def test_markdown_keeps_its_tables_and_code(good):
    assert text_of(good, ".prose td") == ["split", "a day"]
    assert good.select(".prose .highlight .s1")
    assert good.select_one(".prose a")["href"] == "https://example.org/paper"


def test_the_notebook_given_is_left_as_it_is():
    notebook = samples.failed_notebook()
    before = copy.deepcopy(notebook)
    render.page(notebook, samples.failed_manifest())
    assert notebook == before


def test_the_same_run_makes_the_same_page():
    notebook = samples.good_notebook()
    assert render.page(notebook, samples.manifest()) == render.page(notebook, samples.manifest())


def test_an_empty_notebook_makes_a_page():
    soup = parsed(new_notebook(), samples.manifest(None))
    assert not soup.select("nav, .tools, figure")
    assert text_of(soup, "h1") == ["clv"]


def test_a_table_of_a_foreign_shape_is_left_alone():
    html = '<table data-kinds="tn"><tr><td colspan="2">both</td></tr></table>'
    cell = samples.code("x", new_output("display_data", {"text/html": html}))
    assert not parsed(new_notebook(cells=[cell]), samples.manifest()).select("article td.n")


def test_the_index_needs_no_notebook_library():
    told = "import sys, crmlab.reports.site; print({'nbconvert', 'matplotlib', 'papermill'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True).stdout.strip() == "set()"


def test_tables_that_are_kept_are_listed_after_the_argument_and_private_ones_not_linked():
    lines = {"back test": "errors", "private/scores": "a row a customer", "gone": "blank: no orders"}
    cells = [
        samples.code(
            "report", new_output("display_data", {"text/html": f'<p class="crmlab-kept" data-stem="{stem}">{line}</p>'})
        )
        for stem, line in lines.items()
    ]
    soup = parsed(new_notebook(cells=cells), samples.manifest(tables=["back test", "private/scores"]))
    section = soup.select_one("section[aria-labelledby=further-tables]")
    assert text_of(section, "li") == list(lines.values())
    assert [link["href"] for link in section("a")] == ["tables/back%20test.csv"]
    assert not soup.select("article .output")


def test_of_two_figures_of_a_title_the_last_has_the_files():
    figures = []
    for name in ("orders", "orders"):
        (_, figure) = samples.drawn()
        figure.metadata = {"alt": "x", "title": "Orders", "files": [f"figures/{name}.svg"]}
        figures.append(samples.code("x", figure))
    soup = parsed(new_notebook(cells=figures), samples.manifest(figures=["Orders"]))
    assert [len(caption("a")) for caption in soup.select("article figcaption")] == [0, 1]
