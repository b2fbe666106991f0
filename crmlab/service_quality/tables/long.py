"""Surveys of one answer a row, made as wide as those of one respondent a row."""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError, suggest
from crmlab.service_quality.tables.cells import folded, places, text
from crmlab.service_quality.tables.relations import MEASURES


def to_wide(raw, instrument, where):
    """A row a respondent (and wave and audience), a column an answer; with what it left out, by name.

    raw : cells of a file, one answer a row; the instrument's [design.long] names which column holds what
    Raises InputError for columns that are not there, an answer given twice, or a person described in two ways.
    """
    design, long = instrument.design, instrument.design.long
    keys = [column for column in (design.respondent, design.wave, design.audience) if column]
    _require_columns(raw, design, where)
    group, whose = pd.factorize(pd.MultiIndex.from_frame(raw[keys].map(text)))
    said, asked = _columns(raw, long), set(required_columns(instrument).values())
    person = [design.weight, *design.segments, *_respondent_columns(raw, instrument, said)]
    person = [column for column in dict.fromkeys(person) if column]
    faults = [*_duplicate_answers(raw, group, said, where), *_contradicting_rows(raw, group, person, where)]
    faults += _ambiguous_names(said, asked, [*keys, *person], where)
    if faults:
        raise InputError(*faults)
    answer, columns = pd.factorize(said)
    cells = np.full((len(whose), len(columns)), None, dtype=object)
    cells[group, answer] = raw[long.answer].to_numpy(object)
    first = np.unique(group, return_index=True)[1]
    names = raw[design.respondent].map(text).to_numpy()[first]
    people = raw[keys].iloc[first].assign(**{c: _first_answers(raw[c], group)[first] for c in person}).set_axis(names)
    answers = pd.DataFrame(cells, index=people.index, columns=list(columns))
    answers = answers.drop(columns=people.columns, errors="ignore")
    spare = sorted(set(columns) - asked)
    noted = {"answers": f"{len(raw):,}, one a row"}
    noted |= {"items the instrument does not name": ", ".join(spare)} if spare else {}
    return pd.concat([people, answers], axis=1), noted


def _respondent_columns(raw, instrument, said):
    """Columns of the file that hold outcomes or points of a respondent, where no item is called so."""
    named = [column for outcome in instrument.outcomes.values() for column in outcome.asked]
    named += [*instrument.points.values()]
    return [column for column in named if column in raw.columns and column not in set(said)]


def _first_answers(cells, group):
    """What is said of each respondent in a column: the first cell of theirs that holds something; an array."""
    held = cells.where(cells.map(text) != "", None)
    return held.groupby(group).transform("first").to_numpy(object)


def _require_columns(raw, design, where):
    """Raises InputError where columns that every answer needs are not there."""
    if design.respondent is None:
        raise InputError(f"{where}: [design] respondent is missing; a long survey needs it to know whose an answer is")
    needed = {f"design.{use}": column for use, column in design.columns.items()}
    named = {"item": design.long.item, "answer": design.long.answer, "kind": design.long.kind}
    needed |= {f"design.long.{use}": column for use, column in named.items() if column}
    absent = {key: column for key, column in needed.items() if column not in raw.columns}
    if absent:
        raise InputError(*absent_columns(absent, raw.columns, where))


def required_columns(instrument):
    """Key of the instrument -> column of the wide table, of everything that is answered."""
    found = {
        f"items.{name}.{measure}": column_of(instrument, column, measure)
        for name, item in instrument.items.items()
        for measure, column in item.columns.items()
    }
    found |= {f"points.{dimension}": column for dimension, column in instrument.points.items()}
    for name, outcome in instrument.outcomes.items():
        keys = [f"outcomes.{name}"] if outcome.column else [f"outcomes.{name}.{i}" for i in range(len(outcome.columns))]
        found |= dict(zip(keys, outcome.asked, strict=True))
    return found


def column_of(instrument, column, measure):
    """The wide table's column for a battery's answer: as the instrument has it, with its kind where rows name one."""
    long = instrument.design.long
    return f"{column} ({measure})" if long and long.kind else column


def absent_columns(absent, there, where, named=()):
    """A breach for columns that an instrument names and a survey has not (key -> column); none where there are none.

    named : columns that the instrument names, which none of those that are absent can be
    """
    if not absent:
        return []
    spare = [column for column in there if column not in set(named)]
    noted = "; ".join(
        "; ".join(filter(None, (f"{column!r} ({key})", suggest(column, spare, otherwise=""))))
        for key, column in list(absent.items())[:5]
    )
    shown = ", ".join(map(repr, list(there)[:40])) + (f" and {len(there) - 40} more" if len(there) > 40 else "")
    first = "first: " if len(absent) > 5 else ""
    return [
        f"{where}: {len(absent):,} of the instrument's columns are not there ({first}{noted}); "
        f"there are {shown}; correct the instrument or the survey"
    ]


def _columns(raw, long):
    """What each row answers, as `column_of` names it; a row of no known kind is called by its item alone."""
    item = raw[long.item].map(text)
    if not long.kind:
        return item.to_numpy(object)
    kinds = {measure: measure for measure in MEASURES} | long.kinds
    known = {folded(label): measure for measure, label in kinds.items()}
    kind = raw[long.kind].map(lambda cell: known.get(folded(cell)))
    return np.where(kind.isna(), item, item + " (" + kind.fillna("") + ")").astype(object)


def _duplicate_answers(raw, group, said, where):
    twice = pd.DataFrame({"group": group, "said": said}).duplicated(keep="first").to_numpy()
    if twice.any():
        yield f"{where}: an item is answered twice by a respondent in {places(raw.index, twice)}; keep one answer"


def _ambiguous_names(said, asked, people, where):
    """A breach for items called as columns about a person, where the instrument names one."""
    if alike := sorted(asked & set(said) & set(people)):
        noted = ", ".join(map(repr, alike))
        yield f"{where}: {noted} are both items and columns about respondents; rename either"


def _contradicting_rows(raw, group, person, where):
    """Breaches for columns about a person that change from one of their rows to the next."""
    for column in person:
        cells = raw[column].map(text)
        first = pd.Series(_first_answers(raw[column], group), raw.index).map(text)
        if (difference := ((cells != first) & (cells != "")).to_numpy()).any():
            found = places(raw.index, difference)
            yield f"{where}: {column!r} is not the same for all answers of a respondent in {found}; correct it"
