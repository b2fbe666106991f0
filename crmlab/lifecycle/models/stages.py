"""What the stages mean, and how customers spread over them."""

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from crmlab.lifecycle.tables.stages import MIN_CHANGE, MIN_CONCORDANT, MIN_PAIRS, MIN_PERIODS, STAGES, TRIAL, WINDOW
from crmlab.result import number


def stage_definitions(thresholds, every):
    """The rules by which customers are labelled, in the order they are asked: a frame of stage and definition.

    thresholds : the OverdueThresholds that `customer_stages` was given
    """
    waits = ", ".join(f"{wait:,.0f}" for wait in thresholds.days)
    own = (
        ""
        if thresholds.own_gap_multiple is None
        else f", later ones {number(thresholds.own_gap_multiple, 3)} of their own mean gaps"
    )
    span = f"the last {WINDOW[every]} {every}s, of at least {MIN_PERIODS} after the first order's"
    pairs = (
        f"of the pairs of {span}, more than {MIN_PAIRS:.0%} differ by {MIN_CHANGE:.0%} of mean spend a {every} and more"
    )
    definitions = [
        ("decline", f"overdue: no order for {waits} days after the first {len(thresholds.days)} orders{own}"),
        ("establishment", f"otherwise: at most {TRIAL} order days"),
        ("decline", f"otherwise: {pairs}, and more than {MIN_CONCORDANT:.0%} of these are falls"),
        (
            "growth",
            f"otherwise: as many are rises, or fewer than {WINDOW[every]} {every}s are known after the first order's",
        ),
        ("maturity", "otherwise"),
    ]
    return pd.DataFrame(definitions, columns=["stage", "definition"])


def stage_shares(stage_transitions):
    """How customers spread over the stages at the end of each period: a frame by period and stage.

    stage_transitions : of `tables.stages`
    returns : customers, count; share of all customers then, 0 to 1; stages nobody is in included
    """
    counts = stage_transitions.pivot_table("customers", "period", "stage", "sum", fill_value=0)
    counts = counts.reindex(columns=list(STAGES), fill_value=0)
    share = counts.div(counts.sum(axis=1), axis=0)
    both = {"customers": counts.stack().astype("int64"), "share": share.stack()}
    return pd.DataFrame(both).rename_axis(["period", "stage"]).reset_index()


def decline_and_recovery(stage_transitions):
    """How many customers fell into decline, and recovered from it, period by period: a frame by period and change.

    change     "declined", of those in another stage a period earlier, or "recovered", of those in decline
    customers  of whom it is a share, count
    changed    count
    share, ci_low, ci_high  0 to 1, with its 95 % interval (Wilson); blank where there was nobody
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
    ci_low, ci_high = proportion_confint(found.changed, asked, method="wilson")
    return found.assign(share=found.changed / asked, ci_low=ci_low, ci_high=ci_high)
