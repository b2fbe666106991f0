"""Where runs are kept: `reports/<report>/<run>/`, written once, and visible only when whole."""

import os
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

from crmlab.contracts import InputError
from crmlab.reports.manifest import Manifest, sha256

STAGING = ".staging"  # beside the reports, on their file system, so that publishing is one rename


def new_run():
    """A run id: UTC time, plus 8 hex that keep runs of one second apart."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def stage(reports, run):
    """A new folder, out of sight, in which a run is made."""
    folder = reports / STAGING / run
    (folder / "tables").mkdir(parents=True)
    return folder


def publish(reports, staged, manifest):
    """Make a staged run visible, whole: its manifest is written last, and then all of it appears at once."""
    hashes = {str(p.relative_to(staged)): sha256(p) for p in sorted(staged.rglob("*")) if p.is_file()}
    manifest = manifest.model_copy(update={"artefacts": hashes})
    path = staged / "manifest.json"
    with path.open("w", encoding="utf-8") as stream:
        stream.write(manifest.model_dump_json(indent=2) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    folder = reports / manifest.report / manifest.run
    folder.parent.mkdir(parents=True, exist_ok=True)
    os.rename(staged, folder)
    return folder


def discard(staged):
    """Remove what was staged and not published."""
    shutil.rmtree(staged, ignore_errors=True)


def folders(reports, report=None):
    """The folders of published runs, newest first."""
    pattern = f"{report or '*'}/*/manifest.json"
    return sorted((p.parent for p in reports.glob(pattern)), key=lambda folder: folder.name, reverse=True)


def read(folder):
    """The manifest of a published run."""
    return Manifest.model_validate_json((Path(folder) / "manifest.json").read_text("utf-8"))


def find(reports, run):
    """The folder of a run, by its id or the beginning of it. Raises InputError unless just one fits."""
    fitting = [folder for folder in folders(reports) if folder.name.startswith(run)]
    if len(fitting) != 1:
        known = ", ".join(f.name for f in (fitting or folders(reports))[:5]) or "none yet"
        raise InputError(f"{len(fitting)} runs begin with {run!r}; the latest are {known}")
    return fitting[0]
