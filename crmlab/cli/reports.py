"""Reports from a shell: what there are, runs of them, and what was found."""

from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.table import Column, Table

from crmlab.cli.console import err, out, plain, print_breaches
from crmlab.contracts import InputError
from crmlab.display import words
from crmlab.estimate import Estimate, written

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
        wanted += [(planned.report, planned.parameters | given) for planned in load_suite(suite).run]
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

    table = _table("report", "parameters given", "state", "seconds", "run")
    codes = {0}
    for job, outcome in zip(planned, outcomes, strict=True):
        given = " ".join(f"{name}={value}" for name, value in job.given.items())
        if isinstance(outcome, InputError):
            print_breaches(outcome)
            codes.add(2)
            table.add_row(*map(plain, (job.report.name, given, "refused", "", "")))
            continue
        if isinstance(outcome, Exception):
            err.print(f"[bold red]error:[/] {plain(f'{job.report.name}: not kept: {outcome}')}")
            codes.add(1)
            table.add_row(*map(plain, (job.report.name, given, "not kept", "", "")))
            continue
        try:
            manifest = store.read(outcome.folder)
        except FileNotFoundError:  # another process has pruned it since
            table.add_row(*map(plain, (job.report.name, given, "pruned", "", outcome.folder.name)))
            continue
        codes.add(0 if manifest.state == "success" else 1)
        state = "unchanged" if outcome.reused else manifest.state
        seconds = "" if outcome.reused else f"{sum(manifest.seconds.values()):.1f}"
        table.add_row(*map(plain, (job.report.name, given, state, seconds, manifest.run)))
        if len(planned) == 1:
            if outcome.reused:
                out.print("unchanged since this run; --force runs it again")
            print_run(manifest, outcome.folder)
    if len(planned) > 1:
        out.print(table)
    out.print(f"index: {plain(listed)}")
    return 1 if 1 in codes else max(codes)


def reproduce(
    run: Annotated[str, typer.Argument(help="a run's id, the beginning of one, or a report for its latest")],
) -> None:
    """Execute a run again from its manifest, and compare fact by fact and table by table.

    Prints first what differs now: code, data, lock. The exit code is 0 where all agree.
    """
    from crmlab.reports import compare, parameters, runner, store
    from crmlab.reports.progress import show_progress

    folder = store.find(store_folder(), run)
    made = store.read(folder)
    (job,) = parameters.prepare(root(), [(made.report, parameters.text(made.parameters))])
    changes = list(compare.changed(made, job, root()))
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


def verify(
    run: Annotated[
        Optional[str], typer.Argument(help="a run's id, the beginning of one, or a report; none: all")
    ] = None,
) -> None:
    """Check every file of a run against its manifest, and that against the ledger; of all runs where none is named.

    The exit code is 0 where all are as they were recorded.
    """
    from crmlab.reports import integrity, ledger, store

    store.clean(store_folder())
    folders = [store.find(store_folder(), run)] if run else store.folders(store_folder())
    faults = 0
    for fault in ledger.read(store_folder()).faults:
        faults += 1
        out.print(f"[bold red]broken[/]  {ledger.FILE}: {plain(fault)}")
    for folder, found in integrity.of_all(store_folder(), folders).items():
        faults += found.state == "tampered"
        colour = {"intact": "green", "tampered": "bold red"}.get(found.state, "yellow")
        what = "; ".join(found.faults) or "as it was recorded"
        out.print(f"[{colour}]{found.state}[/]  {plain(folder.parent.name)} {plain(folder.name)}: {plain(what)}")
        if found.extra:
            out.print(plain(f"  not of the run: {', '.join(found.extra)}"))
    for fault in [] if run else integrity.missing(store_folder()):
        faults += 1
        out.print(f"[bold red]missing[/]  {plain(fault)}")
    raise SystemExit(1 if faults else 0)


def approve(
    run: Annotated[str, typer.Argument(help="a run's id, the beginning of one, or a report for its latest")],
    by: Annotated[str, typer.Option(help="who decides")],
    note: Annotated[str, typer.Option(help="why")] = "",
    reject: Annotated[bool, typer.Option("--reject", help="reject the run")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="withdraw an approval")] = False,
) -> None:
    """Approve a run, reject it, or withdraw an approval: in the ledger, on the run's page, and in the index."""
    from crmlab.reports import parameters, review, store

    if reject and withdraw:
        raise InputError("--reject and --withdraw are given; give one")
    decision = "rejected" if reject else "withdrawn" if withdraw else "approved"
    store.clean(store_folder())
    folder, people = store.find(store_folder(), run), parameters.people(root())
    holds = review.decide(store_folder(), folder, decision, by, note, people)
    more = f"; {people} people must approve it" if decision == "approved" and not holds else ""
    out.print(plain(f"{folder.parent.name} {folder.name}: {decision} by {by}{more}"))
    index()


def forget(
    customer: Annotated[str, typer.Argument(help="a customer's id, as the data have it")],
    look: Annotated[bool, typer.Option("--look", help="only say which runs hold the customer")] = False,
) -> None:
    """Take a customer out of the private tables of all runs, and say which other files name the customer.

    The ledger records that tables were changed, and never the id; runs and approvals stay valid.
    """
    from crmlab.reports import forget as forgetting
    from crmlab.reports import store

    store.clean(store_folder())
    found = forgetting.holding(store_folder(), customer) if look else forgetting.forget(store_folder(), customer)
    tables = others = 0
    for folder, (private, other) in found.items():
        tables, others = tables + len(private), others + len(other)
        out.print(plain(f"{folder.parent.name} {folder.name}"))
        for path in private:
            out.print(plain(f"  {path}{'' if look else ': rows removed'}"))
        for path in other:
            out.print(plain(f"  {path}: names the customer, and is left as it is"))
    out.print(f"{tables} tables {'hold' if look else 'held'} the customer; {others} other files name the id")
    if not look:
        index()


def compare(
    run: Annotated[str, typer.Argument(help="a run's id, the beginning of one, or a report for its latest")],
    against: Annotated[Optional[str], typer.Argument(help="an earlier run; else the last approved one")] = None,
    fail_on: Annotated[
        list[str], typer.Option(help="fact:5% or fact:100, by more than which it must not differ; may be given again")
    ] = [],  # noqa: B006, typer copies it
) -> None:
    """Set a run beside an earlier one: facts with their differences, checks, tables, and what they were made from.

    The exit code is 1 where a fact of --fail-on differs by more, or is blank.
    """
    from crmlab.reports import comparison, site

    after, before, approved = _two_runs(run, against)
    found = comparison.compare(before, after)
    limits, breaches = comparison.limits(fail_on, found)
    if breaches:
        raise InputError(*breaches)
    out.print(plain(f"{found.after.report} {found.after.run} against {'the approved ' * approved}{found.before.run}"))
    out.print(plain(found.summary))
    for cause in found.causes:
        out.print(plain(f"  {cause}"))
    for fact in found.facts:
        marked = "[bold red]differs[/]" if fact.outcome == "differs" else fact.outcome
        p = "" if fact.p is None else f", p = {written(fact.p, 'p')}".replace("= <", "<")
        values = f"{fact.before} -> {fact.after}"
        said = "; ".join(filter(None, (values, f"{fact.in_words()}{p}".removeprefix(", "), fact.reason)))
        out.print(f"  {marked}  {plain(words(fact.name))}: {plain(said)}")
    for said in found.one_sided:
        out.print(plain(f"  fact: {said}"))
    for claim, then, now in found.checks:
        out.print(plain(f"  check: {claim}: {then}, then {now}"))
    for path, said in found.tables:
        out.print(plain(f"  table: {path}: {said}"))
    beyond = [said for said in limits if said]
    for said in beyond:
        out.print(f"[bold red]beyond[/]  {plain(said)}")
    out.print(plain(f"page: {site.write_comparison(store_folder(), found, approved)}"))
    raise SystemExit(1 if beyond else 0)


def _two_runs(run, against):
    """The folders of a run and of an earlier one, and whether that is the last approved."""
    from crmlab.reports import integrity, ledger, store

    after = store.find(store_folder(), run)
    if against:
        return after, store.find(store_folder(), against), False
    book, earlier = ledger.read(store_folder()), store.folders(store_folder(), after.parent.name)
    approved = [f for f in earlier if f != after and book.approved(f.name) and integrity.standing(f, book).is_intact]
    if not approved:
        raise InputError(f"no other run of {after.parent.name} is approved; name the run to compare with")
    return after, approved[0], True


def facts(
    report: Annotated[str, typer.Argument(help="a report")],
    fact: Annotated[str, typer.Argument(help="the name of one of its facts")],
    as_csv: Annotated[bool, typer.Option("--csv", help="as CSV, at full precision")] = False,
) -> None:
    """A fact over the runs of a report, oldest first."""
    import csv
    import sys

    from crmlab.reports import comparison, parameters

    if report not in parameters.reports(root(), only=()):
        parameters.prepare(root(), [(report, {})])
    names, rows = comparison.series(store_folder(), report, fact)
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([names, *rows])
        return
    table = _table("run", "started", "value", "parameters given")
    for row in rows:
        held = dict(zip(names, row, strict=True))
        shown = Estimate(**{name: held[name] for name in comparison.ESTIMATE})
        table.add_row(*map(plain, (held["run"], held["started"], shown, held["parameters given"])))
    out.print(table)


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
    table = _table("run", "report", "state", "checks", "seconds", "parameters given")
    found = store.folders(store_folder(), report)
    for row in site.rows(store_folder(), found if every else found[:LISTED]):
        given = " ".join(f"{name}={value}" for name, value in row.given)
        state = f"{row.state}, tampered" if row.record == "tampered" else row.state
        checks, seconds = "older form" if row.older else row.counts, f"{row.seconds:.1f}" if row.started else ""
        table.add_row(*map(plain, (row.name, row.report, state, checks, seconds, given)))
    out.print(table if table.row_count else "no runs yet; `crmlab run clv` makes one")
    if len(found) > table.row_count:
        out.print(f"{len(found) - table.row_count:,} older runs; --all lists them too")


def show(
    run: Annotated[str, typer.Argument(help="a run's id, the beginning of one, or a report for its latest")],
) -> None:
    """What a run found: its state, answer, facts, checks, notes and files."""
    from crmlab.reports import store

    folder = store.find(store_folder(), run)
    print_run(store.read(folder), folder)


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


def _table(*columns):
    """A table that leaves nothing out: where it is too wide, parameters go on in the next line."""
    return Table(*(Column(name, no_wrap=name != "parameters given", overflow="fold") for name in columns), box=None)
