"""Judging expectations by what came later: what every race shares.

expected, actual  Series with one row for each of `weights` alike
rule              whatever expects something of customers: a model, or one of the simple rules it must beat
measure           how far a rule's expectations are from what came, or how well they order customers by it
origin            a day from which the future is told: rules see orders up to it, and are judged on those after
"""

from crmlab.holdout.measures import (
    ERROR_MEASURES,
    MEASURES,
    SCORE_MEASURES,
    bias,
    correlation,
    correlation_interval,
    gini,
    lift,
    mae,
    rmse,
    spearman,
)
from crmlab.holdout.paired import compare
from crmlab.holdout.rolling import origins, rolling
from crmlab.holdout.winners import TITLES, beats_baseline, improvements, unfitted_reasons, winners

__all__ = [
    "ERROR_MEASURES",
    "MEASURES",
    "SCORE_MEASURES",
    "TITLES",
    "beats_baseline",
    "bias",
    "compare",
    "correlation",
    "correlation_interval",
    "gini",
    "improvements",
    "lift",
    "mae",
    "origins",
    "rmse",
    "rolling",
    "spearman",
    "unfitted_reasons",
    "winners",
]
