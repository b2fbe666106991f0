"""What the shipped runs found and what the conformance tests asserted before the library was redesigned (f3c467f).

facts.json       the facts of the shipped runs, from the output metadata of the committed notebooks
conformance.json how many tests, assertions and numpy comparisons tests/conformance held
renames.json     facts that bear another name now, by report
changed.json     facts that are meant to differ, by report, with the reason: the ends of the "interval", or the digits
                 beyond `within`, relative
signatures.json  every public function, class and method of the module, with its parameters
"""

import ast
import json
import math
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FROZEN = json.loads((HERE / "facts.json").read_text("utf-8"))
RENAMES = json.loads((HERE / "renames.json").read_text("utf-8"))
CHANGED = json.loads((HERE / "changed.json").read_text("utf-8"))
CASES = [(report, fact["name"]) for report, facts in FROZEN.items() for fact in facts]


def shipped(report):
    """Facts of a committed notebook, by name, as its outputs hold them."""
    (path,) = (ROOT / "notebooks").glob(f"*_{report}.ipynb")
    notebook = json.loads(path.read_text("utf-8"))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    found = [output["metadata"]["crmlab"] for output in outputs if "crmlab" in output.get("metadata", {})]
    return {fact["name"]: fact for each in found for fact in each.get("facts", ())}


@pytest.mark.parametrize(("report", "name"), CASES)
def test_shipped_facts_are_those_frozen(report, name):
    before = next(fact for fact in FROZEN[report] if fact["name"] == name)
    now = shipped(report)[RENAMES.get(report, {}).get(name, name)]
    interval = "ci" if before["interval"] == "confidence" else "pi"
    parts = {"value": "value", "low": f"{interval}_low", "high": f"{interval}_high"}
    meant = CHANGED.get(report, {}).get(name, {})
    tolerance, free = meant.get("within", 1e-9), ("low", "high") if meant.get("differs") == "interval" else ()
    for part in parts.keys() - set(free):
        if before[part] is not None:
            assert math.isclose(before[part], now[parts[part]], rel_tol=tolerance), f"{part}: {before[part]} before"


def test_no_conformance_assertion_was_lost():
    frozen = json.loads((HERE / "conformance.json").read_text("utf-8"))
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "tests" / "conformance").glob("test_*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    calls = [ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)]
    assert sum(isinstance(n, ast.FunctionDef) and n.name.startswith("test_") for n in nodes) >= frozen["tests"]
    assert sum(isinstance(n, ast.Assert) for n in nodes) >= frozen["assertions"]
    assert sum(bool(re.match(r"np\.testing\.", call)) for call in calls) >= frozen["comparisons"]


def test_every_public_name_of_before_stands_or_is_in_the_changelog():
    paths = sorted((ROOT / "crmlab").rglob("*.py"))
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    defined = {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    log = (ROOT / "CHANGELOG.md").read_text("utf-8")
    before = json.loads((HERE / "signatures.json").read_text("utf-8"))
    last = {name: name.rpartition(".")[2] for name in before}
    assert [name for name, word in last.items() if word not in defined and not re.search(rf"\b{word}\b", log)] == []
