"""Whether the items of a dimension measure one thing together."""

import functools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.service_quality.models.asked import not_asked_reason, reasoned
from crmlab.service_quality.models.covariance import (
    covariance_to_correlation,
    effective_n,
    pairwise_covariance,
)
from crmlab.service_quality.models.factors import HeywoodError, one_factor_loadings, schmid_leiman
from crmlab.service_quality.models.scores import (
    asked_items,
    incomparable_reason,
    paired_answers,
    single_wave,
    weights_of,
    with_ci,
)
from crmlab.service_quality.tables.survey import Survey

MIN_ITEMS, MIN_RESPONDENTS = 2, 10
MIN_FACTOR_ITEMS = 3  # of one factor, whose loadings fewer items do not identify
TWO_ITEMS = "alpha of 2 items rests on one correlation; "
ALL = "all items"
NO_GENERAL_FACTOR = "omega_hierarchical is of all items only"
SEVERAL_FACTORS = "composite_reliability and ave are of one factor, so of one dimension"
COLUMNS = ["dimension", "items", "n", *with_ci("alpha"), "alpha_standardised", "omega_total", "omega_hierarchical"]
COLUMNS += ["composite_reliability", "ave", "reason"]
ITEM_COLUMNS = ["dimension", "item", "n", "mean", "sd", "item_rest_correlation", "alpha", "alpha_if_deleted", "reason"]


@reasoned("alpha")
def reliability_coefficients(
    answers: pd.DataFrame,
    dimensions: Mapping[str, list[str]],
    weights: np.ndarray | pd.Series | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """How reliably each dimension is measured, and all items together.

    Parameters
    ----------
    answers : DataFrame
        A row a respondent, a column an item; NaN where not answered.
    dimensions : mapping
        Dimension -> its items, in order.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        A row a dimension, and a last one for all items:

        - dimension, items: the latter a count
        - n: effective respondents of the pair of items that fewest answered; covariances are of pairs
        - alpha: Cronbach's, of the sum of the answers; alpha_ci_low, alpha_ci_high: its interval by F, which takes
          answers as normal and loadings as alike (Feldt); of two items it rests on their one correlation
        - alpha_standardised: of the sum of answers each scaled to variance 1
        - omega_total: share of the variance of the sum that is common: one factor, least squares, in the units of the
          answers; for all items as omega_hierarchical (McDonald)
        - omega_hierarchical: share that is one general factor's, of all items only: as many factors as dimensions,
          oblimin, Schmid-Leiman, on correlations (Zinbarg et al.)
        - composite_reliability, ave: composite reliability and average variance extracted, from the loadings of one
          factor on correlations (Fornell & Larcker)
        - reason: why the row, or a coefficient in it, is blank

    References
    ----------
    Feldt (1965), Psychometrika 30, 357-370. McDonald (1999), Test Theory: A Unified Treatment. Zinbarg, Revelle, Yovel
    & Li (2005), Psychometrika 70, 123-133. Fornell & Larcker (1981), Journal of Marketing Research 18, 39-50.
    """
    rows = [{"dimension": d} | _row(answers[names], weights, _one_factor, level) for d, names in dimensions.items()]
    rows = [row | {"reason": row["reason"] or NO_GENERAL_FACTOR} for row in rows]
    if (k := len(dimensions)) > 1:
        names = [item for items in dimensions.values() for item in items]
        found = _row(
            answers[names],
            weights,
            lambda table: mcdonald_omega(covariance_to_correlation(table), k),
            level,
            MIN_FACTOR_ITEMS * k,
        )
        rows.append({"dimension": ALL} | found | {"reason": found["reason"] or SEVERAL_FACTORS})
    return pd.DataFrame(rows, columns=COLUMNS).astype({"reason": object}).fillna({"reason": ""})


@reasoned("alpha")
def scale_reliability(survey: Survey, level: float = 0.95) -> pd.DataFrame:
    """`reliability_coefficients` of expectations, perceptions and gaps of a survey's customers, and of their outcomes.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `reliability_coefficients`, of expectations, perceptions and gaps, and of each outcome that is the mean of
        several columns, "outcomes.satisfaction", with `battery` first; one row with the reason for a battery that was
        not asked.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.

    Examples
    --------
    >>> from crmlab import service_quality
    >>> survey = service_quality.read_survey("data/example_survey.csv", "data/example_survey.toml")
    >>> found = service_quality.scale_reliability(survey.as_of().select("customer"))
    >>> found[found.dimension == "all items"][["battery", "alpha"]].round(2).to_dict("records")
    [{'battery': 'expect', 'alpha': 0.9}, {'battery': 'perceive', 'alpha': 0.9}, {'battery': 'gap', 'alpha': 0.85}]
    """
    return _by_battery(survey, functools.partial(reliability_coefficients, level=level), COLUMNS)


@reasoned("alpha")
def item_analysis(survey: Survey) -> pd.DataFrame:
    """`alpha_if_item_deleted` of expectations, perceptions and gaps of a survey's customers, and of their outcomes.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.

    Returns
    -------
    DataFrame
        As of `alpha_if_item_deleted`, of expectations, perceptions and gaps, and of each outcome that is the mean of
        several columns, "outcomes.satisfaction", with `battery` first; one row with the reason for a battery that was
        not asked.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
    """
    return _by_battery(survey, alpha_if_item_deleted, ITEM_COLUMNS)


def _by_battery(survey, function, columns):
    """A function of answers and dimensions of each battery, or why it was not asked."""
    survey, tables = single_wave(survey), []
    for battery, (answers, dimensions, reason) in batteries(survey).items():
        found = pd.DataFrame([{"dimension": ALL, "item": "", "n": 0.0, "reason": reason}]).reindex(columns=columns)
        if not reason:
            found = function(answers, dimensions, weights_of(survey))
        tables.append(found.assign(battery=battery))
    return pd.concat(tables, ignore_index=True)[["battery", *columns]]


def batteries(survey):
    """Battery -> its answers, its dimensions and their items, and why there are none.

    The gap is one of them, and so is each outcome that is the mean of several columns.
    """
    expect, perceive = paired_answers(survey, "expect", "perceive")
    held = {"expect": survey.expect, "perceive": survey.perceive, "gap": perceive - expect}
    why = {battery: not_asked_reason(survey, battery) for battery in ("expect", "perceive")}
    unfit = incomparable_reason(survey.instrument, "expect", "perceive")
    why["gap"] = not_asked_reason(survey, "expect", "perceive") or unfit
    asked = {battery: asked_items(survey.instrument, answers) for battery, answers in held.items()}
    none = "no item was asked in both"
    found = {b: (answers, asked[b], why[b] or ("" if asked[b] else none)) for b, answers in held.items()}
    means = {n: [*o.columns] for n, o in survey.instrument.outcomes.items() if o.columns and o.combine == "mean"}
    return found | {
        f"outcomes.{n}": (survey.outcome_answers[columns], {n: columns}, "") for n, columns in means.items()
    }


def cronbach_alpha(covariances):
    """Cronbach's alpha of the sum of items with these covariances; the standardised one where they are correlations."""
    k, total = len(covariances), np.sum(np.asarray(covariances))
    return float(k / (k - 1) * (1 - np.trace(covariances) / total)) if k > 1 and total > 0 else np.nan


def cronbach_alpha_interval(estimate, items, n, level=0.95):
    """Interval of an alpha found on `n` respondents: (low, high). [Feldt 1965]"""
    free, tail = n - 1, (1 - level) / 2
    ends = stats.f.ppf([1 - tail, tail], free, free * (items - 1))
    return tuple(float(end) for end in 1 - (1 - estimate) * ends)


@reasoned("alpha")
def alpha_if_item_deleted(
    answers: pd.DataFrame, dimensions: Mapping[str, list[str]], weights: np.ndarray | pd.Series | None = None
) -> pd.DataFrame:
    """What each item does for the reliability of its dimension.

    Parameters
    ----------
    answers : DataFrame
        A row a respondent, a column an item; NaN where not answered.
    dimensions : mapping
        Dimension -> its items, in order.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.

    Returns
    -------
    DataFrame
        A row an item:

        - dimension, item
        - n: effective respondents of the pair of items of the dimension that fewest answered
        - mean, sd: of those who answered the item
        - item_rest_correlation: with the sum of the other items of the dimension
        - alpha: Cronbach's, of the dimension; alpha_if_deleted: without the item
        - reason: why the row is blank
    """
    rows = []
    for dimension, names in dimensions.items():
        table, n = pairwise_covariance(answers[names], weights), effective_n(answers[names], weights)
        reason = _blank(table, n)
        for item in names:
            noted = {} if reason else {"alpha": cronbach_alpha(table)} | _without(table, item)
            alone = "alpha_if_deleted: one item would be left" if len(names) == MIN_ITEMS else ""
            rows.append({"dimension": dimension, "item": item, "n": n} | noted | {"reason": reason or alone})
    found = pd.DataFrame(rows, columns=ITEM_COLUMNS)
    spread = pd.concat([_spread(answers[names], weights) for names in dimensions.values()], ignore_index=True)
    return found.assign(mean=spread["mean"], sd=spread["sd"])


def _without(table, item):
    """Correlation of an item with the rest of its dimension, and the alpha of that rest."""
    rest = table.drop(index=item, columns=item)
    shared, spread = table[item].drop(item).sum(), np.sqrt(table.loc[item, item] * rest.to_numpy().sum())
    return {"item_rest_correlation": shared / spread, "alpha_if_deleted": cronbach_alpha(rest)}


def _spread(answers, weights):
    """Mean and standard deviation of each item over those who answered it: a frame."""
    w = np.ones(len(answers)) if weights is None else np.asarray(weights, dtype=float)
    total = answers.notna().mul(w, axis=0).sum()
    mean = answers.mul(w, axis=0).sum() / total.where(total > 0)
    sd = np.sqrt([pairwise_covariance(answers[[item]], weights).iloc[0, 0] for item in answers])
    return pd.DataFrame({"mean": mean.to_numpy(), "sd": sd})


def _blank(table, n):
    """Why nothing can be said of items with these covariances; empty where something can."""
    still = [str(item) for item, variance in zip(table, np.diag(table), strict=True) if not variance > 0]
    if len(table) < MIN_ITEMS:
        return f"{len(table)} item{'s' * (len(table) != 1)}: at least {MIN_ITEMS} are needed"
    if n < MIN_RESPONDENTS:
        return f"{n:.0f} respondents answered its items in pairs: at least {MIN_RESPONDENTS} are needed"
    return f"no variance in {', '.join(still[:5])}" if still else ""


def _row(answers, weights, omegas, level, fewest=MIN_FACTOR_ITEMS):
    """The row of a dimension, or of all items: its alphas, and of at least `fewest` items the omegas."""
    table, n = pairwise_covariance(answers, weights), effective_n(answers, weights)
    row = {"items": len(table), "n": n, "reason": _blank(table, n)}
    if row["reason"]:
        return row
    row["alpha"], row["alpha_standardised"] = cronbach_alpha(table), cronbach_alpha(covariance_to_correlation(table))
    row["alpha_ci_low"], row["alpha_ci_high"] = cronbach_alpha_interval(row["alpha"], len(table), n, level)
    if len(table) < fewest:
        caution = TWO_ITEMS if len(table) == MIN_ITEMS else ""
        return row | {"reason": f"{caution}omegas need {fewest} items, and there are {len(table)}"}
    try:
        return row | omegas(table)
    except HeywoodError as fault:
        return row | {"reason": str(fault)}


def _one_factor(table):
    """Omega and what else is read from the loadings of one factor. Raises HeywoodError."""
    raw, scaled = one_factor_loadings(table), one_factor_loadings(covariance_to_correlation(table))
    return {
        "omega_total": raw.sum() ** 2 / (raw.sum() ** 2 + (np.diag(table) - raw**2).sum()),
        "composite_reliability": scaled.sum() ** 2 / (scaled.sum() ** 2 + (1 - scaled**2).sum()),
        "ave": float((scaled**2).mean()),
    }


def mcdonald_omega(correlations, n_factors):
    """Both omegas of the sum of items with these correlations: a dict, omega_total and omega_hierarchical.

    `factors` factors by least squares, oblimin, and a general one behind them by Schmid and Leiman; with two factors
    the general one loads alike on both. Raises HeywoodError where a factor explains an item or another factor wholly.
    """
    general, unique = schmid_leiman(correlations, n_factors)
    total = np.asarray(correlations).sum()
    return {"omega_total": float(1 - unique.sum() / total), "omega_hierarchical": float(general.sum() ** 2 / total)}
