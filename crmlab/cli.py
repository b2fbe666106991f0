"""crmlab from a shell."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.table import Table

from crmlab.contracts import InputError

app = typer.Typer(
    help="A notebook-based research workbench for customer relationship management.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)
Given = Annotated[list[str], typer.Option("--parameter", "-p", help="name=value; give it once for each parameter")]


@app.command("list")
def list_(report: Annotated[Optional[str], typer.Argument(help="a report, to see its parameters")] = None):
    """The reports there are, or the parameters of one: names, types, defaults, ranges and meanings."""
    from crmlab.reports import parameters

    known = parameters.reports(root())
    if report is None:
        for found in known.values():
            out.print(f"[bold]{found.name}[/]  {title(found.notebook)}", highlight=False)
        return
    if report not in known:
        parameters.prepare(root(), [(report, {})])
    for p in known[report].parameters.values():
        within = f"  [{p.range}]" if p.range else ""
        out.print(f"[bold]{p.name}[/]{plain(f': {p.annotation} = {p.default}{within}')}")
        out.print(plain(f"    {p.meaning}"))


@app.command()
def check(data: Annotated[str, typer.Argument(help="a name in data/catalog.toml, or a path")]):
    """What the door finds in a data set, or everything that keeps it out."""
    from crmlab import catalog

    for what, found in catalog.check(data).found.found.items():
        out.print(f"{what:>30}  {plain(found)}")


@app.command()
def run(
    reports: Annotated[Optional[list[str]], typer.Argument(help="reports to run; `crmlab list` names them")] = None,
    parameter: Given = [],  # noqa: B006, typer copies it
    suite: Annotated[Optional[Path], typer.Option(help="a file that names the runs to make")] = None,
):
    """Execute reports into reports/<report>/<run>/, and list them in reports/index.html."""
    from crmlab.reports import parameters, runner, site, store

    given, breaches = {}, []
    for pair in parameter:
        name, equals, value = pair.partition("=")
        given[name] = value
        if not equals:
            breaches.append(f"-p {pair!r}: write it as name=value")
    wanted = [(name, given) for name in reports or ()]
    if suite:
        wanted += [(planned.report, planned.parameters | given) for planned in parameters.suite(suite).run]
    if not wanted and not breaches:
        breaches.append("nothing to run: name a report (`crmlab list` shows them), or give --suite")
    try:
        jobs = parameters.prepare(root(), wanted)
    except InputError as found:
        raise InputError(*breaches, *found.breaches) from None
    if breaches:
        raise InputError(*breaches)
    states = []
    for job in jobs:
        with progress(job.report.name) as step:
            folder = runner.run(job, root(), store_folder(), step)
        manifest = store.read(folder)
        states.append(manifest.state)
        tell(manifest, folder)
    index = site.build(store_folder())
    out.print(f"\nindex: {plain(index)}")
    if any(state != "success" for state in states):
        raise SystemExit(1)


@app.command()
def runs(report: Annotated[Optional[str], typer.Argument(help="only the runs of this report")] = None):
    """The runs there are, newest first."""
    from crmlab.reports import parameters, store

    if report is not None and report not in parameters.reports(root()):
        parameters.prepare(root(), [(report, {})])
    table = Table("run", "report", "state", "seconds", "parameters given", box=None)
    for folder in store.folders(store_folder(), report):
        m = store.read(folder)
        given = " ".join(f"{name}={value}" for name, value in m.parameters_given.items())
        table.add_row(*map(plain, (m.run, m.report, m.state, f"{sum(m.seconds.values()):.1f}", given)))
    out.print(table if table.row_count else "no runs yet; `crmlab run clv` makes one")


@app.command()
def show(run: Annotated[str, typer.Argument(help="a run's id, or the beginning of one")]):
    """What a run found: its state, facts, verdicts and files."""
    from crmlab.reports import store

    folder = store.find(store_folder(), run)
    tell(store.read(folder), folder)


@app.command("site")
def site_():
    """Write reports/index.html anew."""
    from crmlab.reports import site

    out.print(plain(site.build(store_folder())))


def tell(manifest, folder):
    """A run in a few lines."""
    from crmlab.result import Estimate, words

    colour = "green" if manifest.state == "success" else "red"
    out.print(f"[bold {colour}]{manifest.state}[/]  {manifest.report} {manifest.run}  {plain(manifest.title)}")
    if manifest.error:
        where = f"cell {manifest.error.cell}: " if manifest.error.cell else ""
        out.print(plain(f"  {where}{manifest.error.name}: {manifest.error.message}"))
    for name, fact in manifest.facts.items():
        out.print(plain(f"  {words(name)}: {Estimate(**fact)}"))
    for verdict in manifest.verdicts:
        out.print(plain(f"  [{'passed' if verdict['passed'] else 'FAILED'}] {verdict['claim']}: {verdict['evidence']}"))
    out.print(plain(f"  {folder / 'report.html'}"))


@contextmanager
def progress(report):
    """Tell of each cell on a terminal, and of nothing elsewhere."""
    if not err.is_terminal:
        yield lambda done, cells: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("cells"), TimeElapsedColumn()
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(report, total=None)
        yield lambda done, cells: bar.update(task, completed=done, total=cells)


def root():
    """The project's folder."""
    from crmlab import catalog

    return catalog.root()


def store_folder():
    """Where runs are kept."""
    return root() / "reports"


def title(notebook):
    """The first heading of a notebook."""
    import json

    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    lines = [line for cell in cells if cell["cell_type"] == "markdown" for line in "".join(cell["source"]).split("\n")]
    return next((line.lstrip("# ") for line in lines if line.startswith("#")), "")


def plain(value):
    """Text that rich prints as it stands."""
    from rich.markup import escape

    return escape(str(value))


def main():
    """Run the command line; a fault of input is told in words, with exit code 2."""
    try:
        app()
    except InputError as found:
        for breach in found.breaches:
            err.print(f"[bold red]error:[/] {plain(breach)}")
        sys.exit(2)
