"""Attributes whose failing hurts more than their excelling helps, or the other way."""

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.service_quality.models.asked import (
    no_outcome_reason,
    not_asked_reason,
    not_asked_reasons,
    outcome_of,
    reasoned,
    with_unasked_rows,
)
from crmlab.service_quality.models.covariance import complete, effective_n
from crmlab.service_quality.models.scores import single_wave, weights_of, with_ci
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats.threads import one_thread

MIN_RESPONDENTS = 10  # respondents at each end of an attribute
COLUMNS = ["item", "n", "n_low", "n_high", *with_ci("penalty", "reward", "asymmetry"), "category", "reason"]


@reasoned("penalty")
def penalty_reward_contrasts(
    answers: pd.DataFrame,
    outcome: pd.Series,
    low: float,
    high: float,
    weights: np.ndarray | pd.Series | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """What each attribute costs where it fails and brings where it excels.

    Parameters
    ----------
    answers : DataFrame
        A row a respondent, a column an attribute; rows that lack one, or the outcome, are left out.
    outcome : Series
        Such as satisfaction, with the rows of `answers`.
    low : float
        Answers up to this one have failed.
    high : float
        Answers from this one on excel; those between `low` and `high` are the reference.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        A row an attribute:

        - item
        - n: effective respondents; n_low, n_high: who met with failure, and with excellence
        - penalty, reward: change of the outcome beside those between, the other attributes alike
        - asymmetry: reward + penalty, below 0 where failing weighs more
        - penalty_ci_low, penalty_ci_high, …: intervals of these three, by HC3
        - category: "basic" where the interval of the asymmetry lies below 0, "excitement" where above; "performance"
          where those of penalty and reward exclude 0 and that of the asymmetry does not; else "undecided"
        - reason: why the row is blank, as with fewer than ten respondents at one end

    References
    ----------
    Brandt (1987), in Surprenant (ed.), Add Value to Your Service, American Marketing Association, 61-65.
    """
    rows, w = complete(answers.assign(**{"": outcome.to_numpy()}), weights)
    held, y = rows[answers.columns], rows[""]
    table = pd.DataFrame({"item": answers.columns, "n": effective_n(rows, w)})
    table["n_low"], table["n_high"] = (held <= low).sum().to_numpy(), (held >= high).sum().to_numpy()
    few = table[["n_low", "n_high"]].min(axis=1) < MIN_RESPONDENTS
    ends = table.n_low.astype(str) + " respondents met with failure and " + table.n_high.astype(str)
    table["reason"] = np.where(few, ends + f" with excellence: at least {MIN_RESPONDENTS} of each are needed", "")
    noted = [name for name, blank in zip(answers, few, strict=True) if not blank]
    if noted and y.nunique() > 1:
        table = table.merge(_effects(held[noted], y, low, high, w, level), on="item", how="left")
    elif noted:
        table["reason"] = "no variance in the outcome"
    return table.reindex(columns=COLUMNS)


@reasoned("penalty")
def asymmetric_impact(
    survey: Survey, outcome: str | None = None, low: float | None = None, high: float | None = None, level: float = 0.95
) -> pd.DataFrame:
    """`penalty_reward_contrasts` of the perceptions of a survey's customers.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    outcome : str, optional
        Name of an outcome; None takes the first of kind satisfaction.
    low : float, optional
        Answers up to this one have failed; None takes the lowest third of the scale: of 1 to 7 up to 3, of 1 to 5 up to
        2.
    high : float, optional
        Answers from this one on excel; None takes the highest third: of 1 to 7 from 5, of 1 to 5 from 4.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `penalty_reward_contrasts`, with `text`, the wording, last, in the order of the instrument; items that
        were not asked, or all where the outcome was not, are blank with the reason.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no outcome of this name.
    """
    survey = single_wave(survey)
    scale, named = survey.instrument.scale_of("perceive"), outcome_of(survey, "satisfaction", outcome)
    why = not_asked_reasons(survey, "item", "perceive")
    if reason := not_asked_reason(survey, "perceive") or no_outcome_reason(survey, satisfaction=named):
        return _worded(with_unasked_rows(pd.DataFrame(columns=COLUMNS), "item", why.mask(why == "", reason)), survey)
    third = (scale.high - scale.low) / 3
    low, high = scale.low + third if low is None else low, scale.high - third if high is None else high
    found = penalty_reward_contrasts(survey.perceive, survey.outcomes[named], low, high, weights_of(survey), level)
    return _worded(with_unasked_rows(found, "item", why), survey)


def _worded(table, survey):
    """With the wording of each item, last."""
    return table.assign(text=[survey.instrument.items[name].text for name in table["item"]])


def _effects(held, y, low, high, w, level):
    """Penalty, reward and tilt of each attribute, with intervals, and what they say: a frame."""
    k = held.shape[1]
    ends = np.hstack([np.ones((len(held), 1)), held <= low, held >= high]).astype(float)
    b, covariances = least_squares(ends, y.to_numpy(dtype=float), w)
    reach = stats.t.ppf((1 + level) / 2, len(ends) - ends.shape[1])
    one = np.eye(2 * k + 1)[1:]
    table = pd.DataFrame({"item": held.columns})
    for name, contrast in {"penalty": one[:k], "reward": one[k:], "asymmetry": one[:k] + one[k:]}.items():
        spread = reach * np.sqrt(np.einsum("ij,jk,ik->i", contrast, covariances, contrast))
        table[name] = contrast @ b
        table[f"{name}_ci_low"], table[f"{name}_ci_high"] = table[name] - spread, table[name] + spread
    both = (table.penalty_ci_high < 0) & (table.reward_ci_low > 0)
    cases = [table.asymmetry_ci_high < 0, table.asymmetry_ci_low > 0, both]
    return table.assign(category=np.select(cases, ["basic", "excitement", "performance"], "undecided"))


def least_squares(columns, y, w=None):
    """Weighted least squares and a covariance that holds where the spread is uneven: two arrays. [HC3]"""
    root = np.sqrt(np.ones(len(y)) if w is None else w)[:, None]
    x, y = columns * root, y * root[:, 0]
    with one_thread():
        inverse = np.linalg.pinv(x.T @ x, hermitian=True)
        b = inverse @ (x.T @ y)
        leverage = np.einsum("ij,ij->i", x @ inverse, x)
        rest = (y - x @ b) / np.maximum(1 - leverage, 1e-12)
        return b, inverse @ ((x * rest[:, None] ** 2).T @ x) @ inverse
