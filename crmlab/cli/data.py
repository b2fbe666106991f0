"""Data from a shell."""

from typing import Annotated, Optional

import typer

from crmlab.cli.console import out, plain


def check(
    data: Annotated[str, typer.Argument(help="a name in data/catalog.toml, or a path")],
    contract: Annotated[Optional[str], typer.Option(help="what it is to hold, such as series or stores")] = None,
) -> None:
    """What validation finds in a data set, or everything that is wrong with it."""
    from crmlab import catalog

    for what, summary in catalog.check(data, contract).summary.found.items():
        out.print(f"{what:>30}  {plain(summary)}")
