"""Where data lie: the paths of files and folders, and the hashes of what is in them."""

import hashlib
import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crmlab import uris
from crmlab.contracts import InputError, sources
from crmlab.entry import Entry


def of_entry(name: str, entry: Entry, base: Path, listed: str) -> Path | None:
    """The path of an entry's file or folder; None where it is a table on an engine."""
    if entry.sql or (entry.uri and not uris.is_file(entry.uri)):
        return None
    if entry.package:
        base = _package_folder(entry.package, name)
    if not entry.uri:
        return _path(base, entry.path, name, listed)
    place = (base / os.path.expanduser(entry.uri.partition("://")[2])).resolve()
    if not place.is_file():
        raise InputError(f"{name}: there is no file {place}; correct the uri{listed}")
    return place


def _path(base, path, name, listed):
    """Where a path leads. Raises InputError where nothing is, or all that a user has."""
    place = (base / os.path.expanduser(path)).resolve()
    if not os.path.exists(place):
        raise InputError(f"{name}: there is no file or folder {place}; correct the path{listed}")
    if Path.home().resolve().is_relative_to(place):
        raise InputError(f"{name}: {place} is your home folder, or holds it; give the folder of the data{listed}")
    return place


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
    """The folder of an installed package."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"{name}: the package {package!r} that ships it is not installed; install it")
    return Path(spec.submodule_search_locations[0])


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
