"""How far means over respondents move in respondents drawn anew, alike in every run."""

import numpy as np
import pandas as pd

from crmlab import masks
from crmlab.stats import alike

ANEW = "anew"  # in the attrs of a frame: gives by name how far each of its means moves, an array


def means_anew(values, respondents, weights):
    """A function that gives, of each column, how far its weighted mean moves in respondents drawn anew.

    None where respondents have no ids.

    values      : DataFrame, a row a respondent; NaN where there is no answer
    respondents : their ids
    weights     : their weights; None weighs all alike
    """

    if list(respondents) == [str(number) for number in range(1, len(respondents) + 1)]:
        return None  # numbers of rows, as nobody gave ids

    def moved():
        change = alike.counts(respondents, masks.key()) - 1.0
        weighed = np.ones(len(values)) if weights is None else np.asarray(weights, float)
        found = {}
        for name, answers in values.items():
            there = answers.notna().to_numpy()
            w, held = weighed[there], answers[there].to_numpy(float)
            if there.any():
                found[name] = (w * (held - np.average(held, weights=w)) / w.sum()) @ change[there]
        return found

    return moved


def ratio_anew(top, below, loyal, respondents, weights):
    """The same of the ratio of two weighted shares, of the log of which it is the difference.

    top, below : which respondents each share is of
    loyal      : whether each is loyal
    """
    shares = pd.DataFrame({"top": loyal.where(top), "below": loyal.where(below)})
    means = means_anew(shares, respondents, weights)
    if means is None:
        return None

    def moved():
        weighed = np.ones(len(loyal)) if weights is None else np.asarray(weights, float)
        at = {name: np.average(v[v.notna()], weights=weighed[v.notna()]) for name, v in shares.items()}
        moves = means()
        return at["top"] / at["below"] * (moves["top"] / at["top"] - moves["below"] / at["below"])

    return moved
