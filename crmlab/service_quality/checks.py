"""What the data say of claims about gaps, answers and loyalty: a Check each."""

import pandas as pd

from crmlab.check import UNJUDGED, Judgement, Outcome, assumption, beyond, finding, judged, within
from crmlab.estimate import Estimate
from crmlab.service_quality.models.asked import OVERALL, level_of
from crmlab.service_quality.models.predictor import (
    AS_GAP,
    BY_DIMENSION,
    NO_EXPECT,
    PolynomialRegression,
    deciding_tests,
)
from crmlab.service_quality.models.rivals import DECLARED, ONE

__all__ = [
    "answers_rose",
    "dimensions_distinct",
    "dimensions_fit",
    "factors_as_declared",
    "gap_predicts_satisfaction",
    "robust_to_careless_responding",
    "shortfall_larger_where_important",
    "top_box_more_loyal",
    "waves_comparable",
]


def __dir__():
    return __all__


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
        Assumption: passed; failed where a conclusion changes and the gap lies outside its simultaneous interval without
        them; undecided where one changes and the gap lies within, or a gap without them is blank; not applicable where
        all are.
    """
    known = careless_sensitivity[careless_sensitivity.gap_without.notna()]
    if known.empty:
        reasons = dict.fromkeys(careless_sensitivity.reason[careless_sensitivity.reason != ""])
        return judged("not applicable", why=f"without them there are no gaps ({'; '.join(reasons)})")
    ends = known.gap_without_simultaneous_ci_low, known.gap_without_simultaneous_ci_high
    apart = known.conclusion_changes & ~known.gap.between(*ends)
    changed = known.dimension[apart if apart.any() else known.conclusion_changes]
    whole = len(known) == len(careless_sensitivity)
    outcome: Outcome = "failed" if apart.any() else "passed" if whole and changed.empty else "undecided"
    return judged(
        outcome,
        case="within" if outcome == "undecided" and len(changed) else "",
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


@assumption
def dimensions_fit(dimensionality: pd.DataFrame, limit: float = 0.08) -> Judgement:
    """Whether the declared dimensions fit the answers, by the interval of the RMSEA.

    Parameters
    ----------
    dimensionality : DataFrame
        Of the function of this name, or of `rival_structures`.
    limit : float
        Largest RMSEA that is called a reasonable error.

    Returns
    -------
    Check
        Assumption: passed where the whole interval lies within the limit, failed where all of it lies above; not
        applicable where any answers would fit.

    References
    ----------
    Browne & Cudeck (1992), Sociological Methods & Research 21, 230-258.
    """
    row = dimensionality.iloc[0]
    if pd.isna(row.rmsea):
        return judged(
            "not applicable", UNJUDGED, reason=row.reason or "with as many parameters as moments any answers fit"
        )
    return judged(
        within(row.rmsea_ci_low, row.rmsea_ci_high, 0, limit),
        rmsea=Estimate(row.rmsea, row.rmsea_ci_low, row.rmsea_ci_high, kind="ratio", level=level_of(dimensionality)),
        factors=int(row.factors), chi2=row.chi2, df=int(row.df), p=row.p, cfi=row.cfi, srmr=row.srmr,
        n=row.n, respondents=int(row.respondents),
    )  # fmt: skip


@finding
def dimensions_distinct(dimensionality: pd.DataFrame, level: float = 0.95) -> Judgement:
    """Whether the declared dimensions differ from one factor, and from structures in which two of them are one.

    Parameters
    ----------
    dimensionality : DataFrame
        Of the function of this name, or of `rival_structures`.
    level : float
        Confidence level of the tests, adjusted for their number.

    Returns
    -------
    Check
        Finding: yes where the difference of chi-squared rejects every rival, else undecided; not applicable of one
        dimension.
    """
    rivals = dimensionality[dimensionality.structure != DECLARED]
    tested = rivals[rivals.p_adjusted.notna()]
    if tested.empty:
        return judged(
            "not applicable", UNJUDGED, reason="; ".join(dict.fromkeys(rivals.reason)) or "there is one dimension"
        )
    nearest = tested.loc[tested.p_adjusted.idxmax()]
    rejected = int((tested.p_adjusted < 1 - level).sum())
    return judged(
        "yes" if rejected == len(rivals) else "undecided",
        rivals=len(rivals), rejected=rejected, nearest=nearest.structure, chi2=nearest.chi2_difference,
        df=int(nearest.df_difference), p=nearest.p_adjusted, n=nearest.n, respondents=int(nearest.respondents),
    )  # fmt: skip


@assumption
def factors_as_declared(number_of_factors: pd.DataFrame) -> Judgement:
    """Whether parallel analysis keeps as many factors as of the declared dimensions, and not as many as of one factor.

    Parameters
    ----------
    number_of_factors : DataFrame
        Of the function of this name, or of `retained_factors`.

    Returns
    -------
    Check
        Assumption: failed where the number lies outside the interval of samples of the declared dimensions; passed
        where it lies within, and outside that of samples of one factor; undecided where it lies within both.

    References
    ----------
    Horn (1965), Psychometrika 30, 179-185.
    """
    held = number_of_factors.set_index("structure")
    if ONE not in held.index or held.expected_pi_low.isna().any():
        return judged(
            "not applicable", UNJUDGED, reason="; ".join(filter(None, held.reason)) or "there is one dimension"
        )
    inside = held.expected_pi_low.le(held.retained) & held.retained.le(held.expected_pi_high)
    outcome: Outcome = "failed" if not inside[DECLARED] else "undecided" if inside[ONE] else "passed"
    declared, one = (
        Estimate(
            row.expected, pi_low=row.expected_pi_low, pi_high=row.expected_pi_high, level=level_of(number_of_factors)
        )
        for row in (held.loc[DECLARED], held.loc[ONE])
    )
    row = held.loc[DECLARED]
    return judged(
        outcome, retained=int(row.retained), factors=int(row.factors), declared=declared, one=one, n=row.n,
        respondents=int(row.respondents),
    )  # fmt: skip


@assumption
def waves_comparable(wave_changes: pd.DataFrame) -> Judgement:
    """Whether each dimension is measured alike in both waves: loadings and intercepts are equal.

    Parameters
    ----------
    wave_changes : DataFrame
        Of the function of this name.

    Returns
    -------
    Check
        Assumption, from the 90 % interval of the RMSEA of equal loadings and intercepts: failed where that of a
        dimension lies above the tolerance, passed where those of all lie within.
    """
    rows = wave_changes[wave_changes.dimension != OVERALL]
    names = {state: " and ".join(rows.dimension[rows.comparable == state]) for state in ("no", "undecided")}
    outcome: Outcome = "failed" if names["no"] else "undecided" if names["undecided"] else "passed"
    return judged(
        outcome, waves=rows.waves.iloc[0], n=rows.n_invariance.min(), unlike=names["no"], lacking=names["undecided"]
    )


@finding
def answers_rose(wave_changes: pd.DataFrame) -> Judgement:
    """Whether the overall score of the same customers rose since the wave before.

    Parameters
    ----------
    wave_changes : DataFrame
        Of the function of this name.

    Returns
    -------
    Check
        Finding, from the interval of the change; undecided where it is whether the waves can be compared, and not
        applicable where they cannot.
    """
    row, rows = wave_changes.iloc[-1], wave_changes[wave_changes.dimension != OVERALL]
    if pd.isna(row.ci_low) or row.comparable == "no":
        return judged("not applicable", UNJUDGED, reason=row.reason)
    held = rows[rows.comparable == "yes"]
    rose, fell = held[held.simultaneous_ci_low > 0], held[held.simultaneous_ci_high < 0]
    moved = [f"{', '.join(each.dimension)} {word}" for each, word in ((rose, "rose"), (fell, "fell")) if len(each)]
    change = Estimate(row.change, row.ci_low, row.ci_high, n=int(row.n), level=level_of(wave_changes))
    return judged(
        beyond(row.ci_low, row.ci_high) if row.comparable == "yes" else "undecided",
        case="" if row.comparable == "yes" else "comparability",
        change=change, waves=row.waves, n=int(row.n), moved="; ".join(moved) or "none moved",
    )  # fmt: skip
