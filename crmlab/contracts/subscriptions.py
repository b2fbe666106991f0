"""Contracts of customers: their ends are observed."""

import ibis
import numpy as np
from ibis import _

from crmlab.contracts.contract import Column, Contract, Rule, Validated, first

MIN_DAYS, MIN_SILENCE, LONGER, FEW = 20, 365, 10, 0.05  # when days after a silence are planned ones


def _row_rules(t, policy):
    rules = [Rule("end", "comes before the start", lambda t: t.end < t.start, "correct either", "raw_end")]
    if policy.until:
        message = f"comes after {policy.until}, the last day observed"
        remedy = "correct them, or until in data/catalog.toml"
        rules.append(Rule("start", message, lambda t: t.start > policy.until, remedy, "raw_start"))
    return rules


def last_day_observed(t):
    """The last start or end in a table of contracts that is not in the future, judged by the days alone.

    Days after a silence are planned ones where it is longer than MIN_SILENCE days and LONGER times the longest before,
    of MIN_DAYS days or more, and at most FEW of all starts and ends come after it.
    """
    days = ibis.union(t.select(day=t.start.cast("date")), t.select(day=t.end.cast("date"))).filter(_.day.notnull())
    found = days.group_by("day").aggregate(n=_.count()).order_by("day").to_pyarrow()
    day, n = np.array(found["day"], "M8[D]"), np.array(found["n"])
    silence, after = np.diff(day).astype(int), n[::-1].cumsum()[::-1][1:] / n.sum()
    longest = np.append(0, np.maximum.accumulate(silence))[: len(silence)]
    known = np.arange(1, len(day)) >= MIN_DAYS
    planned = known & (silence > MIN_SILENCE) & (silence > LONGER * longest) & (after <= FEW)
    return day[planned.argmax() if planned.any() else -1].item()


def _counts(t, policy):
    return {
        "customers": t.count(),
        "groups": t.group.nunique(),
        "first": t.start.min(),
        "within_months": ((t.start.day() != 1) | (t.end.day() != 1).fill_null(False)).sum(),
    }


def _complete(validated, policy, where):
    """With how many contracts have ended by the last day observed, run on it, or lie after it."""
    t = validated.table
    last = policy.until or last_day_observed(t)
    ended, later = t.end <= ibis.literal(last, "date"), t.start > ibis.literal(last, "date")
    more = {
        "ended": ended.sum().fill_null(0),
        "planned": (~ended & ~later).sum().fill_null(0),
        "later": later.sum(),
    }
    counts = validated.counts | first(t.aggregate(**more)) | {"last": last}
    return Validated(t, counts | {"running": counts["customers"] - counts["ended"] - counts["later"]})


def _words(c, entry):
    planned = f", of which {c['planned']:,} end after the last day observed" if c["planned"] else ""
    coarse = c["first"] != c["last"] and not c["within_months"]
    later = {"contracts that start after it (left out)": f"{c['later']:,}"} if c["later"] else {}
    return {
        "customers": f"{c['customers']:,}",
        "groups": f"{c['groups']:,}",
        "contracts ended": f"{c['ended']:,}",
        "contracts running": f"{c['running']:,}{planned}",
        "first start to last day observed": f"{c['first']} to {c['last']}",
        **later,
        **({"days": "times fall on first days of months only, all starts and ends"} if coarse else {}),
    }


SUBSCRIPTIONS = Contract(
    kind="subscriptions",
    description="contracts of customers, from their start to their end",
    columns=(
        Column("customer_id", "id", "whose contract it is; text, never a number"),
        Column("start", "day", "first day of the contract"),
        Column("end", "day", "the day it was ended; empty while it runs", nullable=True),
        Column("group", "text", "what customers are compared by", required=False),
    ),
    empty_message="a table of contracts needs at least one",
    key=("customer_id",),
    duplicate_remedy="keep one contract of each, or give every contract an id of its own",
    inferable=True,
    row_rules=_row_rules,
    counts=_counts,
    complete=_complete,
    words=_words,
)
