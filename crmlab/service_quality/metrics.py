"""How answers are spread over the scale."""

import numpy as np
import pandas as pd

from crmlab.result import Estimate
from crmlab.service_quality.models.scores import one_wave


def answers(survey, battery="perceive"):
    """How customers answered each item: a frame, a row an item.

    item, dimension, text, n    n: those who answered
    1, 2 …                      shares of them at each level of the scale, summing to 1; reversed items turned round
    not_applicable, missing     shares of all asked; of batteries but the perceptions, both are in `missing`
    All shares are weighted.
    """
    survey = one_wave(survey)
    scale, frame = survey.instrument.scale_of(battery), getattr(survey, battery)
    weight, rows = survey.people.weight.to_numpy(dtype=float), []
    for name in frame:
        given = frame[name].to_numpy(dtype=float)
        apart = survey.not_applicable.get(name, pd.Series(False, frame.index)).to_numpy(dtype=bool)
        apart = apart & np.isnan(given) & (battery == "perceive")
        there = ~np.isnan(given)
        total = weight[there].sum()
        at = {level: weight[given == level].sum() for level in range(scale.low, scale.high + 1)}
        item = survey.instrument.items[name]
        row = {"item": name, "dimension": item.dimension, "text": item.text, "n": int((there & (weight > 0)).sum())}
        row |= {level: mass / total if total else np.nan for level, mass in at.items()}
        left = {"not_applicable": weight[apart].sum(), "missing": weight[~there & ~apart].sum()}
        rows.append(row | {k: mass / weight.sum() if weight.sum() else np.nan for k, mass in left.items()})
    return pd.DataFrame(rows)


def gap_facts(table):
    """The gaps of a frame of `gaps` by dimension, the overall one first: facts for a Result, in points of the scale."""
    told = table[table.gap.notna()].iloc[::-1]
    return {
        f"gap_{row.dimension}".replace(" ", "_"): Estimate(row.gap, row.low, row.high, "points of the scale")
        for row in told.itertuples()
    }
