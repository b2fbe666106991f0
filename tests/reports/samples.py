"""Notebooks as papermill leaves them, and manifests, to make pages of; nothing here is executed."""

import base64
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from unittest import mock

import pandas as pd
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from crmlab import check as check_module
from crmlab import report as report_module
from crmlab.check import Check
from crmlab.display import show
from crmlab.estimate import Estimate
from crmlab.report import Report
from crmlab.reports.manifest import Code, Environment, Error, Manifest, Source

HOSTILE = "<script>window.ran = true</script><img src=x onerror='window.ran = true'>\"'&"
STARTED = datetime(2026, 11, 22, 1, 10, 30, tzinfo=UTC)
SENTENCES = {
    name: {"claim": claim, "summary": summary, "recommendation": recommendation}
    for name, claim, summary, recommendation in (
        ("beats_baselines", "Closer than the past rate", "The error is lower by {by:number}.", ""),
        (
            "spend_independent",
            "Spend is independent",
            "The correlation is {r:number}.",
            {"failed": "Use the joint model."},
        ),
        ("retention_rises", "Retention rises", "It rises by heterogeneity.", ""),
        ("hostile", "{text}", "{text}", {"failed": "{text}"}),
    )
}
CHECKS = (
    Check("clv.beats_baselines.mae", "comparison", "passed", {"by": 0.2}),
    Check("clv.spend_independent", "assumption", "failed", {"r": 0.4}),
    Check("clv.retention_rises", "finding", "yes"),
)
FACTS = {
    "customers": Estimate(2357, kind="count"),
    "orders_expected": Estimate(1671.2345678901234, pi_low=1602.1, pi_high=1744.5, unit="orders", kind="count"),
    "mean_value": Estimate(29.383838383838384, 27.12345678, 31.9, unit="USD", kind="money"),
    "share_gone": Estimate(0.5, kind="share"),
    "fifth": Estimate(None, reason="there are no repeat buyers"),
}
TABLES = {
    "calibration": pd.DataFrame({"orders": [0, 1]}),
    "private/value": pd.DataFrame({"customer_id": ["00123"]}),
}


def displayed(
    title="Customer value over 180 days",
    facts=FACTS,
    tables=TABLES,
    checks=CHECKS,
    notes=("Zero amounts count as orders.",),
):
    """What the calls of a Report, and then the Report, display, as outputs of cells; and all that it holds."""
    shown = []
    with (
        mock.patch.object(report_module, "display", shown.append),
        mock.patch.object(check_module, "templates", return_value=SENTENCES),
    ):
        report = Report(title)
        for name, fact in facts.items():
            report.fact(name, fact)
        for name, table in tables.items():
            report.show(table, name)
        report.check(checks)
        for note in notes:
            report.note(note)
        outputs = [
            new_output("display_data", data, metadata=left) for data, left in (s._repr_mimebundle_() for s in shown)
        ]
        data, left = report._repr_mimebundle_()
        return [*outputs, new_output("execute_result", data, metadata=left)], report.as_dict()


OUTPUTS, REPORTED = displayed()


def text_of(soup, selector):
    """The words of each element that a selector finds."""
    return [re.sub(r"\s+", " ", tag.get_text(" ", strip=True)) for tag in soup.select(selector)]


def code(source, *outputs, tags=()):
    """A code cell with its outputs."""
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


def shown(displayed):
    """What a cell that ends in `show(frame)` puts out."""
    return new_output("execute_result", {"text/plain": repr(displayed), "text/html": displayed._repr_html_()})


def drawn(title="", xlabel="Week ending", ylabel="Orders"):
    """What a cell that ends in an axes puts out."""
    axes, picture = _draw(title, xlabel, ylabel)
    return new_output("execute_result", {"text/plain": axes}), new_output("display_data", dict(picture))


@cache
def _draw(title, xlabel, ylabel):
    figure = Figure(figsize=(7.2, 4), dpi=144)
    axes = figure.add_subplot(title=title, xlabel=xlabel, ylabel=ylabel)
    stored = BytesIO()
    figure.savefig(stored, format="png")
    picture = {
        "image/png": base64.b64encode(stored.getvalue()).decode(),
        "text/plain": "<Figure size 1036x576 with 1 Axes>",
    }
    return repr(axes), picture


def good_notebook():
    """Prose, parameters, tables narrow and wide, two figures, a Result."""
    wide = pd.DataFrame({f"a_column_of_some_length_{i}": [i / 3, i / 7] for i in range(20)}, index=["first", "second"])
    return new_notebook(
        cells=[
            new_markdown_cell(
                "# Customer value\n\nWhat is each customer *worth*? See [a paper](https://example.org/paper)."
            ),
            code("horizon_days: int = 365  # how far ahead", tags=["parameters"]),
            code("horizon_days = 180", tags=["injected-parameters"]),
            new_markdown_cell(
                "## Load\n\n| word | meaning |\n|---|---|\n| split | a day |\n\n```python\nx = 'y'  # z\n```"
            ),
            code(
                "show(frame)",
                shown(show(pd.DataFrame({"customer_id": ["00123", "00007"], "mean_spend": [12.345678, 7]}))),
            ),
            code(
                "show(wide)", shown(show(wide)), new_output("stream", name="stderr", text="\x1b[31ma warning\x1b[0m\n")
            ),
            new_markdown_cell(
                "#### Deep\n\nA heading that skips two levels.\n\n## Load\n\nA heading that stands twice."
            ),
            code("plots.tracking(weeks)", *drawn()),
            code("plots.gains(ranked)", *drawn("Gains of 'A' & \"B\"", "Share of customers", "Share of orders")),
            code(""),
            code("report", *OUTPUTS),
        ]
    )


def failed_notebook():
    """As papermill leaves a notebook whose third code cell raised."""
    words = "<span style=\"color:red; font-family:Helvetica Neue\">An Exception was encountered at 'In [3]'.</span>"
    above, before = (new_markdown_cell(words, metadata={"tags": ["papermill-error-cell-tag"]}) for _ in range(2))
    raised = new_output(
        "error",
        ename="ValueError",
        evalue=f"no orders \x1b[31mleft\x1b[0m {HOSTILE}",
        traceback=[
            "\x1b[0;31mValueError\x1b[0m Traceback (most recent call last)",
            "File <ipython>, line 1 " + "x" * 300,
        ],
    )
    cells = good_notebook().cells
    return new_notebook(cells=[above, *cells[:4], before, code("fit(orders)", raised), code("never_ran()")])


def hostile_notebook():
    """A notebook that tries to act from wherever text can stand."""
    stolen = '<img src="https://example.org/a.png" alt="afar"><iframe src="https://example.org/"></iframe>'
    return new_notebook(
        cells=[
            new_markdown_cell(
                f"# Title {HOSTILE}\n\n{HOSTILE} <b onclick='window.ran = true'>bold</b> [x](javascript:window.ran=1)"
            ),
            new_markdown_cell(
                f"<style>@import url(https://example.org/a.css); body {{display: none}}</style>\n\n{stolen}"
            ),
            code("show(frame)", shown(show(pd.DataFrame({HOSTILE: [HOSTILE]})))),
            code("HTML(...)", new_output("display_data", {"text/html": f"<p>own</p></main></div>{HOSTILE}{stolen}"})),
            code(
                "Javascript(...)",
                new_output("display_data", {"application/javascript": "window.ran = 1", "text/plain": "js"}),
            ),
            code(f"print('{HOSTILE}')", new_output("stream", name="stdout", text=HOSTILE)),
            code("ax", *drawn(HOSTILE, HOSTILE, HOSTILE)),
            code("x", new_output("execute_result", {"text/plain": HOSTILE})),
            code("x", new_output("execute_result", {"text/markdown": HOSTILE})),
            code(
                "x",
                new_output(
                    "display_data", {"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{HOSTILE}</svg>"}
                ),
            ),
        ]
    )


def source(**changes):
    """The record of a data set."""
    told = {
        "parameter": "data", "name": "cdnow_sample", "about": "Orders of a music shop", "nature": "real",
        "source": "a package", "sha256": "ab" * 32, "rows": 6919, "customers": 2357,
        "first": "1997-01-01", "last": "1998-06-30",
    }  # fmt: skip
    return Source(**told | changes)


def manifest(reported=REPORTED, **changes):
    """The manifest of a good run, but for what `changes`."""
    nothing = {"title": "", "answer": [], "facts": [], "checks": [], "notes": [], "tables": [], "figures": []}
    reported = reported or nothing
    facts = {fact["name"]: {k: v for k, v in fact.items() if k != "name"} for fact in reported["facts"]}
    told = {
        "report": "clv",
        "run": "20261122T011030Z-0a1b2c3d",
        "state": "success",
        "notebook": "notebooks/02_clv.ipynb",
        "notebook_sha256": "cd" * 32,
        "parameters_given": {"horizon_days": "180"},
        "parameters": {"data": "cdnow_sample", "split": None, "horizon_days": 180, "discount_annual": 0.1},
        "data": [source()],
        "code": Code(commit="e" * 40, dirty=True, sha256="f" * 64),
        "environment": Environment(
            python="3.11.2", platform="linux x86_64", lock_sha256="1" * 64, packages={"crmlab": "0.1.0"}
        ),
        "seed": 7,
        "started": STARTED,
        "ended": STARTED + timedelta(seconds=12.3456789),
        "seconds": {"execute": 11.98765},
    }
    told |= reported | {"facts": facts}
    return Manifest(**told | changes)


def failed_manifest(**changes):
    """The manifest of the run that left `failed_notebook`."""
    error = Error(cell=3, name="ValueError", message=f"no orders \x1b[31mleft\x1b[0m {HOSTILE}")
    return manifest(None, **{"state": "failed", "error": error} | changes)


def hostile_manifest():
    """A manifest whose every text a user chose badly."""
    h = HOSTILE
    return manifest(
        title=h,
        report=h,
        notebook=h,
        state="failed",
        parameters_given={h: h},
        parameters={h: h, "many": [h, 1], "path": "/long" * 50},
        data=[source(name=h, about=h, nature=h, source=h, first=h, last=h)],
        facts={h: Estimate(1, 0, 2, unit=h).as_dict(), "blank": Estimate(None, reason=h).as_dict()},
        checks=[
            {
                "id": h,
                "kind": "assumption",
                "outcome": "failed",
                "claim": h,
                "summary": h,
                "recommendation": h,
                "values": {h: h},
            }
        ],
        tables=[h],
        figures=[h],
        notes=[h],
        error=Error(cell=1, name=h, message=h),
        seconds={h: 1},
    )
