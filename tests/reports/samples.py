"""Notebooks as papermill leaves them, and manifests, to make pages of; nothing here is executed."""

import base64
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO

import pandas as pd
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from crmlab.reports.manifest import Code, Environment, Error, Manifest, Source
from crmlab.result import Estimate, Result, Verdict, show

HOSTILE = "<script>window.ran = true</script><img src=x onerror='window.ran = true'>\"'&"
STARTED = datetime(2026, 11, 22, 1, 10, 30, tzinfo=UTC)
RESULT = Result(
    title="Customer value over 180 days",
    facts={
        "customers": 2357,
        "orders_expected": Estimate(1671.2345678901234, 1602.1, 1744.5, "orders", "predictive"),
        "mean_value": Estimate(29.383838383838384, 27.12345678, 31.9, "USD"),
        "share_gone": 0.5,
        "fifth": 5,
    },
    tables={"calibration": pd.DataFrame({"orders": [0, 1]}), "private/value": pd.DataFrame({"customer_id": ["00123"]})},
    verdicts=(
        Verdict("Nearer than the past rate", True, "error lower by 0.2"),
        Verdict("Spend is independent", False, "correlation 0.4", "orders and spend apart"),
    ),
    notes=("Zero amounts count as orders.",),
)


def text_of(soup, selector):
    """The words of each element that a selector finds."""
    return [re.sub(r"\s+", " ", tag.get_text(" ", strip=True)) for tag in soup.select(selector)]


def code(source, *outputs, tags=()):
    """A code cell with its outputs."""
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


def shown(displayed):
    """What a cell that ends in a Result or `show(frame)` puts out."""
    if isinstance(displayed, Result):
        data, metadata = displayed._repr_mimebundle_()
        return new_output("execute_result", data, metadata=metadata)
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
            code("Result(...)", shown(RESULT)),
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


def manifest(result=RESULT, **changes):
    """The manifest of a good run, but for what `changes`."""
    said = result.as_dict() if result else {"title": "", "facts": [], "verdicts": [], "notes": []}
    told = {
        "report": "clv",
        "run": "20261122T011030Z-0a1b2c3d",
        "state": "success",
        "title": said["title"],
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
        "facts": {fact["name"]: {k: v for k, v in fact.items() if k != "name"} for fact in said["facts"]},
        "verdicts": said["verdicts"],
        "notes": said["notes"],
    }
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
        facts={h: {"value": 1, "low": 0, "high": 2, "unit": h, "interval": h}},
        verdicts=[{"claim": h, "passed": False, "evidence": h, "instead": h}],
        notes=[h],
        error=Error(cell=1, name=h, message=h),
        seconds={h: 1},
    )
