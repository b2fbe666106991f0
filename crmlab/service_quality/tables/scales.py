"""Scales of answers: the whole numbers they may be, the codes that are none, and the words that stand for either."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from crmlab.service_quality.tables.cells import clashes, text

Column = Annotated[str, AfterValidator(text)]  # as validation names it: full-width forms narrowed, blanks trimmed
OutcomeKind = Literal[
    "satisfaction", "loyalty", "recommend", "complaint", "resolved", "word_of_mouth", "buying", "other"
]
YES_NO_KINDS = ("complaint", "resolved")  # kinds that are answered yes or no
SCALE_KINDS = ("satisfaction", "loyalty", "recommend", "complaint", "resolved")  # kinds that are answers to a scale
Whole = Annotated[int, Field(strict=True)]  # true is no 1, "7" no 7
Codes = frozenset[Whole | str]


class Strict(BaseModel):
    """A table of an instrument file: it has no other keys, and nothing is wrong between its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def _faults(self):
        """What is wrong between the fields, a text a fault."""
        return ()

    @model_validator(mode="after")
    def _check_fields(self):
        if wrong := [*self._faults()]:
            raise ValueError("\n".join(wrong))
        return self


class Scale(Strict):
    """The whole numbers that answers may be, the codes that are none, and the texts that stand for either.

    Parameters
    ----------
    low, high : int
        Lowest and highest answer.
    missing, not_applicable : frozenset of int or str
        Codes that are no answers.
    labels : dict of int
        Text -> the answer or code that it stands for.
    extent : bool
        Whether it rates how far a standard is set or a promise kept; such are not subtracted.
    """

    low: Whole
    high: Whole
    missing: Codes = frozenset()
    not_applicable: Codes = frozenset()
    labels: dict[str, Whole] = {}
    extent: bool = False

    def _faults(self):
        return scale_faults(self.model_dump())

    @property
    def middle(self) -> float:
        """The neutral point."""
        return (self.low + self.high) / 2

    def __str__(self):
        return f"{self.low} to {self.high}"


class Outcome(Strict):
    """A question beside the batteries, or several of one: satisfaction, buying again, recommending, complaining.

    Parameters
    ----------
    column : str, optional
        Of the survey; None where the outcome is of several.
    columns : tuple of str
        Of the survey, all on the scale, from which each respondent's outcome is combined.
    combine : {"mean", "max"}
        How: "mean", or "max", by which a complaint is one of any kind.
    answered : int, optional
        Of how many of `columns` answers must be there, else the outcome is missing; None asks for all.
    low : int
        Lowest answer.
    high : int, optional
        Highest answer; None for a count, which has no end.
    kind : str
        satisfaction, loyalty, recommend, complaint, resolved, word_of_mouth, buying or other.
    text : str
        The wording.
    missing : frozenset of int or str, optional
        Codes that are no answers; None takes those of the common scale that are not answers here.
    labels : dict of int
        Text -> the answer or code that it stands for.
    """

    column: Column | None = None
    columns: tuple[Column, ...] = ()
    combine: Literal["mean", "max"] = "mean"
    answered: Annotated[int, Field(strict=True, ge=1)] | None = None
    low: Whole
    high: Whole | None = None
    kind: OutcomeKind = "other"
    text: str = ""
    missing: Codes | None = None  # None takes those of the scale that are not answers here
    labels: dict[str, Whole] = {}

    def __str__(self):
        return f"{self.low} or more" if self.high is None else f"{self.low} to {self.high}"

    @property
    def asked(self) -> tuple[str, ...]:
        """The columns that it is of."""
        return self.columns or ((self.column,) if self.column else ())

    def _faults(self):
        yield from self._faults_of_columns()
        if self.missing is not None:
            yield from scale_faults(self.model_dump())
        elif self.high is not None and self.low >= self.high:
            yield f"low = {self.low} is not below high = {self.high}"
        if self.high is None and self.kind in SCALE_KINDS:
            yield f"high is missing; {self.kind} is an answer to a scale, and only a count may have no end"
        elif self.kind in YES_NO_KINDS and (self.low, self.high) != (0, 1):
            yield f"{self.kind} is asked as yes or no: low = 0, high = 1; say by labels which answer is 1, yes"

    def _faults_of_columns(self):
        if self.column and self.columns:
            yield "names both column and columns; keep one"
        elif not self.asked:
            yield "names no column; add column, or columns where it is of several"
        if len(self.columns) == 1:
            yield "columns names one alone; write column"
        if twice := {name for name in self.columns if self.columns.count(name) > 1}:
            yield f"columns names {listed(twice)} more than once; keep one"
        if not self.columns and (stated := {"combine", "answered"} & self.model_fields_set):
            yield f"{' and '.join(sorted(stated))} is for several columns, and there is one; drop it"
        elif self.columns and (self.answered or 0) > len(self.columns):
            yield f"answered = {self.answered} is more than its {len(self.columns)} columns; write that or less"

    def with_codes_of(self, scale: Scale) -> "Outcome":
        """The outcome with the codes of the common scale that are no answers to it, where it names none itself.

        Parameters
        ----------
        scale : Scale
            The common scale.

        Returns
        -------
        Outcome
            With `missing`.

        Notes
        -----
        A count has no end, so that every code might be one: it takes those of missing answers but 0, and no number that
        says not applicable.
        """
        if self.missing is not None:
            return self
        codes = scale.missing | scale.not_applicable
        if self.high is None:
            taken = [code for code in codes if isinstance(code, str) or (code != 0 and code in scale.missing)]
        else:
            taken = [code for code in codes if isinstance(code, str) or not self.low <= code <= self.high]
        return self.model_copy(update={"missing": frozenset(taken)})


def scale_faults(scale):
    """What makes no sense in a scale or an outcome, given as a dict of its fields; a text a fault."""
    low, high, labels = scale["low"], scale["high"], scale["labels"]
    missing, inapplicable = scale["missing"], scale.get("not_applicable", frozenset())
    codes = missing | inapplicable
    end = float("inf") if high is None else high
    said = f"{low} or more" if high is None else f"{low} to {high}"
    if low >= end:
        yield f"low = {low} is not below high = {high}"
        return
    within = sorted(c for c in codes if isinstance(c, int) and low <= c <= end)
    if within and high is not None:
        yield f"the codes {listed(within)} are answers of the scale {said}; choose others"
    if both := missing & inapplicable:
        yield f"the codes {listed(both)} are both missing and not_applicable; keep one"
    if odd := {word: n for word, n in labels.items() if not low <= n <= end and n not in codes}:
        noted = ", ".join(f"{word!r} = {n}" for word, n in odd.items())
        yield f"labels {noted} lie off the scale {said} and are no codes"
    words = [*labels.items(), *((c, "missing") for c in sorted(missing - inapplicable, key=str))]
    yield from clashes([*words, *((c, "not_applicable") for c in sorted(inapplicable - missing, key=str))])


def listed(values):
    """Values in order, as an error names them."""
    return ", ".join(repr(value) for value in sorted(values, key=str))
