"""Whether the dimensions of an instrument fit the answers: confirmatory factor analysis, by semopy."""

import importlib.util
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.service_quality.models.asked import not_asked_reason
from crmlab.service_quality.models.covariance import effective_n, pairwise_covariance
from crmlab.service_quality.models.scores import single_wave
from crmlab.service_quality.models.scores import weights as weights_of
from crmlab.stats.threads import one_thread

FIT = ["n", "chi2", "df", "p", "cfi", "tli", "rmsea", "reason"]
MISSING = "left out: semopy is not installed; pip install 'crmlab[sem]'"


@dataclass(frozen=True)
class CFA:
    """Items on their own dimension only, dimensions free to correlate, by maximum likelihood.

    fit          : one row: n, chi2, df, p, cfi, tli, rmsea; reason where it is blank
    loadings     : dimension, item, loading (of standardised items on standardised dimensions)
    correlations : of the dimensions, a frame
    convergent   : dimension, composite_reliability and ave, from the loadings [Fornell & Larcker 1981]
    """

    fit: pd.DataFrame
    loadings: pd.DataFrame
    correlations: pd.DataFrame
    convergent: pd.DataFrame


def confirmatory_factor_analysis(answers, dimensions, weights=None):
    """The `CFA` of answers, over respondents who answered all items; blank with its reason where there is none."""
    names = [item for items in dimensions.values() for item in items]
    full = answers[names].notna().all(axis=1)
    kept, w = answers.loc[full, names], None if weights is None else np.asarray(weights, dtype=float)[full]
    n = effective_n(kept, w)
    if reason := _reason(kept, dimensions, n):
        return _blank(n, reason)
    import semopy

    factors = {f"f{i}": [f"x{names.index(item)}" for item in items] for i, items in enumerate(dimensions.values())}
    model = semopy.Model("\n".join(f"{f} =~ {' + '.join(items)}" for f, items in factors.items()))
    table = pairwise_covariance(kept, w) * (n - 1) / n  # what maximum likelihood divides by
    labels = [f"x{i}" for i in range(len(names))]
    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore")
        solved = model.fit(cov=pd.DataFrame(table.to_numpy(), labels, labels), n_samples=n)
        if not solved.success:
            return _blank(n, f"semopy found no solution: {solved.message}")
        measures, told = semopy.calc_stats(model).iloc[0], model.inspect(std_est=True)
    found = ["chi2", "DoF", "chi2 p-value", "CFI", "TLI", "RMSEA"]
    fit = pd.DataFrame([[n, *map(float, measures[found]), ""]], columns=FIT)
    return _model_of(fit, told, dict(zip(labels, names, strict=True)), dict(zip(factors, dimensions, strict=True)))


def measurement_model(survey, battery="perceive"):
    """The `CFA` of a survey's customers, by the dimensions of its instrument; blank with its reason where none is."""
    survey = single_wave(survey)
    answers = getattr(survey, battery)
    asked = {d: [i for i in items if i in answers] for d, items in survey.instrument.dimensions.items()}
    if reason := not_asked_reason(survey, battery):
        return _blank(0.0, reason)
    return confirmatory_factor_analysis(answers, {d: items for d, items in asked.items() if items}, weights_of(survey))


def _model_of(fit, table, items, factors):
    """The CFA of semopy's account of a fitted model."""
    loads = table[(table.op == "~") & table.lval.isin(items)]
    loadings = pd.DataFrame(
        {"dimension": loads.rval.map(factors), "item": loads.lval.map(items), "loading": loads["Est. Std"]}
    ).reset_index(drop=True)
    between = pd.DataFrame(np.eye(len(factors)), list(factors.values()), list(factors.values()))
    apart = table[(table.op == "~~") & table.lval.isin(factors) & (table.lval != table.rval)]
    for one, other, value in zip(apart.lval.map(factors), apart.rval.map(factors), apart["Est. Std"], strict=True):
        between.loc[one, other] = between.loc[other, one] = value
    groups = loadings.groupby("dimension", sort=False).loading
    square = groups.sum() ** 2
    unique = groups.apply(lambda values: (1 - values**2).sum())
    ave = groups.apply(lambda values: (values**2).mean())
    convergent = pd.DataFrame({"composite_reliability": square / (square + unique), "ave": ave}).reset_index()
    return CFA(fit, loadings, between, convergent)


def _reason(kept, dimensions, n):
    """Why there is no model; empty where there is one."""
    short = [str(name) for name, items in dimensions.items() if len(items) < 3]
    still = [str(item) for item in kept if kept[item].nunique() < 2]
    if importlib.util.find_spec("semopy") is None:
        return MISSING
    if short:
        return f"dimensions of fewer than three items: {', '.join(short[:5])}"
    if n <= 2 * kept.shape[1]:
        return f"{n:.0f} respondents answered all items: more than {2 * kept.shape[1]} are needed"
    return f"no variance in {', '.join(still[:5])}" if still else ""


def _blank(n, reason):
    """A CFA without numbers."""
    loadings = pd.DataFrame(columns=["dimension", "item", "loading"])
    fit = pd.DataFrame([{"n": n, "reason": reason}], columns=FIT)
    return CFA(fit, loadings, pd.DataFrame(), pd.DataFrame(columns=["dimension", "composite_reliability", "ave"]))
