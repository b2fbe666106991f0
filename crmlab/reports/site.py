"""The index of all reports and their runs, made from the manifests alone."""

import base64
import hashlib
import os
import re
import secrets
from collections import defaultdict
from contextlib import suppress
from dataclasses import field, replace
from datetime import datetime
from pathlib import Path

from markupsafe import Markup
from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from crmlab.display import words
from crmlab.estimate import Estimate
from crmlab.reports import integrity, ledger, store
from crmlab.reports.templates import FOLDER, count_checks, environment, plain, short

NEWEST = 50  # runs of each report that stand open; the rest fold
HEADLINE = 4  # facts shown of a report's headline
COMPARISONS = "comparisons"  # the folder of their pages
KEPT = ".index.json"  # what was read of each run, so that a new run costs no reading of the others


@dataclass(frozen=True)
class Row:
    """A run as the index lists it; `problem` says why where its manifest cannot be read, and the rest is blank."""

    report: str
    name: str
    state: str = "unreadable"
    record: str = "unrecorded"  # intact, tampered or unrecorded
    rejected: bool = False  # by a reviewer
    problem: str = ""
    page: str = "manifest.json"
    older: bool = False
    title: str = ""
    answer: tuple[str, ...] = ()
    data: tuple[tuple[str, str], ...] = ()  # name and nature
    given: tuple[tuple[str, str], ...] = ()
    counts: str = ""
    outcomes: tuple[str, ...] = ()  # of its assumptions and comparisons
    facts: tuple[tuple[str, str, float | None], ...] = ()  # name and value in words, and as a number
    headline: dict = field(default_factory=dict)  # the first facts in full
    error: str = ""
    started: datetime | None = None
    seconds: float = 0.0
    cells: str = ""  # of its line, as HTML, but for the first

    @property
    def address(self):
        """Path of the run's page, or of its manifest where it has none, from the index."""
        return f"{self.report}/{self.name}/{self.page}"

    @property
    def is_good(self):
        """Whether it succeeded, in the form of today, and no file of it was changed since."""
        return self.state == "success" and not self.older and self.record != "tampered"

    @property
    def kind(self):
        """What runs that can be set beside it were given: data and parameters."""
        return self.data, self.given


ROWS = TypeAdapter(dict[str, tuple[str, Row]])  # path of a run -> its stamp when it was read, and its row


def build(reports, suite=None):
    """Write `index.html` of a folder of reports, at once or not at all: its path.

    suite : report -> the parameters that its run in the suite is given, as text; that run is the report's headline
        where none was approved
    """
    found, book = defaultdict(list), ledger.read(reports)
    for row in rows(reports):
        found[row.report].append(row)
    listed = [_report(reports, found[name], book, (suite or {}).get(name)) for name in sorted(found)]
    script = (FOLDER / "index.js").read_text("utf-8")
    page = environment().get_template("index.html.j2").render(
        reports=listed,
        broken=book.faults[:1],
        headline=[fact for each in listed for fact in each["facts"].values()],
        newest=NEWEST,
        all_data=sorted({name for rows in found.values() for row in rows for name, _ in row.data}),
        script=Markup(script),
        scripts=f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'",
    )  # fmt: skip
    _write(reports / "index.html", page)
    return reports / "index.html"


def write_comparison(reports, found, approved):
    """Write the page of two runs that were compared: its path.

    approved : whether the earlier one is the last approved run
    """
    name = f"{Path(found.after.run).name}-against-{Path(found.before.run).name}.html"
    figures = []
    for path in sorted(found.before.artefacts.keys() & found.after.artefacts.keys()):
        differ = found.before.artefacts[path] != found.after.artefacts[path]
        if differ and re.fullmatch(r"figures/\w[\w .()-]*\.svg", path):
            images = (
                base64.b64encode((reports / run.report / run.run / path).read_bytes()).decode()
                for run in (found.before, found.after)
            )
            figures.append((words(Path(path).stem), *images))
    template = environment().get_template("comparison.html.j2")
    _write(reports / COMPARISONS / name, template.render(found=found, approved=approved, figures=figures))
    return reports / COMPARISONS / name


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.parent / f".index-{secrets.token_hex(4)}"
    try:
        beside.write_text(text, "utf-8")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def rows(reports, folders=None):
    """Runs, newest first, all where none are named; only those that are new, or have a changed file, are read."""
    kept, book = {}, ledger.read(reports)
    with suppress(OSError, ValueError):
        form, _, text = (reports / KEPT).read_text("utf-8").partition("\n")
        kept = ROWS.validate_json(text) if form == _form() else {}
    found = {}
    for folder in store.folders(reports) if folders is None else folders:
        path, stamp = f"{folder.parent.name}/{folder.name}", _stamp(folder, book)
        before = kept.get(path)
        found[path] = before if before and before[0] == stamp else (stamp, _with_cells(_row(folder, book)))
    if folders is None and found != kept:
        _write(reports / KEPT, f"{_form()}\n{ROWS.dump_json(found).decode()}")
    return [row for _, row in found.values()]


def _form():
    """The form of what is kept: another version's is read anew."""
    made_by = Path(__file__).read_bytes() + (FOLDER / "row.html.j2").read_bytes()
    return hashlib.sha256(made_by).hexdigest()


def _with_cells(row):
    return replace(row, cells=environment().get_template("row.html.j2").render(row=row))


def _stamp(folder, book):
    """What changes with a run's files and with what the ledger says of it."""
    events = [event.sequence for event in book.by_run.get(folder.name, ())]
    try:
        return f"{integrity.stamp(folder)} {events}"
    except OSError:  # pruned meanwhile
        return ""


def _row(folder, book):
    record = "unrecorded"
    try:
        record = integrity.standing(folder, book).state
        run = store.read(folder)
        facts = {name: Estimate(**fact) for name, fact in run.facts.items()}
    except (OSError, ValueError, TypeError) as problem:
        return Row(folder.parent.name, folder.name, record=record, problem=type(problem).__name__)
    return Row(
        folder.parent.name,
        folder.name,
        state=run.state,
        record=record,
        rejected=[e.event for e in book.of(folder.name, "approved", "rejected", "withdrawn")][-1:] == ["rejected"],
        page="report.html" if "report.html" in run.artefacts else "manifest.json",
        older=run.older,
        title=run.title,
        answer=tuple(run.answer),
        data=tuple((data.name, data.nature) for data in (*run.data, *run.sources)),
        given=tuple(run.parameters_given.items()),
        counts=count_checks(run.checks),
        outcomes=tuple(sorted({check["outcome"] for check in run.checks if check["kind"] != "finding"})),
        facts=tuple((words(name), short(fact), _finite(fact.value)) for name, fact in facts.items()),
        headline={name: fact.as_dict() for name, fact in list(facts.items())[:HEADLINE]},
        error=plain(f"{run.error.name}: {run.error.message}") if run.error else "",
        started=run.started,
        seconds=(run.ended - run.started).total_seconds(),
    )


def _finite(value):
    return float(value) if isinstance(value, (int, float)) and abs(value) < float("inf") else None


def _report(reports, rows, book, suite):
    """A report with its runs, newest first, and which of them is its headline, and why."""
    approvals = {row.name: book.approved(row.name) for row in rows if row.record == "intact"}
    signed = {name: approval for name, approval in approvals.items() if approval and _holds(reports, rows, name, book)}
    good = [row for row in rows if row.is_good]
    choices = {
        "approved": [row for row in good if row.name in signed],
        "of the suite": [row for row in good if suite is not None and dict(row.given) == suite],
        "good": good,
    }
    why, headline = next(((why, held[0]) for why, held in choices.items() if held), ("", None))
    alike = [row for row in reversed(good) if headline and row.kind == headline.kind]
    facts = {name: Estimate(**fact) for name, fact in (headline.headline if headline else {}).items()}
    return {
        "name": rows[0].report,
        "rows": rows,
        "latest": rows[0],
        "good": headline,
        "why": why,
        "signed": signed,
        "since": _since(reports, headline, good[0]) if why == "approved" else "",
        "facts": facts,
        "over_runs": {name: spark for name in facts if (spark := _sparkline(words(name), alike))},
    }


def _holds(reports, rows, name, book):
    """Whether every file of an approved run is, by its hash, what was approved."""
    return integrity.standing(reports / rows[0].report / name, book, whole=True).is_intact


def _since(reports, approved, newest):
    """What the newest good run says that the approved one does not; empty where they are the same run."""
    if approved is newest:
        return ""
    from crmlab.reports import comparison  # slow to load, and seldom needed

    before, after = (store.read(reports / row.report / row.name) for row in (approved, newest))
    return comparison.in_short(reports, before, after)


def _sparkline(name, rows):
    """A fact over runs of the same data and parameters, oldest first: points of a line, and words; None of one run."""
    found = [(text, value) for row in rows for fact, text, value in row.facts if fact == name and value is not None]
    if len(found) < 2:
        return None
    values = [value for _, value in found]
    low, spread = min(values), (max(values) - min(values)) or 1.0
    points = " ".join(
        f"{2 + 76 * place / (len(values) - 1):.1f},{17 - 14 * (value - low) / spread:.1f}"
        for place, value in enumerate(values)
    )
    same = min(values) == max(values)
    about = f"{len(found)} runs, {'all ' + found[0][0] if same else f'from {found[0][0]} to {found[-1][0]}'}"
    return {"points": points, "words": about}
