import pytest
from nbformat.v4 import new_notebook, new_output

from crmlab.reports import comparison, render, site

from ..reports import samples

pytestmark = pytest.mark.browser

RUNS = {
    "20261122T011030Z-00000000": (samples.good_notebook, samples.manifest),
    "20261122T021030Z-00000000": (samples.failed_notebook, samples.failed_manifest),
    "20261122T031030Z-00000000": (samples.hostile_notebook, samples.hostile_manifest),
}
PAGES = ("good", "failed", "hostile", "index", "comparison")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Paths of the pages: of each of RUNS, and of the index of them."""
    reports = tmp_path_factory.mktemp("reports")
    paths = {"index": reports / "index.html"}
    for name, (run, (notebook, manifest)) in zip(PAGES, RUNS.items(), strict=False):
        folder = reports / "clv" / run
        folder.mkdir(parents=True)
        made = manifest().model_copy(update={"run": run, "artefacts": {"report.html": "0" * 64}})
        paths[name] = folder / "report.html"
        paths[name].write_text(render.page(notebook(), made), "utf-8")
        (folder / "manifest.json").write_text(made.model_dump_json())
    site.build(reports)
    compared = comparison.compare(paths["good"].parent, paths["hostile"].parent)
    paths["comparison"] = site.write_comparison(reports, compared, approved=True)
    return paths


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_and_says_no_error(read, pages, name):
    page = read(pages[name])
    assert [address for address in page.asked if not address.startswith("data:")] == [pages[name].as_uri()]
    assert page.said == []


def test_a_page_that_would_ask_is_not_answered(read, pages, tmp_path):
    would_ask = "<head><img src='https://example.org/a.png'></head>"
    (tmp_path / "page.html").write_text(pages["good"].read_text().replace("</head>", f"</head>{would_ask}"))
    page = read(tmp_path / "page.html")
    assert any("Content Security Policy" in message for message in page.said)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_its_window(read, pages, name):
    page = read(pages[name])
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    for width in (360, 390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        reach = "[...document.querySelectorAll('figure')].map(figure => figure.getBoundingClientRect().right)"
        assert all(right <= width for right in page.evaluate(reach))


def test_a_figure_keeps_its_letters_on_a_telephone_and_is_moved_sideways(read, pages):
    page = read(pages["good"], 390)
    figure = page.locator("article figure").first
    assert figure.locator("img").evaluate("image => image.getBoundingClientRect().width") >= 36 * 16
    figure.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(200)
    assert page.evaluate("document.activeElement.scrollLeft") > 0
    page = read(pages["good"], 1280)
    image, box = (page.locator(f"article figure{part}").first.bounding_box() for part in (" img", ""))
    assert image["width"] <= box["width"]


@pytest.mark.parametrize("name", ["good", "failed", "index", "comparison"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(read, pages, name, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = read(pages[name], 390, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    assert found.violations_count == 0, found.generate_report()


def test_dark_is_dark_and_figures_stay_on_white(read, pages):
    page = read(pages["good"], scheme="dark")
    shade = "selector => getComputedStyle(document.querySelector(selector)).backgroundColor"
    assert page.evaluate(shade, "body") == "rgb(20, 24, 29)"
    assert page.evaluate(shade, "figure img") == "rgb(255, 255, 255)"


def test_code_opens_one_by_one_and_all_at_once(read, pages):
    page = read(pages["good"])
    button, folds = page.locator("button.all-code"), page.locator("details.code")
    shown = "document.querySelectorAll('details.code[open]').length"
    assert page.evaluate(shown) == 0
    folds.nth(2).locator("summary").click()
    assert page.evaluate(shown) == 1
    assert folds.nth(2).locator(".highlight").is_visible()
    button.click()
    assert page.evaluate(shown) == folds.count()
    button.filter(has_text="Hide all code").wait_for()
    button.click()
    assert page.evaluate(shown) == 0
    button.filter(has_text="Show all code").wait_for()


def test_the_keyboard_reaches_the_skip_link_first_and_a_wide_table_by_itself(read, pages):
    page = read(pages["good"], 390)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator(".scroll", has=page.locator("text=a column of some length 19")).focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(200)  # it glides; the page's policy forbids to wait by evaluating
    assert page.evaluate("document.activeElement.scrollLeft") > 0


def test_the_banner_leads_to_the_cell_that_failed(read, pages):
    page = read(pages["failed"])
    page.locator(".banner a").click()
    assert page.url.endswith("#cell-3")
    assert page.locator("#cell-3 .error .message").is_visible()


@pytest.mark.parametrize("name", ["hostile", "failed", "index", "comparison"])
def test_hostile_text_does_not_act(read, pages, name):
    page = read(pages[name])
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    for bold in page.locator("b:has-text('bold')").all():
        bold.click()
    assert page.evaluate("window.ran") is None
    assert page.evaluate("getComputedStyle(document.body).display") == "block"
    assert page.locator("text=<script>window.ran >> visible=true").first.is_visible()


def test_print_leaves_out_code_and_controls(read, pages):
    page = read(pages["good"])
    page.emulate_media(media="print")
    for hidden in ("details.code", "nav", "button"):
        assert not page.locator(hidden).first.is_visible()
    for printed in ("h1", "figure img", "footer"):
        assert page.locator(printed).first.is_visible()


NASTY = """<style>* { display: none !important }</style><link rel="stylesheet" href="a.css"></div></article></main>
<p class="answer" style="position: fixed; inset: 0">own</p><h1>own</h1><table><tr><td>own<plaintext>"""


def test_html_of_an_output_restyles_nothing_of_the_page(read, tmp_path):
    boxes = []
    for name, html in (("plain", "own"), ("nasty", NASTY)):
        cells = [samples.code("x", new_output("display_data", {"text/html": html}))]
        path = tmp_path / f"{name}.html"
        path.write_text(render.page(new_notebook(cells=cells), samples.manifest()), "utf-8")
        page = read(path)
        assert not [address for address in page.asked if address != path.as_uri()]
        assert page.locator("footer").is_visible()
        boxes.append([page.locator(above).first.bounding_box() for above in ("header", "h1", ".facts")])
        assert page.locator("footer").evaluate("f => f.parentElement.tagName") == "BODY"
    assert all(boxes[0])
    assert boxes[0] == boxes[1]
