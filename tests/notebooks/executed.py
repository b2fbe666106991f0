"""A notebook of a project, executed with parameters: what it reported, and the tables it wrote."""

import os
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import nbformat
import papermill


@dataclass(frozen=True)
class Executed:
    """What an execution left behind.

    title  : of the report
    facts  : by name, each a dict of an Estimate's fields
    checks : by id, each a dict of a Check's fields
    notes  : list
    tables : the folder of its tables
    text   : everything that its cells show
    """

    title: str
    facts: dict
    checks: dict
    notes: list
    tables: Path
    text: str


def execute(stem, project, staging, environment=None, **parameters):
    """Execute `notebooks/<stem>.ipynb` of a project in a kernel of its own, with tables in `staging`."""
    staging.mkdir(parents=True, exist_ok=True)
    made = staging / "executed.ipynb"
    known = {"CRMLAB_ROOT": str(project), "CRMLAB_STAGING": str(staging), "MPLBACKEND": "agg"}
    with patch.dict(os.environ, known | (environment or {})):
        papermill.execute_notebook(
            project / "notebooks" / f"{stem}.ipynb", made, parameters, cwd=project, progress_bar=False
        )
    return left_by(made, staging / "tables")


def left_by(path, tables=Path()):
    """What the outputs of an executed notebook hold; its tables are in the folder `tables`."""
    cells = nbformat.read(path, 4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    report = outputs[-1].metadata["crmlab"]
    shown = ("".join(output.get("data", {}).get("text/plain", output.get("text", ""))) for output in outputs)
    return Executed(
        report["title"],
        {fact["name"]: fact for fact in report["facts"]},
        {check["id"]: check for check in report["checks"]},
        report["notes"],
        tables,
        "\n".join(shown),
    )
