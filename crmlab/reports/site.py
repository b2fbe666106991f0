"""The index of all reports and their runs, made from the manifests alone."""

import os
import secrets
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain, islice

from crmlab.estimate import Estimate
from crmlab.reports import store
from crmlab.reports.manifest import Manifest
from crmlab.reports.templates import count_checks, environment

NEWEST = 50  # runs listed of each report
HEADLINE = 4  # facts shown of its latest good run


@dataclass(frozen=True)
class Row:
    """A run as the index lists it; `run` is None where its manifest cannot be read, and `problem` says why."""

    report: str
    name: str
    run: Manifest | None = None
    facts: dict = field(default_factory=dict)
    problem: str = ""
    approved: bool = False

    @property
    def state(self):
        """The run's state, or "unreadable"."""
        return self.run.state if self.run else "unreadable"

    @property
    def address(self):
        """Path of the run's page, or of its manifest where it has none, from the index."""
        page = "report.html" if self.run and "report.html" in self.run.artefacts else "manifest.json"
        return f"{self.report}/{self.name}/{page}"

    @property
    def older(self):
        """Whether the run is of the older form: read, but no headline."""
        return self.run is not None and self.run.older

    @property
    def counts(self):
        """How many checks of each kind had which outcome, in words."""
        return count_checks(self.run.checks) if self.run else ""

    def first_facts(self, count):
        """The most important facts, which come first."""
        return dict(islice(self.facts.items(), count))


def build(reports):
    """Write `index.html` of a folder of reports, at once or not at all: its path."""
    found = defaultdict(list)
    for folder in store.folders(reports):
        found[folder.parent.name].append(folder)
    listed = [_report(name, found[name]) for name in sorted(found)]
    headline = [fact for each in listed if each["good"] for fact in each["good"].first_facts(HEADLINE).values()]
    page = environment().get_template("index.html.j2").render(reports=listed, headline=headline, first=HEADLINE)
    reports.mkdir(parents=True, exist_ok=True)
    written = reports / f".index-{secrets.token_hex(4)}.html"
    try:
        written.write_text(page, "utf-8")
        os.replace(written, reports / "index.html")
    finally:
        written.unlink(missing_ok=True)
    return reports / "index.html"


def _report(name, folders):
    """A report with its newest runs; older ones are read only to find one that succeeded."""
    rows = [_row(folder) for folder in folders[:NEWEST]]
    everyone = chain(rows, map(_row, folders[NEWEST:]))
    good = next((row for row in everyone if row.state == "success" and not row.run.older), None)
    return {"name": name, "rows": rows, "latest": rows[0], "good": good, "count": len(folders)}


def _row(folder):
    try:
        run = store.read(folder)
        facts = {name: Estimate(**fact) for name, fact in run.facts.items()}
    except (OSError, ValueError, TypeError) as problem:
        return Row(folder.parent.name, folder.name, problem=type(problem).__name__)
    return Row(folder.parent.name, folder.name, run, facts, approved=store.approved(folder))
