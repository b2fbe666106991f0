"""Whether the dimensions of an instrument fit the answers: confirmatory factor analysis, by semopy."""

import importlib.util
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.model import FitError, Model, Unfitted, or_unfitted, prediction
from crmlab.service_quality.models.asked import not_asked_reason
from crmlab.service_quality.models.covariance import complete, effective_n, pairwise_covariance
from crmlab.service_quality.models.scores import asked_items, battery_of, single_wave, weights_of
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats.threads import one_thread

THEIRS = {"chi2": "chi2", "df": "DoF", "p": "chi2 p-value", "cfi": "CFI", "tli": "TLI", "rmsea": "RMSEA"}
MISSING = "semopy is not installed"


@dataclass(frozen=True, repr=False, eq=False)
class CFA(Model):
    """Items on their own dimension only, dimensions free to correlate, by maximum likelihood.

    Parameters
    ----------
    n : float
        Effective respondents who answered all items.
    indices : mapping
        chi2, df, p, cfi, tli and rmsea.
    loadings_by_item : DataFrame
        dimension, item, loading, of standardised items on standardised dimensions.
    between : DataFrame
        Correlations of the dimensions.
    """

    title = "Confirmatory factor analysis"

    n: float
    indices: Mapping[str, float]
    loadings_by_item: pd.DataFrame
    between: pd.DataFrame

    @classmethod
    @or_unfitted
    def fit(
        cls, answers: pd.DataFrame, dimensions: Mapping[str, list[str]], weights: np.ndarray | pd.Series | None = None
    ) -> "CFA | Unfitted":
        """Fit answers by semopy, over respondents who answered all items.

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
        CFA or Unfitted
            Unfitted where semopy is not installed, respondents or items are too few, or there is no solution.
        """
        names = [item for items in dimensions.values() for item in items]
        kept, w = complete(answers[names], weights)
        n = effective_n(kept, w)
        if reason := _reason(kept, dimensions, n):
            raise FitError(*reason)
        import semopy

        factors = {f"f{i}": [f"x{names.index(item)}" for item in items] for i, items in enumerate(dimensions.values())}
        model = semopy.Model("\n".join(f"{f} =~ {' + '.join(items)}" for f, items in factors.items()))
        table = pairwise_covariance(kept, w) * (n - 1) / n  # what maximum likelihood divides by
        labels = [f"x{i}" for i in range(len(names))]
        with warnings.catch_warnings(), one_thread():
            warnings.simplefilter("ignore")
            solved = model.fit(cov=pd.DataFrame(table.to_numpy(), labels, labels), n_samples=n)
            if not solved.success:
                raise FitError(f"semopy found no solution: {solved.message}", "look at fewer dimensions")
            measures, estimates = semopy.calc_stats(model).iloc[0], model.inspect(std_est=True)
        indices = {name: float(measures[theirs]) for name, theirs in THEIRS.items()}
        of_items, of_factors = dict(zip(labels, names, strict=True)), dict(zip(factors, dimensions, strict=True))
        return cls(n, indices, *_estimates(estimates, of_items, of_factors))

    def __repr__(self) -> str:
        return f"CFA(n={self.n:.4g}, cfi={self.indices['cfi']:.3f}, rmsea={self.indices['rmsea']:.3f})"

    @property
    @prediction
    def fit_indices(self) -> pd.DataFrame:
        """How well the dimensions fit: one row with n, chi2, df, p, cfi, tli, rmsea."""
        found = pd.DataFrame([{"n": self.n} | dict(self.indices)])
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


def _estimates(table, items, factors):
    """Loadings and correlations of semopy's account of a fitted model: two frames."""
    loads = table[(table.op == "~") & table.lval.isin(items)]
    parts = {"dimension": loads.rval.map(factors), "item": loads.lval.map(items), "loading": loads["Est. Std"]}
    crossed = table[(table.op == "~~") & table.lval.isin(factors) & (table.lval != table.rval)]
    between = pd.DataFrame(np.eye(len(factors)), list(factors.values()), list(factors.values()))
    for one, other, value in crossed[["lval", "rval", "Est. Std"]].itertuples(index=False):
        between.loc[factors[one], factors[other]] = between.loc[factors[other], factors[one]] = value
    return pd.DataFrame(parts).reset_index(drop=True), between


def _reason(kept, dimensions, n):
    """Why there is no model, and what to do; empty where there is one."""
    short = [str(name) for name, items in dimensions.items() if len(items) < 3]
    still = [str(item) for item in kept if kept[item].nunique() < 2]
    if importlib.util.find_spec("semopy") is None:
        return MISSING, "pip install 'crmlab[sem]'"
    if short:
        return f"dimensions of fewer than three items: {', '.join(short[:5])}", ""
    if n <= 2 * kept.shape[1]:
        return f"{n:.0f} respondents answered all items: more than {2 * kept.shape[1]} are needed", ""
    return (f"no variance in {', '.join(still[:5])}", "") if still else ()
