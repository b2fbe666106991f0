"""What kernels that are started ahead import."""

import ast
import json


def modules(reports):
    """The modules that the notebooks of these reports import at their top level."""
    found = set()
    for report in reports:
        cells = json.loads(report.notebook.read_text("utf-8"))["cells"]
        for cell in cells:
            if cell["cell_type"] == "code":
                found |= set(_imported("".join(cell["source"])))
    return sorted(found)


def _imported(source):
    try:
        lines = ast.parse(source).body
    except SyntaxError:  # the run will say so
        return
    for line in lines:
        if isinstance(line, ast.Import):
            yield from (alias.name for alias in line.names)
        elif isinstance(line, ast.ImportFrom) and line.module:
            yield line.module
