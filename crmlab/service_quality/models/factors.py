"""What lies behind the answers: factors, how many, and how they load."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.multivariate.factor import Factor

from crmlab.service_quality.models.asked import not_asked_reason
from crmlab.service_quality.models.covariance import (
    covariance_to_correlation,
    effective_n,
    pairwise_covariance,
)
from crmlab.service_quality.models.scores import single_wave
from crmlab.service_quality.models.scores import weights as weights_of
from crmlab.stats import resample

MAX_ITER, TOL = 20_000, 1e-9  # of least squares: most rounds, and the change of communalities that ends them
PAIRS = ["dimension_1", "dimension_2", "n", "htmt", "ci_low", "ci_high", "reason"]


class HeywoodError(ValueError):
    """Factors cannot be told: they would explain more of an item than all of it, or were not found."""


@dataclass(frozen=True)
class Factors:
    """Exploratory factors of a battery, by least squares and oblimin.

    loadings     : a frame, items x factors and their communality
    correlations : of the factors, a frame
    n            : effective respondents of the pair of items that fewest answered
    reason       : why there are none, or which items were left out
    """

    loadings: pd.DataFrame
    correlations: pd.DataFrame
    n: float
    reason: str = ""


def factor_structure(survey, battery="perceive", seed=1):
    """`exploratory_factor_analysis` of a survey's customers, without items that all answered alike; blank, with its
    reason, where none is."""
    survey = single_wave(survey)
    if reason := not_asked_reason(survey, battery):
        return Factors(pd.DataFrame({"reason": [reason]}), pd.DataFrame(), 0.0, reason)
    answers, weights = getattr(survey, battery), survey.people.weight.to_numpy(dtype=float)
    alike = [item for item in answers if answers.loc[weights > 0, item].nunique() < 2]
    told = f"left out, as all answered alike: {', '.join(alike)}" if alike else ""
    try:
        return replace(
            exploratory_factor_analysis(answers.drop(columns=alike), weights=weights, seed=seed), reason=told
        )
    except (ValueError, np.linalg.LinAlgError) as fault:
        reason = "; ".join(filter(None, [f"factors cannot be told: {fault}", told]))
        return Factors(pd.DataFrame({"reason": [reason]}), pd.DataFrame(), 0.0, reason)


def exploratory_factor_analysis(answers, n_factors=None, weights=None, seed=1):
    """Exploratory `Factors` of answers, as many as given or else as `parallel_analysis` keeps, at least one.

    answers : a row a respondent, a column an item; NaN where not answered
    Each factor is turned so that its loadings sum above 0; the one that explains most comes first. Raises HeywoodError.
    """
    held = covariance_to_correlation(pairwise_covariance(answers, weights))
    if n_factors is None:
        n_factors = max(int(parallel_analysis(answers, weights, seed=seed).retained.sum()), 1)
    loadings, between, unique = extract_factors(held, n_factors)
    order = np.argsort(-(loadings**2).sum(axis=0), kind="stable")
    names = pd.Index([f"factor {i + 1}" for i in range(n_factors)])
    table = pd.DataFrame(loadings[:, order], pd.Index(answers.columns, name="item"), names)
    apart = pd.DataFrame(between[np.ix_(order, order)], names, names)
    return Factors(table.assign(communality=1 - unique), apart, effective_n(answers, weights))


def parallel_analysis(answers, weights=None, replicates=200, seed=1):
    """Eigenvalues of the correlations beside those of chance: a frame, one row a factor. [Horn 1965]

    factor      from 1
    eigenvalue  of the items' correlations
    random_eigenvalue   95th of a hundred, of as many items and respondents that have nothing in common
    retained    whether it and all before it are above chance
    """
    held, n = covariance_to_correlation(pairwise_covariance(answers, weights)), effective_n(answers, weights)
    values = np.linalg.eigvalsh(held)[::-1]
    size = max(int(n) - 1, len(held))
    drawn = np.reshape(
        stats.wishart.rvs(size, np.eye(len(held)), replicates, random_state=seed), (replicates, *held.shape)
    )
    spread = np.sqrt(np.diagonal(drawn, axis1=1, axis2=2))
    chance = np.quantile(np.linalg.eigvalsh(drawn / (spread[:, :, None] * spread[:, None, :]))[:, ::-1], 0.95, axis=0)
    factor = np.arange(1, len(values) + 1)
    retained = np.logical_and.accumulate(values > chance)
    return pd.DataFrame({"factor": factor, "eigenvalue": values, "random_eigenvalue": chance, "retained": retained})


def one_factor_loadings(covariances):
    """Loadings of each item on one factor, by least squares, in the items' units: an array. Raises HeywoodError."""
    spread = np.sqrt(np.diag(covariances))
    return extract_factors(covariance_to_correlation(covariances), 1)[0][:, 0] * spread


def extract_factors(correlations, n_factors):
    """Loadings, the factors' correlations and unique variances: arrays. Least squares, oblimin. Raises HeywoodError."""
    held = np.asarray(correlations, dtype=float)
    if not 0 < n_factors < len(held):
        raise HeywoodError(f"{n_factors} factors cannot be told from {len(held)} items")
    try:
        with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
            warnings.simplefilter("ignore")
            found = Factor(corr=held, n_factor=n_factors, method="pa").fit(maxiter=MAX_ITER, tol=TOL)
            if n_factors > 1:
                found.rotate("oblimin")
    except (ValueError, np.linalg.LinAlgError):
        raise HeywoodError("least squares found no factors") from None
    common = np.asarray(found.communality)
    if not (np.isfinite(common).all() and (common < 1).all()):
        worst = list(getattr(correlations, "columns", range(len(held))))[int(np.nanargmax(common))]
        raise HeywoodError(f"factors would explain all of {worst} and more (a Heywood case)")
    turn = found.rotation_matrix if n_factors > 1 else np.eye(1)
    sign = np.where(found.loadings.sum(axis=0) < 0, -1, 1)
    return found.loadings * sign, turn.T @ turn * np.outer(sign, sign), 1 - common


def schmid_leiman(correlations, n_factors):
    """Loadings on a general factor behind `factors` others, and unique variances: arrays. [Schmid & Leiman 1957]"""
    loadings, between, unique = extract_factors(correlations, n_factors)
    if n_factors == 1:
        return loadings[:, 0], unique
    alike = np.full(n_factors, np.sqrt(max(between[0, 1], 0)))
    behind = alike if n_factors == 2 else extract_factors(between, 1)[0][:, 0]
    return loadings @ behind, unique


def htmt(answers, dimensions, weights=None, replicates=500, seed=1):
    """How alike two dimensions are, as ratios of correlations: a frame, one row a pair. [Henseler et al. 2015]

    dimension_1, dimension_2  dimensions of at least two items
    n           effective respondents who answered all items
    htmt        mean size of the correlations between their items over that within them; near 1 they are one dimension
    ci_low, ci_high   95 % interval by a bootstrap over respondents
    reason      why the row is blank
    """
    names = [item for items in dimensions.values() for item in items]
    full = answers[names].notna().all(axis=1)
    kept, w = answers.loc[full, names], None if weights is None else np.asarray(weights, dtype=float)[full]
    n, still = effective_n(kept, w), [item for item in kept if kept[item].nunique() < 2]
    drawn = () if still or n < 10 else _correlations(resample.covariances(kept, replicates, seed, w))
    held = None if still or n < 10 else covariance_to_correlation(pairwise_covariance(kept, w)).to_numpy()[None]
    rows = []
    for i, one in enumerate(dimensions):
        for other in list(dimensions)[i + 1 :]:
            a, b = ([names.index(item) for item in dimensions[d]] for d in (one, other))
            row = {"dimension_1": one, "dimension_2": other, "n": n, "reason": _unlike(len(a), len(b), still, n)}
            if not row["reason"]:
                low, high = np.quantile(_ratio(drawn, a, b), [0.025, 0.975])
                row |= {"htmt": float(_ratio(held, a, b)[0]), "ci_low": low, "ci_high": high}
            rows.append(row)
    return pd.DataFrame(rows, columns=PAIRS)


def discriminant_validity(survey, battery="perceive", replicates=500, seed=1):
    """`htmt` of a survey's customers: a frame, one row a pair of dimensions; one that says why where none is."""
    survey = single_wave(survey)
    answers = getattr(survey, battery)
    asked = {d: [i for i in items if i in answers] for d, items in survey.instrument.dimensions.items()}
    asked = {d: items for d, items in asked.items() if items}
    reason = not_asked_reason(survey, battery) or ("" if len(asked) > 1 else "one dimension alone is like no other")
    if reason:
        return pd.DataFrame([{"n": 0.0, "reason": reason}], columns=PAIRS)
    return htmt(answers, asked, weights_of(survey), replicates, seed)


def _unlike(first, second, still, n):
    """Why a pair of dimensions has no ratio; empty where it has."""
    if min(first, second) < 2:
        return "a dimension of one item"
    if n < 10:
        return f"{n:.0f} respondents answered all items: at least 10 are needed"
    return f"no variance in {', '.join(map(str, still[:5]))}" if still else ""


def _correlations(covariances):
    """Correlations of stacked covariances, without division by 0."""
    spread = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
    spread = np.where(spread > 0, spread, np.inf)
    return covariances / (spread[:, :, None] * spread[:, None, :])


def _ratio(correlations, a, b):
    """Mean size between two sets of items over the geometric mean of those within each."""
    held = np.abs(correlations)
    within = [held[:, i][:, :, i][:, *np.triu_indices(len(i), 1)].mean(axis=1) for i in (a, b)]
    return held[:, a][:, :, b].mean(axis=(1, 2)) / np.sqrt(within[0] * within[1])
