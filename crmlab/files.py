"""Files that a notebook reads besides data sets: a survey, an instrument, a playbook."""

from pathlib import Path
from typing import NewType

from crmlab import catalog, places
from crmlab.contracts import InputError

File = NewType("File", str)  # annotates a notebook parameter that names a file


def path(file: str | Path) -> Path:
    """Where a file is: a path from the working folder or, failing that, from the project's. Raises InputError."""
    given = Path(file).expanduser()
    for found in (given, catalog.root() / given):
        if found.is_file():
            return places.held(places.resolved(found))
    raise InputError(f"there is no file {file}; give its path, from here or from the project's folder")


def portable_path(file: str | Path) -> str:
    """The same file as text that holds from anywhere: relative to the project's folder where it lies within."""
    found = places.original(path(file))
    return str(found.relative_to(catalog.root()) if found.is_relative_to(catalog.root()) else found)
