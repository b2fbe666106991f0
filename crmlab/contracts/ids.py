"""Ids of customers as they stand: which are missing, which only look it, and which are written in more than one way.

Nothing is merged unless `ids = "tidy"` is stated: then blanks around an id go, equal letters are coded alike (Unicode's
NFC), `13085.0` is 13085, `1E+05` is 100000, and words such as NULL are no id.
"""

from typing import Any

import ibis
import ibis.expr.types as ir

from crmlab import engines, masks
from crmlab.contracts.contract import Column, Rule, first, in_rows

MISSING_WORDS = (
    *("0", "0.0", "nan", "null", "none", "nil", "na", "n/a", "#n/a", "#null!", "unknown", "undefined", "anonymous"),
    *("guest", "(null)", "(blank)", "(none)", "\\n", "?", "-", "."),
)
PLAIN = r"^[A-Za-z0-9_-]*[1-9][A-Za-z0-9_-]*$"  # most ids: nothing about them is to be looked at closer
BLANKS = "\\s\u00a0\u2007\u202f\ufeff"
LARGEST = 2**53  # below which a float holds whole numbers exactly
WHOLE = r"^([0-9]+)\.0+$"
EXPONENT = r"^[0-9](\.[0-9]{1,4})?[eE]\+(0?[4-9]|1[0-5])$"  # as spreadsheets show whole numbers


def read(source: ir.Value, column: Column, policy: Any) -> tuple[ir.Value, list[Rule]]:
    """The ids in a column as text, null where there is none; with the rule that there is one, if that is asked."""
    kind, name = source.type(), column.name
    if kind.is_floating() and policy.ids == "tidy":
        whole = (source % 1 == 0) & (source.abs() < LARGEST)
        source = whole.ifelse(source, ibis.null(kind)).try_cast("int64").cast("string").coalesce(source.cast("string"))
    elif kind.is_floating() or not (kind.is_string() or kind.is_integer() or kind.is_uuid()):
        whole = ", or state ids = 'tidy' where they are whole numbers" if kind.is_floating() else ""
        raise TypeError(f"which does not keep ids such as 00123; store it as text{whole}")
    text = source.cast("string")
    value = tidy(text) if policy.ids == "tidy" else text
    if policy.missing_ids != "error":
        return value.re_search(r"\S").ifelse(value, ibis.null("string")), []

    def is_missing(t):
        return t[name].isnull() | ~t[name].re_search(r"\S")

    kept = "'anonymous' or " if policy.contract == "transactions" else ""
    remedy = f"fill them, or state missing_ids = {kept}'drop' in data/catalog.toml"
    return value, [Rule(name, "is empty", is_missing, remedy)]


def tidy(text: ir.StringValue) -> ir.StringValue:
    """Ids written in one way, null where a word stands for a missing one."""
    odd = _composed(text).re_replace(f"^[{BLANKS}]+|[{BLANKS}]+$", "").re_replace(WHOLE, r"\1")
    exponent = odd.re_search(EXPONENT)
    spelled = exponent.ifelse(odd, ibis.null("string")).try_cast("float64").try_cast("int64").cast("string")
    odd = exponent.ifelse(spelled, odd)
    odd = odd.lower().isin([*MISSING_WORDS, ""]).ifelse(ibis.null("string"), odd)
    return text.re_search(PLAIN).ifelse(text, odd)


def counts(t: ir.Table, name: str) -> dict:
    """What was counted of the ids in a typed table: rows where they are missing, look it, or untidy."""
    raw = t[f"raw_{name}"].cast("string").name("id").as_table()
    odd = raw.filter(raw.id.isnull() | ~raw.id.re_search(PLAIN))
    odd = odd.mutate(there=odd.id.re_search(r"\S").fill_null(False), tidy=tidy(odd.id))
    odd = odd.mutate(junk=odd.there & odd.tidy.isnull(), untidy=odd.there & (odd.tidy != odd.id).fill_null(False))
    found = {"missing_ids": (~odd.there).sum()}
    for kind in ("junk", "untidy"):
        some = odd[kind]
        found |= {
            f"{kind}_ids": some.sum(),
            f"{kind}_first": odd.id.min(where=some),
            f"{kind}_last": odd.id.max(where=some),
        }
    counted = first(odd.aggregate(**found))
    return {name: 0 if value is None and name.endswith("_ids") else value for name, value in counted.items()}


def words(c: dict, entry: Any) -> dict[str, str]:
    """What was counted, in words; nothing where all ids are plain."""
    found, tidied = {}, entry.ids == "tidy"
    if c["junk_ids"]:
        done = "taken as missing" if tidied else "each counted as a customer; ids = 'tidy' takes them as missing"
        found["ids that look missing"] = f"{in_rows(c['junk_ids'])}{_examples(c, 'junk')}: {done}"
    if c["untidy_ids"]:
        done = "tidied" if tidied else "left as they are; ids = 'tidy' writes them in one way"
        found["ids written in several ways"] = f"{in_rows(c['untidy_ids'])}{_examples(c, 'untidy')}: {done}"
    missing = c["missing_ids"] + (c["junk_ids"] if tidied else 0)
    if missing and entry.missing_ids != "error":
        done = {"drop": "dropped", "anonymous": "anonymous, in the identification rate only"}[entry.missing_ids]
        of = c["rows"] + (missing if entry.missing_ids == "drop" else 0)
        found["rows without an id"] = f"{missing:,} of {of:,} ({missing / of:.1%}): {done}"
    return found


def _examples(c, kind):
    written = masks.outline if kind == "untidy" else repr  # words that stand for a missing id are nobody's
    shown = dict.fromkeys(map(written, (c[f"{kind}_first"], c[f"{kind}_last"])))
    return f" (such as {', '.join(shown)})"


def _composed(text):
    """Text with its letters in composed form, on the engine that can do that."""
    return _nfc(text) if engines.is_embedded(text) else text


@ibis.udf.scalar.builtin(name="nfc_normalize")
def _nfc(text: str) -> str:  # type: ignore[empty-body]
    """DuckDB's."""
