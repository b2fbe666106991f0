"""Answers brought into pairs, and respondents' scores on dimensions."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from crmlab.contracts import InputError, suggest
from crmlab.service_quality.models.asked import MEASURE_NAMES, OVERALL, not_asked_reasons
from crmlab.service_quality.tables.survey import Survey

DESIRED_UNDECLARED = "expect is not declared as the desired level; set conventions.desired where it asked for that"


def single_wave(survey, audience="customer", wave=None):
    """The answers of one audience, each respondent once. Raises InputError where some answered in several waves."""
    if not isinstance(survey, Survey):
        raise InputError(
            f"survey: a {type(survey).__name__} is no survey; give what service_quality.read_survey returns, or its "
            ".select(audience)"
        )
    held = survey.select(audience, wave)
    again = held.people.respondent[held.people.respondent.notna()].duplicated()
    if again.any():
        waves = ", ".join(map(str, held.people.wave.drop_duplicates()))
        raise InputError(
            f"survey: {again.sum():,} rows are further answers of the same {audience} in another wave; answers of one "
            f"respondent are not independent: choose a wave with survey.select({audience!r}, wave=...) out of {waves}"
        )
    return held


def battery_of(survey: Survey, battery: str) -> pd.DataFrame:
    """The answers to a battery. Raises InputError for a name that is none."""
    if battery not in MEASURE_NAMES:
        raise InputError(f"battery = {battery!r}: there is none of this name; {one_of(battery, MEASURE_NAMES)}")
    return getattr(survey, battery)


def one_of(given: object, known: Iterable[str]) -> str:
    """What to write in place of a name that is not known."""
    return suggest(given, known, f"write one of {', '.join(map(repr, known))}")


def weights_of(survey):
    """Survey weights as an array, None where all weigh alike."""
    given = survey.people.weight.to_numpy(dtype=float)
    return None if len(given) == 0 or (given == given[0]).all() else given


def paired_answers(survey, lower, upper):
    """Answers to two batteries by those who answered both, item by item: two frames, a column an item asked in both."""
    one, other = getattr(survey, lower), getattr(survey, upper)
    shared = [name for name in survey.instrument.items if name in one and name in other]
    one, other = one[shared], other[shared]
    there = one.notna() & other.notna()
    return one.where(there), other.where(there)


def dimension_scores(answers, instrument):
    """Each respondent's score on each dimension, and overall: a frame, a column a dimension.

    A dimension is the mean of its items answered; overall is the mean of the dimensions, of those who have them all.
    """
    means = {d: answers[names].mean(axis=1) for d, names in asked_items(instrument, answers).items()}
    if means:
        means[OVERALL] = sum(means.values()) / len(means)
    return pd.DataFrame(means, answers.index)


def column_means(frame, weights=None):
    """Weighted mean of each column, NaN left out: an array; NaN for a column without answers."""
    values = frame.to_numpy(dtype=float)
    mass = ~np.isnan(values) * (np.ones(len(values)) if weights is None else weights)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return (np.where(mass > 0, values, 0) * mass).sum(axis=0) / mass.sum(axis=0)


def asked_items(instrument, answers):
    """Dimension -> its items that were asked, of the dimensions that have some."""
    asked = {d: [name for name in names if name in answers] for d, names in instrument.dimensions.items()}
    return {d: names for d, names in asked.items() if names}


def with_ci(*names):
    """Names of columns, each with those of the ends of its interval."""
    return [f"{name}{end}" for name in names for end in ("", "_ci_low", "_ci_high")]


def incomparable_reason(instrument, *measures):
    """Why answers to these batteries cannot be subtracted from one another; "" where they can."""
    scales = {measure: instrument.scale_of(measure) for measure in measures}
    if extents := [measure for measure, scale in scales.items() if scale.extent]:
        return f"{' and '.join(extents)} is rated as an extent, not on the scale of the answers"
    if len({(scale.low, scale.high) for scale in scales.values()}) > 1:
        return f"no common scale: {', '.join(f'{measure} {scale}' for measure, scale in scales.items())}"
    return ""


def answers_by(survey, by, *answers):
    """Answers by item as they are, or as scores."""
    if by not in ("item", "dimension"):
        raise InputError(f"by = {by!r}: write 'item' or 'dimension'")
    return answers if by == "item" else tuple(dimension_scores(frame, survey.instrument) for frame in answers)


def table_of(survey, by, names, rows, columns, *measures):
    """Rows of the items or dimensions `names` as a frame, in which all others say what of `measures` was not asked."""
    instrument, why = survey.instrument, not_asked_reasons(survey, by, *measures)
    held = dict(zip(names, rows, strict=True))
    found = pd.DataFrame([held.get(name, {"n": 0, "reason": noted}) for name, noted in why.items()])
    if by == "item":
        items = [instrument.items[name] for name in why.index]
        about: dict[str, Any] = {
            "item": list(why.index),
            "dimension": [item.dimension for item in items],
            "family": "items",
        }
        about["text"] = [item.text for item in items]
    else:
        sizes = {d: len(names) for d, names in instrument.dimensions.items()} | {OVERALL: len(instrument.items)}
        about = {"item": [f"{sizes[name]} items" for name in why.index], "dimension": list(why.index), "text": ""}
        about["family"] = np.where(why.index == OVERALL, OVERALL, "dimensions")
    return found.assign(**about).reindex(columns=columns)
