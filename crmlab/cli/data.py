"""Data from a shell."""

import os
from pathlib import Path
from typing import Annotated, Optional

import typer

from crmlab import masks
from crmlab.cli.console import out, plain


def check(
    data: Annotated[str, typer.Argument(help="a name in data/catalog.toml, or a path")],
    contract: Annotated[Optional[str], typer.Option(help="what it is to hold, such as series or stores")] = None,
    show_ids: Annotated[bool, typer.Option("--show-ids", help="customer ids as they are, in place of masks")] = False,
) -> None:
    """What validation finds in a data set, or everything that is wrong with it."""
    if show_ids:
        os.environ[masks.SHOW] = "1"
    from crmlab import catalog

    _print_summary(catalog.check(data, contract).summary)


def new_data(
    file: Annotated[Path, typer.Argument(help="a file of data, or a folder of files of one table")],
    name: Annotated[Optional[str], typer.Option(help="of the entry; else that of the file")] = None,
) -> None:
    """Write an entry of data/catalog.toml for a file, guessed from it, and validate; it says where you must decide."""
    from crmlab import draft

    drafted = draft.draft_entry(file, name)
    listed = draft.add_entry(drafted)
    out.print(plain(f"{listed}: {drafted.name} is added"), plain(drafted.text), sep="\n")
    if drafted.summary is not None:
        _print_summary(drafted.summary)
    for breach in drafted.refused:
        out.print(plain(f"refused as it stands: {breach}"))
    if drafted.decisions:
        lines = "1 line is" if drafted.decisions == 1 else f"{drafted.decisions} lines are"
        out.print(f"{lines} to decide: correct what is wrong, and remove `decide:`; until then the entry is refused")
    for command in drafted.next_steps:
        out.print(plain(f"then: {command}"))


def _print_summary(summary):
    for what, found in summary.found.items():
        out.print(f"{what:>30}  {plain(found)}")
