"""The documentation: what has to be on its pages is there, its links lead somewhere, and its code runs."""

import importlib
import importlib.util
import json
import re
from pathlib import Path

import pytest
import yaml

import crmlab
from crmlab import catalog
from crmlab.reports.manifest import STATES

from ..public import DOMAINS, PACKAGE, stub_names

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BUILT = ROOT / "build" / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"]
METHODS = [page for page in sorted((DOCS / "methods").glob("*.md")) if page.stem not in ("index", "checks")]
HEADINGS = ["Question", "When it applies", "Formula", "Source", "Assumptions and checks", "How to read it"]
HEADINGS += ["Published numbers"]
IDS = json.loads((ROOT / "tests" / "check_ids.json").read_text("utf-8"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?|(?<![\w.])\.\d+")


def read(name):
    return (DOCS / name).read_text("utf-8")


def name_of(page):
    return str(page.relative_to(ROOT))


def toctrees(text):
    return {entry for block in re.findall(r"```\{toctree\}\n(.*?)```", text, re.S) for entry in block.split("\n")}


@pytest.fixture(scope="module")
def conf():
    spec = importlib.util.spec_from_file_location("conf", DOCS / "conf.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_public_name_is_in_the_api_reference(conf, domain):
    listed = [name for names in conf.SURFACE[f"crmlab.{domain}"].values() for name in names]
    assert sorted([*listed, "checks", "plots"]) == sorted(stub_names(PACKAGE / domain))
    for part in ("checks", "plots"):
        whole = f"crmlab.{domain}.{part}"
        assert sorted(conf.SURFACE[whole][part]) == sorted(importlib.import_module(whole).__all__)
    modules = read("api.md").split()
    assert {f"crmlab.{domain}{part}" for part in ("", ".checks", ".plots")} <= set(modules)


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_notebook_is_in_the_gallery(path):
    page = read("gallery.md")
    assert f"/notebooks/{path.stem}" in toctrees(page)
    assert re.search(rf"^\| \[[^]]+\]\(\.\./notebooks/{path.stem}\.ipynb\) \| \w.* \| \w.* \|$", page, re.M)


def test_every_check_is_in_the_table_with_its_kind():
    rows = re.findall(r"^\| \{check\}`([^`]+)` \| (\w+) \| \[", read("methods/checks.md"), re.M)
    assert dict(rows) == IDS


@pytest.mark.parametrize("id_", IDS)
def test_every_check_is_named_on_the_page_of_a_method(id_):
    assert any(f"{{check}}`{id_}`" in page.read_text("utf-8") for page in METHODS)


@pytest.mark.parametrize("page", METHODS, ids=lambda page: page.stem)
def test_methods_have_the_same_headings_and_are_listed(page):
    assert re.findall(r"^## (.+)$", page.read_text("utf-8"), re.M) == HEADINGS
    assert page.stem in toctrees(read("methods/index.md"))


@pytest.mark.parametrize("page", METHODS, ids=lambda page: page.stem)
def test_published_numbers_stand_in_the_tests_that_the_page_names(page):
    section = page.read_text("utf-8").split("## Published numbers")[1]
    tests = [(page.parent / link).read_text("utf-8") for link in LINK.findall(section) if link.endswith(".py")]
    assert tests or section.strip().startswith("None")
    written = re.sub(r"e-?\d\b|_", "", "\n".join(tests)).replace(",", " ")
    known = {round(float(number), 9) for number in re.findall(r"\d*\.?\d+", written)}
    for number in NUMBER.findall(section.replace("\n", " ").split("The example of")[0]) if tests else ():
        value = float(number.replace(",", ""))
        if len(re.sub(r"[.,]|^0\.?0*", "", number)) >= 3:
            assert {round(value, 9), round(value / 100, 9)} & known, number


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_a_run_is_explained(state):
    assert re.search(rf"^\| `{state}` \| \w.* \| \w.* \|$", read("how-to/troubleshooting.md"), re.M)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    links = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link and not link.startswith("#")]
    assert not [link for link in links if not (page.parent / link.split("#")[0]).exists()]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_name_no_address(page):
    assert "://" not in re.sub(r"(duckdb|sqlite)://", "", page.read_text("utf-8"))


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)


def test_the_quickstart_runs(capsys):
    df = catalog.orders("cdnow_sample").table.execute()
    df = df.rename(columns={"customer_id": "Client", "time": "Ordered", "amount": "Paid"}).astype({"Paid": float})
    names = {"df": df[["Client", "Ordered", "Paid"]]}
    code = blocks(read("quickstart.md"))
    assert len(code) == 3
    for block in code:
        exec(block, names)
    said = capsys.readouterr().out
    assert "customers_who_order" in said
    assert names["fitted"]


def test_the_four_lines_are_the_same_on_all_pages():
    four, same = (blocks(read(name))[0].replace("\n\n", "\n") for name in ("quickstart.md", "index.md"))
    assert len(four.splitlines()) == 4
    assert four == same
    assert "".join(f"    {line}\n" for line in four.splitlines()) in (ROOT / "README.md").read_text("utf-8")


def test_the_citation_is_of_this_version_and_has_what_its_format_asks_for():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(cited)  # what CFF 1.2.0 requires
    assert cited["cff-version"] == "1.2.0"
    assert cited["version"] == crmlab.__version__
    assert cited["type"] in ("software", "dataset")
    assert all(set(author) <= {"name", "family-names", "given-names"} for author in cited["authors"])


@pytest.mark.skipif(not BUILT.is_dir(), reason="`make docs` makes the pages")
def test_built_pages_request_nothing():
    asks = re.compile(r"<(?:link|script|img|iframe)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>")
    assert not [(name_of(page), asked) for page in BUILT.rglob("*.html") for asked in asks.findall(page.read_text())]
    styles = "".join(style.read_text("utf-8", "replace") for style in BUILT.rglob("*.css"))
    assert not re.findall(r"url\([\"']?(?:https?:)?//[^)]*\)|@import[^;]*//", styles)
