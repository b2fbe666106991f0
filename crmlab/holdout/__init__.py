"""Judging predictions by the holdout: what every backtest shares.

expected, actual  Series with one row for each of `weights` customers alike
model             whatever predicts something of customers: a fitted model, or one of the baselines it must beat
measure           how far predictions are from what was observed, or how well they order customers by it
origin            a day that is predicted from: models see orders up to it, and are judged on those after
"""

from crmlab.holdout.comparison import ALL_CUSTOMERS, compare, tabulate
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
    r2,
    rmse,
    spearman,
)
from crmlab.holdout.rolling import ALL_ORIGINS, origins, over_origins, rolling, too_short
from crmlab.holdout.winners import (
    TITLES,
    improvements,
    judged_against_baseline,
    parts_by_measure,
    unfitted_reasons,
    winners,
)

__all__ = [
    "ALL_CUSTOMERS",
    "ALL_ORIGINS",
    "ERROR_MEASURES",
    "MEASURES",
    "SCORE_MEASURES",
    "TITLES",
    "bias",
    "compare",
    "correlation",
    "correlation_interval",
    "gini",
    "improvements",
    "judged_against_baseline",
    "lift",
    "mae",
    "origins",
    "over_origins",
    "parts_by_measure",
    "r2",
    "rmse",
    "rolling",
    "spearman",
    "tabulate",
    "too_short",
    "unfitted_reasons",
    "winners",
]
