"""Numbers with their uncertainty, from draws."""

import numpy as np

from crmlab.result import Estimate

TAILS = (0.025, 0.975)


def confidence(value, drawn, unit=""):
    """An expectation with its 95 % interval, from the same expectation under parameters drawn about the fitted ones."""
    low, high = np.quantile(list(drawn), TAILS)
    return Estimate(float(value), float(low), float(high), unit, "confidence")


def predictive(value, drawn, unit=""):
    """An expectation with the 95 % interval of what will be seen, from outcomes `drawn` from the model."""
    low, high = np.quantile(list(drawn), TAILS)
    return Estimate(float(value), float(low), float(high), unit, "predictive")
