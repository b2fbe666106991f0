"""Deviations of means over respondents in bootstrap replicates whose weights are the same in every run."""

import numpy as np
import pandas as pd

from crmlab import masks
from crmlab.stats import poisson_bootstrap

DEVIATIONS = "deviations"  # in the attrs of a frame: gives those of each of its means, by name


def deviations_of_means(values, respondents, weights):
    """A function that gives, of each column, the deviations of its weighted mean in bootstrap replicates.

    None where respondents have no ids.

    values      : DataFrame, a row a respondent; NaN where there is no answer
    respondents : their ids
    weights     : their weights; None weighs all alike
    """

    if list(respondents) == [str(number) for number in range(1, len(respondents) + 1)]:
        return None  # numbers of rows, as nobody gave ids

    def deviations():
        change = poisson_bootstrap.weights(respondents, masks.key()) - 1.0
        weighed = np.ones(len(values)) if weights is None else np.asarray(weights, float)
        found = {}
        for name, answers in values.items():
            there = answers.notna().to_numpy()
            w, held = weighed[there], answers[there].to_numpy(float)
            if there.any():
                found[name] = (w * (held - np.average(held, weights=w)) / w.sum()) @ change[there]
        return found

    return deviations


def deviations_of_ratio(top, below, loyal, respondents, weights):
    """The same of the ratio of two weighted shares, of the log of which it is the difference.

    top, below : which respondents each share is of
    loyal      : whether each is loyal
    """
    shares = pd.DataFrame({"top": loyal.where(top), "below": loyal.where(below)})
    means = deviations_of_means(shares, respondents, weights)
    if means is None:
        return None

    def deviations():
        weighed = np.ones(len(loyal)) if weights is None else np.asarray(weights, float)
        at = {name: np.average(v[v.notna()], weights=weighed[v.notna()]) for name, v in shares.items()}
        off = means()
        return at["top"] / at["below"] * (off["top"] / at["top"] - off["below"] / at["below"])

    return deviations
