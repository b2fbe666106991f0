"""How the cells of each kind of column are read, and the rules that an accepted cell keeps.

A reader takes a column as text or typed, and gives its typed reading, null where a cell cannot be read,
with the rules to hold it to. It raises TypeError for a type that no cell of its kind should have.
"""

import ibis

from crmlab.contracts import ids, numbers, times
from crmlab.contracts.blanks import is_empty, is_unread
from crmlab.contracts.contract import Rule

YES, NO = ("yes", "y", "true", "t", "1", "private"), ("no", "n", "false", "f", "0", "national")  # as brands are called


def _text(source, column, policy):
    kind = source.type()
    if not (kind.is_string() or kind.is_integer() or kind.is_uuid()):
        raise TypeError("which does not keep ids such as 00123; store it as text")
    empty = Rule(column.name, "is empty", is_empty(column.name), "fill or drop them")
    return source.cast("string"), [] if column.nullable else [empty]


def _yes(source, column, policy):
    """True for yes, False for no, null where the cell is empty."""
    kind = source.type()
    if kind.is_boolean():
        return source, []
    if not (kind.is_string() or kind.is_integer()):
        raise TypeError("which is neither yes nor no; store yes and no, true and false, or 1 and 0")
    text = source.cast("string").strip().lower()
    known = text.isin([*YES, *NO]).ifelse(text, ibis.null("string"))
    remedy = f"write {' or '.join(YES)} for yes, {' or '.join(NO)} for no, and nothing where it is unknown"
    unread = Rule(column.name, "is neither yes nor no", is_unread(column.name), remedy, f"raw_{column.name}")
    return known.isin(YES), [unread]


NUMBERS = {"number": numbers.number, "whole": numbers.whole, "money": numbers.money}
READERS = {
    "id": ids.read,
    "text": _text,
    "time": times.time,
    "day": times.day,
    "period": times.period,
    "yes": _yes,
    **NUMBERS,
}
