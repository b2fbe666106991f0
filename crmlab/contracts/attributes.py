"""The other columns of a table whose contract keeps them: numbers where every filled cell is one, else text."""

from dataclasses import dataclass

import ibis

from crmlab.contracts.contract import FILE, ROW
from crmlab.contracts.written import PERCENT

DIGITS = r"^\s*[+-]?(0|[1-9][0-9]{0,14})(\MARK[0-9]+)?"  # not 00123, not a card's number
NUMBER_PATTERN = rf"{DIGITS}(([eE][+-]?[0-9]{{1,3}})?|\s*{PERCENT})\s*$"


@dataclass(frozen=True)
class Attribute:
    """A column kept beside those of the contract, carried through validation under a name of ours."""

    name: str
    kind: str  # "number", "text" or the type it is stored as
    internal_name: str
    value: object
    percentages: int = 0  # how many of its cells are per cent, taken as hundredths


def read_attributes(raw, contract, policy):
    """The attributes of a raw table, a list; none where its contract keeps no other columns."""
    if not contract.attributes:
        return []
    names = [name for name in _others(raw, contract, policy) if _is_plain(raw[name].type())]
    pattern = NUMBER_PATTERN.replace("MARK", policy.decimal)
    text = [name for name in names if raw[name].type().is_string()]
    other = {
        f"a{i}": (raw[name].re_search(r"\S") & ~raw[name].re_search(pattern)).sum().fill_null(0)
        for i, name in enumerate(text)
    }
    percent = {f"p{i}": raw[name].re_search(PERCENT).sum().fill_null(0) for i, name in enumerate(text)}
    filled = {f"f{i}": raw[name].re_search(r"\S").sum().fill_null(0) for i, name in enumerate(text)}
    seen = raw.aggregate(**other, **percent, **filled).to_pyarrow().to_pylist()[0] if text else {}
    figures = {name: seen[f"p{i}"] for i, name in enumerate(text) if seen[f"f{i}"] and not seen[f"a{i}"]}
    return [_attribute(f"crmlab_kept_{i}", name, raw[name], figures.get(name), policy) for i, name in enumerate(names)]


def not_kept(raw, contract, policy):
    """Columns of nested or other types that no frame holds, as a dict of their types; none unless others are kept."""
    others = _others(raw, contract, policy) if contract.attributes else []
    return {name: str(raw[name].type()) for name in others if not _is_plain(raw[name].type())}


def _others(raw, contract, policy):
    own = {FILE, ROW, *policy.columns.values()} | {column.name.casefold() for column in contract.columns}
    return [name for name in raw.columns if name not in own and name.casefold() not in own]


def _is_plain(kind):
    return kind.is_string() or kind.is_numeric() or kind.is_boolean() or kind.is_temporal() or kind.is_uuid()


def _attribute(internal_name, name, source, percentages, policy):
    """A column of text is one of numbers where it is known how many `percentages` it has, if only 0."""
    kind = source.type()
    if percentages is not None:
        text = source.strip() if policy.decimal == "." else source.strip().replace(",", ".")
        digits = text.re_replace(rf"\s*{PERCENT}", "e-2")  # exact, as a division by 100 is not
        value = (text != "").ifelse(digits, ibis.null("string")).try_cast("float64")
        return Attribute(name, "number", internal_name, value, percentages)
    if kind.is_string():
        return Attribute(name, "text", internal_name, source)
    if kind.is_numeric() and not kind.is_boolean():
        return Attribute(name, "number", internal_name, source.cast("float64"))
    return Attribute(name, str(kind), internal_name, source)
