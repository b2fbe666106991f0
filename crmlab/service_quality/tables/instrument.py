"""What a questionnaire asked, of which respondents and on what scale: the instrument file, checked.

An instrument is TOML; what is marked * must be there, the rest may be left out:

    name, title                    what the report calls it
    data_kind                      "real" (so taken), "simulated" or "demonstration"
    [scale] low* high*             of every battery; whole numbers
        missing, not_applicable    lists of codes, numbers or text, that are no answers
        labels                     { "strongly agree" = 7, "非常满意" = 7 }: text answers and what they count as;
                                   case, blanks around and full-width forms do not count, here and everywhere; the
                                   labels that Stata and SPSS keep for codes are read as such text too, and what they
                                   declare to be missing is missing
    [scales.importance] low* high* a scale of its own for expect, perceive, adequate, importance, standard or promise;
        extent                     true: how far a standard is set or a promise kept, never subtracted from anything
    [dimensions]*                  tangibles = ["T1", "T2"]: the items of each, in order
    [items]*                       T1 = { text = "...", expect = "E1", perceive = "P1" }: the column of each battery;
                                   also adequate, importance, standard, promise, and reversed = true
    [points]                       tangibles = "W1": columns of importance points, which sum to 100 over the dimensions
    [outcomes.NAME] column* low*   a question beside the batteries; without `high` it is a count and has no end
        columns, combine, answered in place of `column`: columns = ["S1", "S2", "S3"], combined by their "mean" (so
                                   taken) or "max" where `answered` or more of them (without it, all) are answered
        high, kind, text           kind: satisfaction, loyalty, recommend, complaint, resolved, word_of_mouth, buying
                                   or other
        missing, labels            its own codes and labels; without `missing`, those of [scale] that are no answers
                                   here are (of a count: all codes of missing answers but 0)
    [design]                       columns: respondent, weight, wave, audience; segments = ["region", "tier"]
        audiences                  { "Filialleiter" = "manager" }: values of `audience` that are not
                                   customer, manager or staff already
    [design.long] item* answer*    one answer a row: the columns that name the item and hold the answer; items,
        kind, kinds                outcomes and points then give the name in `item`, or a column that says the same in
                                   all rows of a respondent; `kinds`, { expect = "E" }, says how the column `kind`
                                   writes expect, perceive and so on
    [rows] leave_out               rows that are no part of the survey, by a condition on columns of the file:
                                   "consent = 'no' OR age < 18"; text in single quotes is compared with a cell or the
                                   label of its code, a number or a day ('2024-12-31') with the cell read as such; it
                                   knows what crmlab/contracts/expressions.py lists; a row with an empty cell is kept
    [conventions] gap, overall     "P-E" and "mean of dimensions": what is computed, stated
        desired                    true: `expect` asked for the desired level, so that a zone of tolerance exists
    [file]                         encoding, delimiter, decimal, sheet, member of a .zip: where they cannot be found out

`crmlab new instrument` writes `decide:` into the comment of each guess that is doubtful; an instrument is refused while
a comment has it.
"""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import AfterValidator, Field, model_validator

from crmlab import files
from crmlab.contracts import InputError, encodings
from crmlab.contracts.settings import read_settings, read_toml, undecided
from crmlab.service_quality.tables.cells import clashes
from crmlab.service_quality.tables.relations import MEASURES, relations
from crmlab.service_quality.tables.scales import Column, Outcome, Scale, Strict, listed

Measure = Literal["expect", "perceive", "adequate", "importance", "standard", "promise"]
Audience = Literal["customer", "manager", "staff"]
AUDIENCES = get_args(Audience)
PEOPLE = ("respondent", "wave", "audience", "weight")  # what a survey knows of whoever answered, beside segments


class Item(Strict):
    """One statement: its dimension, its wording, and the column of each battery that asked it.

    Parameters
    ----------
    dimension : str
        As [dimensions] has it.
    text : str
        The wording.
    expect, perceive, adequate, importance, standard, promise : str, optional
        Column of the survey; None where not asked.
    reversed : bool
        Whether a high answer means little of it.
    """

    dimension: str = ""
    text: str = ""
    expect: Column | None = None
    perceive: Column | None = None
    adequate: Column | None = None
    importance: Column | None = None
    standard: Column | None = None
    promise: Column | None = None
    reversed: bool = False

    @property
    def columns(self) -> dict[str, str]:
        """Measure -> column, of those that were asked."""
        return {m: column for m in MEASURES if (column := getattr(self, m))}


class Long(Strict):
    """Columns of a survey of one answer a row."""

    item: Column
    answer: Column
    kind: Column | None = None
    kinds: dict[Measure, str] = Field(default_factory=dict)

    def _faults(self):
        return (f"kinds: {line}" for line in clashes((said, measure) for measure, said in self.kinds.items()))


class Design(Strict):
    """Who answered, when, with what weight, and how they are grouped."""

    respondent: Column | None = None  # None: every row is another one
    weight: Column | None = None
    wave: Column | None = None
    audience: Column | None = None  # None: all are customers
    segments: tuple[Column, ...] = ()
    audiences: dict[str, Audience] = Field(default_factory=dict)
    long: Long | None = None

    def _faults(self):
        taken = "which respondents have already, from a column of any name; rename the column"
        yield from (f"segments names {name!r}, {taken}" for name in PEOPLE if name in self.segments)
        if twice := {name for name in self.segments if self.segments.count(name) > 1}:
            yield f"segments names {listed(twice)} more than once; keep one"
        yield from (f"audiences: {line}" for line in clashes(self.audiences.items()))

    @property
    def columns(self) -> dict[str, str]:
        """Use -> column, of those declared."""
        single = {use: column for use in ("respondent", "weight", "wave", "audience") if (column := getattr(self, use))}
        return single | {f"segments.{i}": column for i, column in enumerate(self.segments)}


class Rows(Strict):
    """Which rows of the file are no part of the survey."""

    leave_out: str | None = Field(default=None, min_length=1)  # None: all are


class Conventions(Strict):
    """How gaps are computed, stated so that a reader need not guess."""

    gap: Literal["P-E"] = "P-E"
    overall: Literal["mean of dimensions"] = "mean of dimensions"
    desired: bool = False


class File(Strict):
    """How the survey is written, where that cannot be found out."""

    encoding: Annotated[str, AfterValidator(encodings.known)] | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    sheet: str | None = None
    member: str | None = None


class Instrument(Strict):
    """A questionnaire: its scales, dimensions, items, outcomes and design.

    Parameters
    ----------
    name, title : str
        What reports call it.
    data_kind : {"real", "simulated", "demonstration"}
        Whose answers they are.
    scale : Scale
        Of every battery.
    scales : dict of Scale
        Measure -> a scale of its own.
    dimensions : dict of list
        Dimension -> its items, in order.
    items : dict of Item
        By name.
    points : dict of str
        Dimension -> column of its importance points.
    outcomes : dict of Outcome
        By name.
    design : Design
        Columns on respondents.
    rows : Rows
        Which rows are left out.
    conventions : Conventions
        How gaps are computed.
    file : File
        How the survey is written.
    """

    name: str = "instrument"
    title: str = ""
    data_kind: Literal["real", "simulated", "demonstration"] = "real"
    scale: Scale
    scales: dict[Measure, Scale] = Field(default_factory=dict)
    dimensions: dict[str, list[str]]
    items: dict[str, Item]
    points: dict[str, Column] = Field(default_factory=dict)
    outcomes: dict[str, Outcome] = Field(default_factory=dict)
    design: Design = Design()
    rows: Rows = Rows()
    conventions: Conventions = Conventions()
    file: File = File()

    def _faults(self):
        return relations(self.model_dump())

    @model_validator(mode="after")
    def _place_items(self):
        placed = {
            name: self.items[name].model_copy(update={"dimension": dimension})
            for dimension, names in self.dimensions.items()
            for name in names
        }
        object.__setattr__(self, "items", placed)
        return self

    def scale_of(self, measure: str) -> Scale:
        """The scale of a battery: its own, with the codes and labels of the common one where it names none.

        Parameters
        ----------
        measure : str
            "expect", "perceive", "adequate", "importance", "standard" or "promise".

        Returns
        -------
        Scale
            Of answers to the battery.
        """
        own = self.scales.get(cast(Measure, measure))
        if own is None:
            return self.scale
        taken: dict[str, Any] = {
            name: frozenset(c for c in getattr(self.scale, name) if c not in range(own.low, own.high + 1))
            for name in ("missing", "not_applicable")
        }
        if (own.low, own.high) == (self.scale.low, self.scale.high):
            taken["labels"] = self.scale.labels
        return own.model_copy(update={k: v for k, v in taken.items() if k not in own.model_fields_set})

    def outcome_with_codes(self, outcome: str) -> Outcome:
        """An outcome with its codes: its own, else those of the common scale that are not answers to it.

        Parameters
        ----------
        outcome : str
            Name of an outcome.

        Returns
        -------
        Outcome
            With `missing`.
        """
        return self.outcomes[outcome].with_codes_of(self.scale)

    def measure_columns(self, measure: str) -> dict[str, str]:
        """The columns of a battery, of the items that it asked.

        Parameters
        ----------
        measure : str
            "expect", "perceive", "adequate", "importance", "standard" or "promise".

        Returns
        -------
        dict of str
            Item -> column, in order.
        """
        return {name: column for name, item in self.items.items() if (column := getattr(item, measure))}

    @property
    def names(self) -> list[str]:
        """Every column, label and value that it names."""
        design = self.design
        found = [column for item in self.items.values() for column in item.columns.values()]
        found += [*self.points.values(), *design.columns.values(), *design.audiences]
        found += [column for outcome in self.outcomes.values() for column in outcome.asked]
        scales: list[Scale | Outcome] = [self.scale, *self.scales.values(), *self.outcomes.values()]
        return found + [label for scale in scales for label in scale.labels]

    def drop_items(self, dropped: Collection[str]) -> "Instrument":
        """The instrument but for some items, and for the dimensions that these leave empty.

        Parameters
        ----------
        dropped : collection of str
            Names of items.

        Returns
        -------
        Instrument
            Without points where a dimension is left out.
        """
        dimensions = {
            d: left for d, names in self.dimensions.items() if (left := [n for n in names if n not in dropped])
        }
        items = {name: item for name, item in self.items.items() if name not in dropped}
        points = self.points if len(dimensions) == len(self.dimensions) else {}
        return self.model_copy(update={"dimensions": dimensions, "items": items, "points": points})


def located(path: str | Path) -> Path:
    """Where a file is: in the working folder, else the project's; as given where it is in neither."""
    with suppress(InputError):
        return files.path(path)
    return Path(path)


def load_instrument(path: str | Path) -> Instrument:
    """The instrument of a TOML file, checked.

    Parameters
    ----------
    path : str or Path
        Of the file, from the working folder or, failing that, from the project's.

    Returns
    -------
    Instrument
        Named for the file where it names itself not.

    Raises
    ------
    InputError
        With everything wrong in the file, each by its key, and every line that is left to decide.
    """
    path = located(path)
    raw = read_toml(path, f"there is no instrument {path}; `crmlab new instrument SURVEY` writes one")
    raw.setdefault("name", path.stem)
    found = [f"{path.name}: {line}" for _table, line in undecided(path.read_text("utf-8-sig"))]
    try:
        read = read_settings(Instrument, raw, path.name)
    except InputError as problem:  # a part is wrong, so that the whole was not looked at; or the whole is, and says so
        found += [*problem.breaches, *(f"{path.name}: {line}" for line in relations(raw))]
    if found:
        raise InputError(*dict.fromkeys(found))
    return read
