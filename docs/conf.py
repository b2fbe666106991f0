"""The documentation: `make docs` builds it into build/docs from pages here, the committed notebooks and docstrings.

Its source folder is the root of the repository, so that notebooks and ARCHITECTURE.md are pages where they lie.
"""

import re
from importlib import import_module
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.roles import XRefRole

import crmlab

ROOT = Path(__file__).resolve().parents[1]
STUBS = {stub.parent.name: stub.read_text("utf-8") for stub in sorted(ROOT.glob("crmlab/*/__init__.pyi"))}
PARTS = ("tables", "models", "metrics")  # of a domain; checks and plots are modules of their own


def surface(domain, stub):
    """The public names of a domain, and of its checks and plots, by module and by the part that they come from."""
    names = re.findall(r"^from \.(\w+)[.\w]* import (\w+)", stub, re.M)
    yield f"crmlab.{domain}", {part: [name for source, name in names if source == part] for part in PARTS}
    for part in ("checks", "plots"):
        yield f"crmlab.{domain}.{part}", {part: import_module(f"crmlab.{domain}.{part}").__all__}


SURFACE = dict(listed for domain, stub in STUBS.items() for listed in surface(domain, stub))


project, author, version = "crmlab", "the crmlab authors", crmlab.__version__
copyright = f"{author}, MIT licence"
root_doc = "docs/index"
include_patterns = ["docs/**", "notebooks/*.ipynb", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
include_patterns += ["tests/bench/RESULTS.md", "build/api/*"]
exclude_patterns = [".*", "crmlab", "data", "reports", "build/docs", "build/doctrees", "docs/_templates"]
templates_path = [str(ROOT / "docs/_templates")]  # absolute, as autosummary looks from the source folder
extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]

nb_execution_mode = "off"  # notebooks are shown as they were committed
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4

autosummary_context = {"surface": SURFACE}
autosummary_ignore_module_all = False
autodoc_typehints = "none"  # types stand in the sections of numpydoc, in words
numpydoc_show_class_members = False
default_role = "autolink"
nitpick_ignore_regex = [("py:obj", ".*")]  # of `autolink`: what it can import, and no page describes

highlight_language = "none"  # of what does not say: maps, not Python
html_theme = "pydata_sphinx_theme"
html_title = "crmlab"
html_static_path = ["_static"]
html_css_files = ["crmlab.css"]
html_additional_pages = {"index": "home.html"}
html_math_renderer = "mathml"
html_sidebars = {page: [] for page in ("docs/index", "docs/quickstart", "docs/glossary", "ARCHITECTURE")}
html_copy_source = html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "crmlab"},
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}


def mathml(display):
    """What writes a formula: MathML, which a browser draws without a script."""

    def write(writer, node):
        formula = convert(node.astext(), display=display)
        writer.body.append(f'<div class="math">{formula}</div>' if display == "block" else formula)
        raise nodes.SkipNode

    return write, None


class Named(XRefRole):
    """A public name as it is written in Python, or the id of a check, with a link to its page."""

    def process_link(self, env, refnode, has_explicit_title, title, target):
        domain, _, name = target.partition(".")
        prefix = "checks." if self.checks and domain in STUBS else ""
        kind = "class" if name.rpartition(".")[2][0].isupper() else "func"
        refnode["refdomain"], refnode["reftype"] = "py", kind
        return title, f"crmlab.{domain}.{prefix}{name}"

    def __init__(self, checks=False):
        super().__init__(warn_dangling=True)
        self.checks = checks


def as_list(app, what, name, thing, options, lines):
    """The words of a domain, two columns in the docstring of its package, become a list of definitions."""
    if what == "module":
        text = re.sub(r"^(\S.*?) {2,}(\S.*(?:\n {6,}.*)*)$", r"\n\1\n    \2", "\n".join(lines), flags=re.M)
        lines[:] = [*re.sub(r"\n {6,}", r"\n    ", text).splitlines(), ""]


def setup(app):
    app.add_html_math_renderer("mathml", mathml("inline"), mathml("block"))
    app.add_role("api", Named())
    app.add_role("check", Named(checks=True))
    app.connect("autodoc-process-docstring", as_list, priority=400)  # before numpydoc
