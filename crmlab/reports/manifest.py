"""The truth about a run: what it was made from, what became of it, and what it found."""

import hashlib
import json
import platform
import subprocess
import sys
from datetime import datetime
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crmlab import catalog
from crmlab.display import mask
from crmlab.places import sha256

PACKAGE = Path(__file__).resolve().parents[1]
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
    """The code that a run was made by: `sha256` is of the files of crmlab/."""

    commit: str | None
    dirty: bool | None
    sha256: str


class Environment(Record):
    """The packages that a run was made with."""

    python: str
    platform: str
    lock_sha256: str | None
    packages: dict[str, str]


class Manifest(Record):
    """One run. Times are UTC, durations seconds, hashes SHA-256."""

    schema_version: int = Field(SCHEMA, alias="schema")  # 1 is the older form, read as far as it goes
    report: str
    run: str
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


def key(job, root):
    """What a run is made from, in one hash; "" where its data have no content hash."""
    contents = [catalog.fingerprint(job.typed[name]) for name in job.datasets]
    if None in contents:
        return ""
    parts = [
        job.report.name,
        sha256(job.report.notebook),
        _beside(job.report.notebook.parent),
        mask(""),  # ids are shown under its key
        job.typed,
        contents,
        [sha256(path) for path in job.files.values()],
        [dataset.findings.entry.model_dump(mode="json") for dataset in job.datasets.values()],
        code(root).sha256,
        environment(root).lock_sha256,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def provenance(job, root):
    """What a run is to be made from, as it is now: fields of its Manifest by name."""
    return {
        "report": job.report.name,
        "key": key(job, root),
        "notebook": str(job.report.notebook.relative_to(root)),
        "notebook_sha256": sha256(job.report.notebook),
        "parameters_given": job.given,
        "parameters": job.typed,
        "data": [source(name, job.typed[name], dataset) for name, dataset in job.datasets.items()],
        "files": {name: sha256(path) for name, path in job.files.items()},
        "code": code(root),
        "environment": environment(root),
        "seed": job.typed.get("seed"),
    }


def _beside(folder):
    """Modules that a notebook of `folder` may import from there: paths and hashes."""
    return [(str(path.relative_to(folder)), sha256(path)) for path in sorted(folder.rglob("*.py"))]


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


@cache
def code(root):
    """The code now: the commit where git knows one, and a hash of every file of crmlab/."""
    files = sorted(p for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    listed = "\n".join(f"{p.relative_to(PACKAGE)} {sha256(p)}" for p in files)
    status = _git(root, "status", "--porcelain")
    return Code(
        commit=(_git(root, "rev-parse", "HEAD") or "").strip() or None,
        dirty=None if status is None else bool(status.strip()),
        sha256=hashlib.sha256(listed.encode()).hexdigest(),
    )


@cache
def environment(root):
    """The interpreter and packages now, and the hash of the lock they came from."""
    lock = root / "requirements.lock"
    found = {d.metadata["Name"]: d.version for d in distributions()}
    return Environment(
        python=platform.python_version(),
        platform=f"{sys.platform} {platform.machine()}",
        lock_sha256=sha256(lock) if lock.is_file() else None,
        packages=dict(sorted(found.items(), key=lambda item: item[0].lower())),
    )


def _git(root, *arguments):
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
