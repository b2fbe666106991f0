"""When what a suite plans is due: slots, each a moment on the clock of a place, and the day that a run is then of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = "00:00"
ON_TIME = timedelta(hours=1)  # after a slot, within which nobody says that it was missed
TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
DAYS = {  # every -> which day `at` may name before the time, as an expression and in words
    "day": ("", "15:30"),
    "week": ("|".join(WEEKDAYS), "mon 15:30"),
    "month": ("last|[1-9]|1\\d|2[0-8]", "1 15:30, to 28, or last 15:30"),
}


@dataclass(frozen=True)
class Slot:
    """One turn of a planned run.

    due : the moment, in UTC
    day : the last whole day before it, where the schedule's clock stands: what the run is of
    """

    name: str
    due: datetime
    day: date

    @property
    def id(self) -> str:
        """Its name in the ledger."""
        return f"{self.name}@{self.due:%Y%m%dT%H%MZ}"


def cron_text(every: str, at: str = "") -> str:
    """The five fields of cron for `every` and `at`. Raises ValueError with what is wrong with them."""
    if every not in DAYS:
        if at:
            raise ValueError(f"at = {at!r} goes with every = day, week or month; cron text has its own time")
        return _checked(every)
    allowed, example = DAYS[every]
    day, _, time = at.rpartition(" ")
    found = TIME.fullmatch(time or MIDNIGHT)
    if not found or (day and not re.fullmatch(allowed or "(?!)", day)):
        raise ValueError(f"at = {at!r}: with every = {every!r} write it as {example}")
    hour, minute = int(found[1]), int(found[2])
    if every == "week":
        return f"{minute} {hour} * * {(WEEKDAYS.index(day or 'mon') + 1) % 7}"
    if every == "month":
        return f"{minute} {hour} {'L' if day == 'last' else day or 1} * *"
    return f"{minute} {hour} * * *"


def _checked(text):
    kinds = ", ".join(DAYS)
    if len(text.split()) != 5:
        raise ValueError(f"every = {text!r}: write {kinds}, or the five fields of cron, as '15 3 * * 1-5'")
    try:
        next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as fault:
        why = str(fault) or "it never comes"
        raise ValueError(f"every = {text!r}: {why}; write {kinds}, or the five fields of cron") from None
    return text


def zone(name: str) -> ZoneInfo:
    """A time zone by its name. Raises ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"time_zone = {name!r} is no time zone; write one as Europe/Berlin or UTC") from None


def due(name: str, cron: str, time_zone: str, after: datetime, until: datetime) -> Iterator[Slot]:
    """The slots later than `after`, up to `until`, oldest first.

    A time that the clock leaves out on the day it is set forward is due at the first moment after; one that comes twice
    as it is set back is due the first time.
    """
    for local in CronSim(cron, after.astimezone(zone(time_zone))):
        slot = Slot(name, local.astimezone(UTC), local.date() - timedelta(days=1))
        if slot.due > until:
            return
        yield slot


def last_due(name: str, cron: str, time_zone: str, until: datetime) -> Slot | None:
    """The latest slot up to `until`; None where the last two years had none."""
    for days in (1, 8, 32, 366, 731):
        found = [*due(name, cron, time_zone, until - timedelta(days=days), until)]
        if found:
            return found[-1]
    return None


def next_due(name: str, cron: str, time_zone: str, after: datetime) -> Slot:
    """The first slot later than `after`."""
    return next(due(name, cron, time_zone, after, datetime.max.replace(tzinfo=UTC)))
