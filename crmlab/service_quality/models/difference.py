"""How reliable a difference of two batteries is beside the batteries."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crmlab.service_quality.models.asked import reasoned
from crmlab.service_quality.models.covariance import effective_n, pairwise_covariance
from crmlab.service_quality.models.reliability import ALL, MIN_ITEMS, batteries, cronbach_alpha
from crmlab.service_quality.models.scores import paired_answers, single_wave, weights_of
from crmlab.service_quality.tables.survey import Survey

MIN_RESPONDENTS = 30  # respondents
COLUMNS = ["dimension", "items", "n", "expect", "perceive", "correlation", "gap", "gap_alpha", "reason"]


@reasoned("gap")
def gap_reliability(survey: Survey) -> pd.DataFrame:
    """`difference_score_reliability` of a survey's customers.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.

    Returns
    -------
    DataFrame
        As of `difference_score_reliability`; one row with the reason where a side was not asked.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
    """
    survey = single_wave(survey)
    _, asked, reason = batteries(survey)["gap"]
    if reason:
        return pd.DataFrame([{"dimension": ALL, "n": 0.0, "reason": reason}], columns=COLUMNS)
    expect, perceive = paired_answers(survey, "expect", "perceive")
    return difference_score_reliability(expect, perceive, asked, weights_of(survey))


@reasoned("gap")
def difference_score_reliability(
    expect: pd.DataFrame,
    perceive: pd.DataFrame,
    dimensions: Mapping[str, list[str]],
    weights: np.ndarray | pd.Series | None = None,
) -> pd.DataFrame:
    """How reliable the gap is beside its two sides.

    Parameters
    ----------
    expect : DataFrame
        A row a respondent, a column an item; NaN where not answered.
    perceive : DataFrame
        The same, with the same items.
    dimensions : mapping
        Dimension -> its items, in order.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.

    Returns
    -------
    DataFrame
        A row a dimension:

        - dimension, items: the latter a count
        - n: effective respondents of the pair of items that fewest answered
        - expect, perceive: Cronbach's alpha of each side
        - correlation: of the sums of the two sides
        - gap: reliability of their difference from these, low where the sides go together
        - gap_alpha: Cronbach's alpha of the gaps of the items
        - reason: why the row is blank

    References
    ----------
    Johns (1981), Organizational Behavior and Human Performance 27, 443-463.
    """
    rows = [_difference(expect[i], perceive[i], weights) | {"dimension": d} for d, i in dimensions.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _difference(expect, perceive, weights):
    """The row of a dimension."""
    k = expect.shape[1]
    joined = pd.concat([expect.add_prefix("E "), perceive.add_prefix("P ")], axis=1)
    table, n = pairwise_covariance(joined, weights).to_numpy(), effective_n(joined, weights)
    row = {"items": k, "n": n, "reason": ""}
    if k < MIN_ITEMS:
        return row | {"reason": f"{k} item: at least {MIN_ITEMS} are needed"}
    if n < MIN_RESPONDENTS:
        return row | {"reason": f"{n:.0f} respondents: at least {MIN_RESPONDENTS} are needed"}
    e, p, c = table[:k, :k], table[k:, k:], table[:k, k:]
    if min(e.sum(), p.sum()) <= 0 or not (np.diag(table) > 0).all():
        return row | {"reason": "no variance in an item"}
    whole, r = e.sum() + p.sum() - 2 * c.sum(), c.sum() / np.sqrt(e.sum() * p.sum())
    row |= {"expect": cronbach_alpha(e), "perceive": cronbach_alpha(p), "correlation": r}
    if whole <= 0:
        return row | {"reason": "no variance in the gap"}
    true = e.sum() * row["expect"] + p.sum() * row["perceive"] - 2 * c.sum()
    return row | {"gap": true / whole, "gap_alpha": cronbach_alpha(e + p - c - c.T)}
