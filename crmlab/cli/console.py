"""Where a command speaks, and how."""

from rich.console import Console
from rich.markup import escape

out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)


def plain(value):
    """Text that rich prints as it stands."""
    return escape(str(value))


def print_breaches(found):
    """Say everything that is wrong with what was given."""
    for breach in found.breaches:
        err.print(f"[bold red]error:[/] {plain(breach)}")
