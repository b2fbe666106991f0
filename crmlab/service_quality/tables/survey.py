"""Answers past the door: one row a respondent and wave, one frame a battery."""

from dataclasses import dataclass, field, fields, replace

import pandas as pd

from crmlab.service_quality.tables.instrument import Instrument


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

    def of(self, audience="customer", wave=None):
        """The survey of one audience, and of one wave where given; rows are numbered anew."""
        kept = self.people.audience == audience
        if wave is not None:
            kept &= self.people.wave.astype(str) == str(wave)
        frames = {f.name: value for f in fields(self) if isinstance(value := getattr(self, f.name), pd.DataFrame)}
        return replace(self, **{name: frame[kept].reset_index(drop=True) for name, frame in frames.items()})
