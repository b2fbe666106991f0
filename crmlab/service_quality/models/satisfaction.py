"""Satisfaction over attributes: one simple score, one weighted by importance, and how far the weights matter."""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.service_quality.models.asked import OVERALL, not_asked_reason, reasoned
from crmlab.service_quality.models.covariance import effective_n
from crmlab.service_quality.models.scores import dimension_scores, single_wave, weights_of
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats import resample
from crmlab.stats.intervals import percentile_interval

SCORES = ["score", "n", "value", "ci_low", "ci_high", "sensitivity_low", "sensitivity_high", "reason"]
NAMES = ["simple", "weighted", "weighted less simple"]
UNWEIGHTED = "neither importance points nor ratings of importance from 0 were asked"


@reasoned("value")
def importance_weighted_scores(
    ratings: pd.DataFrame,
    importance: pd.DataFrame | pd.Series,
    weight_cv: float = 0.25,
    replicates: int = 2000,
    seed: int = 1,
    weights: np.ndarray | pd.Series | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Satisfaction over attributes with equal weights, with those of importance, and their difference.

    Parameters
    ----------
    ratings : DataFrame
        A row a respondent, a column an attribute; rows that lack one are left out.
    importance : DataFrame or Series
        Attribute -> importance on any scale from 0; or a frame like `ratings`, whose means count.
    weight_cv : float
        Doubt about weights: the standard deviation of an average weight relative to it, between 0 and 1.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        Rows "simple", "weighted" and "weighted less simple":

        - score
        - n: effective respondents
        - value: mean of the means of the attributes, in points of the scale
        - ci_low, ci_high: interval by a bootstrap over respondents, who bring their importance along
        - sensitivity_low, sensitivity_high: between which a share `level` of the scores lies as weights are drawn about
          those given, from a Dirichlet distribution: doubt about weights, no sampling error; the simple score has no
          weights to doubt
        - reason: empty

    Raises
    ------
    InputError
        If weights are missing or negative, `weight_cv` is not between 0 and 1, or nobody answered all attributes.
    """
    _check(ratings, importance, weight_cv)
    noted = isinstance(importance, pd.DataFrame)
    parts = [ratings, importance[ratings.columns].add_prefix("importance ")] if noted else [ratings]
    rows = pd.concat(parts, axis=1)
    full = rows.notna().all(axis=1)
    if not full.any():
        raise InputError("satisfaction: no respondent answered all attributes; drop some, or fill the ratings")
    rows, w = rows[full], None if weights is None else np.asarray(weights, dtype=float)[full]
    sums = np.column_stack([np.ones(len(rows)), rows])
    seen = np.average(sums, axis=0, weights=w)[None]
    drawn = resample.totals(sums, replicates, seed, w)
    k, given = ratings.shape[1], None if noted else importance[ratings.columns].to_numpy(dtype=float)
    value, draws = (_scores(s[:, 1:] / s[:, :1], k, given)[0] for s in (seen, drawn))
    means, shares = (part[0] for part in _scores(seen[:, 1:] / seen[:, :1], k, given)[1:])
    band = _band(means, shares, weight_cv, replicates, seed)
    columns = [
        NAMES,
        effective_n(rows, w),
        value[0],
        *percentile_interval(draws, level),
        *percentile_interval(band, level),
        "",
    ]
    return pd.DataFrame(dict(zip(SCORES, columns, strict=True)))


@reasoned("value")
def satisfaction_index(
    survey: Survey, weight_cv: float = 0.25, replicates: int = 2000, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """`importance_weighted_scores` of what a survey's customers perceive, over dimensions.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    weight_cv : float
        Doubt about weights: the standard deviation of an average weight relative to it, between 0 and 1.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `importance_weighted_scores`, weighted by points where they were asked, else by the mean importance of the
        items; without either the simple score alone, the others blank with the reason.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If `weight_cv` is not between 0 and 1.
    """
    ratings, importance, reason = _asked(survey)
    if reason:
        return pd.DataFrame({"score": NAMES, "n": 0.0, "reason": reason}).reindex(columns=SCORES)
    weighed = len(importance.columns) > 0
    importance = importance if weighed else pd.Series(1.0, ratings.columns)
    found = importance_weighted_scores(
        ratings, importance, weight_cv, replicates, seed, weights_of(single_wave(survey)), level
    )
    if weighed:
        return found
    return found.where(found.score == "simple").assign(score=NAMES, n=found.n, reason=["", UNWEIGHTED, UNWEIGHTED])


def _asked(survey):
    """Ratings and importance of each dimension by each customer, the latter without columns where not asked; a reason.

    The reason is why there is no score at all.
    """
    survey = single_wave(survey)
    if reason := not_asked_reason(survey, "perceive"):
        return survey.perceive, survey.points, reason
    ratings, importance = dimension_scores(survey.perceive, survey.instrument).drop(columns=OVERALL), survey.points
    rated = len(survey.importance.columns) and survey.instrument.scale_of("importance").low >= 0
    if not len(importance.columns) and rated:
        importance = dimension_scores(survey.importance, survey.instrument).drop(columns=OVERALL)
    if len(importance.columns):
        ratings = ratings[[dimension for dimension in ratings if dimension in importance]]
    rows = pd.concat([ratings, importance[[d for d in importance if d in ratings]]], axis=1)
    noted = "" if rows.notna().all(axis=1).any() else "no customer answered on all dimensions"
    return ratings, importance, noted


def _scores(means, k, given):
    """Simple and weighted scores and their difference, mean ratings, and weights: arrays, a row a replicate."""
    ratings = means[:, :k]
    level = means[:, k:] if given is None else np.broadcast_to(given, ratings.shape)
    shares = level / level.sum(axis=1, keepdims=True)
    simple, weighted = ratings.mean(axis=1), (ratings * shares).sum(axis=1)
    return np.column_stack([simple, weighted, weighted - simple]), ratings, shares


def _band(means, shares, weight_cv, replicates, seed):
    """The three scores with weights drawn about `shares`."""
    k = len(shares)
    whole = max((k - 1) / weight_cv**2 - 1, 1e-3)  # of a Dirichlet whose average part has this relative spread
    drawn = np.random.default_rng(seed).gamma(np.maximum(shares * whole, 1e-12), size=(replicates, k))
    weighted = drawn @ means / drawn.sum(axis=1)
    return np.column_stack([np.full(replicates, means.mean()), weighted, weighted - means.mean()])


def _check(ratings, importance, weight_cv):
    """Raise InputError with everything wrong in the weights."""
    noted = isinstance(importance, pd.DataFrame)
    named, wrong = list(importance.columns if noted else importance.index), []
    if missing := [str(name) for name in ratings if name not in named]:
        wrong.append(
            f"importance: lacks {len(missing)} of {ratings.shape[1]} attributes ({', '.join(missing[:5])}); add them"
        )
    elif noted:
        if (below := int((importance[ratings.columns] < 0).to_numpy().sum())) > 0:
            wrong.append(f"importance: {below:,} ratings are below 0; give importance on a scale from 0")
    elif not ((importance[ratings.columns] >= 0).all() and importance[ratings.columns].sum() > 0):
        wrong.append("importance: weights must be 0 or more, and not all 0; correct them")
    if not 0 < weight_cv < 1:
        wrong.append(f"weight_cv = {weight_cv!r}: the relative standard deviation of a weight lies between 0 and 1")
    if wrong:
        raise InputError(*wrong)
