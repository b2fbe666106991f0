"""Raw tables: files read as they stand, and tables on engines where they live.

Text stays text, rows are numbered from 1, nothing is guessed or skipped. Rows of CSV are numbered without blank lines,
those of a sheet as they lie below its header.
"""

import csv
import re
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import ibis
import pandas as pd

from crmlab import engines, uris
from crmlab.contracts import (
    CONTRACTS,
    FILE,
    ROW,
    SHOWN,
    InputError,
    cells,
    databases,
    infer_contract,
    packed,
    statistical,
    textfiles,
    workbooks,
)
from crmlab.contracts.expressions import column_names

KINDS = {
    ".csv": "csv", ".txt": "csv", ".tsv": "csv", ".parquet": "parquet", ".xlsx": "excel", ".xlsm": "excel",
    ".dta": "stata", ".sav": "spss", ".zsav": "spss",
}  # fmt: skip
SUFFIXES = {**KINDS, ".gz": None, ".zip": None, ".xls": "old"}  # what may lie in a folder of data
NAMES = {
    "csv": "CSV",
    "parquet": "Parquet",
    "whitespace": "text",
    "excel": "Excel",
    "stata": "Stata",
    "spss": "SPSS",
    "old": "old Excel",
}
READ = ", ".join([*KINDS, *packed.PACKED])
DATABASES = (".db", ".duckdb", ".sqlite", ".sqlite3")
LISTED = "in data/catalog.toml"  # where messages say that files are described


def files(place):
    """The files of a data set: itself, with a database's log of changes, or those of a folder; hidden ones are none."""
    if place.is_file():
        logs = (place.with_name(f"{place.name}{end}") for end in ("-wal", ".wal"))
        return [place, *(log for log in logs if log.is_file() and log.stat().st_size)]
    found = (f for f in place.rglob("*") if f.is_file() and f.suffix.lower() in SUFFIXES)
    return sorted(f for f in found if not any(p.startswith((".", "~$")) for p in f.relative_to(place).parts))


def read(place, entry, where, contract=None):
    """The raw lazy table of a file, a folder, or an engine, there without a `place`; with what is wrong with its lines,
    and how it was read, in words.

    contract : the one that its columns are to keep, by which those used are known; None where they tell it
    Raises InputError where there is nothing to read.
    """
    if entry.uri:
        return _in_database(place, entry, where), [], {}
    held = [_held(path, place, entry, where) for path in files(place)]
    if not held:
        raise InputError(f"{where}: the folder holds no {READ} files; put the log there")
    kinds = {entry.format or kind_of(file, LISTED) for file in held}
    if len(kinds) > 1:
        found = sorted(NAMES[kind] for kind in kinds)
        raise InputError(f"{where}: the folder holds both {', '.join(found[:-1])} and {found[-1]} files; keep one kind")
    kind = kinds.pop()
    check_sheet(entry.sheet, kind, where)
    with temporary_folder() as temporary:
        raw, faults, found = READERS[kind](held, place if place.is_dir() else None, entry, where, contract, temporary)
    members = [file.member for file in held if file.path.suffix.lower() == ".zip"]
    return raw, faults, _described(kind, found, members)


def _described(kind, found, members):
    """How files were read, in words; nothing where that is as their kind has it."""
    parts = [NAMES[kind], *(f"{what} {found[what]}" for what in ("sheet", "delimiter") if what in found)]
    parts += [f"{', '.join(map(repr, members[:SHOWN]))} of an archive"] if members else []
    plain = found.get("encoding") == "utf-8"
    if kind in ("parquet", "whitespace") and not members and (plain or kind == "parquet"):
        return {}
    if plain:
        return {"file": f"{parts[0]} in utf-8, {', '.join(parts[1:])}".rstrip(", ")}
    more = {name: words for name, words in found.items() if name not in ("sheet", "delimiter")}
    return {"file": ", ".join(parts)} | more


def _held(path, place, entry, where):
    """A file of a data set. Raises InputError for an archive of several of which none is named."""
    name = str(path.relative_to(place)) if path != place else path.name
    called = where if path == place else f"{where}: {name}"
    return textfiles.File(path, name, packed.inner(path, entry.member, called), called)


def kind_of(file, listed):
    """The kind of a file, by its ending, or by that of what is packed in it; a .gz without one holds CSV.

    Raises InputError for a kind that is not read.
    """
    suffix = Path(file.member).suffix.lower()
    kind = SUFFIXES.get(suffix) or ("csv" if file.path.suffix.lower() == ".gz" and not suffix else None)
    if kind == "old":
        raise InputError(f"{file.where}: is an old workbook of Excel (.xls); save it as .xlsx")
    if suffix in DATABASES:
        advice = "give its uri and a table of it, as uri = 'sqlite://shop.sqlite' or 'duckdb://shop.duckdb'"
        raise InputError(f"{file.where}: a database holds several tables; {advice}, table = 'orders'")
    if kind is None:
        raise InputError(
            f"{file.where}: this kind of file is not read, only {READ}; save it as one of these, or state its format "
            f"{listed}"
        )
    return kind


def check_sheet(sheet, kind, where):
    """Raises InputError where a sheet is stated of what has none."""
    if sheet and kind != "excel":
        raise InputError(f"{where}: is no workbook of Excel, so that it has no sheet {sheet!r}; leave sheet out")


@contextmanager
def temporary_folder():
    """A folder that is removed; messages of DuckDB name files without it."""
    with TemporaryDirectory(prefix="crmlab_") as folder:
        try:
            yield Path(folder)
        except duckdb.Error as problem:
            raise type(problem)(str(problem).replace(f"{folder}/", "").replace(textfiles.UTF8, "")) from None


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, by its ending."""
    return KINDS.get(path.suffix.lower()) == "parquet"


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
            reason, remedy = engines.failure(problem)
        else:
            reason = reason.replace(f"{place.parent}/", "")
            remedy = "it may be damaged, have mixed line ends, or not be what its name says; write it anew"
        raise InputError(f"{where}: cannot be read ({reason.rstrip('.')}); {remedy}") from None


def reached(entry, where):
    """The URI of an entry on an engine, its variables filled in, once the engine is reached; None of other entries."""
    if entry.uri is None or uris.is_file(entry.uri):
        return None
    with _at(entry, where):
        engines.connect(entry.uri)
        return uris.expand(entry.uri)


def _in_database(place, entry, where):
    """The lazy table of a database file, or of an engine where `place` is None."""
    with _at(entry, where):
        if place is None:
            return engines.table(engines.connect(entry.uri), entry.table)
        if entry.uri.startswith("sqlite"):
            return databases.read_sqlite(place, entry.table)
        return engines.table(engines.connect(), entry.table, engines.attach(place))


@contextmanager
def _at(entry, where):
    """Within it, an InputError says of which data it is, and where these lie."""
    try:
        yield
    except InputError as wrong:
        at = uris.shown(entry.uri)
        raise InputError(*(f"{where} ({at}): {breach}" for breach in wrong.breaches)) from None


def _layout(entry, contract):
    """How a text file holds its table, as an entry says it."""
    return textfiles.Layout(
        entry.skip, entry.header, entry.delimiter, lambda names: _used(names, entry, contract), _stated(entry)
    )


def _used(names, entry, contract):
    """The numbers of the columns that a contract uses: all where it keeps the others too."""
    contract = CONTRACTS[contract or infer_contract(names)]
    used = {entry.columns.get(column.name, column.name) for column in contract.columns} | _stated(entry)
    return [i for i, name in enumerate(names) if contract.attributes or name in used]


def _stated(entry):
    """The names of columns that an entry states, those in its expressions included."""
    expressions = [*entry.columns.values(), *([entry.where] if entry.where else [])]
    named = [name for text in expressions for name in column_names(text)]
    return {*entry.columns.values(), *named}


def _csv(held, folder, entry, where, contract, temporary):
    return textfiles.read_csv(held, folder, where, _layout(entry, contract), entry.encoding, LISTED, temporary)


def _whitespace(held, folder, entry, where, contract, temporary):
    return textfiles.read_whitespace(held, folder, where, _layout(entry, contract), entry.encoding, LISTED, temporary)


def _parquet(held, folder, entry, where, contract, temporary):
    return read_parquet(held, temporary, folder), [], {}


def read_parquet(held, temporary, folder=None):
    """The rows of Parquet files, which are named where they lie in a folder; `temporary` takes what is unpacked."""
    paths = [packed.unpack(file.path, file.member, file.where, temporary) for file in held]
    named = {"filename": FILE} if folder else {}
    # by name, so that a column which is whole numbers in one file and not in the next fits both
    raw = engines.connect().read_parquet([str(p) for p in paths], union_by_name=True, file_row_number=True, **named)
    # DuckDB's times with an offset by the nanosecond, which Ibis does not know
    fine = [name for name, kind in raw.schema().items() if "TIMESTAMPTZ_NS" in str(kind)]
    known = {name: raw[name].cast("timestamp('UTC')") for name in fine}
    rows = raw.mutate(**known, **{ROW: raw.file_row_number + 1}).drop("file_row_number")
    if folder:
        rows = textfiles.relative(rows, [folder, temporary])
    if paths != [file.path for file in held]:  # copies, which are removed
        rows = engines.connect().create_table(ibis.util.gen_name("log"), rows, temp=True)
    return rows


def _excel(held, folder, entry, where, contract, temporary):
    parts, sheets, blank = [], [], 0
    for file in held:
        path = packed.unpack(file.path, file.member, file.where, temporary)
        rows, sheet = workbooks.read_sheet(path, entry.sheet, file.where, LISTED)
        names, rows = cells.headed(rows[entry.skip :], entry.header, file.where)
        kept = {number: row for number, row in enumerate(rows, 1) if not workbooks.is_blank(row)}
        sheets, blank = [*sheets, sheet], blank + len(rows) - len(kept)
        parts.append(pd.DataFrame([*kept.values()], index=[*kept], columns=names, dtype=object))
    found = {"sheet": ", ".join(map(repr, dict.fromkeys(sheets)))}
    return (
        cells.raw_table(parts, held, folder, entry.decimal, where),
        [],
        found | _counted("blank rows left out", blank),
    )


def _codes(held, folder, entry, where, contract, temporary):
    parts, reasons, missing, layout = [], [], 0, _layout(entry, contract)
    for file in held:
        path = packed.unpack(file.path, file.member, file.where, temporary)
        table, count, encoding = statistical.read_known(path, entry.encoding, file.where, layout, LISTED)
        missing, reasons = missing + count, [*reasons, encoding] if encoding else reasons
        parts.append(table.set_axis(range(1, len(table) + 1)))
    found = {"encoding": "; ".join(dict.fromkeys(reasons))} if reasons else {}
    found |= _counted("cells declared missing in the file, left empty", missing)
    return cells.raw_table(parts, held, folder, entry.decimal, where), [], found


def _counted(what, count):
    return {what: f"{count:,}"} if count else {}


READERS = {
    "csv": _csv,
    "whitespace": _whitespace,
    "parquet": _parquet,
    "excel": _excel,
    "stata": _codes,
    "spss": _codes,
}
