"""crmlab from a shell.

console   where a command speaks, and how
reports   what reports there are, runs of them, and what was found
review    whether runs are as recorded, how two differ, whether to sign; a person forgotten
schedule  what is due, run and shown, and what lets a machine run it
data      what validation finds in data, and an entry to begin with
scores    what is expected of each customer, as files
survey    an instrument to begin with, how many to ask, a survey to practise on
"""

import sys

import typer

from crmlab.cli import data, reports, review, schedule, scores, survey
from crmlab.cli.console import err, plain, print_breaches
from crmlab.contracts import InputError
from crmlab.reports import skip_address_grammar

app = typer.Typer(
    help="A notebook-based research workbench for customer relationship management.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for name, command in (
    ("list", reports.list_),
    ("check", data.check),
    ("run", reports.run),
    ("run-due", schedule.run_due),
    ("schedule", schedule.schedule),
    ("reproduce", reports.reproduce),
    ("compare", review.compare),
    ("facts", review.facts),
    ("verify", review.verify),
    ("approve", review.approve),
    ("forget", review.forget),
    ("prune", reports.prune),
    ("runs", reports.runs),
    ("show", reports.show),
    ("score", scores.score),
    ("site", reports.site_),
):
    app.command(name)(command)
survey.new.command("data")(data.new_data)
for name, commands in (("new", survey.new), ("plan", survey.plan), ("simulate", survey.simulate)):
    app.add_typer(commands, name=name)


def main():
    """Run the command line; a fault of input is reported with exit code 2, one of the disk with exit code 1."""
    skip_address_grammar()
    try:
        app()
    except InputError as found:
        print_breaches(found)
        sys.exit(2)
    except OSError as fault:
        err.print(f"[bold red]error:[/] {plain(fault)}")
        sys.exit(1)
