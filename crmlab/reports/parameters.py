"""Whether what a report was given will do: settled before any kernel starts."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from pydantic_core import to_jsonable_python

from crmlab import catalog, files
from crmlab.contracts import InputError
from crmlab.days import as_date
from crmlab.exported import Tables
from crmlab.reports import inputs, secret
from crmlab.reports.declared import CONTRACT_BY_TYPE, read_parameters, read_value, unknown
from crmlab.reports.suite import Limits, Suite, load_suite


@dataclass(frozen=True)
class Report:
    """A notebook that can be run: `name` is its stem without the number."""

    name: str
    notebook: Path
    parameters: dict = field(hash=False)
    stamps: dict = field(default_factory=dict, hash=False)  # of notebook and catalog, before these were read

    @property
    def title(self):
        """The first heading of the notebook."""
        cells = json.loads(self.notebook.read_text("utf-8"))["cells"]
        prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        return next((line.lstrip("# ") for line in prose.splitlines() if line.startswith("#")), "")


@dataclass(frozen=True)
class Job:
    """A report with parameters that were found good, and the data they name, validated."""

    report: Report
    given: dict = field(hash=False)  # as text
    typed: dict = field(hash=False)  # as JSON holds them, defaults included
    datasets: dict = field(hash=False)  # parameter -> dataset.Data
    files: dict = field(hash=False)  # parameter -> Path
    stamps: dict = field(default_factory=dict, hash=False)  # file that was validated -> its stamp before that
    limits: Limits = field(default_factory=lambda: Limits())
    tables: Tables = field(default_factory=lambda: Tables())
    slot: str = ""  # of a schedule, whose turn it is


def reports(root, only=None):
    """The reports of a project by name, each with its parameters; of others than `only` these are not read."""
    folder = root / "notebooks"
    ranges = suite(root).ranges
    found = {}
    for path in sorted(folder.glob("[!.]*.ipynb")):
        name = re.sub(r"^\d+_", "", path.stem) or path.stem
        if name in found:
            raise InputError(f"{found[name].notebook.name} and {path.name} are both the report {name!r}; rename one")
        read = only is None or name in only
        stamps = {str(file): inputs.stamp(file) for file in (path, catalog.path())}
        found[name] = Report(name, path, read_parameters(path, ranges.get(name, {})) if read else {}, stamps)
    if strange := ranges.keys() - found.keys():
        raise InputError(*(f"suite.toml: ranges: {unknown('report', name, found)}" for name in sorted(strange)))
    return found


def of_suite(root):
    """What each report of a project is given by its first run in the suite, as text; none where it cannot be read."""
    given = {}
    with suppress(InputError):
        for planned in load_suite(root / "notebooks" / "suite.toml").run:
            given.setdefault(planned.report, {name: _as_text(value) for name, value in planned.parameters.items()})
    return given


def suite(root):
    """The suite of a project; one of defaults where it has none."""
    listed = root / "notebooks" / "suite.toml"
    return load_suite(listed) if listed.is_file() else Suite()


def people(root):
    """How many people must approve a run."""
    return suite(root).review.people


def prepare(root, wanted, limits=None):
    """Jobs for `wanted`, pairs of a report's name and what was given for its parameters.

    limits : fields of Limits that go before those of suite.toml

    Raises InputError with every breach of every one: unknown reports, unknown or ill-named parameters,
    wrong types, values out of range, data that break their contract.
    """
    known, jobs, breaches = reports(root, only={name for name, _ in wanted}), [], []
    settings = suite(root)
    allowed = settings.limits.model_copy(update=limits or {})
    for name, given in wanted:
        if name not in known:
            breaches.append(unknown("report", name, known))
            continue
        try:
            jobs.append(replace(_job(known[name], given), limits=allowed, tables=settings.tables))
        except InputError as found:
            breaches += found.breaches
    if breaches:
        raise InputError(*dict.fromkeys(breaches))
    return jobs


def _job(report, given):
    values, breaches = {name: p.default for name, p in report.parameters.items()}, []
    for name, value in given.items():
        if secret.NAMES.search(name):
            breaches.append(f"{report.name}: {name!r} looks like a secret; set it as an environment variable")
        elif not name.isidentifier():
            breaches.append(f"{report.name}: a parameter name must be a Python identifier; {name!r} is not")
        elif name not in report.parameters:
            breaches.append(f"{report.name}: {unknown('parameter', name, report.parameters)}")
        else:
            try:
                values[name] = read_value(report.parameters[name], value)
            except ValueError as misfit:
                breaches.append(f"{report.name}: {misfit}")
    datasets, named, stamps, unreadable = _sources(report, values)
    breaches += unreadable
    for name, p in report.parameters.items():
        if p.range and values[name] is not None:
            try:
                breaches += [f"{report.name}: {fault}" for fault in _out_of_range(p, values, datasets)]
            except TypeError:
                breaches.append(f"suite.toml: the range of {report.name}.{name} does not fit its type, {p.annotation}")
    if breaches:
        raise InputError(*breaches)
    typed = {name: to_jsonable_python(value) for name, value in values.items()}
    return Job(report, {name: _as_text(value) for name, value in given.items()}, typed, datasets, named, stamps)


def prepared_anew(job, root):
    """A job of the same report and given parameters, by its notebook and data as they are read now."""
    (again,) = prepare(root, [(job.report.name, job.given)])
    return replace(again, limits=job.limits, slot=job.slot)


def _sources(report, values):
    """The validated data, by parameter, the files, stamps of all of them before, and what is wrong.

    `values` then name both from anywhere.
    """
    datasets, named, breaches = {}, {}, []
    stamps = dict(report.stamps)
    where = next((values[name] for name, p in report.parameters.items() if p.source == "Condition"), None)
    for name, p in report.parameters.items():
        if not isinstance(values[name], str):
            continue
        try:
            if p.source in CONTRACT_BY_TYPE:
                values[name] = catalog.portable(values[name])
                stamps |= {str(path): inputs.stamp(path) for path, _ in catalog.files_of(values[name])}
                narrowed = {"where": where} if p.source == "Dataset" else {}
                datasets[name] = catalog.check(values[name], CONTRACT_BY_TYPE[p.source], **narrowed)
            elif p.source == "File":
                values[name] = files.portable_path(values[name])
                named[name] = files.path(values[name])
                stamps[str(named[name])] = inputs.stamp(named[name])
        except InputError as found:
            breaches += found.breaches
    return datasets, named, stamps, breaches


def text(typed):
    """Parameters as a manifest holds them, as one would give them again."""
    return {name: "none" if value is None else _as_text(value) for name, value in typed.items()}


def _as_text(value):
    return value if isinstance(value, str) else str(value) if isinstance(value, date) else json.dumps(value)


def _last(findings, observed_until):
    """The last day that a run may name: up to which the data are complete."""
    return max(filter(None, (findings.observed_until, observed_until)))


def _out_of_range(parameter, values, datasets):
    value = values[parameter.name]
    bounds, setting = parameter.range, f"{parameter.name} = {value}"
    if bounds.within:
        dataset = datasets.get(bounds.within)
        found = dataset and dataset.findings
        if found and found.first is None:
            yield f"{setting} is to lie within {found.name}, which knows no days; leave it out, or name data that do"
        elif found and not found.first <= as_date(value) <= _last(found, values.get("observed_until")):
            last = _last(found, values.get("observed_until"))
            yield f"{setting} lies outside {found.name}, which runs from {found.first} to {last}"
        return
    for each in value if isinstance(value, list) else [value]:
        each = as_date(each) if isinstance(bounds.min or bounds.max, date) else each
        if (bounds.min is not None and each < bounds.min) or (bounds.max is not None and each > bounds.max):
            yield f"{setting} is out of range, which is {bounds}"
