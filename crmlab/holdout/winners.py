"""A comparison in one unit, and in words."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from crmlab.check import Judgement, Outcome, judged
from crmlab.estimate import Kind, written
from crmlab.holdout.comparison import ALL_CUSTOMERS, NOT_FITTED, VALUE_COLUMNS
from crmlab.holdout.measures import ERROR_MEASURES
from crmlab.holdout.rolling import ALL_ORIGINS
from crmlab.model import blank_of, why_blank
from crmlab.sentences import sentence, templates

TITLES = {
    "bias": "Bias of the total",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "correlation": "Pearson's correlation",
    "spearman": "Spearman's correlation",
    "gini": "Gini",
    "lift": "Lift of the top tenth",
    "r2": "R²",
}
CORRELATIONS = ("correlation", "spearman", "gini", "r2")  # measures that are 1 at most
OUTCOMES: dict[str, Outcome] = {"better": "passed", "worse": "failed"}
NAMES = ("Pearson", "Spearman", "Gini", "R²")
ERRORS = [measure.__name__ for measure in ERROR_MEASURES]
RELATIVE = ("mae", "rmse", "lift")  # the other measures have a scale of their own


def improvements(comparison: pd.DataFrame) -> pd.DataFrame:
    """`comparison` with how far each model improves on the best baseline, with the ends of its interval.

    Mean absolute and root mean squared error and lift are in percent of the baseline's, the others in hundredths.
    Its label is the model, and from how many of the origins it was fitted, where not from all of them.
    """
    is_error = comparison.measure.isin(ERRORS)
    unit = (comparison.value - comparison.difference).where(comparison.measure.isin(RELATIVE), 1)
    scale = 100 * np.where(is_error, -1, 1) / unit
    ends = comparison.difference_ci_low * scale, comparison.difference_ci_high * scale
    named = {"improvement_ci_low": np.minimum(*ends), "improvement_ci_high": np.maximum(*ends)}
    return comparison.assign(
        label=comparison.model + _fitted_origins(comparison), improvement=comparison.difference * scale, **named
    )


def _fitted_origins(comparison):
    """ " (at 2 of 3 origins)" of each model that was fitted from some origins only, "" of the others: a Series."""
    if "origins" not in comparison:
        return ""
    most = comparison.groupby("origin").origins.transform("max")
    some = (comparison.origins > 0) & (comparison.origins < most)
    return (" (at " + comparison.origins.astype(str) + " of " + most.astype(str) + " origins)").where(some, "")


def winners(comparison: pd.DataFrame) -> pd.DataFrame:
    """Who wins by each measure: a frame, one row a population and measure, and an origin where there are several.

    A model wins where it is better than the best baseline. Where several are, the winner is the one with the largest
    difference, which need not be better than the others; a baseline wins where every model is worse. One that was not
    fitted from every origin met other days and other baselines: it is left out, and the summary says so, unless it is
    the only one that was fitted at all.

    Parameters
    ----------
    comparison : DataFrame
        What `compare` or `rolling` returned.

    Returns
    -------
    DataFrame
        origin, population, measure; winner, the model that wins, or "undecided"; summary, the same in a sentence, with
        the difference it rests on, or why there is none.
    """
    keys = [key for key in ("origin", "population", "measure") if key in comparison]
    parts = improvements(comparison).groupby(keys, sort=False)
    return pd.DataFrame([dict(zip(keys, key, strict=True)) | _winner(part) for key, part in parts])


def parts_by_measure(measures: Iterable[str], population: str = ALL_CUSTOMERS) -> dict[str, dict[str, str]]:
    """What tells checks by several measures apart: part of the id -> what the claim names of it."""
    of = "" if population == ALL_CUSTOMERS else "_" + population.replace(" ", "_")
    return {f"{measure}{of}": {"measure": _within_sentence(TITLES[measure])} for measure in measures}


def judged_against_baseline(
    comparison: pd.DataFrame, model: str, measure: str, population: str = ALL_CUSTOMERS, origin: str = ALL_ORIGINS
) -> Judgement:
    """Whether a model beats the best baseline by a measure, from an origin: the conclusion of a comparison check.

    It passes where the whole interval of the difference is on the better side of 0, fails where it is on the worse, and
    is undecided where it holds 0.
    """
    held = (comparison.model == model) & (comparison.measure == measure) & (comparison.population == population)
    row = improvements(comparison)[held & (comparison.origin == origin)].iloc[0]
    ((part, named),) = parts_by_measure([measure], population).items()
    about = {"model": model, "population": population} | named
    if np.isnan(row.difference):
        return judged("not applicable", part=part, case="unknown", why=row.reason, **about)
    outcome = OUTCOMES.get(row.outcome, "undecided")
    numbers = {name: row[name] for name in VALUE_COLUMNS}
    sign = -1 if measure in ERRORS else 1
    ends = sorted(sign * row[name] for name in ("difference_ci_low", "difference_ci_high"))
    gains = (sign * row.difference, *ends)
    names = ("improvement", "improvement_low", "improvement_high")
    kind: Kind = "correlation" if measure in CORRELATIONS else "ratio"
    numbers |= {name: _improved(gain, kind) for name, gain in zip(names, gains, strict=True)}
    numbers["written"] = written(row.value, kind)
    at = row.label.removeprefix(model) if origin == ALL_ORIGINS else f" (from {origin} alone)"
    return judged(outcome, part=part, at=at, baseline=row.baseline, **numbers, **about)


def _improved(gain: float, kind: Kind) -> str:
    """How much better or worse, in words; above 0 is better."""
    return f"{written(abs(gain), kind)} {'better' if gain >= 0 else 'worse'}"


def unfitted_reasons(comparison: pd.DataFrame) -> pd.DataFrame:
    """Which models could not be fitted, from which origin and why: a frame with origin, model, reason.

    Blank where the comparison is.
    """
    if reason := why_blank(comparison):
        return blank_of(pd.DataFrame, reason)
    absent = (comparison.outcome == NOT_FITTED) & (comparison.origin != ALL_ORIGINS)
    found = comparison.loc[absent, ["origin", "model", "reason"]]
    found = found.drop_duplicates(["origin", "model"]).reset_index(drop=True)
    if found.empty:
        found.attrs["reason"] = "every model was fitted from every origin"
    return found


def _winner(part):
    is_error = part.measure.iloc[0] in ERRORS
    absent = part.outcome == NOT_FITTED
    fitted = part[~part.is_baseline & ~absent].sort_values("improvement", ascending=False, kind="stable")
    partly = (fitted.label != fitted.model) & (len(fitted) > 1)
    models, apart = fitted[~partly], fitted.label[partly]
    better, worse = models[models.outcome == "better"], models[models.outcome == "worse"]
    baseline, than = part.baseline[part.is_baseline].iloc[0], "closer" if is_error else "higher"
    if len(better):
        winner = better.model.iloc[0]
        clause = _said(f"model_{than}", better, also=_also(better.label[1:]))
    elif len(worse) and len(worse) == len(models):
        every = "every model that was fitted" if absent.any() or len(apart) else "every model"
        every += " from every origin" if len(apart) else ""
        winner, clause = baseline, _said(f"baseline_{than}", worse, every=every)
    elif models.difference.isna().any():
        winner, clause = "undecided", models.reason[models.difference.isna()].iloc[0]
    elif len(models):
        level = [*models.label[models.outcome == "undecided"], baseline]
        winner, clause = "undecided", _said("undecided", models, level=_listed(level))
    elif len(apart):
        winner, clause = "undecided", sentence(_words()["none_everywhere"], {"models": _listed(apart)})
    else:
        winner, clause = "undecided", _words()["no_model"]
    without = sentence(_words()["without"], {"models": _listed(part.model[absent])}) if absent.any() else ""
    if len(models) and len(apart):
        without += sentence(_words()["partly"], {"models": _listed(apart)})
    return {
        "winner": winner,
        "summary": f"{TITLES[part.measure.iloc[0]]}, {part.population.iloc[0]}: {clause}{without}",
    }


def _said(which, models, **values):
    """A sentence on the first of `models` and its baseline, with the size of the difference and its interval."""
    first = models.iloc[0]
    low, high = sorted(map(abs, (first.difference_ci_low, first.difference_ci_high)))
    of_first = {"model": first.label, "baseline": first.baseline, "difference": abs(first.difference)}
    return sentence(_words()[which], of_first | {"low": low, "high": high} | values)


def _within_sentence(title):
    """A title as it stands within a sentence: people keep their capitals."""
    return title if title.startswith(NAMES) else title[0].lower() + title[1:]


def _words():
    return templates("crmlab.holdout")["winners"]


def _also(models):
    return sentence(_words()["also"], {"models": _listed(models)}) if len(models) else ""


def _listed(names):
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last
