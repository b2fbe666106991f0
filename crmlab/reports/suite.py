"""`suite.toml`: what to run, how long it may take, and the ranges that parameters keep to."""

from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from crmlab.contracts.settings import read_settings, read_toml
from crmlab.exported import Tables


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
    """A run that a suite asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    report: str
    parameters: dict[str, Any] = {}


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
    """`suite.toml`: what `make report` runs; limits, tables and review of runs; ranges of parameters by report."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    run: list[Planned] = []
    limits: Limits = Limits()
    tables: Tables = Tables()
    review: Review = Review()
    ranges: dict[str, dict[str, Range]] = {}


def load_suite(path):
    """A suite file, checked. Raises InputError with everything wrong in it."""
    path = Path(path)
    return read_settings(Suite, read_toml(path, f"there is no suite {path}"), path.name)
