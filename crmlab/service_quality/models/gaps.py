"""Gap 5, what customers perceive less what they expect, and the comparisons made in the same way.

Survey weights count wherever they differ.
"""

import numpy as np
import pandas as pd

from crmlab.service_quality.models.asked import OVERALL, reasoned
from crmlab.service_quality.models.deviations import DEVIATIONS, deviations_of_means
from crmlab.service_quality.models.scores import (
    DESIRED_UNDECLARED,
    answers_by,
    column_means,
    incomparable_reason,
    paired_answers,
    single_wave,
    table_of,
    weights_of,
)
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats.comparisons import holm
from crmlab.stats.differences import Sample, bootstrap_intervals, one_sample, signed_rank
from crmlab.stats.simultaneous import mean_deviations, simultaneous

COLUMNS = ["item", "dimension", "n", "expect", "perceive", "gap", "ci_low", "ci_high", "t", "p_adjusted", "d"]
COLUMNS += ["n_effective", "p", "simultaneous_ci_low", "simultaneous_ci_high", "bootstrap_ci_low", "bootstrap_ci_high"]
COLUMNS += ["signed_rank_p", "signed_rank_p_adjusted"]
COLUMNS += ["family", "text", "reason"]
NAMED = ["item", "dimension", "family", "text", "reason"]  # columns that are no numbers
ENDS = ["ci_low", "ci_high", "bootstrap_ci_low", "bootstrap_ci_high"]
SERVPERF = ["item", "dimension", "n", "perceive", *ENDS[:2], "n_effective", *ENDS[2:], "text", "reason"]


@reasoned("gap")
def gap_scores(
    survey: Survey, by: str = "item", replicates: int = 2000, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """Gap 5, perceived less expected, with its interval and tests.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    by : {"item", "dimension"}
        A row an item, or a row a dimension and one overall.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        A row an item, or a dimension and overall; those of which a side was not asked are blank:

        - item, dimension
        - n: pairs of answers
        - expect, perceive: means of these pairs
        - gap, ci_low, ci_high: perceived − expected, so that a shortfall is negative, with its interval by Student's t
        - t, p: paired t, and its p
        - simultaneous_ci_low, simultaneous_ci_high: intervals that hold all gaps of a `family` at once, by the largest
          absolute t over a bootstrap of respondents
        - p_adjusted: p adjusted for the family, from the same draws: at most 1 - level where that interval excludes 0
        - d: gap over the standard deviation of the gaps (d_z)
        - n_effective: (Σw)²/Σw², the equal answers that would be as precise
        - bootstrap_ci_low, bootstrap_ci_high: percentile interval by the bootstrap
        - signed_rank_p, signed_rank_p_adjusted: Wilcoxon's test, and by Holm within `family`
        - family: items are one family of comparisons, dimensions another, overall a third
        - text: the wording of the item
        - reason: why a number is blank

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If `by` is neither.

    References
    ----------
    Parasuraman, Zeithaml & Berry (1988), Journal of Retailing 64, 12-40. Simultaneous intervals: Hothorn, Bretz &
    Westfall (2008), Biometrical Journal 50, 346-363.

    Examples
    --------
    >>> from crmlab import service_quality
    >>> survey = service_quality.read_survey("data/example_survey.csv", "data/example_survey.toml")
    >>> customers = survey.as_of().select("customer")
    >>> gaps = service_quality.gap_scores(customers, "dimension", replicates=100)
    >>> gaps[["dimension", "gap"]].round(2).tail(2).to_dict("records")
    [{'dimension': 'empathy', 'gap': -0.4}, {'dimension': 'overall', 'gap': -0.66}]
    """
    return battery_gaps(survey, "expect", "perceive", by, replicates, seed, level)


@reasoned("gap")
def service_adequacy(
    survey: Survey, by: str = "item", replicates: int = 2000, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """The measure of service adequacy: perceived less adequate.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    by : {"item", "dimension"}
        A row an item, or a row a dimension and one overall.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `gap_scores`, with `adequate` for `expect`.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If `by` is neither.

    References
    ----------
    Zeithaml, Berry & Parasuraman (1993), Journal of the Academy of Marketing Science 21, 1-12.
    """
    found = battery_gaps(survey, "adequate", "perceive", by, replicates, seed, level)
    return found.rename(columns={"expect": "adequate"})


@reasoned("gap")
def service_superiority(
    survey: Survey, by: str = "item", replicates: int = 2000, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """The measure of service superiority: perceived less desired.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    by : {"item", "dimension"}
        A row an item, or a row a dimension and one overall.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `gap_scores`, blank with the reason unless the instrument declares `expect` as the desired level.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If `by` is neither.

    References
    ----------
    Zeithaml, Berry & Parasuraman (1993), Journal of the Academy of Marketing Science 21, 1-12.
    """
    found = battery_gaps(survey, "expect", "perceive", by, replicates, seed, level)
    if survey.instrument.conventions.desired:
        return found
    return found.assign(**dict.fromkeys(found.columns.difference(NAMED), np.nan), reason=DESIRED_UNDECLARED)


@reasoned("perceive")
def perception_scores(
    survey: Survey, by: str = "item", replicates: int = 2000, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """SERVPERF: perceptions alone, of all who answered them, whatever they expect.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    by : {"item", "dimension"}
        A row an item, or a row a dimension and one overall.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `gap_scores`, those columns that apply: item, dimension, n, perceive, ci_low, ci_high, n_effective,
        bootstrap_ci_low, bootstrap_ci_high, text, reason.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If `by` is neither.

    References
    ----------
    Cronin & Taylor (1992), Journal of Marketing 56(3), 55-68.
    """
    survey = single_wave(survey)
    (answers,), w = answers_by(survey, by, survey.perceive), weights_of(survey)
    ends = bootstrap_intervals(answers.to_numpy(dtype=float), w, replicates, seed, level)
    rows = [
        _tested(Sample.of(answers[name].to_numpy(dtype=float), w), ends[:, i], level) for i, name in enumerate(answers)
    ]
    rows = [row | {"perceive": row["gap"]} for row in rows]
    return table_of(survey, by, answers, rows, SERVPERF, "perceive")


def battery_gaps(survey, lower, upper, by, replicates, seed, level):
    """One battery less another, answered by the same customers: a frame as `gap_scores` gives it."""
    survey = single_wave(survey)
    below, above = answers_by(survey, by, *paired_answers(survey, lower, upper))
    w, unfit = weights_of(survey), incomparable_reason(survey.instrument, lower, upper)
    difference = (above - below).to_numpy(dtype=float)
    ends, rows = bootstrap_intervals(difference, w, replicates, seed, level), []
    for i, (expect, perceive) in enumerate(zip(column_means(below, w), column_means(above, w), strict=True)):
        tested = {"n": int((~np.isnan(difference[:, i])).sum()), "reason": unfit}
        if not unfit:
            tested = _tested(Sample.of(difference[:, i], w), ends[:, i], level, "pairs")
        rows.append({"expect": expect, "perceive": perceive} | tested)
    overall = np.array([by == "dimension" and name == OVERALL for name in below], dtype=bool)
    for family in (np.flatnonzero(overall), np.flatnonzero(~overall)):
        if len(family):
            drawn = mean_deviations(difference[:, family], w, replicates, seed)
            at_once([rows[i] for i in family], drawn, level)
    found = table_of(survey, by, below, rows, COLUMNS, lower, upper)
    found = found.assign(signed_rank_p_adjusted=holm(found.signed_rank_p, found.family))
    if by == "dimension" and not unfit:
        found.attrs[DEVIATIONS] = deviations_of_means(above - below, survey.people.respondent, w)
    return found


def at_once(rows, drawn, level):
    """Adds simultaneous intervals and adjusted p to the rows of one family, blank where there is no standard error."""
    gap, error, df = ([row.get(name, np.nan) for row in rows] for name in ("gap", "standard_error", "df"))
    ends = simultaneous(gap, error, df, drawn, level)
    for row, low, high, p in zip(rows, *ends, strict=True):
        row |= {"simultaneous_ci_low": low, "simultaneous_ci_high": high, "p_adjusted": p}


def _tested(sample, ends, level, what="answers"):
    """All of one mean, or mean gap, but what it is a gap between."""
    row = {"n": sample.n, "n_effective": sample.n_effective, "gap": sample.mean, "reason": sample.blank(what)}
    if row["reason"]:
        return row
    row |= one_sample(sample, level) | {"signed_rank_p": signed_rank(sample)}
    row |= {"standard_error": sample.standard_error, "df": sample.n_effective - 1}
    return row | dict(zip(ENDS[2:], ends, strict=True))
