"""Who answered: respondents, waves, audiences, weights, segments, and the points they gave."""

from collections import Counter

import pandas as pd

from crmlab.contracts import SHOWN
from crmlab.service_quality.tables.answers import numbers
from crmlab.service_quality.tables.cells import folded, number, places, text, times
from crmlab.service_quality.tables.instrument import AUDIENCES
from crmlab.service_quality.tables.waves import ordered_waves

MIN_CUSTOMERS = 2  # respondents that a survey needs at least
POINTS, POINTS_TOLERANCE = 100, 1


def people_of(table, instrument, labels, where):
    """One row a respondent and wave; with what was found, in words, and the breaches."""
    design, rows = instrument.design, table.index
    cell = {use: _texts(table, column, labels) for use, column in design.columns.items() if column in table.columns}
    people = pd.DataFrame(index=rows)
    people["respondent"] = cell.get("respondent", pd.Series([str(i) for i in range(1, len(rows) + 1)], index=rows))
    people["wave"] = _waves(cell.get("wave", pd.Series("1", index=rows)))
    people["audience"] = cell["audience"].map(folded).map(_known(design)) if "audience" in cell else "customer"
    people["weight"], noted, faults = _weights(table, instrument, people, where)
    breaches = [*_unknown_respondents(people, cell, design, where), *_duplicate_respondents(people, cell, where)]
    breaches += faults
    for i, column in enumerate(design.segments):
        if column in table.columns:
            people[column] = cell[f"segments.{i}"].astype(object).where(lambda said: said != "")
    customers = people.respondent[people.audience == "customer"].nunique()
    if customers < MIN_CUSTOMERS and not breaches:
        breaches.append(f"{where}: {customers} customers answered; a gap and its interval need {MIN_CUSTOMERS} or more")
    return people.reset_index(drop=True), _people_summary(people) | noted, breaches


def _waves(said):
    """Waves as whole numbers where all are such, else as text."""
    read = {cell: number(cell) for cell in said.unique()}
    whole = all(value is not None and value.is_integer() and abs(value) < 1e9 for value in read.values())
    return said.map({cell: int(value) for cell, value in read.items()}) if whole else said


def _known(design):
    """What may stand for each audience, folded."""
    return {name: name for name in AUDIENCES} | {folded(said): a for said, a in design.audiences.items()}


def _unknown_respondents(people, cell, design, where):
    """Breaches for rows without respondent or wave, or of no known audience."""
    for use in ("respondent", "wave"):
        if use in cell and (empty := cell[use] == "").any():
            found = places(people.index, empty)
            yield f"{where}: {getattr(design, use)!r} ({use}) is empty in {found}; fill or drop them"
    if (odd := people.audience.isna()).any():
        counts = Counter(cell["audience"][odd]).most_common(SHOWN)
        noted = ", ".join(times(said, n) for said, n in counts)
        found = places(people.index, odd)
        yield (
            f"{where}: {design.audience!r} (audience) is none of {', '.join(AUDIENCES)} in {found}: {noted}; "
            "say which each is under audiences in [design]"
        )


def _duplicate_respondents(people, cell, where):
    """A breach for respondents with more than one row in a wave of their audience."""
    twice = people.duplicated(["respondent", "wave", "audience"]) & (people.respondent != "")
    if twice.any() and "respondent" in cell:
        again = ", ".join(repr(r) for r in people.respondent[twice].unique()[:SHOWN])
        yield (
            f"{where}: a respondent stands in a wave again in {places(people.index, twice)}: {again}; "
            "keep one row of each, or name the column of the wave in [design]"
        )


def _texts(table, column, labels):
    """A column as text; codes by the texts that Stata or SPSS keep for them."""
    named = {text(code): text(label) for code, label in labels.get(column, {}).items()}
    return table[column].map(text).map(lambda cell: named.get(cell, cell))


def _weights(table, instrument, people, where):
    """The weight of each row, 1 where none is declared; with what was found and the breaches."""
    column = instrument.design.weight
    if column is None or column not in table.columns:
        return pd.Series(1.0, index=table.index), {}, []
    given, odd = numbers(table, {"weight": column}, instrument.file.decimal)
    weight, odd = given.weight, odd.weight
    customers = people.audience == "customer"
    wrong = {
        "is not a number": odd,
        "is empty": weight.isna() & ~odd & customers,
        "is negative or without end": (weight < 0) | weight.isin([float("inf")]),
    }
    breaches = [
        f"{where}: {column!r} (weight) {fault} in {places(table.index, rows)}; give every customer one of zero or more"
        for fault, rows in wrong.items()
        if rows.any()
    ]
    if not breaches and customers.any() and not weight[customers].any():
        breaches.append(
            f"{where}: {column!r} (weight) is zero in all rows of customers; give some a weight, or declare none"
        )
    filled = int((weight.isna() & ~customers).sum())
    noted = {"weights": f"{weight.min():.4g} to {weight.max():.4g}, {int((weight == 0).sum()):,} of them zero"}
    if filled:
        noted["weights left empty"] = f"{filled:,} rows of managers and staff, counted as 1"
    return weight.fillna(1.0), noted, breaches


def _people_summary(people):
    noted, (waves, why) = {"rows": f"{len(people):,}, one a respondent and wave"}, ordered_waves(people.wave)
    if len(waves) > 1:
        noted["waves"] = f"{', '.join(map(str, waves))}, in order of {why}"
    for audience in AUDIENCES:
        if (rows := people.audience == audience).any():
            counts = people.wave[rows].value_counts()
            held = [f"wave {w}: {counts[w]:,}" for w in waves if w in counts]
            spread = "" if len(waves) == 1 else f" ({', '.join(held)})"
            noted[f"respondents: {audience}"] = f"{people.respondent[rows].nunique():,}{spread}"
    return noted


def points_of(table, instrument, where):
    """Importance points by dimension, each row that gave them summing to 100; with what was found and the breaches."""
    columns = {dimension: c for dimension, c in instrument.points.items() if c in table.columns}
    points, odd = numbers(table, columns, instrument.file.decimal)
    if not columns:
        return points.reset_index(drop=True), {}, []
    given, total = points.notna().any(axis=1), points.sum(axis=1)
    breaches = [*_wrong_points(points, odd, total, where)] if len(columns) == len(instrument.points) else []
    shares = points.mul(POINTS / total.where(given & (total > 0)), axis=0)
    shares = shares.where(shares.notna() | ~given.to_numpy()[:, None], 0.0)
    rescaled = given & ((total - POINTS).abs() > 1e-9)
    noted = f"{int(given.sum()):,} respondents; {int(rescaled.sum()):,} rescaled to sum to {POINTS}"
    if filled := int((points.isna().any(axis=1) & given).sum()):
        noted += f"; {filled:,} left a dimension empty, counted as none"
    return shares.reset_index(drop=True), {"importance points": noted}, breaches


def _wrong_points(points, odd, total, where):
    """Breaches for points that are no numbers, negative, or do not sum to 100."""
    astray = points.notna().any(axis=1) & ((total - POINTS).abs() > POINTS_TOLERANCE + 1e-9)
    sums = ", ".join(f"{t:g}" for t in total[astray][:SHOWN])
    wrong = {
        "are not numbers": odd.any(axis=1),
        "are negative": (points < 0).any(axis=1),
        f"do not sum to {POINTS}, give or take {POINTS_TOLERANCE}, but to {sums},": astray,
    }
    for fault, rows in wrong.items():
        if rows.any():
            found = places(points.index, rows)
            yield f"{where}: importance points {fault} in {found}; correct them, or leave them empty"
