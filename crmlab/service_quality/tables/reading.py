"""Survey files as they stand: cells of text, or of whatever the format keeps, nothing guessed or skipped.

Files are read as those of every contract are; a survey may have a title above its header, and codes with labels.
"""

import csv
import re
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from crmlab.contracts import ROW, InputError, packed, sources, textfiles, workbooks
from crmlab.service_quality.tables.cells import text
from crmlab.service_quality.tables.labelled import Codebook, cells_of

LISTED = "under [file] in the instrument"
HEADER_ROWS = 10  # rows among which the header is looked for
HEADER_LINES = 100  # lines that these take at most


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
    file = textfiles.File(path, path.name, packed.inner(path, stated.member, path.name), path.name)
    kind = sources.kind_of(file, LISTED)
    sources.check_sheet(stated.sheet, kind, path.name)
    with sources.raise_input_errors(path.name, path), sources.temporary_folder() as folder:
        read = READERS[kind](file, stated, [*known], folder)
    names = [text(name) or f"unnamed {i}" for i, name in enumerate(read.table.columns, 1)]
    if twice := sorted({name for name in names if names.count(name) > 1 and name}):
        raise InputError(f"{path.name}: its header names {', '.join(map(repr, twice))} more than once; rename one")
    table = read.table.set_axis(names, axis=1)
    kept = table[~_blank(table)]
    if not len(kept):
        raise InputError(f"{path.name}: the file is empty; a survey needs a header and at least two respondents")
    summary = (
        read.summary
        | _member(file)
        | ({"blank rows left out": f"{len(table) - len(kept):,}"} if len(kept) < len(table) else {})
    )
    return RawSurvey(kept, summary, read.codebook, read.wording)


def _member(file):
    return {"member": file.member} if file.path.suffix.lower() == ".zip" else {}


def _blank(table):
    """Which rows hold nothing; column by column, as the first settles most."""
    blank = np.ones(len(table), dtype=bool)
    for column in table.columns:
        left = np.flatnonzero(blank)
        blank[left] = [not text(cell) for cell in table[column].iloc[left]]
    return blank


def _text_file(file, stated, known, temporary):
    layout = _layout(stated, known)
    raw, faults, found = textfiles.read_csv([file], None, file.where, layout, stated.encoding, LISTED, temporary)
    if faults:
        raise InputError(*faults)
    return RawSurvey(raw.order_by(ROW).drop(ROW).execute().astype(object), found)


def _layout(stated, known):
    """How a text file holds a survey, of which the columns that are known are used, or all where none is."""
    names = {text(name) for name in known}
    return textfiles.Layout(
        skip=partial(_lines_above, stated.delimiter),
        delimiter=stated.delimiter,
        used=lambda header: [i for i, name in enumerate(header) if not names or text(name) in names],
        names=known,
    )


def _lines_above(delimiter, stream):
    """How many lines of a text lie above the header."""
    lines = [*islice(iter(stream.readline, ""), HEADER_LINES)]
    rows = csv.reader(lines, delimiter=delimiter or _delimiter(lines))
    ends, above = [0], []
    for row in islice(rows, HEADER_ROWS):
        above.append(row)
        ends.append(rows.line_num)
    return ends[_header(above)] if above else 0


def _delimiter(lines):
    """What parts the fields of the header, which is the first line that has several."""
    counts = [
        {d: line.count(d) for d in textfiles.DELIMITERS}
        for line in re.sub('"[^"]*("|$)', "", "".join(lines)).split("\n")
    ]
    found = next((held for held in counts if max(held.values()) > 1), counts[0])
    return max(textfiles.DELIMITERS, key=lambda delimiter: found[delimiter])


def _header(rows):
    """Which of the first rows is the header: the first, but for a title of one cell above a row of three or more."""
    filled = [sum(bool(text(cell)) for cell in row) for row in rows]
    at = next((i for i, count in enumerate(filled) if count > 1), 0)
    return at if filled[at] > 2 else next((i for i, count in enumerate(filled) if count), 0)


def _left_above(at):
    return {"rows above the header, left out": str(at)} if at else {}


def _parquet(file, stated, known, temporary):
    return RawSurvey(sources.read_parquet([file], temporary).order_by(ROW).drop(ROW).execute().astype(object), {})


def _excel(file, stated, known, temporary):
    path = packed.unpack(file.path, file.member, file.where, temporary)
    rows, sheet = workbooks.read_sheet(path, stated.sheet, file.where, LISTED)
    at = _header(rows[:HEADER_ROWS])
    table = pd.DataFrame(rows[at + 1 :], columns=rows[at], dtype=object)
    return RawSurvey(table, {"sheet": sheet} | _left_above(at))


def _labelled(file, stated, known, temporary):
    path = packed.unpack(file.path, file.member, file.where, temporary)
    table, codebook, wording, summary = cells_of(path, stated.encoding, file.where, _layout(stated, known), LISTED)
    return RawSurvey(table, summary, codebook, wording)


READERS = {"csv": _text_file, "parquet": _parquet, "excel": _excel, "stata": _labelled, "spss": _labelled}
