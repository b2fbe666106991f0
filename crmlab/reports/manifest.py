"""The truth about a run: what it was made from, what became of it, and what it found."""

import hashlib
import json
import os
import platform
import sys
import sysconfig
from datetime import datetime
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crmlab import catalog, files, places
from crmlab.masks import mask
from crmlab.places import sha256
from crmlab.reports import snapshot

SCHEMA = 2  # of the manifest
STATES = ("success", "failed", "killed", "out_of_memory", "timeout", "exited")


class Record(BaseModel):
    """A part of a manifest; frozen, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, validate_by_name=True)


class Source(Record):
    """A data set that a run read."""

    parameter: str
    name: str
    about: str = ""
    nature: str
    source: str = ""
    entry: dict[str, Any] = {}  # how it was read: the fields of its catalog entry that are not defaults
    sha256: str | None  # None for a table on an engine, which has no content hash
    sources: dict[str, str] = {}  # of a query over files: each with its hash
    rows: int
    customers: int | None = None  # None where the data know of none
    first: str | None = None  # first day in them; None where they know no days
    last: str | None = None


class Described(Record):
    """Data that the catalog does not know of, as the notebook described them; its files are among `files`."""

    name: str
    nature: str
    about: str = ""


class Error(Record):
    """What ended a run that did not succeed."""

    cell: int | None  # number of the code cell from 1, as executed
    name: str
    message: str


class Code(Record):
    """The code that a run was made by: `sha256` is of the files of crmlab/, `snapshot` names all that ran."""

    commit: str | None
    dirty: bool | None
    sha256: str
    modules: dict[str, str] = {}  # beside the notebook: path -> hash
    snapshot: str = ""  # name of the copy in reports/.code


class Environment(Record):
    """The packages that a run was made with."""

    python: str
    platform: str
    lock_sha256: str | None
    packages: dict[str, str]
    start_files: dict[str, str] = {}  # what Python runs when it starts, as sitecustomize.py: path -> hash


class Masking(Record):
    """How customer ids are masked: whether by a key of one's own, and a hash that changes with it."""

    private: bool
    sha256: str


class Exported(Record):
    """How tables were written, and how many cells of each file that changed: by path within the run."""

    csv: str = "safe"  # text that a spreadsheet would run has an apostrophe before it; raw: it stands as it was
    smallest_group: int | None = None
    plain: dict[str, int] = {}  # cells with an apostrophe
    withheld: dict[str, int] = {}  # cells of groups too small, and those by which they could be worked out


class Manifest(Record):
    """One run. Times are UTC, durations seconds, hashes SHA-256."""

    schema_version: int = Field(SCHEMA, alias="schema")  # 1 is the older form, read as far as it goes
    report: str
    run: str
    sequence: int | None = None  # the line of the ledger that records it; None of runs that are older
    slot: str = ""  # of a schedule, whose turn it was
    key: str = ""  # the same for runs of the same notebook, modules beside it, parameters, data, code, lock, mask key
    state: Literal[STATES]  # type: ignore[valid-type]
    title: str = ""
    notebook: str  # relative to the project
    notebook_sha256: str
    parameters_given: dict[str, str]
    parameters: dict[str, Any]  # as typed, defaults included, as JSON holds them
    data: list[Source]
    files: dict[str, str] = {}  # parameter -> hash of the file that it names
    code: Code
    environment: Environment
    masking: Masking | None = None
    exported: Exported | None = None
    seed: int | None
    started: datetime
    ended: datetime
    seconds: dict[str, float]  # by phase
    answer: list[str] = []  # sentences: what was found, on later data, the check that matters most
    facts: dict[str, dict] = {}  # name -> the fields of an Estimate
    checks: list[dict] = []  # id, kind, outcome, claim, summary, recommendation, values
    notes: list[str] = []
    sources: list[Described] = []  # data that are not of the catalog
    tables: list[str] = []  # stems of tables/<stem>.csv
    figures: list[str] = []  # titles
    artefacts: dict[str, str] = {}  # path within the run folder -> hash
    error: Error | None = None
    changed: list[str] = []  # what changed while the run was made, so that it answers for nothing

    @model_validator(mode="before")
    @classmethod
    def _older_form(cls, given):
        """What manifests without a schema hold, under the names of today."""
        if not isinstance(given, dict) or {"schema", "schema_version"} & given.keys() or "verdicts" not in given:
            return given
        rest = {name: value for name, value in given.items() if name not in ("facts", "verdicts")}
        facts = {name: _older_fact(fact) for name, fact in given.get("facts", {}).items()}
        return rest | {"schema": 1, "facts": facts, "checks": [_older_check(each) for each in given["verdicts"]]}

    @property
    def older(self) -> bool:
        """Whether the run was made before checks had outcomes."""
        return self.schema_version < SCHEMA


def _older_fact(fact):
    interval = "pi" if fact.get("interval") == "predictive" else "ci"
    ends = {f"{interval}_low": fact.get("low"), f"{interval}_high": fact.get("high")}
    return {"value": fact["value"], "unit": fact.get("unit", "")} | ends


def _older_check(check):
    return {
        "id": "",
        "kind": "older",
        "outcome": "passed" if check["passed"] else "failed",
        "claim": check["claim"],
        "summary": check["evidence"],
        "recommendation": "" if check["passed"] else check.get("instead", ""),
        "values": {},
    }


def key(job, root, code=None):
    """What a run is made from, in one hash; "" where its data have no content hash.

    code : the Snapshot that it runs; None takes that of now
    """
    contents = [catalog.fingerprint(job.typed[name]) for name in job.datasets]
    if None in contents:
        return ""
    around = environment(root)
    parts = [
        job.report.name,
        sha256(places.held(job.report.notebook)),
        masking().sha256,  # ids are shown under its key
        job.tables.model_dump(),
        job.typed,
        contents,
        [sha256(files.path(job.typed[name])) for name in job.files],
        [dataset.findings.entry.model_dump(mode="json") for dataset in job.datasets.values()],
        (code or snapshot.current(root)).sha256,
        around.lock_sha256,
        around.start_files,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def provenance(job, root, code):
    """What a run is to be made from: fields of its Manifest by name.

    code : the Snapshot that it runs
    """
    commit, dirty = snapshot.commit(root)
    return {
        "report": job.report.name,
        "key": key(job, root, code),
        "notebook": str(job.report.notebook.relative_to(root)),
        "notebook_sha256": sha256(places.held(job.report.notebook)),
        "parameters_given": job.given,
        "parameters": job.typed,
        "data": [source(name, job.typed[name], dataset) for name, dataset in job.datasets.items()],
        "files": {name: sha256(files.path(job.typed[name])) for name in job.files},
        "code": Code(commit=commit, dirty=dirty, sha256=code.crmlab, modules=code.modules, snapshot=code.sha256),
        "environment": environment(root),
        "masking": masking(),
        "seed": job.typed.get("seed"),
    }


def masking():
    """How customer ids are masked now."""
    changes_with_it = hashlib.sha256(mask("").encode()).hexdigest()
    return Masking(private="CRMLAB_MASK_KEY" in os.environ, sha256=changes_with_it)


def source(parameter, data, dataset):
    """A data set as a run reads it."""
    return Source(
        parameter=parameter,
        name=dataset.findings.name,
        about=dataset.findings.entry.about,
        nature=dataset.findings.entry.nature,
        source=dataset.findings.entry.source,
        entry=dataset.findings.entry.model_dump(mode="json", exclude_defaults=True),
        sha256=catalog.fingerprint(data),
        sources=catalog.source_hashes(data),
        rows=int(dataset.findings.counts["rows"]),
        customers=dataset.findings.counts.get("customers"),
        first=dataset.findings.first and str(dataset.findings.first),
        last=dataset.findings.last and str(dataset.findings.last),
    )


def environment(root):
    """The interpreter and packages now, and the hash of the lock they came from."""
    lock = root / "requirements.lock"
    return Environment(
        python=platform.python_version(),
        platform=f"{sys.platform} {platform.machine()}",
        lock_sha256=sha256(lock) if lock.is_file() else None,
        packages=_packages(*_stamps()),
        start_files={path.name: sha256(path) for path in _start_files()},
    )


def _stamps():
    """When packages were last added to or removed from each folder of them."""
    return [(folder, Path(folder).stat().st_mtime_ns) for folder in sys.path if Path(folder).is_dir()]


@cache
def _packages(*_stamps):
    found = {d.metadata["Name"]: d.version for d in distributions()}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _start_files():
    """What an isolated Python runs before anything else, and nobody can shut out."""
    paths = dict.fromkeys(Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib", "stdlib"))
    for folder in paths:
        yield from (path for name in ("sitecustomize.py", "usercustomize.py") if (path := folder / name).is_file())
        yield from sorted(folder.glob("*.pth"))
