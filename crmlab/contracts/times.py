"""Columns of times, days and periods: how each is read, and the rules that its cells keep.

What is read is the time that the clock of the shop showed.
"""

import ibis.expr.types as ir

from crmlab.contracts import time_advice, time_readings
from crmlab.contracts.blanks import is_missing, is_unread
from crmlab.contracts.contract import Rule
from crmlab.contracts.time_readings import YEARS


def time(source, column, policy):
    """A time, with the rules on it."""
    name = column.name
    value, carries_offset, remedy = _clock_time(source, column, policy)
    rules = [] if column.nullable else [Rule(name, "is empty", is_missing(name), "fill or drop them", "customer_id")]
    rules += [
        Rule(name, "is not a date or time", is_unread(name), remedy, f"raw_{name}"),
        Rule(
            name,
            "lies outside the years 1900 to 2100",
            lambda t: t[name].notnull() & ~t[name].year().between(*YEARS).fill_null(False),
            "correct them",
            f"raw_{name}",
        ),
    ]
    if carries_offset and not policy.time_zone:
        offset = Rule(
            name,
            "carries an offset from UTC",
            lambda t: t[name].notnull() & carries_offset(t[f"raw_{name}"]),
            "state in data/catalog.toml the time_zone whose days count, such as 'Europe/Berlin'",
            f"raw_{name}",
        )
        rules.append(offset)
    return value, rules


def day(source, column, policy):
    """The day of a time, on the clock of the shop."""
    value, rules = time(source, column, policy)
    return value.date(), rules


def period(source, column, policy):
    """The first day of a year, quarter, month or week, or a day."""
    return day(source, column, policy)


def _clock_time(source, column, policy):
    """The time on the clock of the shop; which raw texts carry an offset, or None; what to do about an unread cell."""
    kind, zone, form, name = source.type(), policy.time_zone, policy.time_format, column.name
    periods = column.kind == "period"
    if kind.is_string():
        offset = time_readings.is_instant if form is None else _instants(form)
        return time_advice.reading(source, form, policy, periods), offset, time_advice.advice(name, policy, periods)
    if form is not None:
        remedy = f"correct them, or time_format = {form!r} in data/catalog.toml"
        return time_readings.in_format(source, form, zone, policy.decimal), _instants(form), remedy
    if kind.is_timestamp() and kind.timezone:
        return time_readings.on_clock(source, zone), ir.Value.notnull, ""
    if kind.is_timestamp() or kind.is_date():
        return source.cast("timestamp"), None, ""
    if kind.is_integer() and periods:
        remedy = "give years, or state time_format in data/catalog.toml"
        return time_readings.year(source), None, lambda _: f"{remedy}{time_advice.of_numbers(source, periods)}"
    described = "which is not a time; store dates, times or ISO text, or state time_format in data/catalog.toml"
    raise TypeError(f"{described}{time_advice.of_numbers(source, periods)}")


def _instants(form):
    """Which raw texts in a format carry an offset: all, or None of them."""
    return ir.Value.notnull if time_readings.is_instant_format(form) else None
