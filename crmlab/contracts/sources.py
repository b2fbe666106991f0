"""Raw tables: files read as they stand, and tables on engines where they live.

In a file, text stays text, rows are numbered from 1, nothing is guessed or skipped.
"""

import csv
import os
import re
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import duckdb
import ibis
from ibis import _

from crmlab import engines
from crmlab.contracts import FILE, ROW, SHOWN, InputError
from crmlab.contracts.errors import repeated

DELIMITERS = ",;\t|"
SUFFIXES = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".parquet": "parquet"}
OTHER_ENCODING = "state its encoding in data/catalog.toml, such as encoding = 'latin-1'"
FAULTS = {  # DuckDB's names for what is wrong with a line
    "UNQUOTED VALUE": ("a quote is left open, or not doubled,", "correct the quotes"),
    "INVALID ENCODING": ("text is not {encoding}", OTHER_ENCODING),
    "LINE SIZE OVER MAXIMUM": ("a field runs on for 2,000,000 bytes", "look for a quote left open"),
}
RAGGED = ("there are more or fewer than {width} fields", "correct their delimiters or quotes")


def files(place):
    """The files of a data set: itself, or those of a folder, sorted; hidden ones are none of it."""
    if place.is_file():
        return [place]
    found = (f for f in place.rglob("*") if f.is_file() and f.suffix.lower() in SUFFIXES)
    return sorted(f for f in found if not any(part.startswith(".") for part in f.relative_to(place).parts))


def read(place, entry, where):
    """The raw lazy table of a file, a folder, or an engine where `place` is None; with what is wrong with its lines.

    Raises InputError where there is nothing to read.
    """
    if place is None:
        return _on_engine(entry, where), []
    paths = files(place)
    if not paths:
        raise InputError(f"{where}: the folder holds no {', '.join(SUFFIXES)} files; put the log there")
    forms: set = {entry.format or SUFFIXES.get(path.suffix.lower()) for path in paths}
    if None in forms:
        raise InputError(
            f"{where}: this kind of file is not read, only {', '.join(SUFFIXES)}; "
            "save it as one of these, or state its format in data/catalog.toml"
        )
    if len(forms) > 1:
        raise InputError(f"{where}: the folder holds both CSV and Parquet files; keep one kind")
    return READERS[forms.pop()](place, paths, entry, where)


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, by its ending."""
    return SUFFIXES.get(path.suffix.lower()) == "parquet"


@contextmanager
def raise_input_errors(where, place):
    """Within it, what an engine cannot read of `place`, None for a table of its own, is an InputError."""
    unreadable = (duckdb.Error, UnicodeError, csv.Error, OSError) if place else Exception  # engines have their own
    try:
        yield
    except InputError:
        raise
    except unreadable as problem:
        reason = re.sub(r"^[\w ]+ Error: ", "", str(problem).split("\n")[0])
        if place is None:
            remedy = "store times as dates or timestamps, and amounts as numbers"
        elif isinstance(problem, UnicodeError):
            remedy = OTHER_ENCODING
        elif reason.endswith(" encoded"):  # as DuckDB says it
            remedy = "save it as UTF-8, or state its encoding in data/catalog.toml"
        else:
            reason = reason.replace(f"{place.parent}/", "")
            remedy = "it may be damaged, have mixed line ends, or not be what its name says; write it anew"
        raise InputError(f"{where}: cannot be read ({reason.rstrip('.')}); {remedy}") from None


def _on_engine(entry, where):
    try:
        return engines.connect(entry.uri).table(entry.table)
    except Exception as problem:  # each engine raises errors of its own
        reason = f"{type(problem).__name__}: {problem}".split("\n")[0].replace(os.path.expandvars(entry.uri), entry.uri)
        raise InputError(
            f"{where}: no table {entry.table!r} at {entry.uri} ({reason}); correct uri or table in data/catalog.toml"
        ) from None


def _parquet(place, paths, entry, where):
    folder = {"filename": FILE} if place.is_dir() else {}
    # by name, so that a column which is whole numbers in one file and not in the next fits both
    raw = engines.connect().read_parquet([str(p) for p in paths], union_by_name=True, file_row_number=True, **folder)
    # DuckDB's times with an offset by the nanosecond, which Ibis does not know
    fine = [name for name, kind in raw.schema().items() if "TIMESTAMPTZ_NS" in str(kind)]
    known = {name: raw[name].cast("timestamp('UTC')") for name in fine}
    rows = raw.mutate(**known, **{ROW: raw.file_row_number + 1}).drop("file_row_number")
    return _relative(rows, place), []


def _csv(place, paths, entry, where):
    names, delimiter = _header(paths[0], entry, where)
    unlike = [path for path in paths[1:] if _header(path, entry, where) != (names, delimiter)]
    if unlike:
        raise InputError(
            f"{where}: the header of {paths[0].name} is not that of {len(unlike):,} of {len(paths):,} files "
            f"(first: {', '.join(path.name for path in unlike[:SHOWN])}); give all the same columns in the same order"
        )
    return _text_table(
        place, paths, where, columns=dict.fromkeys(names, "VARCHAR"), delim=delimiter, quote='"', escape='"',
        header=entry.header is None, skip=entry.skip, encoding=entry.encoding,
    )  # fmt: skip


def _header(path, entry, where):
    """Column names and delimiter, from the catalog or the first line of the file."""
    with path.open(encoding={"utf-8": "utf-8-sig"}.get(entry.encoding, entry.encoding), newline="") as stream:
        for _skipped in range(entry.skip):
            stream.readline()
        first = stream.readline()
        delimiter = entry.delimiter or max(DELIMITERS, key=re.sub('"[^"]*("|$)', "", first).count)
        if entry.header:
            return list(entry.header), delimiter
        names = next(csv.reader(chain([first], stream), delimiter=delimiter), [])
    if not any(names):
        state = "the file is empty" if not first else "the line where its header should be is empty"
        raise InputError(f"{where}: {state}; begin {path.name} with the names of its columns")
    names = [name or f"unnamed {i}" for i, name in enumerate(names, 1)]
    if twice := repeated(names):
        raise InputError(f"{where}: its header names {', '.join(map(repr, twice))} more than once; rename all but one")
    return names, delimiter


def _whitespace(place, paths, entry, where):
    """Columns parted by any run of blanks; `header` names them."""
    width = len(entry.header)
    lines, faults = _text_table(
        place, paths, where, columns={"line": "VARCHAR"}, delim="\x01", quote="", escape="",
        header=False, skip=entry.skip, encoding=entry.encoding,
    )  # fmt: skip
    stand = [name for name in (FILE, ROW) if name in lines.columns]
    parts = lines.filter(_.line.strip() != "").select(*stand, parts=_.line.strip().re_split(r"\s+"))
    wrong = parts.filter(parts.parts.length() != width).mutate(line=parts[ROW] + entry.skip)
    faults += _breach(wrong, where, *RAGGED, width=width)
    fields = parts.select(*stand, **{name: parts.parts[i] for i, name in enumerate(entry.header)})
    return engines.connect().create_table(ibis.util.gen_name("log"), fields, temp=True), faults


def _text_table(place, paths, where, **options):
    """The rows of text files as VARCHAR columns of a table, parsed once, with what is wrong with their lines."""
    engine = engines.connect()
    name = ibis.util.gen_name("log")
    rejects = {"store_rejects": True, "rejects_table": f"{name}_bad", "rejects_scan": f"{name}_scan"}
    folder = {"filename": FILE} if place.is_dir() else {}
    raw = engine.read_csv([str(p) for p in paths], auto_detect=False, comment="", **options, **rejects, **folder)
    table = engine.create_table(name, _relative(raw.mutate(**{ROW: ibis.row_number() + 1}), place), temp=True)
    bad = engine.table(f"{name}_bad")
    if folder:
        table = table.mutate(**{ROW: table[ROW] - table[ROW].min().over(group_by=FILE) + 1})
    if not bad.count().execute():
        return table, []
    if folder:
        scanned = engine.table(f"{name}_scan").select("file_id", **{FILE: "file_path"})
        bad = _relative(bad.inner_join(scanned, "file_id"), place)
    details = {"width": len(options["columns"]), "encoding": options["encoding"]}
    faults = _breach(bad.filter(~bad.error_type.isin([*FAULTS])), where, *RAGGED, **details)
    for kind, (message, remedy) in FAULTS.items():
        faults += _breach(bad.filter(bad.error_type == kind), where, message, remedy, **details)
    return table, faults


def _relative(rows, place):
    """`rows`, their files named from the folder `place`."""
    return rows.mutate(**{FILE: rows[FILE].replace(f"{place}/", "")}) if FILE in rows.columns else rows


def _breach(bad, where, message, remedy, **details):
    """What is wrong with lines: one breach, or none."""
    stand = [name for name in (FILE, "line") if name in bad.columns]
    lines = bad.select(*stand).distinct()
    count = lines.count().execute()
    if not count:
        return []
    first = lines.order_by(*stand).limit(SHOWN).execute()
    listed = "; ".join(" ".join([*line[:-1], f"line {line[-1]:,}"]) for line in first.itertuples(index=False))
    number = "1 line" if count == 1 else f"{count:,} lines"
    return [f"{where}: {message.format(**details)} in {number} (first: {listed}); {remedy}"]


READERS = {"csv": _csv, "parquet": _parquet, "whitespace": _whitespace}
