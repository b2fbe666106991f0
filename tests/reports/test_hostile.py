"""Pages of notebooks and manifests that try to act."""

import base64
import copy
import io

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_markdown_cell, new_notebook, new_output
from PIL import Image

from crmlab.reports import render

from . import samples
from .samples import text_of


@pytest.fixture(scope="module")
def hostile():
    page = render.page(samples.hostile_notebook(), samples.hostile_manifest())
    return BeautifulSoup(page, "html.parser")


def test_nothing_hostile_becomes_markup(hostile):
    assert [script.get_text() for script in hostile("script")] == [(render.FOLDER / "page.js").read_text()]
    assert not hostile(["iframe", "object", "embed", "link", "base", "form"])
    prose = BeautifulSoup("".join(map(str, hostile.select(".prose"))), "html.parser")
    outside = copy.copy(hostile)
    for output in outside.select(".output"):
        output.decompose()
    for soup in (prose, outside):
        assert not [tag for tag in soup(True) if any(name.startswith("on") for name in tag.attrs)]
    assert not [a for a in hostile("a") if a.get("href", "").startswith("javascript")]
    assert len(hostile("main")) == len(hostile("footer")) == 1


def test_every_text_of_a_manifest_is_shown_as_text(hostile):
    shown = hostile.get_text()
    assert shown.count("<script>window.ran = true</script>") > 20
    assert f"{samples.HOSTILE} = {samples.HOSTILE}" in shown


def test_every_text_that_a_notebook_puts_out_is_shown_as_text(hostile):
    assert text_of(hostile, "pre.stdout") == text_of(hostile, ".cell > pre:not(.stdout)")[1:] == [samples.HOSTILE]
    assert text_of(hostile, "table.crmlab thead th, table.crmlab tbody td") == [samples.HOSTILE] * 2
    assert samples.HOSTILE in hostile.select("figure img")[0]["alt"]


def test_a_page_asks_for_nothing(hostile):
    good = BeautifulSoup(render.page(samples.good_notebook(), samples.manifest()), "html.parser")
    for soup in (good, hostile):
        assert all(tag["src"].startswith("data:") for tag in soup("img"))
        assert not [tag for tag in soup(True) if tag.name != "img" and tag.has_attr("src")]
        assert "default-src 'none'" in soup.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert "[image not in this file: afar]" in hostile.get_text()


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("a <customer> orders", "a <customer> orders"),
        ("<script>window.ran = true</script>", "<script>window.ran = true</script>"),
        ("<scr<script>ipt>x", "<scr<script>ipt>x"),
        ("<svg/onload=window.ran=1>", "<svg/onload=window.ran=1>"),
        ("<b onclick=window.ran=1>bold</b>", "bold"),
        ("<a href='javascript:1'>one</a> [two](javascript:window.ran=1)", "one"),
        ("kept <!-- gone --> too", "kept"),
    ],
)
def test_prose_shows_other_tags_as_text_and_keeps_nothing_that_acts(markdown, shown):
    page = render.page(new_notebook(cells=[new_markdown_cell(markdown)]), samples.manifest())
    prose = BeautifulSoup(page, "html.parser").select_one(".prose")
    assert shown in prose.get_text()
    assert {tag.name for tag in prose(True)} <= {"p", "a", "b"}
    assert not [value for tag in prose(True) for value in tag.attrs.values() if "javascript" in value]
    assert not [name for tag in prose(True) for name in tag.attrs if name.startswith("on")]
    assert "gone" not in str(prose)


def of_output(html):
    cell = samples.code("x", new_output("display_data", {"text/html": html}))
    return BeautifulSoup(render.page(new_notebook(cells=[cell]), samples.manifest()), "html.parser")


@pytest.mark.parametrize(
    ("html", "lost"),
    [
        ("<style>body { display: none }</style>own", "style"),
        ("own<plaintext>", "plaintext"),
        ("<div><b>own", ""),
        ("</div></div></article></main>own", ""),
        ("<form action='/x'><input name='q'><button>own</button></form>", "button, form, input"),
        ("<p class='answer' id='facts' style='position: fixed' onclick='x()'>own</p>", ""),
        ("own<svg onload='x()'><text>x</text></svg>", "svg, text"),
        ("<!-- <main> -->own", ""),
        ("<textarea>own", "textarea"),
        ("<a href='javascript:x()'>own</a>", ""),
    ],
)
def test_html_of_an_output_changes_nothing_outside_its_cell(html, lost):
    soup, plain = of_output(html), of_output("own")
    said = [f"Left out of this output: {lost}."] if lost else []
    assert text_of(soup, ".output .quiet") == said
    assert "own" in soup.select_one(".output").get_text()
    for page in (soup, plain):
        page.select_one("article").clear()
    assert str(soup) == str(plain)
    kept = of_output(html).select_one(".output")
    assert not kept.select("[style], [id], [onclick], .answer, form, style")
    assert not [link for link in kept("a") if "javascript" in link.get("href", "")]


def test_tables_of_pandas_lose_their_style_without_a_word():
    frame = pd.DataFrame({"orders": [1, 2]})
    soup = of_output(frame._repr_html_())
    assert text_of(soup, ".output tbody td") == ["1", "2"]
    assert not soup.select(".output .quiet, .output style")


def image(kind):
    """One pixel, as an output holds it."""
    if kind == "image/svg+xml":
        return "<svg xmlns='http://www.w3.org/2000/svg'/>"
    written = io.BytesIO()
    Image.new("RGB", (1, 1)).save(written, kind.partition("/")[2])
    return base64.b64encode(written.getvalue()).decode()


@pytest.mark.parametrize("name", ["width", "height", "alt", "title"])
@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/svg+xml"])
def test_metadata_of_an_image_become_no_markup(name, kind):
    nasty = '9"></figure><style>body { display: none }</style><h1 style="position: fixed">own</h1><i x="'
    output = new_output("display_data", {kind: image(kind)}, metadata={name: nasty, "files": None, "moved": [1]})
    page = render.page(new_notebook(cells=[samples.code("x", output)]), samples.manifest(figures=[nasty]))
    soup = BeautifulSoup(page, "html.parser")
    assert soup.select("article figure img")
    assert len(soup("style")) == 1
    assert not soup.select("h1[style]")
