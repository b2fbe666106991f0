"""Why retention of all customers rises: because they change, or because those who leave more readily have left."""

import numpy as np
import pandas as pd
from scipy.special import betaln

from crmlab.lifecycle.models.projection import retention_model
from crmlab.lifecycle.models.survival import at_risk_and_lost
from crmlab.likelihood import REPLICATES
from crmlab.model import why_blank
from crmlab.stats.intervals import percentile_interval
from crmlab.stats.shares import wilson_interval

PARTS = ("between_groups", "selection", "duration_dependence")
TOTAL = "all"
MIN_AT_RISK = 30  # customers at risk, of fewer of whom retention is not read
COLUMNS = [
    "period", "before", "after", "change", "change_ci_low", "change_ci_high", "between_groups", "selection",
    "selection_ci_low", "selection_ci_high", "duration_dependence", "duration_dependence_ci_low",
    "duration_dependence_ci_high", "unexplained", "reason",
]  # fmt: skip
MODELLED = COLUMNS[COLUMNS.index("selection") : -1]


def retention_decomposition(
    durations: pd.DataFrame, model: str = "BdW", level: float = 0.95, replicates: int = REPLICATES, seed: int = 1
) -> pd.DataFrame:
    """What the change of the retention of all customers, from each renewal to the next, is made of.

    `between_groups` is counted, `selection` and `duration_dependence` come from the model: its form separates them.
    Each part is the mean of what it comes to before and after the other has moved, so that all add up.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    model : str
        "BdW" lets each customer's own probability move with tenure; under "sBG" it cannot, so that all change within
        a group is selection.
    level : float
        Confidence level of the intervals, 0 to 1.
    replicates : int
        Draws of the parameters for the intervals; 0 leaves these blank.
    seed : int
        Seed of the draws; the n-th group's is seed + n, from 0.

    Returns
    -------
    DataFrame
        A row a step, and "all" for the way from the first renewal to the last that every group, and MIN_AT_RISK
        customers, were observed at: period, the renewal that the step leads to; before and after, share of those at
        risk who renewed, of all groups together, 0 to 1; change, after − before, with change_ci_low and change_ci_high
        (Newcombe's method 10); between_groups, of it, as the shares of the groups among those at risk move; selection,
        as those who leave more readily have left, within groups; duration_dependence, as customers' own probabilities
        move, both with _ci_low and _ci_high; unexplained, what the models, fitted to each group, leave; reason, why
        the parts that need a model are NA.

    Raises
    ------
    InputError
        Where there is no such model.

    References
    ----------
    Newcombe (1998), Interval estimation for the difference between independent proportions.
    """
    cls = retention_model(model)
    groups = {group: at_risk_and_lost(rows) for group, rows in durations.groupby("group")}
    last = min(len(lost) for _, lost in groups.values())
    at_risk, lost = (np.stack([found[i][:last] for found in groups.values()]) for i in (0, 1))
    enough = int(np.logical_and.accumulate(at_risk.sum(axis=0) >= MIN_AT_RISK).sum())
    if min(last, enough) < 2:
        few = f"fewer than {MIN_AT_RISK} customers were at risk at renewal {min(enough, 1) + 1}"
        reason = "one period only" if last < 2 else few
        blank = dict.fromkeys(COLUMNS, pd.NA) | {"period": TOTAL, "reason": reason}
        return pd.DataFrame([blank])
    last, at_risk, lost = min(last, enough), at_risk[:, :enough], lost[:, :enough]
    frame = _counted(at_risk, lost, level)
    weights = at_risk / at_risk.sum(axis=0)
    weights = (weights[:, 1:] + weights[:, :-1]) / 2
    fitted = [cls.fit(rows, replicates, seed + n) for n, (_, rows) in enumerate(durations.groupby("group"))]
    if reason := why_blank(*fitted):
        return frame.assign(**dict.fromkeys(MODELLED, pd.NA), reason=reason)[COLUMNS]
    draws = [_modelled(models, weights, last) for models in zip(*(one.draws for one in fitted), strict=True)]
    ends = percentile_interval(draws, level) if draws else np.full((2, 2, last), np.nan)
    for side, parts in zip(("", "_ci_low", "_ci_high"), (_modelled(fitted, weights, last), *ends), strict=True):
        frame[f"selection{side}"], frame[f"duration_dependence{side}"] = parts
    frame["unexplained"] = frame.change - frame[list(PARTS)].sum(axis=1)
    frame = frame.assign(reason="")[COLUMNS]
    frame.attrs["level"] = level
    return frame


def _counted(at_risk, lost, level):
    """What needs no model: the steps of retention, and what groups' shares do to it."""
    everybody = at_risk.sum(axis=0)
    kept = 1 - lost.sum(axis=0) / everybody
    low, high = wilson_interval(everybody - lost.sum(axis=0), everybody, level)
    below, above = kept - low, high - kept
    own, share = 1 - lost / np.maximum(at_risk, 1), at_risk / everybody
    between = ((own[:, 1:] + own[:, :-1]) / 2 * np.diff(share)).sum(axis=0)
    start, end = np.append(np.arange(len(kept) - 1), 0), np.append(np.arange(1, len(kept)), -1)  # each step, and all
    frame = pd.DataFrame({"period": [*range(2, len(kept) + 1), TOTAL], "before": kept[start], "after": kept[end]})
    frame["change"] = frame.after - frame.before
    frame["change_ci_low"] = frame.change - np.hypot(below[end], above[start])
    frame["change_ci_high"] = frame.change + np.hypot(above[end], below[start])
    return frame.assign(between_groups=np.append(between, between.sum()))


def _modelled(models, weights, last):
    """selection and duration_dependence of each step and of all, over groups as they weigh: an array, 2 x steps + 1."""
    steps = sum(weight * np.stack(_parts(model, last)) for model, weight in zip(models, weights, strict=True))
    return np.column_stack([steps, steps.sum(axis=1)])


def _parts(model, last):
    """selection and duration_dependence of one group's steps: mean probability to renew at s of those left before t.

    Who survived t − 1 renewals weighs (1 − θ)^((t − 1)^c), and renews for the s-th time by (1 − θ)^(s^c − (s − 1)^c).
    """
    c = getattr(model, "c", 1.0)
    t = np.arange(last + 1.0) ** c
    there, stakes = model.beta + t[:-1], np.diff(t)

    def renewing(who, when):
        return np.exp(betaln(model.alpha, there[who] + stakes[when]) - betaln(model.alpha, there[who]))

    before, after = slice(None, -1), slice(1, None)
    first, cross, other, second = (renewing(w, s) for w in (before, after) for s in (before, after))
    return (other - first + second - cross) / 2, (cross - first + second - other) / 2
