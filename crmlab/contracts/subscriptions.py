"""Contracts of customers: their ends are observed."""

from dataclasses import replace

import ibis
import numpy as np
from ibis import _

from crmlab.contracts.blanks import is_empty
from crmlab.contracts.contract import Column, Contract, Rule, Validated, first, negative
from crmlab.contracts.errors import InputError

MIN_DAYS, MIN_SILENCE, LONGER, FEW = 20, 365, 10, 0.05  # when days after a silence are planned ones


def _row_rules(t, policy):
    if "tenure" in t.columns:
        return _tenure_rules(t)
    rules = [Rule("end", "comes before the start", lambda t: t.end < t.start, "correct either", "raw_end")]
    if policy.until:
        message = f"comes after {policy.until}, the last day observed"
        remedy = "correct them, or until in data/catalog.toml"
        rules.append(Rule("start", message, lambda t: t.start > policy.until, remedy, "raw_start"))
    return rules


def _tenure_rules(t):
    rules = negative("tenure")
    rules.append(Rule("churned", "is empty", is_empty("churned"), "fill or drop them"))
    if "customers" in t.columns:
        rules.append(Rule("customers", "is below 1", lambda t: t.customers < 1, "leave them out", "raw_customers"))
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
    if "tenure" in t.columns:
        customers = contracts_a_row(t)
        return {
            "customers": customers.sum(),
            "groups": t.group.nunique(),
            "ended": customers.sum(where=t.churned).fill_null(0),
            "ended_at_once": customers.sum(where=t.churned & (t.tenure == 0)).fill_null(0),
            "shortest": t.tenure.min(),
            "longest": t.tenure.max(),
            "ids": ibis.literal("customer_id" in t.columns),
            "counted": ibis.literal("customers" in t.columns),
        }
    return {
        "customers": t.count(),
        "groups": t.group.nunique(),
        "first": t.start.min(),
        "within_months": ((t.start.day() != 1) | (t.end.day() != 1).fill_null(False)).sum(),
    }


def contracts_a_row(t):
    """How many contracts each row of a table with tenures stands for."""
    return t.customers if "customers" in t.columns else t.tenure.notnull().cast("int64")


def _complete(validated, policy, where):
    """With how many contracts have ended by the last day observed, run on it, or lie after it."""
    t = validated.table
    _check_settings("tenure" in t.columns, policy, where)
    if "tenure" in t.columns:
        counts = validated.counts
        return Validated(t, counts | {"running": counts["customers"] - counts["ended"]})
    last = policy.until or last_day_observed(t)
    ended, later = t.end <= ibis.literal(last, "date"), t.start > ibis.literal(last, "date")
    more = {
        "ended": ended.sum().fill_null(0),
        "planned": (~ended & ~later).sum().fill_null(0),
        "later": later.sum(),
    }
    counts = validated.counts | first(t.aggregate(**more)) | {"last": last}
    return Validated(t, counts | {"running": counts["customers"] - counts["ended"] - counts["later"]})


def _check_settings(tenures, policy, where):
    """Raises InputError where something is stated that means nothing in the form that the contracts have."""
    idle = ("until", "observed_from") if tenures else ("tenure_unit",)
    if stated := [name for name in idle if name in policy.model_fields_set and getattr(policy, name) is not None]:
        form = "tenure and churned, which know no days" if tenures else "start and end, which have no tenure"
        raise InputError(f"{where}: {', '.join(stated)}: the contracts are given by {form}; leave it out")


def _tenure_words(c, entry):
    at_once = {"contracts ended at tenure 0 (lost at the first renewal)": f"{c['ended_at_once']:,}"}
    whose = "as column customers counts" if c["counted"] else "none; each row is a contract of a customer of its own"
    return {
        "customers": f"{c['customers']:,}",
        "groups": f"{c['groups']:,}",
        "contracts ended": f"{c['ended']:,}",
        **(at_once if c["ended_at_once"] else {}),
        "contracts running": f"{c['running']:,}",
        "tenure": f"{c['shortest']:,} to {c['longest']:,}, read as {entry.tenure_unit}s; no days are known",
        **({} if c["ids"] else {"ids of customers": whose}),
    }


def _words(c, entry):
    if "longest" in c:
        return _tenure_words(c, entry)
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


CUSTOMER = Column("customer_id", "id", "whose contract it is; text, never a number")
GROUP = Column("group", "text", "what customers are compared by", required=False)
DAYS = (
    Column("start", "day", "first day of the contract"),
    Column("end", "day", "the day it was ended; empty while it runs", nullable=True),
)
TENURES = (
    Column("tenure", "whole", "how long the contract has lasted, in days, months or years as tenure_unit says"),
    Column("churned", "yes", "whether it has ended"),
    Column("customers", "whole", "how many contracts the row stands for", required=False, nullable=True),
)
SUBSCRIPTIONS = Contract(
    kind="subscriptions",
    description="contracts of customers, from their start to their end, or how long they have lasted",
    columns=(CUSTOMER, *DAYS, GROUP, *TENURES),
    forms=((CUSTOMER, *DAYS, GROUP), (replace(CUSTOMER, required=False, nullable=True), *TENURES, GROUP)),
    empty_message="a table of contracts needs at least one",
    key=("customer_id",),
    duplicate_remedy="keep one contract of each, or give every contract an id of its own",
    inferable=True,
    row_rules=_row_rules,
    counts=_counts,
    complete=_complete,
    words=_words,
)
