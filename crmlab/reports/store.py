"""Where runs are kept: `reports/<report>/<run>/`, written once, and visible only when whole."""

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

from crmlab.contracts import InputError
from crmlab.contracts.settings import read_settings
from crmlab.places import sha256
from crmlab.reports import integrity, ledger, snapshot
from crmlab.reports.integrity import MANIFEST
from crmlab.reports.manifest import SCHEMA, Manifest

PRIVATE = "tables/private"  # of a run: tables that name customers
WAITING = ".waiting"  # ends the name of a file that is to take the place of another
STAGING = ".staging"  # beside the reports, on their file system, so that publishing is one rename


def new_run():
    """A run id: UTC time, plus 8 hex that distinguish runs of one second."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


class Staged:
    """A folder out of sight in which a run is made; locked while its maker lives, so that others leave it alone."""

    def __init__(self, reports):
        self.reports, self.folder, self._noted, self._recorded = reports, reports / STAGING / new_run(), {}, None
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        path = self.folder.with_suffix(".lock")
        while True:
            self.lock = path.open("w")
            fcntl.flock(self.lock, fcntl.LOCK_EX)
            if _is_there(self.lock, path):
                break
            self.lock.close()  # who cleans up took it for one that was left
        (self.folder / "tables").mkdir(parents=True)

    def note(self, **about):
        """Leave word of what is made here, for whoever finds it left: report, run, temporary folders, code."""
        self._noted |= about
        self.lock.seek(0)
        self.lock.write(json.dumps(self._noted))
        self.lock.truncate()
        self.lock.flush()

    def refuse_what_is_no_file(self):
        """Remove links, pipes and devices, and give linked files a copy of their own: what was removed."""
        refused = []
        for path in sorted(self.folder.rglob("*"), reverse=True):
            about = path.lstat()
            if stat.S_ISREG(about.st_mode) and about.st_nlink > 1:
                beside = path.with_name(f"{path.name}.part")
                shutil.copyfile(path, beside)
                os.replace(beside, path)
            elif not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
                path.unlink()
                refused.append(path.relative_to(self.folder).as_posix())
        return sorted(refused)

    def close_private_tables(self):
        """Let nobody but the owner read tables that name customers."""
        private = self.folder / PRIVATE
        if private.is_dir():
            for path in private.rglob("*"):
                path.chmod(0o700 if path.is_dir() else 0o600)
            private.chmod(0o700)

    def publish(self, manifest):
        """Make the run visible, whole, and recorded: its folder.

        The ledger's line is written first: a run whose maker dies between the two is published by whoever cleans up.
        """
        self.close_private_tables()
        hashes = {p.relative_to(self.folder).as_posix(): sha256(p) for p in sorted(_files(self.folder))}
        place = self.reports / manifest.report / manifest.run
        self.note(report=manifest.report, run=manifest.run)
        with ledger.opened(self.reports) as book:
            if place.exists():
                raise FileExistsError(errno.ENOTEMPTY, "a run of this id is there, and not empty", str(place))
            manifest = manifest.model_copy(update={"artefacts": hashes, "sequence": book.next})
            text = manifest.model_dump_json(indent=2).encode() + b"\n"
            with (self.folder / MANIFEST).open("wb") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            self._recorded = place  # from here on, whoever cleans up can finish it
            about = {"state": manifest.state, "key": manifest.key, "manifest": hashlib.sha256(text).hexdigest()}
            about |= {"slot": manifest.slot} if manifest.slot else {}
            book.append("run", manifest.report, manifest.run, **about, files=integrity.stamp(self.folder))
            _move(self.folder, place)
        self.discard()
        return place

    def discard(self):
        """Remove what was not published, and not recorded either."""
        if self._recorded is None or self._recorded.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            Path(self.lock.name).unlink(missing_ok=True)
        self.lock.close()


def _is_there(lock, path):
    """Whether an open file is still the one of this path."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _files(folder):
    return (path for path in folder.rglob("*") if path.is_file())


def _move(folder, place):
    """Make a whole folder visible at once, on whichever file system its place is."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.rename(folder, place)
    except OSError as fault:
        if fault.errno != errno.EXDEV:
            raise
        beside = place.with_name(f".{place.name}.part")
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(folder, beside)
        os.rename(beside, place)


def beside(folder, path):
    """Where what is to take the place of a run's file waits until the ledger knows of it."""
    return folder.parent / f".{folder.name}.{quote(path, safe='')}{WAITING}"


def clean(reports):
    """Remove what was left by runners that were killed; finish what they had recorded; record what they had tried."""
    for path in (reports / STAGING).glob("*.lock"):
        with suppress(FileNotFoundError, BlockingIOError), path.open("r+") as lock:  # gone by now, or at work
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_there(lock, path):
                continue
            _settle(reports, path.with_suffix(""), _noted(lock))
            path.unlink(missing_ok=True)
    for removed in (reports / STAGING).glob("*.removed"):
        shutil.rmtree(removed, ignore_errors=True)
    with ledger.opened(reports) as book:  # so that nobody is about to
        for waiting in reports.glob(f"*/.*{WAITING}"):
            _finish(waiting, book.ledger)
    known = ledger.read(reports)
    for run, events in [] if known.faults else known.by_run.items():  # nothing is removed on the word of a broken chain
        folder = reports / events[-1].report / run
        if events[-1].event == "pruned" and folder.is_dir():
            _remove(reports, folder)


def _finish(waiting, book):
    """Let a file take its place where the ledger knows of it, and else remove it."""
    run, _, quoted = waiting.name.removeprefix(".").removesuffix(WAITING).partition(".")
    name = unquote(quoted)
    changes = [event.about.get("changed", {}) for event in book.by_run.get(run, ())]
    recorded = [changed[name][1] for changed in changes if name in changed]
    place = waiting.parent / run / name
    if recorded and recorded[-1] == sha256(waiting) and place.parent.is_dir():
        os.replace(waiting, place)
    else:
        waiting.unlink()


def _noted(lock):
    try:
        noted = json.loads(lock.read())
    except ValueError:
        return {}
    return noted if isinstance(noted, dict) else {}


def _settle(reports, folder, noted):
    """Publish or remove a folder whose maker is dead, and record that its run was tried."""
    for left in noted.get("folders", ()):
        if re.fullmatch(r".*/crmlab-[^/]+", str(left)):
            shutil.rmtree(left, ignore_errors=True)
    report, run = noted.get("report"), noted.get("run")
    if all(isinstance(name, str) and ledger.NAME.fullmatch(name) for name in (report, run)):
        place = reports / report / run
        with ledger.opened(reports) as book:
            last = book.ledger.last_of(run)
            if last == "run" and not place.exists() and (folder / MANIFEST).is_file():
                _move(folder, place)
            elif last is None:
                book.append("tried", report, run)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def exclusive(reports):
    """What is made of all runs is made by one process at a time, so that none misses another's run."""
    reports.mkdir(exist_ok=True)
    with (reports / ".index").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def folders(reports, report=None):
    """The folders of published runs, newest first by the ledger; those that it does not know come after, by name."""
    runs, found = ledger.read(reports).runs, []
    for each in [report] if report else _visible(reports, links=True):
        for name in _visible(reports / each):
            if os.path.exists(f"{reports}/{each}/{name}/{MANIFEST}"):
                found.append((runs[name].sequence if name in runs else 0, name, each))
    return [reports / each / name for _, name, each in sorted(found, reverse=True)]


def _visible(folder, links=False):
    """The names of the folders in a folder that are not hidden; links to folders elsewhere are none, but of reports."""
    try:
        with os.scandir(folder) as entries:
            return [e.name for e in entries if e.is_dir(follow_symlinks=links) and not e.name.startswith(".")]
    except OSError:
        return []


def read(folder):
    """The manifest of a published run. Raises InputError where it is none."""
    path = Path(folder) / "manifest.json"
    try:
        given = json.loads(path.read_text("utf-8"))
        if not isinstance(given, dict):
            raise ValueError("it holds no fields")
    except (ValueError, RecursionError) as problem:
        raise InputError(f"{path} is no manifest that can be read: {problem}") from None
    return read_settings(Manifest, given, f"{path} is no manifest that can be read")


def find(reports, run):
    """The folder of a run: by its id, the beginning of it, or a report's name for its latest.

    Raises InputError unless just one fits.
    """
    if not run:
        raise InputError("the run is empty, as an unset variable leaves it; give its id, or a report for its latest")
    if latest := folders(reports, run)[:1]:
        return latest[0]
    fitting = [folder for folder in folders(reports) if folder.name.startswith(run)]
    if len(fitting) != 1:
        known = ", ".join(f.name for f in (fitting or folders(reports))[:5]) or "none yet"
        raise InputError(f"{len(fitting)} runs begin with {run!r}; the latest are {known}")
    return fitting[0]


def latest(reports, report, good=False):
    """The folder of a report's newest run, or newest good one; None where there is none.

    A good run is one that succeeded and is as it was recorded. Runs that the ledger does not know, and those of the
    older form, are the newest good one only where there is no other, in this order.
    """
    if not good:
        return next(iter(folders(reports, report)), None)
    book, unrecorded, older = ledger.read(reports), None, None
    for folder in folders(reports, report):
        recorded = book.runs.get(folder.name)
        if recorded is None:
            manifest = _unchecked_manifest(folder)
            if manifest.get("state") == "success":
                if manifest.get("schema") == SCHEMA:
                    unrecorded = unrecorded or folder
                else:
                    older = older or folder
        elif recorded.about.get("state") == "success" and integrity.standing(folder, book).is_intact:
            return folder
    return unrecorded or older


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
    """The newest good run made from the same notebook, parameters, data, code and lock; None where there is none.

    Only a run that is as it was recorded answers.
    """
    book = ledger.read(reports)
    for recorded in reversed(book.runs.values()):
        if recorded.report == report and recorded.about.get("key") == key and recorded.about.get("state") == "success":
            folder = reports / report / recorded.run
            if folder.is_dir() and integrity.standing(folder, book, whole=True).is_intact:
                return folder
    return None


def prune(reports, keep):
    """Remove all but the newest `keep` runs of each report; never its last good run, never an approved one.

    Returns the folders removed. Copies of code that no run is left of go too. Raises InputError where the ledger's
    chain is broken.
    """
    if faults := ledger.read(reports).faults:
        known = f"the ledger was changed ({faults[0]}), so that nobody knows which runs are approved"
        raise InputError(f"{known}; nothing is removed; restore a copy of it")
    removed = []
    for report in sorted({folder.parent.name for folder in folders(reports)}):
        good = latest(reports, report, good=True)
        for folder in folders(reports, report)[keep:]:
            if folder == good:
                continue
            with ledger.opened(reports) as written:
                if written.ledger.approved(folder.name) or not folder.is_dir():
                    continue
                written.append("pruned", report, folder.name)
                _remove(reports, folder)
            removed.append(folder)
    with snapshot.held(reports):
        left = [_unchecked_manifest(folder).get("code") for folder in folders(reports)]
        needed = {str(code.get("snapshot")) for code in left if isinstance(code, dict)}
        snapshot.prune(reports, needed | {*_in_use(reports)})
    return removed


def _remove(reports, folder):
    """Remove a run at once."""
    away = reports / STAGING / f"{folder.name}.removed"
    away.parent.mkdir(exist_ok=True)
    with suppress(FileNotFoundError):  # another process was first
        os.rename(folder, away)
    shutil.rmtree(away, ignore_errors=True)


def _in_use(reports):
    """The copies of code that runs are being made with."""
    for path in (reports / STAGING).glob("*.lock"):
        with suppress(OSError), path.open() as lock:
            yield str(_noted(lock).get("code"))


def _unchecked_manifest(folder):
    """A manifest unchecked; empty where it cannot be read, or was removed meanwhile."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}
