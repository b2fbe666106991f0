"""Whether the data that a run read are there still, and read now as they were then."""

from crmlab import catalog, files
from crmlab.contracts import InputError
from crmlab.places import sha256
from crmlab.reports.manifest import Manifest, Source


def condition(run: Manifest, source: Source) -> str | None:
    """The condition by which a run narrowed data; None where it took all rows that the catalog gives.

    Raises InputError where the catalog reads them otherwise now.
    """
    _, entry, _ = catalog.find(run.parameters[source.parameter])
    now, then = entry.model_dump(mode="json", exclude_defaults=True), dict(source.entry)
    general, narrowed = now.pop("where", None), then.pop("where", None)
    if now == then and narrowed == general:
        return None
    if now == then and narrowed is not None:
        if general is None:
            return narrowed
        begin = f"({general}) AND ("
        if narrowed.startswith(begin) and narrowed.endswith(")"):
            return narrowed[len(begin) : -1]
    raise InputError(f"the catalog reads {source.name} otherwise now")


def is_there(run: Manifest, source: Source) -> bool:
    """Whether data are what a run read, read as it read them."""
    try:
        condition(run, source)
        return source.sha256 is not None and catalog.fingerprint(run.parameters[source.parameter]) == source.sha256
    except (InputError, OSError):
        return False


def is_file(run: Manifest, name: str) -> bool:
    """Whether the file that a parameter names is what a run read."""
    try:
        return sha256(files.path(run.parameters[name])) == run.files[name]
    except (InputError, OSError):
        return False
