"""A log that has grown: what customers did in the days that are new, against what the older run predicted of these."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from crmlab import catalog
from crmlab.contracts import InputError
from crmlab.estimate import Kind, written
from crmlab.exported import read_table
from crmlab.orders import exact_sum, order_days
from crmlab.reports import reread
from crmlab.reports.manifest import Manifest
from crmlab.stats.comparisons import holm

TABLE = "tables/forecast_by_day.csv"  # of a run: day, and for each measure what is expected up to it, with its interval
LEVEL = 0.95
MEASURES: dict[str, Kind] = {"orders": "count", "spend": "money"}


@dataclass(frozen=True)
class NewDays:
    """What customers whom the older run knew did since, and what it predicted of that.

    outcome : "as predicted" or "differs"
    """

    measure: str
    since: date
    until: date
    actual: float
    expected: float
    low: float  # prediction interval
    high: float
    p: float  # adjusted for the measures
    outcome: str = "as predicted"

    @property
    def lies_outside(self) -> bool:
        """Whether it lies beyond its interval: of few orders p alone would flag what lies on an end of it."""
        return not self.low <= self.actual <= self.high

    def __str__(self) -> str:
        actual, expected, low, high = (
            written(value, MEASURES[self.measure]) for value in (self.actual, self.expected, self.low, self.high)
        )
        count = (self.until - self.since).days + 1
        since = f"{self.since} to {self.until} ({count:,} day{'s' * (count != 1)})"
        p = f"p = {written(self.p, 'p')}".replace("= <", "<")
        predicted = f"{expected} predicted ({100 * LEVEL:.4g} % prediction interval {low} to {high})"
        return f"{self.measure} of customers known then, {since}: {actual}, where {predicted}; {self.outcome}, {p}"


def new_days(before: Path, one: Manifest, other: Manifest) -> tuple[list[NewDays], str]:
    """What came since an older run, judged by its forecast; or why it cannot be, empty where no day is new.

    before     : the folder of the older run
    one, other : the manifests of both
    """
    table = before / TABLE
    if not table.is_file() or not other.data or not one.data:
        return [], ""
    then, now = one.data[0], other.data[0]
    if not (then.last and now.last and now.last > then.last) or then.name != now.name:
        return [], ""
    not_judged = "so that the days that are new are not judged"
    if then.entry != now.entry:
        return [], f"the data are read otherwise than then, {not_judged}"
    try:
        given = other.parameters[now.parameter]
        if now.sha256 is None or catalog.fingerprint(given) != now.sha256:
            return [], f"the data {now.name} are not those of the later run any more, {not_judged}"
        orders = catalog.orders(given, other.parameters.get("observed_until"), where=reread.condition(other, now))
        period = orders.period(acquired_from=one.parameters.get("acquired_from"))
    except (InputError, OSError) as fault:
        return [], f"the days that are new are not judged: {fault}"
    if (forecast := _forecast(table)) is None:
        return [], f"the forecast by day of the earlier run has another form, {not_judged}"
    since, until = min(forecast.index), min(max(forecast.index), period.until)
    if until < since:
        return [], ""
    if until not in forecast.index:
        return [], f"the forecast by day of the earlier run leaves out {until}, {not_judged}"
    row, actual = forecast.loc[until], _actual(orders, period.acquired_from, since, until)
    known = [measure for measure in MEASURES if measure in row and np.isfinite(row[f"{measure}_pi_low"])]
    found = [_judged(measure, since, until, actual[measure], row) for measure in known if np.isfinite(actual[measure])]
    adjusted = holm([each.p for each in found]) if found else []
    return [
        replace(each, p=float(p), outcome="differs" if p < 1 - LEVEL and each.lies_outside else each.outcome)
        for each, p in zip(found, adjusted, strict=True)
    ], ""


def _forecast(path):
    """The forecast by day that a run kept; None where the table is none."""
    try:
        frame = read_table(path)
        frame = frame.assign(day=pd.to_datetime(frame.day, format="ISO8601").dt.date).set_index("day")
        columns = [f"{name}{end}" for name in MEASURES if name in frame for end in ("", "_pi_low", "_pi_high")]
        found = frame[columns].astype(float)
    except (KeyError, ValueError, TypeError, AttributeError, OSError):
        return None
    return found if columns and len(found) and found.index.is_unique and found.index.notna().all() else None


def _actual(orders, acquired_from, since, until):
    """Order days, and what was spent on them, of customers who were known before `since`."""
    days = order_days(orders, until)
    days = days.mutate(acquired=days.day.min().over(group_by="customer_id"))
    known = days.filter(days.acquired < since)
    known = known if acquired_from is None else known.filter(known.acquired >= acquired_from)
    new = known.filter(known.day >= since)
    found = new.aggregate(orders=new.count(), spend=exact_sum(new.spend)).execute().iloc[0]
    return {"orders": float(found.orders), "spend": float(found.spend) if found.orders else 0.0}


def _judged(measure, since, until, actual, row):
    """The actual value against its prediction interval, whose end on that side says how far it may lie off."""
    expected, low, high = (float(row[f"{measure}{end}"]) for end in ("", "_pi_low", "_pi_high"))
    reach = high - expected if actual > expected else expected - low
    z = stats.norm.ppf(0.5 + LEVEL / 2)
    p = (
        1.0
        if actual == expected
        else float(2 * stats.norm.sf(abs(actual - expected) * z / reach))
        if reach > 0
        else 0.0
    )
    return NewDays(measure, since, until, actual, expected, low, high, p)
