"""Numbers with their uncertainty, from draws."""

import numpy as np

from crmlab.result import Estimate


def percentile_interval(draws):
    """Lower and upper ends of the 95 % interval of draws, each shaped as one of them; draws may be infinite.

    The ends are the k-th least and the k-th greatest of n draws, k = .025 (n + 1) or the whole number below it, so that
    one further draw lies outside no more than once in twenty. [Davison & Hinkley 1997]
    """
    draws = np.asarray(draws)
    k = max(int(0.025 * (len(draws) + 1)), 1)
    ends = [k - 1, len(draws) - k]
    return np.partition(draws, ends, axis=0)[ends]


def confidence_interval(value, draws, unit=""):
    """An expectation with its 95 % interval, from the same expectation under parameters drawn about the fitted ones."""
    low, high = percentile_interval(draws)
    return Estimate(float(value), float(low), float(high), unit, "confidence")


def prediction_interval(value, draws, unit=""):
    """An expectation with the 95 % interval of what will be seen, from outcomes `draws` from the model."""
    low, high = percentile_interval(draws)
    return Estimate(float(value), float(low), float(high), unit, "predictive")
