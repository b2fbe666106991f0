"""What the stages mean, and how customers spread over them."""

from typing import Any

import pandas as pd

from crmlab.contracts import InputError
from crmlab.estimate import Estimate, number
from crmlab.lifecycle.tables.cohorts import check_every
from crmlab.lifecycle.tables.stages import MIN_CHANGE, MIN_CONCORDANT, MIN_PAIRS, MIN_PERIODS, STAGES, TRIAL, WINDOW
from crmlab.model import needs_fit
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
    own = (
        ""
        if thresholds.own_gap_multiple is None
        else f", later ones {number(thresholds.own_gap_multiple, 3)} times the own mean gap"
    )
    span = f"the last {WINDOW[every]} {every}s, of at least {MIN_PERIODS} after the first order's"
    pairs = (
        f"of the pairs of {span}, more than {_percent(MIN_PAIRS)} differ by {_percent(MIN_CHANGE)} "
        f"of mean spend a {every} and more"
    )
    definitions = [
        ("decline", f"overdue: no order for {waits} days after the first {orders} orders{own}"),
        ("establishment", f"otherwise: at most {TRIAL} order days"),
        ("decline", f"otherwise: {pairs}, and more than {_percent(MIN_CONCORDANT)} of these are falls"),
        (
            "growth",
            f"otherwise: as many are rises, or fewer than {WINDOW[every]} {every}s are known after the first order's",
        ),
        ("maturity", "otherwise"),
    ]
    return pd.DataFrame(definitions, columns=["stage", "definition"])


def _percent(share):
    return f"{100 * share:.0f} %"


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
    counts = stage_transitions.pivot_table("customers", "period", "stage", "sum", fill_value=0)
    counts = counts.reindex(columns=list(STAGES), fill_value=0)
    share = counts.div(counts.sum(axis=1), axis=0)
    both = {"customers": counts.stack().astype("int64"), "share": share.stack()}
    return pd.DataFrame(both).rename_axis(["period", "stage"]).reset_index()


@needs_fit
def share_in_stage(stage_shares: pd.DataFrame, stage: str) -> Estimate:
    """The share of customers who are in a stage at the end of the last period.

    Parameters
    ----------
    stage_shares : DataFrame
        Shares by period and stage, as from `stage_shares`.
    stage : str
        establishment, growth, maturity or decline.

    Returns
    -------
    Estimate
        A share of all customers, 0 to 1; they are counted and not sampled, so that there is no interval.

    Raises
    ------
    InputError
        Where there is no such stage.
    """
    if stage not in STAGES:
        raise InputError(f"stage = {stage!r}: choose one of {', '.join(STAGES)}")
    last = stage_shares[stage_shares.period == stage_shares.period.max()].set_index("stage")
    return Estimate(last.share[stage], n=int(last.customers.sum()), unit="of customers", kind="share")


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
    """
    known = stage_transitions[stage_transitions.previous != ""]
    was, is_ = known.previous == "decline", known.stage == "decline"
    parts = []
    for change, base, moved in (("declined", ~was, ~was & is_), ("recovered", was, was & ~is_)):
        counts = {"customers": known.customers.where(base, 0), "changed": known.customers.where(moved, 0)}
        frame = pd.DataFrame(counts).groupby(known.period).sum().astype("int64")
        frame.insert(0, "change", change)
        parts.append(frame.reset_index())
    found = pd.concat(parts, ignore_index=True)
    asked = found.customers.where(found.customers > 0)
    ci_low, ci_high = wilson_interval(found.changed, asked, level)
    return found.assign(share=found.changed / asked, ci_low=ci_low, ci_high=ci_high)
