"""Where perceptions lie between the least that customers accept and what they would like."""

from typing import Any

import numpy as np
import pandas as pd

from crmlab.service_quality.models.asked import reasoned
from crmlab.service_quality.models.scores import (
    DESIRED_UNDECLARED,
    answers_by,
    incomparable_reason,
    paired_answers,
    single_wave,
    table_of,
    weights_of,
    with_ci,
)
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats.differences import Sample, one_sample

COLUMNS = ["item", "dimension", "n", "adequate", "desired", "perceive", *with_ci("msa", "mss"), "below", "within"]
COLUMNS += ["above", "inverted", "position", "text", "reason"]


@reasoned("perceive")
def zone_of_tolerance(survey: Survey, by: str = "item", level: float = 0.95) -> pd.DataFrame:
    """Where perceptions lie in the zone of tolerance between adequate and desired.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    by : {"item", "dimension"}
        A row an item, or a row a dimension and one overall.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        A row an item, or a dimension and overall:

        - item, dimension
        - n: who answered all three, or both where `expect` is not the desired level
        - adequate, desired, perceive: means
        - msa, msa_ci_low, msa_ci_high: perceived − adequate, with its interval by Student's t
        - mss, mss_ci_low, mss_ci_high: perceived − desired, where the instrument declares `expect` as that
        - below, within, above: shares of customers whose perception lies there, of those whose zone is one
        - inverted: customers whose adequate level lies above their desired one
        - position: "below", "within" or "above" where the intervals settle it, else "undecided"; without a desired
          level "adequate" where perceptions are higher than the adequate level
        - text
        - reason: why the row is blank

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If `by` is neither.

    References
    ----------
    Zeithaml, Berry & Parasuraman (1993), Journal of the Academy of Marketing Science 21, 1-12.
    """
    survey = single_wave(survey)
    desired, w = survey.instrument.conventions.desired, weights_of(survey)
    asked = ("adequate", "perceive", "expect") if desired else ("adequate", "perceive")
    adequate, perceive = paired_answers(survey, "adequate", "perceive")
    shared = [name for name in adequate if name in survey.expect or not desired]
    adequate, perceive = adequate[shared], perceive[shared]
    desire = survey.expect[shared] if desired else adequate + np.inf
    held = adequate.notna() & desire.notna()
    answered = answers_by(survey, by, *(frame.where(held) for frame in (adequate, perceive, desire)))
    unfit, sides = incomparable_reason(survey.instrument, *asked), (side.to_numpy(dtype=float).T for side in answered)
    columns = zip(*map(np.ascontiguousarray, sides), strict=True)
    rows = [{"reason": unfit} if unfit else _placed(a, p, d, w, desired, level) for a, p, d in columns]
    return table_of(survey, by, answered[0], rows, COLUMNS, *asked)


def _placed(adequate, perceive, desired, w, declared, level):
    """The zone of one item or dimension."""
    held = ~np.isnan(adequate)
    adequate, perceive, desired = adequate[held], perceive[held], desired[held]
    mass = np.ones(held.sum()) if w is None else w[held]
    inverted, bounded = adequate > desired, mass * (adequate <= desired)
    row: dict[str, Any] = {"n": int(held.sum()), "reason": "" if declared else DESIRED_UNDECLARED}
    if not bounded.sum():
        return row | {"reason": "nobody's adequate level lies below the desired one" if held.any() else "no answers"}
    share = lambda where: float(bounded @ where / bounded.sum())  # noqa: E731
    row |= {"adequate": np.average(adequate, weights=mass), "perceive": np.average(perceive, weights=mass)}
    row |= _side("msa", Sample.of(perceive - adequate, None if w is None else mass), level) | {
        "below": share(perceive < adequate)
    }
    if declared:
        row |= {"desired": np.average(desired, weights=mass), "inverted": int(inverted.sum())}
        row |= _side("mss", Sample.of(perceive - desired, None if w is None else mass), level)
        row |= {"above": share(perceive > desired)}
        row |= {"within": 1 - row["below"] - row["above"]}
        if row["adequate"] > row["desired"]:
            row["reason"] = "adequate above desired on average: there is no zone"
    return row | {"position": _position(row)}


def _side(name, sample, level):
    """One bound of the zone: how far perceptions lie from it."""
    ends = {} if sample.blank() else one_sample(sample, level)
    return {name: sample.mean} | {f"{name}_{end}": ends.get(end, np.nan) for end in ("ci_low", "ci_high")}


def _position(row):
    """What both intervals settle."""
    if row["adequate"] > row.get("desired", np.inf):
        return "undecided"
    if row["msa_ci_high"] < 0:
        return "below"
    if row.get("mss_ci_low", np.nan) > 0:
        return "above"
    if row["msa_ci_low"] > 0 and "mss" not in row:
        return "adequate"
    return "within" if row["msa_ci_low"] > 0 and row["mss_ci_high"] < 0 else "undecided"
