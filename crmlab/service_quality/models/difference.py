"""How reliable a difference of two batteries is beside the batteries."""

import numpy as np
import pandas as pd

from crmlab.service_quality.models.covariance import covariance, effective
from crmlab.service_quality.models.reliability import ALL, FEWEST_ITEMS, alpha, batteries
from crmlab.service_quality.models.scores import one_wave, pairs
from crmlab.service_quality.models.scores import weights as weights_of

FEWEST = 30  # respondents
COLUMNS = ["dimension", "items", "n", "expect", "perceive", "together", "gap", "gap_alpha", "reason"]


def survey_difference_reliability(survey):
    """`difference_reliability` of a survey's customers: a frame, one row a dimension, or one that says why not."""
    survey = one_wave(survey)
    _, asked, reason = batteries(survey)["gap"]
    if reason:
        return pd.DataFrame([{"dimension": ALL, "n": 0.0, "reason": reason}], columns=COLUMNS)
    return difference_reliability(*pairs(survey, "expect", "perceive"), asked, weights_of(survey))


def difference_reliability(expect, perceive, dimensions, weights=None):
    """How reliable the gap is beside its two sides: a frame, one row a dimension. [Johns 1981]

    expect, perceive  frames with the same items
    returns
        dimension, items, n
        expect, perceive  alpha of each side
        together          correlation of the two sides' sums
        gap               reliability of their difference from these: low where the sides go together
        gap_alpha         alpha of the item gaps themselves
        reason            why the row is blank
    """
    rows = [_difference(expect[i], perceive[i], weights) | {"dimension": d} for d, i in dimensions.items()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _difference(expect, perceive, weights):
    """The row of a dimension."""
    k = expect.shape[1]
    joined = pd.concat([expect.add_prefix("E "), perceive.add_prefix("P ")], axis=1)
    table, n = covariance(joined, weights).to_numpy(), effective(joined, weights)
    row = {"items": k, "n": n, "reason": ""}
    if k < FEWEST_ITEMS or n < FEWEST:
        least = f"{k} items: at least {FEWEST_ITEMS}" if k < FEWEST_ITEMS else f"{n:.0f} respondents: at least {FEWEST}"
        return row | {"reason": f"{least} are needed"}
    e, p, c = table[:k, :k], table[k:, k:], table[:k, k:]
    if min(e.sum(), p.sum()) <= 0 or not (np.diag(table) > 0).all():
        return row | {"reason": "no variance in an item"}
    whole = e.sum() + p.sum() - 2 * c.sum()
    row |= {"expect": alpha(e), "perceive": alpha(p), "together": c.sum() / np.sqrt(e.sum() * p.sum())}
    if whole <= 0:
        return row | {"reason": "no variance in the gap"}
    true = e.sum() * row["expect"] + p.sum() * row["perceive"] - 2 * c.sum()
    return row | {"gap": true / whole, "gap_alpha": alpha(e + p - c - c.T)}
