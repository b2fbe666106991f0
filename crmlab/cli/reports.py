"""Reports from a shell: what there are, runs of them, and what was found."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.table import Column, Table

from crmlab.cli.console import err, out, plain, print_breaches
from crmlab.contracts import InputError
from crmlab.display import words
from crmlab.estimate import Estimate

LISTED = 100  # runs that are listed where nobody asks for all
Given = Annotated[list[str], typer.Option("--parameter", "-p", help="name=value; give it once for each parameter")]


def list_(report: Annotated[Optional[str], typer.Argument(help="a report, to see its parameters")] = None) -> None:
    """The reports there are, or the parameters of one: names, types, defaults, ranges and meanings."""
    from crmlab.reports import parameters

    known = parameters.reports(root(), only=[report])
    if report is None:
        for found in known.values():
            out.print(f"[bold]{found.name}[/]  {plain(found.title)}", highlight=False)
        return
    if report not in known:
        parameters.prepare(root(), [(report, {})])
    for p in known[report].parameters.values():
        within = f"  [{p.range}]" if p.range else ""
        out.print(f"[bold]{p.name}[/]{plain(f': {p.annotation} = {p.default}{within}')}")
        out.print(plain(f"    {p.meaning}"))


def run(
    reports: Annotated[Optional[list[str]], typer.Argument(help="reports to run; `crmlab list` names them")] = None,
    parameter: Given = [],  # noqa: B006, typer copies it
    suite: Annotated[Optional[Path], typer.Option(help="a file that names the runs to make")] = None,
    sweep: Annotated[list[str], typer.Option(help="name=a,b,c; one run for each value")] = [],  # noqa: B006
    jobs: Annotated[int, typer.Option(min=1, help="how many runs at once")] = 1,
    force: Annotated[bool, typer.Option("--force", help="run even where nothing has changed since a good run")] = False,
    cell_timeout: Annotated[Optional[float], typer.Option(min=0.001, help="seconds that a cell may take")] = None,
    timeout: Annotated[Optional[float], typer.Option(min=0.001, help="seconds that a run may take")] = None,
) -> None:
    """Execute reports into reports/<report>/<run>/, and list them in reports/index.html.

    A run whose notebook, parameters, data, code and lock are those of an earlier good one is answered by that one.
    """
    from crmlab.reports import parameters, runner, store
    from crmlab.reports.progress import show_progress
    from crmlab.reports.suite import load_suite

    given, breaches = pairs("-p", parameter)
    swept, more = pairs("--sweep", sweep)
    breaches += more + [f"--sweep {name!r}: also given by -p" for name in given.keys() & swept.keys()]
    wanted = [(name, given) for name in reports or ()]
    if suite:
        wanted += [(plan.report, each | given) for plan in load_suite(suite).run for each in plan.given]
    if not wanted and not breaches:
        breaches.append("nothing to run: name a report (`crmlab list` shows them), or give --suite")
    for name, values in swept.items():
        wanted = [(report, taken | {name: value}) for report, taken in wanted for value in values.split(",")]
    limits = {"cell_seconds": cell_timeout, "run_seconds": timeout}
    try:
        planned = parameters.prepare(root(), wanted, {k: v for k, v in limits.items() if v is not None})
    except InputError as found:
        raise InputError(*breaches, *found.breaches) from None
    if breaches:
        raise InputError(*breaches)
    store.clean(store_folder())
    with show_progress(err) as started:
        outcomes = runner.run_all(planned, root(), store_folder(), jobs, force, started)
    raise SystemExit(print_outcomes(planned, outcomes, index()))


def pairs(option, given):
    """`name=value` texts as a dict, and what is wrong with those that are none, or name what another names."""
    split = [pair.partition("=") for pair in given]
    names = [name for name, equals, _ in split if equals]
    return (
        {name: value for name, equals, value in split if equals},
        [f"{option} {name!r}: write it as name=value" for name, equals, _ in split if not equals]
        + [
            f"{option} {name!r}: given {names.count(name)} times"
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        ],
    )


def print_outcomes(planned, outcomes, listed):
    """Print how runs ended: in full where there was one, else in a table. Gives the exit code."""
    from crmlab.reports import store

    shown = table("report", "parameters given", "state", "seconds", "run")
    codes = {0}
    for job, outcome in zip(planned, outcomes, strict=True):
        given = " ".join(f"{name}={value}" for name, value in job.given.items())
        if isinstance(outcome, InputError):
            print_breaches(outcome)
            codes.add(2)
            shown.add_row(*map(plain, (job.report.name, given, "refused", "", "")))
            continue
        if isinstance(outcome, Exception):
            err.print(f"[bold red]error:[/] {plain(f'{job.report.name}: not kept: {outcome}')}")
            codes.add(1)
            shown.add_row(*map(plain, (job.report.name, given, "not kept", "", "")))
            continue
        try:
            manifest = store.read(outcome.folder)
        except FileNotFoundError:  # another process has pruned it since
            shown.add_row(*map(plain, (job.report.name, given, "pruned", "", outcome.folder.name)))
            continue
        codes.add(0 if manifest.state == "success" else 1)
        state = "unchanged" if outcome.reused else manifest.state
        seconds = "" if outcome.reused else f"{sum(manifest.seconds.values()):.1f}"
        shown.add_row(*map(plain, (job.report.name, given, state, seconds, manifest.run)))
        if len(planned) == 1:
            if outcome.reused:
                out.print("unchanged since this run; --force runs it again")
            print_run(manifest, outcome.folder)
    if len(planned) > 1:
        out.print(shown)
    out.print(f"index: {plain(listed)}")
    return 1 if 1 in codes else max(codes)


def reproduce(
    run: Annotated[str, typer.Argument(help="a run's id, the beginning of one, or a report for its latest")],
) -> None:
    """Execute a run again from its manifest, and compare fact by fact and table by table.

    Prints first what differs now: code, data, lock. The exit code is 0 where all agree.
    """
    from crmlab.reports import causes, compare, manifest, parameters, runner, snapshot, store
    from crmlab.reports.progress import show_progress

    folder = store.find(store_folder(), run)
    made = store.read(folder)
    if faults := tampered(folder):
        raise InputError(
            *(f"{folder.name}: {fault}; only a run as it was recorded can be reproduced" for fault in faults)
        )
    (job,) = parameters.prepare(root(), [(made.report, parameters.text(made.parameters))])
    now = made.model_copy(update=manifest.provenance(job, root(), snapshot.current(root())))
    changes = list(causes.causes(made, now))
    out.print(f"run {made.run} of {made.report}" + ("" if changes else ": nothing it was made from has changed"))
    for change in changes:
        out.print(plain(f"  {change}"))
    store.clean(store_folder())
    with show_progress(err) as started:
        (again,) = runner.run_all([job], root(), store_folder(), 1, True, started)
    index()
    if isinstance(again, Exception):
        raise again
    differing = 0
    for name, equal, difference in compare.results(folder, again.folder):
        differing += not equal
        out.print(plain(f"  {'equal' if equal else 'DIFFERS'}  {name}  {difference}".rstrip()))
    out.print(f"{again.folder.name}: " + (f"{differing} differ" if differing else "all equal"))
    raise SystemExit(1 if differing else 0)


def prune(keep: Annotated[int, typer.Option(min=1, help="how many runs of each report to keep")]) -> None:
    """Remove old runs; never a report's last good run, never an approved one."""
    from crmlab.reports import store

    store.clean(store_folder())
    with store.exclusive(store_folder()):
        removed = store.prune(store_folder(), keep)
    for folder in removed:
        out.print(plain(f"removed {folder.parent.name} {folder.name}"))
    out.print(f"{len(removed)} removed")
    index()


def runs(
    report: Annotated[Optional[str], typer.Argument(help="only the runs of this report")] = None,
    every: Annotated[bool, typer.Option("--all", help=f"also those older than the newest {LISTED}")] = False,
) -> None:
    """The runs there are, newest first."""
    from crmlab.reports import parameters, site, store

    if report is not None and report not in parameters.reports(root(), only=()):
        parameters.prepare(root(), [(report, {})])
    shown = table("run", "report", "state", "checks", "seconds", "parameters given")
    found = store.folders(store_folder(), report)
    for row in site.rows(store_folder(), found if every else found[:LISTED]):
        given = " ".join(f"{name}={value}" for name, value in row.given)
        state = f"{row.state}, tampered" if row.record == "tampered" else row.state
        checks, seconds = "older form" if row.older else row.counts, f"{row.seconds:.1f}" if row.started else ""
        shown.add_row(*map(plain, (row.name, row.report, state, checks, seconds, given)))
    out.print(shown if shown.row_count else "no runs yet; `crmlab run clv` makes one")
    if len(found) > shown.row_count:
        out.print(f"{len(found) - shown.row_count:,} older runs; --all lists them too")


def show(
    run: Annotated[str, typer.Argument(help="a run's id, the beginning of one, or a report for its latest")],
) -> None:
    """What a run found: its state, answer, facts, checks, notes and files."""
    from crmlab.reports import ledger, review, store

    folder = store.find(store_folder(), run)
    for fault in tampered(folder):
        out.print(f"[bold red]tampered with:[/] {plain(fault)}")
    print_run(store.read(folder), folder)
    for decision, by, at, note in review.said_of(ledger.read(store_folder()), folder.name):
        out.print(plain(f"  {decision}{f' by {by}' if by else ''}, {at[:10]}{f': {note}' if note else ''}"))


def tampered(folder):
    """What of a run is not as it was recorded: sentences, none where all is, or nobody recorded it."""
    from crmlab.reports import integrity, ledger

    found = integrity.standing(folder, ledger.read(store_folder()), whole=True)
    return found.faults if found.state == "tampered" else ()


def site_() -> None:
    """Write reports/index.html anew."""
    out.print(plain(index()))


def index():
    """List all runs in reports/index.html, and point each report's `latest` and `latest-good` at theirs."""
    from crmlab.reports import parameters, site, store

    with store.exclusive(store_folder()):
        store.update_links(store_folder())
        return site.build(store_folder(), parameters.of_suite(root()))


def print_run(manifest, folder):
    """A run in a few lines: its state, answer, facts, checks counted and listed, those that failed first, and notes."""
    from crmlab.reports.templates import count_checks, grouped

    colour, older = "green" if manifest.state == "success" else "red", " (older form)" if manifest.older else ""
    heading = f"[bold {colour}]{manifest.state}[/]{older}  {manifest.report} {manifest.run}"
    out.print(f"{heading}  {plain(manifest.title)}")
    if manifest.error:
        where = f"cell {manifest.error.cell}: " if manifest.error.cell else ""
        out.print(plain(f"  {where}{manifest.error.name}: {manifest.error.message}"))
    for each in manifest.changed:
        out.print(f"  [bold red]changed meanwhile:[/] {plain(each)}", highlight=False)
    for each in manifest.answer:
        out.print(f"  [bold]{plain(each)}[/]", highlight=False)
    for name, fact in manifest.facts.items():
        out.print(plain(f"  {words(name)}: {Estimate(**fact)}"))
    if manifest.checks:
        out.print(f"  checks: {count_checks(manifest.checks)}")
    for title, checks in grouped(manifest.checks):
        out.print(plain(f"  {title}"))
        for check in checks:
            out.print(
                plain(
                    f"    [{check['outcome']}] {check['claim']}: {check['summary']} {check['recommendation']}".rstrip()
                )
            )
    for note in manifest.notes:
        out.print(plain(f"  {note}"))
    out.print(plain(f"  {folder / 'report.html'}"))


def root():
    """The project's folder."""
    from crmlab import catalog

    return catalog.root()


def store_folder():
    """Where runs are kept."""
    return root() / "reports"


def table(*columns):
    """A table that leaves nothing out: where it is too wide, parameters go on in the next line."""
    return Table(*(Column(name, no_wrap=name != "parameters given", overflow="fold") for name in columns), box=None)
