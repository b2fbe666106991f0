"""crmlab from a notebook: what a cell shows of tables, data, fits and checks, and `%crmlab_run`."""

import html
import os
import shlex
from pathlib import Path
from typing import Any

from crmlab.contracts import InputError

USAGE = "%crmlab_run [-p NAME=VALUE ...] [--force]"


def load(shell: Any) -> None:
    """What `%load_ext crmlab` does: let cells show rows, counts and cards, and add `%crmlab_run`."""
    show_well(shell)
    shell.register_magic_function(crmlab_run, "line", "crmlab_run")


def show_well(shell: Any) -> None:
    """Let cells of an IPython show what an engine holds by its first rows, and fits and checks as tables and cards."""
    shown = (
        ("ibis.expr.types.relations", "Table", _table),
        ("crmlab.dataset", "Data", _data),
        ("crmlab.check", "Check", _check),
        ("crmlab.model", "Model", _fit),
        ("crmlab.model", "Unfitted", _unfitted),
    )
    as_html, as_text = (shell.display_formatter.formatters[kind] for kind in ("text/html", "text/plain"))
    for module, name, write in shown:
        as_html.for_type_by_name(module, name, lambda thing, write=write: write(thing)[1])
    for module, name, write in shown[:2]:
        as_text.for_type_by_name(module, name, lambda thing, printer, cycle, write=write: printer.text(write(thing)[0]))


def _table(table):
    """The first rows of an Ibis table, below how many there are: text and HTML."""
    from crmlab.display import first_rows, show

    rows, columns = table.count().execute(), len(table.columns)
    shown, counts = show(first_rows(table)), f"{rows:,} rows, {columns} columns; the first rows"
    return f"{counts}\n{shown!r}", f"<p>{counts}</p>{shown._repr_html_()}"


def _data(data):
    """What was found in data, and their first rows."""
    from crmlab.display import show

    found, (text, table) = show(data.summary), _table(data.table)
    return f"{found!r}\n{text}", found._repr_html_() + table


def _check(check):
    from crmlab.cells import checks_html

    return str(check), checks_html([check])


def _fit(model):
    """The estimates of a model with their standard errors; of one without any, its own words."""
    from crmlab.display import show

    parameters = getattr(model, "parameters", None)
    if parameters is None:
        return repr(model), f"<pre>{html.escape(repr(model))}</pre>"
    title = html.escape(model.title or type(model).__name__)
    return repr(model), f"<p><b>{title}</b></p>{show(parameters)._repr_html_()}"


def _unfitted(unfitted):
    title, reason = html.escape(unfitted.title), html.escape(str(unfitted))
    return repr(unfitted), f"<p><b>{title}</b> could not be fitted: {reason}</p>"


def crmlab_run(line: str) -> Any:
    """Execute this notebook as a run of its report, and link its page: `%crmlab_run -p NAME=VALUE --force`.

    The notebook is taken as it was last saved, and runs in a kernel of its own. Parameters are those of its cell, but
    for what is given.
    """
    from rich.console import Console

    from crmlab.cli import reports
    from crmlab.reports import parameters, runner, store
    from crmlab.reports.progress import show_progress

    given, force = _given(line)
    path = _notebook()
    known = parameters.reports(reports.root(), only=())
    name = next((name for name, report in known.items() if report.notebook.resolve() == path), None)
    if name is None:
        raise InputError(f"%crmlab_run: {path} is no report; save the notebook in {reports.root() / 'notebooks'}")
    jobs = parameters.prepare(reports.root(), [(name, given)])
    store.clean(reports.store_folder())
    with show_progress(Console(stderr=True)) as started:
        (outcome,) = runner.run_all(jobs, reports.root(), reports.store_folder(), 1, force, started)
    reports.index()
    if isinstance(outcome, Exception):
        raise outcome
    return _Ran(store.read(outcome.folder), outcome.folder, outcome.reused)


def _given(line):
    """The parameters that a line gives, as text, and whether it forces a run."""
    from crmlab.cli.reports import pairs

    words, given = shlex.split(line), []
    force = "--force" in words
    rest = iter(word for word in words if word != "--force")
    for word in rest:
        if word not in ("-p", "--parameter"):
            raise InputError(f"%crmlab_run: {word!r} is not understood; write {USAGE}")
        given.append(next(rest, ""))
    found, breaches = pairs("-p", given)
    if breaches:
        raise InputError(*breaches)
    return found, force


def _notebook():
    """The path of the notebook that this kernel serves."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    named = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
    if not named:
        raise InputError("%crmlab_run: this kernel does not say which notebook it serves; use `crmlab run REPORT`")
    return Path(named).resolve()


class _Ran:
    """A run in a few lines, with a link to its page."""

    def __init__(self, manifest: Any, folder: Path, reused: bool) -> None:
        from crmlab.reports.templates import count_checks

        state = "unchanged since this run" if reused else manifest.state
        error = f"{manifest.error.name}: {manifest.error.message}" if manifest.error else ""
        self.lines = [f"{state}: {manifest.report} {manifest.run}", *filter(None, [error]), *manifest.answer]
        self.lines += filter(None, [count_checks(manifest.checks)])
        self.page = os.path.relpath(folder / "report.html")

    def __repr__(self) -> str:
        return "\n".join([*self.lines, self.page])

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in self.lines)
        page = html.escape(self.page)
        return f'{lines}<p><a href="{page}" target="_blank">{page}</a></p>'
