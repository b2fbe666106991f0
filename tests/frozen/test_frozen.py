"""What the shipped runs found and what the conformance tests asserted before the library was redesigned (f3c467f).

facts.json       the facts of the shipped runs, from the output metadata of the committed notebooks
conformance.json how many tests, assertions and numpy comparisons tests/conformance held
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


def shipped(report):
    """Facts of a committed notebook, by name, as its outputs hold them."""
    (path,) = (ROOT / "notebooks").glob(f"*_{report}.ipynb")
    notebook = json.loads(path.read_text("utf-8"))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    found = [output["metadata"]["crmlab"] for output in outputs if "crmlab" in output.get("metadata", {})]
    return {fact["name"]: fact for each in found for fact in each.get("facts", ())}


@pytest.mark.parametrize("report", FROZEN)
def test_shipped_facts_are_those_frozen(report):
    now = shipped(report)
    for fact in FROZEN[report]:
        for part in ("value", "low", "high"):
            before, after = fact[part], now[fact["name"]][part]
            same = before == after or math.isclose(before, after, rel_tol=1e-9)
            assert same, f"{fact['name']}, {part}: {before} before, {after} now"


def test_no_conformance_assertion_was_lost():
    frozen = json.loads((HERE / "conformance.json").read_text("utf-8"))
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "tests" / "conformance").glob("test_*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    calls = [ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)]
    assert sum(isinstance(n, ast.FunctionDef) and n.name.startswith("test_") for n in nodes) >= frozen["tests"]
    assert sum(isinstance(n, ast.Assert) for n in nodes) >= frozen["assertions"]
    assert sum(bool(re.match(r"np\.testing\.", call)) for call in calls) >= frozen["comparisons"]
