"""The files that a run reads: copies of them, which are hashed as they are, and which later edits do not reach."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crmlab import catalog, exported, places
from crmlab.contracts import formulas, sources

MOST_COPIED = 200_000_000  # bytes of a file that is copied
FOLDER = Path(places.COPIES).parent
TRIES = 3  # of a file that changes while it is copied

Stamp = tuple[int, ...]


@dataclass(frozen=True)
class Inputs:
    """The files of a job: which are copied, and what those were that are not."""

    copies: dict[str, str] = field(default_factory=dict)  # file -> its copy
    stamps: dict[str, Stamp] = field(default_factory=dict)  # of all, when they were copied or before the run
    unsettled: tuple[str, ...] = ()  # files that changed while they were copied


def named(job: Any) -> dict[Path, bool]:
    """The files that a job reads, and whether each can be copied."""
    found = dict.fromkeys((job.report.notebook, catalog.path(), *job.files.values()), True)
    return {**found, **{path: whole for name in job.datasets for path, whole in catalog.files_of(job.typed[name])}}


def stamp(path: Path) -> Stamp:
    """What changes with a file, or with those of a folder, but for edits that hide: size, times and inode."""
    about = [file.stat() for file in sources.files(path)]
    return tuple(number for a in about for number in (a.st_size, a.st_mtime_ns, a.st_ctime_ns, a.st_ino))


def copied(job: Any, staging: Path) -> Inputs:
    """Copy the files of a job into its staging, where they are not too large."""
    found, copies, unsettled = named(job), {}, []
    stamps = {str(path): stamp(path) for path in found}
    for number, (path, whole) in enumerate(found.items()):
        if not whole or not path.is_file() or path.stat().st_size > MOST_COPIED:
            continue
        to = staging / FOLDER / str(number) / path.name
        for _ in range(TRIES):
            stamps[str(path)] = stamp(path)
            if not _is_copied(path, to):
                break
            if stamp(path) == stamps[str(path)]:
                copies[str(path)] = str(to)
                break
        else:
            copies[str(path)] = str(to)
            unsettled.append(str(path))
    (staging / FOLDER).mkdir(exist_ok=True)
    (staging / places.COPIES).write_text(json.dumps(copies), "utf-8")
    (staging / exported.SETTINGS).write_text(job.tables.model_dump_json(), "utf-8")
    return Inputs(copies, stamps, tuple(unsettled))


def _is_copied(path, to):
    """Copy a file; False where there is no room for it, or no leave."""
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(path, to)
    except OSError:
        to.unlink(missing_ok=True)
        return False
    if formulas.are_plain(path):
        (to.parent / formulas.MARK).touch()
    return True
