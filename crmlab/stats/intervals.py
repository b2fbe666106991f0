"""Numbers with their uncertainty, from draws."""

import numpy as np

from crmlab.result import Estimate


def tails(drawn):
    """Lower and upper ends of the 95 % interval of draws, each shaped as one of them; draws may be infinite."""
    return np.quantile(np.asarray(drawn), (0.025, 0.975), axis=0, method="inverted_cdf")


def confidence(value, drawn, unit=""):
    """An expectation with its 95 % interval, from the same expectation under parameters drawn about the fitted ones."""
    low, high = tails(drawn)
    return Estimate(float(value), float(low), float(high), unit, "confidence")


def predictive(value, drawn, unit=""):
    """An expectation with the 95 % interval of what will be seen, from outcomes `drawn` from the model."""
    low, high = tails(drawn)
    return Estimate(float(value), float(low), float(high), unit, "predictive")
