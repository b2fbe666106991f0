"""Files of Stata and SPSS: their codes as they stand, and which of them the file declares to be missing."""

import codecs
import io
from contextlib import nullcontext
from dataclasses import replace

import pyreadstat

from crmlab.contracts import InputError, encodings, packed

READERS = {".dta": pyreadstat.read_dta, ".sav": pyreadstat.read_sav, ".zsav": pyreadstat.read_sav}
UNICODE = (b"<release>118", b"<release>119")  # versions of Stata's files whose text is UTF-8; older do not say it


def read_codes(path, stated, where, layout, listed):
    """The codes of a file as a frame, those for missing among them; what else it says of its columns; its encoding
    in words, empty where it has no text beyond ASCII or is UTF-8 as all of its version.

    layout : the `textfiles.Layout` by which the encoding of an old file is found
    listed : where one states how a file is read, as messages say it
    Raises InputError for what is no such file, or where its encoding is not certain.
    """
    encoding, words = (stated, f"{stated}, as stated") if stated else _found(path, where, layout, listed)
    table, meta = _read(path, encoding, where)
    if not words and meta.file_encoding:
        words = f"{meta.file_encoding.lower()}, as the file says"
    return table, meta, words


def _found(path, where, layout, listed):
    """The encoding of a file of Stata that does not say it, with the reason; else none and no words."""
    with path.open("rb") as stream:
        head = stream.read(64)
    if path.suffix.lower() != ".dta" or any(version in head for version in UNICODE):
        return None, ""
    content = _read(path, "latin-1", where)[0].to_csv(index=False).encode("latin-1")
    if content.isascii():
        return None, ""
    plain = replace(layout, skip=0, header=None, delimiter=",")
    return encodings.find(lambda: nullcontext(io.BytesIO(content)), None, listed, where, plain)


def _read(path, encoding, where):
    name = encoding and codecs.lookup(encoding).name.replace("_", "-")
    try:
        return READERS[path.suffix.lower()](str(path), encoding=name, user_missing=True)
    except Exception as problem:  # pyreadstat raises errors of its own, and others
        reason = str(problem).split("\n")[0].rstrip(".") or type(problem).__name__
        raise InputError(f"{where}: cannot be read ({reason}); {packed.DAMAGED}") from None


def is_declared(cell, ranges):
    """Whether a cell lies in one of the ranges that SPSS declares to be missing."""
    ends = [(held["lo"], held["hi"]) if isinstance(held, dict) else (held, held) for held in ranges]
    if isinstance(cell, str):
        return cell.strip() in {low.strip() for low, _high in ends if isinstance(low, str)}
    return any(low <= cell <= high for low, high in ends if not isinstance(low, str))


def read_known(path, stated, where, layout, listed):
    """The codes of a file as a frame without those that it declares to be missing; how many cells held one, and its
    encoding in words.
    """
    table, meta, words = read_codes(path, stated, where, layout, listed)
    table, count = table.astype(object), 0
    for column in table.columns:
        ranges, letters = meta.missing_ranges.get(column, ()), meta.missing_user_values.get(column, ())
        if ranges or letters:
            missing = table[column].map(lambda cell, r=ranges, of=letters: cell in of or is_declared(cell, r))
            count += int(missing.sum())
            table[column] = table[column].mask(missing, None)
    return table, count, words
