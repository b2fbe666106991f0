"""Where runs are kept: `reports/<report>/<run>/`, written once, and visible only when whole."""

import fcntl
import json
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from crmlab.contracts import InputError
from crmlab.reports.manifest import SCHEMA, Manifest, sha256

STAGING = ".staging"  # beside the reports, on their file system, so that publishing is one rename
APPROVAL = ".approval.json"  # `<run>.approval.json` beside a run keeps it from pruning


def new_run():
    """A run id: UTC time, plus 8 hex that distinguish runs of one second."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


class Staged:
    """A folder out of sight in which a run is made; locked while its maker lives, so that others leave it alone."""

    def __init__(self, reports):
        self.reports, self.folder = reports, reports / STAGING / new_run()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.lock = self.folder.with_suffix(".lock").open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        (self.folder / "tables").mkdir(parents=True)

    def publish(self, manifest):
        """Make the run visible, whole: its manifest is written last, and then all of it appears at once."""
        hashes = {str(p.relative_to(self.folder)): sha256(p) for p in sorted(self.folder.rglob("*")) if p.is_file()}
        manifest = manifest.model_copy(update={"artefacts": hashes})
        with (self.folder / "manifest.json").open("w", encoding="utf-8") as stream:
            stream.write(manifest.model_dump_json(indent=2) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        place = self.reports / manifest.report / manifest.run
        place.parent.mkdir(parents=True, exist_ok=True)
        os.rename(self.folder, place)
        self.discard()
        return place

    def discard(self):
        """Remove what was not published."""
        shutil.rmtree(self.folder, ignore_errors=True)
        Path(self.lock.name).unlink(missing_ok=True)
        self.lock.close()


def clean(reports):
    """Remove what runners left that were killed."""
    for path in (reports / STAGING).glob("*.lock"):
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            path.unlink(missing_ok=True)
    for removed in (reports / STAGING).glob("*.removed"):
        shutil.rmtree(removed, ignore_errors=True)


@contextmanager
def exclusive(reports):
    """What is made of all runs is made by one process at a time, so that none misses another's run."""
    reports.mkdir(exist_ok=True)
    with (reports / ".index").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def folders(reports, report=None):
    """The folders of published runs, newest first."""
    pattern = f"{report or '*'}/*/manifest.json"
    found = (p.parent for p in reports.glob(pattern))
    visible = (f for f in found if not f.parent.name.startswith(".") and not f.is_symlink())
    return sorted(visible, key=lambda folder: folder.name, reverse=True)


def read(folder):
    """The manifest of a published run. Raises InputError where it is none."""
    path = Path(folder) / "manifest.json"
    try:
        return Manifest.model_validate_json(path.read_text("utf-8"))
    except ValueError as problem:
        raise InputError(f"{path} is no manifest that can be read: {str(problem).splitlines()[0]}") from None


def find(reports, run):
    """The folder of a run: by its id, the beginning of it, or a report's name for its latest.

    Raises InputError unless just one fits.
    """
    if run and (latest := folders(reports, run)[:1]):
        return latest[0]
    fitting = [folder for folder in folders(reports) if folder.name.startswith(run)]
    if len(fitting) != 1:
        known = ", ".join(f.name for f in (fitting or folders(reports))[:5]) or "none yet"
        raise InputError(f"{len(fitting)} runs begin with {run!r}; the latest are {known}")
    return fitting[0]


def latest(reports, report, good=False):
    """The folder of a report's newest run, or newest good one; None where there is none.

    A good run of the older form is the newest good one only where there is no other.
    """
    if not good:
        return next(iter(folders(reports, report)), None)
    older = None
    for folder in folders(reports, report):
        manifest = _unchecked_manifest(folder)
        if manifest.get("state") == "success":
            if manifest.get("schema") == SCHEMA:
                return folder
            older = older or folder
    return older


def update_links(reports):
    """Point `latest` and `latest-good` of each report at its newest run and its newest good one."""
    pointed = {link.parent for link in reports.glob("*/latest*") if link.is_symlink()}
    for report in pointed | {folder.parent for folder in folders(reports)}:
        for name, good in (("latest", False), ("latest-good", True)):
            link, run = report / name, latest(reports, report.name, good)
            beside = report / f".{name}"
            beside.unlink(missing_ok=True)
            if run:
                beside.symlink_to(run.name)
                os.replace(beside, link)
            else:
                link.unlink(missing_ok=True)


def find_reusable(reports, report, key):
    """The newest good run made from the same notebook, parameters, data, code and lock; None where there is none."""
    for folder in folders(reports, report):
        manifest = _unchecked_manifest(folder) if _mentions(folder / "manifest.json", key) else {}
        good = manifest.get("state") == "success" and manifest.get("schema") == SCHEMA
        if good and manifest.get("key") == key:
            return folder
    return None


def _mentions(path, key):
    with suppress(OSError):  # pruned meanwhile
        return key.encode() in path.read_bytes()


def approved(folder):
    """Whether a run was signed off: `<run>.approval.json` lies beside it."""
    return folder.with_name(folder.name + APPROVAL).exists()


def prune(reports, keep):
    """Remove all but the newest `keep` runs of each report; never its last good run, never an approved one.

    Returns the folders removed.
    """
    removed = []
    for report in sorted({folder.parent.name for folder in folders(reports)}):
        good = latest(reports, report, good=True)
        for folder in folders(reports, report)[keep:]:
            if folder != good and not approved(folder):
                away = reports / STAGING / f"{folder.name}.removed"
                away.parent.mkdir(exist_ok=True)
                os.rename(folder, away)
                shutil.rmtree(away, ignore_errors=True)
                removed.append(folder)
    return removed


def _unchecked_manifest(folder):
    """A manifest unchecked; empty where it cannot be read, or was removed meanwhile."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}
