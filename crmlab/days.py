"""A day as it is given: a date, or its ISO text."""

from datetime import date

import ibis


def as_date(given):
    """The day as a date."""
    return given if isinstance(given, date) else date.fromisoformat(given)


def day_literal(given):
    """The day as a literal, to be set beside the days of a lazy table."""
    return ibis.literal(as_date(given), type="date")
