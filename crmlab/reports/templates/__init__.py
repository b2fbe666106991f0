"""How pages look, and how they put a value to a reader: the templates, and the filters they use."""

import re
from datetime import UTC, date
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crmlab.result import number, words

FOLDER = Path(__file__).parent

STATES = {
    "success": ("Success", "The notebook ran to its end."),
    "failed": ("Failed", "A cell of the notebook raised an error."),
    "killed": ("Killed", "The process that ran the notebook was ended from outside."),
    "out_of_memory": ("Out of memory", "The notebook needed more memory than it was allowed."),
    "timeout": ("Timed out", "The notebook took longer than it was allowed."),
    "exited": ("Exited early", "The notebook left before its end."),
    "unreadable": ("Unreadable", "The manifest of the run cannot be read."),
}
ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


@cache
def environment():
    """The templates of all pages; every value in them is escaped."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {f.__name__: f for f in (words, number, moment, day, duration, setting, plain)}
    made.globals["states"] = STATES
    return made


def moment(time):
    """A time as one reads it, such as 22 Nov 2026, 01:10 UTC."""
    time = time.astimezone(UTC)
    return f"{time.day} {time:%b %Y, %H:%M} UTC"


def day(text):
    """An ISO day as one reads it, such as 22 Nov 2026; any other text as it is."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{found.day} {found:%b %Y}"


def duration(seconds):
    """A number of seconds as one reads it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def setting(value):
    """A parameter's value: exact but for the last digits of a float."""
    if value is None:
        return "none"
    if isinstance(value, list):
        return ", ".join(map(setting, value))
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def plain(text):
    """Text without a terminal's colours."""
    return ANSI.sub("", text)
