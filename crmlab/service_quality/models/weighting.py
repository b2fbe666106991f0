"""Gaps weighed by how much each customer cares, beside what weighing the means would have said."""

import numpy as np
import pandas as pd

from crmlab.service_quality.models.asked import reasoned
from crmlab.service_quality.models.deviations import DEVIATIONS, deviations_of_means
from crmlab.service_quality.models.scores import (
    OVERALL,
    answers_by,
    column_means,
    dimension_scores,
    incomparable_reason,
    paired_answers,
    single_wave,
    table_of,
    weights_of,
    with_ci,
)
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats.differences import Sample, one_sample

COLUMNS = ["item", "dimension", "n", "importance", "gap", "weighted_gap", "ci_low", "ci_high", "product_of_means"]
COLUMNS += with_ci("covariance")


@reasoned("weighted_gap")
def weighted_gap_scores(
    survey: Survey, by: str = "dimension", source: str | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Importance-weighted gaps, customer by customer, beside products of means.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    by : {"item", "dimension"}
        A row an item, or a row a dimension and one overall.
    source : {"points", "importance"}, optional
        Points of dimensions, or ratings of items, which items need; None takes points where they were asked.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        A row a dimension and overall, or an item:

        - item, dimension, n
        - importance: mean of each customer's importance over that customer's own average, so that 1 is the average
        - gap: simple mean gap, of the same customers
        - weighted_gap, ci_low, ci_high: mean of importance × gap, with its interval by Student's t
        - product_of_means: mean importance × mean gap, which forgets who cares about what
        - covariance: weighted_gap − product_of_means, below 0 where those who care more see a larger shortfall
        - covariance_ci_low, covariance_ci_high: its interval, to first order
        - source, text
        - reason: why the row is blank

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If `by` is neither.

    Notes
    -----
    Overall is the mean of the dimensions, column by column; it and they are of the customers who have all of them.
    """
    survey = single_wave(survey)
    gaps, care, source, unfit = _parts(survey, by, source)
    w, order = weights_of(survey), [*COLUMNS, "source", "text", "reason"]
    care = care.where(gaps.notna() & (gaps.notna().all(axis=1).to_numpy()[:, None] | (by == "item")))
    care = care.where(care.notna().all(axis=1), axis=0) if by == "dimension" else care
    care = care.div(care.mean(axis=1).where(lambda mean: mean > 0), axis=0)
    gaps = gaps.where(care.notna())
    together = (care - column_means(care, w)) * (gaps - column_means(gaps, w))
    products = [_row(care[name], gaps[name], together[name], w, level) for name in gaps]
    if by == "dimension" and products:
        each = [frame.mean(axis=1, skipna=False) for frame in (care * gaps, together)]
        products.append(_overall(products, each[0], each[1], w, level))
        gaps = gaps.assign(**{OVERALL: 0.0})
    rows = [row | {"source": source, "reason": unfit or row["reason"]} for row in products]
    found = table_of(survey, by, gaps, rows, order, "expect", "perceive")
    if by == "dimension" and products and not unfit:
        weighted = (care * gaps.drop(columns=OVERALL)).assign(**{OVERALL: each[0]})
        found.attrs[DEVIATIONS] = deviations_of_means(weighted, survey.people.respondent, w)
    return found.assign(**dict.fromkeys(COLUMNS[3:], np.nan)) if unfit else found


def _parts(survey, by, source):
    """Gaps and importances of each customer, where the importances are from, and why there are none."""
    below, above = paired_answers(survey, "expect", "perceive")
    unfit = incomparable_reason(survey.instrument, "expect", "perceive")
    source = source or ("points" if by == "dimension" and survey.points.shape[1] else "importance")
    asked = survey.points if source == "points" else survey.importance
    if not asked.shape[1]:
        unfit = unfit or f"{'importance points' if source == 'points' else 'ratings of importance'} were not asked"
    elif source == "points" and by == "item":
        unfit = unfit or "importance points are of dimensions, not of items; use source='importance'"
    if source == "importance" and survey.instrument.scale_of("importance").low < 0:
        unfit = unfit or "ratings of importance may be negative: they are no weights"
    (gaps,) = answers_by(survey, by, above - below)
    gaps = gaps.drop(columns=OVERALL, errors="ignore")
    if source == "importance" and by == "dimension" and asked.shape[1]:
        asked = dimension_scores(asked, survey.instrument).drop(columns=OVERALL)
    care = asked.reindex(columns=gaps.columns, fill_value=np.nan).astype(float)
    return gaps, care, source, unfit


def _row(care, gap, together, w, level):
    """One item or dimension."""
    held = pd.DataFrame({"importance": care, "gap": gap, "weighted_gap": care * gap})
    row = dict(zip(held.columns, column_means(held, w), strict=True))
    row |= {"product_of_means": row["importance"] * row["gap"]}
    return (
        row
        | {"covariance": row["weighted_gap"] - row["product_of_means"]}
        | _ends(held.weighted_gap, together, w, level)
    )


def _overall(rows, each, together, w, level):
    """The mean of the dimensions; `each` is the weighted gap of each customer."""
    means = ["importance", "gap", "weighted_gap", "product_of_means", "covariance"]
    return pd.DataFrame(rows)[means].mean(skipna=False).to_dict() | _ends(each, together, w, level)


def _ends(each, together, w, level):
    """How many customers a mean is of, its interval, and that of the covariance."""
    sample, other = (Sample.of(column.to_numpy(dtype=float), w) for column in (each, together))
    row = {"n": sample.n, "reason": sample.blank("weighted gaps")}
    for name, held in (("", sample), ("covariance_", other)):
        if not held.blank():
            row |= {f"{name}{end}": one_sample(held, level)[end] for end in ("ci_low", "ci_high")}
    return row
