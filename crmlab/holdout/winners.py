"""A race in one unit, and in words."""

import numpy as np
import pandas as pd

from crmlab.holdout.measures import NEARER
from crmlab.holdout.paired import EVERYONE
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


def leads(race):
    """`race` with how far each rule leads the best naive one: lead, lead_low, lead_high; above 0 is better.

    Mean absolute and root mean squared error and lift are in percent of the naive rule's, the others in hundredths.
    Its label is the rule, and from how many of the origins it was fitted, where not from all of them.
    """
    nearer = race.measure.isin([measure.__name__ for measure in NEARER])
    unit = (race.value - race.difference).where(race.measure.isin(RELATIVE), 1)
    scale = 100 * np.where(nearer, -1, 1) / unit
    ends = race.difference_low * scale, race.difference_high * scale
    ends = {"lead_low": np.minimum(*ends), "lead_high": np.maximum(*ends)}
    return race.assign(label=race.rule + _where(race), lead=race.difference * scale, **ends)


def _where(race):
    """ " (at 2 of 3 origins)" of each rule that was fitted from some origins only, "" of the others: a Series."""
    if "origins" not in race:
        return ""
    most = race.groupby("origin").origins.transform("max")
    some = (race.origins > 0) & (race.origins < most)
    return (" (at " + race.origins.astype(str) + " of " + most.astype(str) + " origins)").where(some, "")


def winners(race):
    """Who wins by each measure: a frame, one row a population and measure, and an origin where there are several.

    race : what `race` or `rolling` returned
    returns
        origin, population, measure
        winner  the rule that wins, or "undecided"
        told    the same in a sentence, with the difference it rests on, or why there is none
    A model wins where it is better than the best naive rule. Where several are, the winner is the one with the largest
    difference, which need not be better than the others; one that was not fitted from every origin, and so met other
    rivals, wins only where none that was does. A naive rule wins where every model is worse.
    """
    keys = [key for key in ("origin", "population", "measure") if key in race]
    parts = leads(race).groupby(keys, sort=False)
    return pd.DataFrame([dict(zip(keys, key, strict=True)) | _winner(part) for key, part in parts])


def verdict(race, rule, measure, population=EVERYONE):
    """Whether a rule beats the best naive one by a measure, over all origins: a Verdict; undecided does not pass."""
    held = (race.rule == rule) & (race.measure == measure) & (race.population == population)
    row = leads(race)[held & (race.origin == ALL_ORIGINS)].iloc[0]
    at = row.label.removeprefix(rule)
    if np.isnan(row.difference):
        evidence = row.outcome
    else:
        ends = f"95 % {number(row.difference_low)} to {number(row.difference_high)}"
        evidence = (
            f"{row.outcome}{at}: {number(row.value)}, apart by {number(row.difference)} ({ends}) from {row.against}"
        )
    claim = f"{rule} beats the best naive rule: {TITLES[measure]}, {population}"
    return Verdict(claim, row.outcome == "better", evidence, f"{row.against}, or neither where undecided")


def absences(race):
    """Who could not be fitted, from which origin and why: a sentence for each, a tuple. race : from `rolling`."""
    absent = race[race.outcome.str.startswith("not fitted: ")].drop_duplicates(["origin", "rule"])
    reasons = absent.outcome.str.removeprefix("not fitted: ")
    told = zip(absent.rule, absent.origin, reasons, strict=True)
    return tuple(f"In the race, {rule} could not be fitted from {origin}: {reason}." for rule, origin, reason in told)


def _winner(part):
    nearer = part.measure.iloc[0] in [measure.__name__ for measure in NEARER]
    absent = part.outcome.str.startswith("not fitted")
    lined = part.assign(everywhere=part.label == part.rule)
    lined = lined.sort_values(["everywhere", "lead"], ascending=False, kind="stable")
    models = lined[~(lined.naive | absent.loc[lined.index])]
    better, worse = models[models.outcome == "better"], models[models.outcome == "worse"]
    naive, than = part.against[part.naive].iloc[0], "is nearer than" if nearer else "tells customers apart better than"
    if len(better):
        winner = better.rule.iloc[0]
        beaten = f"{than} the best naive rule, {better.against.iloc[0]}, {_by(better)}"
        told = f"{better.label.iloc[0]} {beaten}{_also(better.label[1:], nearer)}"
    elif len(worse) and len(worse) == len(models):
        every = "every model that was fitted" if absent.any() else "every model"
        winner, told = naive, f"{naive} {than} {every}, even {worse.label.iloc[0]}, {_by(worse)}"
    elif models.difference.isna().any():
        winner, told = "undecided", models.outcome[models.difference.isna()].iloc[0]
    else:
        level = [*models.label[models.outcome == "undecided"], naive]
        winner, told = "undecided", f"undecided between {_listed(level)}" if len(models) else "no model took part"
    without = [f"{rule} (not fitted)" for rule in part.rule[absent]]
    missing = f"; without {_listed(without)}" if without else ""
    return {"winner": winner, "told": f"{TITLES[part.measure.iloc[0]]}, {part.population.iloc[0]}: {told}{missing}"}


def _by(models):
    """By how much the first and the naive rule differ, with the interval, which leaves out 0."""
    first = models.iloc[0]
    low, high = map(number, sorted(map(abs, (first.difference_low, first.difference_high))))
    return f"by {number(abs(first.difference))} (95 % {low} to {high})"


def _also(rules, nearer):
    one, several = ("is", "are") if nearer else ("does", "do")
    return f"; so {one if len(rules) == 1 else several} {_listed(rules)}" if len(rules) else ""


def _listed(rules):
    *rest, last = rules
    return f"{', '.join(rest)} and {last}" if rest else last
