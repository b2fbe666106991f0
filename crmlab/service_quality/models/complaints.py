"""What a complaint does, resolved or not: to word of mouth and to buying."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crmlab.service_quality.models.asked import no_outcome_reason, outcome_of, reasoned
from crmlab.service_quality.models.scores import single_wave, weights_of
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats.ratios import ratio_of_means, ratio_of_proportions

MIN_COMPLAINTS = 5  # complaints on each side
COLUMNS = ["effect", "n_unresolved", "unresolved", "n_resolved", "resolved", "ratio", "ci_low", "ci_high", "reason"]


@reasoned("ratio")
def resolution_ratios(
    resolved: pd.Series,
    counts: Mapping[str, pd.Series],
    shares: Mapping[str, pd.Series],
    weights: np.ndarray | pd.Series | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """What those do whose complaint was not resolved, over those whose was.

    Parameters
    ----------
    resolved : Series
        True, False or 1, 0; NaN for those who did not complain, who are left out.
    counts : mapping
        Words -> Series of numbers, as {"people told": ...}; compared as means.
    shares : mapping
        Words -> Series of True and False or 1, 0, as {"stopped buying": ...}; compared as probabilities.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        A row an effect:

        - effect
        - n_unresolved, unresolved: effective respondents, and their mean or share
        - n_resolved, resolved: the same where the complaint was resolved
        - ratio, ci_low, ci_high: unresolved / resolved with its interval: of means by linearisation on the log
          scale, of shares by inverting the score test
        - reason: why the row is blank, or the ratio without end

    References
    ----------
    Koopman (1984), Biometrics 40, 513-517.
    """
    w = pd.Series(1.0 if weights is None else np.asarray(weights, dtype=float), resolved.index)
    sides = [resolved == 0, resolved == 1]
    rows = [_row(effect, answers, sides, w, True, level) for effect, answers in counts.items()]
    rows += [_row(effect, answers, sides, w, False, level) for effect, answers in shares.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


@reasoned("ratio")
def complaint_resolution(
    survey: Survey,
    resolved: str | None = None,
    word_of_mouth: str | None = None,
    buying: str | None = None,
    unchanged: float | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """`resolution_ratios` of a survey's customers.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    resolved : str, optional
        Name of an outcome; None takes the first of this kind. Above its lowest answer a complaint was resolved.
    word_of_mouth : str, optional
        Name of an outcome; None takes the first of this kind.
    buying : str, optional
        Name of an outcome; None takes the first of this kind. Its lowest answer means that a customer stopped.
    unchanged : float, optional
        Answer of `buying` that means no change, below which customers buy less; None takes the middle of its scale.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `resolution_ratios`; one row with the reason where there are no ratios.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no outcome of one of these names.
    """
    survey = single_wave(survey)
    kinds = {"resolved": resolved, "word_of_mouth": word_of_mouth, "buying": buying}
    named = {kind: outcome_of(survey, kind, name) for kind, name in kinds.items()}
    reason = no_outcome_reason(survey, resolved=named["resolved"])
    if not (reason or named["word_of_mouth"] or named["buying"]):
        reason = "neither word of mouth nor the change in buying was asked"
    if reason:
        return pd.DataFrame([{"effect": "complaints", "reason": reason}], columns=COLUMNS)
    asked, answers = survey.instrument.outcomes, survey.outcomes
    solved = answers[named["resolved"]]
    solved = (solved > asked[named["resolved"]].low).astype(float).where(solved.notna())
    counts = {"people told": answers[named["word_of_mouth"]]} if named["word_of_mouth"] else {}
    shares = _buying(answers[named["buying"]], asked[named["buying"]], unchanged) if named["buying"] else {}
    return resolution_ratios(solved, counts, shares, weights_of(survey), level)


def _buying(answers, asked, unchanged):
    """Whether each customer stopped, buys less or buys more: words -> Series of 1, 0 and NaN."""
    high = answers.max() if asked.high is None else asked.high
    middle = (asked.low + high) / 2 if unchanged is None else unchanged
    held = {
        "stopped buying": answers <= asked.low,
        "buys less or stopped": answers < middle,
        "buys more": answers > middle,
    }
    return {effect: noted.astype(float).where(answers.notna()) for effect, noted in held.items()}


def _row(effect, answers, sides, w, counted, level):
    """One effect: both sides and their ratio."""
    answers, row = answers.astype(float), {"effect": effect, "reason": ""}
    held = [side & answers.notna() & (w > 0) for side in sides]
    for name, kept in zip(("unresolved", "resolved"), held, strict=True):
        size = w[kept].sum() ** 2 / (w[kept] ** 2).sum() if kept.any() else 0.0
        row |= {f"n_{name}": size, name: np.average(answers[kept], weights=w[kept]) if kept.any() else np.nan}
    fewest = min(row["n_unresolved"], row["n_resolved"])
    if fewest < MIN_COMPLAINTS:
        return row | {"reason": f"{fewest:.0f} complaints on one side: at least {MIN_COMPLAINTS} are needed"}
    if counted:
        one, other = held
        ratio, low, high = ratio_of_means(answers[one], answers[other], w[one], w[other], level)
        reason = "nobody did on one side: means of 0 have no ratio" if np.isnan(ratio) else ""
    else:
        n1, n2, p1, p2 = (row[name] for name in ("n_unresolved", "n_resolved", "unresolved", "resolved"))
        ratio, low, high = ratio_of_proportions(n1 * p1, n1, n2 * p2, n2, level)
        reason = "nobody whose complaint was resolved did: the ratio has no upper end" if p2 == 0 else ""
        reason = "nobody did on either side: the ratio lies anywhere" if p1 == p2 == 0 else reason
    return row | {"ratio": float(ratio), "ci_low": float(low), "ci_high": float(high), "reason": reason}
