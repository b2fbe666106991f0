"""The other columns of a table whose contract keeps them: numbers where every filled cell is one, else text."""

from dataclasses import dataclass

import ibis

from crmlab.contracts.contract import FILE, ROW

NUMBER_PATTERN = (
    r"^\s*[+-]?(0|[1-9][0-9]{0,14})(\MARK[0-9]+)?([eE][+-]?[0-9]{1,3})?\s*$"  # not 00123, not a card's number
)


@dataclass(frozen=True)
class Attribute:
    """A column kept beside those of the contract, carried through validation under a name of ours."""

    name: str
    kind: str  # "number", "text" or the type it is stored as
    internal_name: str
    value: object


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
    filled = {f"f{i}": raw[name].re_search(r"\S").sum().fill_null(0) for i, name in enumerate(text)}
    seen = raw.aggregate(**other, **filled).to_pyarrow().to_pylist()[0] if text else {}
    figures = {name for i, name in enumerate(text) if seen[f"f{i}"] and not seen[f"a{i}"]}
    return [_attribute(f"crmlab_kept_{i}", name, raw[name], name in figures, policy) for i, name in enumerate(names)]


def not_kept(raw, contract, policy):
    """Columns of nested or other types that no frame holds, as a dict of their types; none unless others are kept."""
    others = _others(raw, contract, policy) if contract.attributes else []
    return {name: str(raw[name].type()) for name in others if not _is_plain(raw[name].type())}


def _others(raw, contract, policy):
    own = {FILE, ROW, *policy.columns.values()} | {column.name.casefold() for column in contract.columns}
    return [name for name in raw.columns if name not in own and name.casefold() not in own]


def _is_plain(kind):
    return kind.is_string() or kind.is_numeric() or kind.is_boolean() or kind.is_temporal() or kind.is_uuid()


def _attribute(internal_name, name, source, is_figure, policy):
    kind = source.type()
    if is_figure:
        text = source.strip() if policy.decimal == "." else source.strip().replace(",", ".")
        return Attribute(
            name, "number", internal_name, (text != "").ifelse(text, ibis.null("string")).try_cast("float64")
        )
    if kind.is_string():
        return Attribute(name, "text", internal_name, source)
    if kind.is_numeric() and not kind.is_boolean():
        return Attribute(name, "number", internal_name, source.cast("float64"))
    return Attribute(name, str(kind), internal_name, source)
