"""The door of surveys: answers as an instrument declares them, or everything that keeps them out."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import pandas as pd

from crmlab.contracts import InputError
from crmlab.service_quality.tables import remarks
from crmlab.service_quality.tables.answers import battery
from crmlab.service_quality.tables.instrument import MEASURES, Instrument, load
from crmlab.service_quality.tables.long import absent_columns, column_of, wanted, widened
from crmlab.service_quality.tables.people import people_of, points_of
from crmlab.service_quality.tables.reading import raw

NATURES = {
    "real": "real data",
    "simulated": "simulated data, not real",
    "demonstration": "demonstration data, not real",
}


@dataclass(frozen=True)
class Survey:
    """The checked answers to an instrument. All frames have the rows of `people`; one not asked has no columns.

    people         : respondent, wave, audience ("customer", "manager" or "staff"), weight, and the segment columns
    expect         : a column an item; float, NaN where missing or not applicable; reversed items turned round
    perceive, adequate, importance, standard, promise : the same
    not_applicable : bool, a column an item: the perception was answered "not applicable"
    points         : importance points, a column a dimension, each answered row summing to 100
    outcomes       : a column an outcome of the instrument; float
    found          : what the door found and did, in words
    warnings       : what looks wrong but was left as it is
    dropped        : item -> why it is no longer in the instrument
    """

    instrument: Instrument
    people: pd.DataFrame
    expect: pd.DataFrame
    perceive: pd.DataFrame
    adequate: pd.DataFrame
    importance: pd.DataFrame
    standard: pd.DataFrame
    promise: pd.DataFrame
    not_applicable: pd.DataFrame
    points: pd.DataFrame
    outcomes: pd.DataFrame
    found: pd.Series = field(default_factory=lambda: pd.Series(dtype=object))
    warnings: tuple[str, ...] = ()
    dropped: dict[str, str] = field(default_factory=dict)

    @property
    def waves(self):
        """The waves in which customers answered, in order."""
        return sorted(self.people.wave[self.people.audience == "customer"].unique().tolist())

    def of(self, audience="customer", wave=None):
        """The survey of one audience, or of all where None, and of one wave where given; rows are numbered anew."""
        known = self.people.wave.astype(str).unique()
        if wave is not None and str(wave) not in known:
            raise InputError(f"wave {wave!r}: there are {', '.join(sorted(known))}; choose one of them")
        kept = (self.people.audience == audience) | (audience is None)
        if wave is not None:
            kept &= self.people.wave.astype(str) == str(wave)
        frames = {f.name: value for f in fields(self) if isinstance(value := getattr(self, f.name), pd.DataFrame)}
        return replace(self, **{name: frame[kept].reset_index(drop=True) for name, frame in frames.items()})


def read(path, instrument):
    """The checked survey of a file: CSV, Parquet, Excel, Stata or SPSS; wide or long, as the instrument declares.

    instrument : an Instrument, or the path of an instrument file
    Raises InputError with every breach: what, where, how many, the first five, what to do.
    """
    instrument = instrument if isinstance(instrument, Instrument) else load(instrument)
    cells = raw(path, instrument.file, instrument.names)
    return admit(cells.table, instrument, Path(path).name, cells.told, cells.labels)


def admit(table, instrument, where="survey", told=None, labels=None):
    """The checked survey of a frame of cells, as `read` takes it from a file.

    told   : what was found in reading it, in words
    labels : column -> {code: text}, for the columns that say who answered
    """
    told = {"survey": f"{where} ({NATURES[instrument.data_kind]})", **(told or {})}
    if instrument.design.long:
        table, more = widened(table, instrument, where)
        told |= more
    columns = wanted(instrument) | {f"design.{use}": column for use, column in instrument.design.columns.items()}
    absent = {key: column for key, column in columns.items() if column not in table.columns}
    people, found_people, breaches = people_of(table, instrument, labels or {}, where)
    points, found_points, faults = points_of(table, instrument, where)
    batteries = _batteries(table, instrument, where)
    breaches = [*absent_columns(absent, table.columns, where), *breaches, *faults]
    breaches += [breach for found in batteries.values() for breach in found.breaches]
    if breaches:
        raise InputError(*breaches)
    frames = {name: found.values.reset_index(drop=True) for name, found in batteries.items()}
    marked = batteries["perceive"].not_applicable.reset_index(drop=True)
    survey = Survey(instrument, people, not_applicable=marked, points=points, **frames)
    return _looked_at(survey, told | found_people | found_points | _answered(batteries), where)


def _batteries(table, instrument, where):
    """Name -> Battery: one a measure, and the outcomes as one; columns that are not there are passed over."""
    decimal = instrument.file.decimal
    found = {}
    for measure in MEASURES:
        columns = {n: column_of(instrument, c, measure) for n, c in instrument.asked(measure).items()}
        columns = {n: c for n, c in columns.items() if c in table.columns}
        found[measure] = battery(table, columns, instrument.scale_of(measure), measure, where, decimal)
    parts = [
        battery(table, {name: outcome.column}, instrument.answers_to(name), f"outcomes.{name}", where, decimal)
        for name, outcome in instrument.outcomes.items()
        if outcome.column in table.columns
    ]
    return found | {"outcomes": _joined(parts, table)}


def _joined(parts, table):
    """Batteries of one column each as one."""
    empty = battery(table, {}, None, "", "")
    return replace(
        empty,
        values=pd.concat([empty.values, *(part.values for part in parts)], axis=1),
        worded=sum(part.worded for part in parts),
        blank=sum(part.blank for part in parts),
        asked=sum(part.asked for part in parts),
        breaches=tuple(breach for part in parts for breach in part.breaches),
    )


def _answered(batteries):
    """What was found of each battery, in words."""
    told = {}
    for name, found in batteries.items():
        if not found.values.size:
            continue
        inapplicable = int(found.not_applicable.to_numpy().sum())
        told[name] = f"{found.asked - found.blank - inapplicable:,} answers; {found.blank:,} missing"
        told[name] += f"; {inapplicable:,} not applicable" if inapplicable else ""
        told[name] += f"; {found.worded:,} in words" if found.worded else ""
    return told


def _looked_at(survey, told, where):
    """The survey with reversed items turned round, items without enough pairs dropped, and remarks on the rest."""
    survey, more = remarks.turned(survey)
    told |= more
    survey, more = remarks.paired(survey)
    told |= more
    if not survey.instrument.items:
        why = "; ".join(f"{name}: {reason}" for name, reason in [*survey.dropped.items()][:5])
        raise InputError(
            f"{where}: no item is left, {len(survey.dropped)} are dropped (first: {why}); correct the columns"
        )
    warnings, more = remarks.suspicious(survey)
    return replace(survey, found=pd.Series(told | more, dtype=object).rename("found"), warnings=tuple(warnings))
