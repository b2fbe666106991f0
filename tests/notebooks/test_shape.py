"""Notebooks are for a marketing analyst to read and adapt: what a code cell may hold."""

import ast
import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from crmlab.reports.parameters import reports

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
CELLS, LINES, WIDTH, PROSE = 20, 8, 100, 124
LABELS = ("**Asked.**", "**Method.**", "**How to read it.**", "**What to change.**")
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


def sections(cells):
    """What heads each code cell after the parameters, but for the last, given as (type, source, tags)."""
    (parameters,) = (number for number, (_, _, tags) in enumerate(cells) if "parameters" in tags)
    pairs = pairwise(cells[parameters:-1])
    return [("" if before[0] == "code" else before[1]) for before, cell in pairs if cell[0] == "code"]


def unlike_the_others(section):
    """What is wrong with the text above a code cell: four paragraphs of two lines, each beginning as `LABELS` say."""
    paragraphs = [each for each in re.split(r"\n\s*\n", section.strip()) if not each.startswith("#")]
    if not section.strip():
        return ["a code cell that no text heads"]
    found = [] if len(paragraphs) == len(LABELS) else [f"{len(paragraphs)} paragraphs"]
    for label, text in zip(LABELS, paragraphs, strict=False):
        found += [] if text.startswith(f"{label} ") and text.count("**") == 2 else [f"{label} is not {text[:40]!r}"]
        found += [f"{label} takes {len(text.splitlines())} lines"] * (len(text.splitlines()) > 2)
        found += [f"{label} has a line past {PROSE}"] * any(len(line) > PROSE for line in text.splitlines())
        found += [f"{label} is no sentence"] * (not re.search(r"[.?]$", text))
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_section_says_what_is_asked_the_method_how_to_read_it_and_what_to_change(path):
    notebook = json.loads(path.read_text("utf-8"))
    cells = [(c["cell_type"], "".join(c["source"]), c["metadata"].get("tags", ())) for c in notebook["cells"]]
    found = [f"{text[:60]!r}: {fault}" for text in sections(cells) for fault in unlike_the_others(text)]
    texts = sum(kind == "markdown" for kind, _, _ in cells)
    assert len(sections(cells)) == texts - 3, "a text that heads no code, beside the intro, the parameters and the last"
    assert not found, "\n".join(found)


WHOLE = "## Data\n\n**Asked.** What?\n\n**Method.** So.\n\n**How to read it.** Thus.\n\n**What to change.** `data`."


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("**Method.** So.\n\n", ""),
        ("**Asked.**", "**Question.**"),
        ("**Asked.**", "*Asked:*"),
        ("So.\n\n**How", "So. **How"),
        ("So.", "So\nand\nso."),
        ("So.", "So " + "on " * 60 + "."),
        ("`data`.", "`data`"),
        (WHOLE, "The same again."),
        (WHOLE, ""),
    ],
)
def test_a_section_that_leaves_something_out_is_found(old, new):
    assert not unlike_the_others(WHOLE)
    assert unlike_the_others(WHOLE.replace(old, new))


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


@pytest.mark.parametrize("report", reports(NOTEBOOKS[0].parents[1]).values(), ids=lambda report: report.name)
def test_parameters_are_named_alike_and_keep_to_ranges(report):
    numbers = {name for name, p in report.parameters.items() if re.search(r"\b(int|float)\b", p.annotation)} - {"seed"}
    assert {name for name in numbers if report.parameters[name].range is None} == set()
    assert "end" not in report.parameters  # the last day that counts is `until`
    assert "seed" in report.parameters
