"""Validation of surveys: answers as an instrument declares them, or every breach of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.entry import NATURES
from crmlab.sentences import sentence, templates
from crmlab.service_quality.tables import remarks
from crmlab.service_quality.tables.answers import read_battery
from crmlab.service_quality.tables.cells import text, times
from crmlab.service_quality.tables.instrument import MEASURES, Instrument, load_instrument, located
from crmlab.service_quality.tables.labelled import Codebook
from crmlab.service_quality.tables.long import absent_columns, column_of, required_columns, to_wide
from crmlab.service_quality.tables.outcomes import read_outcomes
from crmlab.service_quality.tables.people import people_of, points_of
from crmlab.service_quality.tables.reading import read_cells
from crmlab.service_quality.tables.rows import left_out
from crmlab.service_quality.tables.waves import nearest_wave, ordered_waves

AUDIENCE_NAMES = {"customer": "customers", "manager": "managers", "staff": "staff"}


@dataclass(frozen=True)
class Survey:
    """The checked answers to an instrument; all frames have the rows of `people`, and one not asked has no columns.

    Parameters
    ----------
    instrument : Instrument
        What was asked, without items that were dropped.
    people : DataFrame
        respondent, wave, audience ("customer", "manager" or "staff"), weight, and the columns of segments.
    expect, perceive, adequate, importance, standard, promise : DataFrame
        A column an item, on the scale of the battery; NaN where missing or not applicable; reversed items turned round.
    not_applicable : DataFrame
        bool, a column an item: the perception was answered "not applicable".
    points : DataFrame
        Importance points, a column a dimension, each answered row summing to 100.
    outcomes : DataFrame
        A column an outcome of the instrument.
    outcome_answers : DataFrame
        The answers from which outcomes of several columns are combined, by column of the survey.
    findings : Series
        What validation found and did, in words.
    warnings : tuple of str
        What looks wrong but was left as it is.
    dropped : dict of str
        Item -> why it is no longer in the instrument.
    wave_order : tuple
        All waves, in order.
    """

    given_by: ClassVar[str] = "service_quality.read_survey"
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
    outcome_answers: pd.DataFrame
    findings: pd.Series = field(default_factory=lambda: pd.Series(dtype=object))
    warnings: tuple[str, ...] = ()
    dropped: dict[str, str] = field(default_factory=dict)
    wave_order: tuple = ()

    @property
    def title(self) -> str:
        """The title of the instrument, or its name."""
        return self.instrument.title or self.instrument.name

    @property
    def name(self) -> str:
        """The file of the answers, or how they are called."""
        return str(self.findings.get("survey", "survey")).partition(" (")[0]

    @property
    def nature(self) -> str:
        """Whether the answers are real, as the instrument says: "real", "simulated" or "demonstration"."""
        return self.instrument.data_kind

    @property
    def about(self) -> str:
        """Whose answers these are and whether they are real, in a sentence."""
        customers = int((self.people.audience == "customer").sum())
        waves = ", ".join(map(str, self.people.wave[self.people.audience == "customer"].drop_duplicates()))
        values = {"title": self.title, "found": self.findings.get("survey", "survey")}
        return sentence(
            templates("crmlab.service_quality")["survey"]["about"], values | {"customers": customers, "waves": waves}
        )

    @property
    def summary(self) -> pd.DataFrame:
        """What validation found and did, a line each."""
        return pd.DataFrame({"found": self.findings})

    @property
    def waves(self) -> list:
        """The waves in which customers answered, in order."""
        return self._of_whom("customer")

    def select(self, audience: str | None = "customer", wave: str | int | None = None) -> "Survey":
        """The survey of one audience, of one wave or all; rows are numbered anew.

        Parameters
        ----------
        audience : str, optional
            "customer", "manager" or "staff"; None takes all.
        wave : str or int, optional
            A wave of the survey; None takes all.

        Returns
        -------
        Survey
            With those rows.

        Raises
        ------
        InputError
            If there is no such wave.
        """
        self._known(wave)
        kept = (self.people.audience == audience) | (audience is None)
        if wave is not None:
            kept &= self.people.wave.astype(str) == str(wave)
        return keep_rows(self, kept)

    def as_of(self, wave: str | int | None = None) -> "Survey":
        """The survey as of a wave: its customers, and the latest answers of managers and staff.

        Parameters
        ----------
        wave : str or int, optional
            A wave of the survey; None takes the last of customers.

        Returns
        -------
        Survey
            Each audience of one wave.

        Raises
        ------
        InputError
            If there is no such wave.

        Notes
        -----
        An audience that did not answer in the wave stands with the latest wave before it in which it did or, where
        there is none, with the first after it; `summary` and `warnings` say so.
        """
        self._known(wave)
        wave = str(self.waves[-1] if wave is None else wave)
        kept, notes = np.zeros(len(self.people), dtype=bool), dict[str, str]()
        for audience, whose in AUDIENCE_NAMES.items():
            theirs = [str(held) for held in self._of_whom(audience)]
            chosen, note = (wave, "") if audience == "customer" else nearest_wave(wave, theirs, self._all)
            kept |= ((self.people.audience == audience) & (self.people.wave.astype(str) == chosen)).to_numpy()
            notes |= {f"wave of {whose}": note} if note else {}
        noted = pd.concat([self.findings, pd.Series(notes, dtype=object)]).rename("found")
        listed_ = tuple(f"{what}: {note}" for what, note in notes.items())
        return replace(keep_rows(self, kept), findings=noted, warnings=self.warnings + listed_)

    @property
    def _all(self):
        """All waves, in order, as text."""
        return [str(wave) for wave in self.wave_order or ordered_waves(self.people.wave)[0]]

    def _of_whom(self, audience):
        """The waves in which an audience answered, in order."""
        theirs = self.people.wave[self.people.audience == audience].unique().tolist()
        return sorted(theirs, key=lambda wave: self._all.index(str(wave)))

    def _known(self, wave):
        """Raises InputError for a wave that there is not."""
        there = set(map(str, self.people.wave.unique()))
        if wave is not None and str(wave) not in there:
            held = ", ".join(name for name in self._all if name in there)
            raise InputError(f"wave {wave!r}: there are {held}; choose one of them")


def keep_rows(survey, kept):
    """The survey of the rows `kept`, an array of bool, numbered anew."""
    frames = {name: value for name, value in vars(survey).items() if isinstance(value, pd.DataFrame)}
    return replace(survey, **{name: frame[np.asarray(kept)].reset_index(drop=True) for name, frame in frames.items()})


def read_survey(survey: str | Path, instrument: Instrument | str | Path) -> Survey:
    """The checked survey of a file: CSV, Parquet, Excel, Stata or SPSS; wide or long, as the instrument declares.

    Parameters
    ----------
    survey : str or Path
        Of the file, from the working folder or, failing that, from the project's.
    instrument : Instrument or str or Path
        What was asked, or its file.

    Returns
    -------
    Survey
        With what was found in `findings` and `warnings`.

    Raises
    ------
    InputError
        With every breach: what, where, how many, the first five, what to do.

    Examples
    --------
    >>> from crmlab import service_quality
    >>> survey = service_quality.read_survey("data/example_survey.csv", "data/example_survey.toml")
    >>> survey.waves
    [1, 2]
    """
    instrument = instrument if isinstance(instrument, Instrument) else load_instrument(instrument)
    path = located(survey)
    cells = read_cells(path, instrument.file, instrument.names)
    return validate_survey(cells.table, instrument, path.name, cells.summary, cells.codebook)


def validate_survey(
    table: pd.DataFrame,
    instrument: Instrument,
    where: str = "survey",
    findings: Mapping[str, str] | None = None,
    codebook: Codebook | None = None,
) -> Survey:
    """The checked survey of a frame of cells, as `read_survey` takes it from a file.

    Parameters
    ----------
    table : DataFrame
        Cells as they stand in the file, a column a question.
    instrument : Instrument
        What was asked.
    where : str
        What messages call the survey.
    findings : mapping, optional
        What was found in reading it, in words.
    codebook : Codebook, optional
        What the file declares of codes.

    Returns
    -------
    Survey
        With what was found in `findings` and `warnings`.

    Raises
    ------
    InputError
        With every breach: what, where, how many, the first five, what to do.
    """
    found = {"survey": f"{where} ({NATURES[instrument.data_kind]})", **(findings or {})}
    codebook = codebook or Codebook()
    table, more = left_out(table, instrument, codebook, where)
    found |= more
    if long := instrument.design.long:
        table, more = to_wide(table, instrument, where)
        found |= more
        codebook = codebook.spread(long.answer, table.columns.difference([*codebook.labels, *codebook.missing]))
    columns = required_columns(instrument) | {f"design.{use}": c for use, c in instrument.design.columns.items()}
    absent = {key: column for key, column in columns.items() if column not in table.columns}
    bare = codebook.blanked(table)
    people, found_people, breaches = people_of(bare, instrument, codebook.labels, where)
    points, found_points, faults = points_of(bare, instrument, where)
    read = partial(read_battery, table, where=where, decimal=instrument.file.decimal, codebook=codebook)
    outcomes = read_outcomes(read, table, instrument)
    batteries = _batteries(read, table, instrument) | {"outcomes": outcomes.battery}
    breaches = [*absent_columns(absent, table.columns, where, columns.values()), *breaches, *faults]
    breaches += [breach for found in batteries.values() for breach in found.breaches]
    if breaches:
        raise InputError(*breaches)
    frames = {name: found.values.reset_index(drop=True) for name, found in batteries.items()}
    marked = batteries["perceive"].not_applicable.reset_index(drop=True)
    wave_order = tuple(ordered_waves(people.wave)[0])
    frames |= {"not_applicable": marked, "outcome_answers": outcomes.answers.reset_index(drop=True)}
    survey = Survey(instrument, people, points=points, wave_order=wave_order, **frames)
    found |= found_people | found_points | _answer_counts(batteries) | outcomes.findings
    found |= _count_codes(table, instrument)
    return _with_remarks(survey, found, where)


def _batteries(read, table, instrument):
    """Measure -> Battery; columns that are not there are passed over."""
    found = {}
    for measure in MEASURES:
        columns = {n: column_of(instrument, c, measure) for n, c in instrument.measure_columns(measure).items()}
        columns = {n: c for n, c in columns.items() if c in table.columns}
        found[measure] = read(columns, instrument.scale_of(measure), measure)
    return found


def _answer_counts(batteries):
    """What was found of each battery, in words."""
    listed_ = {}
    for name, found in batteries.items():
        if not found.values.size:
            continue
        inapplicable = int(found.not_applicable.to_numpy().sum())
        listed_[name] = f"{found.n_cells - found.n_missing - inapplicable:,} answers; {found.n_missing:,} missing"
        listed_[name] += f"; {inapplicable:,} not applicable" if inapplicable else ""
        listed_[name] += f"; {found.n_worded:,} in words" if found.n_worded else ""
    return listed_


def _count_codes(table, instrument):
    """What counts lost to codes of the common scale, in words, as such numbers might be counts."""
    listed_ = {}
    for name, outcome in instrument.outcomes.items():
        if outcome.high is None and outcome.missing is None:
            codes = {str(code) for code in instrument.outcome_with_codes(name).missing if not isinstance(code, str)}
            seen = [said for column in outcome.asked for said in table[column].map(text)]
            if counts := Counter(said for said in seen if said in codes):
                found = ", ".join(times(code, n) for code, n in counts.items())
                listed_[f"outcomes.{name}: codes"] = (
                    f"{found}, missing as on the scale; missing = [] under outcomes.{name} makes them counts"
                )
    return listed_


def _with_remarks(survey, listed_, where):
    """The survey with reversed items turned round, items without enough pairs dropped, and remarks on the rest."""
    survey, more = remarks.reverse_coded(survey)
    listed_ |= more
    survey, more = remarks.drop_unpaired_items(survey)
    listed_ |= more
    if not survey.instrument.items:
        why = "; ".join(f"{name}: {reason}" for name, reason in [*survey.dropped.items()][:5])
        raise InputError(
            f"{where}: no item is left, {len(survey.dropped)} are dropped (first: {why}); correct the columns"
        )
    warnings, more = remarks.plausibility_warnings(survey)
    return replace(survey, findings=pd.Series(listed_ | more, dtype=object).rename("found"), warnings=tuple(warnings))
