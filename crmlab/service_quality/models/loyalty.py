"""Loyalty by level of satisfaction, and whether only complete satisfaction counts; who would recommend."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.service_quality.models.asked import no_outcome_reason, outcome_of, reasoned
from crmlab.service_quality.models.deviations import DEVIATIONS, deviations_of_means, deviations_of_ratio
from crmlab.service_quality.models.scores import single_wave, weights_of, with_ci
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats.ratios import ratio_of_proportions
from crmlab.stats.shares import wilson_interval

LEVELS = ["satisfaction", "n", "loyal", *with_ci("share", "risk_ratio"), "reason"]
NPS = ["n", "promoters", "passives", "detractors", "nps", "variance", "ci_low", "ci_high", "reason"]
PROMOTER, PASSIVE, NPS_SCALE = 9, 7, (0, 10)


@reasoned("share")
def loyal_share_by_level(
    satisfaction: pd.Series,
    loyal: pd.Series,
    weights: np.ndarray | pd.Series | None = None,
    levels: Iterable[float] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Share of loyal customers at each level of satisfaction, and its ratio to the level below.

    Parameters
    ----------
    satisfaction : Series
        Whole numbers.
    loyal : Series
        True, False or 1, 0; NaN where not asked. Rows that lack either are left out.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.
    levels : iterable of float, optional
        All levels there are, in order; None takes those seen.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        A row a level:

        - satisfaction
        - n: effective respondents; loyal: n × share
        - share, share_ci_low, share_ci_high: with its interval by Wilson
        - risk_ratio: share here / share at the level before; at the highest, the top-box ratio
        - risk_ratio_ci_low, risk_ratio_ci_high: its interval by inverting the score test, which needs no count
          above 0
        - reason: why the ratio, or the row, is blank or without end

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22, 209-212. Koopman (1984), Biometrics 40, 513-517.
    """
    rows = pd.DataFrame({"satisfaction": satisfaction, "loyal": loyal.astype(float)})
    rows["w"] = 1.0 if weights is None else np.asarray(weights, dtype=float)
    rows = rows.dropna()
    rows = rows.assign(loyal=rows.loyal * rows.w, square=rows.w**2)
    levels = sorted(rows.satisfaction.unique()) if levels is None else list(levels)
    sums = rows.groupby("satisfaction")[["w", "loyal", "square"]].sum().reindex(levels, fill_value=0.0)
    there = sums.w > 0
    n = (sums.w**2 / sums.square).where(there, 0.0)
    share = (sums.loyal / sums.w).where(there)
    table = pd.DataFrame({"n": n, "loyal": (n * share).fillna(0), "share": share})
    table["share_ci_low"], table["share_ci_high"] = wilson_interval(n * share, n.where(there), level)
    table["reason"] = np.where(there, "", "nobody at this level")
    return _with_ratios(table.rename_axis("satisfaction").reset_index(), level)[LEVELS]


def _with_ratios(table, level):
    """Levels with their ratio to the level before."""
    before = table.shift(1)
    ratios = ratio_of_proportions(table.loyal, table.n, before.loyal.fillna(0), before.n.fillna(0), level)
    table = table.assign(**dict(zip(with_ci("risk_ratio"), ratios, strict=True)))
    noted = (table.n > 0) & (before.n > 0)
    none = noted & (before.loyal == 0)
    table.loc[none, "reason"] = "nobody one level below is loyal: no end"
    table.loc[none & (table.loyal == 0), "reason"] = "nobody is loyal here or one level below"
    table.loc[(table.n > 0) & (before.n == 0), "reason"] = "nobody one level below"
    return table


@reasoned("share")
def loyalty_by_satisfaction(
    survey: Survey,
    satisfaction: str | None = None,
    loyalty: str | None = None,
    loyal_from: float | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """`loyal_share_by_level` of a survey's customers; a mean of several questions counts at the nearest level.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    satisfaction : str, optional
        Name of an outcome; None takes the first of this kind.
    loyalty : str, optional
        Name of an outcome; None takes the first of this kind.
    loyal_from : float, optional
        Answer of loyalty from which a customer counts as loyal; None takes the highest alone.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `loyal_share_by_level`; one row with the reason where either was not asked.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no outcome of one of these names.
    """
    survey = single_wave(survey)
    satisfied, loyal = outcome_of(survey, "satisfaction", satisfaction), outcome_of(survey, "loyalty", loyalty)
    if reason := no_outcome_reason(survey, satisfaction=satisfied, loyalty=loyal):
        return pd.DataFrame([{"n": 0.0, "reason": reason}], columns=LEVELS)
    answers, asked = survey.outcomes[loyal], survey.instrument.outcomes[satisfied]
    high = survey.instrument.outcomes[loyal].high
    top = loyal_from if loyal_from is not None else answers.max() if high is None else high
    levels = None if asked.high is None else range(asked.low, asked.high + 1)
    held = (answers >= top).astype(float).where(answers.notna())
    nearest = np.floor(survey.outcomes[satisfied] + 0.5)  # halves at the higher level
    found, w = loyal_share_by_level(nearest, held, weights_of(survey), levels, level), weights_of(survey)
    if len(found) > 1:
        highest, below = (nearest == place for place in found.satisfaction.iloc[[-1, -2]])
        found.attrs[DEVIATIONS] = deviations_of_ratio(highest, below, held, survey.people.respondent, w)
    return found


@reasoned("nps")
def promoter_shares(
    recommend: pd.Series,
    weights: np.ndarray | pd.Series | None = None,
    scale: tuple[int, int | None] = NPS_SCALE,
    level: float = 0.95,
) -> pd.DataFrame:
    """Net promoter score in points, −100 to 100, with its interval.

    Parameters
    ----------
    recommend : Series
        Answers 0 to 10; NaN where not asked.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.
    scale : tuple of int
        Ends of the scale that was asked; blank with the reason where they are not 0 and 10.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        One row:

        - n: effective respondents
        - promoters, passives, detractors: shares of answers 9 and 10, 7 and 8, and the rest
        - nps: 100 (promoters − detractors)
        - variance: of nps, in points²: 100² (p + d − (p − d)²) / n
        - ci_low, ci_high: Wald's interval with three answers added, ¾, 1½ and ¾, so that it has width where all answer
          alike
        - reason: why the row is blank

    References
    ----------
    Reichheld (2003), Harvard Business Review 81(12), 46-54. Rocks (2016), American Statistician 70, 365-372.

    Examples
    --------
    >>> promoter_shares(pd.Series([10, 9, 8, 3])).nps.to_list()
    [25.0]
    """
    kept = recommend.notna()
    w = np.ones(int(kept.sum())) if weights is None else np.asarray(weights, dtype=float)[kept]
    reason = "" if w.sum() > 0 else "nobody answered"
    if tuple(scale) != NPS_SCALE:
        reason = f"needs answers of 0 to 10, asked on {scale[0]} to {scale[1]}"
    if reason:
        return pd.DataFrame([{"n": float(len(w)), "reason": reason}], columns=NPS)
    n, answers = w.sum() ** 2 / (w**2).sum(), recommend[kept]
    up, down = (np.average(held, weights=w) for held in (answers >= PROMOTER, answers < PASSIVE))
    variance = (up + down - (up - down) ** 2) / n
    p, d = (n * up + 0.75) / (n + 3), (n * down + 0.75) / (n + 3)
    reach = stats.norm.ppf((1 + level) / 2) * np.sqrt((p + d - (p - d) ** 2) / (n + 3))
    ends = np.clip([p - d - reach, p - d + reach], -1, 1) * 100
    row = [n, up, 1 - up - down, down, 100 * (up - down), 100**2 * variance, *ends, ""]
    return pd.DataFrame([row], columns=NPS)


@reasoned("nps")
def net_promoter_score(survey: Survey, recommend: str | None = None, level: float = 0.95) -> pd.DataFrame:
    """`promoter_shares` of a survey's customers.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    recommend : str, optional
        Name of an outcome; None takes the first of this kind.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `promoter_shares`; blank with the reason where it was not asked on 0 to 10.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no outcome of this name.
    """
    survey = single_wave(survey)
    name = outcome_of(survey, "recommend", recommend)
    if reason := no_outcome_reason(survey, recommend=name):
        return pd.DataFrame([{"n": 0.0, "reason": reason}], columns=NPS)
    asked = survey.instrument.outcomes[name]
    answers, w = survey.outcomes[name], weights_of(survey)
    found = promoter_shares(answers, w, (asked.low, asked.high), level)
    points = 100.0 * (answers >= PROMOTER) - 100.0 * (answers < PASSIVE)
    scored = pd.DataFrame({"nps": points.where(answers.notna())})
    found.attrs[DEVIATIONS] = deviations_of_means(scored, survey.people.respondent, w)
    return found
