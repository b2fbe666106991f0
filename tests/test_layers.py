"""Who may import whom, read from every import of the module. [README, map of the module]"""

import ast
import json
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from .public import DOMAINS, PACKAGE

ORDER = ("tables", "models", "metrics", "checks", "plots")  # each uses only those to its left
HEAVY = ("matplotlib", "seaborn", "sklearn", "statsmodels", "lifetimes", "scipy", "pandas", "ibis", "papermill")


def imported(source):
    """The modules of crmlab that a file imports, as dotted paths without the first name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            named = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix("crmlab.").split(".") for name in named if name.startswith("crmlab."))


def later(part, target):
    """Whether a part of a domain imports one to its right."""
    return part in ORDER and target[1:2] and target[1] in ORDER[ORDER.index(part) + 1 :]


def breaches(place, source):
    """What a file at `place`, a tuple of names within crmlab, imports against the rules."""
    part = place[1].removesuffix(".py") if len(place) > 1 else ""
    for target in imported(source):
        where = f"{'/'.join(place)} imports {'.'.join(target)}"
        if place[0] in DOMAINS and target[0] in DOMAINS and target[0] != place[0]:
            yield f"{where}: a domain never imports another"
        elif place[0] in DOMAINS and target[0] in ("reports", "cli"):
            yield f"{where}: a domain never imports reports"
        elif place[0] == "reports" and target[0] in DOMAINS:
            yield f"{where}: reports runs notebooks, it never imports a domain"
        elif place[0] not in (*DOMAINS, "reports", "cli", "__init__.py") and target[0] in (*DOMAINS, "reports", "cli"):
            yield f"{where}: shared ground imports neither domains nor reports"
        elif place[0] == target[0] and later(part, target):
            yield f"{where}: {part} comes before {target[1]}"


def test_every_import_keeps_to_the_layers():
    files = sorted(PACKAGE.rglob("*.py"))
    found = [b for f in files for b in breaches(f.relative_to(PACKAGE).parts, f.read_text("utf-8"))]
    assert len(files) > 20
    assert not found, "\n".join(found)


def test_metrics_fit_nothing():
    files = [f for f in PACKAGE.rglob("*.py") if "metrics" in f.relative_to(PACKAGE).with_suffix("").parts]
    assert files
    assert not [str(f.relative_to(PACKAGE)) for f in files if ".fit(" in f.read_text("utf-8")]


@pytest.mark.parametrize(
    ("place", "source"),
    [
        (("clv", "tables.py"), "from crmlab.segments import rfm"),
        (("clv", "tables.py"), "from crmlab import segments"),
        (("clv", "tables.py"), "from crmlab.clv.models import BGNBD"),
        (("clv", "models", "bgnbd.py"), "from crmlab.clv import plots"),
        (("clv", "plots.py"), "import crmlab.reports.store"),
        (("reports", "runner.py"), "from crmlab.clv import tables"),
        (("result.py",), "from crmlab.clv import tables"),
        (("stats", "intervals.py"), "from crmlab.reports import store"),
    ],
)
def test_a_breach_of_the_layers_is_seen(place, source):
    assert list(breaches(place, source))


def circle(sources):
    """The modules of a circle of imports, the first one last again; none where there is no circle.

    sources : dotted module within crmlab -> its source
    """
    parts = {tuple(name.split(".")) for name in sources}
    graph = {}
    for name, source in sources.items():
        found = (
            next((target[:n] for n in range(len(target), 0, -1) if tuple(target[:n]) in parts), ())
            for target in imported(source)
        )
        graph[name] = {".".join(target) for target in found if target}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as found:
        return found.args[1]
    return []


def test_no_import_leads_back_to_where_it_came_from():
    files = {f.relative_to(PACKAGE).with_suffix("").parts: f for f in PACKAGE.rglob("*.py")}
    named = {
        ".".join(p[:-1] if p[-1] == "__init__" else p): f.read_text("utf-8")
        for p, f in files.items()
        if p != ("__init__",)
    }
    assert "cli" in named
    assert circle(named) == []


def test_a_circle_is_seen_even_within_a_function():
    sources = {"cli": "from crmlab.cli import survey", "cli.survey": "def new():\n    from crmlab.cli import main"}
    assert set(circle(sources)) == {"cli", "cli.survey"}
    assert circle(sources | {"cli.survey": "from crmlab.cli import console", "cli.console": ""}) == []


def test_importing_crmlab_is_quick_and_loads_nothing_heavy():
    code = f"""
import sys, time
begun = time.perf_counter()
import crmlab
print(time.perf_counter() - begun, [m for m in {HEAVY!r} if m in sys.modules])
"""
    seconds, loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split(" ", 1)
    assert float(seconds) < 1
    assert loaded.strip() == "[]"


OUTSIDE = """
import importlib, json, locale, logging, os, signal, sys, warnings

def outside():
    import matplotlib, numpy, pandas, papermill.engines, papermill.translators
    from pandas._config import config
    options = config._registered_options
    loggers = {name: logging.getLogger(name) for name in ("", "papermill", "matplotlib", "ibis", "traitlets")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of options that pandas means to drop
        options = {name: repr(pandas.get_option(name)) for name in options}
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "warnings": list(map(repr, warnings.filters)),
        "signals": {name: repr(signal.getsignal(name)) for name in signal.valid_signals()},
        "hooks": [repr(hook) for hook in (sys.excepthook, sys.displayhook, warnings.showwarning)],
        "locale": locale.setlocale(locale.LC_ALL),
        "matplotlib": {name: repr(value) for name, value in dict.items(matplotlib.rcParams)},
        "pandas": options,
        "numpy": [numpy.geterr(), numpy.get_printoptions(), repr(numpy.random.get_state())],
        "loggers": {name: repr((log.level, log.handlers, log.filters)) for name, log in loggers.items()},
        "papermill": [
            {name: repr(kind) for name, kind in papermill.engines.papermill_engines._engines.items()},
            {name: repr(kind) for name, kind in papermill.translators.papermill_translators._translators.items()},
        ],
    }

theirs, steps = json.loads(sys.argv[1])
for module in theirs:
    importlib.import_module(module)
now, changed = outside(), []
for step in steps:
    exec(step)
    before, now = now, outside()
    changed.append([name for name in before if before[name] != now[name]])
print(json.dumps(changed))
"""


def imports_of(files):
    """The modules of others that files import, wherever in them."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names = [node.module] if isinstance(node, ast.ImportFrom) else names
            yield from (name for name in names if name.partition(".")[0] != "crmlab")


def changes(theirs, *steps):
    """What each step changes outside, in a process that has loaded modules of others."""
    arguments = json.dumps([sorted(set(theirs)), steps])
    told = subprocess.check_output([sys.executable, "-W", "ignore", "-c", OUTSIDE, arguments], text=True)
    return json.loads(told.splitlines()[-1])


def test_importing_any_module_changes_nothing_outside_it():
    files = sorted(PACKAGE.rglob("*.py"))
    modules = [".".join(f.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__") for f in files]
    assert {"crmlab.reports", "crmlab.reports.engine", "crmlab.style", "crmlab.cli"} <= set(modules)
    everything = f"import {', '.join(modules)}"
    assert changes(imports_of(files), everything) == [[]]
    # what is loaded already is never barred, so a process of its own; only these could bar it
    bars = [
        m for m, f in zip(modules, files, strict=True) if re.search("sys.modules|skip_address", f.read_text("utf-8"))
    ]
    assert "crmlab.reports" in bars
    barred = f"import {', '.join(bars)}, sys; print([name for name, module in sys.modules.items() if module is None])"
    assert subprocess.check_output([sys.executable, "-W", "ignore", "-c", barred], text=True).strip() == "[]"


def test_a_change_outside_is_seen():
    steps = {
        "os.environ['CRMLAB_ROOT'] = '.'": "environment",
        "warnings.simplefilter('ignore', UserWarning)": "warnings",
        "import matplotlib; matplotlib.use('svg')": "matplotlib",
        "matplotlib.rcParams['axes.grid'] = True": "matplotlib",
        "import pandas; pandas.set_option('display.width', 40)": "pandas",
        "logging.basicConfig()": "loggers",
        "import papermill.engines as e; e.papermill_engines.register('own', e.NBClientEngine)": "papermill",
    }
    assert changes([], *steps) == [[part] for part in steps.values()]


def test_help_loads_nothing_heavy():
    heavy = ("matplotlib", "scipy", "papermill", "nbconvert")
    code = f"import sys, crmlab.cli; print([m for m in {heavy!r} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
