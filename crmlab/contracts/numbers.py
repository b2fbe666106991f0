"""Numbers as people write them: with signs of currencies, minus signs of all kinds, marks of thousands, per cent.

The mark of decimals and that of thousands are as the policy states; where others would read more cells, that is said.
"""

import re

import ibis

from crmlab.contracts.blanks import is_missing, is_unread
from crmlab.contracts.contract import OUTLINE, Rule
from crmlab.contracts.currencies import SIGN, meant_by
from crmlab.contracts.written import MINUS, PERCENT

MONEY = "decimal(18, 4)"  # exact: sums do not depend on threads or on the order of rows
EXACT = "decimal(38, 24)"  # holds what MONEY may have rounded away
PLAIN = {
    ".": r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$",
    ",": r"^\s*[+-]?([0-9]+,?[0-9]*|,[0-9]+)([eE][+-]?[0-9]+)?\s*$",
}
MARKS = {".": r"\.", ",": ",", " ": "[ \u00a0\u202f]", "'": "['\u2019]"}  # of thousands, as they are written
BLANKS = "[\\s\u00a0\u202f]*"
CURRENCY = "\u00a4"  # stands for any sign of a currency
DIGITS = "[0-9.,][0-9., '\u2019\u00a0\u202f]*"  # of any marks
FIELDS = ("decimal", "thousands")  # of the policy
NEGATIVE = rf"^[^0-9]*(\(|{MINUS})|{MINUS}[^0-9]*$"
READ_AS = {"number": "float64", "whole": "float64", "money": MONEY}
BEYOND = {"number": 1e308, "whole": 1e15, "money": 10**14}  # a whole number of 15 digits is exact as a float


def number(source, column, policy):
    """A column of numbers; a percentage is a hundredth of what it says."""
    name = column.name
    rules = [_unread(name, source, policy, column.kind, "is not a number")]
    empty = [] if column.nullable else [Rule(name, "is empty", is_missing(name), "fill or drop them")]
    return _value(source, policy, column.kind), empty + rules


def whole(source, column, policy):
    """A number without decimals, of fifteen digits at most: those a float holds exactly."""
    name, value = column.name, _value(source, policy, column.kind)
    integral = (value == value.floor()).ifelse(value, ibis.null("float64")).cast("int64")
    return integral, [
        Rule(name, "is empty", is_missing(name), "fill or drop them"),
        *_percentages(name, source, policy, "a whole number"),
        _unread(name, source, policy, column.kind, "is not a whole number", "give whole numbers"),
    ]


def money(source, column, policy):
    """An amount of money, exact to four decimals."""
    name, value = column.name, _value(source, policy, column.kind)
    pattern = _pattern(source, policy, column.kind)

    def beyond(t):
        return is_unread(name)(t).ifelse(_symbolic(t[f"raw_{name}"].cast("string")).re_search(pattern), False)

    rules = [
        Rule(name, "is empty", is_missing(name), "fill or drop them", "customer_id"),
        *_percentages(name, source, policy, "an amount"),
        _unread(name, source, policy, column.kind, "is not a number"),
        Rule(name, "is 10^14 or beyond", beyond, "correct them", f"raw_{name}"),
    ]
    if policy.returns == "error":
        remedy = "if they are returns, state returns = 'net' or 'drop' in data/catalog.toml"
        rules.append(Rule(name, "is negative", lambda t: t[name] < 0, remedy, f"raw_{name}"))
    return value, rules


def was_rounded(source, value, policy):
    """Whether the money read from a cell is not all that the cell says."""
    kind = source.type()
    if kind.is_string():
        return _digits(source, policy, "money").try_cast(EXACT) != value.cast(EXACT)
    if kind.is_floating():
        return value.cast("float64") != source
    if kind.is_decimal() and kind.scale is None:  # PostgreSQL's, of any number of decimals
        return value.cast(EXACT) != source
    return source.round(4) != source if _is_finer(kind) else ibis.literal(False)


def outline(source, policy):
    """What stands around the digits of a text cell, such as `(€ 0)`; null for a plain number."""
    around = source.re_replace("[0-9](.*[0-9])?", "0")
    return source.re_search(PLAIN[policy.decimal]).ifelse(ibis.null("string"), around)


def currency_rules(name, outlines, currency):
    """Rules on a column that bears signs of more than one currency, or of another one than is stated."""
    signs = {sign: meant_by(sign) for around in outlines for sign in re.findall(SIGN, around)}
    stated = meant_by(currency)
    if stated:
        wrong = {
            sign: f"which is not {currency}, the currency that is stated" for sign in signs if not signs[sign] & stated
        }
        remedy = "correct them, or currency in data/catalog.toml"
    elif signs and not frozenset.intersection(*signs.values()):
        wrong = {s: f"where others bear {', '.join(repr(o) for o in sorted(signs) if o != s)}" for s in sorted(signs)}
        remedy = "convert them to one currency, or give each currency a file of its own"
    else:
        return []
    return [
        Rule(name, f"bears {sign!r}, {why},", _bears(name, sign, outlines), remedy, f"raw_{name}")
        for sign, why in wrong.items()
    ]


def _bears(name, sign, outlines):
    bearing = [around for around in outlines if sign in re.findall(SIGN, around)]
    return lambda t: t[f"{OUTLINE}{name}"].isin(bearing)


def _value(source, policy, kind):
    """The number in each cell, null unless it is below what its kind holds."""
    stored, to, beyond = source.type(), READ_AS[kind], BEYOND[kind]
    if stored.is_string():
        value = _digits(source, policy, kind).try_cast(to)
    elif stored.is_numeric():
        value = source.round(4) if _is_finer(stored) else source
    else:
        raise TypeError("which is not a number; store numbers, or text such as 1234.50")
    below = (value > -beyond) & (value < beyond)  # which NaN is not
    return below.ifelse(value, ibis.null(value.type())).cast(to)


def _is_finer(kind):
    return kind.is_decimal() and (kind.scale or 0) > 4


def _digits(source, policy, kind):
    """The number of a text cell as engines write it, -1234.50; null where it is none. Most cells are that already."""
    plain = source if policy.decimal == "." else source.replace(",", ".")
    cell = _symbolic(source)
    bare = cell.re_replace(f"[^0-9{policy.decimal}]", "").replace(policy.decimal, ".")
    sign = cell.re_search(NEGATIVE).ifelse("-", "")
    hundredths = cell.re_search(PERCENT).ifelse("e-2", "")
    other = cell.re_search(_readable(policy.decimal, policy.thousands, kind)).ifelse(
        sign + bare + hundredths, ibis.null("string")
    )
    return source.re_search(PLAIN[policy.decimal]).ifelse(plain, other)


def _symbolic(text):
    """Text with one character for the sign of any currency."""
    return text.re_replace(SIGN, CURRENCY)


def _pattern(source, policy, kind):
    """The pattern of what is a number in a column as text."""
    return _readable(policy.decimal, policy.thousands, kind) if source.type().is_string() else PLAIN["."]


def _readable(decimal, thousands, kind):
    """The pattern of every text that is read as a number, with CURRENCY for the sign of any currency."""
    mark = MARKS[decimal]
    bare = f"([0-9]+({mark}[0-9]+)?|{mark}[0-9]+)"
    forms = [PLAIN[decimal].strip("^$")]
    if thousands:
        grouped = f"[0-9]{{1,3}}({MARKS[thousands]}[0-9]{{3}})+"
        bare = f"({bare}|{grouped}({mark}[0-9]+)?)"
        forms.append(f"{BLANKS}[+-]?{grouped}{mark}{BLANKS}")
    before, after, sign = f"({CURRENCY}{BLANKS})?", f"({BLANKS}{CURRENCY})?", f"([+]|{MINUS}){BLANKS}"
    marked = [
        f"({sign})?{before}{bare}{after}",
        f"{CURRENCY}{BLANKS}{sign}{bare}{after}",
        f"{before}{bare}{MINUS}{after}",
        f"{before}{bare}{BLANKS}{CURRENCY}{MINUS}",
        rf"\({BLANKS}{before}{bare}{after}{BLANKS}\)",
        rf"{CURRENCY}{BLANKS}\({BLANKS}{bare}{BLANKS}\)",
        rf"\({BLANKS}{bare}{BLANKS}\){BLANKS}{CURRENCY}",
    ]
    if kind == "number":
        marked += _percentage(bare)
    return f"^({'|'.join(forms)}|{BLANKS}({'|'.join(marked)}){BLANKS})$"


def _percentage(bare):
    sign = f"([+]|{MINUS}){BLANKS}"
    return [f"({sign})?{bare}{BLANKS}{PERCENT}", rf"\({BLANKS}{bare}{BLANKS}{PERCENT}{BLANKS}\)"]


def _percentages(name, source, policy, wanted):
    """The rule that no cell is a percentage, of a column of text."""
    if not source.type().is_string():
        return []
    remedy = "leave the % out, or give what the percentages come to"
    return [Rule(name, f"is a percentage, not {wanted},", _is_percentage(name), remedy, f"raw_{name}")]


def _is_percentage(name):
    cell = f"^{BLANKS}({'|'.join(_percentage(DIGITS))}){BLANKS}$"
    return lambda t: is_unread(name)(t).ifelse(t[f"raw_{name}"].re_search(cell), False)


def _unread(name, source, policy, kind, message, wanted=""):
    """The rule on cells that are no number; where other marks would read more of the column, it says which."""
    is_text = source.type().is_string()
    pattern = _pattern(source, policy, kind)

    def broken(t):
        if kind == "number":
            return is_unread(name)(t)
        other = ~_is_percentage(name)(t) if is_text else ibis.literal(True)
        if kind == "money":
            other &= ~_symbolic(t[f"raw_{name}"].cast("string")).re_search(pattern)
        return is_unread(name)(t).ifelse(other, False)

    def remedy(t):
        cells = t.filter(t[f"raw_{name}"].re_search(r"\S"))
        return _advice(cells.select(cell=f"raw_{name}"), policy, kind, wanted)

    return Rule(name, message, broken, remedy if is_text else wanted or "fill or drop them", f"raw_{name}")


def _advice(cells, policy, kind, wanted):
    """Which marks read the most cells, where those stated read less; and what to do about the others.

    cells : a table of a filled cell a row
    """
    here = policy.decimal, policy.thousands
    marks = [(decimal, mark) for decimal in PLAIN for mark in (here[1], None, *MARKS) if mark != decimal]
    read = {
        pair: _reads(cells.cell, policy.model_copy(update=dict(zip(FIELDS, pair, strict=True))), kind) for pair in marks
    }
    found = {f"read_{i}": reads.sum().fill_null(0) for i, reads in enumerate(read.values())}
    n = cells.aggregate(filled=cells.count(), **found).to_pyarrow().to_pylist()[0]
    counts = {pair: n[f"read_{i}"] for i, pair in enumerate(read)}
    best = max(counts.values())
    advised, decimal = "", policy.decimal
    if best > counts[here]:
        pairs = {d: next((p for p in counts if p[0] == d and counts[p] == best), None) for d in PLAIN}
        winners = [pair for pair in pairs.values() if pair]
        if len({mark for _, mark in winners}) < len(winners):  # no cell bears decimals, so that either mark will do
            winners = [pair for pair in winners if pair[0] == policy.decimal]
        winners.sort(key=lambda pair: pair[1] is None)
        alternatives = ", or ".join(_stated(pair, here) for pair in winners)
        doubt = " where that is the decimal mark," if len(winners) > 1 else ""
        advised, decimal = f"state {alternatives}{doubt} in data/catalog.toml", winners[0][0]
    form = wanted or f"write numbers as 1234{decimal}50 and nothing else"
    return "; ".join(filter(None, (advised, form if best < n["filled"] else "")))


def _reads(text, policy, kind):
    """Whether cells of text are numbers of a kind under a policy."""
    value = _value(text, policy, kind)
    return value.notnull() & (value == value.floor()) if kind == "whole" else value.notnull()


def _stated(pair, here):
    """The fields to state for marks of decimals and thousands, of those that differ from what is stated."""
    fields = zip(FIELDS, pair, here, strict=True)
    changed = [f"{name} = {mark!r}" for name, mark, old in fields if mark and mark != old]
    return f"{' and '.join(changed)}{' without thousands' if here[1] and not pair[1] else ''}"
