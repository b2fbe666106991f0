"""Tables of text files: CSV of any delimiter, or columns parted by blanks; packed or not, in any encoding."""

import csv
import io
import re
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import ibis
from ibis import _

from crmlab import engines
from crmlab.contracts import FILE, ROW, SHOWN, InputError, cells, encodings, formulas, packed

DELIMITERS = ",;\t|"
UTF8 = ".utf-8"  # ending of copies in UTF-8, which DuckDB takes for no compressed file
FAULTS = {  # DuckDB's names for what is wrong with a line
    "UNQUOTED VALUE": ("a quote is left open, or not doubled,", "correct the quotes"),
    "LINE SIZE OVER MAXIMUM": ("a field runs on for 2,000,000 bytes", "look for a quote left open"),
}
RAGGED = ("there are more or fewer than {width} fields", "correct their delimiters or quotes")


@dataclass(frozen=True)
class Layout:
    """How a text file holds its table, and which of it is used.

    skip      : lines above the header; a function of the file's text finds them
    header    : names for a file that has no header line
    delimiter : else found in the header
    used      : names of columns -> the numbers of those that are used
    names     : that should be found in it, by which encodings are distinguished
    whole     : whether a line is one field
    """

    skip: int | Callable = 0
    header: tuple[str, ...] | None = None
    delimiter: str | None = None
    used: Callable[[list[str]], Iterable[int]] = lambda names: range(len(names))
    names: Iterable[str] = field(default=())
    whole: bool = False

    def rows(self, text):
        """The rows of a text, as lists of fields; the first is the header where `header` names none."""
        _skip, delimiter, first = self.begin(text)
        lines = chain([first], text)
        yield from ([line] for line in lines) if self.whole else csv.reader(lines, delimiter=delimiter)

    def begin(self, text):
        """How many lines are skipped, the delimiter, and the line after those, in a text that is open at its begin."""
        skip = self.skip(text) if callable(self.skip) else self.skip
        if callable(self.skip):
            text.seek(0)
        for _skipped in range(skip):
            text.readline()
        first = text.readline()
        return skip, self.delimiter or max(DELIMITERS, key=re.sub('"[^"]*("|$)', "", first).count), first


@dataclass(frozen=True)
class File:
    """A file to read: its path, the name of it in a folder, the member of an archive, and what messages call it."""

    path: Path
    name: str
    member: str
    where: str

    def stream(self):
        """Its bytes, unpacked, to read within a `with`."""
        return packed.opened(self.path, self.member, self.where)


def read_csv(files, folder, where, layout, encoding, listed, temporary):
    """The rows of CSV files as text, what is wrong with their lines, and how they were read.

    folder    : what their names are in, or None for one file
    encoding  : as stated, or None
    listed    : where one states how a file is read, as messages say it
    temporary : folder for copies in UTF-8
    """
    sources, reasons = _in_utf8(files, layout, encoding, listed, temporary)
    skip, names, delimiter = _header(files[0], layout, reasons[0])
    unlike = [file for file, reason in zip(files, reasons, strict=True)
              if _header(file, layout, reason) != (skip, names, delimiter)]  # fmt: skip
    if unlike:
        raise InputError(
            f"{where}: the header of {Path(files[0].name).name} is not that of {len(unlike):,} of {len(files):,} files "
            f"(first: {', '.join(Path(file.name).name for file in unlike[:SHOWN])}); give all the same columns in the "
            "same order"
        )
    table, faults = _text_table(
        sources, [folder, temporary], where, columns=dict.fromkeys(names, "VARCHAR"), delim=delimiter, quote='"',
        escape='"', header=not layout.header, skip=skip,
    )  # fmt: skip
    if all(formulas.are_plain(file.path) for file in files):
        changed = {name: _as_it_was(table[name]) for name in table.columns if name not in (FILE, ROW)}
        table = table.mutate(**changed)
    above = {"rows above the header, left out": f"{skip:,}"} if skip else {}
    return table, faults, {"encoding": _joined(reasons), "delimiter": repr(delimiter)} | above


def read_whitespace(files, folder, where, layout, encoding, listed, temporary):
    """The same of files whose columns are parted by any run of blanks; the layout's `header` names them."""
    width = len(layout.header)
    lines_only = Layout(layout.skip, ("line",), whole=True)
    sources, reasons = _in_utf8(files, lines_only, encoding, listed, temporary)
    lines, faults = _text_table(
        sources, [folder, temporary], where, columns={"line": "VARCHAR"}, delim="\x01", quote="", escape="",
        header=False, skip=layout.skip,
    )  # fmt: skip
    stand = [name for name in (FILE, ROW) if name in lines.columns]
    parts = lines.filter(_.line.strip() != "").select(*stand, parts=_.line.strip().re_split(r"\s+"))
    wrong = parts.filter(parts.parts.length() != width).mutate(line=parts[ROW] + layout.skip)
    faults += _breach(wrong, where, *RAGGED, width=width)
    fields = parts.select(*stand, **{name: parts.parts[i] for i, name in enumerate(layout.header)})
    table = engines.connect().create_table(ibis.util.gen_name("log"), fields, temp=True)
    return table, faults, {"encoding": _joined(reasons)}


def _as_it_was(column):
    """Text of a run's table as it was before an apostrophe was put there."""
    return column.re_search(formulas.RISKY).ifelse(column.substr(1), column)


def _joined(reasons):
    return "; ".join(dict.fromkeys(words for _encoding, words in reasons))


def _in_utf8(files, layout, stated, listed, temporary):
    """The paths of the files in UTF-8, plain or compressed by gzip, copies where they are none; encodings and reasons.

    Raises InputError with all that is wrong with their encodings.
    """
    sources, reasons, breaches = [], [], []
    for file in files:
        try:
            _check_text(file)
            reasons.append(encodings.find(file.stream, stated, listed, file.where, layout))
        except InputError as wrong:
            breaches += wrong.breaches
    if breaches:
        raise InputError(*breaches)
    for file, (encoding, _words) in zip(files, reasons, strict=True):
        if encodings.is_utf8(encoding) and file.path.suffix.lower() != ".zip":
            sources.append(file.path)
            continue
        copy = temporary / f"{file.name}{UTF8}"
        copy.parent.mkdir(parents=True, exist_ok=True)
        with file.stream() as stream, copy.open("w", encoding="utf-8", newline="") as plain:
            plain.writelines(encodings.decoded(stream, encoding))
        sources.append(copy)
    return sources, reasons


def _check_text(file):
    """Raises InputError for a file that is none of text, whatever its name says."""
    with file.stream() as stream:
        kind = packed.kind_of(stream.read(16))
    if kind:
        raise InputError(f"{file.where}: is no text, but {kind[0]}; give it {kind[1]}")


@contextmanager
def _text(file, encoding):
    with file.stream() as stream:
        yield io.TextIOWrapper(stream, "utf-8-sig" if encodings.is_utf8(encoding) else encoding, newline="")


def _header(file, layout, reason):
    """How many lines are skipped, column names and delimiter, from the layout or the first line of the file."""
    with _text(file, reason[0]) as stream:
        skip, delimiter, first = layout.begin(stream)
        if layout.header:
            return skip, list(layout.header), delimiter
        names = next(csv.reader(chain([first], stream), delimiter=delimiter), [])
    if not any(names):
        state = "the file is empty" if not first else "the line where its header should be is empty"
        raise InputError(f"{file.where}: {state}; begin {Path(file.name).name} with the names of its columns")
    return skip, cells.named(names, file.where), delimiter


def _text_table(sources, folders, where, **options):
    """The rows of text files as VARCHAR columns of a table, parsed once, with what is wrong with their lines."""
    engine = engines.connect()
    name = ibis.util.gen_name("log")
    rejects = {"store_rejects": True, "rejects_table": f"{name}_bad", "rejects_scan": f"{name}_scan"}
    folder = {"filename": FILE} if folders[0] else {}
    raw = engine.read_csv(
        [str(p) for p in sources], auto_detect=False, comment="", encoding="utf-8", **options, **rejects, **folder
    )
    table = engine.create_table(name, relative(raw.mutate(**{ROW: ibis.row_number() + 1}), folders), temp=True)
    bad = engine.table(f"{name}_bad")
    if folder:
        table = table.mutate(**{ROW: table[ROW] - table[ROW].min().over(group_by=FILE) + 1})
    if not bad.count().execute():
        return table, []
    if folder:
        scanned = engine.table(f"{name}_scan").select("file_id", **{FILE: "file_path"})
        bad = relative(bad.inner_join(scanned, "file_id"), folders)
    details = {"width": len(options["columns"])}
    faults = _breach(bad.filter(~bad.error_type.isin([*FAULTS])), where, *RAGGED, **details)
    for kind, (message, remedy) in FAULTS.items():
        faults += _breach(bad.filter(bad.error_type == kind), where, message, remedy, **details)
    return table, faults


def relative(rows, folders):
    """`rows`, their files named from the folders that they lie in."""
    if FILE not in rows.columns:
        return rows
    name = rows[FILE]
    for folder in folders:
        name = name.replace(f"{folder}/", "")
    return rows.mutate(**{FILE: name.re_replace(rf"\{UTF8}$", "")})


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
