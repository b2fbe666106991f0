"""What the data say of schemes of segments: the checks of this domain. Their sentences are in sentences.toml."""

import re
from typing import Any

import pandas as pd
from scipy import stats

from crmlab import holdout
from crmlab.check import UNJUDGED, Judgement, Outcome, assumption, beyond, comparison, finding, judged, within
from crmlab.estimate import Estimate, number, written
from crmlab.holdout.rolling import ALL_ORIGINS
from crmlab.segments.models.index_system import ALL
from crmlab.segments.models.null_model import MEASURES, NULL_QUANTILE, p_value
from crmlab.sentences import sentence, templates
from crmlab.stats.intervals import upper_limit
from crmlab.stats.shares import wilson_interval

__all__ = [
    "customers_form_clusters",
    "indices_agree",
    "meets_kotler_criteria",
    "more_rose_than_fell",
    "rfm_rules_unambiguous",
    "schemes_beat_baselines",
    "store_strength_changes_treatment",
    "tiers_robust_to_weights",
    "value_axes_distinct",
]


def __dir__():
    return __all__


@finding
def indices_agree(chosen: pd.DataFrame) -> Judgement:
    """Whether all indices choose the same number of clusters, more than one.

    Parameters
    ----------
    chosen : DataFrame
        Of `suggested_k`.

    Returns
    -------
    Check
        A finding.
    """
    by = chosen.reset_index().groupby("k")["index"].agg(", ".join)
    choices = "; ".join(f"{k} by {names}" for k, names in by.items())
    return judged("yes" if len(by) == 1 and by.index[0] > 1 else "no", choices=choices)


@finding
def customers_form_clusters(null_comparison: pd.DataFrame) -> Judgement:
    """Whether clusters are more separate, and more surely found again, than in customers of one kind.

    Yes where customers beat 95 % of the draws of one kind by silhouette and by prediction strength, no where they are
    below 95 % of them by either, else undecided. A p is (1 + draws as good) / (1 + draws).

    Parameters
    ----------
    null_comparison : DataFrame
        Of `null_comparison`.

    Returns
    -------
    Check
        A finding.
    """
    observed, null = null_comparison.iloc[0], null_comparison[null_comparison.source == "null"]
    limits = {m: float(upper_limit(null[m], NULL_QUANTILE)) for m in MEASURES}
    p = {m: p_value(null_comparison, m, len(null)) for m in MEASURES}
    below = {m: (1 + (null[m] <= observed[m]).sum()) / (1 + len(null)) for m in MEASURES}
    alpha = 1 - NULL_QUANTILE + 1e-12
    outcome: Outcome = "yes" if max(p.values()) <= alpha else "no" if min(below.values()) <= alpha else "undecided"
    found = {"": observed[[*MEASURES]], "_limit": limits, "_p": p}
    values = {f"{measure}{end}": value for end, each in found.items() for measure, value in each.items()}
    values |= {name: int(observed[name]) for name in ("k", "searched", "customers")}
    return judged(outcome, **values)


@assumption
def value_axes_distinct(places: pd.DataFrame, limit: float = 0.5) -> Judgement:
    """Whether current value and potential part customers in two ways, by their rank correlation.

    Parameters
    ----------
    places : DataFrame
        Of `ValueMatrix.axes`.
    limit : float
        Greatest Spearman correlation, without sign, that passes; .5 is a large one.

    Returns
    -------
    Check
        An assumption.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences.
    """
    rank = float(holdout.spearman(places.potential, places.current))
    low, high = holdout.correlation_interval(rank, len(places))
    correlation = Estimate(rank, low, high, n=len(places), kind="correlation")
    outcome = within(low, high, -limit, limit)
    case = "opposed" if outcome == "failed" and rank < 0 else ""
    return judged(outcome, case, correlation=correlation, customers=len(places))


@assumption
def rfm_rules_unambiguous(audited: pd.DataFrame) -> Judgement:
    """Whether a list of rules gives each cell of recency, frequency and money one name.

    Parameters
    ----------
    audited : DataFrame
        Of `rfm_rule_audit`, with `customers`.

    Returns
    -------
    Check
        An assumption.
    """
    several, none = audited.n_rules > 1, audited.n_rules == 0
    listed = dict.fromkeys(name for names in audited["names"] for name in names.split("; ") if name)
    unused = ", ".join(name for name in listed if not (audited["first_rule"] == name).any())
    values: dict[str, Any] = {"cells": len(audited), "unused": unused}
    for name, held in (("several", several), ("none", none)):
        share = audited.customers[held].sum() / max(audited.customers.sum(), 1)
        values |= {name: int(held.sum()), f"{name}_share": share}
    outcome: Outcome = "failed" if several.any() or none.any() else "passed"
    return judged(outcome, case="unused" if unused else "", **values)


@assumption
def tiers_robust_to_weights(by_tier: pd.DataFrame, max_share: float = 0.2) -> Judgement:
    """Whether at most a share of customers would be in another tier under somewhat different weights.

    Parameters
    ----------
    by_tier : DataFrame
        Of `weight_sensitivity_by_tier`.
    max_share : float
        Share of customers, 0 to 1.

    Returns
    -------
    Check
        An assumption.
    """
    every, tiers = by_tier.loc[ALL], by_tier.drop(ALL)
    share = _share(every.unstable, every.customers)
    outcome = within(share.ci_low, share.ci_high, 0, max_share)
    worst = {"tier": tiers.share.idxmax(), "tier_share": tiers.share.max()}
    return judged(outcome, share=share, customers=int(every.customers), **worst)


@comparison
def schemes_beat_baselines(
    comparison: pd.DataFrame, measure: str = "gini", target: str = "spend", population: str = holdout.ALL_CUSTOMERS
) -> Judgement:
    """Whether the best scheme predicts better than the best continuous baseline, over all origins.

    Several schemes take part, so that the best of them owes something to luck.

    Parameters
    ----------
    comparison : DataFrame
        Of `compare_schemes`.
    measure : str
        Measure of prediction: "gini", "lift" or "r2".
    target : str
        What is predicted: "spend", "orders" or "active".
    population : str
        Whose comparison it is.

    Returns
    -------
    Check
        A comparison; its id names the target and the population where they are not spend and all customers.
    """
    rows = comparison[(comparison.target == target) & (comparison.population == population)]
    other = "" if population == holdout.ALL_CUSTOMERS else population
    part = ".".join(filter(None, (measure, "" if target == "spend" else target, other)))
    title = ", ".join(filter(None, (holdout.TITLES[measure], other)))
    held = (rows.origin == ALL_ORIGINS) & (rows.measure == measure) & ~rows.is_baseline
    schemes = rows[held & rows.difference.notna()]
    about = {"schemes": len(schemes), "title": title, "target": target}
    if schemes.empty:
        why = "; ".join(dict.fromkeys(rows.reason[held])) or "there are no schemes"
        return judged("not applicable", case="unknown", part=part, why=why, **about)
    lined = schemes.sort_values(["origins", "difference"], ascending=False, kind="stable")
    best = lined.model.iloc[0]
    found = holdout.judged_against_baseline(rows, best, measure, population)
    return judged(found.outcome, part=part, **(dict(found.values) | about | {"model": best.replace("_", " ")}))


@assumption
def meets_kotler_criteria(criteria: pd.DataFrame) -> list[Judgement]:
    """Whether each scheme meets all of Kotler's criteria that could be measured.

    Parameters
    ----------
    criteria : DataFrame
        Of `kotler_criteria`.

    Returns
    -------
    list of Check
        An assumption for each scheme.
    """
    return [_kotler(str(scheme), rows) for scheme, rows in criteria.groupby("scheme", sort=False)]


@finding
def store_strength_changes_treatment(ablation: pd.DataFrame, min_share: float = 0.05) -> Judgement:
    """Whether the strength of stores changes the treatment of at least a share of customers.

    Parameters
    ----------
    ablation : DataFrame
        Of `store_strength_ablation`.
    min_share : float
        Share of customers, 0 to 1.

    Returns
    -------
    Check
        A finding.
    """
    moved = ablation.customers[ablation.treatment_changes]
    classes = ", ".join(f"{label} {count:,}" for label, count in moved[moved > 0].items()) or "none"
    share = _share(moved.sum(), ablation.customers.sum())
    outcome = beyond(share.ci_low, share.ci_high, min_share)
    return judged(outcome, share=share, customers=int(ablation.customers.sum()), classes=classes)


@finding
def more_rose_than_fell(
    moved: pd.DataFrame, features_before: pd.DataFrame | None = None, features_after: pd.DataFrame | None = None
) -> Judgement:
    """Whether more customers rose than fell, by the exact binomial test of those who moved.

    Current value is what the window holds. Where that is the first order of most customers on one of the two days, and
    not on the other, they move by the design of the window, and the check is not applicable.

    Parameters
    ----------
    moved : DataFrame
        Of `migration_summary`.
    features_before, features_after : DataFrame, optional
        Of `customer_features`, as of the two days, where classes are by what a window holds.

    Returns
    -------
    Check
        A finding.
    """
    if reason := _moved_by_window(features_before, features_after):
        return judged("not applicable", case=UNJUDGED, reason=reason)
    rose, fell, stayed = (int(moved.customers[change]) for change in ("rose", "fell", "stayed"))
    about: dict[str, Any] = {"rose": rose, "fell": fell, "stayed": stayed}
    if not rose + fell:
        return judged("undecided", case="nobody_moved", **about)
    test = stats.binomtest(rose, rose + fell)
    share = test.proportion_ci(0.95, "exact")
    case = "" if fell else "nobody_fell"
    return judged(beyond(share.low, share.high, 0.5), case=case, p=float(test.pvalue), **about)


def _moved_by_window(*features):
    """Why customers known on both days move by the design of the window; empty where they do not."""
    if any(frame is None for frame in features):
        return ""
    known = features[0].index.intersection(features[1].index)
    shares = [float((f.window_orders[known] == f.orders[known]).mean()) for f in features]
    if (shares[0] > 0.5) == (shares[1] > 0.5):
        return ""
    line = templates("crmlab.segments")["more_rose_than_fell"]["by_window"]
    return sentence(line, {"before": shares[0], "after": shares[1], "customers": len(known)})


def _kotler(scheme, rows):
    """The conclusion on one scheme."""
    measured, by = rows[rows.outcome != "not applicable"], rows.set_index("measure").outcome
    about = {"scheme": scheme, "called": scheme.replace("_", " "), "measured": len(measured), "measures": len(rows)}
    about["met"] = int((by == "passed").sum())
    line = templates("crmlab.segments")["meets_kotler_criteria"]["line"]
    about["unmeasured"] = ", ".join(dict.fromkeys(rows.criterion[rows.outcome == "not applicable"])) or "none"
    if measured.empty:
        return judged("not applicable", case="unknown", part=scheme, why="; ".join(dict.fromkeys(rows.reason)), **about)
    for outcome in ("failed", "undecided"):
        if len(short := measured[measured.outcome == outcome]):
            about["short"] = "; ".join(sentence(line, row._asdict() | _of_criterion(row)) for row in short.itertuples())
            return judged(outcome, case=f"{outcome}_{short.criterion.iloc[0]}", part=scheme, **about)
    return judged("passed", part=scheme, **about)


def _of_criterion(row):
    """The value and the threshold of a criterion in words: shares and accuracies in per cent."""
    if re.search(r"\b(share|accuracy)\b", row.measure):
        return {"value": written(row.value, "share"), "threshold": f"{100 * row.threshold:.4g} %"}
    return {"value": number(row.value), "threshold": number(row.threshold)}


def _share(count, n):
    """A share of customers with Wilson's interval."""
    low, high = map(float, wilson_interval(count, max(n, 1)))
    return Estimate(float(count / max(n, 1)), low, high, n=int(n), kind="share")
