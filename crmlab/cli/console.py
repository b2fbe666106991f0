"""Where a command speaks, and how."""

from rich.console import Console
from rich.markup import escape

from crmlab.reports.secret import redact

LONGEST = 1200  # letters of a breach, as what was given may be repeated in it
out, err = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)


def plain(value):
    """Text that rich prints as it stands."""
    return escape(str(value))


def print_breaches(found):
    """Say everything that is wrong with what was given."""
    for breach in found.breaches:
        long = len(breach) > LONGEST
        breach = redact(breach)
        shown = f"{breach[: LONGEST // 2]} … {breach[-LONGEST // 2 :]}" if long else breach
        err.print(f"[bold red]error:[/] {plain(shown)}")
