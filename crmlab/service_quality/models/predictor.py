"""Whether the gap, or perception alone, or both sides apart speak of satisfaction."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm

from crmlab.result import Verdict, number
from crmlab.service_quality.models.drivers import first_outcome
from crmlab.service_quality.models.scores import OVERALL, one_wave, pairs, scores, unlike
from crmlab.service_quality.models.scores import weights as weights_of

FEWEST = 30  # respondents, and as many for each dimension where these count apart
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
APART = " by dimension"
NO_EXPECT, NO_PERCEIVE, AS_GAP = "b of expect is 0", "b of perceive is 0", "b of expect is minus that of perceive"
USES = {
    "gap": "the gap",
    "perception": "perception",
    "both": "expectation and perception, each with a weight of its own",
    "undecided": "expectation and perception side by side; the answers do not tell whether the gap would do",
}


@dataclass(frozen=True)
class Predictor:
    """What satisfaction goes with: the gap, perception alone, or both.

    use          : "gap", "perception", "both" or "undecided"
    n            : effective respondents with all three
    models       : one row a model: model, r2, r2_adjusted
    coefficients : model, term, b, low, high, p; the 95 % intervals hold where the spread is uneven (HC3)
    tests        : model, question, F, df, df_rest, p: Wald tests by the same covariance
    surface      : slopes and curves of the quadratic model along two lines: line, b, low, high, p
    reason       : why there is nothing; use is then "undecided"
    """

    use: str
    n: float
    models: pd.DataFrame
    coefficients: pd.DataFrame
    tests: pd.DataFrame
    surface: pd.DataFrame
    reason: str = ""

    def verdict(self):
        """Whether the gap is the right predictor, on the evidence of `coefficients` and `tests`: a Verdict."""
        claim = "The gap is the right predictor of satisfaction"
        if self.reason:
            return Verdict(claim, False, self.reason, USES["undecided"])
        both = self.coefficients[self.coefficients.model == "both"].set_index("term")
        told = [f"b of {t} {number(b.b)} (95 % {number(b.low)} to {number(b.high)})" for t, b in both.iterrows()]
        told += [
            f"{t.question}{_where(t.model)}: F({t.df}, {t.df_rest:.0f}) = {number(t.F)}, p {_p(t.p)}"
            for t in self.tests.itertuples()
        ]
        told += [f"R² of {m.model} {number(m.r2)}" for m in self.models.itertuples()]
        return Verdict(claim, self.use == "gap", f"{'; '.join(told)}; n = {self.n:,.0f}", USES[self.use])


def predictor(expect, perceive, outcome, middle=0.0, weights=None, level=0.95):
    """Which of gap, perception or both goes with an outcome: a `Predictor`. [Edwards 1994]

    expect, perceive : frames with a column a dimension, or Series; a row a respondent, on one scale
    outcome          : Series such as satisfaction; rows that lack any of these are left out
    middle           : of the scale, from which the quadratic model counts
    "both" where expectation matters beside perception (b_E ≠ 0) and not as a gap would have it (b_E ≠ −b_P);
    "gap" where b_E ≠ 0 and b_E = −b_P stands; "perception" where b_E ≠ 0 is not shown and b_E = −b_P falls;
    "undecided" where neither is shown. With several dimensions, and 30 respondents for each, both are asked of all
    dimensions at once, each with weights of its own: means over dimensions, where these weigh alike, would mistake
    one dimension's weight for that of expectation.
    """
    sides = {"expect": pd.DataFrame(expect), "perceive": pd.DataFrame(perceive)}
    full = pd.concat([*sides.values(), outcome], axis=1).notna().all(axis=1)
    sides, y = {name: side[full] - middle for name, side in sides.items()}, outcome[full]
    rows = pd.DataFrame({name: side.mean(axis=1) for name, side in sides.items()}).assign(y=y)
    w = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=float)[full]
    n = float(w.sum() ** 2 / (w**2).sum()) if w.sum() > 0 else 0.0
    if reason := _reason(rows, n):
        return Predictor("undecided", n, *(pd.DataFrame() for _ in range(4)), reason)
    fits = {name: _fit(_terms(rows)[list(terms)], y, w, n) for name, terms in MODELS.items()}
    k = sides["expect"].shape[1]
    if k > 1 and n >= FEWEST * k:
        fits |= {name: _fit(terms, y, w, n) for name, terms in _by_dimension(sides).items()}
    coefficients = pd.concat([_coefficients(fit, level).assign(model=name) for name, fit in fits.items()])
    tests = _tests(fits, k)
    order = ["model", "term", "b", "low", "high", "p"]
    coefficients, surface = coefficients[order].reset_index(drop=True), _lines(fits["quadratic"], level)
    return Predictor(_use(tests, level), n, _explained(fits, n), coefficients, tests, surface)


def survey_predictor(survey, outcome=None):
    """The `Predictor` of what a survey's customers expect and perceive overall, in the pairs that they answered.

    outcome : name; None takes the first of kind satisfaction
    """
    survey = one_wave(survey)
    named = outcome or first_outcome(survey, "satisfaction", required=False)
    expect, perceive = pairs(survey, "expect", "perceive")
    reason = unlike(survey.instrument, "expect", "perceive")
    if named is None:
        reason = "no outcome is of kind satisfaction"
    elif not len(expect.columns):
        reason = "no item is both expected and perceived"
    if reason:
        return Predictor("undecided", 0.0, *(pd.DataFrame() for _ in range(4)), reason)
    sides = (scores(side, survey.instrument).drop(columns=OVERALL) for side in (expect, perceive))
    return predictor(*sides, survey.outcomes[named], survey.instrument.scale.middle, weights_of(survey))


def _terms(rows):
    """Every column that a model uses."""
    e, p = rows.expect, rows.perceive
    return pd.DataFrame(
        {"gap": p - e, "expect": e, "perceive": p, "expect²": e**2, "expect × perceive": e * p, "perceive²": p**2}
    )


def _fit(terms, y, w, n):
    """Least squares whose covariance holds where the spread is uneven."""
    return sm.WLS(y, sm.add_constant(terms, has_constant="add"), w * n / w.sum()).fit(cov_type="HC3", use_t=True)


def _coefficients(fit, level):
    """b, low, high and p of each term: a frame."""
    ends = fit.conf_int(alpha=1 - level)
    table = pd.DataFrame({"b": fit.params, "low": ends[0], "high": ends[1], "p": fit.pvalues}).drop(index="const")
    return table.rename_axis("term").reset_index()


def _by_dimension(sides):
    """The columns of the models in which each dimension has weights of its own."""
    expect, perceive = (side.set_axis([f"{name} {d}" for d in side], axis=1) for name, side in sides.items())
    gap = sides["perceive"].to_numpy() - sides["expect"].to_numpy()
    gap = pd.DataFrame(gap, perceive.index, [f"gap {d}" for d in sides["expect"]])
    both = pd.concat([expect, perceive], axis=1)
    return {f"gap{APART}": gap, f"perception{APART}": perceive, f"both{APART}": both}


def _explained(fits, n):
    """R² of each model: a frame."""
    told = {
        name: (fit.rsquared, 1 - (1 - fit.rsquared) * (n - 1) / (n - 1 - fit.df_model)) for name, fit in fits.items()
    }
    table = pd.DataFrame.from_dict(told, orient="index", columns=["r2", "r2_adjusted"])
    return table.rename_axis("model").reset_index()


def _tests(fits, dimensions):
    """What decides: whether expectation matters, whether as a gap, and whether straight lines do."""
    asked = [("both", 1)] + ([(f"both{APART}", dimensions)] if f"both{APART}" in fits else [])
    contrasts = []
    for name, k in asked:
        one, none = np.eye(k), np.zeros((k, k))
        for question, parts in {NO_EXPECT: (one, none), NO_PERCEIVE: (none, one), AS_GAP: (one, one)}.items():
            contrasts.append((name, question, np.hstack([np.zeros((k, 1)), *parts])))
    contrasts.append(("quadratic", "no squares or product", np.eye(6)[3:]))
    rows = []
    for name, question, contrast in contrasts:
        test = fits[name].wald_test(contrast, use_f=True, scalar=True)
        rows.append([name, question, float(test.fvalue), int(test.df_num), float(test.df_denom), float(test.pvalue)])
    return pd.DataFrame(rows, columns=["model", "question", "F", "df", "df_rest", "p"])


def _use(tests, level):
    """What the tests say to use: those by dimension where there are any."""
    held = tests[tests.model == (f"both{APART}" if (tests.model == f"both{APART}").any() else "both")]
    shown = dict(zip(held.question, held.p < 1 - level, strict=True))
    cases = {(True, True): "both", (True, False): "gap", (False, True): "perception"}
    return cases.get((shown[NO_EXPECT], shown[AS_GAP]), "undecided")


def _lines(quadratic, level):
    """Slopes and curves of the surface along its two lines."""
    test = quadratic.t_test(np.array([(0, *contrast) for contrast in SURFACE.values()], dtype=float))
    ends = test.conf_int(alpha=1 - level)
    return pd.DataFrame(
        {"line": list(SURFACE), "b": test.effect, "low": ends[:, 0], "high": ends[:, 1], "p": test.pvalue}
    )


def _reason(rows, n):
    """Why nothing can be said; empty where something can."""
    if n < FEWEST:
        return f"{n:.0f} respondents gave expectation, perception and outcome: at least {FEWEST} are needed"
    still = [name for name in rows if not rows[name].std() > 0]
    if still:
        return f"no variance in {', '.join(still)}".replace("in y", "in the outcome")
    return "expectation and perception go together wholly" if abs(rows.expect.corr(rows.perceive)) > 1 - 1e-9 else ""


def _p(value):
    return "< .001" if value < 0.001 else f"= {number(value, 2)}"


def _where(model):
    return " in every dimension" if model.endswith(APART) else ""
