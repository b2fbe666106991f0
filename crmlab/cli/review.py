"""What a reviewer asks of runs, from a shell: whether they are as recorded, how two differ, whether to sign."""

import csv
import sys
from dataclasses import replace
from typing import Annotated, Optional

import typer

from crmlab.cli.console import err, out, plain
from crmlab.cli.reports import index, root, store_folder, table
from crmlab.contracts import InputError
from crmlab.display import words
from crmlab.estimate import FIELDS, Estimate, written


def compare(
    run: Annotated[str, typer.Argument(help="a run's id, the beginning of one, or a report for its latest")],
    against: Annotated[Optional[str], typer.Argument(help="an earlier run; else the last approved one")] = None,
    fail_on: Annotated[
        list[str], typer.Option(help="fact:5% or fact:100, by more than which it must not differ; may be given again")
    ] = [],  # noqa: B006, typer copies it
    attribute: Annotated[
        bool, typer.Option("--attribute", help="repeat the run with data, code or parameters of the other")
    ] = False,
) -> None:
    """Set a run beside an earlier one: facts with their differences, checks, tables, and what they were made from.

    The exit code is 1 where a fact of --fail-on differs by more, or is blank. With --attribute the run is repeated, up
    to three times, with one cause at a time as in the other, so that each has its part of a difference.
    """
    from crmlab.reports import comparison, site

    after, before, approved = _two_runs(run, against)
    found = comparison.compare(before, after)
    beyond, breaches = comparison.limits(fail_on, found)
    if breaches:
        raise InputError(*breaches)
    if attribute:
        found = replace(found, attribution=_attributed(before, after))
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
        if due := found.due_to(fact):
            out.print(plain(f"           due to {due}"))
    for ahead in filter(None, [*found.new_days, found.not_judged]):
        out.print(plain(f"  new days: {ahead}"))
    for said in found.one_sided:
        out.print(plain(f"  fact: {said}"))
    for claim, then, now in found.checks:
        out.print(plain(f"  check: {claim}: {then}, then {now}"))
    for path, said in found.tables:
        out.print(plain(f"  table: {path}: {said}"))
    for said in beyond:
        out.print(f"[bold red]beyond[/]  {plain(said)}")
    out.print(plain(f"page: {site.write_comparison(store_folder(), found, approved)}"))
    raise SystemExit(1 if beyond else 0)


def _attributed(before, after):
    from crmlab.reports import attribution, parameters

    limits = parameters.suite(root()).limits
    try:
        found = attribution.attributed(
            root(), before, after, lambda said: err.print(plain(f"repeating: {said}")), limits
        )
    except InputError as fault:
        err.print(plain(f"no part of a difference is attributed: {fault}"))
        return None
    if found is None:
        err.print("data, code and parameters are the same in both runs, so that nothing is repeated")
    return found


def _two_runs(run, against):
    """The folders of a run and of an earlier one, and whether that is the last approved.

    Raises InputError where there is none, or one of them was tampered with.
    """
    from crmlab.reports import integrity, ledger, review, store

    after, book = store.find(store_folder(), run), ledger.read(store_folder())
    if against:
        before = store.find(store_folder(), against)
        one, other = before.parent.name, after.parent.name
        if one != other:
            raise InputError(f"{before.name} is of {one}, {after.name} of {other}; name two runs of one report")
    else:
        found = review.last_approved(store_folder(), after, book)
        if not found:
            raise InputError(f"no earlier run of {after.parent.name} is approved; name the run to compare with")
        before = found
    judged = {folder: integrity.standing(folder, book, whole=True) for folder in (before, after)}
    if faults := [f"{f.name}: {'; '.join(each.faults)}" for f, each in judged.items() if each.state == "tampered"]:
        raise InputError(*(f"{fault}; only a run as it was recorded can be compared" for fault in faults))
    return after, before, not against


def facts(
    report: Annotated[str, typer.Argument(help="a report")],
    fact: Annotated[str, typer.Argument(help="the name of one of its facts")],
    as_csv: Annotated[bool, typer.Option("--csv", help="as CSV, at full precision")] = False,
) -> None:
    """A fact over the runs of a report, oldest first."""
    from crmlab.reports import comparison, parameters

    if report not in parameters.reports(root(), only=()):
        parameters.prepare(root(), [(report, {})])
    names, rows = comparison.series(store_folder(), report, fact)
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([names, *rows])
        return
    listed = table("run", "started", "value", "parameters given")
    for row in rows:
        held = dict(zip(names, row, strict=True))
        shown = Estimate(**{name: held[name] for name in FIELDS})
        listed.add_row(*map(plain, (held["run"], held["started"], shown, held["parameters given"])))
    out.print(listed)


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
    from crmlab.reports import ledger, parameters, review, store

    if reject and withdraw:
        raise InputError("--reject and --withdraw are given; give one")
    decision = "rejected" if reject else "withdrawn" if withdraw else "approved"
    store.clean(store_folder())
    folder, people = store.find(store_folder(), run), parameters.people(root())
    given = review.standing_approvals(ledger.read(store_folder()), folder.name)
    holds = review.decide(store_folder(), folder, decision, by, note, people)
    more = ""
    if decision == "approved" and not holds:
        count = len({*given, review.same(by)})
        already = f", as {given[review.same(by)]} had before" if review.same(by) in given else ""
        more = (
            f"{already}; {count} of the {people} people who must approve it {'has' if count == 1 else 'have'} done so"
        )
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
    named = f"{others} other files name the id"
    if not forgetting.is_searched_for(customer):
        few = f"an id of fewer than {forgetting.SHORTEST} characters"
        named = f"other files were not searched, as {few} may stand there for something else"
    out.print(f"{tables} tables {'hold' if look else 'held'} the customer; {named}")
    if not look:
        index()
