"""How the cells of each kind of column are read, and the rules that an accepted cell keeps.

A reader takes a column as text or typed, and gives its typed reading, null where a cell cannot be read,
with the rules to hold it to. It raises TypeError for a type that no cell of its kind should have.
"""

import re

import ibis
import ibis.expr.types as ir

from crmlab.contracts import ids
from crmlab.contracts.contract import Rule

MONEY = "decimal(18, 4)"  # exact: sums do not depend on threads or on the order of rows
YES, NO = ("yes", "y", "true", "t", "1", "private"), ("no", "n", "false", "f", "0", "national")  # as brands are called
EXACT = "decimal(38, 24)"  # holds what MONEY may have rounded away
NUMBER_PATTERNS = {
    ".": r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$",
    ",": r"^\s*[+-]?([0-9]+,?[0-9]*|,[0-9]+)([eE][+-]?[0-9]+)?\s*$",
}
MARKS = {".": r"\.", ",": ",", " ": "[ \u00a0\u202f]", "'": "['\u2019]"}  # of thousands, as they are written
TIME_PATTERN = r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?$"
INSTANT_PATTERN = TIME_PATTERN.replace(")?$", r"(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?))$")


def _text(source, column, policy):
    kind = source.type()
    if not (kind.is_string() or kind.is_integer() or kind.is_uuid()):
        raise TypeError("which does not keep ids such as 00123; store it as text")
    empty = Rule(column.name, "is empty", _is_empty(column.name), "fill or drop them")
    return source.cast("string"), [] if column.nullable else [empty]


def _time(source, column, policy):
    name = column.name
    value, carries_offset, remedy = _clock_time(source, policy)
    rules = [] if column.nullable else [Rule(name, "is empty", _is_empty(name), "fill or drop them", "customer_id")]
    rules += [
        Rule(name, "is not a date or time", _is_unread(name), remedy, f"raw_{name}"),
        Rule(
            name,
            "lies outside the years 1900 to 2100",
            lambda t: t[name].notnull() & ~t[name].year().between(1900, 2100).fill_null(False),
            "correct them",
            f"raw_{name}",
        ),
    ]
    if carries_offset and not policy.time_zone:
        offset = Rule(
            name,
            "carries an offset from UTC",
            lambda t: t[name].notnull() & carries_offset(t[f"raw_{name}"]),
            "state in data/catalog.toml the time_zone whose days count, such as 'Europe/Berlin'",
            f"raw_{name}",
        )
        rules.append(offset)
    return value, rules


def _day(source, column, policy):
    """The day of a time, on the clock of the shop."""
    value, rules = _time(source, column, policy)
    return value.date(), rules


def _clock_time(source, policy):
    """The time on the clock of the shop; which raw texts carry an offset, or None; what to do about an unread cell."""
    kind, zone, pattern = source.type(), policy.time_zone, policy.time_format
    if pattern is not None:
        text, remedy = source.cast("string"), f"correct them, or time_format = {pattern!r} in data/catalog.toml"
        if re.search("%[zZ]", pattern):
            return _on_clock(_try_strptime_offset(text, pattern), zone), ir.Value.notnull, remedy
        return _try_strptime(text, pattern), None, remedy
    if kind.is_string():
        remedy = "write times as 2024-12-31 or 2024-12-31 18:30:00, or state time_format in data/catalog.toml"
        return _iso(source, zone), _is_instant, remedy
    if kind.is_timestamp() and kind.timezone:
        return _on_clock(source, zone), ir.Value.notnull, ""
    if kind.is_timestamp() or kind.is_date():
        return source.cast("timestamp"), None, ""
    raise TypeError("which is not a time; store dates, times or ISO text, or state time_format in data/catalog.toml")


def _iso(source, zone):
    """ISO text as the clock of the shop showed it. Most cells need no tidying, which takes ten times as long."""
    tidy, null = _tidy(source), ibis.null("string")
    plain = tidy.re_search(TIME_PATTERN).ifelse(tidy, null).try_cast("timestamp")
    instant = tidy.re_search(INSTANT_PATTERN).ifelse(tidy, null).try_cast("timestamp('UTC')")
    other = ibis.coalesce(plain, _on_clock(instant, zone))
    return source.re_search(TIME_PATTERN).ifelse(source.try_cast("timestamp"), other)


def _is_instant(text):
    return text.re_search(TIME_PATTERN).ifelse(False, _tidy(text).re_search(INSTANT_PATTERN))


def _tidy(text):
    """ISO text without blanks around it or before its offset, and with Z for UTC."""
    return text.strip().upper().re_replace(r"\s*(UTC|Z)$", "Z").re_replace(r"\s+([+-])", r"\1")


def _number(source, column, policy):
    name = column.name
    value, _pattern, remedy = _value(source, policy, "float64", 1e308)
    unread = _unread(name, source, policy, "is not a number", _is_unread(name), remedy)
    return value, [unread] if column.nullable else [
        Rule(name, "is empty", _is_empty(name), "fill or drop them"),
        unread,
    ]


def _whole(source, column, policy):
    """A number without decimals, of fifteen digits at most: those a float holds exactly."""
    name = column.name
    value, _pattern, remedy = _value(source, policy, "float64", 1e15)
    whole = (value == value.floor()).ifelse(value, ibis.null("float64")).cast("int64")
    remedy = f"give whole numbers; {remedy}" if source.type().is_string() else "give whole numbers"
    return whole, [
        Rule(name, "is empty", _is_empty(name), "fill or drop them"),
        _unread(name, source, policy, "is not a whole number", _is_unread(name), remedy),
    ]


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
    unread = Rule(column.name, "is neither yes nor no", _is_unread(column.name), remedy, f"raw_{column.name}")
    return known.isin(YES), [unread]


def _money(source, column, policy):
    name = column.name
    value, pattern, remedy = _value(source, policy, MONEY, 10**14)

    def is_number(t):
        return t[f"raw_{name}"].cast("string").re_search(pattern)

    def is_other(t):
        return t[name].isnull().ifelse(_holds_something(t[f"raw_{name}"]) & ~is_number(t), False)

    def is_beyond(t):
        return t[name].isnull().ifelse(is_number(t), False)

    rules = [
        Rule(name, "is empty", _is_empty(name), "fill or drop them", "customer_id"),
        _unread(name, source, policy, "is not a number", is_other, remedy),
        Rule(name, "is 10^14 or beyond", is_beyond, "correct them", f"raw_{name}"),
    ]
    if policy.returns == "error":
        remedy = "if they are returns, state returns = 'net' or 'drop' in data/catalog.toml"
        rules.append(Rule(name, "is negative", lambda t: t[name] < 0, remedy, f"raw_{name}"))
    return value, rules


def _value(source, policy, to, beyond):
    """The number in each cell, null unless it is below `beyond`; the pattern of its text; what to do about others."""
    kind = source.type()
    if kind.is_string():
        pattern = NUMBER_PATTERNS[policy.decimal]
        written, other = ("1234.50", ",") if policy.decimal == "." else ("1234,50", ".")
        if policy.thousands:
            pattern = f"{pattern}|{_grouped(policy.thousands, policy.decimal)}"
        text = _plain(source, policy)
        number = source.re_search(pattern).ifelse(text, ibis.null("string")).try_cast(to)
        remedy = f"write numbers as {written} and nothing else, or state decimal = {other!r} in data/catalog.toml"
    elif kind.is_numeric():
        pattern, remedy = NUMBER_PATTERNS["."], "fill or drop them"
        number = source.round(4) if _is_finer(kind) else source
    else:
        raise TypeError("which is not a number; store numbers, or text such as 1234.50")
    below = (number > -beyond) & (number < beyond)  # which NaN is not
    return below.ifelse(number, ibis.null(number.type())).cast(to), pattern, remedy


def _grouped(mark, decimal, least=1):
    """The pattern of a number whose digits stand in threes, with `least` marks of thousands or more."""
    return rf"^\s*[+-]?[0-9]{{1,3}}({MARKS[mark]}[0-9]{{3}}){{{least},}}({MARKS[decimal]}[0-9]*)?\s*$"


def _unread(name, source, policy, message, broken, remedy):
    """The rule on cells that are no number; where some are written with marks of thousands, it says what to state."""
    if not source.type().is_string() or policy.thousands:
        return Rule(name, message, broken, remedy, f"raw_{name}")
    here, other = policy.decimal, {".": ",", ",": "."}[policy.decimal]
    kinds = {
        _with_decimals(here, other): f"state decimal = {other!r} and thousands = {here!r}",
        f"{_grouped(other, here, 2)}|{_with_decimals(other, here)}": f"state thousands = {other!r}",
        _grouped(other, here): f"state thousands = {other!r}, or decimal = {other!r} where that is the decimal mark,",
        _grouped(" ", here): "state thousands = ' '",
        _grouped("'", here): 'state thousands = "\'"',
    }

    def advice(t):
        text = t.filter(broken(t))[f"raw_{name}"]
        counts = {f"kind_{i}": text.re_search(pattern).sum().fill_null(0) for i, pattern in enumerate(kinds)}
        counts["others"] = (~text.re_search("|".join(kinds))).sum().fill_null(0)
        found = text.as_table().aggregate(**counts).to_pyarrow().to_pylist()[0]
        stated = next((said for i, said in enumerate(kinds.values()) if found[f"kind_{i}"]), "")
        marked = f"{stated} in data/catalog.toml" if stated else ""
        return "; ".join(filter(None, (marked, remedy if found["others"] else "")))

    return Rule(name, message, broken, advice, f"raw_{name}")


def _with_decimals(mark, decimal):
    return rf"^\s*[+-]?[0-9]{{1,3}}({MARKS[mark]}[0-9]{{3}})+{MARKS[decimal]}[0-9]+\s*$"


def _plain(source, policy):
    """Text of numbers without marks of thousands, where these are stated, and with a point before the decimals."""
    if policy.thousands:
        grouped = source.re_search(_grouped(policy.thousands, policy.decimal))
        source = grouped.ifelse(source.re_replace(MARKS[policy.thousands], ""), source)
    return source if policy.decimal == "." else source.replace(",", ".")


def was_rounded(source, value, policy):
    """Whether the money read from a cell is not all that the cell says."""
    kind = source.type()
    if kind.is_string():
        return _plain(source, policy).try_cast(EXACT) != value.cast(EXACT)
    if kind.is_floating():
        return value.cast("float64") != source
    return source.round(4) != source if _is_finer(kind) else ibis.literal(False)


def _is_finer(kind):
    return kind.is_decimal() and (kind.scale or 0) > 4


READERS = {
    "id": ids.read,
    "text": _text,
    "time": _time,
    "day": _day,
    "number": _number,
    "whole": _whole,
    "money": _money,
    "yes": _yes,
}


def _is_empty(name):
    return lambda t: ~_holds_something(t[f"raw_{name}"])


def _is_unread(name):
    return lambda t: t[name].isnull().ifelse(_holds_something(t[f"raw_{name}"]), False)


def _holds_something(raw):
    """Whether a cell is more than blanks: asked of text alone, as to write 30 million numbers as text takes seconds."""
    return raw.notnull() & raw.re_search(r"\S") if raw.type().is_string() else raw.notnull()


def _on_clock(instant, zone):
    return _to_clock(zone, instant) if zone else instant.cast("timestamp")


@ibis.udf.scalar.builtin(name="try_strptime")
def _try_strptime(text: str, pattern: str) -> ibis.dtype("timestamp"):  # type: ignore[valid-type]
    """DuckDB's: null where the text does not fit."""


@ibis.udf.scalar.builtin(name="try_strptime")
def _try_strptime_offset(text: str, pattern: str) -> ibis.dtype("timestamp('UTC')"):  # type: ignore[valid-type]
    """DuckDB's, for a pattern with %z or %Z: an instant."""


@ibis.udf.scalar.builtin(name="timezone")
def _to_clock(zone: str, instant: ibis.dtype("timestamp('UTC')")) -> ibis.dtype("timestamp"):  # type: ignore[valid-type]
    """DuckDB's: what the clock of `zone` showed."""
