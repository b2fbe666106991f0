"""A validated data set: its table, what validation found, and the days of its calibration and holdout."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import ClassVar, Protocol, runtime_checkable

import ibis.expr.types as ir
import pandas as pd

from crmlab.contracts import Contract, InputError, ids
from crmlab.days import as_date
from crmlab.entry import NATURES, Known


@runtime_checkable
class Described(Protocol):
    """Data that the catalog does not know of, as a survey, and which say themselves what they are.

    name    : of the file, or how they are called
    nature  : a key of NATURES, whether they are real
    about   : whose they are, in a sentence
    summary : what validation found, a line each
    """

    @property
    def name(self) -> str: ...

    @property
    def nature(self) -> str: ...

    @property
    def about(self) -> str: ...

    @property
    def summary(self) -> pd.DataFrame: ...


IN_MEMORY = "the table"  # what messages call a table in memory


@dataclass(frozen=True)
class Findings:
    """What validation found: the name of the data, how they were read, and what was counted.

    name      : as the catalog, or the file, has it
    entry     : how the data were read, and what is known of them: about, nature, source, currency
    counts    : by name
    described : how the file was read, in words: its kind, encoding, delimiter, sheet
    """

    name: str
    entry: Known
    counts: dict = field(hash=False)
    described: dict = field(default_factory=dict, hash=False)

    @property
    def first(self) -> date | None:
        """Day of the first order, contract or period; None where the data know no days."""
        return self.counts.get("first")

    @property
    def last(self) -> date | None:
        """Day of the last one."""
        return self.counts.get("last")

    @property
    def observed_until(self) -> date | None:
        """The day up to which they are complete: the entry's, else that of the last one."""
        day, last = self.entry.observed_until, self.last
        return last if day is None or last is None else max(day, last)


@dataclass(frozen=True)
class Data:
    """A validated data set.

    table    : lazy table of the contract's columns
    contract : the Contract that it keeps
    findings : what validation found
    every    : the table with orders of unidentified customers, where rows without an id are anonymous; else None
    """

    given_by: ClassVar[str] = "a reader of crmlab.catalog"
    table: ir.Table
    contract: Contract
    findings: Findings
    every: ir.Table | None = None

    @property
    def currency(self) -> str:
        """Of the amounts, for what is shown; empty where the catalog names none."""
        return self.findings.entry.currency

    def money_in(self, count: int, period: str = "day") -> str:
        """The unit of money over so many periods, for what is shown: "USD in 365 days"; without a currency, the time.

        Parameters
        ----------
        count : int
            How many periods.
        period : str
            What one is called.

        Returns
        -------
        str
            The unit.
        """
        return f"{self.currency} in {count:,} {period}{'s' * (count != 1)}".lstrip()

    @cached_property
    def summary(self) -> pd.DataFrame:
        """What validation found and changed, a line each."""
        name, entry, counts = self.findings.name, self.findings.entry, self.findings.counts
        called = "a table in memory, not recorded" if name == IN_MEMORY else name
        found = {"data": f"{called} ({NATURES[entry.nature]})"} | self.findings.described
        if self.contract.kind != "transactions":
            found["contract"] = f"{self.contract.name}: {self.contract.description}"
        found |= self.contract.describe(counts, entry)
        if "missing_ids" in counts:
            found |= ids.words(counts, entry)
        return pd.DataFrame({"found": found})

    def period(
        self, split: date | str | None = None, until: date | str | None = None, acquired_from: date | str | None = None
    ) -> "Period":
        """When calibration and holdout end: as given, else the catalog's, else two thirds of the span and its last day.

        The catalog's split stands only where it comes before `until`; else two thirds of the span up to that are taken.
        `acquired_from` leaves out customers whose first order is earlier; None takes the catalog's. Where the data are
        complete beyond the last order, the holdout ends on that day.
        Raises InputError where they leave the data or are out of order.
        """
        return _period(self.findings, split, until, acquired_from)


@dataclass(frozen=True)
class Period:
    """Calibration to `split`, holdout from then to `until`; both are last days, inclusive."""

    given_by: ClassVar[str] = "Data.period"
    first: date
    split: date
    until: date
    acquired_from: date | None
    summary: pd.DataFrame = field(compare=False)  # which days, and who chose them
    until_is_last_row: bool = False  # as nobody said up to which day data are complete

    @property
    def horizon_days(self) -> int:
        """Length of the holdout, days."""
        return (self.until - self.split).days


def _period(findings, split, until, acquired_from):
    if findings.first is None:
        raise InputError(f"{findings.name} knows no days, so that it has no period; name data that do")
    breaches, later, entry = [], [], findings.entry
    if (observed := findings.observed_until) == findings.first:
        day = f"all data are of one day, {observed}, and a split needs two days at least"
        advice = "name data of a longer time, or a later day up to which these are complete, observed_until"
        raise InputError(f"{findings.name}: {day}; {advice}")
    ends_by = "observed_until" if observed > findings.last else "last day of the data"
    until, until_by = _chosen_day("until", until, entry.until, findings, observed, ends_by, later)
    last = until if until and findings.first < until <= observed else observed
    listed = entry.split if entry.split and entry.split < last else None
    two_thirds = findings.first + timedelta((last - findings.first).days * 2 // 3)
    split, split_by = _chosen_day("split", split, listed, findings, two_thirds, "two thirds of the span", breaches)
    breaches += later
    if not breaches and split >= until:
        order = f"split = {split} must come before until = {until}"
        breaches.append(f"{findings.name}: {order}; choose days within {_span(findings)}")
    if acquired_from is not None or entry.acquired_from:
        acquired_from, _ = _chosen_day(
            "acquired_from", acquired_from, entry.acquired_from, findings, None, "", breaches
        )
    if breaches:
        raise InputError(*breaches)
    days = {
        "first order": (findings.first, "the data"),
        "split: calibration ends": (split, split_by),
        "until: holdout ends": (until, until_by),
    }
    if until > findings.last:
        days["last order"] = (findings.last, "the data")
    summary = pd.DataFrame.from_dict(days, orient="index", columns=["day", "chosen by"])
    until_is_last_row = until_by == ends_by and observed == findings.last
    return Period(findings.first, split, until, acquired_from, summary, until_is_last_row)


def _chosen_day(what, given, listed, dataset, default, rule, breaches):
    """A day of the period with who chose it; what is wrong with it joins `breaches`."""
    day, by = (given, "parameter") if given is not None else (listed, "catalog") if listed else (default, rule)
    try:
        day = as_date(day)
    except InputError as wrong:
        breaches.append(f"{dataset.name}: {what} = {wrong}")
        return None, by
    day = day.date() if isinstance(day, datetime) else day
    if not dataset.first <= day <= dataset.observed_until:
        breaches.append(f"{dataset.name}: {what} = {day} lies outside {_span(dataset)}; choose a day within")
    return day, by


def _span(dataset):
    return f"the data, which runs from {dataset.first} to {dataset.observed_until}"
