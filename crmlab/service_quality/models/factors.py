"""What lies behind the answers: factors, how many, and how they load."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.multivariate.factor import Factor
from statsmodels.multivariate.factor_rotation import rotate_factors

from crmlab.model import FitError, Model, Unfitted, or_unfitted, prediction
from crmlab.service_quality.models.asked import not_asked_reason, reasoned
from crmlab.service_quality.models.covariance import (
    complete,
    covariance_to_correlation,
    effective_n,
    pairwise_covariance,
)
from crmlab.service_quality.models.scores import asked_items, battery_of, single_wave, weights_of
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats import resample
from crmlab.stats.intervals import percentile_interval, upper_limit

MAX_ITER, TOL = 20_000, 1e-9  # of least squares: most rounds, and the change of communalities that ends them
STARTS = 10  # of a rotation, which from one alone may end in an optimum that is not the best
MIN_RESPONDENTS = 10  # who answered all items of a pair of dimensions
SAME = 1e-6  # by which criteria of one optimum may differ
PAIRS = ["dimension_1", "dimension_2", "n", "htmt", "ci_low", "ci_high", "reason"]


class HeywoodError(ValueError):
    """There are no factors: they would explain more of an item than all of it, or were not found."""


@dataclass(frozen=True, repr=False, eq=False)
class Factors(Model):
    """Exploratory factors of a battery, by least squares and oblimin.

    Parameters
    ----------
    n : float
        Effective respondents of the pair of items that fewest answered.
    pattern : DataFrame
        Loadings, items x factors, and their communality.
    between : DataFrame
        Correlations of the factors.
    without_variance : tuple of str
        Items left out, as all answered alike.
    """

    title = "Exploratory factor analysis"

    n: float
    pattern: pd.DataFrame
    between: pd.DataFrame
    without_variance: tuple[str, ...] = ()

    @classmethod
    @or_unfitted
    def fit(
        cls,
        answers: pd.DataFrame,
        n_factors: int | None = None,
        weights: np.ndarray | pd.Series | None = None,
        replicates: int = 200,
        seed: int = 1,
    ) -> "Factors | Unfitted":
        """Fit as many factors as given, or else as `parallel_analysis` keeps, at least one.

        Parameters
        ----------
        answers : DataFrame
            A row a respondent, a column an item; NaN where not answered. Items that all answered alike are left out.
        n_factors : int, optional
            Number of factors; None takes those that `parallel_analysis` keeps.
        weights : ndarray, optional
            Survey weights of the respondents; None weighs all alike.
        replicates : int
            Samples of random answers of `parallel_analysis`.
        seed : int
            Seed of the random answers.

        Returns
        -------
        Factors or Unfitted
            Unfitted where least squares finds no factors, or a Heywood case.

        Notes
        -----
        Each factor is turned so that its loadings sum above 0; the one that explains most comes first.
        """
        weighted = np.ones(len(answers), bool) if weights is None else np.asarray(weights) > 0
        alike = tuple(item for item in answers if answers.loc[weighted, item].nunique() < 2)
        kept = answers.drop(columns=list(alike))
        left_out = f" (left out, as all answered alike: {', '.join(map(str, alike))})" if alike else ""
        try:
            return replace(_extracted(cls, kept, n_factors, weights, replicates, seed), without_variance=alike)
        except (ValueError, np.linalg.LinAlgError) as fault:
            raise FitError(f"there are no factors: {fault}{left_out}") from None

    def __repr__(self) -> str:
        return f"Factors({self.between.shape[0]} of {self.pattern.shape[0]} items, n={self.n:.4g})"

    @property
    @prediction
    def loadings(self) -> pd.DataFrame:
        """A row an item: its loading on each factor, and its communality."""
        return self.pattern.copy()

    @property
    @prediction
    def correlations(self) -> pd.DataFrame:
        """Correlations of the factors."""
        return self.between.copy()


def factor_structure(
    survey: Survey, battery: str = "perceive", replicates: int = 200, seed: int = 1
) -> Factors | Unfitted:
    """The exploratory `Factors` of a survey's customers, without items that all answered alike.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    battery : str
        "expect", "perceive", "adequate", "importance", "standard" or "promise".
    replicates : int
        Samples of random answers of `parallel_analysis`.
    seed : int
        Seed of the random answers.

    Returns
    -------
    Factors or Unfitted
        Unfitted, with the reason, where the battery was not asked or `Factors.fit` finds no model.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no battery of this name.
    """
    survey = single_wave(survey)
    answers = battery_of(survey, battery)
    if reason := not_asked_reason(survey, battery):
        return Unfitted(Factors, reason)
    return Factors.fit(answers, weights=survey.people.weight.to_numpy(dtype=float), replicates=replicates, seed=seed)


def _extracted(cls, answers, n_factors, weights, replicates, seed):
    """The factors of items that vary. Raises HeywoodError."""
    held = covariance_to_correlation(pairwise_covariance(answers, weights))
    if n_factors is None:
        n_factors = max(int(parallel_analysis(answers, weights, replicates, seed).retained.sum()), 1)
    loadings, between, unique = extract_factors(held, n_factors)
    order = np.argsort(-(loadings**2).sum(axis=0), kind="stable")
    names = pd.Index([f"factor {i + 1}" for i in range(n_factors)])
    table = pd.DataFrame(loadings[:, order], pd.Index(answers.columns, name="item"), names)
    correlations = pd.DataFrame(between[np.ix_(order, order)], names, names)
    return cls(effective_n(answers, weights), table.assign(communality=1 - unique), correlations)


def parallel_analysis(
    answers: pd.DataFrame,
    weights: np.ndarray | pd.Series | None = None,
    replicates: int = 200,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Eigenvalues of the correlations beside those of random answers: how many factors to keep.

    Parameters
    ----------
    answers : DataFrame
        A row a respondent, a column an item; NaN where not answered.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.
    replicates : int
        Samples of random answers.
    seed : int
        Seed of the random numbers.
    level : float
        Share of the samples that a factor must be above.

    Returns
    -------
    DataFrame
        A row a factor:

        - factor: from 1
        - eigenvalue: of the correlations of the items
        - random_eigenvalue: which at most 1 - level of the samples exceed, of as many items and respondents that have
          nothing in common
        - retained: bool, whether it and all before it are above those

    References
    ----------
    Horn (1965), Psychometrika 30, 179-185.
    """
    held, n = covariance_to_correlation(pairwise_covariance(answers, weights)), effective_n(answers, weights)
    values = np.linalg.eigvalsh(held)[::-1]
    random = random_eigenvalues(len(held), n, replicates, seed, level)
    factor = np.arange(1, len(values) + 1)
    retained = np.logical_and.accumulate(values > random)
    return pd.DataFrame({"factor": factor, "eigenvalue": values, "random_eigenvalue": random, "retained": retained})


def random_eigenvalues(items, n, replicates, seed, level):
    """Which at most 1 - level of samples exceed of n respondents whose answers have nothing in common: an array."""
    drawn = stats.wishart.rvs(max(int(n) - 1, items), np.eye(items), replicates, random_state=seed)
    drawn = covariance_to_correlation(np.reshape(drawn, (replicates, items, items)))
    return upper_limit(np.linalg.eigvalsh(drawn)[:, ::-1], level)


def one_factor_loadings(covariances):
    """Loadings of each item on one factor, by least squares, in the items' units: an array. Raises HeywoodError."""
    spread = np.sqrt(np.diag(covariances))
    return extract_factors(covariance_to_correlation(covariances), 1)[0][:, 0] * spread


def extract_factors(correlations, n_factors):
    """Loadings, the factors' correlations and unique variances: arrays. Least squares, oblimin. Raises HeywoodError."""
    held = np.asarray(correlations, dtype=float)
    if not 0 < n_factors < len(held):
        raise HeywoodError(f"{n_factors} factors cannot be found in {len(held)} items")
    try:
        with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
            warnings.simplefilter("ignore")
            found = Factor(corr=held, n_factor=n_factors, method="pa").fit(maxiter=MAX_ITER, tol=TOL)
            loadings, turn = _oblimin(found.loadings) if n_factors > 1 else (found.loadings, np.eye(1))
    except (ValueError, np.linalg.LinAlgError):
        raise HeywoodError("least squares found no factors") from None
    common = np.asarray(found.communality)
    if not (np.isfinite(common).all() and (common < 1).all()):
        worst = list(getattr(correlations, "columns", range(len(held))))[int(np.nanargmax(common))]
        raise HeywoodError(f"factors would explain all of {worst} and more (a Heywood case)")
    sign = np.where(loadings.sum(axis=0) < 0, -1, 1)
    return loadings * sign, turn.T @ turn * np.outer(sign, sign), 1 - common


def _oblimin(loadings):
    """Loadings turned by oblimin, and how they were turned: arrays, of the best of several starts.

    Where factors explain alike, least squares finds them turned in whatever way the machine's linear algebra takes, and
    from there alone a rotation may stay at a saddle. The first start is not to turn them, and it stands where none is
    better.
    """
    size = loadings.shape[1]
    starts = [np.eye(size), *stats.ortho_group.rvs(size, STARTS, random_state=1)]
    turned = [rotate_factors(loadings, "oblimin", 0, "oblique", T=start) for start in starts]
    squares = [found**2 for found, _ in turned]
    criteria = np.array([(each.sum(axis=1) ** 2 - (each**2).sum(axis=1)).sum() / 4 for each in squares])
    return turned[int(np.argmax(criteria <= criteria.min() + SAME))]


def schmid_leiman(correlations, n_factors):
    """Loadings on a general factor behind `factors` others, and unique variances: arrays. [Schmid & Leiman 1957]"""
    loadings, between, unique = extract_factors(correlations, n_factors)
    if n_factors == 1:
        return loadings[:, 0], unique
    alike = np.full(n_factors, np.sqrt(max(between[0, 1], 0)))
    behind = alike if n_factors == 2 else extract_factors(between, 1)[0][:, 0]
    return loadings @ behind, unique


@reasoned("htmt")
def htmt(
    answers: pd.DataFrame,
    dimensions: Mapping[str, list[str]],
    weights: np.ndarray | pd.Series | None = None,
    replicates: int = 500,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """How alike two dimensions are: heterotrait-monotrait ratios of correlations.

    Parameters
    ----------
    answers : DataFrame
        A row a respondent, a column an item; NaN where not answered.
    dimensions : mapping
        Dimension -> its items, in order.
    weights : ndarray, optional
        Survey weights of the respondents; None weighs all alike.
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        A row a pair of dimensions:

        - dimension_1, dimension_2
        - n: effective respondents who answered all items
        - htmt: mean size of the correlations between their items over that within them; near 1 they are one dimension
        - ci_low, ci_high: interval by a bootstrap over respondents
        - reason: why the row is blank, as where a dimension has one item

    References
    ----------
    Henseler, Ringle & Sarstedt (2015), Journal of the Academy of Marketing Science 43, 115-135.
    """
    names = [item for items in dimensions.values() for item in items]
    kept, w = complete(answers[names], weights)
    n, still = effective_n(kept, w), [item for item in kept if kept[item].nunique() < 2]
    if not still and n >= MIN_RESPONDENTS:
        held = covariance_to_correlation(pairwise_covariance(kept, w).to_numpy()[None])
        drawn = np.nan_to_num(covariance_to_correlation(resample.covariances(kept, replicates, seed, w)))
    rows = []
    for one, other in combinations(dimensions, 2):
        a, b = ([names.index(item) for item in dimensions[d]] for d in (one, other))
        row = {"dimension_1": one, "dimension_2": other, "n": n, "reason": _unlike(len(a), len(b), still, n)}
        if not row["reason"]:
            low, high = percentile_interval(_ratio(drawn, a, b), level)
            row |= {"htmt": float(_ratio(held, a, b)[0]), "ci_low": low, "ci_high": high}
        rows.append(row)
    return pd.DataFrame(rows, columns=PAIRS)


@reasoned("htmt")
def discriminant_validity(
    survey: Survey, battery: str = "perceive", replicates: int = 500, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """`htmt` of the dimensions of a survey's customers.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    battery : str
        "expect", "perceive", "adequate", "importance", "standard" or "promise".
    replicates : int
        Bootstrap replicates.
    seed : int
        Seed of the random numbers.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `htmt`; one row with the reason where there is no pair of dimensions.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no battery of this name.
    """
    survey = single_wave(survey)
    answers = battery_of(survey, battery)
    asked = asked_items(survey.instrument, answers)
    reason = not_asked_reason(survey, battery) or ("" if len(asked) > 1 else "one dimension alone is like no other")
    if reason:
        return pd.DataFrame([{"n": 0.0, "reason": reason}], columns=PAIRS)
    return htmt(answers, asked, weights_of(survey), replicates, seed, level)


def _unlike(first, second, still, n):
    """Why a pair of dimensions has no ratio; empty where it has."""
    if min(first, second) < 2:
        return "a dimension of one item"
    if n < MIN_RESPONDENTS:
        return f"{n:.0f} respondents answered all items: at least {MIN_RESPONDENTS} are needed"
    return f"no variance in {', '.join(map(str, still[:5]))}" if still else ""


def _ratio(correlations, a, b):
    """Mean size between two sets of items over the geometric mean of those within each."""
    held = np.abs(correlations)
    within = [held[:, i][:, :, i][:, *np.triu_indices(len(i), 1)].mean(axis=1) for i in (a, b)]
    return held[:, a][:, :, b].mean(axis=(1, 2)) / np.sqrt(within[0] * within[1])
