"""Files as bytes: plain ones, those compressed as .gz, and the one that a .zip archive holds."""

import gzip
import lzma
import shutil
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from crmlab.contracts import SHOWN, InputError, suggest

PACKED = (".gz", ".zip")
DAMAGED = "it may be damaged or cut off, write it anew"
KINDS = {  # how files begin -> what they are, and the ending to give them
    b"PK\x03\x04": ("a workbook of Excel or a zip archive", "the ending .xlsx or .zip"),
    b"PK\x05\x06": ("an empty zip archive", "a file that holds data"),
    b"\xd0\xcf\x11\xe0": ("an old workbook of Excel, or one with a password", "a workbook saved as .xlsx without one"),
    b"PAR1": ("Parquet", "the ending .parquet"),
    b"\x1f\x8b": ("compressed by gzip", "the ending .csv.gz"),
    b"$FL2": ("a file of SPSS", "the ending .sav"),
    b"$FL3": ("a file of SPSS", "the ending .zsav"),
    b"<stata_dta>": ("a file of Stata", "the ending .dta"),
}


def inner(path, member, where):
    """The name of the file that `path` holds: its own, that without .gz, or that of the one in a .zip archive.

    Raises InputError for an archive that holds none, or several of which `member` names none.
    """
    if member and path.suffix.lower() != ".zip":
        raise InputError(f"{where}: is no .zip archive, so that it has no member {member!r}; leave member out")
    if path.suffix.lower() != ".zip":
        return path.stem if path.suffix.lower() == ".gz" else path.name
    with _reasons(where), zipfile.ZipFile(path) as archive:
        held = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    names = sorted(name for name in held if not _is_hidden(name))
    listed = ", ".join(map(repr, names[:SHOWN])) + (", …" if len(names) > SHOWN else "")
    if not names:
        raise InputError(f"{where}: the archive holds no file; put the file of the data into it")
    if member is None and len(names) > 1:
        raise InputError(
            f"{where}: the archive holds {len(names):,} files, {listed}; name one, as member = {names[0]!r}"
        )
    if member not in (None, *names):
        advice = suggest(member, names, f"name one, as member = {names[0]!r}")
        raise InputError(f"{where}: the archive has no member {member!r}, it holds {listed}; {advice}")
    name = member or names[0]
    if held[name].flag_bits & 1:
        raise InputError(f"{where}: the archive is protected by a password; save it without one")
    return name


@contextmanager
def opened(path, member, where):
    """The bytes of a file, of what is compressed in it, or of a member of an archive, as a stream."""
    with _reasons(where):
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
                yield stream
        else:
            with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
                yield stream


def unpack(path, member, where, folder):
    """The path of a plain file with what `path` holds: itself, or a copy in `folder`."""
    if path.suffix.lower() not in PACKED:
        return path
    copy = folder / f"{len(list(folder.iterdir()))}{Path(member).suffix.lower()}"
    with opened(path, member, where) as packed, copy.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return copy


def kind_of(head):
    """What a file that begins with these bytes is, and what to give it or to give in its place; None for text."""
    return next((kind for mark, kind in KINDS.items() if head.startswith(mark)), None)


def _is_hidden(name):
    """Whether a member is none of the user's, as those that macOS adds are not."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


@contextmanager
def _reasons(where):
    """Within it, what makes a file no whole archive is an InputError."""
    try:
        yield
    except InputError:
        raise
    except NotImplementedError:  # zipfile cannot unpack it, as Deflate64, which some programs use for large files
        method = "is packed by a method that is not read"
        raise InputError(f"{where}: {method}; pack it anew as an ordinary .zip, or as .gz") from None
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile) as problem:
        raise InputError(f"{where}: cannot be read ({str(problem).rstrip('.')}); {DAMAGED}") from None
