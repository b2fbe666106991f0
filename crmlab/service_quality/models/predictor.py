"""Whether the gap, perception alone, or expectation and perception side by side predict satisfaction."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from crmlab.model import FitError, Model, Unfitted, or_unfitted, prediction
from crmlab.service_quality.models.asked import OVERALL, no_outcome_reason, not_asked_reason, outcome_of
from crmlab.service_quality.models.asymmetry import least_squares
from crmlab.service_quality.models.scores import (
    dimension_scores,
    incomparable_reason,
    paired_answers,
    single_wave,
    weights_of,
)
from crmlab.service_quality.tables.survey import Survey

MIN_RESPONDENTS = 30  # respondents, and as many for each dimension where these are tested separately
MODELS = {
    "gap": ("gap",),
    "perception": ("perceive",),
    "both": ("expect", "perceive"),
    "quadratic": ("expect", "perceive", "expect²", "expect × perceive", "perceive²"),
}
SURFACE = {  # [Edwards & Parry 1993]: along expect = perceive, and along expect = -perceive
    "slope where they agree": (1, 1, 0, 0, 0),
    "curve where they agree": (0, 0, 1, 1, 1),
    "slope of falling short": (1, -1, 0, 0, 0),
    "curve of falling short": (0, 0, 1, -1, 1),
}
BY_DIMENSION = " by dimension"
NO_EXPECT, NO_PERCEIVE, AS_GAP = "b of expect is 0", "b of perceive is 0", "b of expect is minus that of perceive"
USE_PERCEPTIONS = "use the perceptions alone"
USE_BOTH = "use expectation and perception side by side until it can be judged"


@dataclass(frozen=True, repr=False, eq=False)
class PolynomialRegression(Model):
    """What satisfaction goes with: the gap, perception alone, or both.

    Parameters
    ----------
    n : float
        Effective respondents with expectation, perception and outcome.
    dimensions : int
        How many dimensions the two sides have.
    regressions : mapping
        Name of a model -> its Regression.
    level : float
        Confidence level of the intervals, and of the tests that decide.

    References
    ----------
    Edwards (1994), Organizational Behavior and Human Decision Processes 58, 51-100. Edwards & Parry (1993), Academy of
    Management Journal 36, 1577-1613.
    """

    title = "Polynomial regression"

    n: float
    dimensions: int
    regressions: Mapping[str, "Regression"]
    level: float = 0.95

    @classmethod
    @or_unfitted
    def fit(
        cls,
        expect: pd.DataFrame | pd.Series,
        perceive: pd.DataFrame | pd.Series,
        outcome: pd.Series,
        middle: float = 0.0,
        weights: np.ndarray | pd.Series | None = None,
        level: float = 0.95,
    ) -> "PolynomialRegression | Unfitted":
        """Fit an outcome by expectation and perception.

        Parameters
        ----------
        expect : DataFrame or Series
            A column a dimension, a row a respondent.
        perceive : DataFrame or Series
            The same, on the same scale.
        outcome : Series
            Such as satisfaction; rows that lack any of the three are left out.
        middle : float
            Middle of the scale, from which the quadratic model counts.
        weights : ndarray, optional
            Survey weights of the respondents; None weighs all alike.
        level : float
            Confidence level of the intervals, and of the tests that decide.

        Returns
        -------
        PolynomialRegression or Unfitted
            Unfitted where respondents are fewer than 30, or one of the three does not vary.
        """
        expect, perceive = pd.DataFrame(expect), pd.DataFrame(perceive)
        names, k = list(expect), expect.shape[1]
        e, p = expect.to_numpy(dtype=float) - middle, perceive.to_numpy(dtype=float) - middle
        y, w = outcome.to_numpy(dtype=float), np.ones(len(e)) if weights is None else np.asarray(weights, dtype=float)
        full = ~np.isnan(np.column_stack([e, p, y])).any(axis=1)
        e, p, y, w = e[full], p[full], y[full], w[full]
        n = float(w.sum() ** 2 / (w**2).sum()) if w.sum() > 0 else 0.0
        if reason := _reason(e.mean(axis=1), p.mean(axis=1), y, n):
            raise FitError(reason, USE_BOTH)
        columns = _models(e.mean(axis=1), p.mean(axis=1))
        if k > 1 and n >= MIN_RESPONDENTS * k:
            columns |= _by_dimension(names, e, p)
        return cls(n, k, {name: Regression.of(held, y, w, n) for name, held in columns.items()}, level)

    def __repr__(self) -> str:
        noted = ", ".join(f"{name} {fit.r2:.3g}" for name, fit in self.regressions.items())
        return f"PolynomialRegression(n={self.n:.4g}, R²: {noted})"

    @property
    @prediction
    def models(self) -> pd.DataFrame:
        """A row a model: model, r2, r2_adjusted."""
        fits = self.regressions.items()
        rows = [(name, fit.r2, 1 - (1 - fit.r2) * (self.n - 1) / (self.n - 1 - len(fit.terms))) for name, fit in fits]
        return pd.DataFrame(rows, columns=["model", "r2", "r2_adjusted"])

    @property
    @prediction
    def coefficients(self) -> pd.DataFrame:
        """A row a model and term: model, term, b, ci_low, ci_high, p; by HC3, which an uneven spread leaves right."""
        noted = [
            pd.DataFrame({"model": name, "term": fit.terms} | fit.linear(np.eye(len(fit.b))[1:], self.level))
            for name, fit in self.regressions.items()
        ]
        return _with_kinds(pd.concat(noted, ignore_index=True))

    @property
    @prediction
    def tests(self) -> pd.DataFrame:
        """Wald tests by the same covariance, a row each: model, question, F, df, df_residual, p."""
        fits, rows = self.regressions, []
        for name, k in {"both": 1, f"both{BY_DIMENSION}": self.dimensions}.items():
            one, none = np.eye(k), np.zeros((k, k))
            asked = {NO_EXPECT: (one, none), NO_PERCEIVE: (none, one), AS_GAP: (one, one)} if name in fits else {}
            for question, parts in asked.items():
                rows.append([name, question, *fits[name].wald(np.hstack([np.zeros((k, 1)), *parts]))])
        rows.append(["quadratic", "no squares or product", *fits["quadratic"].wald(np.eye(6)[3:])])
        return _with_kinds(pd.DataFrame(rows, columns=["model", "question", "F", "df", "df_residual", "p"]))

    @property
    @prediction
    def surface(self) -> pd.DataFrame:
        """Slopes and curves of the quadratic model along two lines: line, b, ci_low, ci_high, p."""
        contrast = np.array([(0, *held) for held in SURFACE.values()], dtype=float)
        return _with_kinds(
            pd.DataFrame({"line": list(SURFACE)} | self.regressions["quadratic"].linear(contrast, self.level))
        )

    @property
    @prediction
    def departure_from_gap(self) -> pd.DataFrame:
        """Change of the outcome with a point more of expectation and of perception, in all dimensions, which by a gap
        is 0: one row with b, ci_low, ci_high, p."""
        several = f"both{BY_DIMENSION}"
        fit = self.regressions[several if several in self.regressions else "both"]
        contrast = np.append(0.0, np.ones(len(fit.terms)))
        return _with_kinds(pd.DataFrame(fit.linear(contrast[None], self.level)))

    @property
    def recommended(self) -> str:
        """What the tests that decide say to use: "gap", "perception", "both" or "undecided".

        "both" where expectation matters beside perception (b_E ≠ 0) and not as a gap would have it (b_E ≠ −b_P);
        "gap" where b_E ≠ 0 and b_E = −b_P is not rejected, which does not show it (`checks.gap_predicts_satisfaction`
        also asks for a small `departure_from_gap`); "perception" where b_E ≠ 0 is not shown and b_E = −b_P is
        rejected; "undecided" where neither is shown. With several dimensions, and 30 respondents for each, both are
        asked of all dimensions at once, each with weights of its own: means over dimensions, where these weigh alike,
        would mistake one dimension's weight for that of expectation.
        """
        held = deciding_tests(self.tests)
        shown = dict(zip(held.question, held.p < 1 - self.level, strict=True))
        cases = {(True, True): "both", (True, False): "gap", (False, True): "perception"}
        return cases.get((shown[NO_EXPECT], shown[AS_GAP]), "undecided")


def _with_kinds(table):
    table.attrs["kinds"] = {"p": "p"}
    return table


def satisfaction_predictor(
    survey: Survey, outcome: str | None = None, level: float = 0.95
) -> PolynomialRegression | Unfitted:
    """The `PolynomialRegression` of satisfaction on what a survey's customers expect and perceive.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    outcome : str, optional
        Name of an outcome; None takes the first of kind satisfaction.
    level : float
        Confidence level of the intervals, and of the tests that decide.

    Returns
    -------
    PolynomialRegression or Unfitted
        Of dimensions, in the pairs that customers answered; Unfitted, with the reason, where something was not asked.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If there is no outcome of this name.
    """
    survey = single_wave(survey)
    named = outcome_of(survey, "satisfaction", outcome)
    expect, perceive = paired_answers(survey, "expect", "perceive")
    reason = no_outcome_reason(survey, satisfaction=named) or not_asked_reason(survey, "expect", "perceive")
    reason = reason or incomparable_reason(survey.instrument, "expect", "perceive")
    if reason or not len(expect.columns):
        alone = not not_asked_reason(survey, "perceive") and bool(not_asked_reason(survey, "expect"))
        reason = reason or "no item was asked in both"
        return Unfitted(PolynomialRegression, reason, USE_PERCEPTIONS if alone else USE_BOTH)
    expected, perceived = (
        dimension_scores(side, survey.instrument).drop(columns=OVERALL) for side in (expect, perceive)
    )
    middle = survey.instrument.scale.middle
    return PolynomialRegression.fit(expected, perceived, survey.outcomes[named], middle, weights_of(survey), level)


def _models(e, p):
    """Model -> its columns by name, of overall expectation and perception."""
    columns = {"gap": p - e, "expect": e, "perceive": p, "expect²": e**2, "expect × perceive": e * p, "perceive²": p**2}
    return {model: {term: columns[term] for term in terms} for model, terms in MODELS.items()}


def _by_dimension(names, e, p):
    """The same of each dimension, with weights of their own."""
    gap, expect, perceive = (
        {f"{side} {name}": column for name, column in zip(names, x.T, strict=True)}
        for side, x in (("gap", p - e), ("expect", e), ("perceive", p))
    )
    held = {"gap": gap, "perception": perceive, "both": expect | perceive}
    return {f"{model}{BY_DIMENSION}": columns for model, columns in held.items()}


@dataclass(frozen=True)
class Regression:
    """Least squares whose covariance holds where the spread is uneven (HC3), the constant first.

    terms, b, covariance : names, and the constant's before theirs; r2: unweighted by the number of terms
    rest                 : degrees of freedom left
    """

    terms: list
    b: np.ndarray
    covariance: np.ndarray
    r2: float
    df_residual: int

    @classmethod
    def of(cls, columns, y, w, n):
        """The fit of `y` by `columns`, name -> numbers; respondents weigh `w`, as much as `n` of equal weight."""
        x, w = np.column_stack([np.ones(len(y)), *columns.values()]), w * n / w.sum()
        b, covariance = least_squares(x, y, w)
        about = w @ (y - np.average(y, weights=w)) ** 2
        return cls(list(columns), b, covariance, 1 - w @ (y - x @ b) ** 2 / about, len(x) - x.shape[1])

    def linear(self, contrast, level):
        """Combinations of the coefficients with their intervals: b, ci_low, ci_high, p, an array each."""
        b, spread = contrast @ self.b, np.sqrt(np.einsum("ij,jk,ik->i", contrast, self.covariance, contrast))
        reach = special.stdtrit(self.df_residual, (1 + level) / 2) * spread
        with np.errstate(divide="ignore", invalid="ignore"):
            p = 2 * special.stdtr(self.df_residual, -np.abs(b / spread))
        return {"b": b, "ci_low": b - reach, "ci_high": b + reach, "p": p}

    def wald(self, contrast):
        """Wald's test that all of these combinations are 0: F, its degrees of freedom, p."""
        b, inverse = contrast @ self.b, np.linalg.pinv(contrast @ self.covariance @ contrast.T, hermitian=True)
        f = float(np.einsum("i,ij,j", b, inverse, b)) / len(contrast)
        return [f, len(contrast), float(self.df_residual), float(special.fdtrc(len(contrast), self.df_residual, f))]


def deciding_tests(tests):
    """The tests that decide: those by dimension where there are any."""
    return tests[tests.model == (f"both{BY_DIMENSION}" if (tests.model == f"both{BY_DIMENSION}").any() else "both")]


def _reason(expect, perceive, outcome, n):
    """Why nothing can be said; empty where something can."""
    if n < MIN_RESPONDENTS:
        return f"{n:.0f} respondents gave expectation, perception and outcome: at least {MIN_RESPONDENTS} are needed"
    sides = {"expect": expect, "perceive": perceive, "the outcome": outcome}
    if still := [name for name, side in sides.items() if not np.ptp(side) > 0]:
        return f"no variance in {', '.join(still)}"
    alike = np.corrcoef(expect, perceive)[0, 1] ** 2 > 1 - 1e-9
    return "expectation and perception go together wholly" if alike else ""
