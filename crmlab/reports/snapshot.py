"""The code that runs: a copy of crmlab and of the modules beside the notebooks, which later edits do not reach."""

import fcntl
import hashlib
import os
import secrets
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from crmlab.contracts import InputError
from crmlab.places import sha256

PACKAGE = Path(__file__).resolve().parents[1]
FOLDER = ".code"  # beside the reports: <hash>/crmlab and <hash>/notebooks
PYC_HEADER = 16  # bytes: a magic number, flags, and the time and size of the source


@dataclass(frozen=True)
class Snapshot:
    """Code as it is or was: hashes of the files of crmlab/, and of the modules beside the notebooks."""

    crmlab: str
    modules: dict[str, str] = field(hash=False)  # path from the notebooks' folder -> hash

    @property
    def sha256(self) -> str:
        """The hash of all of it, by which a copy is named."""
        lines = [self.crmlab, *(f"{path} {digest}" for path, digest in self.modules.items())]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def current(root: Path) -> Snapshot:
    """The code of a project as it is now."""
    return _of(PACKAGE, root / "notebooks")


@contextmanager
def held(reports: Path) -> Iterator[None]:
    """Within it, no other process takes a copy of code into use, or removes one."""
    (reports / FOLDER).mkdir(parents=True, exist_ok=True)
    with (reports / FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def taken(root: Path, reports: Path) -> tuple[Snapshot, Path]:
    """The code of a project, and the folder that holds a copy of it; made unless one is there already."""
    found = current(root)
    place = reports / FOLDER / found.sha256
    if place.is_dir() and _of(place / "crmlab", place / "notebooks") == found:
        return found, place
    making = reports / FOLDER / f".{secrets.token_hex(8)}"
    try:
        for name, folder, listed in (("crmlab", PACKAGE, _package), ("notebooks", root / "notebooks", _modules)):
            (making / name).mkdir(parents=True)
            for path in listed(folder):
                _copy(path, making / name / path.relative_to(folder))
        found = _of(making / "crmlab", making / "notebooks")  # of what was copied, whatever is there by now
        place = reports / FOLDER / found.sha256
        if place.exists() and _of(place / "crmlab", place / "notebooks") != found:
            os.rename(place, making.with_name(f"{making.name}.changed"))
        try:
            os.rename(making, place)
        except OSError:  # another process was first
            if not place.is_dir():
                raise
    finally:
        for left in (making, making.with_name(f"{making.name}.changed")):
            shutil.rmtree(left, ignore_errors=True)
    return found, place


def kept(reports: Path, name: str) -> tuple[Snapshot, Path]:
    """A copy of code by its name, and its folder. Raises InputError where it is gone, or was changed."""
    place = reports / FOLDER / name
    if not name or not place.is_dir():
        raise InputError(f"the copy of the code of that run is gone ({name[:12] or 'it kept none'})")
    found = _of(place / "crmlab", place / "notebooks")
    if found.sha256 != name:
        raise InputError(f"the copy of the code of that run, {name[:12]}, was changed")
    return found, place


def prune(reports: Path, needed: set[str]) -> None:
    """Remove the copies that nobody needs."""
    for place in (reports / FOLDER).glob("*"):
        if place.name not in needed and not place.name.startswith("."):  # those are being made
            shutil.rmtree(place, ignore_errors=True)


def commit(root: Path) -> tuple[str | None, bool | None]:
    """The commit of a project where git knows one, and whether files differ from it."""
    status = _git(root, "status", "--porcelain")
    return (_git(root, "rev-parse", "HEAD") or "").strip() or None, None if status is None else bool(status.strip())


def of_package(folder: Path | None = None) -> str:
    """The hash of the files of crmlab/, or of a copy of it, as they are now."""
    folder = folder or PACKAGE
    files = "\n".join(f"{path.relative_to(folder)} {sha256(path)}" for path in _package(folder))
    return hashlib.sha256(files.encode()).hexdigest()


def _of(package, notebooks):
    modules = {str(path.relative_to(notebooks)): sha256(path) for path in _modules(notebooks)}
    return Snapshot(of_package(package), modules)


def _package(folder):
    """The files of crmlab/."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _modules(folder):
    """The modules that a notebook of a folder may import from there, and the files of packages among them."""
    packages = {path.parent for path in folder.rglob("__init__.py")} - {folder}
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(folder).parts)
        and (path.suffix == ".py" or path.name == "matplotlibrc" or packages & {*path.parents})
    )


def _copy(path, to):
    """Copy a file, and of a module what it was compiled to, where that was surely compiled from it as it is."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, to)
    about = path.stat()
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.cpython-*.pyc") if path.suffix == ".py" else ():
        header = compiled.read_bytes()[:PYC_HEADER]
        flags, written, size = struct.unpack("<4xIII", header) if len(header) == PYC_HEADER else (1, 0, 0)
        fresh = compiled.stat().st_mtime_ns > about.st_mtime_ns + 10**9
        if flags == 0 and written == int(about.st_mtime) and size == about.st_size and fresh:
            beside = to.parent / "__pycache__" / compiled.name
            beside.parent.mkdir(exist_ok=True)
            shutil.copy2(compiled, beside)


def _git(root, *arguments):
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
