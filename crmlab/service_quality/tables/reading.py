"""Survey files as they stand: cells of text, or of whatever the format keeps, nothing guessed or skipped."""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.contracts import InputError

DELIMITERS = ",;\t|"
ENCODINGS = ("utf-8-sig", "gb18030", "latin-1")
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class Raw:
    """A survey file: its cells, numbered from 0, how it was read, and the texts that Stata or SPSS keep for codes."""

    table: pd.DataFrame
    told: dict
    labels: dict = field(default_factory=dict)  # column -> {code: text}
    wording: dict = field(default_factory=dict)  # column -> what was asked


def raw(path, stated, known=()):
    """The cells of a survey file. Raises InputError where there is none, or it cannot be read.

    stated : an instrument's [file]
    known  : names that should be found in it, to tell encodings by
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no survey {path}; correct the path")
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path.name}: this kind of file is not read, only {', '.join(READERS)}; save it as one")
    try:
        read = reader(path, stated, known)
    except InputError:
        raise
    except Exception as problem:  # each format's library raises errors of its own
        reason = str(problem).split("\n")[0].rstrip(".") or type(problem).__name__
        raise InputError(f"{path.name}: cannot be read ({reason}); it may be damaged, write it anew") from None
    names = [text(name) for name in read.table.columns]
    if twice := sorted({name for name in names if names.count(name) > 1 and name}):
        raise InputError(f"{path.name}: its header names {', '.join(map(repr, twice))} more than once; rename one")
    table = read.table.set_axis(names, axis=1)
    kept = table[~_blank(table)]
    if not len(kept):
        raise InputError(f"{path.name}: the file is empty; a survey needs a header and at least two respondents")
    told = read.told | ({"blank rows left out": f"{len(table) - len(kept):,}"} if len(kept) < len(table) else {})
    return Raw(kept, told, read.labels, read.wording)


def _blank(table):
    """Which rows hold nothing; column by column, as the first settles most."""
    blank = np.ones(len(table), dtype=bool)
    for column in table.columns:
        left = np.flatnonzero(blank)
        blank[left] = [not text(cell) for cell in table[column].iloc[left]]
    return blank


def text(cell):
    """A cell as plain text: full-width forms narrowed, blanks trimmed, 7.0 as 7; empty where it holds nothing."""
    if cell is None or cell is pd.NaT or cell is pd.NA or cell != cell:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(unicodedata.normalize("NFKC", str(cell)).split())


def number(cell, decimal="."):
    """A cell as a number; None where it is none."""
    said = text(cell).replace(decimal, ".") if decimal != "." else text(cell)
    if isinstance(cell, bool) or said in ("True", "False"):
        return float(said == "True") if not isinstance(cell, str) else None
    return float(said) if NUMBER.fullmatch(said) else None


def _text_file(path, stated, known):
    content, encoding = _decoded(path, stated.encoding, known)
    first = content.split("\n", 1)[0]
    delimiter = stated.delimiter or max(DELIMITERS, key=re.sub('"[^"]*("|$)', "", first).count)
    if not content.strip():
        raise InputError(f"{path.name}: the file is empty; a survey needs a header and at least two respondents")
    header = next(csv.reader(io.StringIO(content), delimiter=delimiter))
    cells = pd.read_csv(io.StringIO(content), sep=delimiter, header=None, dtype=object, keep_default_na=False)
    names = [name or f"unnamed {i}" for i, name in enumerate(header, 1)]
    table = cells.iloc[1:].reset_index(drop=True).set_axis(names, axis=1)
    return Raw(table, {"encoding": encoding, "delimiter": repr(delimiter)})


def _decoded(path, stated, known):
    """The text of a file, and its encoding: as stated, else the one that reads it and finds most known names."""
    data = path.read_bytes()
    if stated := stated or MARKS.get(data[:2]):
        try:
            return data.decode(stated), stated
        except (UnicodeError, LookupError) as problem:
            raise InputError(f"{path.name}: is not {stated} ({problem}); correct [file] encoding") from None
    read = {}
    for encoding in ENCODINGS:
        try:
            read[encoding] = data.decode(encoding)
        except UnicodeError:
            continue
        if encoding == "utf-8-sig":  # other text is hardly ever UTF-8 by chance
            return read[encoding], "utf-8"
    known = [name for name in known if not name.isascii()]
    even = _comes_in_pairs(data)
    best = max(read, key=lambda e: (sum(name in read[e] for name in known), even == (e == "gb18030")))
    return read[best], best


def _comes_in_pairs(data):
    """Whether most runs of bytes beyond ASCII are of even length, as in Chinese and hardly in European text."""
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", data)]
    return 2 * sum(run % 2 == 0 for run in runs) > len(runs)


def _parquet(path, stated, known):
    return Raw(pd.read_parquet(path).reset_index(drop=True).astype(object), {})


def _excel(path, stated, known):
    sheet = stated.sheet
    cells = pd.read_excel(path, sheet_name=sheet or 0, header=None, dtype=object, keep_default_na=False)
    if not len(cells):
        raise InputError(f"{path.name}: the sheet is empty; a survey needs a header and at least two respondents")
    header = [text(name) or f"unnamed {i}" for i, name in enumerate(cells.iloc[0], 1)]
    return Raw(cells.iloc[1:].reset_index(drop=True).set_axis(header, axis=1), {"sheet": sheet or "the first"})


def _with_value_labels(reader):
    def read(path, stated, known):
        import pyreadstat

        table, meta = getattr(pyreadstat, reader)(str(path), encoding=stated.encoding)
        return Raw(table.astype(object), {}, meta.variable_value_labels, meta.column_names_to_labels)

    return read


READERS = {
    **dict.fromkeys((".csv", ".txt", ".tsv"), _text_file),
    ".parquet": _parquet,
    **dict.fromkeys((".xlsx", ".xlsm"), _excel),
    ".dta": _with_value_labels("read_dta"),
    **dict.fromkeys((".sav", ".zsav"), _with_value_labels("read_sav")),
}
