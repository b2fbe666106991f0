"""Whether the declared dimensions are as many as there are: against simpler structures, and by parallel analysis."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.model import FitError
from crmlab.service_quality.models.asked import not_asked_reason, reasoned
from crmlab.service_quality.models.confirm import Sampled, fit_measures
from crmlab.service_quality.models.covariance import covariance_to_correlation
from crmlab.service_quality.models.factors import random_eigenvalues
from crmlab.service_quality.models.scores import asked_items, battery_of, single_wave, weights_of
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats.comparisons import holm
from crmlab.stats.intervals import percentile_interval
from crmlab.stats.threads import one_thread

DECLARED, ONE = "declared", "one factor"
MEASURES = ["chi2", "df", "p", "cfi", "rmsea", "rmsea_ci_low", "rmsea_ci_high", "srmr"]
COLUMNS = ["structure", "factors", "n", "respondents", *MEASURES, "chi2_difference", "df_difference", "p_difference"]
COLUMNS += ["p_adjusted", "note", "reason"]
COUNTS = ["structure", "factors", "n", "respondents", "retained", "expected", "expected_pi_low", "expected_pi_high"]
COUNTS += ["reason"]


@reasoned("chi2")
def rival_structures(
    answers: pd.DataFrame,
    dimensions: Mapping[str, list[str]],
    weights: np.ndarray | pd.Series | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """How well the declared dimensions fit, beside one factor and beside correlated dimensions of which two are one.

    Parameters
    ----------
    answers : DataFrame
        A row a respondent, a column an item; NaN where not answered.
    dimensions : mapping
        Dimension -> its items, in order; those of one item are left out.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.
    level : float
        Confidence level of the interval of the RMSEA.

    Returns
    -------
    DataFrame
        A row a structure, the declared one first, then one factor, then each pair of dimensions as one:

        - structure, factors: its name, and how many factors it has
        - n, respondents: effective, and counted, who answered all items
        - chi2, df, p, cfi, rmsea, rmsea_ci_low, rmsea_ci_high, srmr: as of `CFA.fit_indices`
        - chi2_difference, df_difference, p_difference: of the structure less the declared one, of which it is a case
        - p_adjusted: p_difference by Holm over the rivals
        - note: dimensions left out, and why a solution is improper
        - reason: why the row is blank

    Notes
    -----
    That two dimensions are one lies at the edge of what their correlation can be, where the test rejects somewhat
    seldom.

    References
    ----------
    Anderson & Gerbing (1988), Psychological Bulletin 103, 411-423.
    """
    try:
        held = Sampled.of(answers, dimensions, weights)
    except FitError as fault:
        return pd.DataFrame([{"structure": DECLARED, "n": 0.0, "reason": str(fault)}], columns=COLUMNS)
    names, base = list(held.dimensions), {"n": held.n, "respondents": held.respondents, "note": held.left_out}
    owners = {DECLARED: held.owner}
    if len(names) > 1:
        owners[ONE] = np.zeros_like(held.owner)
    if len(names) > 2:
        owners |= {
            f"{names[a]} and {names[b]} as one": _merged(held.owner, a, b)
            for a, b in combinations(range(len(names)), 2)
        }
    rows, free = [], {"chi2": np.nan, "df": np.nan}
    for structure, owner in owners.items():
        row = base | {"structure": structure, "factors": int(owner.max()) + 1, "reason": ""}
        try:
            solution = held.solve(owner)
        except FitError as fault:
            rows.append(row | {"reason": str(fault)})
            continue
        row |= fit_measures(held, solution, level) | {
            "note": "; ".join(filter(None, (held.left_out, solution.improper)))
        }
        free = row if structure == DECLARED else free
        if structure != DECLARED:
            apart, df = max(row["chi2"] - free["chi2"], 0), row["df"] - free["df"]
            row |= {"chi2_difference": apart, "df_difference": df, "p_difference": stats.chi2.sf(apart, df)}
        rows.append(row)
    found = pd.DataFrame(rows, columns=COLUMNS)
    return found.assign(p_adjusted=holm(found.p_difference.astype(float)))


@reasoned("chi2")
def dimensionality(survey: Survey, battery: str = "perceive", level: float = 0.95) -> pd.DataFrame:
    """`rival_structures` of the answers of a survey's customers.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    battery : str
        "expect", "perceive", "adequate", "importance", "standard" or "promise".
    level : float
        Confidence level of the interval of the RMSEA.

    Returns
    -------
    DataFrame
        As of `rival_structures`; one row with the reason for a battery that was not asked.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no battery of this name.
    """
    survey = single_wave(survey)
    answers = battery_of(survey, battery)
    if reason := not_asked_reason(survey, battery):
        return pd.DataFrame([{"structure": DECLARED, "n": 0.0, "reason": reason}], columns=COLUMNS)
    return rival_structures(answers, asked_items(survey.instrument, answers), weights_of(survey), level)


@reasoned("retained")
def retained_factors(
    answers: pd.DataFrame,
    dimensions: Mapping[str, list[str]],
    weights: np.ndarray | pd.Series | None = None,
    replicates: int = 500,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """How many factors parallel analysis keeps, beside how many it would keep if a structure were true.

    Parameters
    ----------
    answers : DataFrame
        A row a respondent, a column an item; NaN where not answered.
    dimensions : mapping
        Dimension -> its items, in order; those of one item are left out.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.
    replicates : int
        Samples of random answers, and samples of each structure.
    seed : int
        Seed of the draws.
    level : float
        Level of the intervals, and share of the random samples that a factor must be above.

    Returns
    -------
    DataFrame
        A row for the declared dimensions and one for one factor:

        - structure, factors: its name, and how many factors it has
        - n, respondents: effective, and counted, who answered all items
        - retained: factors that parallel analysis keeps
        - expected, expected_pi_low, expected_pi_high: how many it would keep of as many respondents of whom the fitted
          structure is true, on average and with the prediction interval
        - reason: why the row is blank

    Notes
    -----
    Where dimensions correlate, parallel analysis keeps fewer factors than there are dimensions, even where they are
    several; so it is held against what it keeps in samples of them.

    References
    ----------
    Horn (1965), Psychometrika 30, 179-185.
    """
    try:
        held = Sampled.of(answers, dimensions, weights)
    except FitError as fault:
        return pd.DataFrame([{"structure": DECLARED, "n": 0.0, "reason": str(fault)}], columns=COUNTS)
    size, base = len(held.items), {"n": held.n, "respondents": held.respondents}
    random = random_eigenvalues(size, held.n, replicates, seed, level)
    retained, rows = int(_kept(held.correlations, random)), []
    owners = {DECLARED: held.owner} | ({ONE: np.zeros_like(held.owner)} if held.owner.max() else {})
    for number, (structure, owner) in enumerate(owners.items()):
        row = base | {"structure": structure, "factors": int(owner.max()) + 1, "retained": retained, "reason": ""}
        try:
            implied = held.solve(owner).implied[0]
        except FitError as fault:
            rows.append(row | {"retained": np.nan, "reason": str(fault)})
            continue
        drawn = stats.wishart.rvs(max(int(held.n) - 1, size), implied, replicates, random_state=seed + 1 + number)
        kept = _kept(covariance_to_correlation(np.reshape(drawn, (replicates, size, size))), random)
        low, high = percentile_interval(kept, level)
        rows.append(row | {"expected": kept.mean(), "expected_pi_low": low, "expected_pi_high": high})
    return pd.DataFrame(rows, columns=COUNTS)


@reasoned("retained")
def number_of_factors(
    survey: Survey, battery: str = "perceive", replicates: int = 500, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """`retained_factors` of the answers of a survey's customers.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    battery : str
        "expect", "perceive", "adequate", "importance", "standard" or "promise".
    replicates : int
        Samples of random answers, and samples of each structure.
    seed : int
        Seed of the draws.
    level : float
        Level of the intervals, and share of the random samples that a factor must be above.

    Returns
    -------
    DataFrame
        As of `retained_factors`; one row with the reason for a battery that was not asked.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no battery of this name.
    """
    survey = single_wave(survey)
    answers = battery_of(survey, battery)
    if reason := not_asked_reason(survey, battery):
        return pd.DataFrame([{"structure": DECLARED, "n": 0.0, "reason": reason}], columns=COUNTS)
    asked = asked_items(survey.instrument, answers)
    return retained_factors(answers, asked, weights_of(survey), replicates, seed, level)


def _merged(owner, one, other):
    """The factor of each item where the factors `one` < `other` are one: numbers without a hole."""
    joined = np.where(owner == other, one, owner)
    return joined - (joined > other)


def _kept(correlations, random):
    """How many leading eigenvalues of correlations, or of a stack of them, lie above the random ones."""
    with one_thread():
        values = np.linalg.eigvalsh(correlations)[..., ::-1]
    return np.logical_and.accumulate(values > random, axis=-1).sum(axis=-1)
