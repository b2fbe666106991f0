"""What drives satisfaction: each attribute's share of what all of them explain together."""

from math import comb

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.service_quality.models.asked import OVERALL, no_outcome_reason, not_asked_reason, outcome_of, reasoned
from crmlab.service_quality.models.covariance import (
    complete,
    covariance_to_correlation,
    effective_n,
    pairwise_covariance,
)
from crmlab.service_quality.models.scores import dimension_scores, paired_answers, single_wave, weights_of, with_ci
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats import resample
from crmlab.stats.intervals import percentile_interval

MAX_DRIVERS = 15  # drivers whose every subset is tried: 32,768
CELLS = 4_000_000  # numbers held at once while subsets are tried
COLUMNS = ["driver", "n", "r", *with_ci("r2_contribution", "r2_share", "rank")]


@reasoned("r2_contribution")
def relative_importance(
    answers: pd.DataFrame,
    outcome: pd.Series,
    replicates: int = 1000,
    seed: int = 1,
    weights: np.ndarray | pd.Series | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Each driver's share of R², averaged over all orders of entry (LMG), the largest first.

    Parameters
    ----------
    answers : DataFrame
        A row a respondent, a column a driver, at most 15; rows that lack one, or the outcome, are left out.
    outcome : Series
        Such as satisfaction, with the rows of `answers`.
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
        A row a driver:

        - driver
        - n: effective respondents
        - r: correlation with the outcome, the sign that a share lacks
        - r2_contribution: mean over all orders of entry of what the driver adds to R²; they sum to R²
        - r2_share: r2_contribution / R²
        - rank: 1 is the largest share
        - r2_contribution_ci_low, …, rank_ci_high: intervals by a bootstrap over respondents
        - r2, r2_ci_low, r2_ci_high: of all drivers together, the same for all rows
        - reason: why the row is blank

    Raises
    ------
    InputError
        If there are more than 15 drivers.

    References
    ----------
    Lindeman, Merenda & Gold (1980), Introduction to Bivariate and Multivariate Analysis, Scott, Foresman, p. 119.
    """
    if answers.shape[1] > MAX_DRIVERS:
        raise InputError(
            f"drivers: {answers.shape[1]} columns of answers, of which at most {MAX_DRIVERS} can be tried in every "
            "order; give the means of dimensions"
        )
    rows, w = complete(answers.assign(**{"": outcome.to_numpy()}), weights)
    n = effective_n(rows, w)
    if reason := _reason(rows, n):
        return _blank(answers.columns, n, reason)
    table = pairwise_covariance(rows, w).to_numpy()
    r, r2_contribution = covariance_to_correlation(table)[:-1, -1], lmg(table[None])[0]
    return _table(answers.columns, n, r, r2_contribution, lmg(resample.covariances(rows, replicates, seed, w)), level)


@reasoned("r2_contribution")
def key_drivers(
    survey: Survey,
    outcome: str | None = None,
    battery: str = "perceive",
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """`relative_importance` for an outcome of a survey, by item where there are at most 15, else by dimension.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    outcome : str, optional
        Name of an outcome; None takes the first of kind satisfaction.
    battery : {"perceive", "gap"}
        Drivers: perceptions, or perceived less expected.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `relative_importance`, with `text`, the wording of an item, and `by`, "item" or "dimension", last; a row a
        dimension with the reason where something was not asked.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no outcome of this name.

    Examples
    --------
    >>> from crmlab import service_quality
    >>> survey = service_quality.read_survey("data/example_survey.csv", "data/example_survey.toml")
    >>> customers = survey.as_of().select("customer")
    >>> drivers = service_quality.key_drivers(customers, replicates=100)
    >>> drivers.driver.to_list()[:2]
    ['reliability', 'responsiveness']
    """
    survey = single_wave(survey)
    named = outcome_of(survey, "satisfaction", outcome)
    sides = ("expect", "perceive") if battery == "gap" else ("perceive",)
    if reason := not_asked_reason(survey, *sides) or no_outcome_reason(survey, satisfaction=named):
        return _blank(list(survey.instrument.dimensions), 0.0, reason).assign(text="", by="dimension")
    answers = survey.perceive
    if battery == "gap":
        expect, perceive = paired_answers(survey, "expect", "perceive")
        answers = perceive - expect
    by = "item" if answers.shape[1] <= MAX_DRIVERS else "dimension"
    if by == "dimension":
        answers = dimension_scores(answers, survey.instrument).drop(columns=OVERALL)
    found = relative_importance(answers, survey.outcomes[named], replicates, seed, weights_of(survey), level)
    items = survey.instrument.items
    return found.assign(text=[items[name].text if by == "item" else "" for name in found.driver], by=by)


def lmg(covariances):
    """Shares of R² from covariances of drivers and, last, the outcome: an array, replicates x drivers.

    Sweeping out one driver after the other from all subsets at once leaves the outcome's variance given each subset;
    a driver that those before it determine adds nothing.
    """
    p = covariances.shape[1] - 1
    step = max(CELLS // 2 ** (p + 1), 1)
    parts = [_lmg(covariances[i : i + step]) for i in range(0, len(covariances), step)]
    return np.concatenate(parts)


def _lmg(covariances):
    held = np.nan_to_num(covariance_to_correlation(covariances))[None]
    p = covariances.shape[1] - 1
    for _ in range(p):  # subsets x replicates x (drivers left and outcome)²
        pivot, column = held[..., 0, 0], held[..., 0, 1:]
        slope = np.where((pivot > 1e-10)[..., None], column / np.where(pivot > 1e-10, pivot, 1)[..., None], 0)
        rest = held[..., 1:, 1:]
        held = np.concatenate([rest, rest - slope[..., :, None] * column[..., None, :]])
    explained = 1 - held[..., 0, 0]  # by subset, whose bits are its drivers
    sizes = np.array([subset.bit_count() for subset in range(2**p)])
    weight = np.array([1 / (p * comb(p - 1, size)) if size < p else 0 for size in range(p + 1)])[sizes]
    found = np.empty((len(covariances), p))
    for driver in range(p):
        halves = explained.reshape(-1, 2, 2**driver, len(covariances))
        without = weight.reshape(-1, 2, 2**driver)[:, 0]
        found[:, driver] = np.einsum("ab,abr->r", without, halves[:, 1] - halves[:, 0])
    return found


def _table(names, n, r, r2_contribution, drawn, level):
    """The frame of shares and of those drawn."""
    table = pd.DataFrame({"driver": names, "n": n, "r": r, "r2_contribution": r2_contribution})
    table["r2_share"] = r2_contribution / r2_contribution.sum()
    ranks = (-drawn).argsort(axis=1, kind="stable").argsort(axis=1) + 1
    whole = drawn.sum(axis=1)
    for name, draws in {"r2_contribution_": drawn, "r2_share_": drawn / whole[:, None], "rank_": ranks}.items():
        table[f"{name}ci_low"], table[f"{name}ci_high"] = percentile_interval(draws, level)
    table["rank"] = table.r2_contribution.rank(ascending=False, method="first").astype(int)
    low, high = percentile_interval(whole, level)
    table = table[COLUMNS].assign(r2=r2_contribution.sum(), r2_ci_low=low, r2_ci_high=high, reason="")
    return table.sort_values("rank").reset_index(drop=True)


def _blank(names, n, reason):
    """The frame without shares."""
    blank = pd.DataFrame({"driver": names, "n": n, "reason": reason})
    return blank.reindex(columns=[*COLUMNS, "r2", "r2_ci_low", "r2_ci_high", "reason"])


def _reason(rows, n):
    """Why there are no shares; empty where there are."""
    still = [str(name) or "the outcome" for name in rows if rows[name].nunique() < 2]
    fewest = 3 * rows.shape[1]
    if n < fewest:
        return f"{n:.0f} respondents answered all: at least {fewest} are needed"
    return f"no variance in {', '.join(still[:5])}" if still else ""
