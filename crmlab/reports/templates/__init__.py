"""How pages look, and how they put a value to a reader: the templates, and the filters they use."""

import re
from collections import Counter
from datetime import UTC, date
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crmlab.check import MARKS
from crmlab.display import words
from crmlab.entry import NATURES
from crmlab.estimate import number, written

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
KINDS = {
    "assumption": "Assumptions of the models",
    "comparison": "Comparisons against baselines",
    "finding": "Findings",
    "older": "Checks of the older form",
}
ORDER = ("failed", "undecided", "passed", "yes", "no", "not applicable")  # of outcomes, as checks are listed
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
    of_values = (words, number, written, short, moment, day, duration, setting, plain, citation)
    of_checks = (count_checks, unbroken, grouped, tone)
    made.filters |= {f.__name__: f for f in of_values + of_checks}
    made.globals |= {"states": STATES, "marks": MARKS, "natures": NATURES}
    return made


def count_checks(checks):
    """How many checks passed, failed and so on, in words; findings last, as they neither pass nor fail.

    Examples
    --------
    >>> count_checks([{"kind": "assumption", "outcome": "passed"}, {"kind": "finding", "outcome": "yes"}])
    '1 passed; 1 finding'
    """
    judged = Counter(check["outcome"] for check in checks if check["kind"] != "finding")
    findings = sum(check["kind"] == "finding" for check in checks)
    parts = [
        f"{judged[outcome]} {outcome}"
        for outcome in ("passed", "failed", "undecided", "not applicable")
        if judged[outcome]
    ]
    found = [f"{findings} finding{'s' * (findings > 1)}"] if findings else []
    return "; ".join(filter(None, [", ".join(parts), *found]))


def unbroken(counts):
    """Counts of checks that break into lines between parts alone."""
    return re.sub(r"(?<![,;]) ", "\N{NO-BREAK SPACE}", counts)


def grouped(checks):
    """Checks by kind, with the kind's title; within a kind those that failed come first."""
    for kind, title in KINDS.items():
        held = [check for check in checks if check["kind"] == kind]
        if held:
            yield title, sorted(held, key=lambda check: ORDER.index(check["outcome"]))


def tone(check):
    """The colour of a check: bad where an assumption failed or a comparison was lost, good where one passed."""
    judged = check["kind"] in ("assumption", "comparison")
    return {"failed": "bad", "passed": "good"}.get(check["outcome"], "neutral") if judged else "neutral"


def short(fact):
    """An Estimate in few words: its value and unit, or that it is blank."""
    return " ".join(filter(None, (fact.written(fact.value), fact.unit))) if fact else "blank"


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


def citation(run):
    """How to cite a run: its title, report, id and day, the program, and what it was made from by their hashes."""
    made = [f"data {data.name} (SHA-256 {data.sha256[:12]})" for data in run.data if data.sha256]
    made += [f"commit {run.code.commit[:12]}"] if run.code.commit else [f"code (SHA-256 {run.code.sha256[:12]})"]
    program = " ".join(filter(None, ("crmlab", run.environment.packages.get("crmlab"))))
    about = f"{run.title or words(run.report)}. Run {run.run} of the report {run.report}"
    return f"{about}, {day(f'{run.started:%Y-%m-%d}')}. {program}; {', '.join(made)}."


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
