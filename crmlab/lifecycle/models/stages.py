"""What the stages mean, and how customers spread over them."""

from typing import Any

import pandas as pd

from crmlab.estimate import Estimate, number
from crmlab.lifecycle.tables import stages
from crmlab.lifecycle.tables.cohorts import check_every
from crmlab.model import needs_fit, why_blank
from crmlab.stats.shares import wilson_interval


@needs_fit
def stage_definitions(thresholds: Any, every: str) -> pd.DataFrame:
    """The rules by which customers are labelled, in the order in which they apply.

    Parameters
    ----------
    thresholds : OverdueThresholds or Unfitted
        Waits beyond which customers are overdue, as from `OverdueThresholds.fit`.
    every : str
        Length of a period: "week" (from Monday), "month", "quarter" or "year".

    Returns
    -------
    DataFrame
        stage and definition, a rule a row; the first that applies decides.

    Raises
    ------
    InputError
        Where `every` is none of these.
    """
    check_every(every)
    waits, orders = ", ".join(f"{wait:,.0f}" for wait in thresholds.days), len(thresholds.days)
    multiple, window = thresholds.own_gap_multiple, f"{stages.WINDOW[every]} {every}s"
    own = "" if multiple is None else f", later ones {number(multiple, 3)} times the own mean gap"
    shares = stages.MIN_PAIRS, stages.MIN_CHANGE, stages.MIN_CONCORDANT
    most, change, same = (f"{100 * share:.0f} %" for share in shares)
    span = f"the last {window}, of at least {stages.MIN_PERIODS} after the first order's"
    measure = f"mean spend a {every} and more (of orders where there are no amounts)"
    pairs = f"of the pairs of {span}, more than {most} differ by {change} of {measure}"
    definitions = [
        ("decline", f"overdue: no order for {waits} days after the first {orders} orders{own}"),
        ("establishment", f"otherwise: at most {stages.TRIAL} order days"),
        ("decline", f"otherwise: {pairs}, and more than {same} of these are falls"),
        ("growth", f"otherwise: as many are rises, or fewer than {window} are known after the first order's"),
        ("maturity", "otherwise"),
    ]
    return pd.DataFrame(definitions, columns=["stage", "definition"])


@needs_fit
def stage_shares(stage_transitions: pd.DataFrame) -> pd.DataFrame:
    """How customers spread over the stages at the end of each period.

    Parameters
    ----------
    stage_transitions : DataFrame
        Counts of moves between stages, as from `stage_transitions`.

    Returns
    -------
    DataFrame
        - period, stage: stages that nobody is in included
        - customers: count
        - share: of all customers then, 0 to 1
    """
    counts = stages.customers_by(stage_transitions, "period").stack().astype("int64").rename("customers").reset_index()
    return counts.assign(share=counts.customers / counts.groupby("period").customers.transform("sum"))


def last_stage_shares(stage_shares: pd.DataFrame) -> dict[str, Estimate]:
    """The share of customers who are in each stage at the end of the last period.

    Parameters
    ----------
    stage_shares : DataFrame
        Shares by period and stage, as from `stage_shares`.

    Returns
    -------
    dict
        Stage -> share of all customers, 0 to 1; they are counted and not sampled, so that there is no interval.
        Blank with the reason where `stage_shares` is.
    """
    unit = "of customers"
    if reason := why_blank(stage_shares):
        return {stage: Estimate(None, unit=unit, kind="share", reason=reason) for stage in stages.STAGES}
    last = stage_shares[stage_shares.period == stage_shares.period.max()].set_index("stage")
    n = int(last.customers.sum())
    return {stage: Estimate(last.share.get(stage, 0.0), n=n, unit=unit, kind="share") for stage in stages.STAGES}


@needs_fit
def decline_and_recovery(stage_transitions: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """How many customers moved into decline, and recovered from it, period by period.

    Parameters
    ----------
    stage_transitions : DataFrame
        Counts of moves between stages, as from `stage_transitions`.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        - period
        - change: "declined", of those in another stage a period earlier, or "recovered", of those in decline
        - customers: of whom it is a share, count
        - changed: count
        - share, ci_low, ci_high: 0 to 1, with its interval (Wilson); blank where there was nobody
        - reason: why they are blank
    """
    known = stage_transitions[stage_transitions.previous != ""]
    was, moved = known.previous == "decline", (known.previous == "decline") != (known.stage == "decline")
    parts = {}
    for change, base in (("declined", ~was), ("recovered", was)):
        counts = {"customers": known.customers.where(base, 0), "changed": known.customers.where(base & moved, 0)}
        parts[change] = pd.DataFrame(counts).groupby(known.period).sum().astype("int64")
    found = pd.concat(parts, names=["change", "period"]).swaplevel().reset_index()
    asked = found.customers.where(found.customers > 0)
    ci_low, ci_high = wilson_interval(found.changed, asked, level)
    nobody = (
        "nobody was in " + found.change.map({"declined": "another stage", "recovered": "decline"}) + " a period before"
    )
    reason = nobody.where(asked.isna(), "")
    return found.assign(share=found.changed / asked, ci_low=ci_low, ci_high=ci_high, reason=reason)
