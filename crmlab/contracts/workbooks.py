"""Sheets of Excel workbooks, cell by cell; a formula is the value that Excel last computed of it."""

import warnings

import openpyxl

from crmlab.contracts import InputError, packed, suggest

PROTECTED = "EncryptedPackage".encode("utf-16-le")  # where Excel keeps a workbook that has a password


def read_sheet(path, sheet, where, listed):
    """The rows of a sheet, from the first of the sheet to the last that holds something, and its name.

    Rows are lists of equal length, their cells None where they are empty. Raises InputError where `sheet` is not there,
    or none is named and several hold something, and for what is no workbook.
    """
    _check(path, where)
    try:
        with path.open("rb") as stream, warnings.catch_warnings(action="ignore"):  # of parts that hold no cells
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
            try:
                chosen = _choose(book, sheet, where, listed)
                rows = [[*row] for row in _rows(book[chosen])]
            finally:
                book.close()
    except InputError:
        raise
    except Exception as problem:  # openpyxl raises errors of zip files, of XML and of its own
        reason = str(problem).split("\n")[0].rstrip(".") or type(problem).__name__
        raise InputError(f"{where}: cannot be read ({reason}); {packed.DAMAGED}") from None
    while rows and not any(map(_holds, rows[-1])):
        rows.pop()
    width = max(map(len, rows), default=0)
    return [row + [None] * (width - len(row)) for row in rows], chosen


def is_blank(row):
    """Whether no cell of a row holds anything."""
    return not any(map(_holds, row))


def _check(path, where):
    """Raises InputError for what is no workbook of this form."""
    with path.open("rb") as stream:
        head = stream.read(8)
        protected = head.startswith(b"\xd0\xcf\x11\xe0") and PROTECTED in head + stream.read()
    if protected:
        raise InputError(f"{where}: the workbook is protected by a password; save it without one")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise InputError(f"{where}: is an old workbook of Excel (.xls); save it as .xlsx")
    if not head.startswith(b"PK"):
        advice = "save it as .xlsx, or give it the ending .csv where it is text"
        raise InputError(f"{where}: cannot be read (it is no workbook of Excel, whatever its name says); {advice}")


def _choose(book, sheet, where, listed):
    """The name of the sheet to read."""
    names = [held.title for held in book.worksheets]
    quoted = ", ".join(map(repr, names))
    if sheet is not None:
        if sheet not in names:
            advice = suggest(sheet, names, f"name one of these {listed}")
            raise InputError(f"{where}: the workbook has no sheet {sheet!r}, it has {quoted}; {advice}")
        return sheet
    filled = [name for name in names if any(not is_blank(row) for row in _rows(book[name]))]
    if len(filled) > 1:
        several = ", ".join(map(repr, filled))
        advice = f"name one {listed}, as sheet = {filled[0]!r}"
        raise InputError(f"{where}: {len(filled):,} sheets of the workbook hold something, {several}; {advice}")
    if not filled:
        raise InputError(f"{where}: the workbook is empty, its sheets are {quoted}; put the data into one")
    return filled[0]


def _rows(sheet):
    sheet.reset_dimensions()  # which some programs state wrongly
    return sheet.iter_rows(values_only=True)


def _holds(cell):
    return cell is not None and cell != ""
