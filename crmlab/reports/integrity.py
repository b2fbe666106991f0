"""Whether a run is what the ledger recorded."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from crmlab.places import sha256
from crmlab.reports import ledger
from crmlab.reports.ledger import Ledger

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Standing:
    """What became of a run since it was published.

    state  : intact; tampered, where a file of it was changed or is gone; unrecorded, where the ledger does not know it;
        unreadable, where this user may not read a file of it
    faults : what is wrong, sentences
    extra  : files in its folder that are not of it
    """

    state: str
    faults: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def is_intact(self) -> bool:
        """Whether every file is what the ledger recorded."""
        return self.state == "intact"


def standing(folder: Path, book: Ledger, whole: bool = False) -> Standing:
    """What became of a run, by sizes and times of its files, and by their hashes where these differ.

    whole : whether to look at the hashes all the same
    """
    recorded = book.runs.get(folder.name)
    if recorded is None or recorded.report != folder.parent.name:
        return Standing("unrecorded", ("the ledger does not know this run",))
    events = book.by_run[folder.name]
    stamps = [event.about["files"] for event in events if "files" in event.about]
    try:
        if not whole and stamp(folder) == stamps[-1]:
            return Standing("intact")
        return _by_hashes(folder, recorded, events)
    except PermissionError as fault:
        return Standing("unreadable", (f"{fault.filename} may not be read by this user",))


def _by_hashes(folder, recorded, events):
    try:
        text = (folder / MANIFEST).read_bytes()
    except FileNotFoundError as fault:
        return Standing("tampered", (f"{MANIFEST} cannot be read ({type(fault).__name__})",))
    if hashlib.sha256(text).hexdigest() != recorded.about.get("manifest"):
        return Standing("tampered", (f"{MANIFEST} is not the one that was recorded",))
    expected = json.loads(text)["artefacts"]
    for event in events:  # what crmlab itself wrote since, and recorded
        changed = event.about.get("changed", {}).items()
        expected |= {path: new for path, (old, new) in changed if expected.get(path) == old}
    faults, there = [], {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    for path, digest in expected.items():
        if path not in there:
            faults.append(f"{path} is gone")
        elif there[path].is_symlink() or sha256(there[path]) != digest:
            faults.append(f"{path} has been changed")
    extra = tuple(sorted(there.keys() - expected.keys() - {MANIFEST}))
    return Standing("tampered" if faults else "intact", tuple(faults), extra)


def stamp(folder: Path, replaced: dict[str, Path] | None = None) -> str:
    """What changes with any file of a run, but for edits that hide: a hash of paths, sizes and times.

    replaced : files that are to take the place of those at these paths
    """
    lines, folders = [], [(str(folder), "")]
    for path, within in folders:
        with os.scandir(path) as entries:
            for entry in entries:
                name = f"{within}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, f"{name}/"))
                elif not replaced or name not in replaced:
                    lines.append(_line(name, entry.stat(follow_symlinks=False)))
    lines += [_line(name, file.stat()) for name, file in (replaced or {}).items()]
    return hashlib.sha256("\n".join(sorted(lines)).encode(errors="surrogateescape")).hexdigest()


def _line(name, about):
    return f"{name} {about.st_size} {about.st_mtime_ns}"


def of_all(reports: Path, folders: list[Path]) -> dict[Path, Standing]:
    """What became of runs, by their hashes; those that were pruned meanwhile are left out."""
    book = ledger.read(reports)
    found = {folder: standing(folder, book, whole=True) for folder in folders}
    if any(each.state == "tampered" for each in found.values()):
        with ledger.opened(reports) as written:  # nobody writes now what the ledger then knows of
            for folder in [folder for folder, each in found.items() if each.state == "tampered"]:
                found[folder] = standing(folder, written.ledger, whole=True)
                if written.ledger.last_of(folder.name) == "pruned":
                    del found[folder]
    return found


def missing(reports: Path) -> list[str]:
    """Runs that the ledger recorded and did not see removed, and that are gone: sentences."""
    with ledger.opened(reports) as written:
        book = written.ledger
        runs = [event for run, event in book.runs.items() if book.last_of(run) != "pruned"]
        gone = [event for event in runs if not (reports / event.report / event.run).is_dir()]
    return [f"{event.report} {event.run} was recorded on {event.at[:10]}, and is gone" for event in gone]
