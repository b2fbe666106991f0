"""Stata and SPSS files: their cells, and what they keep on codes beside them."""

from collections import Counter
from dataclasses import dataclass, field

from crmlab.contracts import SHOWN, statistical
from crmlab.service_quality.tables.cells import text, times


@dataclass(frozen=True)
class Codebook:
    """What a file declares of codes, by column: the texts they stand for, and those declared to be no answer.

    labels  : column -> {code as text: label}
    missing : column -> codes as text
    """

    labels: dict = field(default_factory=dict)
    missing: dict = field(default_factory=dict)

    def of(self, column):
        """Labels and missing codes of a column."""
        return self.labels.get(column, {}), self.missing.get(column, frozenset())

    def spread(self, column, columns):
        """What is said of one column, said of others."""
        labels, missing = self.of(column)
        noted = dict.fromkeys(columns, labels) if labels else {}
        return Codebook(self.labels | noted, self.missing | (dict.fromkeys(columns, missing) if missing else {}))

    def blanked(self, table):
        """The table without the cells declared to be no answer."""
        empty = {c: table[c].where(~table[c].map(text).isin(codes), None) for c, codes in self.missing.items()
                 if c in table.columns}  # fmt: skip
        return table.assign(**empty)


def cells_of(path, encoding, where, layout, listed):
    """Table, Codebook, wording by column and a remark in words, of a Stata or SPSS file.

    Stata's missing values .a to .z stay as such texts, so that an instrument may call one not applicable; all that a
    file declares to be missing is in the Codebook, as seen in the cells.
    """
    table, meta, said = statistical.read_codes(path, encoding, where, layout, listed)
    table = table.astype(object).rename(columns=text)
    extended = {text(column): set(letters) for column, letters in meta.missing_user_values.items()}
    table = table.assign(**{c: table[c].map(lambda v, of=of: f".{v}" if v in of else v) for c, of in extended.items()})
    missing = {c: frozenset(f".{letter}" for letter in letters) for c, letters in extended.items()}
    missing |= {text(c): _declared(table[text(c)], ranges) for c, ranges in meta.missing_ranges.items()}
    labels = {
        text(column): {_code(code, extended.get(text(column), ())): text(said) for code, said in named.items()}
        for column, named in meta.variable_value_labels.items()
    }
    wording = {text(c): text(said) for c, said in meta.column_names_to_labels.items() if said}
    summary = ({"encoding": said} if said else {}) | _declared_missing(table, missing, labels)
    return table, Codebook(labels, missing), wording, summary


def _code(code, letters):
    return f".{code}" if code in letters else text(code)


def _declared(cells, ranges):
    """The cells of a column, as text, that lie in its declared ranges."""
    return frozenset(text(cell) for cell in cells.dropna().unique() if statistical.is_declared(cell, ranges))


def _declared_missing(table, missing, labels):
    """How many cells a file declares to be no answer, and which; nothing where there are none."""
    seen: Counter[tuple[str, str]] = Counter()
    columns = 0
    for column, codes in missing.items():
        held = Counter(said for said in table[column].map(text) if said in codes)
        seen.update({(code, labels.get(column, {}).get(code, "")): n for code, n in held.items()})
        columns += bool(held)
    if not seen:
        return {}
    first = "; ".join(times(code, n) + (f" ({label})" if label else "") for (code, label), n in seen.most_common(SHOWN))
    return {"declared missing in the file": f"{seen.total():,} cells of {columns:,} columns: {first}"}
