"""Notebooks are for a marketing analyst to read and adapt: what a code cell may hold."""

import ast
import json
from collections import Counter
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
CELLS, LINES, WIDTH = 20, 8, 100
REFUSED = (
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp, ast.Lambda, ast.Starred, ast.If, ast.For,
    ast.While, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Try, ast.With, ast.Match, ast.NamedExpr,
)  # fmt: skip


def faults(cells):
    """What is wrong with the code cells of a notebook, given as (source, whether it is the parameters cell)."""
    found = [f"{len(cells)} code cells; at most {CELLS}"] if len(cells) > CELLS else []
    bound = Counter()
    for number, (source, parameters) in enumerate(cells, 1):
        tree = ast.parse(source)
        bound.update(names(tree))
        if parameters:
            continue
        lines = [line for line in source.splitlines() if line.strip()]
        found += [f"cell {number}: {len(lines)} lines; at most {LINES}"] * (len(lines) > LINES)
        found += [f"cell {number}: a line of {len(line)} characters" for line in lines if len(line) > WIDTH]
        nodes = list(ast.walk(tree))
        found += [f"cell {number}: {type(node).__name__}" for node in nodes if isinstance(node, REFUSED)]
        found += [f"cell {number}: **" for node in nodes if isinstance(node, ast.keyword) and node.arg is None]
    return found + [f"{name} is bound {times} times" for name, times in bound.items() if times > 1]


def names(tree):
    """The names that a cell binds, as often as it does."""
    stored = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    imported = [
        (n.asname or n.name)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for n in node.names
    ]
    return stored + imported


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_cells_are_plain(path):
    notebook = json.loads(path.read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    found = faults([("".join(c["source"]), "parameters" in c["metadata"].get("tags", ())) for c in code])
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("[x for x in y]", "ListComp"),
        ("{k: v for k, v in y}", "DictComp"),
        ("a if b else c", "IfExp"),
        ("f(lambda: 1)", "Lambda"),
        ("f(*y)", "Starred"),
        ("f(**y)", "**"),
        ("if a:\n    b", "If"),
        ("for a in b:\n    c", "For"),
        ("while a:\n    b", "While"),
        ("def f():\n    pass", "FunctionDef"),
        ("try:\n    a\nexcept E:\n    b", "Try"),
        ("a = 1\na = 2", "a is bound 2 times"),
        ("x = " + "1" * 100, "a line of 104 characters"),
        ("\n".join(["f()"] * 9), "9 lines"),
    ],
)
def test_what_is_refused_is_found(source, fault):
    assert any(fault in each for each in faults([(source, False)]))


def test_parameters_may_be_many_and_cells_may_not():
    assert not faults([("\n".join(f"a{n}: int = {n}" for n in range(30)), True)])
    assert faults([("f()", False)] * (CELLS + 1)) == [f"{CELLS + 1} code cells; at most {CELLS}"]
