"""Gaps of segments: as answered, and drawn towards the whole where few answered."""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.service_quality.models.asked import not_asked_reason, reasoned
from crmlab.service_quality.models.scores import (
    dimension_scores,
    incomparable_reason,
    paired_answers,
    single_wave,
    weights_of,
)
from crmlab.service_quality.tables.survey import Survey
from crmlab.stats.differences import Sample, one_sample

GREYED_BELOW, SUPPRESSED_BELOW = 30, 5  # answers below which a cell is greyed, and below which it is not shown
NOT_GIVEN = "(not given)"
VALUES = ["gap", "ci_low", "ci_high", "shrunken_gap"]
UNNAMED = "no segments are declared; name their columns under segments in [design]"
COLUMNS = ["dimension", "segment", "n", "n_effective", *VALUES, "shrinkage_weight", "state", "reason"]


@reasoned("gap")
def all_segment_gap_scores(survey: Survey, level: float = 0.95) -> pd.DataFrame:
    """Gap 5 in the segments of every kind that the instrument declares.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        As of `segment_gap_scores`, with the kind of segments, `segmentation`, first; one row with the reason where
        there are no segments, or a side of the gap was not asked.

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
    """
    survey, kinds = single_wave(survey), survey.instrument.design.segments
    if reason := not_asked_reason(survey, "expect", "perceive") or ("" if kinds else UNNAMED):
        return pd.DataFrame([{"n": 0, "reason": reason}], columns=["segmentation", *COLUMNS])
    tables = [
        segment_gap_scores(survey, kind, level).assign(segmentation=kind)[["segmentation", *COLUMNS]] for kind in kinds
    ]
    return pd.concat(tables, ignore_index=True)


@reasoned("gap")
def segment_gap_scores(survey: Survey, segment: str, level: float = 0.95) -> pd.DataFrame:
    """Gap 5 in each segment, as answered and shrunken towards the whole.

    Parameters
    ----------
    survey : Survey
        Answers of one wave, or as of one (`Survey.as_of`); only customers' are used.
    segment : str
        Column of `survey.people`, one of the segments that the instrument declares.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        A row a dimension, or overall, and segment:

        - dimension, segment: the whole comes first, as segment "all"; those without one are "(not given)"
        - n, n_effective: respondents with a score
        - gap, ci_low, ci_high: as answered, with its interval by Student's t
        - shrunken_gap: drawn towards the whole
        - shrinkage_weight: share of the distance from the whole that is kept, as it is not noise
        - state: "shown"; "greyed" below 30 answers; "suppressed" below 5, then without any value
        - reason: why a number is blank

    Raises
    ------
    InputError
        If `survey` is no Survey, or customers answered in several of its waves.
        If the instrument declares no such segment.

    Notes
    -----
    Shrinkage is empirical Bayes: cells vary about the whole by τ², found by moments, and a cell by the variance within
    all cells over its n_effective.

    References
    ----------
    Morris (1983), Journal of the American Statistical Association 78, 47-55. DerSimonian & Laird (1986), Controlled
    Clinical Trials 7, 177-188.
    """
    if segment not in survey.instrument.design.segments:
        known = ", ".join(map(repr, survey.instrument.design.segments)) or "none"
        raise InputError(f"segment = {segment!r}: is no segment of the instrument (design.segments: {known})")
    survey = single_wave(survey)
    below, above = (
        dimension_scores(frame, survey.instrument) for frame in paired_answers(survey, "expect", "perceive")
    )
    labels = survey.people[segment].astype(object).where(survey.people[segment].notna(), NOT_GIVEN).astype(str)
    segments = sorted(labels.unique(), key=lambda name: (name == NOT_GIVEN, name))
    w, unfit = weights_of(survey), incomparable_reason(survey.instrument, "expect", "perceive")
    rows = []
    for dimension, difference in (above - below).items():
        rows += _cells(dimension, difference.to_numpy(dtype=float), labels.to_numpy(), segments, w, level)
    found = pd.DataFrame(rows, columns=COLUMNS)
    return found.assign(**dict.fromkeys([*VALUES, "shrinkage_weight"], np.nan), reason=unfit) if unfit else found


def _cells(dimension, difference, labels, segments, w, level):
    """The row of one dimension, the whole first."""
    of = lambda held: Sample.of(difference[held], None if w is None else w[held])  # noqa: E731
    whole, cells = of(np.ones(len(difference), bool)), [of(labels == name) for name in segments]
    shrinkage_weight = _kept(whole, cells)
    rows = [_cell(dimension, "all", whole, whole.mean, np.nan, level)]
    for name, cell, share in zip(segments, cells, shrinkage_weight, strict=True):
        shrunken_gap = whole.mean + share * (cell.mean - whole.mean)
        rows.append(_cell(dimension, name, cell, shrunken_gap, share, level))
    return rows


def _cell(dimension, segment, sample, shrunken_gap, shrinkage_weight, level):
    """What may be shown of one cell."""
    row = {"dimension": dimension, "segment": segment, "n": sample.n, "n_effective": sample.n_effective}
    if sample.n < SUPPRESSED_BELOW:
        return row | {"state": "suppressed", "reason": f"fewer than {SUPPRESSED_BELOW} answers"}
    row |= {"gap": sample.mean, "shrunken_gap": shrunken_gap, "shrinkage_weight": shrinkage_weight}
    row |= {"reason": sample.blank("gaps")}
    if not row["reason"]:
        row |= {name: one_sample(sample, level)[name] for name in ("ci_low", "ci_high")}
    return row | {"state": "greyed" if sample.n < GREYED_BELOW else "shown"}


def _kept(whole, cells):
    """Share of each cell's distance from the whole that is more than noise, 0 to 1: τ² / (τ² + σ²/n)."""
    held = [cell for cell in cells if cell.n]
    freedom = sum(cell.n_effective - 1 for cell in held)
    mean, size = (np.array([getattr(cell, name) for cell in held]) for name in ("mean", "n_effective"))
    within = sum(cell.weight @ (cell.value - cell.mean) ** 2 / cell.weight.sum() * cell.n_effective for cell in held)
    within = within / freedom if freedom > 0 else np.nan
    scale = size.sum() - (size**2).sum() / size.sum() if len(held) > 1 else 0
    excess = (size @ (mean - np.average(mean, weights=size)) ** 2 - (len(held) - 1) * within) if len(held) > 1 else 0
    between = max(excess / scale, 0) if scale > 0 else 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        return [between / (between + within / c.n_effective) if c.n and between else 0.0 for c in cells]
