"""Judging expectations by what came later: what every race shares.

expected, actual  Series with one row for each of `customers` alike
rule              whatever expects something of customers: a model, or one of the simple rules it must beat
measure           how far a rule's expectations are from what came, or how well they order customers by it
origin            a day from which the future is told: rules see orders up to it, and are judged on those after
"""

from crmlab.holdout.measures import (
    HIGHER,
    MEASURES,
    NEARER,
    bias,
    correlation,
    correlation_interval,
    gini,
    lift,
    mae,
    rmse,
    spearman,
)
from crmlab.holdout.paired import race
from crmlab.holdout.rolling import origins, rolling
from crmlab.holdout.winners import TITLES, absences, leads, verdict, winners

__all__ = [
    "HIGHER",
    "MEASURES",
    "NEARER",
    "TITLES",
    "absences",
    "bias",
    "correlation",
    "correlation_interval",
    "gini",
    "leads",
    "lift",
    "mae",
    "origins",
    "race",
    "rmse",
    "rolling",
    "spearman",
    "verdict",
    "winners",
]
