"""Gap 5, what customers perceive less what they expect, and the comparisons made in the same way.

Every table has a row an item, or, `by="dimension"`, a row a dimension and one overall:
    item, dimension
    n               pairs of answers
    expect          mean of what is subtracted; `adequate` where that is the adequate level
    perceive, gap   mean perception, of the same pairs; perceived − expected, so that a shortfall is negative
    ci_low, ci_high       95 % interval of the gap by Student's t
    t, p_adjusted, d    paired t; its p by Holm within `family`; gap over the standard deviation of the gaps (d_z)
    n_effective     (Σw)²/Σw², the equal answers that would be as precise
    p               p of t by itself
    bootstrap_ci_low, bootstrap_ci_high                 95 % percentile interval by the bootstrap
    signed_rank_p, signed_rank_p_adjusted   Wilcoxon's test, by itself and by Holm within `family`
    family          items are one family of comparisons, dimensions another, overall a third
    text            the wording of the item
    reason          why a number is blank; items and dimensions of which a side was not asked have a row, too
Survey weights count wherever they differ.
[Parasuraman, Zeithaml & Berry 1988; adequate and desired: Zeithaml, Berry & Parasuraman 1993; SERVPERF: Cronin & Taylor
1992]
"""

import numpy as np
import pandas as pd

from crmlab.service_quality.models.asked import reasoned
from crmlab.service_quality.models.scores import (
    DESIRED_UNDECLARED,
    answers_by,
    column_means,
    incomparable_reason,
    paired_answers,
    single_wave,
    table_of,
    weights,
)
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats.comparisons import holm
from crmlab.stats.differences import Sample, bootstrap_intervals, one_sample, signed_rank

FIRST = ["item", "dimension", "n", "expect", "perceive", "gap", "ci_low", "ci_high", "t", "p_adjusted", "d"]
THEN = [
    "n_effective",
    "p",
    "bootstrap_ci_low",
    "bootstrap_ci_high",
    "signed_rank_p",
    "signed_rank_p_adjusted",
    "family",
    "text",
    "reason",
]
NUMBERS = [
    "n",
    "expect",
    "perceive",
    "gap",
    "ci_low",
    "ci_high",
    "t",
    "d",
    "n_effective",
    "p",
    "bootstrap_ci_low",
    "bootstrap_ci_high",
]
SERVPERF = [
    "item",
    "dimension",
    "n",
    "perceive",
    "ci_low",
    "ci_high",
    "n_effective",
    "bootstrap_ci_low",
    "bootstrap_ci_high",
    "text",
]


@reasoned("gap")
def gap_scores(survey: Survey, by: str = "item", replicates: int = 2000, seed: int = 1) -> pd.DataFrame:
    """Gap 5: perceived − expected, a row an item or a dimension; columns as this module says.

    Examples
    --------
    >>> from crmlab import service_quality
    >>> survey = service_quality.read_survey("data/example_survey.csv", "data/example_survey.toml")
    >>> customers = survey.as_of().select("customer")
    >>> gaps = service_quality.gap_scores(customers, "dimension", replicates=100)
    >>> gaps[["dimension", "gap"]].round(2).tail(2).to_dict("records")
    [{'dimension': 'empathy', 'gap': -0.4}, {'dimension': 'overall', 'gap': -0.66}]
    """
    return battery_gaps(survey, "expect", "perceive", by, replicates, seed)


@reasoned("gap")
def service_adequacy(survey: Survey, by: str = "item", replicates: int = 2000, seed: int = 1) -> pd.DataFrame:
    """Measure of service adequacy: perceived − adequate; columns as `gap_scores`, with `adequate` for `expect`."""
    found = battery_gaps(survey, "adequate", "perceive", by, replicates, seed)
    return found.rename(columns={"expect": "adequate"})


@reasoned("gap")
def service_superiority(survey: Survey, by: str = "item", replicates: int = 2000, seed: int = 1) -> pd.DataFrame:
    """Measure of service superiority: perceived − desired; columns as `gap_scores`.

    Blank, with the reason, unless the instrument declares `expect` as the desired level.
    """
    found = battery_gaps(survey, "expect", "perceive", by, replicates, seed)
    if survey.instrument.conventions.desired:
        return found
    blank = [*NUMBERS, "p_adjusted", "signed_rank_p", "signed_rank_p_adjusted"]
    return found.assign(**dict.fromkeys(blank, np.nan), reason=DESIRED_UNDECLARED)


@reasoned("perceive")
def perception_scores(survey: Survey, by: str = "item", replicates: int = 2000, seed: int = 1) -> pd.DataFrame:
    """SERVPERF, perceptions alone: a row an item, or a dimension and overall; columns as `gap_scores`, where they
    apply.

    n counts all who answered the perception, whatever they expect.
    """
    survey = single_wave(survey)
    answers, w = answers_by(survey, by, survey.perceive[survey.perceive.columns])[0], weights(survey)
    ends, rows = bootstrap_intervals(answers.to_numpy(dtype=float), w, replicates, seed), []
    for place, name in enumerate(answers):
        sample = Sample.of(answers[name].to_numpy(dtype=float), w)
        row = {"n": sample.n, "n_effective": sample.n_effective, "perceive": sample.mean, "reason": sample.blank()}
        if not row["reason"]:
            row |= {k: v for k, v in one_sample(sample).items() if k in ("ci_low", "ci_high")}
            row |= dict(zip(("bootstrap_ci_low", "bootstrap_ci_high"), ends[:, place], strict=True))
        rows.append(row)
    return table_of(survey, by, answers, rows, [*SERVPERF, "reason"], "perceive")


def battery_gaps(survey, lower, upper, by, replicates, seed):
    """One battery less another, answered by the same customers: a frame as this module says."""
    survey = single_wave(survey)
    below, above = answers_by(survey, by, *paired_answers(survey, lower, upper))
    w, unfit = weights(survey), incomparable_reason(survey.instrument, lower, upper)
    difference = above.to_numpy(dtype=float) - below.to_numpy(dtype=float)
    ends = bootstrap_intervals(difference, w, replicates, seed)
    means = zip(column_means(below, w), column_means(above, w), strict=True)
    rows = [
        {"n": int((~np.isnan(difference[:, i])).sum()), "expect": e, "perceive": p, "reason": unfit}
        if unfit
        else {"expect": e, "perceive": p} | _tested(Sample.of(difference[:, i], w), ends[:, i])
        for i, (e, p) in enumerate(means)
    ]
    found = table_of(survey, by, below, rows, [*FIRST, *THEN], lower, upper)
    for name in ("p", "signed_rank_p"):
        found[f"{name}_adjusted"] = holm(found[name], found.family)
    return found


def _tested(sample, ends):
    """All of one gap but what it is a gap between."""
    row = {"n": sample.n, "n_effective": sample.n_effective, "gap": sample.mean, "reason": sample.blank("pairs")}
    if row["reason"]:
        return row
    row |= one_sample(sample) | {"signed_rank_p": signed_rank(sample)}
    return row | dict(zip(("bootstrap_ci_low", "bootstrap_ci_high"), ends, strict=True))
