"""A domain and a report of one's own, added to a project by the steps of ARCHITECTURE.md, and run."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PACKAGE = Path(__file__).parents[1] / "crmlab"
HOUSE = ("__init__.py", "public.py", "test_layers.py", "test_signatures.py", "test_surface.py", "test_docstrings.py")

DOMAIN = {
    "__init__.py": '''
"""How long customers have been known, as of a day called `end`.

tenure_days : first order to `end`, days
"""

from crmlab.surface import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
''',
    "__init__.pyi": """
from . import checks as checks
from . import plots as plots
from .models import ExponentialTenure as ExponentialTenure
from .tables import tenure as tenure
""",
    "tables.py": '''
"""How long each customer has been known."""

from datetime import date

import ibis.expr.types as ir
import pandas as pd

from crmlab.dataset import Data
from crmlab.days import day_literal
from crmlab.orders import order_days


def tenure(orders: Data | ir.Table, end: date | str) -> pd.DataFrame:
    """Days since each customer's first order.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    end : date or str
        Last day that counts.

    Returns
    -------
    DataFrame
        By customer_id: tenure_days.
    """
    days = order_days(orders, end)
    first = days.group_by("customer_id").aggregate(first=days.day.min())
    known = first.mutate(tenure_days=day_literal(end).delta(first.first, unit="day")).drop("first")
    return known.order_by("customer_id").execute().set_index("customer_id")
''',
    "models.py": '''
"""Tenure as if customers came at a constant rate."""

from dataclasses import dataclass

import pandas as pd

from crmlab.estimate import Estimate
from crmlab.model import FitError, Model, or_unfitted, prediction


@dataclass(frozen=True)
class ExponentialTenure(Model):
    """Tenure is exponential: `mean` is its mean, days."""

    title = "exponential tenure"
    mean: float

    @classmethod
    @or_unfitted
    def fit(cls, customers: pd.DataFrame) -> "ExponentialTenure":
        """Fit the mean tenure.

        Parameters
        ----------
        customers : DataFrame
            tenure_days.

        Returns
        -------
        ExponentialTenure or Unfitted
            Unfitted where fewer than three customers are known.
        """
        if len(customers) < 3:
            raise FitError(f"exponential tenure needs three customers, and there are {len(customers)}", "wait for more")
        return cls(float(customers.tenure_days.mean()))

    @prediction
    def expected(self) -> Estimate:
        """Mean tenure.

        Returns
        -------
        Estimate
            Days.
        """
        return Estimate(self.mean, unit="days", kind="days")

    @prediction
    def share_longer(self, customers: pd.DataFrame) -> pd.Series:
        """Share of customers known for longer than each.

        Parameters
        ----------
        customers : DataFrame
            tenure_days.

        Returns
        -------
        Series
            Share, 0 to 1.
        """
        return customers.tenure_days.rank(ascending=False, pct=True).rename("share_longer")
''',
    "checks.py": '''
"""What the data say of tenure."""

from crmlab.check import Judgement, assumption, judged, within
from crmlab.tenure.models import ExponentialTenure

__all__ = ["mean_tenure_short"]


@assumption
def mean_tenure_short(model: ExponentialTenure, limit: float = 365.0) -> Judgement:
    """Ask whether customers are known for less than a year on average.

    Parameters
    ----------
    model : ExponentialTenure or Unfitted
        Fitted model.
    limit : float
        Days.

    Returns
    -------
    Check
        An assumption.
    """
    return judged(within(model.mean, model.mean, 0, limit), mean=model.mean)
''',
    "sentences.toml": """
[mean_tenure_short]
claim = "Customers are known for at most {limit:days} days on average"
summary = "The mean tenure is {mean:days} days."
recommendation.failed = "Look at new customers apart."
""",
    "plots.py": '''
"""Draw the frames of this domain."""

import matplotlib.pyplot as plt
import pandas as pd

from crmlab.style import EXPECTED, axes, plot

__all__ = ["tenure"]


@plot
def tenure(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw `tenure`: how many customers have been known for how long.

    Parameters
    ----------
    frame : DataFrame
        tenure_days.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        What was drawn on.
    """
    ax = axes(ax)
    ax.hist(frame.tenure_days, color=EXPECTED)
    ax.set(xlabel="Days since the first order", ylabel="Customers")
    return ax
''',
}
IMPORTS = """
from datetime import date

from crmlab import catalog, tenure
from crmlab.catalog import Dataset
from crmlab.report import Report
"""
PARAMETERS = """
data: Dataset = "sales"  # orders
end: date | None = None  # the last day that counts; none takes the last day of the data
"""
CELLS = [
    IMPORTS.strip(),
    (PARAMETERS.strip(), "parameters"),
    "report = Report('Tenure')\norders = catalog.orders(data)\nperiod = orders.period(until=end)",
    "customers = tenure.tenure(orders, period.until)\nfitted = tenure.ExponentialTenure.fit(customers)",
    "report.fact('mean_tenure', fitted.expected())\nreport.check(tenure.checks.mean_tenure_short(fitted))",
    "report.figure(tenure.plots.tenure(customers), 'How long customers have been known')",
    "report",
]
ORDERS = "customer_id,time,amount\na,2024-01-01,1\na,2024-02-01,2\nb,2024-01-11,3\nc,2024-01-21,4\n"
TWO = ORDERS.replace("c,2024-01-21,4\n", "")  # customers


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A project that has the toy domain beside the others, and its report."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(PACKAGE, root / "crmlab")  # with what is compiled
    for folder in ("data", "notebooks", "crmlab/tenure"):
        (root / folder).mkdir()
    for name, text in DOMAIN.items():
        (root / "crmlab" / "tenure" / name).write_text(text.lstrip())
    with (root / "data" / "catalog.toml").open("w") as entries:
        for name, orders in (("sales", ORDERS), ("two", TWO)):
            (root / "data" / f"{name}.csv").write_text(orders)
            entries.write(f'[{name}]\npath = "{name}.csv"\nnature = "simulated"\n')
    cells = [new_markdown_cell("# Tenure")]
    for cell in CELLS:
        source, *tags = cell if isinstance(cell, tuple) else (cell,)
        cells.append(new_code_cell(source, metadata={"tags": tags}))
    nbformat.write(new_notebook(cells=cells), root / "notebooks" / "05_tenure.ipynb")
    return root


@pytest.fixture(scope="module")
def runs(root):
    """Folders and manifests of the runs of the toy report, by their data."""
    environment = os.environ | {"PYTHONPATH": str(root), "CRMLAB_ROOT": str(root)}
    sweep = ("run", "tenure", "--sweep", "data=sales,two")
    command = [sys.executable, "-c", "from crmlab.cli import main; main()", *sweep]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    made = [(folder, json.loads((folder / "manifest.json").read_text())) for folder in root.glob("reports/tenure/2*")]
    return {manifest["parameters"]["data"]: (folder, manifest) for folder, manifest in made}


def test_a_domain_and_a_report_are_added_by_the_steps_of_the_architecture(runs):
    folder, manifest = runs["sales"]
    assert manifest["facts"]["mean_tenure"]["value"] == (31 + 21 + 11) / 3  # on 2024-02-01
    (check,) = manifest["checks"]
    assert (check["id"], check["outcome"]) == ("tenure.mean_tenure_short", "passed")
    assert check["summary"] == "The mean tenure is 21 days."
    assert (folder / "figures" / "how_long_customers_have_been_known.csv").is_file()


def test_where_the_toy_model_cannot_be_fitted_the_report_says_why_and_goes_on(runs):
    _, manifest = runs["two"]
    reason = "exponential tenure needs three customers, and there are 2; wait for more"
    assert manifest["state"] == "success"
    assert manifest["facts"]["mean_tenure"]["reason"] == reason
    assert [check["outcome"] for check in manifest["checks"]] == ["not applicable"]


def test_the_tests_of_the_house_find_the_domain_and_hold_it_to_the_rules(root):
    (root / "tests").mkdir()
    for name in HOUSE:
        shutil.copy(Path(__file__).with_name(name), root / "tests")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "tenure or layers", "tests"]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 15
