"""What the data say of claims about gaps, answers and loyalty: a Check each."""

import pandas as pd

from crmlab.check import Judgement, Outcome, assumption, beyond, finding, judged, within
from crmlab.estimate import Estimate
from crmlab.service_quality.models.asked import OVERALL, level_of
from crmlab.service_quality.models.predictor import (
    AS_GAP,
    BY_DIMENSION,
    NO_EXPECT,
    PolynomialRegression,
    deciding_tests,
)

__all__ = [
    "gap_predicts_satisfaction",
    "robust_to_careless_responding",
    "shortfall_larger_where_important",
    "top_box_more_loyal",
]

OUTCOMES: dict[str, Outcome] = {
    "gap": "yes",
    "perception": "no",
    "both": "no",
    "undecided": "undecided",
    "wide": "undecided",
}
SOURCES = {"points": "importance points", "importance": "ratings of importance"}


@finding
def gap_predicts_satisfaction(satisfaction_predictor: PolynomialRegression, tolerance: float = 0.2) -> Judgement:
    """Whether the gap is the right predictor of satisfaction, and what to use if it is not.

    Parameters
    ----------
    satisfaction_predictor : PolynomialRegression
        Of the function of this name, or of `PolynomialRegression.fit`.
    tolerance : float
        Most that satisfaction may change with a point more of both sides, which leaves the gap as it is; in points.

    Returns
    -------
    Check
        Finding: yes where expectation is shown to matter, the weights of a gap are not rejected and the interval of
        that change lies within the tolerance; no where they are rejected; undecided otherwise.

    References
    ----------
    Edwards (1994), Organizational Behavior and Human Decision Processes 58, 51-100.
    """
    model = satisfaction_predictor
    both = model.coefficients[model.coefficients.model == "both"].set_index("term")
    expect, perceive = (Estimate(row.b, row.ci_low, row.ci_high, level=model.level) for _, row in both.iterrows())
    tests, r2 = deciding_tests(model.tests).set_index("question"), model.models.set_index("model").r2
    several = f"both{BY_DIMENSION}" in r2
    r2 = {name: r2[f"{name}{BY_DIMENSION}" if several else name] for name in ("gap", "perception", "both")}
    case, change = model.recommended, model.departure_from_gap.iloc[0]
    if case == "gap" and within(change.ci_low, change.ci_high, -tolerance, tolerance) != "passed":
        case = "wide"
    return judged(
        OUTCOMES[case], case=case, expect=expect, perceive=perceive,
        departure=Estimate(change.b, change.ci_low, change.ci_high, level=model.level),
        tested=" in all dimensions at once" if several else "",
        p_expect=tests.p[NO_EXPECT], p_gap=tests.p[AS_GAP], n=model.n,
        r2_gap=r2["gap"], r2_perception=r2["perception"], r2_both=r2["both"],
    )  # fmt: skip


@assumption
def robust_to_careless_responding(careless_sensitivity: pd.DataFrame) -> Judgement:
    """Whether the conclusion on each gap is the same without those who seem to have answered carelessly.

    A sensitivity check: that conclusions agree is what is observed, and not merely that no difference was shown.

    Parameters
    ----------
    careless_sensitivity : DataFrame
        Of the function of this name.

    Returns
    -------
    Check
        Assumption: passed, failed, or undecided where a gap without them is blank; not applicable where all are.
    """
    known = careless_sensitivity[careless_sensitivity.gap_without.notna()]
    if known.empty:
        reasons = dict.fromkeys(careless_sensitivity.reason[careless_sensitivity.reason != ""])
        return judged("not applicable", why=f"without them there are no gaps ({'; '.join(reasons)})")
    changed = known.dimension[known.conclusion_changes]
    outcome: Outcome = (
        "failed" if len(changed) else "passed" if len(known) == len(careless_sensitivity) else "undecided"
    )
    return judged(
        outcome,
        n=int(known.n.max()),
        careless=int((known.n - known.n_without).max()),
        largest=float(known.difference.abs().max()),
        changed=" and ".join(changed),
        lacking=" and ".join(careless_sensitivity.dimension[careless_sensitivity.gap_without.isna()]),
    )


@finding
def shortfall_larger_where_important(weighted_gap_scores: pd.DataFrame) -> Judgement:
    """Whether those to whom a dimension matters more see a larger shortfall in it, over all dimensions.

    Parameters
    ----------
    weighted_gap_scores : DataFrame
        Of the function of this name, by dimension.

    Returns
    -------
    Check
        Finding, from the interval of the covariance of importance and gap; not applicable without one.
    """
    row = weighted_gap_scores[weighted_gap_scores.dimension == OVERALL].iloc[0]
    if pd.isna(row.covariance_ci_low):
        return judged("not applicable", why=row.reason or "the covariance has no interval")
    level = level_of(weighted_gap_scores)
    return judged(
        beyond(-row.covariance_ci_high, -row.covariance_ci_low),
        by=SOURCES[row.source], gap=row.gap, product=row["product_of_means"],
        weighted=Estimate(row.weighted_gap, row.ci_low, row.ci_high, n=round(row.n), level=level),
        covariance=Estimate(row.covariance, row.covariance_ci_low, row.covariance_ci_high, n=round(row.n), level=level),
    )  # fmt: skip


@finding
def top_box_more_loyal(loyalty_by_satisfaction: pd.DataFrame, minimum_ratio: float = 1.0) -> Judgement:
    """Whether the most satisfied are more than `minimum_ratio` times as loyal as those one level below.

    Parameters
    ----------
    loyalty_by_satisfaction : DataFrame
        Of the function of this name, or of `loyal_share_by_level`.
    minimum_ratio : float
        yes where the whole interval of the ratio lies above it, no where it lies below.

    Returns
    -------
    Check
        Finding, from the interval of the ratio; not applicable where nobody answered one of the two levels.

    References
    ----------
    Koopman (1984), Biometrics 40, 513-517.
    """
    levels = loyalty_by_satisfaction
    if len(levels) < 2 or not (levels.n.iloc[-2:] > 0).all():
        return judged("not applicable", why="nobody answered one of the two highest levels")
    top, below = levels.iloc[-1], levels.iloc[-2]
    about = {"top": top.satisfaction, "top_share": top.share, "top_n": top.n}
    about |= {"below": below.satisfaction, "below_share": below.share, "below_n": below.n}
    low, high = top.risk_ratio_ci_low, top.risk_ratio_ci_high
    if pd.isna(top.risk_ratio) or not top.risk_ratio < float("inf"):
        return judged(beyond(low, high, minimum_ratio), case="no_ratio", low=low, **about)
    ratio = Estimate(top.risk_ratio, low, high, kind="ratio", level=level_of(levels))
    return judged(beyond(low, high, minimum_ratio), ratio=ratio, **about)
