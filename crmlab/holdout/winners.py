"""A race in one unit, and in words."""

import numpy as np
import pandas as pd

from crmlab.holdout.measures import ERROR_MEASURES
from crmlab.holdout.paired import ALL_CUSTOMERS
from crmlab.holdout.rolling import ALL_ORIGINS
from crmlab.result import Verdict, number

TITLES = {
    "bias": "Bias of the total",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "correlation": "Pearson's correlation",
    "spearman": "Spearman's correlation",
    "gini": "Gini",
    "lift": "Lift of the top tenth",
}
RELATIVE = ("mae", "rmse", "lift")  # the other measures have a scale of their own


def improvements(comparison):
    """`comparison` with how far each model improves on the best baseline: improvement, improvement_ci_….

    Mean absolute and root mean squared error and lift are in percent of the naive rule's, the others in hundredths.
    Its label is the rule, and from how many of the origins it was fitted, where not from all of them.
    """
    is_error = comparison.measure.isin([measure.__name__ for measure in ERROR_MEASURES])
    unit = (comparison.value - comparison.difference).where(comparison.measure.isin(RELATIVE), 1)
    scale = 100 * np.where(is_error, -1, 1) / unit
    ends = comparison.difference_ci_low * scale, comparison.difference_ci_high * scale
    ends = {"improvement_ci_low": np.minimum(*ends), "improvement_ci_high": np.maximum(*ends)}
    return comparison.assign(
        label=comparison.model + _fitted_origins(comparison), improvement=comparison.difference * scale, **ends
    )


def _fitted_origins(comparison):
    """ " (at 2 of 3 origins)" of each rule that was fitted from some origins only, "" of the others: a Series."""
    if "origins" not in comparison:
        return ""
    most = comparison.groupby("origin").origins.transform("max")
    some = (comparison.origins > 0) & (comparison.origins < most)
    return (" (at " + comparison.origins.astype(str) + " of " + most.astype(str) + " origins)").where(some, "")


def winners(comparison):
    """Who wins by each measure: a frame, one row a population and measure, and an origin where there are several.

    comparison : what `compare` or `rolling` returned
    returns
        origin, population, measure
        winner  the model that wins, or "undecided"
        summary the same in a sentence, with the difference it rests on, or why there is none
    A model wins where it is better than the best naive rule. Where several are, the winner is the one with the largest
    difference, which need not be better than the others; one that was not fitted from every origin, and so met other
    rivals, wins only where none that was does. A naive rule wins where every model is worse.
    """
    keys = [key for key in ("origin", "population", "measure") if key in comparison]
    parts = improvements(comparison).groupby(keys, sort=False)
    return pd.DataFrame([dict(zip(keys, key, strict=True)) | _winner(part) for key, part in parts])


def beats_baseline(comparison, model, measure, population=ALL_CUSTOMERS):
    """Whether a rule beats the best naive one by a measure, over all origins: a Verdict; undecided does not pass."""
    held = (comparison.model == model) & (comparison.measure == measure) & (comparison.population == population)
    row = improvements(comparison)[held & (comparison.origin == ALL_ORIGINS)].iloc[0]
    at = row.label.removeprefix(model)
    if np.isnan(row.difference):
        evidence = row.outcome
    else:
        ends = f"95 % {number(row.difference_ci_low)} to {number(row.difference_ci_high)}"
        evidence = (
            f"{row.outcome}{at}: {number(row.value)}, apart by {number(row.difference)} ({ends}) from {row.baseline}"
        )
    claim = f"{model} beats the best naive rule: {TITLES[measure]}, {population}"
    return Verdict(claim, row.outcome == "better", evidence, f"{row.baseline}, or neither where undecided")


def unfitted_reasons(comparison):
    """Who could not be fitted, from which origin and why: a sentence for each, a tuple. comparison : from `rolling`."""
    absent = comparison[comparison.outcome.str.startswith("not fitted: ")].drop_duplicates(["origin", "model"])
    reasons = absent.outcome.str.removeprefix("not fitted: ")
    absent_models = zip(absent.model, absent.origin, reasons, strict=True)
    return tuple(
        f"In the race, {model} could not be fitted from {origin}: {reason}." for model, origin, reason in absent_models
    )


def _winner(part):
    is_error = part.measure.iloc[0] in [measure.__name__ for measure in ERROR_MEASURES]
    absent = part.outcome.str.startswith("not fitted")
    lined = part.assign(everywhere=part.label == part.model)
    lined = lined.sort_values(["everywhere", "improvement"], ascending=False, kind="stable")
    models = lined[~(lined.is_baseline | absent.loc[lined.index])]
    better, worse = models[models.outcome == "better"], models[models.outcome == "worse"]
    baseline, than = (
        part.baseline[part.is_baseline].iloc[0],
        "is nearer than" if is_error else "tells customers apart better than",
    )
    if len(better):
        winner = better.model.iloc[0]
        beaten = f"{than} the best naive rule, {better.baseline.iloc[0]}, {_difference_in_words(better)}"
        summary = f"{better.label.iloc[0]} {beaten}{_others_in_words(better.label[1:], is_error)}"
    elif len(worse) and len(worse) == len(models):
        every = "every model that was fitted" if absent.any() else "every model"
        winner, summary = (
            baseline,
            f"{baseline} {than} {every}, even {worse.label.iloc[0]}, {_difference_in_words(worse)}",
        )
    elif models.difference.isna().any():
        winner, summary = "undecided", models.outcome[models.difference.isna()].iloc[0]
    else:
        level = [*models.label[models.outcome == "undecided"], baseline]
        winner, summary = "undecided", f"undecided between {_listed(level)}" if len(models) else "no model took part"
    without = [f"{model} (not fitted)" for model in part.model[absent]]
    missing = f"; without {_listed(without)}" if without else ""
    return {
        "winner": winner,
        "summary": f"{TITLES[part.measure.iloc[0]]}, {part.population.iloc[0]}: {summary}{missing}",
    }


def _difference_in_words(models):
    """By how much the first and the naive rule differ, with the interval, which leaves out 0."""
    first = models.iloc[0]
    low, high = map(number, sorted(map(abs, (first.difference_ci_low, first.difference_ci_high))))
    return f"by {number(abs(first.difference))} (95 % {low} to {high})"


def _others_in_words(rules, is_error):
    one, several = ("is", "are") if is_error else ("does", "do")
    return f"; so {one if len(rules) == 1 else several} {_listed(rules)}" if len(rules) else ""


def _listed(rules):
    *rest, last = rules
    return f"{', '.join(rest)} and {last}" if rest else last
