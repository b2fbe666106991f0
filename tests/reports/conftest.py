"""A small project of its own for each test: data, catalog, notebooks, and nothing of this repository but the module."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

SALES = """customer_id,time,amount
00123,2024-01-01,10.00
00123,2024-02-10,20.00
00007,2024-01-15,5.50
00007,2024-03-01,7.25
00042,2024-03-20,0.00
"""

PARAMETERS = """
data: Dataset = "sales"  # what to read
days: int = 30  # how far ahead
split: date | None = None  # end of calibration
customer: str = "00123"  # whom to look at
"""

GOOD = """
from datetime import date
from crmlab import catalog
from crmlab.catalog import Condition, Dataset
from crmlab.estimate import Estimate
from crmlab.report import Report
"""

RESULT = """
rows = catalog.orders(data).table
report = Report(f"Sales of {customer}")
report.fact("rows", rows.count().execute(), kind="count")
report.fact("share", Estimate(1 / 3, 0.1, 0.5, kind="share"))
report.show(rows.group_by("customer_id").aggregate(orders=rows.count()).order_by("customer_id"), name="days")
report.show(rows.order_by("customer_id", "time"), name="private/rows")
report.note(f"{days} days")
report
"""

# of a notebook that reads no data and loads next to nothing, for tests of what carries it
TINY = {"parameters": "days: int = 30  # how far ahead", "imports": "import os"}
TOLD = "from crmlab.report import Report\nreport = Report('Tiny')\nreport.fact('days', days)\nreport"


def write_notebook(path, *cells, parameters=PARAMETERS, imports=GOOD):
    """A notebook of these code cells, after one that imports and one tagged `parameters`."""
    tagged = new_code_cell(parameters.strip())
    tagged.metadata["tags"] = ["parameters"]
    book = new_notebook(
        cells=[
            new_markdown_cell("# A small report"),
            new_code_cell(imports.strip()),
            tagged,
            *map(new_code_cell, cells),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    for number, cell in enumerate(book.cells):
        cell["id"] = f"cell-{number}"
    nbformat.write(book, path)


def lay_out(root):
    """The project's folder, with the report `small` and the data `sales`."""
    for folder in ("data", "notebooks", "reports"):
        (root / folder).mkdir()
    (root / "data" / "sales.csv").write_text(SALES)
    (root / "data" / "catalog.toml").write_text('[sales]\npath = "sales.csv"\nnature = "simulated"\n')
    (root / "notebooks" / "suite.toml").write_text(
        '[[run]]\nreport = "small"\n\n[ranges.small]\ndays = { min = 1, max = 365 }\nsplit = { within = "data" }\n'
    )
    write_notebook(root / "notebooks" / "01_small.ipynb", RESULT.strip())
    return root


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of the test's own, which is where it stands."""
    monkeypatch.setenv("CRMLAB_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return lay_out(tmp_path)
