"""Survey files as they stand: cells of text, or of whatever the format keeps, nothing guessed or skipped."""

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.service_quality.tables.cells import text
from crmlab.service_quality.tables.labelled import Codebook, cells_of

DELIMITERS = ",;\t|"
ENCODINGS = ("utf-8-sig", "gb18030", "latin-1")
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
HEADER_ROWS = 10  # rows among which the header is looked for


@dataclass(frozen=True)
class RawSurvey:
    """A survey file: its cells, numbered from 0, how it was read, and what Stata or SPSS keep on codes."""

    table: pd.DataFrame
    summary: dict
    codebook: Codebook = field(default_factory=Codebook)
    wording: dict = field(default_factory=dict)  # column -> what was asked


def read_cells(path, stated, known=()):
    """The cells of a survey file. Raises InputError where there is none, or it cannot be read.

    stated : an instrument's [file]
    known  : names that should be found in it, to find the encoding by
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
    names = [text(name) or f"unnamed {i}" for i, name in enumerate(read.table.columns, 1)]
    if twice := sorted({name for name in names if names.count(name) > 1 and name}):
        raise InputError(f"{path.name}: its header names {', '.join(map(repr, twice))} more than once; rename one")
    table = read.table.set_axis(names, axis=1)
    kept = table[~_blank(table)]
    if not len(kept):
        raise InputError(f"{path.name}: the file is empty; a survey needs a header and at least two respondents")
    summary = read.summary | ({"blank rows left out": f"{len(table) - len(kept):,}"} if len(kept) < len(table) else {})
    return RawSurvey(kept, summary, read.codebook, read.wording)


def _blank(table):
    """Which rows hold nothing; column by column, as the first settles most."""
    blank = np.ones(len(table), dtype=bool)
    for column in table.columns:
        left = np.flatnonzero(blank)
        blank[left] = [not text(cell) for cell in table[column].iloc[left]]
    return blank


def _text_file(path, stated, known):
    content, encoding = _decoded(path, stated.encoding, known)
    if not content.strip():
        raise InputError(f"{path.name}: the file is empty; a survey needs a header and at least two respondents")
    delimiter = stated.delimiter or _delimiter(content)
    rows = csv.reader(io.StringIO(content), delimiter=delimiter)
    ends, above = [0], []
    for row in rows:
        above.append(row)
        ends.append(rows.line_num)
        if len(above) == HEADER_ROWS:
            break
    at = _header(above)
    held = io.StringIO("\n".join(content.split("\n")[ends[at] :]))
    cells = pd.read_csv(held, sep=delimiter, header=None, dtype=object, keep_default_na=False)
    table = cells.iloc[1:].reset_index(drop=True).set_axis(above[at], axis=1)
    return RawSurvey(table, {"encoding": encoding, "delimiter": repr(delimiter)} | _left_above(at))


def _delimiter(content):
    """What parts the fields of the header, which is the first line that has several."""
    counts = [
        {d: line.count(d) for d in DELIMITERS} for line in re.sub('"[^"]*("|$)', "", content).split("\n", HEADER_ROWS)
    ]
    found = next((held for held in counts if max(held.values()) > 1), counts[0])
    return max(DELIMITERS, key=lambda delimiter: found[delimiter])


def _header(rows):
    """Which of the first rows is the header: the first, but for a title of one cell above a row of three or more."""
    filled = [sum(bool(text(cell)) for cell in row) for row in rows]
    at = next((i for i, count in enumerate(filled) if count > 1), 0)
    return at if filled[at] > 2 else next((i for i, count in enumerate(filled) if count), 0)


def _left_above(at):
    return {"rows above the header, left out": str(at)} if at else {}


def _decoded(path, stated, known):
    """The text of a file, and its encoding: as stated, else the one that reads it and finds most known names."""
    data = path.read_bytes()
    if stated := stated or MARKS.get(data[:2]) or _wide(data):
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
        if encoding == "utf-8-sig":  # other text is hardly ever valid UTF-8
            return read[encoding], "utf-8"
    known = [name for name in known if not name.isascii()]
    even = _comes_in_pairs(data)
    best = max(read, key=lambda e: (sum(name in read[e] for name in known), even == (e == "gb18030")))
    if best == "latin-1" and re.search(rb"[\x80-\x9f]", data):  # control signs there, dashes and quotes in Windows
        return data.decode("cp1252", "replace"), "cp1252"
    return read[best], best


def _wide(data):
    """UTF-16 without its mark, by the zero bytes that other text has not; None for other text."""
    if b"\0" not in data[:200]:
        return None
    return "utf-16-le" if data[1:200:2].count(0) >= data[0:200:2].count(0) else "utf-16-be"


def _comes_in_pairs(data):
    """Whether most runs of bytes beyond ASCII are of even length, as in Chinese and hardly in European text."""
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", data)]
    return 2 * sum(run % 2 == 0 for run in runs) > len(runs)


def _parquet(path, stated, known):
    return RawSurvey(pd.read_parquet(path).reset_index(drop=True).astype(object), {})


def _excel(path, stated, known):
    sheet = stated.sheet
    cells = pd.read_excel(path, sheet_name=sheet or 0, header=None, dtype=object, keep_default_na=False)
    if not len(cells):
        raise InputError(f"{path.name}: the sheet is empty; a survey needs a header and at least two respondents")
    at = _header(cells.iloc[:HEADER_ROWS].to_numpy())
    table = cells.iloc[at + 1 :].reset_index(drop=True).set_axis(cells.iloc[at], axis=1)
    return RawSurvey(table, {"sheet": sheet or "the first"} | _left_above(at))


def _labelled(reader):
    def read(path, stated, known):
        table, codebook, wording, summary = cells_of(reader, path, stated.encoding)
        return RawSurvey(table, summary, codebook, wording)

    return read


READERS = {
    **dict.fromkeys((".csv", ".txt", ".tsv"), _text_file),
    ".parquet": _parquet,
    **dict.fromkeys((".xlsx", ".xlsm"), _excel),
    ".dta": _labelled("read_dta"),
    **dict.fromkeys((".sav", ".zsav"), _labelled("read_sav")),
}
