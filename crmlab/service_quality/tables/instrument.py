"""What a questionnaire asked, of whom and on what scale: the instrument file, checked.

An instrument is TOML; what is marked * must be there, the rest may be left out:

    name, title                    what the report calls it
    data_kind                      "real" (so taken), "simulated" or "demonstration"
    [scale] low* high*             of every battery; whole numbers
        missing, not_applicable    lists of codes, numbers or text, that are no answers
        labels                     { "strongly agree" = 7, "非常满意" = 7 }: text answers and what they count as
    [scales.importance] low* high* a scale of its own for expect, perceive, adequate, importance, standard or promise;
        extent                     true: how far a standard is set or a promise kept, never subtracted from anything
    [dimensions]*                  tangibles = ["T1", "T2"]: the items of each, in order
    [items]*                       T1 = { text = "...", expect = "E1", perceive = "P1" }: the column of each battery;
                                   also adequate, importance, standard, promise, and reversed = true
    [points]                       tangibles = "W1": columns of importance points, which sum to 100 over the dimensions
    [outcomes.NAME] column* low*   a question beside the batteries; without `high` it has no end, as a count
        high, kind, text           kind: satisfaction, loyalty, recommend, complaint, resolved, told, buying or other
        missing, labels            its own codes and labels
    [design]                       columns: respondent, weight, wave, audience; segments = ["region", "tier"]
        audiences                  { "Filialleiter" = "manager" }: values of `audience` that are not
                                   customer, manager or staff already
    [design.long] item* answer*    one answer a row: the columns that name the item and hold the answer; items,
        kind, kinds                outcomes and points then give the name in `item` instead of a column, and `kinds`,
                                   { expect = "E" }, says how the column `kind` writes expect, perceive and so on
    [conventions] gap, overall     "P-E" and "mean of dimensions": what is computed, stated
        desired                    true: `expect` asked for the desired level, so that a zone of tolerance exists
    [file]                         encoding, delimiter, decimal, sheet: where they cannot be found out
"""

import difflib
import tomllib
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from crmlab.contracts import InputError
from crmlab.service_quality.tables.relations import MEASURES, listed, relations

Measure = Literal["expect", "perceive", "adequate", "importance", "standard", "promise"]
Audience = Literal["customer", "manager", "staff"]
AUDIENCES = get_args(Audience)
OutcomeKind = Literal["satisfaction", "loyalty", "recommend", "complaint", "resolved", "told", "buying", "other"]
Codes = frozenset[int | str]


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Scale(Strict):
    """The whole numbers that answers may be, the codes that are none, and the texts that stand for either."""

    low: int
    high: int
    missing: Codes = frozenset()
    not_applicable: Codes = frozenset()
    labels: dict[str, int] = {}
    extent: bool = False

    @model_validator(mode="after")
    def _makes_sense(self):
        codes = self.missing | self.not_applicable
        within = sorted(c for c in codes if isinstance(c, int) and self.low <= c <= self.high)
        wrong = []
        if self.low >= self.high:
            wrong.append(f"low = {self.low} is not below high = {self.high}")
        elif within:
            wrong.append(f"the codes {listed(within)} are answers of the scale {self}; choose others")
        if both := self.missing & self.not_applicable:
            wrong.append(f"the codes {listed(both)} are both missing and not_applicable; keep one")
        odd = {t: n for t, n in self.labels.items() if not self.low <= n <= self.high and n not in codes}
        if odd and self.low < self.high:
            told = ", ".join(f"{t!r} = {n}" for t, n in odd.items())
            wrong.append(f"labels {told} lie off the scale {self} and are no codes")
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    @property
    def middle(self):
        """The neutral point."""
        return (self.low + self.high) / 2

    def __str__(self):
        return f"{self.low} to {self.high}"


class Item(Strict):
    """One statement: its dimension, its wording, and the column of each battery that asked it."""

    dimension: str = ""
    text: str = ""
    expect: str | None = None
    perceive: str | None = None
    adequate: str | None = None
    importance: str | None = None
    standard: str | None = None
    promise: str | None = None
    reversed: bool = False

    @property
    def columns(self):
        """Measure -> column, of those that were asked."""
        return {m: column for m in MEASURES if (column := getattr(self, m))}


class Outcome(Strict):
    """A question beside the batteries: satisfaction, buying again, recommending, complaining."""

    column: str
    low: int
    high: int | None = None
    kind: OutcomeKind = "other"
    text: str = ""
    missing: Codes | None = None  # None takes those of the scale that are not answers here
    labels: dict[str, int] = {}

    def __str__(self):
        return f"{self.low} or more" if self.high is None else f"{self.low} to {self.high}"

    @model_validator(mode="after")
    def _makes_sense(self):
        if self.high is not None and self.low >= self.high:
            raise ValueError(f"low = {self.low} is not below high = {self.high}")
        return self


class Long(Strict):
    """Columns of a survey of one answer a row."""

    item: str
    answer: str
    kind: str | None = None
    kinds: dict[Measure, str] = {}


class Design(Strict):
    """Who answered, when, with what weight, and by what they are told apart."""

    respondent: str | None = None  # None: every row is another one
    weight: str | None = None
    wave: str | None = None
    audience: str | None = None  # None: all are customers
    segments: tuple[str, ...] = ()
    audiences: dict[str, Audience] = {}
    long: Long | None = None

    @property
    def columns(self):
        """Use -> column, of those declared."""
        single = {use: column for use in ("respondent", "weight", "wave", "audience") if (column := getattr(self, use))}
        return single | {f"segments.{i}": column for i, column in enumerate(self.segments)}


class Conventions(Strict):
    """How gaps are computed, stated so that a reader need not guess."""

    gap: Literal["P-E"] = "P-E"
    overall: Literal["mean of dimensions"] = "mean of dimensions"
    desired: bool = False


class File(Strict):
    """How the survey is written, where that cannot be found out."""

    encoding: str | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    sheet: str | None = None


class Instrument(Strict):
    """A questionnaire: its scales, dimensions, items, outcomes and design."""

    name: str = "instrument"
    title: str = ""
    data_kind: Literal["real", "simulated", "demonstration"] = "real"
    scale: Scale
    scales: dict[Measure, Scale] = {}
    dimensions: dict[str, list[str]]
    items: dict[str, Item]
    points: dict[str, str] = {}
    outcomes: dict[str, Outcome] = {}
    design: Design = Design()
    conventions: Conventions = Conventions()
    file: File = File()

    @model_validator(mode="after")
    def _hangs_together(self):
        if wrong := [*relations(self.model_dump())]:
            raise ValueError("\n".join(wrong))
        placed = {
            name: self.items[name].model_copy(update={"dimension": dimension})
            for dimension, names in self.dimensions.items()
            for name in names
        }
        object.__setattr__(self, "items", placed)
        return self

    def scale_of(self, measure):
        """The scale of a battery: its own, with the codes and labels of the common one where it names none."""
        own = self.scales.get(measure)
        if own is None:
            return self.scale
        taken = {
            name: frozenset(c for c in getattr(self.scale, name) if c not in range(own.low, own.high + 1))
            for name in ("missing", "not_applicable")
        }
        if (own.low, own.high) == (self.scale.low, self.scale.high):
            taken["labels"] = self.scale.labels
        return own.model_copy(update={k: v for k, v in taken.items() if k not in own.model_fields_set})

    def answers_to(self, outcome):
        """An outcome with its codes: its own, else those of the common scale that are not answers to it."""
        asked = self.outcomes[outcome]
        if asked.missing is not None:
            return asked
        high = float("inf") if asked.high is None else asked.high
        codes = self.scale.missing | self.scale.not_applicable
        return asked.model_copy(
            update={"missing": frozenset(c for c in codes if isinstance(c, str) or not asked.low <= c <= high)}
        )

    def shares_scale(self, measure):
        """Whether a battery may be subtracted from the others: the same range, and no rating of extent."""
        own = self.scale_of(measure)
        return (own.low, own.high) == (self.scale.low, self.scale.high) and not own.extent

    def asked(self, measure):
        """Item -> column of a battery, in order, of those asked."""
        return {name: column for name, item in self.items.items() if (column := getattr(item, measure))}

    @property
    def names(self):
        """Every column, label and value that it names."""
        design = self.design
        found = [column for item in self.items.values() for column in item.columns.values()]
        found += [*self.points.values(), *design.columns.values(), *design.audiences]
        found += [outcome.column for outcome in self.outcomes.values()]
        scales = (self.scale, *self.scales.values(), *self.outcomes.values())
        return found + [label for scale in scales for label in scale.labels]

    def without(self, dropped):
        """The instrument but for some items, and for the dimensions that these leave empty."""
        dimensions = {
            d: left for d, names in self.dimensions.items() if (left := [n for n in names if n not in dropped])
        }
        items = {name: item for name, item in self.items.items() if name not in dropped}
        points = self.points if len(dimensions) == len(self.dimensions) else {}
        return self.model_copy(update={"dimensions": dimensions, "items": items, "points": points})


def load(path):
    """The instrument of a TOML file. Raises InputError with everything wrong in it, each by its key."""
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError:
        raise InputError(f"there is no instrument {path}; `crmlab new instrument SURVEY` writes one") from None
    except (tomllib.TOMLDecodeError, UnicodeError) as problem:
        raise InputError(f"{path.name}: cannot be read as TOML ({problem}); correct it") from None
    raw.setdefault("name", path.stem)
    try:
        return Instrument.model_validate(raw)
    except ValidationError as problem:
        errors = {_place(error): error for error in reversed(problem.errors())}  # one a place, of a union the first
        told = [line for place, error in reversed(errors.items()) for line in _fault(place, error)]
        if all(error["loc"] for error in problem.errors()):  # the whole was not looked at, as a part of it is wrong
            told += relations(raw)
        raise InputError(*(f"{path.name}: {line}" for line in dict.fromkeys(told))) from None


MODELS = {"scale": Scale, "design": Design, "conventions": Conventions, "file": File, "scales": Scale, "items": Item}
MODELS |= {"outcomes": Outcome, "long": Long}


def _place(error):
    """The key that an error is about."""
    return ".".join(str(part) for part in error["loc"] if part not in ("[key]", "int", "str"))


def _fault(place, error):
    """What is wrong at a key of an instrument, a line each, from pydantic's account of it."""
    if error["type"] == "extra_forbidden" or "[key]" in error["loc"]:
        *path, last = place.split(".")
        model = next((MODELS[part] for part in reversed(path) if part in MODELS), Instrument)
        known = MEASURES if "[key]" in error["loc"] else model.model_fields
        near = difflib.get_close_matches(last, known, n=1)
        return [f"{place}: there is no such key; " + (f"did you mean {near[0]!r}?" if near else "drop it")]
    if error["type"] == "missing":
        return [f"{place}: is missing; add it"]
    says = error["msg"].removeprefix("Value error, ").replace("Input should be", "write")
    if error["type"] == "value_error":
        return [f"{place}: {line}" if place else line for line in says.split("\n")]
    if "int" in error["loc"]:  # a code
        says = "write a whole number or a text"
    return [f"{place} = {error['input']!r}: {says.replace('a valid integer', 'a whole number')}"]
