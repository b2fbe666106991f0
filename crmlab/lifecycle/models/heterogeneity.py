"""Why retention of all customers rises: because they change, or because those who leave more readily have left."""

import numpy as np
import pandas as pd
from scipy.special import betaln
from statsmodels.stats.proportion import proportion_confint

from crmlab import likelihood
from crmlab.lifecycle.models.projection import REPLICATES
from crmlab.lifecycle.models.sbg import BDW
from crmlab.lifecycle.models.survival import at_risk_and_lost
from crmlab.likelihood import FitError
from crmlab.result import Verdict
from crmlab.stats import intervals

PARTS = ("between_groups", "selection", "duration_dependence")
TOTAL = "all"
MIN_AT_RISK = 30  # customers at risk, of fewer of whom retention says nothing
MODELLED = (
    "selection",
    "selection_ci_low",
    "selection_ci_high",
    "duration_dependence",
    "duration_dependence_ci_low",
    "duration_dependence_ci_high",
    "unexplained",
)
COLUMNS = (
    "period",
    "before",
    "after",
    "change",
    "change_ci_low",
    "change_ci_high",
    "between_groups",
    *MODELLED,
    "reason",
)


def retention_decomposition(durations, seed, model=BDW):
    """What the change of the retention of all customers, from each renewal to the next, is made of: a frame.

    model   : BDW lets each customer's own chance move with tenure; under SBG it cannot, so that all change within a
              group is selection
    returns : a row a step, and "all" for the way from the first renewal to the last that every group was seen at,
              and MIN_AT_RISK customers
        period              the renewal that the step leads to
        before, after       share of those at risk who renewed, of all groups together, 0 to 1
        change              after − before, with change_ci_low, change_ci_high (95 %) [Newcombe 1998, method 10]
        between_groups      of it, as the shares of the groups among those at risk move
        selection           as those who leave more readily have left, within groups, with selection_ci_low,
                            selection_ci_high (95 %)
        duration_dependence as customers' own chances move, with duration_dependence_ci_low,
                            duration_dependence_ci_high (95 %)
        unexplained         what the models, fitted to each group, leave
        reason              why selection, duration_dependence and unexplained are NA; "" where they are numbers
    `between_groups` is counted, `selection` and `duration_dependence` are what the model says: the two are told apart
    by its form. Each part is the mean of what it comes to before and after the other has moved, so that all add up.
    """
    groups = {group: at_risk_and_lost(rows) for group, rows in durations.groupby("group")}
    last = min(len(lost) for _, lost in groups.values())
    at_risk, lost = (np.stack([found[i][:last] for found in groups.values()]) for i in (0, 1))
    enough = int((at_risk.sum(axis=0) >= MIN_AT_RISK).sum())  # those at risk only become fewer
    if min(last, enough) < 2:
        reason = _blank("one period only" if last < 2 else f"fewer than {MIN_AT_RISK} customers saw a second renewal")
        return pd.DataFrame([dict.fromkeys(COLUMNS, pd.NA) | {"period": TOTAL, "reason": reason}])
    last, at_risk, lost = min(last, enough), at_risk[:, :enough], lost[:, :enough]
    frame = _counted(at_risk, lost)
    weights = at_risk / at_risk.sum(axis=0)
    weights = (weights[:, 1:] + weights[:, :-1]) / 2
    try:
        fitted = [model.fit(rows) for _, rows in durations.groupby("group")]
    except FitError as problem:
        return frame.assign(**dict.fromkeys(MODELLED, pd.NA), reason=str(problem))[list(COLUMNS)]
    drawn = [likelihood.draws(one, REPLICATES, seed + n) for n, one in enumerate(fitted)]
    draws = [_modelled(models, weights, last) for models in zip(*drawn, strict=True)]
    for name, value, low, high in zip(
        ("selection", "duration_dependence"),
        _modelled(fitted, weights, last),
        *intervals.percentile_interval(draws),
        strict=True,
    ):
        frame[name], frame[f"{name}_ci_low"], frame[f"{name}_ci_high"] = value, low, high
    frame["unexplained"] = frame.change - frame[list(PARTS)].sum(axis=1)
    return frame.assign(reason="")[list(COLUMNS)]


def rising_retention_is_loyalty(table):
    """Whether a rise of retention means that customers grow more loyal: a Verdict on `retention_decomposition`.

    It passes where nothing rises, or where customers' own chances clearly do. Else the rise is one of
    selection: a warning.
    """
    claim, whole = "Rising retention means that customers grow more loyal", table[table.period == TOTAL].iloc[0]
    instead = "renewals of like customers side by side: by group, and by tenure within it"
    if whole.change is pd.NA:
        return Verdict(claim, False, whole.reason, instead)
    rise = (
        f"retention goes from {whole.before:.1%} to {whole.after:.1%} "
        f"({_points(whole.change)} points, 95 % {_points(whole.change_ci_low)} to {_points(whole.change_ci_high)})"
    )
    if whole.change_ci_low <= 0:
        return Verdict(claim, True, f"{rise}: no clear rise to explain")
    if whole.reason:
        return Verdict(claim, False, f"{rise}, which cannot be taken apart: {whole.reason}", instead)
    summary = (
        f"{rise}: {_points(whole.selection)} as those who leave more readily have left "
        f"(95 % {_points(whole.selection_ci_low)} to {_points(whole.selection_ci_high)}), "
        f"{_points(whole.duration_dependence)} as customers change "
        f"(95 % {_points(whole.duration_dependence_ci_low)} to {_points(whole.duration_dependence_ci_high)}), "
        f"{_points(whole.between_groups)} as groups' shares move, {_points(whole.unexplained)} unexplained"
    )
    return Verdict(claim, bool(whole.duration_dependence_ci_low > 0), summary, instead)


def _counted(at_risk, lost):
    """What needs no model: the steps of retention, and what groups' shares do to it."""
    everybody = at_risk.sum(axis=0)
    kept = 1 - lost.sum(axis=0) / everybody
    low, high = proportion_confint(everybody - lost.sum(axis=0), everybody, method="wilson")
    below, above = kept - low, high - kept
    own, share = 1 - lost / at_risk, at_risk / everybody
    between = ((own[:, 1:] + own[:, :-1]) / 2 * np.diff(share)).sum(axis=0)
    steps = pd.DataFrame({"before": kept[:-1], "after": kept[1:], "between_groups": between})
    steps["below"], steps["above"] = np.hypot(below[1:], above[:-1]), np.hypot(above[1:], below[:-1])
    whole = {"before": kept[0], "after": kept[-1], "between_groups": between.sum()}
    whole |= {"below": np.hypot(below[-1], above[0]), "above": np.hypot(above[-1], below[0])}
    frame = pd.concat([steps, pd.DataFrame([whole])], ignore_index=True)
    frame["change"] = frame.after - frame.before
    frame["change_ci_low"], frame["change_ci_high"] = frame.change - frame.below, frame.change + frame.above
    frame["period"] = [*range(2, len(kept) + 1), TOTAL]
    return frame.drop(columns=["below", "above"])


def _modelled(models, weights, last):
    """selection and duration_dependence of each step and of all, over groups as they weigh: an array, 2 x steps + 1."""
    steps = sum(weight * np.stack(_parts(model, last)) for model, weight in zip(models, weights, strict=True))
    return np.column_stack([steps, steps.sum(axis=1)])


def _parts(model, last):
    """selection and duration_dependence of one group's steps: mean own chance to renew at s of those there before t.

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


def _blank(reason):
    return f"cannot be estimated: {reason}"


def _points(share):
    return f"{100 * share:+.1f}"
