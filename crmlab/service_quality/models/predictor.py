"""Whether the gap, or perception alone, or both sides apart speak of satisfaction."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from crmlab.result import Verdict, number
from crmlab.service_quality.models.asked import OVERALL, no_outcome_reason, not_asked_reason, outcome_of
from crmlab.service_quality.models.asymmetry import least_squares
from crmlab.service_quality.models.scores import (
    dimension_scores,
    incomparable_reason,
    paired_answers,
    single_wave,
)
from crmlab.service_quality.models.scores import weights as weights_of

MIN_RESPONDENTS = 30  # respondents, and as many for each dimension where these count apart
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
RECOMMENDATIONS = {
    "gap": "the gap",
    "perception": "perception",
    "both": "both, expectation and perception, each with a weight of its own",
    "undecided": "both, expectation and perception side by side, as nothing shows that the gap would do",
}
UNTIL_JUDGED = "expectation and perception side by side, until it can be judged"
FRAMES = {  # of a PolynomialRegression, and their columns
    "models": ["model", "r2", "r2_adjusted"],
    "coefficients": ["model", "term", "b", "ci_low", "ci_high", "p"],
    "tests": ["model", "question", "F", "df", "df_residual", "p"],
    "surface": ["line", "b", "ci_low", "ci_high", "p"],
}


@dataclass(frozen=True)
class PolynomialRegression:
    """What satisfaction goes with: the gap, perception alone, or both.

    use          : "gap", "perception", "both" or "undecided"
    n            : effective respondents with all three
    models       : one row a model: model, r2, r2_adjusted
    coefficients : model, term, b, ci_low, ci_high, p; the 95 % intervals hold where the spread is uneven (HC3)
    tests        : model, question, F, df, df_residual, p: Wald tests by the same covariance
    surface      : slopes and curves of the quadratic model along two lines: line, b, ci_low, ci_high, p
    reason       : why there is nothing; use is then "undecided"
    """

    recommended: str
    n: float
    models: pd.DataFrame
    coefficients: pd.DataFrame
    tests: pd.DataFrame
    surface: pd.DataFrame
    reason: str = ""

    @classmethod
    def blank(cls, n, reason, recommended="undecided"):
        """One without numbers."""
        return cls(recommended, n, *(pd.DataFrame(columns=columns) for columns in FRAMES.values()), reason)

    def check(self):
        """Whether the gap is the right predictor of satisfaction, and what to use: a Verdict."""
        claim = "The gap is the right predictor of satisfaction"
        if self.reason:
            instead = RECOMMENDATIONS["perception"] if self.recommended == "perception" else UNTIL_JUDGED
            return Verdict(claim, False, f"cannot be judged: {self.reason}", instead)
        both = self.coefficients[self.coefficients.model == "both"].set_index("term")
        e, p = (f"{number(b.b, 2)} (95 % {number(b.ci_low, 2)} to {number(b.ci_high, 2)})" for _, b in both.iterrows())
        told = [f"satisfaction changes by {e} with a point of expectation, and by {p} with one of perception"]
        told += [self._deciding_summary()]
        r2 = self.models.set_index("model").r2
        apart = BY_DIMENSION if f"both{BY_DIMENSION}" in r2 else ""
        told += [
            "R² " + ", ".join(f"{number(r2[name + apart], 2)} by {name}" for name in ("gap", "perception", "both"))
        ]
        done = "use the gap: " if self.recommended == "gap" else ""
        return Verdict(
            claim,
            self.recommended == "gap",
            f"{done}{'; '.join(told)}; n = {self.n:,.0f}",
            RECOMMENDATIONS[self.recommended],
        )

    def _deciding_summary(self):
        """The two tests that decide, in words."""
        held = deciding_tests(self.tests).set_index("question")
        where = "tested in all dimensions at once, " if (held.model != "both").all() else ""
        return (
            f"{where}that expectation does not matter has {_format_p(held.p[NO_EXPECT])}, "
            f"that it weighs as in a gap {_format_p(held.p[AS_GAP])}"
        )


def polynomial_regression(expect, perceive, outcome, middle=0.0, weights=None, level=0.95):
    """Which of gap, perception or both goes with an outcome: a `PolynomialRegression`. [Edwards 1994]

    expect, perceive : frames with a column a dimension, or Series; a row a respondent, on one scale
    outcome          : Series such as satisfaction; rows that lack any of these are left out
    middle           : of the scale, from which the quadratic model counts
    "both" where expectation matters beside perception (b_E ≠ 0) and not as a gap would have it (b_E ≠ −b_P);
    "gap" where b_E ≠ 0 and b_E = −b_P stands; "perception" where b_E ≠ 0 is not shown and b_E = −b_P falls;
    "undecided" where neither is shown. With several dimensions, and 30 respondents for each, both are asked of all
    dimensions at once, each with weights of its own: means over dimensions, where these weigh alike, would mistake
    one dimension's weight for that of expectation.
    """
    expect, perceive = pd.DataFrame(expect), pd.DataFrame(perceive)
    names, k = list(expect), expect.shape[1]
    e, p = expect.to_numpy(dtype=float) - middle, perceive.to_numpy(dtype=float) - middle
    y, w = outcome.to_numpy(dtype=float), np.ones(len(e)) if weights is None else np.asarray(weights, dtype=float)
    full = ~np.isnan(np.column_stack([e, p, y])).any(axis=1)
    e, p, y, w = e[full], p[full], y[full], w[full]
    n = float(w.sum() ** 2 / (w**2).sum()) if w.sum() > 0 else 0.0
    if reason := _reason(e.mean(axis=1), p.mean(axis=1), y, n):
        return PolynomialRegression.blank(n, reason)
    fits = {name: Fit.of(columns, y, w, n) for name, columns in _models(e.mean(axis=1), p.mean(axis=1)).items()}
    if k > 1 and n >= MIN_RESPONDENTS * k:
        fits |= {name: Fit.of(columns, y, w, n) for name, columns in _by_dimension(names, e, p).items()}
    tests = _tests(fits, k)
    frames = _r2(fits, n), _coefficients(fits, level), tests, _lines(fits["quadratic"], level)
    return PolynomialRegression(_recommended(tests, level), n, *frames)


def satisfaction_predictor(survey, outcome=None):
    """The `PolynomialRegression` of what a survey's customers expect and perceive overall, in the pairs that they
    answered.

    outcome : name; None takes the first of kind satisfaction
    """
    survey = single_wave(survey)
    named = outcome_of(survey, "satisfaction", outcome)
    expect, perceive = paired_answers(survey, "expect", "perceive")
    reason = no_outcome_reason(survey, satisfaction=named) or not_asked_reason(survey, "expect", "perceive")
    reason = reason or incomparable_reason(survey.instrument, "expect", "perceive")
    if reason or not len(expect.columns):
        alone = not not_asked_reason(survey, "perceive") and bool(not_asked_reason(survey, "expect"))
        return PolynomialRegression.blank(
            0.0, reason or "no item was asked in both", "perception" if alone else "undecided"
        )
    sides = (dimension_scores(side, survey.instrument).drop(columns=OVERALL) for side in (expect, perceive))
    return polynomial_regression(*sides, survey.outcomes[named], survey.instrument.scale.middle, weights_of(survey))


def _models(e, p):
    """Model -> its columns by name, of overall expectation and perception."""
    columns = {"gap": p - e, "expect": e, "perceive": p, "expect²": e**2, "expect × perceive": e * p, "perceive²": p**2}
    return {model: {term: columns[term] for term in terms} for model, terms in MODELS.items()}


def _by_dimension(names, e, p):
    """The same of each dimension, with weights of their own."""
    sides = {"gap": p - e, "expect": e, "perceive": p}
    held = {
        side: {f"{side} {name}": column for name, column in zip(names, x.T, strict=True)} for side, x in sides.items()
    }
    both = held["expect"] | held["perceive"]
    return {
        f"gap{BY_DIMENSION}": held["gap"],
        f"perception{BY_DIMENSION}": held["perceive"],
        f"both{BY_DIMENSION}": both,
    }


@dataclass(frozen=True)
class Fit:
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


def _coefficients(fits, level):
    """b, ci_low, ci_high and p of each term of each model but the constant: a frame."""
    told = [fit.linear(np.eye(len(fit.b))[1:], level) for fit in fits.values()]
    named = [(model, term) for model, fit in fits.items() for term in fit.terms]
    columns = dict(zip(("model", "term"), zip(*named, strict=True), strict=True))
    return pd.DataFrame(columns | {name: np.concatenate([one[name] for one in told]) for name in told[0]})


def _r2(fits, n):
    """R² of each model: a frame."""
    told = [(name, fit.r2, 1 - (1 - fit.r2) * (n - 1) / (n - 1 - len(fit.terms))) for name, fit in fits.items()]
    return pd.DataFrame(told, columns=FRAMES["models"])


def _tests(fits, dimensions):
    """What decides: whether expectation matters, whether as a gap, and whether straight lines do."""
    asked = [("both", 1)] + ([(f"both{BY_DIMENSION}", dimensions)] if f"both{BY_DIMENSION}" in fits else [])
    contrasts = []
    for name, k in asked:
        one, none = np.eye(k), np.zeros((k, k))
        for question, parts in {NO_EXPECT: (one, none), NO_PERCEIVE: (none, one), AS_GAP: (one, one)}.items():
            contrasts.append((name, question, np.hstack([np.zeros((k, 1)), *parts])))
    contrasts.append(("quadratic", "no squares or product", np.eye(6)[3:]))
    rows = [[name, question, *fits[name].wald(contrast)] for name, question, contrast in contrasts]
    return pd.DataFrame(rows, columns=FRAMES["tests"])


def deciding_tests(tests):
    """The tests that decide: those by dimension where there are any."""
    return tests[tests.model == (f"both{BY_DIMENSION}" if (tests.model == f"both{BY_DIMENSION}").any() else "both")]


def _recommended(tests, level):
    """What the tests that decide say to use."""
    held = deciding_tests(tests)
    shown = dict(zip(held.question, held.p < 1 - level, strict=True))
    cases = {(True, True): "both", (True, False): "gap", (False, True): "perception"}
    return cases.get((shown[NO_EXPECT], shown[AS_GAP]), "undecided")


def _lines(quadratic, level):
    """Slopes and curves of the surface along its two lines."""
    contrast = np.array([(0, *held) for held in SURFACE.values()], dtype=float)
    return pd.DataFrame({"line": list(SURFACE)} | quadratic.linear(contrast, level))


def _reason(expect, perceive, outcome, n):
    """Why nothing can be said; empty where something can."""
    if n < MIN_RESPONDENTS:
        return f"{n:.0f} respondents gave expectation, perception and outcome: at least {MIN_RESPONDENTS} are needed"
    sides = {"expect": expect, "perceive": perceive, "the outcome": outcome}
    if still := [name for name, side in sides.items() if not np.ptp(side) > 0]:
        return f"no variance in {', '.join(still)}"
    return (
        "expectation and perception go together wholly" if np.corrcoef(expect, perceive)[0, 1] ** 2 > 1 - 1e-9 else ""
    )


def _format_p(value):
    return "p < .001" if value < 0.001 else f"p = {number(value, 2)}"
