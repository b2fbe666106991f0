"""Files of Stata and SPSS: their codes as they stand, and which of them the file declares to be missing."""

import pyreadstat

from crmlab.contracts import InputError, packed

READERS = {".dta": pyreadstat.read_dta, ".sav": pyreadstat.read_sav, ".zsav": pyreadstat.read_sav}


def read_codes(path, encoding, where):
    """The codes of a file as a frame, those that stand for missing among them, and what else it says of its columns.

    Raises InputError for what is no such file.
    """
    try:
        return READERS[path.suffix.lower()](str(path), encoding=encoding, user_missing=True)
    except Exception as problem:  # pyreadstat raises errors of its own, and others
        reason = str(problem).split("\n")[0].rstrip(".") or type(problem).__name__
        raise InputError(f"{where}: cannot be read ({reason}); {packed.DAMAGED}") from None


def is_declared(cell, ranges):
    """Whether a cell lies in one of the ranges that SPSS declares to be missing."""
    ends = [(held["lo"], held["hi"]) if isinstance(held, dict) else (held, held) for held in ranges]
    if isinstance(cell, str):
        return cell.strip() in {low.strip() for low, _high in ends if isinstance(low, str)}
    return any(low <= cell <= high for low, high in ends if not isinstance(low, str))


def read_known(path, encoding, where):
    """The codes of a file as a frame without those that it declares to be missing; how many cells held one, and how it
    is encoded, in words.
    """
    table, meta = read_codes(path, encoding, where)
    table, count = table.astype(object), 0
    for column in table.columns:
        ranges, letters = meta.missing_ranges.get(column, ()), meta.missing_user_values.get(column, ())
        if ranges or letters:
            missing = table[column].map(lambda cell, r=ranges, of=letters: cell in of or is_declared(cell, r))
            count += int(missing.sum())
            table[column] = table[column].mask(missing, None)
    return table, count, encoding_of(meta, encoding)


def encoding_of(meta, stated):
    """How a file is encoded, in words: as stated, or as it says itself; empty where it does not."""
    if stated:
        return f"{stated}, as stated"
    return f"{meta.file_encoding.lower()}, as the file says" if meta.file_encoding else ""
