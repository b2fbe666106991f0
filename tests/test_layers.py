"""Who may import whom, read from every import of the module. [README, map of the module]"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "crmlab"
DOMAINS = {"lifecycle", "clv", "service_quality", "segments", "churn"}
COMMANDS = ("cli.py", "cli_survey.py")
ORDER = ("tables", "models", "metrics", "plots")  # each uses only those to its left
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
        elif place[0] not in (*DOMAINS, "reports", *COMMANDS) and target[0] in (*DOMAINS, "reports", "cli"):
            yield f"{where}: shared ground imports neither domains nor reports"
        elif place[0] == target[0] and later(part, target):
            yield f"{where}: {part} comes before {target[1]}"


def test_every_import_keeps_to_the_layers():
    files = sorted(PACKAGE.rglob("*.py"))
    found = [b for f in files for b in breaches(f.relative_to(PACKAGE).parts, f.read_text("utf-8"))]
    assert len(files) > 20
    assert not found, "\n".join(found)


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


def test_help_loads_nothing_heavy():
    heavy = ("matplotlib", "scipy", "papermill", "nbconvert")
    code = f"import sys, crmlab.cli; print([m for m in {heavy!r} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
