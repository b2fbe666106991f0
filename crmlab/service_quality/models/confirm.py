"""Whether the dimensions of an instrument fit the answers: confirmatory factor analysis."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.model import FitError, Model, Unfitted, or_unfitted, prediction
from crmlab.service_quality.models.asked import not_asked_reason
from crmlab.service_quality.models.covariance import (
    complete,
    covariance_to_correlation,
    effective_n,
    pairwise_covariance,
)
from crmlab.service_quality.models.scores import asked_items, battery_of, single_wave, weights_of
from crmlab.service_quality.models.structure import Moments, Solution, correlated_factors, rmsea, solve, srmr
from crmlab.service_quality.tables.survey import Survey


@dataclass(frozen=True, repr=False, eq=False)
class CFA(Model):
    """Items on their own dimension only, dimensions free to correlate, by maximum likelihood.

    Parameters
    ----------
    n : float
        Effective respondents who answered all items.
    respondents : int
        How many they are before weights.
    indices : mapping
        chi2, df, p, cfi, tli, rmsea with its interval, and srmr.
    loadings_by_item : DataFrame
        dimension, item, loading, of standardised items on standardised dimensions.
    between : DataFrame
        Correlations of the dimensions.
    note : str
        Which dimensions were left out, and whether the solution is improper.
    """

    title = "Confirmatory factor analysis"

    n: float
    respondents: int
    indices: Mapping[str, float]
    loadings_by_item: pd.DataFrame
    between: pd.DataFrame
    note: str = ""

    @classmethod
    @or_unfitted
    def fit(
        cls, answers: pd.DataFrame, dimensions: Mapping[str, list[str]], weights: np.ndarray | pd.Series | None = None
    ) -> "CFA | Unfitted":
        """Fit answers of respondents who answered all items.

        Parameters
        ----------
        answers : DataFrame
            A row a respondent, a column an item; NaN where not answered.
        dimensions : mapping
            Dimension -> its items, in order; a dimension of one item is left out.
        weights : ndarray, optional
            Survey weights of the respondents; None weighs all alike.

        Returns
        -------
        CFA or Unfitted
            Unfitted where respondents or items are too few, or there is no solution.
        """
        held = Sampled.of(answers, dimensions, weights)
        solution = held.solve(held.owner)
        loads, between, *_ = solution.filled[0]
        names = list(held.dimensions)
        loadings = pd.DataFrame(
            {
                "dimension": [names[place] for place in held.owner],
                "item": held.items,
                "loading": loads[np.arange(len(held.items)), held.owner],
            }
        )
        note = "; ".join(filter(None, (held.left_out, solution.improper)))
        indices = fit_measures(held, solution)
        return cls(held.n, held.respondents, indices, loadings, pd.DataFrame(between, names, names), note)

    def __repr__(self) -> str:
        return f"CFA(n={self.n:.4g}, cfi={self.indices['cfi']:.3f}, rmsea={self.indices['rmsea']:.3f})"

    @property
    @prediction
    def fit_indices(self) -> pd.DataFrame:
        """How well the dimensions fit, in one row.

        n (effective) and respondents who answered all items; chi2, df, p; cfi, tli; rmsea with rmsea_ci_low and
        rmsea_ci_high, its 90 % interval, as is usual; srmr; note: dimensions left out, and an improper solution.

        References
        ----------
        Browne & Cudeck (1992), Sociological Methods & Research 21, 230-258. Hu & Bentler (1999), Structural Equation
        Modeling 6, 1-55.
        """
        found = pd.DataFrame(
            [{"n": self.n, "respondents": self.respondents} | dict(self.indices) | {"note": self.note}]
        )
        found.attrs["kinds"] = {"p": "p"}
        return found

    @property
    @prediction
    def loadings(self) -> pd.DataFrame:
        """A row an item: dimension, item, loading."""
        return self.loadings_by_item.copy()

    @property
    @prediction
    def correlations(self) -> pd.DataFrame:
        """Correlations of the dimensions."""
        return self.between.copy()

    @property
    @prediction
    def convergent(self) -> pd.DataFrame:
        """A row a dimension: composite_reliability and ave, from the loadings.

        References
        ----------
        Fornell & Larcker (1981), Journal of Marketing Research 18, 39-50.
        """
        groups = self.loadings_by_item.groupby("dimension", sort=False).loading
        square = groups.sum() ** 2
        unique = groups.apply(lambda values: (1 - values**2).sum())
        ave = groups.apply(lambda values: (values**2).mean())
        return pd.DataFrame({"composite_reliability": square / (square + unique), "ave": ave}).reset_index()


def measurement_model(survey: Survey, battery: str = "perceive") -> CFA | Unfitted:
    """The `CFA` of a survey's customers, by the dimensions of its instrument.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    battery : str
        "expect", "perceive", "adequate", "importance", "standard" or "promise".

    Returns
    -------
    CFA or Unfitted
        Unfitted, with the reason, where the battery was not asked or `CFA.fit` finds no model.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no battery of this name.
    """
    survey = single_wave(survey)
    answers = battery_of(survey, battery)
    if reason := not_asked_reason(survey, battery):
        return Unfitted(CFA, reason)
    return CFA.fit(answers, asked_items(survey.instrument, answers), weights_of(survey))


@dataclass(frozen=True, eq=False)
class Sampled:
    """Answers of respondents who answered all items, as a factor model takes them.

    dimensions are those of at least two items, `owner` is the number of each item's; `left_out` names the others.
    """

    n: float
    respondents: int
    dimensions: dict[str, list[str]]
    items: list[str]
    owner: np.ndarray
    correlations: np.ndarray
    left_out: str

    @classmethod
    def of(cls, answers, dimensions, weights):
        """Raises FitError where there are too few respondents or items."""
        single = [str(name) for name, items in dimensions.items() if len(items) < 2]
        dimensions = {name: list(items) for name, items in dimensions.items() if len(items) > 1}
        items = [item for held in dimensions.values() for item in held]
        kept, w = complete(answers[items], weights)
        n = effective_n(kept, w) if items else 0.0
        if reason := _reason(kept, dimensions, n):
            raise FitError(reason)
        owner = np.repeat(np.arange(len(dimensions)), [len(held) for held in dimensions.values()])
        table = covariance_to_correlation(pairwise_covariance(kept, w)).to_numpy()
        left_out = f"left out, as of one item: {', '.join(single)}" if single else ""
        return cls(n, len(kept), dimensions, items, owner, table, left_out)

    def solve(self, owner: np.ndarray) -> Solution:
        """The fit of these items, each on its factor. Raises FitError."""
        structure, starts = correlated_factors(owner)
        return solve([Moments(self.n, np.zeros(len(owner)), self.correlations)], [structure], starts)


def fit_measures(held, solution, level=0.9):
    """Measures of fit by name: a dict. CFI [Bentler 1990] and TLI [Tucker & Lewis 1973] are against no correlation."""
    size = len(held.items)
    chi2, df, free = solution.chi2, solution.df, size * (size - 1) / 2
    alone = -held.n * np.linalg.slogdet(held.correlations)[1]
    worst = max(alone - free, chi2 - df, 0)
    value, low, high = rmsea(chi2, df, held.n, level)
    return {
        "chi2": chi2,
        "df": df,
        "p": float(stats.chi2.sf(chi2, df)) if df else np.nan,
        "cfi": 1 - max(chi2 - df, 0) / worst if worst else 1.0,
        "tli": (alone / free - chi2 / df) / (alone / free - 1) if df else np.nan,
        "rmsea": value,
        "rmsea_ci_low": low,
        "rmsea_ci_high": high,
        "srmr": srmr(held.correlations, solution.implied[0]),
    }


def _reason(kept, dimensions, n):
    """Why there is no model; empty where there is one."""
    still = [str(item) for item in kept if kept[item].nunique() < 2]
    if not dimensions:
        return "no dimension has two items"
    if len(dimensions) == 1 and kept.shape[1] < 3:
        return "one dimension alone needs three items, and it has 2"
    if n <= 2 * kept.shape[1]:
        return f"{n:.0f} respondents answered all items: more than {2 * kept.shape[1]} are needed"
    return f"no variance in {', '.join(still[:5])}" if still else ""
