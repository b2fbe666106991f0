"""Where data lie: the paths of files and folders, and the hashes of what is in them."""

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from crmlab import uris
from crmlab.contracts import InputError, sources
from crmlab.entry import Entry

COPIES = ".inputs/places.json"  # within a run's staging: file -> the copy of it that the run reads
_copies: ContextVar[Mapping[str, str] | None] = ContextVar("copies", default=None)


@contextmanager
def reading(copies: Mapping[str, str]) -> Iterator[None]:
    """Within it, copies of files are read in place of the files."""
    before = _copies.set(copies)
    try:
        yield
    finally:
        _copies.reset(before)


def resolved(path: Path) -> Path:
    """A path without links and dots. Raises InputError where no file has such a name, or one that is not UTF-8."""
    try:
        found = os.path.realpath(path)
        found.encode()
    except UnicodeEncodeError:
        raise InputError(f"{str(path)!r}: its name holds bytes that are no UTF-8; rename it") from None
    except ValueError:
        raise InputError(f"{str(path)!r}: no file has such a name; correct the path") from None
    return Path(found)


def held(place: Path) -> Path:
    """Where a file is read: its copy, where the run has one."""
    return Path((_copies.get() or _of_run()).get(str(place), place))


def original(place: Path) -> Path:
    """The file of which a copy is read; the same place where it is no copy."""
    return next((Path(file) for file, copy in (_copies.get() or _of_run()).items() if copy == str(place)), place)


def _of_run():
    staging = os.environ.get("CRMLAB_STAGING")
    path = Path(staging) / COPIES if staging else None
    return json.loads(path.read_text("utf-8")) if path and path.is_file() else {}


def of_entry(name: str, entry: Entry, base: Path, listed: str) -> Path | None:
    """The path of an entry's file or folder; None where it is a table on an engine."""
    if entry.sql or (entry.uri and not uris.is_file(entry.uri)):
        return None
    if entry.package:
        base = _package_folder(entry.package, name)
    if not entry.uri:
        return _path(base, entry.path, name, listed)
    place = resolved(base / os.path.expanduser(entry.uri.partition("://")[2]))
    if not place.is_file():
        raise InputError(f"{name}: there is no file {place}; correct the uri{listed}")
    return held(place)


def _path(base, path, name, listed):
    """Where a path leads. Raises InputError where nothing is, or all that a user has."""
    place = resolved(base / os.path.expanduser(path))
    if not os.path.exists(place):
        raise InputError(f"{name}: there is no file or folder {place}; correct the path{listed}")
    if Path.home().resolve().is_relative_to(place):
        raise InputError(f"{name}: {place} is your home folder, or holds it; give the folder of the data{listed}")
    return held(place)


def of_sources(entry: Entry, name: str, base: Path) -> dict[str, Path]:
    """Where the sources of a query lie, by the names it has for them. Raises InputError with all that are missing."""
    places, breaches = {}, []
    for source in entry.sources:
        try:
            places[source] = _path(base, source, name, f" among sources in [{name}] of data/catalog.toml")
        except InputError as missing:
            breaches += missing.breaches
    if breaches:
        raise InputError(*breaches)
    return places


def _package_folder(package, name):
    """The folder of an installed package, of which no code runs."""
    first, *rest = package.split(".")
    try:
        spec = importlib.util.find_spec(first)
    except (ImportError, ValueError):
        spec = None
    for folder in (spec and spec.submodule_search_locations) or ():
        if (found := Path(folder, *rest)).is_dir():
            return found
    raise InputError(f"{name}: the package {package!r} that ships it is not installed; install it")


def digest(place: Path) -> str:
    """SHA-256 of a file's bytes, or of a folder's sorted paths and their hashes."""
    if [place] == (files := sources.files(place)):
        return sha256(place)
    base = place.parent if place.is_file() else place
    return digest_of((f.relative_to(base), sha256(f)) for f in files)


def digest_of(listed: Iterable[tuple[Any, str]]) -> str:
    """SHA-256 of names and hashes, a line each."""
    return hashlib.sha256("\n".join(f"{name} {digest}" for name, digest in listed).encode()).hexdigest()


def sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
