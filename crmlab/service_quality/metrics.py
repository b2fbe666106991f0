"""How answers are spread over the scale, and the numbers that a report names as facts."""

from typing import Any

import numpy as np
import pandas as pd

from crmlab.estimate import Estimate
from crmlab.model import needs_fit
from crmlab.service_quality.models.asked import OVERALL, level_of, not_asked_reason, reasoned
from crmlab.service_quality.models.deviations import DEVIATIONS
from crmlab.service_quality.models.scores import battery_of, single_wave
from crmlab.service_quality.tables.survey import Survey


@reasoned("n")
def response_frequencies(survey: Survey, battery: str = "perceive") -> pd.DataFrame:
    """How customers answered each item, as weighted shares of the levels of the scale.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    battery : str
        "expect", "perceive", "adequate", "importance", "standard" or "promise".

    Returns
    -------
    DataFrame
        A row an item:

        - item, dimension, text
        - n: respondents who answered
        - 1, 2 …: share of them at each level of the scale, summing to 1; reversed items turned round
        - not_applicable, missing: shares of all asked; of batteries but the perceptions, both are in `missing`
        - reason: why a row is blank

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no battery of this name.
    """
    survey = single_wave(survey)
    frame = battery_of(survey, battery)
    if reason := not_asked_reason(survey, battery):
        items = survey.instrument.items.items()
        rows = [{"item": name, "dimension": item.dimension, "text": item.text} for name, item in items]
        return pd.DataFrame(rows).assign(n=0, reason=reason)
    scale = survey.instrument.scale_of(battery)
    weight, found = survey.people.weight.to_numpy(dtype=float), []
    for name in frame:
        given, item = frame[name].to_numpy(dtype=float), survey.instrument.items[name]
        there, inapplicable = ~np.isnan(given), np.zeros(len(given), dtype=bool)
        if battery == "perceive" and name in survey.not_applicable:
            inapplicable = survey.not_applicable[name].to_numpy(dtype=bool) & ~there
        n, total, whole = int((there & (weight > 0)).sum()), weight[there].sum() or np.nan, weight.sum() or np.nan
        row: dict[str | int, Any] = {"item": name, "dimension": item.dimension, "text": item.text, "n": n}
        row |= {level: weight[given == level].sum() / total for level in range(scale.low, scale.high + 1)}
        left = {"not_applicable": inapplicable, "missing": ~there & ~inapplicable}
        found.append(row | {side: weight[held].sum() / whole for side, held in left.items()})
    return pd.DataFrame(found).assign(reason="")


def gap_estimates(gap_scores: pd.DataFrame, weighted_gap_scores: pd.DataFrame | None = None) -> dict[str, Estimate]:
    """The gaps by dimension as numbers with intervals, in points of the scale, the overall one first.

    Parameters
    ----------
    gap_scores : DataFrame
        Of the function of this name, by dimension.
    weighted_gap_scores : DataFrame, optional
        Of the function of this name, by dimension, whose overall gap stands second, as "overall_weighted".

    Returns
    -------
    dict of Estimate
        By dimension, with "_" for a blank; blank with the reason where there is no gap.
    """
    overall = gap_scores[gap_scores.dimension == OVERALL].iloc[0]
    found = {OVERALL: _points(overall.gap, overall, gap_scores)}
    if weighted_gap_scores is not None:
        weighted = weighted_gap_scores[weighted_gap_scores.dimension == OVERALL].iloc[0]
        found[f"{OVERALL}_weighted"] = _points(weighted.weighted_gap, weighted, weighted_gap_scores)
    rows = gap_scores[gap_scores.dimension != OVERALL].itertuples()
    return found | {row.dimension.replace(" ", "_"): _points(row.gap, row, gap_scores) for row in rows}


@needs_fit
def top_box_risk_ratio(loyalty_by_satisfaction: pd.DataFrame) -> Estimate:
    """How many times as loyal the most satisfied are as those one level below.

    Parameters
    ----------
    loyalty_by_satisfaction : DataFrame
        Of the function of this name, or of `loyal_share_by_level`.

    Returns
    -------
    Estimate
        Ratio of the loyal shares, with its interval; blank with the reason where it is not finite.
    """
    top = loyalty_by_satisfaction.iloc[-1]
    ends = top.risk_ratio, top.risk_ratio_ci_low, top.risk_ratio_ci_high
    if not np.isfinite(np.array(ends, dtype=float)).all():
        return Estimate(None, kind="ratio", reason=top.reason or "there is no level below the highest")
    return Estimate(
        *ends, unit="times as loyal as one level below", kind="ratio", level=level_of(loyalty_by_satisfaction),
        deviations=loyalty_by_satisfaction.attrs.get(DEVIATIONS),
    )  # fmt: skip


@needs_fit
def net_promoter_estimate(net_promoter_score: pd.DataFrame) -> Estimate:
    """The net promoter score in points, with its interval.

    Parameters
    ----------
    net_promoter_score : DataFrame
        Of the function of this name, or of `promoter_shares`.

    Returns
    -------
    Estimate
        From −100 to 100 points, with its interval; blank with the reason where there is none.
    """
    score = net_promoter_score.iloc[0]
    found = net_promoter_score.attrs.get(DEVIATIONS)
    return Estimate(
        score.nps, score.ci_low, score.ci_high, n=round(score.n), unit="points", level=level_of(net_promoter_score),
        deviations=(lambda: found()["nps"]) if found else None,
    )  # fmt: skip


def _points(value, row, table):
    unit = "points of the scale"
    if pd.isna(value):
        return Estimate(None, unit=unit, reason=row.reason)
    found = table.attrs.get(DEVIATIONS)
    deviations = (lambda: found()[row.dimension]) if found else None
    ends = row.ci_low, row.ci_high
    return Estimate(value, *ends, n=round(row.n), unit=unit, level=level_of(table), deviations=deviations)
