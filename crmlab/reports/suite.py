"""`suite.toml`: what to run, how long it may take, and the ranges that parameters keep to."""

import itertools
from collections import Counter
from datetime import date
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from crmlab.contracts import suggest
from crmlab.contracts.settings import read_settings, read_toml
from crmlab.exported import Tables
from crmlab.reports import slots
from crmlab.reports.channels import Notices


class Range(BaseModel):
    """What suite.toml says of a parameter's values: least and most, or, for a day, the data it must lie within."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    min: int | FiniteFloat | date | None = None
    max: int | FiniteFloat | date | None = None
    within: str | None = None

    @model_validator(mode="after")
    def _in_order(self):
        if self.min is not None and self.max is not None:
            ends = f"min = {self.min} and max = {self.max}"
            if isinstance(self.min, date) != isinstance(self.max, date):
                raise ValueError(f"{ends} are a day and a number; write two of a kind")
            if self.min > self.max:  # type: ignore[operator]  # two of a kind, as was asked above
                raise ValueError(f"{ends} leave no value between them; write a min that is no more than max")
        return self

    def __str__(self):
        if self.within:
            return f"within the days of {self.within}"
        if self.min is None or self.max is None:
            return f"{self.max} or less" if self.min is None else f"{self.min} or more"
        return f"{self.min} to {self.max}"


class Planned(BaseModel):
    """A run that a suite asks for, and when: without `every` it is made by `make report` alone.

    name         : by which the schedule, the ledger and `needs` know it; the report's where none is given
    every, at    : day, week or month, and "03:15", "mon 03:15", "1 03:15" or "last 03:15"; or cron text
    time_zone    : of `at`, as Europe/Berlin
    catchup      : of slots that were missed, the last is made up for, or all, or none
    retries      : after a fault that may pass: a full disk, a server that is down, memory that is short
    needs        : names of planned runs that have to have succeeded
    sweep        : parameter -> values, a run for each combination
    max_age_days : how old the last day of its data may be
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    report: str
    parameters: dict[str, Any] = {}
    name: str = Field("", pattern=r"^(\w[\w.-]{0,79})?$")
    every: str = ""
    at: str = ""
    time_zone: str = "UTC"
    catchup: Literal["last", "all", "none"] = "last"
    retries: int = Field(0, ge=0, le=10)
    needs: list[str] = []
    sweep: dict[str, list[Any]] = {}
    max_age_days: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _on_the_clock(self):
        breaches = []
        if not self.every and (given := sorted({"at", "catchup", "retries", "needs"} & self.model_fields_set)):
            breaches.append(f"{', '.join(given)}: without every it is not scheduled; give every, or leave them out")
        for read in (lambda: self.every and slots.cron_text(self.every, self.at), lambda: slots.zone(self.time_zone)):
            try:
                read()
            except ValueError as fault:
                breaches.append(str(fault))
        if twice := sorted(self.parameters.keys() & self.sweep.keys()):
            breaches.append(f"sweep: {', '.join(twice)} is also among the parameters; leave it in one of them")
        if empty := [name for name, values in self.sweep.items() if not values]:
            breaches.append(f"sweep: {', '.join(empty)} has no values; list some")
        if breaches:
            raise ValueError("; ".join(breaches))
        return self

    @property
    def known_as(self) -> str:
        """Its name, or its report's."""
        return self.name or self.report

    @property
    def cron(self) -> str:
        """When it is due, as cron has it."""
        return slots.cron_text(self.every, self.at)

    @property
    def given(self) -> list[dict[str, Any]]:
        """The parameters of each run of it: one, or one for each combination that it sweeps over."""
        combinations = itertools.product(*self.sweep.values())
        return [self.parameters | dict(zip(self.sweep, values, strict=True)) for values in combinations]


class Limits(BaseModel):
    """How long a run may take, seconds: each cell, and all of it; and how much of a cell's outputs its page shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    cell_seconds: float = Field(3600, gt=0)
    run_seconds: float = Field(4 * 3600, gt=0)
    output_bytes: int = Field(1_000_000, gt=0)


class Review(BaseModel):
    """How many people must approve a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    people: int = Field(1, ge=1)


class Suite(BaseModel):
    """`suite.toml`: what `make report` runs; limits, tables, review and notices; ranges of parameters by report."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    run: list[Planned] = []
    limits: Limits = Limits()
    tables: Tables = Tables()
    review: Review = Review()
    notices: Notices = Notices()
    ranges: dict[str, dict[str, Range]] = {}

    @model_validator(mode="after")
    def _runs_that_can_follow_each_other(self):
        names, breaches = Counter(planned.known_as for planned in self.scheduled), []
        breaches += [
            f"{count} scheduled runs are called {n!r}; give each a name" for n, count in names.items() if count > 1
        ]
        for planned in self.scheduled:
            for need in planned.needs:
                if need not in names:
                    listed = f"name one of {', '.join(names)}"
                    breaches.append(
                        f"{planned.known_as} needs {need!r}, which is not scheduled; {suggest(need, names, listed)}"
                    )
        try:
            TopologicalSorter({p.known_as: p.needs for p in self.scheduled}).prepare()
        except CycleError as circle:
            breaches.append(f"needs go round in a circle: {' needs '.join(reversed(circle.args[1]))}; leave one out")
        if breaches:
            raise ValueError("; ".join(breaches))
        return self

    @property
    def scheduled(self) -> list[Planned]:
        """The runs that have a time."""
        return [planned for planned in self.run if planned.every]


def load_suite(path):
    """A suite file, checked. Raises InputError with everything wrong in it."""
    path = Path(path)
    return read_settings(Suite, read_toml(path, f"there is no suite {path}"), path.name)
