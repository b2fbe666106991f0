"""A day as it is given: a date, or its ISO text."""

from datetime import date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from crmlab.contracts import InputError


def as_date(given: Any, name: str = "") -> date:
    """The day as a date. Raises InputError where it is none; `name` is what the caller calls it."""
    if isinstance(given, date) and given == given:  # pandas' NaT is a date, and equals nothing
        return given.date() if isinstance(given, datetime) else given
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        what = f"{name} = " if name else ""
        raise InputError(f"{what}{given!r} is not a day; write it as 1997-09-30") from None


def day_literal(given: Any) -> ir.DateScalar:
    """The day as a literal, to be set beside the days of a lazy table."""
    return ibis.literal(as_date(given), type="date")
