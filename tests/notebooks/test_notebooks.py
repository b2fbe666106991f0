"""The committed notebooks: executed, compared with what they hold, and short enough to be recipes."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_notebook

from crmlab.display import show

from ..reports.samples import code, shown

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def code_cells(path):
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def nbval(path):
    """How nbval judges a notebook."""
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(path)]
    return subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_is_a_recipe(path):
    cells = code_cells(path)
    assert len(cells) <= 20
    for cell in cells:
        assert len(cell.source.splitlines()) <= 10 or "parameters" in cell.metadata.get("tags", ())
        found = {type(node) for node in ast.walk(ast.parse(cell.source))}
        assert not found & {ast.FunctionDef, ast.For, ast.While}, cell.source
        assert not cell.source.rstrip().endswith(";")
    assert cells[-1].source.splitlines()[-1] == "report"
    assert [c.metadata.get("tags") for c in cells].count(["parameters"]) == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_holds_the_outputs_of_one_run_from_top_to_bottom(path):
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [o for cell in cells for o in cell.outputs if o.output_type == "error" or o.get("name") == "stderr"]
    assert "crmlab" in cells[-1].outputs[0].metadata
    for cell in cells:
        figures = [o for o in cell.outputs if "image/png" in o.get("data", ())]
        assert len(figures) == cell.source.count("report.figure("), f"a figure is missing: {cell.source}"
    text = path.read_text("utf-8")
    assert not re.search(r"/(home|root|work|tmp|Users)/", text), "no path of a machine"
    assert "start_time" not in text
    assert "iopub" not in text, "no run times"


def test_nbval_sees_one_changed_number(tmp_path):
    source = "import pandas as pd\nfrom crmlab.display import show\nshow(pd.DataFrame({'r': [0.2426]}))"
    kept, changed = (shown(show(pd.DataFrame({"r": [0.2426]}))) for _ in range(2))
    changed.data["text/plain"] = changed.data["text/plain"].replace("0.243", "0.244")
    book = new_notebook(cells=[code(source, kept), code(source, changed)])
    for count, cell in enumerate(book.cells, 1):
        cell.execution_count = count  # one without is taken for unrun
    nbformat.write(book, tmp_path / "changed.ipynb")
    judged = nbval(tmp_path / "changed.ipynb")
    assert judged.returncode == 1, judged.stdout
    assert "1 failed, 1 passed" in judged.stdout
    assert "0.244" in judged.stdout
