"""What is due, from a shell: run, looked at, and given to what looks at the clock."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from crmlab.cli.console import err, out, plain
from crmlab.cli.reports import index, root, store_folder, table
from crmlab.contracts import InputError

SUITE = "notebooks/suite.toml"


def run_due(
    suite: Annotated[Optional[Path], typer.Option(help=f"what is planned; else {SUITE} of the project")] = None,
    as_of: Annotated[str, typer.Option(help="the moment that counts as now, as 2026-11-29T03:15; else the clock")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="how many runs at once")] = 1,
) -> None:
    """Run what is due and was not yet run; asked again, or by two at once, it runs nothing twice.

    The exit code is 0 where all that was due is done or waits for data, 1 where a run failed, 2 where input was
    refused.
    """
    from crmlab.reports import due, notices
    from crmlab.reports.progress import show_progress

    planned = _suite(suite)
    now = due.moment(as_of) if as_of else datetime.now(UTC)
    before = {name: events[-1] for name, events in due.history(store_folder()).items()}
    try:
        with show_progress(err) as started:
            ended = due.run_due(root(), store_folder(), planned, now, jobs, started=started)
    except due.BusyError as busy:
        err.print(plain(f"nothing is run: {busy}"))
        return
    notice = notices.digest(planned.notices, store_folder(), ended, before)
    for fault in notices.send(planned.notices, store_folder(), notice):
        err.print(f"[bold red]error:[/] {plain(fault)}")
    shown = table("run", "due", "outcome", "why or run")
    for each in ended:
        said = each.why or " ".join(each.runs)
        many = f" ({each.count:,} slots)" if each.count > 1 else ""
        tried = f" ({each.attempts} tries)" if each.attempts > 1 else ""
        shown.add_row(
            *map(plain, (each.slot.name, f"{each.slot.due:%Y-%m-%d %H:%M} UTC", each.outcome + many + tried, said))
        )
    if not ended:
        out.print("nothing is due")
        return
    out.print(shown)
    out.print(f"index: {plain(index())}")
    outcomes = {each.outcome for each in ended}
    raise SystemExit(1 if "failed" in outcomes else 2 if "rejected" in outcomes else 0)


def schedule(
    form: Annotated[
        Optional[Literal["systemd", "cron", "print"]],
        typer.Argument(help="systemd writes units, cron prints a line of a crontab, print shows the units"),
    ] = None,
    to: Annotated[Optional[Path], typer.Option(help="folder for units; else ~/.config/systemd/user")] = None,
    suite: Annotated[Optional[Path], typer.Option(help=f"what is planned; else {SUITE} of the project")] = None,
) -> None:
    """Show what is due next, what was missed and what runs now; or give it to systemd or cron."""
    from crmlab.reports import units

    planned = _suite(suite)
    if form is None:
        _show(planned)
    elif form == "cron":
        out.print(plain(units.cron(root(), store_folder())))
    else:
        files = units.systemd(root(), store_folder())
        folder = to or Path.home() / ".config" / "systemd" / "user"
        for name, text in files.items():
            if form == "print":
                out.print(plain(f"# {name}\n{text}"))
            else:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, "utf-8")
                out.print(plain(folder / name))
        if form == "systemd":
            out.print("start it: systemctl --user daemon-reload && systemctl --user enable --now crmlab.timer")


def _suite(path):
    """The suite, with what is planned in it. Raises InputError where nothing has a time."""
    from crmlab.reports.suite import load_suite

    path = path or root() / SUITE
    found = load_suite(path)
    if not found.scheduled:
        example = '[[run]] with report = "clv", every = "day" and at = "03:15"'
        raise InputError(f"{path.name}: nothing is scheduled; write {example}")
    return found


def _show(planned):
    from crmlab.reports import due, notices, slots

    now, known = datetime.now(UTC), due.history(store_folder())
    if busy := due.running(store_folder()):
        out.print(plain(f"runs now, since {busy['since']}: {', '.join(busy['runs']) or 'what is due'}"))
    if late := notices.waiting(store_folder()):
        out.print(f"{late:,} notice{'s wait' if late > 1 else ' waits'} to be taken; the next run-due tries again")
    for plan in planned.scheduled:
        events = known.get(plan.known_as, [])
        made, missed = due.owed(plan, events, now)
        zone = slots.zone(plan.time_zone)
        coming = slots.next_due(plan.known_as, plan.cron, plan.time_zone, now).due.astimezone(zone)
        out.print(f"[bold]{plain(plan.known_as)}[/]: next {coming:%a %Y-%m-%d %H:%M} {plain(plan.time_zone)}")
        if made or missed:
            said = [f"{len(made):,} to run" if made else "", f"{len(missed):,} missed" if missed else ""]
            out.print(f"  due now: {', '.join(filter(None, said))}")
        for event in events[-1:]:
            last = event.about
            when = f"{last['due'][:16].replace('T', ' ')} UTC {last['outcome']}"
            out.print(plain(f"  last: {when}: {last['why'] or ' '.join(last['runs'])}"))
